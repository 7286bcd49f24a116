"""Whatever happens: in the end the host has what is wanted, minus what people there removed, and nothing of theirs."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from plugin.domain import AssignedBy, Box
from plugin.faces.boxes import iou
from plugin.ports.written import NameKey, NameKind, WrittenState
from plugin.sidecars import Region, edited, read_sidecar
from plugin.writeback.from_hosts import last_look
from tests.contract.catalogue_cast import fresh_in_memory
from tests.fakes.dying_catalogue import Killed
from tests.fakes.photoprism.people import MANUAL, FakeMarker
from tests.fakes.writing_host import Household

PHOTOS = st.integers(0, 1)
SIDES = st.integers(0, 1)
PEOPLE = st.integers(0, 2)
NAMES = st.sampled_from(["Anna", "Ben", "Clara", "Dora"])
SIZE = (1000, 1000)

Held = dict[tuple[int, NameKey], str]


class Machine(RuleBasedStateMachine):
    """Two photos with two faces, three people, and somebody on the host. A model of whose each name is runs along."""

    kind: NameKind

    def __init__(self) -> None:
        super().__init__()
        self.home = Household(photos=2, catalogue=fresh_in_memory())
        self.catalogue, self.host = self.home.catalogue, self.home.host
        self.account_id = self.home.account_id
        self.people = [self.catalogue.people.add(self.account_id, name) for name in ("Anna", "Ben", "Anna")]
        self.names = dict(zip(self.people, ("Anna", "Ben", "Anna"), strict=True))
        self.refused: set[tuple[int, NameKey]] = set()
        self.settled = True  # no run was cut off since the last one that came to its end
        for photo, side, person in ((0, 0, 0), (0, 1, 1), (1, 0, 2)):
            self.catalogue.faces.assign([(self.home.faces[photo][side], self.people[person])], AssignedBy.USER)
        self.home.writing().start(self.home.library, self.kind)
        self.home.writing().run(self.home.library.id, self.kind)

    def teardown(self) -> None:
        try:
            self.finish()
            self.compare()
            self.home.writing().remove(self.home.library, self.kind)
            self.home.writing().run(self.home.library.id, self.kind)
            for photo in range(2):
                assert self.there(photo) == self.of_others(photo), "of ours nothing is left, of others everything"
        finally:
            self.catalogue.close()  # or the next story would begin with this one's rows

    # What users do in Kinfolk.

    @rule(photo=PHOTOS, side=SIDES, person=st.none() | PEOPLE)
    def give_a_face(self, photo: int, side: int, person: int | None) -> None:
        whom = None if person is None else self.people[person]
        with self.catalogue.events.record(self.account_id, "give"):
            self.catalogue.faces.assign([(self.home.faces[photo][side], self.alive(whom))], AssignedBy.USER)

    @rule(person=PEOPLE, name=NAMES)
    def rename(self, person: int, name: str) -> None:
        if self.alive(self.people[person]):
            with self.catalogue.events.record(self.account_id, "rename"):
                self.catalogue.people.rename(self.people[person], self.account_id, name)

    @rule(person=PEOPLE, hidden=st.booleans())
    def hide(self, person: int, hidden: bool) -> None:
        if self.alive(self.people[person]):
            with self.catalogue.events.record(self.account_id, "hide"):
                self.catalogue.people.set_hidden(self.people[person], self.account_id, hidden=hidden)

    @rule(into=PEOPLE, other=PEOPLE)
    def merge(self, into: int, other: int) -> None:
        one, two = self.people[into], self.people[other]
        if one != two and self.alive(one) and self.alive(two):
            with self.catalogue.events.record(self.account_id, "merge"):
                self.catalogue.people.merge(one, [two], self.account_id)

    @rule()
    def undo(self) -> None:
        if self.catalogue.events.standing(self.account_id):
            self.catalogue.events.undo(self.account_id)

    # What the machine does.

    @rule(calls=st.integers(0, 40))
    def run_and_maybe_die(self, calls: int) -> None:
        try:
            self.home.writing([calls]).run(self.home.library.id, self.kind)
        except Killed:
            self.settled = False
        else:
            self.settled = True
            self.forget_model()

    def look_over(self) -> None:
        """Take over what was said there, for hosts where that can be."""

    @rule()
    def finish(self) -> None:
        self.look_over()
        self.home.writing().run(self.home.library.id, self.kind)
        self.settled = True
        self.forget_model()

    @invariant()
    def nothing_of_others_is_ever_touched(self) -> None:
        for photo in range(2):
            assert self.of_others(photo) <= self.there(photo)

    # What the model says.

    def alive(self, person_id: int | None) -> int | None:
        found = self.catalogue.people.existing(self.account_id, [person_id]) if person_id is not None else []
        return found[0].id if found else None

    def wanted(self, photo: int) -> dict[NameKey, str]:
        found: dict[NameKey, str] = {}
        for face in self.catalogue.faces.many(self.home.faces[photo]):
            if face.person_id is not None:
                person = self.catalogue.people.get(face.person_id, self.account_id)
                if not person.hidden:
                    found[self.key(face.id, person.id)] = person.name
        return found

    def key(self, face_id: int, person_id: int) -> NameKey:
        return NameKey(face_id if self.kind.has_places else 0, person_id)

    def rows(self, photo: int) -> dict[NameKey, tuple[WrittenState, str]]:
        _, rows = self.catalogue.written.names_of(self.home.asset(photo), self.kind)
        return {row.key: (row.state, row.name) for row in rows}

    def forget_model(self) -> None:
        """Nothing for most kinds."""

    def of_others(self, photo: int) -> set[str]:
        raise NotImplementedError

    def there(self, photo: int) -> set[str]:
        raise NotImplementedError

    def compare(self) -> None:
        raise NotImplementedError


class TagMachine(Machine):
    """Tags: they have nothing but a name, so a tag that was there before us is others'."""

    kind = NameKind.TAGS

    def __init__(self) -> None:
        super().__init__()
        self.others: list[set[str]] = [set(), set()]
        self.left: Held = {}

    @rule(photo=PHOTOS, name=NAMES)
    @precondition(lambda self: self.settled)
    def somebody_takes_a_tag_off(self, photo: int, name: str) -> None:
        if name not in self.there(photo):
            return
        self.host.carried.discard((self.home.paths[photo], self.host.tag(f"Person: {name}")))
        for key, (state, written) in self.rows(photo).items():
            if state is WrittenState.WRITTEN and written == name:
                self.refused.add((photo, key))
            if state is WrittenState.THEIRS and written == name:
                self.left[photo, key] = name
        self.others[photo].discard(name)

    @rule(photo=PHOTOS, name=NAMES)
    @precondition(lambda self: self.settled)
    def somebody_puts_a_tag_on(self, photo: int, name: str) -> None:
        if name in self.there(photo):
            return
        self.host.carried.add((self.home.paths[photo], self.host.tag(f"Person: {name}")))
        ours = [key for key, (state, written) in self.rows(photo).items() if (state, written) == ("written", name)]
        if not ours:
            self.others[photo].add(name)
        for key in ours:  # as if nothing had happened: nobody looked in between
            self.refused.discard((photo, key))

    def forget_model(self) -> None:
        """A name others said and took back is wanted again once it is another, or was not wanted for a while."""
        for (photo, key), name in list(self.left.items()):
            if self.wanted(photo).get(key) != name:
                del self.left[photo, key]

    def of_others(self, photo: int) -> set[str]:
        return self.others[photo]

    def there(self, photo: int) -> set[str]:
        return {name.removeprefix("Person: ") for name in self.host.tags_of(self.home.paths[photo])}

    def compare(self) -> None:
        for photo in range(2):
            wanted = {
                name
                for key, name in self.wanted(photo).items()
                if (photo, key) not in self.refused and self.left.get((photo, key)) != name
            }
            assert self.there(photo) == wanted | self.others[photo]


class SidecarMachine(Machine):
    """Sidecars: each region says whose it is, and other programs write into the same file."""

    kind = NameKind.SIDECARS

    def __init__(self) -> None:
        super().__init__()
        self.others: list[set[str]] = [set(), set()]
        self.count = 0

    @rule(photo=PHOTOS, side=SIDES, name=st.none() | st.just("Somebody else"))
    @precondition(lambda self: self.settled)
    def somebody_edits_a_region_of_ours(self, photo: int, side: int, name: str | None) -> None:
        path, face_id = self.home.paths[photo], self.home.faces[photo][side]
        content = self.host.sidecars.get(path)
        mark = f"{self.catalogue.written.installation()}-{face_id}"
        regions = {region.mark: region for region in read_sidecar(content).regions} if content else {}
        if mark not in regions or regions[mark].name == "Somebody else":
            return
        for key, (state, _) in self.rows(photo).items():
            if state is WrittenState.WRITTEN and key.face_id == face_id:
                self.refused.add((photo, key))
        if name is None:
            left = edited(content, {}, {mark}, SIZE)
            del self.host.sidecars[path]
            if left is not None:
                self.host.sidecars[path] = left
        else:
            self.store(path, {mark: Region(name, regions[mark].box, mark=mark)})

    @rule(photo=PHOTOS)
    def somebody_adds_a_region(self, photo: int) -> None:
        self.count += 1
        name = f"of others {self.count}"
        self.store(self.home.paths[photo], {f"x-{self.count}": Region(name, Box(0.3, 0.9, 0.05, 0.05), mark="")})
        self.others[photo].add(name)

    def store(self, path: str, put: dict[str, Region]) -> None:
        content = edited(self.host.sidecars.get(path), put, frozenset(), SIZE)
        assert content is not None
        self.host.sidecars[path] = content

    def of_others(self, photo: int) -> set[str]:
        return self.others[photo] | ({"Somebody else"} & self.there(photo))

    def there(self, photo: int) -> set[str]:
        content = self.host.sidecars.get(self.home.paths[photo])
        return {region.name for region in read_sidecar(content).regions} if content else set()

    def compare(self) -> None:
        for photo in range(2):
            content = self.host.sidecars.get(self.home.paths[photo])
            regions = read_sidecar(content).regions if content else ()
            ours = {region.mark.rpartition("-")[2]: region.name for region in regions if region.mark}
            blocked = {face_id for face_id, name in ours.items() if name == "Somebody else"}
            wanted = {
                str(key.face_id): name
                for key, name in self.wanted(photo).items()
                if (photo, key) not in self.refused and str(key.face_id) not in blocked
            }
            assert {face_id: name for face_id, name in ours.items() if face_id not in blocked} == wanted
            assert self.others[photo] <= {region.name for region in regions}


class MarkerMachine(Machine):
    """Markers: people there name faces too, and what they change is taken over, so the model is what Kinfolk says."""

    kind = NameKind.MARKERS

    def __init__(self) -> None:
        super().__init__()
        self.others: set[str] = set()
        self.said_there: set[str] = set()  # names somebody gave there since all was taken over

    @rule(calls=st.integers(0, 40))
    def run_and_maybe_die(self, calls: int) -> None:
        before = self.called()
        super().run_and_maybe_die(calls)
        self.nobody_is_renamed_by_us(before)

    @rule()
    def finish(self) -> None:
        before = self.called()
        super().finish()
        self.nobody_is_renamed_by_us(before)
        self.said_there.clear()

    def called(self) -> dict[int, str]:
        return {person.id: person.name for person in self.catalogue.people.existing(self.account_id, self.people)}

    def nobody_is_renamed_by_us(self, before: dict[int, str]) -> None:
        """A rename of our own that comes back is nobody's word."""
        new = {name for person_id, name in self.called().items() if name != before.get(person_id, name)}
        assert new <= self.said_there

    @rule(photo=PHOTOS, side=SIDES, name=NAMES)
    @precondition(lambda self: self.settled)
    def somebody_renames_a_person_there(self, photo: int, side: int, name: str) -> None:
        marker = self.marker(photo, side)
        # Two people of ours made one there, and hidden here before anybody looked, stay as somebody's word: no model
        # of whose a name is covers that, so merges there are left to `tests/unit/test_taking_over.py`.
        if marker is not None and marker.subj_uid and self.host.people.find(name) is None:
            self.host.people.rename(marker.subj_uid, name)
            self.said_there.add(name)

    @rule(photo=PHOTOS, side=SIDES)
    @precondition(lambda self: self.settled)
    def somebody_takes_a_name_off_there(self, photo: int, side: int) -> None:
        marker = self.marker(photo, side)
        if marker is not None:
            self.host.people.clear(marker.uid)

    @rule(photo=PHOTOS, side=SIDES)
    @precondition(lambda self: self.settled)
    def somebody_says_there_that_it_is_no_face(self, photo: int, side: int) -> None:
        marker = self.marker(photo, side)
        if marker is not None:
            self.host.people.update(marker.uid, {"Invalid": True})

    @rule(photo=PHOTOS, side=SIDES, guess=st.sampled_from(["", "Anna", "Dora"]))
    def the_host_finds_a_face(self, photo: int, side: int, guess: str) -> None:
        if self.marker(photo, side) is None:
            box = self.catalogue.faces.get(self.home.faces[photo][side]).box
            self.host.people.detect(self.home.paths[photo], (box.x, box.y, box.w, box.h), guess)

    @rule(photo=PHOTOS)
    def somebody_marks_what_we_do_not_know(self, photo: int) -> None:
        sides = {"X": 0.02, "Y": 0.9, "W": 0.05, "H": 0.05}
        name = f"Of others {len(self.others) + 1}"
        marker = self.host.people.create({"FileUID": self.home.paths[photo], **sides, "Name": name, "SubjSrc": MANUAL})
        self.others.add(marker.uid)

    def look_over(self) -> None:
        self.catalogue.preferences.delete(last_look(self.home.library.id))
        self.home.writing().take_over(self.home.library.id)

    def marker(self, photo: int, side: int) -> FakeMarker | None:
        box = self.catalogue.faces.get(self.home.faces[photo][side]).box
        shown = [found for found in self.host.people.of_file(self.home.paths[photo]) if found.is_shown]
        return next((found for found in shown if iou(Box(*found.box), box) > 0.5), None)

    def of_others(self, photo: int) -> set[str]:
        mine = self.host.people.of_file(self.home.paths[photo])
        return {marker.name for marker in mine if marker.uid in self.others and marker.is_shown and marker.name}

    def there(self, photo: int) -> set[str]:
        """Names somebody gave; what the host guesses is nobody's word."""
        mine = self.host.people.of_file(self.home.paths[photo])
        return {marker.name for marker in mine if marker.is_shown and marker.subj_uid and marker.subj_src == MANUAL}

    def compare(self) -> None:
        """Both sides agree, but where somebody there took back what we wrote and had no other word for it."""
        assert self.catalogue.written.waiting(self.home.library.id, self.kind) == 0
        for photo in range(2):
            path = self.home.paths[photo]
            shown = [found for found in self.host.people.of_file(path) if found.is_shown and found.subj_uid]
            wanted, rows = self.wanted(photo), self.rows(photo)
            for face in self.catalogue.faces.many(self.home.faces[photo]):
                at = [found for found in shown if iou(Box(*found.box), face.box) > 0.5]
                assert len(at) <= 1, "one face has one marker"
                key = NameKey(face.id, face.person_id or 0)
                if key not in wanted or rows[key][0] is WrittenState.REFUSED:
                    continue
                if not at:  # somebody there had said "no face" before we wrote anything
                    assert rows[key][0] is WrittenState.THEIRS
                    assert any(
                        found.invalid and iou(Box(*found.box), face.box) > 0.5
                        for found in self.host.people.of_file(path)
                    )
                else:
                    assert [self.host.people.subjects[found.subj_uid] for found in at] == [wanted[key]]


TestMarkers = MarkerMachine.TestCase
TestMarkers.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)
TestTags = TagMachine.TestCase
TestTags.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)
TestSidecars = SidecarMachine.TestCase
TestSidecars.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)
