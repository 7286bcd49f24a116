"""PURE: what to do on one asset, from what is wanted, what we wrote before, and what is there now.

A three-way comparison. What is there as we left it is ours to change. What somebody changed or removed is theirs from
then on (`refused`), and what others said before us (`theirs`) is never touched. A run that was killed left an aim: what
is there tells whether it was reached.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from plugin.domain import Box
from plugin.faces.boxes import SAME_FACE_IOU, iou
from plugin.ports.writing import NameChanges, NamesThere, NameThere, PutName, Standing
from plugin.ports.written import Aim, NameKey, WantedName, WrittenName, WrittenState

SAME_PLACE = 1e-3
"""Files keep five digits, and a program that writes a region anew may keep four. A face moves farther."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the decision needs of a `NameKeeper`; see there."""

    said: Callable[[str], str]
    mark: Callable[[NameKey], str]
    refuses: Callable[[str], bool]
    overlap: float | None = None

    def here(self, found: Box | None, box: Box | None) -> bool:
        """Whether an entry lies where a name was put; a host with boxes of its own keeps it about there."""
        if self.overlap is None or found is None or box is None:
            return same_place(found, box)
        return iou(found, box) > self.overlap

    def is_same_face(self, found: Box | None, box: Box) -> bool:
        """Whether an entry is about the face in this box."""
        return found is not None and iou(found, box) > (self.overlap or SAME_FACE_IOU)


@dataclass(slots=True)
class Decision:
    """What to do.

    Attributes:
        changes: on the host.
        before: rows to be recorded first, with their aims.
        after: rows as they are once the host has changed.
        gone: rows not needed any more then.
    """

    put: list[PutName] = field(default_factory=list)
    take: list[NameThere] = field(default_factory=list)
    before: list[WrittenName] = field(default_factory=list)
    after: list[WrittenName] = field(default_factory=list)
    gone: list[NameKey] = field(default_factory=list)

    @property
    def changes(self) -> NameChanges:
        """On the host."""
        return NameChanges(tuple(self.put), tuple(self.take))


def decide(wanted: Sequence[WantedName], written: Sequence[WrittenName], there: NamesThere, rules: Rules) -> Decision:
    """What to do on one asset; nothing when all is as it should be."""
    return _Case(wanted, written, there, rules).decided()


def same_place(one: Box | None, other: Box | None) -> bool:
    """Whether two boxes are the same but for rounding; labels have none at all."""
    if one is None or other is None:
        return one is other
    pairs = ((one.x, other.x), (one.y, other.y), (one.w, other.w), (one.h, other.h))
    return all(abs(a - b) < SAME_PLACE for a, b in pairs)


def _refused(row: WrittenName) -> WrittenName:
    """Left to the host from now on. The place stays, by which the face is known should it be found anew."""
    return replace(row, state=WrittenState.REFUSED, name="", mark="", aim=None)


class _Case:
    def __init__(
        self, wanted: Sequence[WantedName], written: Sequence[WrittenName], there: NamesThere, rules: Rules
    ) -> None:
        self._wanted = {name.key: name for name in wanted}
        self._before = {row.key: row for row in written}
        # A removal that was begun is only seen as one by the run that goes on with it; else the entry is gone.
        ending = {row.mark for row in written if row.aim is not None and row.aim.name is None}
        self._there = [name for name in there.names if name.standing is not Standing.GOING or name.mark in ending]
        self._rules = rules
        self._decision = Decision()

    def decided(self) -> Decision:
        now = {key: self._as_found(row) for key, row in self._before.items()}
        self._now = [row for row in now.values() if row is not None and row.state is WrittenState.WRITTEN]
        # Known before anything is decided: a label that two people share is ours for both.
        self._ours = {self._rules.said(row.name) for row in self._now}
        after = {key: self._next(key, now.get(key)) for key in (*self._wanted, *(set(now) - set(self._wanted)))}
        for key, row in after.items():
            self._note(key, now.get(key), row)
        self._change(now, after)
        return self._decision

    def _as_found(self, row: WrittenName) -> WrittenName | None:
        """The row, with what the host tells of a run that was cut off, or of what somebody changed there."""
        if row.state in {WrittenState.REFUSED, WrittenState.THEIRS} and row.aim is None:
            return row
        if row.aim is not None and row.aim.name is not None and (found := self._find(row, row.aim.name, row.aim.box)):
            mark = row.mark or found.mark  # the host alone knew it, and the run was cut off before it told us
            return replace(row, state=WrittenState.WRITTEN, name=row.aim.name, box=row.aim.box, mark=mark, aim=None)
        return self._as_left(row) if row.state is WrittenState.WRITTEN else None  # or it was never written

    def _as_left(self, row: WrittenName) -> WrittenName | None:
        """The row of a name that was written, unless an aim of ours was reached."""
        found = self._find(row, row.name, row.box)
        if found is not None:
            again = found.standing is Standing.GOING and row.key in self._wanted
            return None if again else replace(row, aim=None)
        if row.aim is not None and row.aim.name is not None and self._is_open(row.mark):
            return None  # its name was taken off to be replaced when the run was cut off
        if row.aim is not None and row.aim.name is None and not self._find_any(row):
            return None  # taken away by the run that was cut off
        return _refused(row)

    def _next(self, key: NameKey, row: WrittenName | None) -> WrittenName | None:
        """How the row should be in the end; None for no row."""
        want = self._wanted.get(key)
        if row is not None and row.state is WrittenState.REFUSED:
            return row
        if want is None:
            return None
        if row is None or row.state is WrittenState.THEIRS:
            return row if row is not None and row.name == want.name else self._first(want)
        if row.name == want.name and same_place(row.box, want.box):
            return row
        fresh = WrittenName(key, WrittenState.WRITTEN, want.name, want.box, row.mark)
        return fresh if self._rules.said(row.name) == self._rules.said(want.name) else self._unless_taken(fresh, want)

    def _first(self, want: WantedName) -> WrittenName:
        """For a name we have not written on this asset."""
        fresh = WrittenName(want.key, WrittenState.WRITTEN, want.name, want.box, self._rules.mark(want.key))
        found = self._by_mark(fresh.mark)
        was = any(row.mark == fresh.mark and self._find(row, row.name, row.box) for row in self._now)
        changed = found is not None and found.standing is not Standing.OPEN
        if found is not None and changed and not was and not self._is(found, want.name, want.box):
            return _refused(fresh)  # ours once, and changed since (if not: the same face was somebody else's)
        return self._unless_taken(fresh, want)

    def _unless_taken(self, fresh: WrittenName, want: WantedName) -> WrittenName:
        if self._said_by_others(want):
            return replace(fresh, state=WrittenState.THEIRS, mark="")
        return _refused(fresh) if self._was_refused(want) else fresh

    def _said_by_others(self, want: WantedName) -> bool:
        if not want.name and want.box is not None and not self._may_deny(want.box):
            return True  # there is nothing to say it of
        for found in self._there:
            if found.ours or any(found.mark and found.mark == row.mark for row in self._before.values()):
                continue
            if want.box is None:
                if found.name == self._rules.said(want.name) and found.name not in self._ours:
                    return True
            elif self._is_about(found.box, want, want.box) and self._is_a_word(found, want):
                return True
        return False

    def _is_about(self, found: Box | None, want: WantedName, box: Box) -> bool:
        """Whether an entry lies on this face, and on no other one more."""
        if found is None or not self._rules.is_same_face(found, box):
            return False
        others = (other.box for other in self._wanted.values() if other.key.face_id != want.key.face_id and other.box)
        nearer = (other for other in others if iou(other, found) > iou(box, found))
        return all(iou(other, box) > SAME_FACE_IOU for other in nearer)

    def _is_a_word(self, found: NameThere, want: WantedName) -> bool:
        """Whether an entry about the same face keeps us from writing there."""
        if found.standing is Standing.GUESSED:
            return found.name == self._rules.said(want.name)
        return found.standing is Standing.DENIED or bool(found.name)

    def _may_deny(self, box: Box) -> bool:
        """Whether the host found a face here that nobody but us said anything about."""
        ours = {row.mark for row in self._now}
        return any(
            found.found
            and self._rules.is_same_face(found.box, box)
            and (found.standing in {Standing.OPEN, Standing.GUESSED} or found.mark in ours)
            for found in self._there
        )

    def _is_open(self, mark: str) -> bool:
        found = self._by_mark(mark)
        return found is not None and found.standing is Standing.OPEN

    def _was_refused(self, want: WantedName) -> bool:
        """The label was done away with, or the same face was found anew after its region had been refused."""
        refused = [row for row in self._before.values() if row.state is WrittenState.REFUSED]
        again = (
            want.box is not None and row.box is not None and iou(row.box, want.box) > SAME_FACE_IOU
            for row in refused
            if row.key.person_id == want.key.person_id
        )
        return self._rules.refuses(want.name) or any(again)

    def _note(self, key: NameKey, now: WrittenName | None, after: WrittenName | None) -> None:
        before, aim = self._before.get(key), self._aim(now, after)
        if aim is not None:
            # What is written now is kept beside the aim: a kill may come before anything is changed.
            base = now if now is not None and now.state is WrittenState.WRITTEN else None
            base = base or WrittenName(key, WrittenState.NEW, mark=self._rules.mark(key))
            self._decision.before.append(replace(base, aim=aim))
        if after is None:
            if before is not None:
                self._decision.gone.append(key)
        elif after != before or aim is not None:
            self._decision.after.append(after)

    @staticmethod
    def _aim(now: WrittenName | None, after: WrittenName | None) -> Aim | None:
        was_ours = now is not None and now.state is WrittenState.WRITTEN
        if after is not None and after.state is WrittenState.WRITTEN:
            changed = now is None or not was_ours or now.name != after.name or not same_place(now.box, after.box)
            return Aim(after.name, after.box) if changed else None
        return Aim(None) if was_ours else None

    def _change(self, now: dict[NameKey, WrittenName | None], after: dict[NameKey, WrittenName | None]) -> None:
        aims = {row.key: row.aim for row in self._decision.before if row.aim is not None}
        for key, aim in aims.items():
            row = after[key]
            if aim.name is not None and row is not None and not self._carries(row):
                mark = row.mark if self._by_mark(row.mark) else ""
                self._put(PutName(key, self._rules.said(row.name), row.box, mark))
        self._decision.take.extend(self._to_take(now, after, aims))

    def _put(self, put: PutName) -> None:
        if put.box is not None or all(put.name != other.name for other in self._decision.put):
            self._decision.put.append(put)

    def _to_take(
        self,
        now: dict[NameKey, WrittenName | None],
        after: dict[NameKey, WrittenName | None],
        aims: dict[NameKey, Aim],
    ) -> Iterable[NameThere]:
        """What of ours is there and not to stay: also an old label beside its new one, left by a kill."""
        stays = [row for row in after.values() if row is not None and row.state is WrittenState.WRITTEN]
        marks, kept = {row.mark for row in stays}, {self._rules.said(row.name) for row in stays}
        old = [row for key, row in now.items() if key in aims and row is not None]
        old += [row for row in self._before.values() if row.aim is not None and row.state is WrittenState.WRITTEN]
        seen: list[NameThere] = []
        for row in old:
            found = self._find(row, row.name, row.box)
            if found is None or found in seen:
                continue
            seen.append(found)
            if not (found.mark in marks if found.mark else found.name in kept):
                yield found

    def _carries(self, row: WrittenName) -> bool:
        """Whether the asset carries this already (a label somebody else of ours shares)."""
        found = self._find(row, row.name, row.box)
        return found is not None and found.standing is not Standing.GOING

    def _find(self, row: WrittenName, name: str, box: Box | None) -> NameThere | None:
        candidates = [found for found in self._there if found.mark == row.mark] if row.mark else self._there
        return next((found for found in candidates if self._is(found, name, box)), None)

    def _find_any(self, row: WrittenName) -> NameThere | None:
        """Our entry, whatever it says, unless it is what the face was to become. Labels only have their name."""
        found = self._by_mark(row.mark)
        if found is not None and found.standing is Standing.OPEN:
            return None
        rows = (other for other in self._before.values() if other.key != row.key)
        others = (other for other in rows if other.mark in {row.mark, ""})
        aims = [other.aim for other in others if other.aim is not None and other.aim.name is not None]
        replaced = found is not None and any(self._is(found, aim.name or "", aim.box) for aim in aims)
        return None if replaced else found

    def _by_mark(self, mark: str) -> NameThere | None:
        return next((found for found in self._there if mark and found.mark == mark), None)

    def _is(self, found: NameThere, name: str, box: Box | None) -> bool:
        # Labels have no box; where there are boxes, an entry without one was changed by somebody.
        if not name:
            return found.standing is Standing.DENIED and self._rules.here(found.box, box)
        said = found.name == self._rules.said(name) and found.standing in {Standing.SAID, Standing.GOING}
        return said and (box is None or self._rules.here(found.box, box))
