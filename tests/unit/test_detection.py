"""Detection looks at one asset at a time; what is wrong with one is written to its row and never stops the others."""

import numpy as np
import pytest

from plugin.detection import detect, find_faces
from plugin.domain import Box, FoundFace, Picture, WorkState
from plugin.errors import CatalogueCorrupt, DiskFull
from plugin.faces.boxes import iou
from plugin.ports.vision import DecodedPicture, Detection
from tests.fakes.face_models import FakeFaceModel, FakeFaceModels, blank_picture, paint_person
from tests.fakes.media import clock_video
from tests.fakes.workshop import Workshop, photo

ANNA, BEN = 1, 9


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


def test_faces_are_stored_with_boxes_in_fractions_of_the_upright_picture(workshop: Workshop) -> None:
    workshop.host.put("two.jpg", photo([(ANNA, 64, 48, 160), (BEN, 400, 240, 160)]))
    workshop.work()
    rows = sorted(workshop.catalogue.faces.export(workshop.account_id), key=lambda row: row.face.box.x)
    assert [
        iou(row.face.box, Box(x / 640, y / 480, 160 / 640, 160 / 480)) > 0.8
        for row, (x, y) in zip(rows, [(64, 48), (400, 240)], strict=True)
    ] == [True, True]
    assert all(0 <= row.face.quality <= 1 and row.face.landmarks.shape == (5, 2) for row in rows)
    asset = workshop.catalogue.assets.get(rows[0].face.asset_id)
    assert (asset.width, asset.height, asset.state) == (640, 480, WorkState.DONE)


def test_embeddings_are_unit_length(workshop: Workshop) -> None:
    workshop.host.put("one.jpg", photo([(ANNA, 64, 48, 160)]))
    workshop.work()
    (row,) = workshop.catalogue.faces.export(workshop.account_id)
    assert np.linalg.norm(workshop.catalogue.faces.embedding(row.face.id)) == pytest.approx(1, abs=1e-5)


def test_a_large_face_gets_its_thumbnail_at_once_and_a_small_one_of_a_reduced_photo_on_demand(
    workshop: Workshop,
) -> None:
    workshop.host.put("large.jpg", photo([(ANNA, 100, 100, 300)]))
    workshop.host.put("reduced.jpg", photo([(BEN, 100, 100, 120)], 4000, 3000))
    workshop.work()
    by_path = {row.path: workshop.thumbnails[row.face.id] for row in workshop.catalogue.faces.export(None)}
    large, reduced = by_path["large.jpg"], by_path["reduced.jpg"]
    assert large is not None
    assert large[8:12] == b"WEBP"
    assert reduced is None


def test_a_panorama_is_looked_at_in_tiles() -> None:
    model = FakeFaceModels().load("opencv")
    panorama = blank_picture(6000, 500)
    for place in range(6):
        paint_person(panorama, place * 3, 100 + place * 1000, 200, 60)
    assert len(detect(panorama, model, 0.5, 640)) == 6


def test_a_broken_photo_fails_with_its_reason_and_the_others_go_on(workshop: Workshop) -> None:
    workshop.host.put("broken.jpg", b"\xff\xd8\xff garbage")
    workshop.host.put("empty.jpg", b"")
    workshop.host.put("fine.jpg", photo([(ANNA, 64, 48, 160)]))
    workshop.work()
    assert workshop.failures() == {"broken.jpg": "picture_broken", "empty.jpg": "picture_broken"}
    assert workshop.catalogue.assets.counts(None) == (3, 0)
    assert len(list(workshop.catalogue.faces.export(None))) == 1


def test_a_host_that_is_away_leaves_the_asset_waiting_for_a_later_try(workshop: Workshop) -> None:
    workshop.host.put("one.jpg", photo([(ANNA, 64, 48, 160)]))
    workshop.pipeline.sync(workshop.library.id)
    workshop.host.unreachable = True
    workshop.pipeline.detect(60)
    status = workshop.catalogue.detection.status()
    assert (status.waiting, status.failed, status.done) == (1, 0, 0)


def test_an_unexpected_problem_is_counted_and_retried(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> list[FoundFace]:
        raise RuntimeError("a bug")

    workshop.host.put("one.jpg", photo([(ANNA, 64, 48, 160)]))
    workshop.pipeline.sync(workshop.library.id)
    monkeypatch.setattr("plugin.detection.find_faces", explode)
    workshop.pipeline.detect(60)
    assert workshop.catalogue.detection.status().waiting == 1


@pytest.mark.parametrize("error", [DiskFull("The disk is full"), CatalogueCorrupt("The catalogue is damaged")])
def test_what_cannot_be_stored_is_not_blamed_on_the_asset(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object) -> list[int]:
        raise error

    workshop.host.put("one.jpg", photo([(ANNA, 64, 48, 160)]))
    workshop.pipeline.sync(workshop.library.id)
    monkeypatch.setattr(workshop.catalogue.detection, "finish", refuse)
    assert not workshop.pipeline.detect(60).more
    assert "catalogue" in workshop.pipeline.troubles.now
    assert workshop.catalogue.detection.status().failed == 0

    monkeypatch.undo()
    workshop.pipeline.begin()
    workshop.work()
    assert workshop.pipeline.troubles.now == {}
    assert workshop.catalogue.detection.status().done == 1


def test_a_video_without_people_is_done_and_knows_its_size(workshop: Workshop) -> None:
    workshop.host.put("clock.mp4", clock_video(4.0))
    workshop.work()
    (asset,) = workshop.catalogue.assets.recent_with_faces(workshop.account_id, 0, 10) or [
        workshop.catalogue.assets.get(1)
    ]
    assert asset.state is WorkState.DONE
    assert (asset.width or 0) > 0


def test_a_picture_in_which_nothing_is_found_is_looked_at_once_more_at_320() -> None:
    sizes: list[int] = []

    class Blind(FakeFaceModel):
        def detect(self, picture: Picture, long_side: int, minimum_score: float) -> list[Detection]:
            sizes.append(long_side)
            return []

    assert detect(blank_picture(640, 480), Blind(FakeFaceModels().packs()[0]), 0.5, 640) == []
    assert sizes == [640, 320]


def test_a_minimum_score_leaves_weaker_faces_out(workshop: Workshop) -> None:
    picture = blank_picture(640, 480)
    paint_person(picture, ANNA, 64, 48, 160, score=0.95)
    paint_person(picture, BEN, 400, 240, 160, score=0.6)
    model = workshop.models.load("opencv")

    decoded = DecodedPicture(picture, 640, 480, None)

    def count(minimum_score: float) -> int:
        return len(find_faces(decoded, model, workshop.media, minimum_score, 640))

    assert (count(0.5), count(0.8)) == (2, 1)
