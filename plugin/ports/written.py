"""The port to what the catalogue remembers of names written to hosts; like `plugin.ports.catalogue`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from plugin.domain import AccountId, Asset, AssetId, Box, FaceId, FailureCount, LibraryId, PersonId


class NameKind(StrEnum):
    """How names are kept on a host: labels that have names, face regions in sidecar files, or markers of the host."""

    TAGS = "tags"
    SIDECARS = "sidecars"
    MARKERS = "markers"

    @property
    def has_places(self) -> bool:
        """Whether it says where a face is; labels only say who is on the photo."""
        return self is not NameKind.TAGS

    @property
    def denies(self) -> bool:
        """Whether it can say that something is no face: a name "" of nobody (person 0)."""
        return self is NameKind.MARKERS


class NameKey(NamedTuple):
    """What a name on an asset stands for: this face being this person; face 0 where no places are kept."""

    face_id: FaceId
    person_id: PersonId


class WrittenState(StrEnum):
    """Whose a name on the host is.

    `new`: only intended so far. `written`: by us. `theirs`: others said it before us. `refused`: somebody on the host
    changed or removed what we wrote, so it is theirs to say.
    """

    NEW = "new"
    WRITTEN = "written"
    THEIRS = "theirs"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class WantedName:
    """A name that belongs on an asset."""

    key: NameKey
    name: str
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What was about to be done when this was noted: `name` is None for taking the name away."""

    name: str | None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class WrittenName:
    """What we know of one name on one asset.

    Attributes:
        name: what we wrote; "" when new or refused, and for `theirs` what we would have written.
        box: where, in the upright picture.
        mark: by what it is found again on the host.
        path: of the asset when it was written.
        aim: what was being done; None once it is known to be done.
    """

    key: NameKey
    state: WrittenState
    name: str = ""
    box: Box | None = None
    mark: str = ""
    path: str = ""
    aim: Aim | None = None


class WriteState(StrEnum):
    """`on`: follows. `paused`: what is written stays as it is. `removing`: everything of ours is being taken back."""

    ON = "on"
    PAUSED = "paused"
    REMOVING = "removing"


@dataclass(frozen=True, slots=True)
class WriteBackSetting:
    """That names of a library are written to its host.

    Attributes:
        settled: the catalogue's mark of change (`LiveRows.marker`) up to which everything was written; "" for never.
        error: why the last run stopped, "" when it did not.
        due_at: not before this time is the host asked again.
        failures: runs in a row that stopped and had written nothing.
        finished_at: when everything was written last.
    """

    library_id: LibraryId
    kind: NameKind
    state: WriteState
    settled: str = ""
    error: str = ""
    due_at: datetime | None = None
    failures: int = 0
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PersonOnHost:
    """How many photos would carry, or carry, a person's name."""

    person_id: PersonId
    name: str
    photos: int


@dataclass(frozen=True, slots=True)
class WritePlan:
    """The difference between what is wanted and what was written.

    Attributes:
        photos: that differ.
        put: names to be written there, or written anew.
        take: names of ours to be taken away.
        people: whose names belong on the host, most photos first, at most twelve.
        examples: faces of photos that differ, at most twelve.
    """

    photos: int
    put: int
    take: int
    people: tuple[PersonOnHost, ...]
    examples: tuple[FaceId, ...]


@dataclass(frozen=True, slots=True)
class WriteCounts:
    """What there is: names and photos we wrote, names others said or refused, photos that have trouble, by reason.

    `away`: photos that carry names of ours and are not among the host's photos now (in its trash, say), besides.
    """

    names: int
    photos: int
    theirs: int
    refused: int
    problems: tuple[FailureCount, ...]
    away: int = 0


@dataclass(frozen=True, slots=True)
class KnownLabel:
    """A label we use. `made`: by us. `id` is "" while it is being made. `refused`: renamed or deleted on the host."""

    name: str
    id: str
    made: bool
    refused: bool = False


@dataclass(frozen=True, slots=True)
class PersonLink:
    """Which person of a host (`subject`) is which person here.

    Attributes:
        name: of the person here when both sides agreed last.
        there: of the subject then, as the host keeps it.
        before: of the subject when it was met, which it gets back in the end; "" when Kinfolk made it.
        called: of the person here now.
        aim: what the subject was being renamed to, "" when nothing was begun.
    """

    subject: str
    person_id: PersonId
    name: str
    there: str
    before: str = ""
    called: str = ""
    aim: str = ""


GUESS = "?"
"""Before the subject a host takes a marker for, in what is remembered of a marker."""


class HostPeopleRows(Protocol):
    """Who is who on hosts that know people, and what was taken over from there. Safe to repeat."""

    def links(self, library_id: LibraryId) -> list[PersonLink]: ...
    def agree(self, library_id: LibraryId, link: PersonLink) -> None:
        """Both sides have these names now; names written to the library's markers of the subject follow."""
        ...

    def forget(self, library_id: LibraryId, subject: str) -> None:
        """This subject is nobody's any more."""
        ...

    def seen(self, asset_id: AssetId) -> dict[str, str]:
        """What each marker of an asset said when it was looked at last; a guess only while it is kept (`guess`)."""
        ...

    def see(self, asset_id: AssetId, markers: Mapping[str, str]) -> None:
        """Remember what these markers say."""
        ...

    def guess(self, library_id: LibraryId, guesses: Mapping[FaceId, str]) -> None:
        """Remember which subject the host takes these faces for; "" forgets."""
        ...

    def guesses(self, account_id: AccountId) -> dict[FaceId, PersonId]:
        """Faces of nobody the host takes for somebody who is known here."""
        ...


class WrittenRows(Protocol):
    """What is written to hosts. Every method is one transaction and safe to repeat."""

    def installation(self) -> str:
        """The name of this Kinfolk, made once: marks on hosts say whose they are."""
        ...

    def settings(self, library_id: LibraryId | None = None) -> list[WriteBackSetting]:
        """Every setting (of the library)."""
        ...

    def setting(self, library_id: LibraryId, kind: NameKind) -> WriteBackSetting | None: ...
    def set_state(self, library_id: LibraryId, kind: NameKind, state: WriteState) -> None:
        """Turn it on, or change its state; it is due at once."""
        ...

    def end(self, library_id: LibraryId, kind: NameKind) -> None:
        """Forget the setting and all rows of it; nothing of ours is on the host any more."""
        ...

    def stopped(self, library_id: LibraryId, kind: NameKind, error: str, due_at: datetime, failures: int) -> None:
        """A run stopped since the host cannot be written to now, the so many-th in a row."""
        ...

    def settled(self, library_id: LibraryId, kind: NameKind, marker: str) -> None:
        """A run came to its end: everything up to this mark of change is written, but for what has trouble."""
        ...

    def plan(self, library_id: LibraryId, kind: NameKind) -> WritePlan:
        """What a run would do now; also before it is turned on."""
        ...

    def waiting(self, library_id: LibraryId, kind: NameKind) -> int:
        """How many assets differ, those that rest included."""
        ...

    def to_visit(self, library_id: LibraryId, kind: NameKind, now: datetime, limit: int) -> list[AssetId]:
        """Assets that differ and have no trouble that lasts longer than `now`, lowest id first."""
        ...

    def next_trouble(self, library_id: LibraryId, kind: NameKind) -> datetime | None:
        """When an asset that has trouble is due next."""
        ...

    def names_of(self, asset: Asset, kind: NameKind) -> tuple[list[WantedName], list[WrittenName]]:
        """What is wanted on one asset and what we know to be there; nothing is wanted where all is taken back."""
        ...

    def record(self, asset: Asset, kind: NameKind, names: Sequence[WrittenName], gone: Sequence[NameKey] = ()) -> None:
        """Note what is about to be done, or was done, on one asset."""
        ...

    def trouble(self, asset_id: AssetId, kind: NameKind, code: str, message: str, now: datetime) -> None:
        """One asset could not be written; it rests, longer each time."""
        ...

    def no_trouble(self, asset_id: AssetId, kind: NameKind) -> None: ...
    def retry(self, library_id: LibraryId, kind: NameKind) -> None:
        """Everything that rests is due now."""
        ...

    def write_again(self, library_id: LibraryId, kind: NameKind) -> int:
        """Forget what was refused on the host, since the user asks for it; returns how many names."""
        ...

    def counts(self, library_id: LibraryId, kind: NameKind) -> WriteCounts: ...
    def names_in_use(self, library_id: LibraryId, kind: NameKind) -> set[str]:
        """Every name that is wanted or that we know to be there."""
        ...

    def labels(self, library_id: LibraryId) -> list[KnownLabel]: ...
    def note_label(self, library_id: LibraryId, label: KnownLabel) -> None: ...
    def forget_label(self, library_id: LibraryId, name: str) -> None: ...
