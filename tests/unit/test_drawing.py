"""Drawn faces, from the box to the person, over painted people."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from plugin.detection import default_points, face_in_box
from plugin.domain import AssetKind, Box, FaceState, HostAsset, VerdictKind
from plugin.drawing import Drawing, box_inside
from plugin.errors import HostUnreachable, NotFound, Refused
from plugin.faces.boxes import iou
from plugin.history import History
from plugin.people import People
from plugin.ports.vision import DecodedPicture
from tests.fakes.album import NudgeLog
from tests.fakes.face_models import FakeFaceModels, blank_picture, paint_person
from tests.fakes.media import clock_video
from tests.fakes.workshop import Workshop, photo

ANNA, BEN = 1, 9
BEN_BOX = Box(400 / 640, 240 / 480, 160 / 640, 160 / 480)


class Desk:
    """A workshop with somebody who draws; the photo shows Anna, found, and Ben, painted too dark to be found."""

    def __init__(self) -> None:
        self.workshop = Workshop()
        self.catalogue = self.workshop.catalogue
        self.me = self.workshop.account_id
        self.nudge = NudgeLog()
        self.people = People(self.catalogue, self.nudge)
        self.history = History(self.catalogue, self.nudge)
        self.pack = "opencv"
        self.drawing = Drawing(self.catalogue, self.people, self.nudge, lambda asset, box: (
            self.pack, self.workshop.detection.face_in(asset, box, self.workshop.models.load(self.pack))
        ))  # fmt: skip
        self.workshop.host.put("two.jpg", photo([(ANNA, 64, 48, 160), (BEN, 400, 240, 160)]))
        self.workshop.work()
        ben = max(self.catalogue.faces.export(None), key=lambda row: row.face.box.x).face
        self.asset = ben.asset_id
        with self.catalogue._transactions.write() as connection:
            connection.exec_driver_sql(f"DELETE FROM embedding WHERE face_id = {ben.id}")
            connection.exec_driver_sql(f"DELETE FROM face WHERE id = {ben.id}")

    def boxes(self) -> list[Box]:
        return [face.box for face in self.catalogue.faces.of_asset(self.asset, self.me)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_drawn_face_is_embedded_from_its_box_and_belongs_to_the_name_given(desk: Desk) -> None:
    face_id = desk.drawing.draw(desk.me, desk.asset, BEN_BOX, " Ben ")
    face = desk.catalogue.faces.get(face_id, desk.me)
    assert (face.person_name, face.state, face.assigned_by, face.drawn) == ("Ben", FaceState.ASSIGNED, "user", True)
    assert face.box == BEN_BOX
    expected = desk.workshop.models.load("opencv")._people[BEN]
    assert float(desk.catalogue.faces.embedding(face_id) @ expected) > 0.95
    assert [verdict.kind for verdict in desk.catalogue.verdicts.all(desk.me)] == [VerdictKind.IS_PERSON]
    assert desk.history.latest(desk.me)[0].title == "Drew a face of Ben"
    assert len(desk.history.latest(desk.me)) == 1


def test_a_name_somebody_has_means_that_person(desk: Desk) -> None:
    anna = desk.catalogue.people.add(desk.me, "Anna")
    face_id = desk.drawing.draw(desk.me, desk.asset, BEN_BOX, "anna")
    assert desk.catalogue.faces.get(face_id).person_id == anna


def test_a_name_several_people_have_is_asked_about_before_anything_is_drawn(desk: Desk) -> None:
    for _ in range(2):
        desk.catalogue.people.add(desk.me, "Anna")
    with pytest.raises(Refused, match="Several people are called Anna"):
        desk.drawing.draw(desk.me, desk.asset, BEN_BOX, "Anna")
    assert len(desk.boxes()) == 1
    assert desk.history.latest(desk.me) == []


def test_without_a_name_recognition_says_who_it_is(desk: Desk) -> None:
    desk.workshop.host.put("more.jpg", photo([(BEN, 64, 48, 160)]))
    desk.workshop.host.put("much more.jpg", photo([(BEN, 164, 48, 160)]))
    desk.workshop.work()
    face_id = desk.drawing.draw(desk.me, desk.asset, BEN_BOX)
    assert desk.catalogue.faces.get(face_id).state is FaceState.PENDING
    assert desk.nudge.told[-1] == "recognition"
    desk.workshop.pipeline.recognise()
    assert {"two.jpg", "more.jpg", "much more.jpg"} in desk.workshop.people()


def test_undo_takes_the_face_and_the_new_person_away(desk: Desk) -> None:
    before = desk.boxes()
    desk.drawing.draw(desk.me, desk.asset, BEN_BOX, "Ben")
    desk.history.undo(desk.me)
    assert desk.boxes() == before
    assert desk.catalogue.people.by_name(desk.me, "Ben") == []
    assert desk.catalogue.integrity() == []


def test_a_box_is_moved_and_erased_and_undo_brings_both_back(desk: Desk) -> None:
    face_id = desk.drawing.draw(desk.me, desk.asset, BEN_BOX, "Ben")
    smaller = replace(BEN_BOX, w=BEN_BOX.w * 0.7, h=BEN_BOX.h * 0.7)
    desk.drawing.redraw(desk.me, face_id, smaller)
    assert desk.catalogue.faces.get(face_id).box == smaller
    assert desk.catalogue.faces.get(face_id).person_name == "Ben"
    desk.drawing.erase(desk.me, face_id)
    assert len(desk.boxes()) == 1
    desk.history.undo(desk.me)
    assert desk.catalogue.faces.get(face_id).box == smaller
    desk.history.undo(desk.me)
    assert desk.catalogue.faces.get(face_id).box == BEN_BOX


def test_drawing_twice_by_a_double_click_draws_once(desk: Desk) -> None:
    desk.drawing.draw(desk.me, desk.asset, BEN_BOX, "Ben")
    with pytest.raises(Refused, match="There is a face in this place already"):
        desk.drawing.draw(desk.me, desk.asset, BEN_BOX, "Ben")
    assert len(desk.boxes()) == 2
    assert len(desk.history.latest(desk.me)) == 1


@pytest.mark.parametrize("mode", ["refresh", "reset"])
@pytest.mark.parametrize("pack", ["opencv", "buffalo_s"])
def test_a_drawn_face_is_looked_at_anew_with_the_pack_in_use(desk: Desk, mode: str, pack: str) -> None:
    loose = Box(BEN_BOX.x - 0.02, BEN_BOX.y - 0.03, BEN_BOX.w + 0.04, BEN_BOX.h + 0.05)
    face_id = desk.drawing.draw(desk.me, desk.asset, loose, "Ben")
    desk.workshop.models = FakeFaceModels(accepted=lambda name: True)
    model = desk.workshop.models.load(pack)
    desk.catalogue.detection.request(mode, pack)
    (claimed,) = desk.catalogue.detection.claim("test", 9, 60)
    preferences = replace(desk.workshop.preferences.current(), pack=pack)
    assert desk.workshop.detection.process(claimed, model, preferences) == 2
    faces = desk.catalogue.faces.of_asset(desk.asset, desk.me)
    assert [face.pack for face in faces] == [pack, pack]
    (drawn,) = [face for face in faces if face.drawn]
    assert (drawn.id, drawn.box, drawn.person_name) == (face_id, loose, "Ben")
    assert float(desk.catalogue.faces.embedding(face_id) @ model._people[BEN]) > 0.95


def test_a_box_without_anything_a_detector_knows_is_taken_as_an_upright_face() -> None:
    picture = blank_picture(640, 480)
    model = FakeFaceModels().load("opencv")
    box = Box(0.25, 0.25, 0.25, 0.25)
    face = face_in_box(DecodedPicture(picture, 640, 480, None), model, Workshop().media, box)
    assert face is not None
    assert (face.score, face.box) == (0.0, box)
    points = default_points(np.array([160, 120, 320, 240], np.float32)) / (640, 480)
    np.testing.assert_allclose(face.landmarks, points, atol=1e-5)


def test_the_detector_gives_the_landmarks_of_a_box_drawn_loosely() -> None:
    picture = blank_picture(640, 480)
    paint_person(picture, BEN, 300, 200, 100)
    model = FakeFaceModels().load("opencv")
    box = Box(280 / 640, 170 / 480, 150 / 640, 150 / 480)
    face = face_in_box(DecodedPicture(picture, 640, 480, None), model, Workshop().media, box)
    (seen,) = model.detect(picture, 640, 0.5)
    assert face is not None
    assert face.score > 0.9
    np.testing.assert_allclose(face.landmarks * (640, 480), seen.landmarks_px, atol=2)


def test_a_small_drawn_face_of_a_large_photo_is_looked_at_in_full(desk: Desk) -> None:
    desk.workshop.host.put("large.jpg", photo([(BEN, 2000, 1500, 60)], 4000, 3000))
    desk.workshop.pipeline.sync(desk.workshop.library.id)
    asset = next(a for a in desk.catalogue.detection.claim("test", 9, 60) if a.path == "large.jpg")
    face = desk.workshop.detection.face_in(asset, Box(0.5, 0.5, 0.015, 0.02), desk.workshop.models.load("opencv"))
    assert face.width_px >= 59


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (Box(1.2, 0.1, 0.2, 0.2), "outside the photo"),
        (Box(-0.5, 0.1, 0.4, 0.2), "outside the photo"),
        (Box(0.1, 0.1, 0.0, 0.2), "outside the photo"),
        (Box(0.3, 0.3, -0.2, 0.2), "outside the photo"),
        (Box(nan, 0.1, 0.2, 0.2), "in numbers"),
        (Box(0.1, 0.1, inf, 0.2), "in numbers"),
        (Box(0.1, 0.1, 0.01, 0.2), "too small"),
        (Box(0.1, 0.1, 0.2, 0.0001), "too small"),
        (Box(0.999, 0.1, 0.2, 0.2), "too small"),
    ],
)
def test_boxes_that_hold_no_face_are_refused(desk: Desk, box: Box, said: str) -> None:
    with pytest.raises(Refused, match=said):
        desk.drawing.draw(desk.me, desk.asset, box)
    assert len(desk.boxes()) == 1
    assert desk.history.latest(desk.me) == []


def test_a_box_over_the_edge_is_cut_to_the_photo() -> None:
    cut = box_inside(Box(-0.1, 0.9, 0.3, 0.4), 640, 480)
    assert iou(cut, Box(0, 0.9, 0.2, 0.1)) == pytest.approx(1)
    assert box_inside(Box(0.1, 0.1, 0.2, 0.2), None, None) == Box(0.1, 0.1, 0.2, 0.2)


def test_nothing_is_stored_when_the_host_is_away(desk: Desk) -> None:
    desk.workshop.host.unreachable = True
    with pytest.raises(HostUnreachable):
        desk.drawing.draw(desk.me, desk.asset, BEN_BOX, "Ben")
    assert len(desk.boxes()) == 1
    assert desk.catalogue.people.by_name(desk.me, "Ben") == []


def test_nobody_draws_on_the_photos_of_others(desk: Desk) -> None:
    nora = desk.catalogue.accounts.add("Nora", None, is_admin=False).id
    face_id = desk.drawing.draw(desk.me, desk.asset, BEN_BOX)
    for attempt in (
        lambda: desk.drawing.draw(nora, desk.asset, Box(0, 0, 0.2, 0.2)),
        lambda: desk.drawing.redraw(nora, face_id, Box(0, 0, 0.2, 0.2)),
        lambda: desk.drawing.erase(nora, face_id),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_video_has_no_place_to_draw_in(desk: Desk) -> None:
    desk.workshop.host.put("clock.mp4", clock_video(2.0))
    (seen,) = desk.catalogue.assets.seen(
        desk.workshop.library.id, [HostAsset("clock.mp4", "clock.mp4", AssetKind.VIDEO, "x")], 1
    )
    with pytest.raises(Refused, match="on photos only"):
        desk.drawing.draw(desk.me, seen.asset_id, BEN_BOX)
