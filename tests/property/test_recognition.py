"""What holds for recognition whatever the faces, the order, and what users say in between."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from plugin.domain import AssignedBy, FaceState, Float32Array, Person, Preferences, VerdictKind
from plugin.errors import Refused
from plugin.faces.immich import NOBODY, IntArray, Rules, recognise_all
from plugin.people import People
from plugin.recognition import Recognition, regrouping, runs
from tests.fakes.album import Album, NudgeLog, at_degrees

RADIUS = 0.5

# The documented steps, face by face, with lists: as slow and as literal as can be.


class Oracle:
    """Section 1.3 and 1.4 of the research, transcribed."""

    def __init__(self, distance: Sequence[Sequence[float]], person: Sequence[int], minimum_faces: int) -> None:
        self.distance = distance
        self.person = list(person)
        self.minimum_faces = minimum_faces
        self.next_person = max([0, *person]) + 1

    def run(self, pending: Sequence[int]) -> list[int]:
        jobs = [(face, False) for face in pending]
        while jobs:
            face, deferred = jobs.pop(0)
            if self.recognise(face, deferred=deferred):
                jobs.append((face, True))
        return self.person

    def recognise(self, face: int, *, deferred: bool) -> bool:
        """Whether the face has to be queued again."""
        if self.person[face] != NOBODY:
            return False
        matches = self.search(face, self.minimum_faces, has_person=False)
        if self.minimum_faces > 1 and len(matches) <= 1:
            return False
        is_core = len(matches) >= self.minimum_faces
        if not is_core and not deferred:
            return True
        person = next((self.person[match] for match in matches if self.person[match] != NOBODY), None)
        if person is None:
            person = next((self.person[match] for match in self.search(face, 1, has_person=True)), None)
        if is_core and person is None:
            person = self.next_person
            self.next_person += 1
        if person is not None:
            self.person[face] = person
        return False

    def search(self, face: int, count: int, *, has_person: bool) -> list[int]:
        row = self.distance[face]
        found = [other for other in range(len(row)) if not has_person or self.person[other] != NOBODY]
        found.sort(key=lambda other: (row[other], other))
        return [other for other in found[:count] if row[other] <= RADIUS]


@st.composite
def distance_tables(draw: st.DrawFn) -> Float32Array:
    """Symmetric distances in steps of .1, so that ties and distances equal to the maximum are frequent."""
    size = draw(st.integers(0, 14))
    steps = draw(st.lists(st.integers(0, 10), min_size=size * size, max_size=size * size))
    table: Float32Array = np.array(steps, dtype=np.float32).reshape(size, size) / np.float32(10)
    np.minimum(table, table.T.copy(), out=table)
    np.fill_diagonal(table, 0)
    return table


@given(distance_tables(), st.integers(1, 6), st.data())
@settings(max_examples=300, deadline=None)
def test_recognising_arrays_equals_the_documented_steps_one_by_one(
    table: Float32Array, minimum_faces: int, data: st.DataObject
) -> None:
    size = len(table)
    person = data.draw(st.lists(st.sampled_from([NOBODY, NOBODY, 3, 7]), min_size=size, max_size=size))
    pending = data.draw(st.permutations([row for row in range(size) if person[row] == NOBODY]))

    def search(rows: IntArray) -> Iterator[tuple[IntArray, Float32Array]]:
        for row in rows.tolist():
            order = np.lexsort((np.arange(size), table[row]))
            order = order[table[row][order] <= RADIUS]
            yield order, table[row][order]

    embedding, before = np.empty((size, 2), dtype=np.float32), np.array(person, dtype=np.int64)
    run = recognise_all(embedding, before, pending, Rules(minimum_faces, RADIUS), search=search)
    assert run.person.tolist() == Oracle(table.tolist(), person, minimum_faces).run(pending)


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_recognising_embeddings_equals_the_documented_steps_one_by_one(
    seed: int, minimum_faces: int, dimension: int
) -> None:
    rng = np.random.default_rng(seed)
    faces = rng.normal(size=(40, dimension)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    order = rng.permutation(40)
    run = recognise_all(faces, np.full(40, NOBODY), order, Rules(minimum_faces, RADIUS))
    table = np.round(1 - faces @ faces.T, 6).clip(0, 2)
    assert run.person.tolist() == Oracle(table.tolist(), [NOBODY] * 40, minimum_faces).run(order.tolist())


# Over a real catalogue.

angles = st.lists(st.integers(0, 359), min_size=0, max_size=14)


@given(angles, st.integers(1, 4), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_running_recognition_twice_changes_nothing_the_second_time(
    degrees: list[int], minimum_faces: int, by_index: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "FACES_PER_SEARCH", 0.0 if by_index else 10**9)
        album = Album()
        album.preferences = _with_minimum(album, minimum_faces)
        faces = album.add(*degrees)
        recognition = Recognition(album.catalogue, album.index, lambda: album.preferences)
        recognition.run()
        before = album.persons(faces), album.states(faces)
        recognition.run()
        assert (album.persons(faces), album.states(faces)) == before
        assert not {FaceState.PENDING, FaceState.DEFERRED} & set(album.states(faces))
        album.catalogue.close()


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20)), min_size=1, max_size=14),
    st.integers(1, 4),
    st.integers(1, 5),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_people_who_do_not_resemble_each_other_come_out_the_same_in_one_run_and_photo_by_photo(
    members: list[tuple[int, int]], minimum_faces: int, batch: int
) -> None:
    """Three families 120 degrees apart, each within 20: what a night completes equals one run over everything."""
    degrees = [family * 120 + within for family, within in members]
    at_once, bit_by_bit = Album(), Album()
    together = at_once.add(*degrees)
    one_by_one: list[int] = []
    for album in (at_once, bit_by_bit):
        album.preferences = _with_minimum(album, minimum_faces)
    Recognition(at_once.catalogue, at_once.index, lambda: at_once.preferences).run()

    recognition = Recognition(bit_by_bit.catalogue, bit_by_bit.index, lambda: bit_by_bit.preferences)
    for start in range(0, len(degrees), batch):
        one_by_one += bit_by_bit.add(*degrees[start : start + batch])
        recognition.run()
    recognition.nightly()
    recognition.run()
    assert bit_by_bit.groups(one_by_one) == at_once.groups(together)
    at_once.catalogue.close()
    bit_by_bit.catalogue.close()


def _with_minimum(album: Album, minimum_faces: int) -> Preferences:
    return replace(album.preferences, minimum_faces=minimum_faces)


class UsersAndMachine(RuleBasedStateMachine):
    """Photos arrive, users say things, recognition runs and starts over, in any order."""

    method = "immich"

    def __init__(self) -> None:
        super().__init__()
        self.album = Album()
        self.album.preferences = replace(self.album.preferences, method=self.method)
        self.faces: list[int] = []
        self.merged: set[int] = set()
        self.account = self.album.account.id
        self.recognition = Recognition(self.album.catalogue, self.album.index, lambda: self.album.preferences)
        self.people = People(self.album.catalogue, NudgeLog(), self.recognition.spread)

    @initialize(degrees=st.lists(st.integers(0, 180), min_size=3, max_size=8))
    def photos_come_first(self, degrees: list[int]) -> None:
        self.faces += self.album.add(*degrees)

    @rule(degree=st.integers(0, 180))
    def a_photo_comes(self, degree: int) -> None:
        self.faces += self.album.add(degree)

    @rule(by_index=st.booleans())
    def recognition_runs(self, by_index: bool) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for module in (runs, regrouping):
                patch.setattr(module, "FACES_PER_SEARCH", 0.0 if by_index else 10**9)
            self.recognition.run()

    @rule(degrees=st.lists(st.integers(0, 180), min_size=2, max_size=3))
    def a_photo_of_several_comes(self, degrees: list[int]) -> None:
        self.faces += self.album.add_photo([at_degrees(degree) for degree in degrees])

    @rule()
    def recognition_starts_over(self) -> None:
        self.recognition.reset()

    @rule()
    def the_night_comes(self) -> None:
        self.recognition.nightly()

    @rule(minimum_faces=st.integers(1, 4))
    def minimum_faces_is_changed(self, minimum_faces: int) -> None:
        self.album.preferences = _with_minimum(self.album, minimum_faces)

    @rule(data=st.data())
    def a_user_names_a_face(self, data: st.DataObject) -> None:
        face = data.draw(st.sampled_from(self.faces))
        persons = [person.id for person in self._persons()]
        person = data.draw(st.sampled_from([None, *persons]))
        if person is None:
            self.people.assign_new(self.account, face, data.draw(st.sampled_from(["", "Anna", "Ben"])))
        else:
            self.people.assign(self.account, face, person)

    @rule(data=st.data())
    def a_user_rejects_a_face(self, data: st.DataObject) -> None:
        face = data.draw(st.sampled_from(self.faces))
        if self.album.persons([face]) != [None]:
            self.people.reject(self.account, face)

    @rule(data=st.data())
    def a_user_takes_a_face_away_or_brings_it_back(self, data: st.DataObject) -> None:
        face = data.draw(st.sampled_from(self.faces))
        try:
            self.people.restore(self.account, face)
        except Refused:
            self.people.ignore(self.account, face)

    @precondition(lambda self: len(self._persons()) >= 2)
    @rule(data=st.data())
    def a_user_merges_two(self, data: st.DataObject) -> None:
        into, other, *_ = data.draw(st.permutations([person.id for person in self._persons()]))
        self.people.merge(self.account, into, [other])
        self.merged.add(into)

    @precondition(lambda self: len(self._persons()) >= 2)
    @rule(data=st.data())
    def a_user_tells_two_apart(self, data: st.DataObject) -> None:
        one, other, *_ = data.draw(st.permutations([person.id for person in self._persons()]))
        self.album.catalogue.verdicts.add(
            self.account, VerdictKind.PERSONS_DIFFER, person_id=one, other_person_id=other
        )

    @precondition(lambda self: self._persons())
    @rule(data=st.data())
    def a_user_deletes_a_person(self, data: st.DataObject) -> None:
        self.people.delete(self.account, data.draw(st.sampled_from([person.id for person in self._persons()])))

    @invariant()
    def the_machine_never_contradicts_a_verdict(self) -> None:
        faces = {face: self.album.catalogue.faces.get(face) for face in self.faces}
        persons = {person.id for person in self._persons()}
        for said in self.album.catalogue.verdicts.all(self.account):
            if said.kind is VerdictKind.PERSONS_DIFFER:
                assert {said.person_id, said.other_person_id} <= persons
                continue
            assert said.face_id is not None
            face = faces[said.face_id]
            if said.kind is VerdictKind.IS_PERSON:
                assert (face.person_id, face.assigned_by) == (said.person_id, AssignedBy.USER)
            elif said.kind is VerdictKind.IS_NOT_PERSON:
                assert face.person_id != said.person_id
            else:
                assert face.state is FaceState.IGNORED

    @invariant()
    def a_person_without_name_has_a_face(self) -> None:
        assert all(person.name or person.face_count for person in self._persons())

    def _persons(self) -> list[Person]:
        return self.album.catalogue.people.all(self.account, minimum_faces=0)

    def teardown(self) -> None:
        self.album.catalogue.close()


class UsersAndDefaultEngine(UsersAndMachine):
    """The same, and people are never in two places of one picture unless a user says so."""

    method = "kinfolk"

    @invariant()
    def nobody_is_twice_in_one_picture_unless_a_user_says_so(self) -> None:
        seen: set[tuple[int, int]] = set()
        for face in self.album.catalogue.faces.many(self.faces):
            if face.person_id is not None and face.assigned_by is AssignedBy.MACHINE:
                assert face.person_id in self.merged or (face.asset_id, face.person_id) not in seen
                seen.add((face.asset_id, face.person_id))


TestUsersAndMachine = UsersAndMachine.TestCase
TestUsersAndMachine.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestUsersAndDefaultEngine = UsersAndDefaultEngine.TestCase
TestUsersAndDefaultEngine.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
