"""Drawing a missed face on the page of a photo, moving it, deleting it, and undo."""

import re
from dataclasses import replace

import pytest

from plugin.domain import Box, FoundFace
from tests.web.conftest import Visitor
from tests.web.family import Family, found
from tests.web.portraits import Figure

NUMBERS = {"x": "12,5", "y": "10", "w": "20.25", "h": "30"}
BOX = Box(0.125, 0.1, 0.2025, 0.3)


@pytest.fixture
def lake(family: Family) -> int:
    """Clara alone, with room beside her."""
    return family.assets[3]


def drawn(family: Family, asset_id: int) -> list[int]:
    return [face.id for face in family.catalogue.faces.of_asset(asset_id, family.account.id) if face.drawn]


def draw(maria: Visitor, lake: int, **fields: str) -> str:
    """Draw a box on the photo; the page that follows."""
    return maria.post(f"/photos/{lake}/draw", page=f"/photos/{lake}?draw=1", data={**NUMBERS, **fields}).text


def test_the_form_takes_four_percentages_and_a_name(maria: Visitor, lake: int) -> None:
    page = maria.text(f"/photos/{lake}?draw=1")
    for name in ("x", "y", "w", "h"):
        assert f'name="{name}" type="number"' in page
    assert '<option value="Oma Lotte">' in page
    assert "js/draw.js" in page
    assert "js/draw.js" not in maria.text(f"/photos/{lake}")


def test_a_box_with_a_known_name_becomes_a_face_of_that_person(maria: Visitor, family: Family, lake: int) -> None:
    assert "Got it: this is Ben." in draw(maria, lake, name="ben")
    (face_id,) = drawn(family, lake)
    face = family.catalogue.faces.get(face_id)
    assert (face.person_id, face.assigned_by) == (family.people["Ben"], "user")
    assert (face.box.x, face.box.y, face.box.w, face.box.h) == pytest.approx((BOX.x, BOX.y, BOX.w, BOX.h))


def test_a_box_with_a_new_name_makes_a_new_person(maria: Visitor, family: Family, lake: int) -> None:
    draw(maria, lake, name="Emil")
    assert [person.name for person in family.catalogue.people.by_name(family.account.id, "emil")] == ["Emil"]


def test_a_box_without_a_name_opens_the_panel_that_asks(maria: Visitor, family: Family, lake: int) -> None:
    page = draw(maria, lake)
    assert "Who is this?" in page
    assert "You drew this face." in page
    assert len(drawn(family, lake)) == 1


def test_undo_takes_the_drawn_face_away_and_leaves_its_panel(maria: Visitor, family: Family, lake: int) -> None:
    page = draw(maria, lake, name="")
    (face_id,) = drawn(family, lake)
    event = re.search(r'name="event" value="(\d+)"', page)
    assert event
    answer = maria.post("/history/undo", page=f"/photos/{lake}?face={face_id}", event=event.group(1))
    assert answer.status_code == 200
    assert answer.request.path == f"/photos/{lake}"
    assert "Taken back: Drew a face." in answer.text
    assert drawn(family, lake) == []


def test_a_box_is_moved(maria: Visitor, family: Family, lake: int) -> None:
    draw(maria, lake, name="Ben")
    (face_id,) = drawn(family, lake)
    page = f"/photos/{lake}?face={face_id}&move=1"
    assert 'name="x" type="number" inputmode="decimal" min="0" max="100" step="any" value="12.5"' in maria.text(page)
    answer = maria.post(f"/faces/{face_id}/move", page=page, data={**NUMBERS, "x": "3"})
    assert "The box was moved." in answer.text
    face = family.catalogue.faces.get(face_id)
    assert (face.box.x, face.person_name) == (0.03, "Ben")


def test_a_drawn_face_is_deleted_for_good_and_a_found_one_is_not(maria: Visitor, family: Family, lake: int) -> None:
    (clara,) = family.faces_of(lake)
    draw(maria, lake, name="Ben")
    (face_id,) = drawn(family, lake)
    page = maria.text(f"/photos/{lake}?face={face_id}")
    assert f"/faces/{face_id}/erase" in page
    assert "was deleted" in maria.post(f"/faces/{face_id}/erase", page=f"/photos/{lake}?face={face_id}").text
    assert family.faces_of(lake) == [clara]
    assert f"/faces/{clara}/erase" not in maria.text(f"/photos/{lake}?face={clara}")
    refused = maria.post(f"/faces/{clara}/erase", page=f"/photos/{lake}?face={clara}")
    assert "Kinfolk found this face itself" in refused.text
    assert family.faces_of(lake) == [clara]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"x": "120"}, "The box lies outside the photo"),
        ({"x": "-50"}, "The box lies outside the photo"),
        ({"w": "0"}, "The box lies outside the photo"),
        ({"w": "-20"}, "The box lies outside the photo"),
        ({"w": "0.01"}, "The box is too small for a face"),
        ({"h": "0.4"}, "The box is too small for a face"),
        ({"x": "left"}, "Left must be a number, not “left”"),
        ({"y": ""}, "Top must be a number"),
        ({"w": "nan"}, "has to be given in numbers"),
        ({"h": "inf"}, "has to be given in numbers"),
        ({"h": "1e400"}, "has to be given in numbers"),
        ({"name": "x" * 300}, "The name is longer than 200 characters"),
        ({"name": "ab\u202ecd"}, "contains characters that cannot be shown"),
    ],
)
def test_a_box_that_cannot_be_is_refused_and_nothing_that_was_entered_is_lost(
    maria: Visitor, family: Family, lake: int, numbers: dict[str, str], said: str
) -> None:
    answer = maria.post(
        f"/photos/{lake}/draw", page=f"/photos/{lake}?draw=1", data={**NUMBERS, "name": "Emil", **numbers}
    )
    assert answer.status_code == 422
    assert said in answer.text
    assert ('value="Emil"' in answer.text) == ("name" not in numbers)
    assert 'value="10"' in answer.text or "y" in numbers
    assert drawn(family, lake) == []
    assert family.catalogue.people.by_name(family.account.id, "Emil") == []


def test_a_double_click_draws_one_face(maria: Visitor, family: Family, lake: int) -> None:
    draw(maria, lake, name="Ben")
    assert "There is a face in this place already" in draw(maria, lake, name="Ben")
    assert len(drawn(family, lake)) == 1


def test_a_host_that_is_away_is_told_and_the_form_comes_back(maria: Visitor, family: Family, lake: int) -> None:
    family.pictures.unreachable.add(lake)
    answer = maria.post(f"/photos/{lake}/draw", page=f"/photos/{lake}?draw=1", data={**NUMBERS, "name": "Emil"})
    assert answer.status_code == 422
    assert "The disk is away" in answer.text
    assert 'value="Emil"' in answer.text


def test_moving_a_box_to_where_it_cannot_be_gives_the_numbers_back(maria: Visitor, family: Family, lake: int) -> None:
    draw(maria, lake, name="Ben")
    (face_id,) = drawn(family, lake)
    page = f"/photos/{lake}?face={face_id}&move=1"
    answer = maria.post(f"/faces/{face_id}/move", page=page, data={**NUMBERS, "x": "99.99"})
    assert answer.status_code == 422
    assert 'value="99.99"' in answer.text
    assert family.catalogue.faces.get(face_id).box.x == pytest.approx(BOX.x)


def test_photos_and_faces_of_others_cannot_be_drawn_on(maria: Visitor, family: Family, lake: int) -> None:
    foreign_face, foreign_asset = family.foreign_face, family.foreign_asset
    family.catalogue.faces.draw(family.neighbour.id, foreign_asset, "opencv", any_face())
    (theirs,) = [f.id for f in family.catalogue.faces.of_asset(foreign_asset, family.neighbour.id) if f.drawn]
    for path in (
        f"/photos/{foreign_asset}/draw", f"/photos/{foreign_asset}/refresh", f"/faces/{theirs}/move",
        f"/faces/{theirs}/erase", f"/faces/{foreign_face}/erase", "/photos/999999/draw", "/faces/999999/move",
    ):  # fmt: skip
        assert maria.post(path, data=NUMBERS).status_code == 404, path
    assert maria.get(f"/photos/{lake}?face={theirs}&move=1").status_code == 404
    assert family.catalogue.faces.get(theirs).box == Box(0.6, 0.6, 0.1, 0.1)


def any_face() -> FoundFace:
    """A face in a corner."""
    return replace(found(Figure(1, 0.6, 0.6, 0.1), 1.0), box=Box(0.6, 0.6, 0.1, 0.1))


def test_a_face_that_was_found_has_no_box_to_move(maria: Visitor, family: Family, lake: int) -> None:
    (clara,) = family.faces_of(lake)
    assert maria.get(f"/photos/{lake}?face={clara}&move=1").status_code == 404
    assert maria.post(f"/faces/{clara}/move", data=NUMBERS).status_code == 404


def test_a_video_offers_no_drawing(maria: Visitor, family: Family) -> None:
    assert "Draw a missed face" not in maria.text(f"/photos/{family.assets[12]}?draw=1")
    answer = maria.post(f"/photos/{family.assets[12]}/draw", data=NUMBERS)
    assert answer.status_code == 422
    assert "Faces can be drawn on photos only" in answer.text


def test_looking_again_asks_for_this_photo_alone(maria: Visitor, family: Family, lake: int) -> None:
    assert family.catalogue.detection.status().waiting == 0
    answer = maria.post(f"/photos/{lake}/refresh", page=f"/photos/{lake}")
    assert "Kinfolk looks at this photo again." in answer.text
    assert [asset.id for asset in family.catalogue.detection.claim("test", 9, 60)] == [lake]
    assert "detection" in family.nudge.told


def test_a_photo_is_linked_to_its_host_when_that_has_pages(maria: Visitor, family: Family, lake: int) -> None:
    assert "Open in the library" not in maria.text(f"/photos/{lake}")
    family.links[lake] = "https://cloud.example/f/17"
    page = maria.text(f"/photos/{lake}")
    assert 'href="https://cloud.example/f/17" target="_blank" rel="noopener noreferrer"' in page
    family.links[lake] = "javascript:alert(1)"
    assert "javascript:alert" not in maria.text(f"/photos/{lake}")
