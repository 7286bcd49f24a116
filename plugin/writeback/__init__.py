"""Tell the host who is on a photo; never overwrite what a user did there.

What belongs on the host is never stored: it is what the catalogue says now. What we wrote is. A run works off the
difference, one asset at a time: read what is there, decide (`deciding`), note the aim, write, note what was done. So a
rename, a merge, a hide and an undo follow by themselves, and a run that was killed is taken up where it was.
`label_names`, `sidecar_names` and `marker_names` are the ways of keeping names; `taking_over` brings back what users of
a host with markers said there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from plugin.domain import AccountId, Asset, AssetId, Library, LibraryId
from plugin.errors import (
    AnswerFailed,
    AssetGone,
    CertificateRefused,
    ChangedMeanwhile,
    HostBusy,
    HostError,
    HostFull,
    HostRefused,
    HostUnreachable,
    KinfolkError,
    LoginRefused,
    NotFound,
    PictureError,
    Refused,
    WriteError,
)
from plugin.people import People
from plugin.ports.catalogue import Catalogue
from plugin.ports.host import Host
from plugin.ports.writing import LabelHost, MarkerHost, NameKeeper, NamesThere, SidecarHost
from plugin.ports.written import (
    NameKey,
    NameKind,
    WriteBackSetting,
    WriteCounts,
    WritePlan,
    WriteState,
    WrittenName,
    WrittenState,
)
from plugin.writeback.deciding import Decision, Rules, decide
from plugin.writeback.from_hosts import NamesFromHosts
from plugin.writeback.label_names import LabelNames
from plugin.writeback.marker_names import MarkerNames
from plugin.writeback.marker_words import Taken
from plugin.writeback.sidecar_names import OrientationOf, SidecarNames
from plugin.writeback.taking_over import TakingOver

AT_ONCE = 200
"""Assets per look at the difference: it costs up to a second for a hundred thousand faces."""

TRIES = 3
"""How often an asset is read again because somebody wrote in between."""

MOST_TROUBLES_IN_A_ROW = 10
"""So many assets one after the other that cannot be written now: it is the host, and it is left in peace."""

MOST_TIMES_WELL = 4
"""So often in one run the host says that it is well all the same: then the next assets are tried, too."""

PERHAPS_THE_HOST = (WriteError, AnswerFailed, HostRefused)
"""One asset's trouble (its storage is away, its file may not be read), unless it comes for one after the other."""

FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WriteBackStatus:
    """How writing to one host in one way stands; `setting` is None while it was never turned on.

    Attributes:
        left: names on the host that do not belong there any more and stay, since writing is paused.
    """

    kind: NameKind
    setting: WriteBackSetting | None
    counts: WriteCounts | None
    waiting: int
    left: int = 0


@dataclass(frozen=True, slots=True)
class WriteSlice:
    """What a slice of a run did; `more` tells whether it ended for its time only."""

    photos: int
    troubles: int
    more: bool


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class WriteBack:
    """Turns writing on and off, and does it.

    Args:
        catalogue: where everything is stored.
        host_of: the host of a library.
        orientation_of: how a picture is stored.
        wake: wakes the workers.
        people: says what users of a host with markers said there.
        clock: what time it is; tests pass their own.
        should_stop: true once the process is shutting down.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        host_of: Callable[[Library], Host],
        orientation_of: OrientationOf,
        wake: Callable[[], None],
        *,
        people: People,
        clock: Callable[[], datetime] = utc_now,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._catalogue = catalogue
        self._rows = catalogue.written
        self._host_of = host_of
        self._orientation_of = orientation_of
        self._wake = wake
        self._people = people
        self._from_hosts = NamesFromHosts(catalogue, host_of, people, clock)
        self._clock = clock
        self._should_stop = should_stop

    def kinds(self, library: Library) -> tuple[NameKind, ...]:
        """The ways in which names can be kept on this library's host."""
        try:
            host = self._host_of(library)
        except HostError:
            return ()  # it cannot even be opened; its sync says why
        offered = {
            NameKind.TAGS: isinstance(host, LabelHost),
            NameKind.SIDECARS: isinstance(host, SidecarHost),
            NameKind.MARKERS: isinstance(host, MarkerHost),
        }
        return tuple(kind for kind, offers in offered.items() if offers)

    def status(self, library: Library) -> list[WriteBackStatus]:
        """How each way stands that the host offers or that is turned on."""
        settings = {setting.kind: setting for setting in self._rows.settings(library.id)}
        kinds = dict.fromkeys((*self.kinds(library), *settings))
        return [self._status(library, kind, settings.get(kind)) for kind in kinds]

    def _status(self, library: Library, kind: NameKind, setting: WriteBackSetting | None) -> WriteBackStatus:
        if setting is None:
            return WriteBackStatus(kind, None, None, 0)
        waiting = self._rows.waiting(library.id, kind)
        left = self._rows.plan(library.id, kind).take if setting.state is WriteState.PAUSED else 0
        return WriteBackStatus(kind, setting, self._rows.counts(library.id, kind), waiting, left)

    def left_at(self, account_id: AccountId) -> list[Library]:
        """Libraries whose host still shows names that do not belong there (somebody was forgotten), for a pause."""
        paused = [setting for setting in self._rows.settings() if setting.state is WriteState.PAUSED]
        left = {row.library_id for row in paused if self._rows.plan(row.library_id, row.kind).take}
        return [library for library in self._catalogue.libraries.all(account_id) if library.id in left]

    def preview(self, library: Library, kind: NameKind) -> WritePlan:
        """What would be written now. Raises `NotFound` when the host does not offer this way."""
        self._require(library, kind)
        return self._rows.plan(library.id, kind)

    def start(self, library: Library, kind: NameKind) -> None:
        """Write from now on. Raises `NotFound` when the host does not offer this way."""
        self._require(library, kind)
        setting = self._rows.setting(library.id, kind)
        if setting is not None and setting.state is WriteState.REMOVING:
            raise Refused("Names are still being removed from the host", "Wait until they are gone")
        self._rows.set_state(library.id, kind, WriteState.ON)
        self._rows.retry(library.id, kind)
        self._wake()

    def pause(self, library: Library, kind: NameKind) -> None:
        """Write nothing more and leave what was written as it is."""
        if self._rows.setting(library.id, kind) is not None:
            self._rows.set_state(library.id, kind, WriteState.PAUSED)

    def remove(self, library: Library, kind: NameKind) -> None:
        """Take back everything that was written; then it is as if it had never been turned on.

        Photos that are away are waited for, until the user gives that up (`end`).
        """
        if self._rows.setting(library.id, kind) is not None:
            self._rows.set_state(library.id, kind, WriteState.REMOVING)
            self._rows.retry(library.id, kind)
            self._wake()

    def end(self, library: Library, kind: NameKind) -> None:
        """Forget what could not be taken back yet, on photos that are away or cannot be changed: the names stay there.

        Raises:
            Refused: it is not being taken back.
        """
        setting = self._rows.setting(library.id, kind)
        if setting is not None and setting.state is not WriteState.REMOVING:
            raise Refused("The names are not being removed from the host", "Remove them first")
        self._rows.end(library.id, kind)

    def write_again(self, library: Library, kind: NameKind) -> int:
        """Write what was refused on the host once more, since the user asks for it; returns how many names."""
        names = self._rows.write_again(library.id, kind)
        self._wake()
        return names

    def take_over(self, library_id: LibraryId) -> Taken | None:
        """Make verdicts of what users said on a host with markers, if that is due. Raises `NotFound`."""
        return self._from_hosts.look(library_id)

    def due(self) -> list[tuple[LibraryId, NameKind]]:
        """What may have something to write now; cheap, for a look every minute."""
        on = (setting for setting in self._rows.settings() if setting.state is not WriteState.PAUSED)
        return [(setting.library_id, setting.kind) for setting in on if self._is_due(setting)]

    def _is_due(self, setting: WriteBackSetting) -> bool:
        now = self._clock()
        if setting.due_at is not None and setting.due_at > now:
            return False
        trouble = self._rows.next_trouble(setting.library_id, setting.kind)
        return setting.settled != self._marker(setting.library_id) or (trouble is not None and trouble <= now)

    def _marker(self, library_id: LibraryId) -> str:
        account_id = self._catalogue.libraries.get(library_id).account_id
        return self._catalogue.live.marker(account_id)

    def run(self, library_id: LibraryId, kind: NameKind, seconds: float = float("inf")) -> WriteSlice:
        """Write for about this long. A host that cannot be written to now ends the run, which is noted and shown."""
        setting = self._rows.setting(library_id, kind)
        if setting is None or setting.state is WriteState.PAUSED:
            return WriteSlice(0, 0, more=False)
        marker = self._marker(library_id)
        run = _Run(time.monotonic() + seconds, setting.failures)
        try:
            keeper = self._keeper(self._catalogue.libraries.get(library_id), kind)
            keeper.begin(removing=setting.state is WriteState.REMOVING)
            finished = self._work_off(library_id, keeper, run)
            if finished:
                keeper.finish(self._rows.names_in_use(library_id, kind))
            if finished and setting.state is WriteState.REMOVING and not self._left_of(library_id, kind):
                self._rows.end(library_id, kind)
            elif finished:
                self._rows.settled(library_id, kind, marker)
        except HostError as error:
            failures = 0 if run.photos else setting.failures  # what gets on is not left alone for longer each time
            due_at = self._clock() + _rest(failures)
            self._rows.stopped(library_id, kind, error.explanation, due_at, failures + 1)
            return WriteSlice(run.photos, run.troubles, more=False)
        return WriteSlice(run.photos, run.troubles, more=not finished and not self._should_stop())

    def _left_of(self, library_id: LibraryId, kind: NameKind) -> bool:
        """Whether something of ours is still there, on an asset that has trouble or is away (and may come back)."""
        counts = self._rows.counts(library_id, kind)
        return bool(counts.names or counts.away or self._rows.next_trouble(library_id, kind))

    def _work_off(self, library_id: LibraryId, keeper: NameKeeper, run: "_Run") -> bool:
        """False when the time was over first. Raises `HostError` when the host is not to be asked any more."""
        seen: set[AssetId] = set()
        while True:
            waiting = self._rows.to_visit(library_id, keeper.kind, self._clock(), AT_ONCE)
            # What differs still after a visit was changed meanwhile; the next run sees to it.
            new = [asset_id for asset_id in waiting if asset_id not in seen]
            if not new:
                return True
            for asset_id in new:
                if self._should_stop() or time.monotonic() > run.deadline:
                    return False
                self._visit(self._catalogue.assets.get(asset_id), keeper, run)
                seen.add(asset_id)

    def _visit(self, asset: Asset, keeper: NameKeeper, run: "_Run") -> None:
        try:
            self._make_visit(asset, keeper)
        except (HostFull, LoginRefused, CertificateRefused):
            raise
        except (AssetGone, PictureError, *PERHAPS_THE_HOST) as error:
            if isinstance(error, HostRefused) and keeper.kind is NameKind.MARKERS:
                self._note_end(asset, keeper, run, error)
                raise  # rights on people are for all or for none, those on files for each
            self._note_trouble(asset, keeper, error)
            run.trouble(counts=isinstance(error, HostRefused) or not error.permanent)
            if run.in_a_row >= MOST_TROUBLES_IN_A_ROW and isinstance(error, PERHAPS_THE_HOST):
                self._ask_whether_well(asset, run, error)
        except HostUnreachable as error:
            if not isinstance(error, HostBusy) or error.asked:
                self._note_end(asset, keeper, run, error)
            raise
        else:
            self._rows.no_trouble(asset.id, keeper.kind)
            run.done()

    def _make_visit(self, asset: Asset, keeper: NameKeeper) -> None:
        for tries in range(TRIES):
            try:
                Visit(self._catalogue, keeper, asset).make()
                break
            except ChangedMeanwhile:
                if tries == TRIES - 1:
                    raise

    def _note_trouble(self, asset: Asset, keeper: NameKeeper, error: KinfolkError) -> None:
        self._rows.trouble(asset.id, keeper.kind, error.code, str(error.message), self._clock())

    def _note_end(self, asset: Asset, keeper: NameKeeper, run: "_Run", error: KinfolkError) -> None:
        """A second run in a row ends: it may be for this asset alone, so that the next one begins behind it."""
        if run.failures:
            self._note_trouble(asset, keeper, error)

    def _ask_whether_well(self, asset: Asset, run: "_Run", error: KinfolkError) -> None:
        """After many troubles in a row: raises `error` or what the host says, unless it is well and others may be."""
        if run.asked_whether_well >= MOST_TIMES_WELL:
            raise error
        self._host_of(self._catalogue.libraries.get(asset.library_id)).check()
        run.is_well()

    def _require(self, library: Library, kind: NameKind) -> None:
        if kind not in self.kinds(library):
            raise NotFound("The host of this library does not take names this way")

    def _keeper(self, library: Library, kind: NameKind) -> NameKeeper:
        host = self._host_of(library)
        if kind is NameKind.TAGS and isinstance(host, LabelHost):
            return LabelNames(host, self._rows, library.id)
        if kind is NameKind.SIDECARS and isinstance(host, SidecarHost):
            return SidecarNames(host, self._rows.installation(), self._orientation_of)
        if kind is NameKind.MARKERS and isinstance(host, MarkerHost):
            taking = TakingOver(self._catalogue, library, self._people)
            return MarkerNames(host, self._catalogue.host_people, library.id, taking)
        raise HostError("The host of this library does not take names this way any more")


def _rest(failures: int) -> timedelta:
    return min(FIRST_REST * float(2 ** min(failures, 10)), LONGEST_REST)


@dataclass(slots=True)
class _Run:
    """Counts of one run; `failures`: runs in a row before it that stopped."""

    deadline: float
    failures: int
    photos: int = 0
    troubles: int = 0
    in_a_row: int = 0
    asked_whether_well: int = 0

    def done(self) -> None:
        self.photos, self.in_a_row = self.photos + 1, 0

    def trouble(self, *, counts: bool) -> None:
        """`counts`: it may be the host and not the asset."""
        self.troubles += 1
        self.in_a_row = self.in_a_row + 1 if counts else 0

    def is_well(self) -> None:
        """The host is there, although so much failed."""
        self.in_a_row, self.asked_whether_well = 0, self.asked_whether_well + 1


class Visit:
    """One asset brought to what is wanted. Safe to repeat after a kill at any point.

    Args:
        catalogue: where everything is stored.
        keeper: the way names are kept.
        asset: which.
    """

    def __init__(self, catalogue: Catalogue, keeper: NameKeeper, asset: Asset) -> None:
        self._rows = catalogue.written
        self._keeper = keeper
        self._asset = asset
        self._marks: dict[int, str] = {}

    def make(self) -> None:
        """Read, decide, note the aim, write, note what was done. Raises `HostError`."""
        # Read first: what users said there may be taken over, and change what is wanted.
        there = self._keeper.read(self._asset, self._asset.path)
        wanted, written = self._rows.names_of(self._asset, self._keeper.kind)
        self._marks = {row.key.face_id: row.mark for row in written if row.mark and row.key.person_id}
        if self._keeper.kind.has_places:
            written = [row for row in written if self._followed(row, there)]
        decision = decide(wanted, written, there, self._rules)
        self._rows.record(self._asset, self._keeper.kind, self._placed(decision.before))
        marks = self._keeper.write(self._asset, self._asset.path, there, decision.changes) if decision.changes else {}
        after = [replace(row, mark=marks.get(row.key, row.mark)) for row in decision.after]
        self._rows.record(self._asset, self._keeper.kind, self._settled(after, written, decision), decision.gone)

    @property
    def _rules(self) -> Rules:
        return Rules(self._keeper.said, self._mark, self._keeper.refuses, self._keeper.overlap)

    def _mark(self, key: NameKey) -> str:
        """As the keeper says, or what this face carries already: it becomes somebody else's."""
        return self._keeper.mark(key) or (self._marks.get(key.face_id, "") if key.person_id else "")

    def _settled(self, after: list[WrittenName], written: list[WrittenName], decision: Decision) -> list[WrittenName]:
        """What is recorded in the end: also that what moved with its photo lies there now."""
        known = {row.key for row in after} | set(decision.gone)
        moved = [row for row in written if row.key not in known and row.path != self._path]
        return self._placed([*after, *moved])

    @property
    def _path(self) -> str:
        return self._asset.path if self._keeper.kind.has_places else ""

    def _placed(self, rows: list[WrittenName]) -> list[WrittenName]:
        return [replace(row, path=self._path) for row in rows]

    def _followed(self, row: WrittenName, there: NamesThere) -> bool:
        """After a move of the photo: whether what we wrote moved along. If not, it is taken from where it was."""
        if row.path == self._asset.path or row.state not in {WrittenState.WRITTEN, WrittenState.NEW}:
            return True
        if any(found.mark == row.mark for found in there.names):
            return True
        self._take_from(row)
        self._rows.record(self._asset, self._keeper.kind, [], [row.key])
        return False

    def _take_from(self, row: WrittenName) -> None:
        old = self._keeper.read(self._asset, row.path)
        left = decide([], [row], old, self._rules)
        if left.changes:
            self._keeper.write(self._asset, row.path, old, left.changes)


__all__ = ["NameKey", "NameKind", "Taken", "Visit", "WriteBack", "WriteBackStatus", "WriteSlice"]
