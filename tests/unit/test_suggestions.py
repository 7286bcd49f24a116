"""Questions to users: which come up, in which order, and what an answer does."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from plugin.domain import AssignedBy, FaceId, Float32Array, PersonId, VerdictKind
from plugin.errors import NotFound, Refused
from plugin.open_questions import Pace
from plugin.people import People
from plugin.recognition import Recognition
from plugin.suggestions import Suggestions
from tests.fakes.album import Album, NudgeLog, at

DIMENSION = 16


@pytest.fixture
def album() -> Iterator[Album]:
    made = Album()
    made.preferences = replace(made.preferences, method="kinfolk")
    yield made
    made.catalogue.close()


@pytest.fixture
def users(album: Album) -> People:
    recognition = Recognition(album.catalogue, album.index, lambda: album.preferences)
    return People(album.catalogue, NudgeLog(), recognition.spread)


@pytest.fixture
def suggestions(album: Album, users: People) -> Suggestions:
    return Suggestions(album.catalogue, users, lambda: album.preferences)


def faces(axis: int, toward: int, alike: float, count: int) -> list[Float32Array]:
    """Faces in a plane of two directions, this much like the second one, with a little of their own."""
    made = []
    for number in range(count):
        face = np.zeros(DIMENSION, dtype=np.float32)
        face[axis], face[toward] = np.sqrt(1 - alike**2), alike
        face[(axis + 5 + number) % DIMENSION] += 0.05
        made.append(face / np.linalg.norm(face))
    return made


def add(album: Album, embeddings: list[Float32Array], person: PersonId | None = None) -> list[FaceId]:
    """Photos with one face each; of this person, or of nobody and alike to each other."""
    ids = [album.add_photo([embedding])[0] for embedding in embeddings]
    account = album.account.id
    who = -1 if person is None else person
    group = -1 if person is not None or len(ids) == 1 else ids[0]
    album.catalogue.faces.regroup(account, np.array(ids), np.full(len(ids), who), np.full(len(ids), group))
    return ids


def person(album: Album, name: str, embeddings: list[Float32Array]) -> PersonId:
    made = album.catalogue.people.add(album.account.id, name)
    add(album, embeddings, made)
    return made


def test_nothing_is_asked_of_an_empty_album(album: Album, suggestions: Suggestions) -> None:
    assert suggestions.ranked(album.account.id) == []
    add(album, faces(1, 0, 0.5, 2))
    assert suggestions.ranked(album.account.id) == []


def test_a_group_of_nobody_is_asked_about_as_a_whole_with_the_evidence(album: Album, suggestions: Suggestions) -> None:
    anna = person(album, "Anna", faces(0, 1, 0.0, 6))
    person(album, "Ben", faces(2, 3, 0.0, 6))
    group = add(album, faces(4, 0, 0.5, 2))
    (question,) = suggestions.ranked(album.account.id)
    assert (question.person_id, question.face_ids, question.other_person_id) == (anna, tuple(group), None)
    assert question.decides == 2
    assert question.distance == pytest.approx(0.5, abs=0.02)
    assert question.gap > 0.15
    assert 0.05 <= question.likelihood <= 1
    assert set(question.shown) == set(group)
    assert len(question.shown_of_person) == 3
    assert {album.catalogue.faces.get(face).person_id for face in question.shown_of_person} == {anna}


def test_the_question_that_decides_most_comes_first(album: Album, suggestions: Suggestions) -> None:
    person(album, "Anna", faces(0, 1, 0.0, 6))
    single = add(album, faces(4, 0, 0.5, 1))
    group = add(album, faces(5, 0, 0.5, 4))
    asked = [question.face_ids for question in suggestions.ranked(album.account.id)]
    assert asked == [tuple(group), tuple(single)]
    assert len(suggestions.ranked(album.account.id, limit=1)) == 1


def test_two_people_who_may_be_one_are_asked_about_once(album: Album, suggestions: Suggestions) -> None:
    anna, unnamed = person(album, "Anna", faces(0, 1, 0.0, 8)), person(album, "", faces(2, 0, 0.55, 4))
    (question,) = suggestions.ranked(album.account.id)
    assert (question.person_id, question.other_person_id, question.face_ids) == (anna, unnamed, ())
    assert question.decides == 4
    suggestions.accept(album.account.id, question)
    assert [one.id for one in album.catalogue.people.all(album.account.id)] == [anna]
    assert suggestions.ranked(album.account.id) == []


def test_people_with_two_names_are_not_asked_about(album: Album, suggestions: Suggestions) -> None:
    person(album, "Anna", faces(0, 1, 0.0, 8))
    person(album, "Beth", faces(2, 0, 0.55, 4))
    assert suggestions.ranked(album.account.id) == []


def test_a_yes_gives_all_the_faces_to_the_person_for_good(album: Album, suggestions: Suggestions) -> None:
    anna = person(album, "Anna", faces(0, 1, 0.0, 6))
    group = add(album, faces(4, 0, 0.5, 2))
    (question,) = suggestions.ranked(album.account.id)
    suggestions.accept(album.account.id, question)
    assert album.persons(group) == [anna, anna]
    assert {album.catalogue.faces.get(face).assigned_by for face in group} == {AssignedBy.USER}
    with pytest.raises(NotFound):
        suggestions.find(album.account.id, question.key)


def test_a_question_asked_just_now_is_found_without_working_all_out_again(
    album: Album, suggestions: Suggestions, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(album, "Anna", faces(0, 1, 0.0, 6))
    add(album, faces(4, 0, 0.5, 2))
    (question,) = suggestions.ranked(album.account.id)
    with monkeypatch.context() as patch:
        patch.setattr(suggestions, "ranked", lambda *_: pytest.fail("worked out again"))
        assert suggestions.find(album.account.id, question.key) == question
    suggestions.skip(album.account.id, question)
    with pytest.raises(NotFound):
        suggestions.find(album.account.id, question.key)


def test_a_no_is_never_asked_again_and_the_next_likely_person_is(album: Album, suggestions: Suggestions) -> None:
    both = np.zeros(DIMENSION, dtype=np.float32)
    both[0], both[2], both[7] = 0.62, 0.5, 0.6
    anna, ben = person(album, "Anna", faces(0, 1, 0.0, 6)), person(album, "Ben", faces(2, 3, 0.0, 6))
    (face,) = add(album, [both / np.linalg.norm(both)])
    asked: list[PersonId] = []
    while questions := suggestions.ranked(album.account.id):
        asked.append(questions[0].person_id)
        suggestions.reject(album.account.id, questions[0])
    assert asked == [anna, ben]
    assert album.catalogue.verdicts.rejected_persons(face) == {anna, ben}


def test_a_no_about_two_people_tells_them_apart(album: Album, suggestions: Suggestions) -> None:
    anna, unnamed = person(album, "Anna", faces(0, 1, 0.0, 8)), person(album, "", faces(2, 0, 0.55, 4))
    (question,) = suggestions.ranked(album.account.id)
    suggestions.reject(album.account.id, question)
    (said,) = album.catalogue.verdicts.all(album.account.id)
    assert (said.kind, {said.person_id, said.other_person_id}) == (VerdictKind.PERSONS_DIFFER, {anna, unnamed})
    assert suggestions.ranked(album.account.id) == []


def test_what_was_skipped_comes_back_with_new_evidence_only(album: Album, suggestions: Suggestions) -> None:
    anna = person(album, "Anna", faces(0, 1, 0.0, 6))
    add(album, faces(4, 0, 0.45, 2))
    (question,) = suggestions.ranked(album.account.id)
    suggestions.skip(album.account.id, question)
    assert suggestions.ranked(album.account.id) == []
    add(album, faces(4, 0, 0.6, 12), anna)
    (again,) = suggestions.ranked(album.account.id)
    assert again.key == question.key
    assert again.likelihood >= question.likelihood + 0.1


def test_a_skip_that_is_taken_back_makes_the_question_come_next(album: Album, suggestions: Suggestions) -> None:
    person(album, "Anna", faces(0, 1, 0.0, 6))
    for axis, alike in ((4, 0.55), (6, 0.45)):
        add(album, faces(axis, 0, alike, 2))
    first, second = suggestions.ranked(album.account.id)
    suggestions.skip(album.account.id, second)
    for _ in range(2):
        suggestions.unskip(album.account.id, second.key)
        assert suggestions.next_ones(album.account.id) == ([second, first], 2)
    suggestions.skip(album.account.id, second)
    suggestions.skip(album.account.id, first)
    suggestions.unskip(album.account.id, second.key)
    assert suggestions.next_ones(album.account.id) == ([second], 1)


def test_what_was_never_skipped_is_not_taken_back(album: Album, suggestions: Suggestions) -> None:
    person(album, "Anna", faces(0, 1, 0.0, 6))
    add(album, faces(4, 0, 0.45, 2))
    (question,) = suggestions.ranked(album.account.id)
    suggestions.reject(album.account.id, question)
    suggestions.unskip(album.account.id, question.key)
    suggestions.unskip(album.account.id, "face-9-9")
    assert suggestions.ranked(album.account.id) == []


def test_who_cannot_be_meant_is_not_asked_about(album: Album, suggestions: Suggestions, users: People) -> None:
    anna = person(album, "Anna", faces(0, 1, 0.0, 6))
    album.add_photo([faces(4, 0, 0.5, 1)[0]], taken_at=at(1999))
    (waiting,) = album.add_photo([faces(5, 0, 0.5, 1)[0], faces(0, 1, 0.0, 1)[0]])[:1]
    both = album.catalogue.faces.of_asset(album.catalogue.faces.get(waiting).asset_id, album.account.id)
    album.catalogue.faces.assign([(both[1].id, anna)], AssignedBy.MACHINE)
    users.set_birth_date(album.account.id, anna, at(2005).date())
    assert suggestions.ranked(album.account.id) == []


def test_another_account_is_asked_nothing(album: Album, suggestions: Suggestions) -> None:
    person(album, "Anna", faces(0, 1, 0.0, 6))
    add(album, faces(4, 0, 0.5, 2))
    (question,) = suggestions.ranked(album.account.id)
    other = album.catalogue.accounts.add("Ben", None, is_admin=False).id
    assert suggestions.ranked(other) == []
    for answer in (suggestions.accept, suggestions.reject):
        with pytest.raises(NotFound):
            answer(other, question)


def test_a_split_is_for_good(album: Album, users: People) -> None:
    account = album.account.id
    anna = person(album, "Anna", [*faces(0, 1, 0.0, 4), *faces(2, 3, 0.0, 3)])
    ids = sorted(face.id for face in album.catalogue.faces.of_person(anna, account, 10))
    with pytest.raises(Refused):
        users.split(account, anna, ids)
    with pytest.raises(Refused):
        users.split(account, anna, [])
    new = users.split(account, anna, ids[4:])
    assert album.persons(ids) == [anna] * 4 + [new] * 3
    recognition = Recognition(album.catalogue, album.index, lambda: album.preferences)
    recognition.reset()
    recognition.run()
    assert album.persons(ids) == [anna] * 4 + [new] * 3


Kept = Callable[[], Suggestions]


@pytest.fixture
def in_background(album: Album, users: People) -> Iterator[Kept]:
    """As in a large library: what changed is not looked at before the next question is asked."""
    made: list[Suggestions] = []

    def make() -> Suggestions:
        made.append(Suggestions(album.catalogue, users, lambda: album.preferences, patience=-1))
        made[-1].ranked(album.account.id)
        return made[-1]

    yield make
    for suggestions in made:
        suggestions.close()


def two_questions(album: Album) -> tuple[PersonId, list[FaceId], list[FaceId]]:
    anna = person(album, "Anna", faces(0, 1, 0.0, 4))
    return anna, add(album, faces(2, 0, 0.5, 3)), add(album, faces(3, 0, 0.5, 2))


def open_keys(suggestions: Suggestions, album: Album) -> list[str]:
    found = suggestions.next_ones(album.account.id, count=10)
    assert found is not None
    questions, left = found
    assert left == len(questions)
    return [question.key for question in questions]


@pytest.mark.parametrize("answer", ["yes", "no", "skip"])
def test_an_answered_question_never_comes_back_from_those_kept(
    album: Album, users: People, in_background: Kept, answer: str
) -> None:
    two_questions(album)
    suggestions = in_background()
    before = open_keys(suggestions, album)
    assert len(before) == 2
    other = Suggestions(album.catalogue, users, lambda: album.preferences)
    other.answer(album.account.id, before[0], answer)
    assert before[0] not in open_keys(suggestions, album)
    suggestions.answer(album.account.id, before[1], answer)
    assert open_keys(suggestions, album) == []


def test_a_kept_question_about_somebody_who_is_gone_is_left_out(
    album: Album, users: People, in_background: Kept
) -> None:
    anna, _, _ = two_questions(album)
    suggestions = in_background()
    users.delete(album.account.id, anna)
    assert open_keys(suggestions, album) == []


def test_a_kept_question_whose_faces_were_taken_away_is_left_out(
    album: Album, users: People, in_background: Kept
) -> None:
    _, three, _ = two_questions(album)
    suggestions = in_background()
    users.ignore_all(album.account.id, three)
    (left,) = open_keys(suggestions, album)
    assert not left.startswith(f"face-{three[0]}-")


def test_two_people_who_were_told_apart_or_merged_elsewhere_are_not_asked_about(
    album: Album, users: People, in_background: Kept
) -> None:
    account = album.account.id
    person(album, "Anna", faces(0, 1, 0.0, 4))
    like_anna = add(album, faces(2, 0, 0.5, 3), album.catalogue.people.add(account))
    suggestions = in_background()
    found = suggestions.next_ones(account)
    assert found is not None
    ((question,), left) = found
    assert left == 1
    assert question.other_person_id is not None
    users.tell_apart(account, question.person_id, question.other_person_id)
    assert open_keys(suggestions, album) == []
    album.catalogue.events.undo(account)
    suggestions = in_background()
    assert len(open_keys(suggestions, album)) == 1
    users.rename(account, album.persons(like_anna)[0] or 0, "Berta")
    assert open_keys(suggestions, album) == []


def test_two_named_people_are_not_asked_about_when_one_is_hidden(album: Album, users: People) -> None:
    account = album.account.id
    person(album, "Anna", faces(0, 1, 0.0, 4))
    berta = person(album, "Berta", faces(2, 0, 0.5, 3))
    users.set_hidden(account, berta, hidden=True)
    assert Suggestions(album.catalogue, users, lambda: album.preferences).ranked(account) == []


def test_the_time_that_is_left_follows_the_pace(album: Album, users: People) -> None:
    suggestions = Suggestions(album.catalogue, users, lambda: album.preferences)
    moment = iter(range(0, 100, 4))
    suggestions.pace = Pace(lambda: float(next(moment)))
    for _ in range(5):
        suggestions.pace.answered(album.account.id)
    assert suggestions.seconds_left(album.account.id, 37) == 37 * 4
