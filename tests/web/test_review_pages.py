"""Review, faces without a person, and history: by links and forms alone."""

import html
import re

import pytest

from plugin.domain import FaceId, FaceState
from tests.web.conftest import Visitor
from tests.web.family import Family

QUESTION = re.compile(r'name="question" value="([^"]+)"')
EVENT = re.compile(r'name="event" value="(\d+)"')


def asked(maria: Visitor) -> str:
    found = QUESTION.search(maria.text("/review"))
    assert found
    return found.group(1)


def question_about(maria: Visitor, faces: list[FaceId]) -> str:
    """Skip until the question about these faces comes."""
    for _ in range(20):
        key = asked(maria)
        if key.startswith(f"face-{min(faces)}-"):
            return key
        maria.post("/review", page="/review", question=key, answer="skip")
    raise AssertionError("that question never came")


def owners(family: Family, faces: list[FaceId]) -> set[int | None]:
    return {family.catalogue.faces.get(face).person_id for face in faces}


def test_yes_gives_the_faces_to_the_person_and_undo_takes_it_back(
    maria: Visitor, family: Family, loose: list[FaceId]
) -> None:
    key = question_about(maria, loose)
    page = maria.text("/review")
    assert "Is this <bdi>Ben</bdi>?" in page
    assert "left, " in page
    answered = maria.post("/review", page="/review", question=key, answer="yes").text
    assert owners(family, loose) == {family.people["Ben"]}
    (event,) = EVENT.findall(answered)
    assert "Taken back" in maria.post("/history/undo", page="/review", event=event).text
    assert owners(family, loose) == {None}
    assert question_about(maria, loose) == key


def test_no_is_never_asked_again(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    key = question_about(maria, loose)
    maria.post("/review", page="/review", question=key, answer="no")
    assert owners(family, loose) == {None}
    assert key not in {question["key"] for question in maria.get("/api/v1/suggestions").get_json()["suggestions"]}


def test_a_question_answered_twice_is_said_to_be_and_changes_nothing(
    maria: Visitor, family: Family, loose: list[FaceId]
) -> None:
    key = question_about(maria, loose)
    maria.post("/review", page="/review", question=key, answer="yes")
    again = maria.post("/review", page="/review", question=key, answer="no")
    assert "had been answered already" in again.text
    assert owners(family, loose) == {family.people["Ben"]}


def test_a_skip_is_taken_back_by_the_button_in_its_message(maria: Visitor, loose: list[FaceId]) -> None:
    key = question_about(maria, loose)
    page = maria.post("/review", page="/review", question=key, answer="skip").text
    assert f'<input type="hidden" name="question" value="{key}">' in page
    assert 'action="/review/unskip"' in page
    page = maria.post("/review/unskip", page="/review", question=key).text
    assert "Taken back: the question is here again." in page
    assert question_about(maria, loose) == key
    assert "/review/unskip" not in maria.text("/review")


@pytest.mark.parametrize("answer", ["", "perhaps"])
def test_other_answers_are_refused(maria: Visitor, loose: list[FaceId], answer: str) -> None:
    key = question_about(maria, loose)
    assert "yes, no or skip" in maria.post("/review", page="/review", question=key, answer=answer).text


def test_without_questions_the_page_says_what_to_do_next(maria: Visitor) -> None:
    for _ in range(50):
        page = maria.text("/review")
        if not (found := QUESTION.search(page)):
            break
        maria.post("/review", page="/review", question=found.group(1), answer="skip")
    assert "No open questions" in page
    assert 'href="/unassigned"' in page


def group_of(maria: Visitor, face: FaceId) -> list[str]:
    """The faces of the form that holds this one."""
    forms = re.findall(r"<form.*?</form>", maria.text("/unassigned"), re.DOTALL)
    (form,) = [form for form in forms if f'name="face" value="{face}"' in form]
    return re.findall(r'name="face" value="(\d+)"', form)


def test_a_group_of_nobody_is_named_in_one_go(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    faces = group_of(maria, loose[0])
    assert faces == [str(face) for face in loose]
    page = maria.post("/unassigned", {"face": faces}, page="/unassigned", name="Onkel Fritz", action="name")  # type: ignore[dict-item]  # a list is sent as repeated fields
    assert "2 faces of Onkel Fritz" in page.text
    (fritz,) = family.catalogue.people.by_name(family.account.id, "Onkel Fritz")
    assert owners(family, loose) == {fritz.id}
    assert fritz.face_count == 2


def test_a_name_somebody_has_means_that_person(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    maria.post("/unassigned", {"face": [str(f) for f in loose]}, page="/unassigned", name="Ben", action="name")  # type: ignore[dict-item]  # as above
    assert owners(family, loose) == {family.people["Ben"]}


def test_a_group_of_strangers_is_taken_away_and_brought_back(
    maria: Visitor, family: Family, loose: list[FaceId]
) -> None:
    faces = [str(face) for face in loose]
    gone = maria.post("/unassigned", {"face": faces}, page="/unassigned", action="ignore").text  # type: ignore[dict-item]  # as above
    assert {family.catalogue.faces.get(face).state for face in loose} == {FaceState.IGNORED}
    (event,) = EVENT.findall(gone)
    maria.post("/history/undo", page="/unassigned", event=event)
    assert FaceState.IGNORED not in {family.catalogue.faces.get(face).state for face in loose}


def test_no_faces_no_name_and_faces_of_others_are_refused(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    assert "No faces were chosen" in maria.post("/unassigned", page="/unassigned", name="Fritz", action="name").text
    named = maria.post("/unassigned", page="/unassigned", face=str(loose[0]), name=" ", action="name")
    assert "The name is empty" in named.text
    foreign = maria.post("/unassigned", page="/unassigned", face=str(family.foreign_face), name="Fritz", action="name")
    assert foreign.status_code == 404
    assert maria.post("/unassigned", page="/unassigned", face="x", name="Fritz", action="name").status_code == 404
    assert owners(family, loose) == {None}


def test_the_history_lists_what_was_done_and_takes_back_one_after_another(maria: Visitor, family: Family) -> None:
    anna, names = family.people["Anna"], []
    for name in ("Anni", "Annika"):
        maria.post(f"/people/{anna}/rename", page=f"/people/{anna}/rename", name=name)
    for _ in range(2):
        (event,) = EVENT.findall(maria.text("/history"))
        maria.post("/history/undo", page="/history", event=event)
        names.append(family.catalogue.people.get(anna, family.account.id).name)
    assert names == ["Anni", "Anna"]
    assert maria.text("/history").count("· taken back") == 2


def test_an_undo_clicked_twice_takes_back_one_thing(maria: Visitor, family: Family) -> None:
    anna = family.people["Anna"]
    for name in ("Anni", "Annika"):
        maria.post(f"/people/{anna}/rename", page=f"/people/{anna}/rename", name=name)
    (event,) = EVENT.findall(maria.text("/history"))
    for _ in range(2):
        last = maria.post("/history/undo", page="/history", event=event)
    assert "taken back already" in html.unescape(last.text)
    assert family.catalogue.people.get(anna, family.account.id).name == "Anni"


def test_an_empty_history_says_what_it_is_for(maria: Visitor) -> None:
    assert "Nothing yet" in maria.text("/history")


def test_a_person_of_two_looks_is_split_and_the_parts_stay_apart(maria: Visitor, family: Family) -> None:
    anna, ben = family.people["Anna"], family.people["Ben"]
    family.services.people.merge(family.account.id, anna, [ben])
    page = maria.text(f"/people/{anna}/split")
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    groups = [re.findall(r'name="face" value="(\d+)"', form) for form in forms]
    groups = sorted((group for group in groups if group), key=len)
    assert len(groups) == 2
    moved = maria.post(f"/people/{anna}/split", {"face": groups[0]}, page=f"/people/{anna}/split")  # type: ignore[dict-item]  # as above
    assert "Who are they?" in moved.text
    (new,) = owners(family, [int(face) for face in groups[0]])
    assert new not in {anna, None}
    assert owners(family, [int(face) for face in groups[1]]) == {anna}


def test_a_person_of_one_look_has_nothing_to_split(maria: Visitor, family: Family) -> None:
    ben = family.people["Ben"]
    assert "look like one person" in maria.text(f"/people/{ben}/split")
    refused = maria.post(f"/people/{ben}/split", page=f"/people/{ben}/split")
    assert "Only faces of this person can be split off" in html.unescape(refused.text)
    assert maria.get(f"/people/{family.foreign_person}/split").status_code == 404


def test_undoing_on_the_page_of_a_person_who_goes_leads_to_the_people(maria: Visitor, family: Family) -> None:
    face = family.face_of("Anna")
    maria.post(f"/faces/{face}/new-person", page=f"/photos/{family.assets[0]}?face={face}", name="Emil")
    (emil,) = family.catalogue.people.by_name(family.account.id, "Emil")
    (event,) = EVENT.findall(maria.text("/history"))
    undone = maria.post("/history/undo", page=f"/people/{emil.id}", event=event)
    assert undone.status_code == 200
    assert "Taken back" in undone.text
    assert undone.request.path == "/"


@pytest.mark.parametrize("page", ["/people/1", "/review", "/history"])
def test_undoing_stays_on_a_page_that_is_left(maria: Visitor, family: Family, page: str) -> None:
    family.services.people.rename(family.account.id, family.people["Ben"], "Benjamin")
    (event,) = EVENT.findall(maria.text("/history"))
    assert maria.post("/history/undo", page=page, event=event).request.path == page
