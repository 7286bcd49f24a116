"""Suggestions and groups of nobody for programs."""

from typing import Any

import pytest

from plugin.domain import FaceId, FaceState
from tests.web.api_client import Program, assert_problem, program
from tests.web.family import Family


@pytest.fixture
def corrector(family: Family) -> Program:
    return program(family)


def question(corrector: Program, loose: list[FaceId]) -> dict[str, Any]:
    (one,) = [one for one in corrector.get("/suggestions")["suggestions"] if one["face_ids"] == loose]
    return dict(one)


def persons(family: Family, faces: list[FaceId]) -> set[int | None]:
    return {family.catalogue.faces.get(face).person_id for face in faces}


def test_questions_come_with_their_evidence_and_yes_carries_them_out(
    corrector: Program, family: Family, loose: list[FaceId]
) -> None:
    asked = question(corrector, loose)
    assert asked["person_id"] == family.people["Ben"]
    assert set(asked) >= {"key", "distance", "gap", "likelihood", "decides", "shown", "shown_of_person"}
    corrector.well("POST", f"/suggestions/{asked['key']}/answer", {"answer": "yes"})
    assert persons(family, loose) == {family.people["Ben"]}
    again = corrector.call("POST", f"/suggestions/{asked['key']}/answer", {"answer": "yes"})
    assert_problem(again, 404, "not_found")


@pytest.mark.parametrize("answer", ["no", "skip"])
def test_no_and_skip_make_it_go_away(corrector: Program, loose: list[FaceId], answer: str) -> None:
    key = question(corrector, loose)["key"]
    corrector.well("POST", f"/suggestions/{key}/answer", {"answer": answer})
    assert key not in [one["key"] for one in corrector.get("/suggestions")["suggestions"]]


def test_another_answer_is_refused(corrector: Program, loose: list[FaceId]) -> None:
    key = question(corrector, loose)["key"]
    for body in ({"answer": "perhaps"}, {}):
        assert_problem(corrector.call("POST", f"/suggestions/{key}/answer", body), 400, "bad_request")


def test_a_group_of_nobody_is_named_in_one_go(corrector: Program, family: Family, loose: list[FaceId]) -> None:
    listed = corrector.get("/unassigned?limit=1")
    assert (listed["groups"], listed["total"], listed["faces"]) == ([loose], 1, 2)
    ida = corrector.well("POST", "/unassigned/assign", {"face_ids": loose, "name": "Tante Ida"})
    assert (ida["name"], ida["face_count"]) == ("Tante Ida", 2)
    assert persons(family, loose) == {ida["id"]}
    assert corrector.get("/unassigned")["groups"] == []


def test_the_name_of_somebody_known_means_that_person(corrector: Program, family: Family, loose: list[FaceId]) -> None:
    person = corrector.well("POST", "/unassigned/assign", {"face_ids": loose, "name": " ben "})
    assert person["id"] == family.people["Ben"]


def test_a_name_that_several_have_is_asked_about(corrector: Program, family: Family, loose: list[FaceId]) -> None:
    family.services.people.rename(family.account.id, family.people["Clara"], "Ben")
    refused = corrector.call("POST", "/unassigned/assign", {"face_ids": loose, "name": "Ben"})
    assert "Several" in assert_problem(refused, 422, "refused")["detail"]
    assert persons(family, loose) == {None}


def test_a_group_of_nobody_is_given_to_somebody_known(corrector: Program, family: Family, loose: list[FaceId]) -> None:
    ben = family.people["Ben"]
    assert corrector.well("POST", "/unassigned/assign", {"face_ids": loose, "person_id": ben})["id"] == ben
    assert persons(family, loose) == {ben}


@pytest.mark.parametrize("who", [{}, {"name": "Ida", "person_id": 1}, {"name": None, "person_id": None}])
def test_faces_need_exactly_one_person(corrector: Program, loose: list[FaceId], who: dict[str, Any]) -> None:
    refused = corrector.call("POST", "/unassigned/assign", {"face_ids": loose, **who})
    assert_problem(refused, 422, "refused")


@pytest.mark.parametrize("faces", [[], ["x"], [0], [True], [2**63]])
def test_faces_are_named_by_numbers(corrector: Program, faces: list[Any]) -> None:
    refused = corrector.call("POST", "/unassigned/assign", {"face_ids": faces, "name": "Ida"})
    assert_problem(refused, 400, "bad_request")


def test_a_group_of_strangers_is_taken_away(corrector: Program, family: Family, loose: list[FaceId]) -> None:
    corrector.well("POST", "/unassigned/ignore", {"face_ids": loose})
    assert {family.catalogue.faces.get(face).state for face in loose} == {FaceState.IGNORED}
