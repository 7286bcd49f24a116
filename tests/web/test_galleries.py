"""Galleries of faces of nobody and of faces taken away: by links and forms alone."""

import re
from typing import Any

import numpy as np
import pytest
from werkzeug.test import TestResponse

from plugin.domain import FaceId, FaceState
from plugin.web import face_groups as cards
from plugin.web import unassigned
from tests.web.conftest import Visitor
from tests.web.family import Family, add_stranger_faces, faces_of_nobody

TICK = re.compile(r'<input type="checkbox" name="face" value="(\d+)"( checked)?')
EVENT = re.compile(r'name="event" value="(\d+)"')


def ticks(text: str) -> dict[int, bool]:
    """The faces of a page that can be ticked, and which of them are."""
    return {int(face): bool(checked) for face, checked in TICK.findall(text)}


def send(maria: Visitor, to: str, page: str, faces: list[FaceId], **fields: Any) -> str:
    return answered(maria, to, page, faces, **fields).text


def answered(maria: Visitor, to: str, page: str, faces: list[FaceId], **fields: Any) -> TestResponse:
    """The answer to a form with these faces: a list is sent as repeated fields."""
    data: dict[str, Any] = {"face": [str(face) for face in faces], **fields}
    return maria.post(to, data, page=page)


def states(family: Family, faces: list[FaceId]) -> set[FaceState]:
    return {family.catalogue.faces.get(face).state for face in faces}


def owners(family: Family, faces: list[FaceId]) -> set[int | None]:
    return {family.catalogue.faces.get(face).person_id for face in faces}


@pytest.fixture
def many(family: Family) -> list[FaceId]:
    """All of Anna's faces as one group of nobody."""
    owner = family.account.id
    faces = sorted(face.id for face in family.catalogue.faces.of_person(family.people["Anna"], owner, 100))
    family.services.people.delete(owner, family.people["Anna"])
    family.catalogue.faces.regroup(owner, np.array(faces), np.full(len(faces), -1), np.full(len(faces), faces[0]))
    return faces


def test_a_card_ticks_its_faces_and_some_of_them_are_named(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    assert ticks(maria.text("/unassigned")) == dict.fromkeys(loose, True)
    said = send(maria, "/unassigned", "/unassigned", loose[:1], name="Fritz", action="name")
    assert "1 face of Fritz, noted." in said
    assert owners(family, loose[1:]) == {None}


def test_the_rest_of_a_large_group_goes_with_it_unless_it_is_unticked(
    maria: Visitor, family: Family, many: list[FaceId], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "SHOWN", 3)
    page = maria.text("/unassigned")
    assert sorted(ticks(page)) == many[:3]
    assert f"and {len(many) - 3} more" in page
    rest = {"group": str(many[0]), "rest": str(many[2]), "up_to": str(many[-1])}
    without = {name: value for name, value in rest.items() if name != "rest"}
    send(maria, "/unassigned", "/unassigned", many[:1], name="Emma", action="name", **without)
    assert owners(family, many[1:]) == {None}
    said = send(maria, "/unassigned", "/unassigned", many[1:3], name="Fritz", action="name", **rest)
    assert f"{len(many) - 1} faces of Fritz" in said
    assert None not in owners(family, many)


def test_faces_that_joined_a_group_after_the_page_was_made_are_left_out(
    maria: Visitor, family: Family, many: list[FaceId]
) -> None:
    rest = {"group": str(many[0]), "rest": str(many[1]), "up_to": str(many[3])}
    send(maria, "/unassigned", "/unassigned", many[:2], action="ignore", **rest)
    assert states(family, many[:4]) == {FaceState.IGNORED}
    assert states(family, many[4:]) == {FaceState.UNASSIGNED}


@pytest.mark.parametrize("rest", [{}, {"group": "x", "up_to": "9"}, {"group": "1", "up_to": "-1"}])
def test_a_rest_that_is_nonsense_is_not_found(maria: Visitor, many: list[FaceId], rest: dict[str, str]) -> None:
    response = maria.post("/unassigned", {"rest": "1", "action": "ignore", **rest}, page="/unassigned")
    assert response.status_code == 404


def test_the_group_of_another_account_is_not_found(maria: Visitor, family: Family) -> None:
    face = family.foreign_face
    assert maria.get(f"/unassigned/{face}").status_code == maria.get("/unassigned/987654").status_code == 404
    fields = {"rest": "1", "group": str(face), "up_to": "99999", "action": "ignore"}
    assert "No faces were chosen" in maria.post("/unassigned", fields, page="/unassigned").text
    assert states(family, [face]) != {FaceState.IGNORED}


def test_all_faces_of_a_group_are_looked_at_page_by_page(
    maria: Visitor, family: Family, many: list[FaceId], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unassigned, "FACES_PER_PAGE", 4)
    here = f"/unassigned/{many[0]}"
    assert f'href="{here}"' in maria.text("/unassigned")
    assert ticks(maria.text(here)) == dict.fromkeys(many[:4], True)
    assert sorted(ticks(maria.text(f"{here}?page=2"))) == many[4:8]
    left = answered(maria, f"/unassigned?of={many[0]}", here, many[:4], action="ignore")
    assert left.request.path == here
    gone = answered(maria, f"/unassigned?of={many[0]}", here, many[4:], action="ignore")
    assert gone.request.path == "/unassigned"
    assert gone.status_code == 200


def test_single_faces_have_a_page_of_their_own_with_nothing_ticked(maria: Visitor, family: Family) -> None:
    add_stranger_faces(family)
    singles = ticks(maria.text("/unassigned/singles"))
    assert singles
    assert not any(singles.values())
    assert "No two of the faces without a person look alike." in maria.text("/unassigned")
    chosen = list(singles)[:2]
    assert "2 faces of Fritz" in send(maria, "/unassigned", "/unassigned/singles", chosen, name="Fritz", action="name")
    assert not set(chosen) & set(ticks(maria.text("/unassigned/singles")))


def test_faces_taken_away_are_brought_back_as_one_thing_that_can_be_undone(
    maria: Visitor, family: Family, loose: list[FaceId]
) -> None:
    family.services.people.ignore_all(family.account.id, loose)
    assert ticks(maria.text("/unassigned/ignored")) == dict.fromkeys(loose, False)
    page = send(maria, "/unassigned/ignored", "/unassigned/ignored", loose)
    assert "2 faces are back." in page
    assert "Nothing was taken away" in page
    assert states(family, loose) == {FaceState.PENDING}
    (event,) = EVENT.findall(page)
    maria.post("/history/undo", page="/unassigned/ignored", event=event)
    assert states(family, loose) == {FaceState.IGNORED}
    assert sorted(ticks(maria.text("/unassigned/ignored"))) == loose


def test_bringing_back_what_was_not_taken_away_is_refused_and_changes_nothing(
    maria: Visitor, family: Family, loose: list[FaceId]
) -> None:
    family.services.people.ignore(family.account.id, loose[0])
    assert "was not taken away" in send(maria, "/unassigned/ignored", "/unassigned/ignored", loose)
    assert family.catalogue.faces.get(loose[0]).state is FaceState.IGNORED
    assert "No faces were chosen" in send(maria, "/unassigned/ignored", "/unassigned/ignored", [])
    foreign = maria.post("/unassigned/ignored", page="/unassigned/ignored", face=str(family.foreign_face))
    assert foreign.status_code == 404


def test_names_are_completed_by_their_beginning(maria: Visitor) -> None:
    assert maria.text("/unassigned/names?name=lo").strip() == '<option value="Oma Lotte">'
    assert maria.text("/unassigned/names?name=zzz").strip() == ""


def test_review_offers_groups_to_name_at_once(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    assert set(ticks(maria.text("/review"))) == set(loose)
    left = answered(maria, "/unassigned", "/review", loose, name="Fritz", action="name")
    assert left.request.path == "/review"
    assert "2 faces of Fritz" in left.text
    assert owners(family, loose) != {None}


def test_review_fetches_the_pictures_of_the_next_question(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    faces_of_nobody(family, "Oma Lotte")
    page = maria.text("/review")
    ahead = re.findall(r"<div hidden>(.*?)</div>", page, re.DOTALL)[0]
    pictures = re.findall(r'src="(/faces/[^"]+)"', ahead)
    assert pictures
    (key,) = set(re.findall(r'name="question" value="([^"]+)"', page))
    after = maria.post("/review", page="/review", question=key, answer="skip").text
    shown = after.partition('id="question"')[2].partition("<div hidden>")[0]
    assert set(pictures) == set(re.findall(r'src="(/faces/[^"]+)"', shown))


def test_review_undoes_what_was_done_elsewhere(maria: Visitor, family: Family) -> None:
    family.services.people.rename(family.account.id, family.people["Ben"], "Benjamin")
    page = maria.text("/review")
    assert 'data-key="u" aria-label="Undo: Named somebody Benjamin"' in page
    (event,) = EVENT.findall(page)
    assert "Taken back" in maria.post("/history/undo", page="/review", event=event).text


def test_while_questions_are_worked_out_review_says_so_and_asks_again(
    maria: Visitor, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(family.services.suggestions, "next_ones", lambda _owner: None)
    page = maria.text("/review")
    assert "Thinking about what to ask" in page
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert 'hx-trigger="every 1s"' in page
