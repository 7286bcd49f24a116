"""Whatever users do, as many undos bring everything back."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from plugin.bulk import BulkActions
from plugin.catalogue.tables import embedding, face, person, verdict
from plugin.domain import Asset, Box, FaceId, FoundFace
from plugin.drawing import Drawing
from plugin.errors import KinfolkError
from plugin.history import History
from plugin.people import People
from plugin.recognition import Recognition
from tests.fakes.album import PACK, Album, NudgeLog, at_degrees, found_face

TODAY = date(2026, 1, 1)


class Household:
    """An album with people, and somebody who does things to them."""

    def __init__(self, degrees: list[int]) -> None:
        self.album = Album()
        self.album.preferences = replace(self.album.preferences, method="kinfolk")
        self.account = self.album.account.id
        self.recognition = Recognition(self.album.catalogue, self.album.index, lambda: self.album.preferences)
        self.people = People(self.album.catalogue, NudgeLog(), self.recognition.spread, lambda: TODAY)
        self.bulk = BulkActions(self.album.catalogue, self.people, NudgeLog())
        self.drawing = Drawing(self.album.catalogue, self.people, NudgeLog(), self.look)
        self.history = History(self.album.catalogue, NudgeLog())
        self.faces = self.album.add(*degrees)
        self.recognition.run()

    def look(self, asset: Asset, box: Box) -> tuple[str, FoundFace]:
        """What a model would see in a box: somebody who depends on where it is."""
        return PACK, replace(found_face(at_degrees(180 * box.x)), box=box)

    def drawn(self) -> list[FaceId]:
        """Faces that were drawn and are still there."""
        return [row.face.id for row in self.album.catalogue.faces.export(None) if row.face.drawn]

    def act(self, action: str, which: int, other: int) -> None:
        """One thing a user may do; what makes no sense is refused."""
        persons = [someone.id for someone in self.album.catalogue.people.all(self.account, include_hidden=True)]
        face_id = self.faces[which % len(self.faces)]
        one, two = (persons[number % len(persons)] if persons else 0 for number in (which, other))
        me, people = self.account, self.people
        asset_id = self.album.catalogue.faces.get(face_id).asset_id
        box, drawn = Box(0.03 * which, 0.03 * other, 0.1, 0.1), self.drawn() or [0]
        theirs = [i for i in self.faces if self.album.persons([i]) == [one]]
        actions: dict[str, Callable[[], object]] = {
            "name": lambda: people.rename(me, one, f"O'Name {other}"),
            "merge": lambda: people.merge(me, one, [two]),
            "hide": lambda: people.set_hidden(me, one, hidden=bool(other % 2)),
            "born": lambda: people.set_birth_date(me, one, date(2000 + other % 9, 1, 1)),
            "feature": lambda: people.set_feature_face(me, one, face_id),
            "delete": lambda: people.delete(me, one),
            "assign": lambda: people.assign(me, face_id, one),
            "assign new": lambda: people.assign_new(me, face_id, "New" if other % 2 else ""),
            "reject": lambda: people.reject(me, face_id),
            "ignore": lambda: people.ignore(me, face_id),
            "restore": lambda: people.restore(me, face_id),
            "tell apart": lambda: people.tell_apart(me, one, two),
            "draw": lambda: self.drawing.draw(me, asset_id, box, "Drawn" if other % 2 else ""),
            "redraw": lambda: self.drawing.redraw(me, drawn[which % len(drawn)], box),
            "erase": lambda: self.drawing.erase(me, drawn[which % len(drawn)]),
            "say of drawn": lambda: people.assign(me, drawn[which % len(drawn)], one),
            "split": lambda: people.split(me, one, theirs[:1]),
            "favourite": lambda: people.set_favourite(me, one, favourite=bool(other % 2)),
            "born for sure": lambda: people.set_birth_date(me, one, date(2027, 1, 1), sure=True, without=theirs[:2]),
            "hide all": lambda: self.bulk.set_hidden(me, [one, two, 999], hidden=bool(other % 2)),
            "favour all": lambda: self.bulk.set_favourite(me, [one, two], favourite=bool(other % 2)),
            "merge all": lambda: self.bulk.merge(me, one, persons[: 1 + other % 4]),
            "strangers": lambda: self.bulk.make_strangers(me, [one, two, 999]),
            "hide unnamed": lambda: self.bulk.hide_unnamed(me),
        }
        with suppress(KinfolkError):
            actions[action]()

    def events(self) -> int:
        """How many events still stand."""
        return sum(not event.undone for event in self.history.latest(self.account, 1000))

    def state(self) -> list[list[tuple[object, ...]]]:
        """Everything users and machine have said about faces and people."""
        whole = (
            select(face.c.id, face.c.person_id, face.c.state, face.c.assigned_by, face.c.group_id, face.c.x, face.c.y),
            select(person),
            select(verdict),
            select(embedding.c.face_id, embedding.c.pack, embedding.c.vector),
        )
        with self.album.catalogue._transactions.read() as connection:
            return [sorted((tuple(row) for row in connection.execute(query)), key=str) for query in whole]

    def said(self) -> list[list[tuple[object, ...]]]:
        """What users have said alone."""
        by_user = (face.c.assigned_by == "user") | (face.c.state == "ignored")
        named = (person.c.name != "") | person.c.hidden | person.c.favourite | person.c.birth_date.is_not(None)
        queries = (
            select(face.c.id, face.c.person_id, face.c.state).where(by_user),
            select(person.c.id, person.c.name, person.c.hidden, person.c.birth_date).where(named),
            select(verdict),
            select(face.c.id, face.c.x, face.c.y).where(face.c.source == "user"),
        )
        with self.album.catalogue._transactions.read() as connection:
            return [sorted((tuple(row) for row in connection.execute(query)), key=str) for query in queries]


ACTIONS = ["name", "merge", "hide", "born", "feature", "delete", "assign", "assign new", "reject", "ignore", "restore"]
DRAWING = ["draw", "redraw", "erase", "say of drawn"]
MANY = ["favourite", "born for sure", "hide all", "favour all", "merge all", "strangers", "hide unnamed"]
EVERYTHING = [*ACTIONS, "tell apart", "split", *MANY, *DRAWING]
steps = st.lists(st.tuples(st.sampled_from(EVERYTHING), st.integers(0, 20), st.integers(0, 20)), max_size=10)
albums = st.lists(st.integers(0, 180), min_size=3, max_size=12)


@given(albums, steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_actions_and_as_many_undos_change_nothing(degrees: list[int], actions: list[tuple[str, int, int]]) -> None:
    household = Household(degrees)
    states = [household.state()]
    for action in actions:
        before = household.events()
        household.act(*action)
        if household.events() > before:
            states.append(household.state())
        else:
            assert household.state() == states[-1]
    while len(states) > 1:
        assert household.state() == states.pop()
        household.history.undo(household.account)
    assert household.state() == states[0]
    assert household.album.catalogue.integrity() == []
    household.album.catalogue.close()


@given(albums, steps, st.lists(st.integers(0, 180), max_size=3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_undo_brings_back_what_users_said_also_after_further_runs(
    degrees: list[int], actions: list[tuple[str, int, int]], more: list[int]
) -> None:
    household = Household(degrees)
    before = household.said()
    for number, action in enumerate(actions):
        household.act(*action)
        if number % 3 == 0:
            household.faces += household.album.add(*more)
            household.recognition.run()
        elif number % 3 == 1:
            household.recognition.reset()
            household.recognition.run()
    while household.events():
        household.history.undo(household.account)
        household.recognition.run()
    assert household.said() == before
    assert household.album.catalogue.integrity() == []
    household.album.catalogue.close()
