"""Whatever detection, recognition and users do in whatever order, users are never overruled and nothing is lost."""

from collections.abc import Sequence

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from plugin.catalogue.store import SqlCatalogue
from plugin.domain import Asset, AssignedBy, Box, Face, FaceId, FaceState, FoundFace, PersonId, VerdictKind
from tests.contract.catalogue_cast import PACK, direction, found, fresh_in_memory, listed

PLACES = [Box(0.05 + 0.15 * i, 0.1, 0.1, 0.1) for i in range(6)]

where = st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, 3)), max_size=6, unique_by=lambda place: place[0].x)
fractions = st.floats(0, 0.8, allow_nan=False)
anywhere = st.builds(Box, fractions, fractions, st.floats(0.01, 0.2), st.floats(0.01, 0.2))
frames = st.one_of(st.none(), st.integers(0, 3))
faces_anywhere = st.lists(st.tuples(anywhere, st.integers(0, 3), frames), max_size=6)


def as_found(places: Sequence[tuple[Box, int]]) -> list[FoundFace]:
    return [found(box, direction(number)) for box, number in places]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=faces_anywhere, second=faces_anywhere)
def test_finishing_any_result_twice_is_finishing_it_once(
    first: list[tuple[Box, int, int | None]], second: list[tuple[Box, int, int | None]]
) -> None:
    catalogue = fresh_in_memory()
    try:
        library = catalogue.libraries.add(1, "folder", "Photos", "/photos")
        (seen,) = catalogue.assets.seen(library.id, [listed("a.jpg")], 1)
        asset = catalogue.assets.get(seen.asset_id)
        for result in (first, second):
            there = [found(box, direction(number), frame_ms=frame) for box, number, frame in result]
            once = catalogue.detection.finish(asset, PACK, there, (1, 1), None)
            assert len(set(once)) == len(once) == len(there)
            stored = [_seen(face) for face in catalogue.faces.of_asset(asset.id, 1)]
            buried = catalogue.index_state.to_delete(99)
            assert catalogue.detection.finish(asset, PACK, there, (1, 1), None) == once
            assert [_seen(face) for face in catalogue.faces.of_asset(asset.id, 1)] == stored
            assert catalogue.index_state.to_delete(99) == buried
            assert {face for face, *_ in stored} == set(once)
            for face_id, one in zip(once, there, strict=True):
                np.testing.assert_array_equal(catalogue.faces.embedding(face_id), one.embedding)
    finally:
        catalogue.close()


def _seen(face: Face) -> tuple[FaceId, Box, str, PersonId | None]:
    return face.id, face.box, face.state.value, face.person_id


class Household(RuleBasedStateMachine):
    """A user, the machine and the index work on two photos; `word` is what the user last said about each face."""

    def __init__(self) -> None:
        super().__init__()
        self.catalogue: SqlCatalogue = fresh_in_memory()
        self.word: dict[FaceId, PersonId | None] = {}
        self.rejected: set[tuple[FaceId, PersonId]] = set()
        self.index: dict[FaceId, bytes] = {}
        self.assets: list[Asset] = []
        self.persons: list[PersonId] = []

    def teardown(self) -> None:
        self.catalogue.close()

    @initialize()
    def begin(self) -> None:
        library = self.catalogue.libraries.add(1, "folder", "Photos", "/photos")
        seen = self.catalogue.assets.seen(library.id, [listed("a.jpg"), listed("b.jpg")], 1)
        self.assets = [self.catalogue.assets.get(each.asset_id) for each in seen]
        self.persons = [self.catalogue.people.add(1, name) for name in ("Anna", "Ben", "")]

    def faces(self) -> list[Face]:
        return [face for asset in self.assets for face in self.catalogue.faces.of_asset(asset.id, 1)]

    @rule(which=st.integers(0, 1), places=where)
    def detection_looks(self, which: int, places: list[tuple[Box, int]]) -> None:
        self.catalogue.detection.finish(self.assets[which], PACK, as_found(places), (1, 1), None)

    @rule()
    def detection_is_reset(self) -> None:
        self.catalogue.detection.request("reset", PACK)

    @rule(data=st.data())
    def the_machine_assigns(self, data: st.DataObject) -> None:
        if faces := self.faces():
            pairs = st.tuples(st.sampled_from([face.id for face in faces]), st.sampled_from([*self.persons, None, 999]))
            self.catalogue.faces.assign(data.draw(st.lists(pairs, max_size=8)), AssignedBy.MACHINE)

    @rule(data=st.data(), state=st.sampled_from([FaceState.PENDING, FaceState.DEFERRED, FaceState.UNASSIGNED]))
    def the_machine_sets_states(self, data: st.DataObject, state: FaceState) -> None:
        if faces := self.faces():
            ids = st.lists(st.sampled_from([face.id for face in faces]), max_size=8)
            self.catalogue.faces.set_state(data.draw(ids), state)

    @rule()
    def recognition_is_reset(self) -> None:
        unnamed = self.persons[-1]
        self.catalogue.faces.unassign_machine(None)
        self.catalogue.faces.requeue_unassigned(None)
        if unnamed not in {person.id for person in self.catalogue.people.all(1, include_hidden=True)}:
            self.rejected = {(face, person) for face, person in self.rejected if person != unnamed}
            self.catalogue.people.delete_empty()
            self.persons[-1] = self.catalogue.people.add(1)

    @precondition(lambda self: self.faces())
    @rule(data=st.data(), whom=st.integers(0, 2))
    def the_user_says_who(self, data: st.DataObject, whom: int) -> None:
        face = data.draw(st.sampled_from([face.id for face in self.faces()]))
        person = self.persons[whom]
        self.catalogue.verdicts.add(1, VerdictKind.IS_PERSON, face_id=face, person_id=person)
        self.catalogue.faces.assign([(face, person)], AssignedBy.USER)
        self.word[face] = person
        self.rejected.discard((face, person))

    @precondition(lambda self: self.faces())
    @rule(data=st.data())
    def the_user_says_nobody(self, data: st.DataObject) -> None:
        face = data.draw(st.sampled_from([face.id for face in self.faces()]))
        self.catalogue.verdicts.add(1, VerdictKind.IS_NOBODY, face_id=face)
        self.catalogue.faces.set_state([face], FaceState.IGNORED)
        self.word[face] = None

    @rule(data=st.data())
    def the_user_rejects(self, data: st.DataObject) -> None:
        if given_to := [face for face in self.faces() if face.person_id is not None]:
            face = data.draw(st.sampled_from(given_to))
            assert face.person_id is not None
            self.catalogue.verdicts.add(1, VerdictKind.IS_NOT_PERSON, face_id=face.id, person_id=face.person_id)
            self.catalogue.faces.assign([(face.id, None)], AssignedBy.USER, FaceState.UNASSIGNED)
            self.word.pop(face.id, None)
            self.rejected.add((face.id, face.person_id))

    @rule(into=st.integers(0, 1))
    def the_user_merges(self, into: int) -> None:
        kept, other = self.persons[into], self.persons[1 - into]
        self.catalogue.people.merge(kept, [other], 1)
        self.word = {face: kept if person == other else person for face, person in self.word.items()}
        belongs = {face.id for face in self.faces() if face.person_id == kept}
        moved = {(face, kept if person == other else person) for face, person in self.rejected}
        self.rejected = {(face, person) for face, person in moved if person != kept or face not in belongs}
        self.persons[1 - into] = self.catalogue.people.add(1, "Carl")

    @rule()
    def the_index_catches_up(self) -> None:
        gone = self.catalogue.index_state.to_delete(99)
        for _, face in gone:
            self.index.pop(face, None)
        self.catalogue.index_state.deleted(gone)
        ids, vectors = self.catalogue.index_state.to_add(PACK, 99)
        self.index.update({face: vector.tobytes() for face, vector in zip(ids, vectors, strict=True)})
        self.catalogue.index_state.added(PACK, ids)

    @invariant()
    def what_a_user_said_holds(self) -> None:
        faces = {face.id: face for face in self.faces()}
        for face_id, person in self.word.items():
            face = faces[face_id]
            assert face.person_id == person
            assert face.state is (FaceState.IGNORED if person is None else FaceState.ASSIGNED)
        for face_id, person in self.rejected:
            assert faces[face_id].person_id != person
        said = {(v.face_id, v.person_id) for v in self.catalogue.verdicts.all(1) if v.kind is VerdictKind.IS_NOT_PERSON}
        assert self.rejected == said

    @invariant()
    def every_face_has_its_embedding_and_everything_fits(self) -> None:
        faces = {face.id for face in self.faces()}
        assert self.catalogue.index_state.face_ids(PACK) == faces
        assert self.catalogue.integrity() == []
        assigned = sum(person.face_count for person in self.catalogue.people.all(1, include_hidden=True))
        assert assigned == self.catalogue.faces.state_counts(1)[FaceState.ASSIGNED]

    @invariant()
    def the_catalogue_knows_what_the_index_lacks(self) -> None:
        gone = {face for _, face in self.catalogue.index_state.to_delete(99)}
        ids, _ = self.catalogue.index_state.to_add(PACK, 99)
        present = {face: vector for face, vector in self.index.items() if face not in gone and face not in set(ids)}
        assert set(present) == {face.id for face in self.faces()} - set(ids)
        for face, vector in present.items():
            assert self.catalogue.faces.embedding(face).tobytes() == vector


TestHousehold = Household.TestCase
TestHousehold.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
