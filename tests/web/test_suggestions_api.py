"""The JSON interface to suggestions, splits and groups of nobody."""

import pytest

from plugin.domain import FaceId
from tests.web.conftest import Visitor
from tests.web.family import Family


def ben(family: Family) -> int:
    return family.catalogue.people.by_name(family.account.id, "Ben")[0].id


def questions(maria: Visitor) -> list[dict[str, object]]:
    answer = maria.get("/api/suggestions")
    assert answer.status_code == 200
    assert answer.is_json
    listed: list[dict[str, object]] = answer.json["suggestions"] if answer.json else []
    return listed


def test_questions_come_with_their_evidence_and_yes_carries_them_out(
    maria: Visitor, family: Family, loose: list[FaceId]
) -> None:
    (question,) = [one for one in questions(maria) if one["face_ids"] == loose]
    assert question["person_id"] == ben(family)
    assert set(question) >= {"key", "distance", "gap", "likelihood", "decides", "shown", "shown_of_person"}
    assert maria.post(f"/api/suggestions/{question['key']}", answer="yes").status_code == 200
    assert {family.catalogue.faces.get(face).person_id for face in loose} == {ben(family)}
    assert maria.post(f"/api/suggestions/{question['key']}", answer="yes").status_code == 404


@pytest.mark.parametrize("answer", ["no", "skip"])
def test_no_and_skip_make_it_go_away(maria: Visitor, loose: list[FaceId], answer: str) -> None:
    (question,) = [one for one in questions(maria) if one["face_ids"] == loose]
    assert maria.post(f"/api/suggestions/{question['key']}", answer=answer).status_code == 200
    assert question["key"] not in [one["key"] for one in questions(maria)]


def test_another_answer_is_refused(maria: Visitor, loose: list[FaceId]) -> None:
    (question,) = [one for one in questions(maria) if one["face_ids"] == loose]
    assert maria.post(f"/api/suggestions/{question['key']}", answer="perhaps").status_code == 400
    assert maria.post(f"/api/suggestions/{question['key']}").status_code == 400


def test_a_group_of_nobody_is_named_in_one_go(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    answer = maria.get("/api/unassigned?limit=1")
    assert answer.json == {"groups": [loose]}
    data = {"name": "Tante Ida"}
    token = maria.token("/settings")
    sent = maria.client.post("/api/unassigned", data={**data, "face_id": loose, "csrf_token": token})
    assert sent.status_code == 200, sent.text
    (ida,) = family.catalogue.people.by_name(family.account.id, "Tante Ida")
    assert {family.catalogue.faces.get(face).person_id for face in loose} == {ida.id}
    assert maria.get("/api/unassigned").json == {"groups": []}


def test_a_group_of_nobody_is_given_to_somebody_known(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    token = maria.token("/settings")
    data = {"person_id": ben(family), "face_id": loose, "csrf_token": token}
    assert maria.client.post("/api/unassigned", data=data).json == {"person_id": ben(family)}
    assert {family.catalogue.faces.get(face).person_id for face in loose} == {ben(family)}
    assert maria.client.post("/api/unassigned", data={"csrf_token": token, "face_id": "x"}).status_code == 400
    assert maria.client.post("/api/unassigned", data={"csrf_token": token}).status_code == 400


def test_a_person_is_split(maria: Visitor, family: Family) -> None:
    anna = family.catalogue.people.by_name(family.account.id, "Anna")[0].id
    assert maria.get(f"/api/people/{anna}/split").json == {"parts": []}
    face = family.catalogue.faces.of_person(anna, family.account.id, 1)[0].id
    answer = maria.post(f"/api/people/{anna}/split", face_id=str(face))
    assert answer.json is not None
    assert family.catalogue.faces.get(face).person_id == answer.json["person_id"] != anna
