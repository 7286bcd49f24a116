"""What was forgotten shows up nowhere: not in questions kept ready, not in files, not by ids in forms of others."""

import pytest

from plugin.domain import FaceId, FaceState
from tests.web.api_client import program
from tests.web.conftest import Visitor
from tests.web.family import Family


def people_asked_about(family: Family) -> set[int]:
    asked = family.services.suggestions.ranked(family.account.id)
    return {one.person_id for one in asked} | {one.other_person_id for one in asked if one.other_person_id}


def test_no_question_is_kept_about_a_forgotten_person(family: Family, loose: list[FaceId]) -> None:
    ben, owner = family.people["Ben"], family.account.id
    assert ben in people_asked_about(family)
    family.services.privacy.forget_person(owner, ben)
    assert ben not in people_asked_about(family)
    assert all(ben not in (one["person_id"], one["other_person_id"]) for one in asked_of_programs(family))


@pytest.mark.parametrize("forget", ["forget_faces", "forget_everything"])
def test_no_question_is_kept_about_forgotten_faces(family: Family, loose: list[FaceId], forget: str) -> None:
    assert people_asked_about(family)
    getattr(family.services.privacy, forget)(family.account.id)
    assert people_asked_about(family) == set()
    assert asked_of_programs(family) == []


def asked_of_programs(family: Family) -> list[dict[str, int]]:
    questions: list[dict[str, int]] = program(family).get("/suggestions")["suggestions"]
    return questions


def test_pictures_of_a_removed_library_are_cleaned_up_at_once(maria: Visitor, family: Family) -> None:
    assert family.library
    page = f"/libraries/{family.library.id}/remove"
    maria.post(page, page=page)
    assert family.catalogue.libraries.all(family.account.id) == []
    assert family.catalogue.privacy.leftovers() is None


def test_a_program_that_removes_a_library_leaves_no_pictures_either(family: Family) -> None:
    assert family.library
    program(family).well("DELETE", f"/libraries/{family.library.id}")
    assert family.catalogue.libraries.all(family.account.id) == []
    assert family.catalogue.privacy.leftovers() is None


@pytest.mark.parametrize("action", ["hide", "favourite", "strangers", "unhide", "unfavourite", "merge"])
def test_ticking_people_of_others_does_nothing(maria: Visitor, family: Family, action: str) -> None:
    before = family.catalogue.people.get(family.foreign_person, family.neighbour.id)
    answer = maria.post("/people/bulk", action=action, person=str(family.foreign_person))
    assert answer.status_code in {200, 404}
    assert "Secret" not in answer.text
    assert family.catalogue.people.get(family.foreign_person, family.neighbour.id) == before


@pytest.mark.parametrize("role", ["all", "any", "none"])
def test_exploring_with_people_of_others_finds_nobody(maria: Visitor, family: Family, role: str) -> None:
    assert maria.get(f"/explore?{role}={family.foreign_person}").status_code == 404
    assert maria.get(f"/explore?library={family.foreign_library}").status_code == 404


def test_faces_of_others_are_neither_named_nor_brought_back(maria: Visitor, family: Family) -> None:
    theirs = family.foreign_face
    family.services.people.ignore(family.neighbour.id, theirs)
    maria.post("/unassigned/ignored", face=str(theirs))
    maria.post("/unassigned", face=str(theirs), name="Mallory")
    maria.post(f"/people/{family.people['Anna']}/split", face=str(theirs))
    face = family.catalogue.faces.get(theirs)
    assert (face.state, face.person_id) == (FaceState.IGNORED, None)


def test_what_others_did_is_not_taken_back(maria: Visitor, family: Family) -> None:
    family.services.people.rename(family.neighbour.id, family.foreign_person, "Secret twice")
    (theirs,) = family.catalogue.events.all(family.neighbour.id, 9)
    for path in ("/history/undo", f"/history/{theirs.id}/undo"):
        answer = maria.post(path, event=str(theirs.id), standing=str(theirs.id))
        assert "Secret" not in answer.text
    assert not family.catalogue.events.all(family.neighbour.id, 9)[0].undone
    assert maria.get(f"/history/{theirs.id}/undo").status_code == 404
