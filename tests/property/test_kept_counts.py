"""Whatever happens in whatever order, the counts that are kept are the counts one would count."""

from collections.abc import Callable
from datetime import datetime

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from plugin.catalogue.store import SqlCatalogue
from plugin.domain import AssignedBy, Box, FaceState
from plugin.errors import Refused
from plugin.people import People
from tests.contract.catalogue_cast import PACK, direction, found, fresh_in_memory, listed
from tests.fakes.album import NudgeLog

PLACES = [Box(0.05 + 0.3 * i, 0.1, 0.1, 0.1) for i in range(3)]
ASSETS = 3

COUNTED = """
  SELECT person.id, count(asset.id), count(DISTINCT asset.id), min(asset.taken_at), max(asset.taken_at)
  FROM person LEFT JOIN face ON face.person_id = person.id
  LEFT JOIN asset ON asset.id = face.asset_id AND NOT asset.gone GROUP BY person.id ORDER BY person.id
"""
KEPT = """
  SELECT person.id, coalesce(face_count, 0), coalesce(photo_count, 0), first_taken, last_taken
  FROM person LEFT JOIN person_stats ON person_stats.person_id = person.id ORDER BY person.id
"""
COUNTED_TALLY = """
  SELECT library_id, 'face', face.state, count(*) FROM face JOIN asset ON asset.id = asset_id WHERE NOT gone
  GROUP BY 1, 3
  UNION ALL
  SELECT library_id, 'asset', CASE WHEN gone THEN 'gone' ELSE state END, count(*) FROM asset GROUP BY 1, 3
  ORDER BY 1, 2, 3
"""
COUNTED_MONTHS = """
  SELECT person_id, coalesce(substr(taken_at, 1, 7), ''), count(DISTINCT asset.id)
  FROM face JOIN asset ON asset.id = asset_id WHERE NOT gone AND person_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
"""
KEPT_MONTHS = "SELECT person_id, month, photos FROM person_month ORDER BY 1, 2"
KEPT_TALLY = "SELECT library_id, kind, state, number FROM tally WHERE number <> 0 ORDER BY 1, 2, 3"


def assert_counts_are_true(catalogue: SqlCatalogue) -> None:
    with catalogue._transactions.read() as connection:
        for kept, counted in ((KEPT, COUNTED), (KEPT_MONTHS, COUNTED_MONTHS), (KEPT_TALLY, COUNTED_TALLY)):
            assert connection.execute(text(kept)).all() == connection.execute(text(counted)).all()
        assert connection.execute(text("SELECT * FROM person_changed")).all() == []


class Counts(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.catalogue = fresh_in_memory()
        self.people = People(self.catalogue, NudgeLog())
        self.sync()
        for name in ("Anna", "Ben", ""):
            self.catalogue.people.add(1, name)

    def teardown(self) -> None:
        self.catalogue.close()

    def sync(self) -> None:
        library = self.catalogue.libraries.add(1, "folder", "Photos", "/photos")
        number = self.catalogue.libraries.sync_started(library.id)
        entries = [listed(f"{i}.jpg") for i in range(ASSETS)]
        self.library = library.id
        self.assets = [seen.asset_id for seen in self.catalogue.assets.seen(library.id, entries, number)]

    def faces(self) -> list[int]:
        return [face.id for asset in self.assets for face in self.catalogue.faces.of_asset(asset, 1)]

    def persons(self) -> list[int]:
        return [person.id for person in self.catalogue.people.all(1, minimum_faces=0, include_hidden=True)]

    @rule(which=st.integers(0, ASSETS - 1), count=st.integers(0, 3), day=st.one_of(st.none(), st.integers(1, 5)))
    def detection_looks(self, which: int, count: int, day: int | None) -> None:
        asset = self.catalogue.assets.get(self.assets[which])
        faces = [found(place, direction(i)) for i, place in enumerate(PLACES[:count])]
        taken = datetime(2020, 1, day, 12) if day else None  # noqa: DTZ001, the camera's
        self.catalogue.detection.finish(asset, PACK, faces, (1, 1), taken)

    @rule(which=st.integers(0, ASSETS - 1))
    def a_photo_goes(self, which: int) -> None:
        self.catalogue.assets.mark_gone([self.assets[which]])

    @rule()
    def every_photo_is_there(self) -> None:
        self.sync()

    @rule()
    def the_library_goes_and_comes(self) -> None:
        self.catalogue.libraries.remove(self.library)
        self.sync()

    @precondition(lambda self: self.faces() and self.persons())
    @rule(data=st.data(), by=st.sampled_from(AssignedBy))
    def somebody_is_assigned(self, data: st.DataObject, by: AssignedBy) -> None:
        who = st.sampled_from([*self.persons(), None])
        pairs = st.lists(st.tuples(st.sampled_from(self.faces()), who), max_size=6)
        self.catalogue.faces.assign(data.draw(pairs), by)

    @precondition(lambda self: self.faces() and self.persons())
    @rule(data=st.data())
    def the_user_says_who(self, data: st.DataObject) -> None:
        face, person = data.draw(st.sampled_from(self.faces())), data.draw(st.sampled_from(self.persons()))
        self.people.assign(1, face, person)

    @precondition(lambda self: self.faces())
    @rule(data=st.data(), state=st.sampled_from([s for s in FaceState if s is not FaceState.ASSIGNED]))
    def states_are_set(self, data: st.DataObject, state: FaceState) -> None:
        self.catalogue.faces.set_state(data.draw(st.lists(st.sampled_from(self.faces()), max_size=6)), state)

    @precondition(lambda self: self.faces())
    @rule(data=st.data(), act=st.sampled_from((People.assign_new, People.ignore, People.reject, People.restore)))
    def the_user_acts(self, data: st.DataObject, act: Callable[[People, int, int], object]) -> None:
        try:
            act(self.people, 1, data.draw(st.sampled_from(self.faces())))
        except Refused:
            return

    @precondition(lambda self: len(self.persons()) > 1)
    @rule(data=st.data())
    def the_user_merges(self, data: st.DataObject) -> None:
        into, other = data.draw(st.permutations(self.persons()))[:2]
        self.people.merge(1, into, [other])

    @precondition(lambda self: self.persons())
    @rule(data=st.data())
    def the_user_deletes(self, data: st.DataObject) -> None:
        self.people.delete(1, data.draw(st.sampled_from(self.persons())))

    @rule()
    def the_user_takes_it_back(self) -> None:
        try:
            self.catalogue.events.undo(1)
        except Refused:
            return

    @rule(mode=st.sampled_from(("refresh", "reset")))
    def everything_is_looked_at_again(self, mode: str) -> None:
        self.catalogue.detection.request(mode, PACK)
        self.catalogue.faces.unassign_machine(None)

    @invariant()
    def the_counts_are_true(self) -> None:
        assert_counts_are_true(self.catalogue)


TestCounts = Counts.TestCase
TestCounts.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
