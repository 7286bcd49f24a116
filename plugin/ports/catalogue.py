"""The port to the catalogue: the truth, embeddings included. Every method is one transaction and safe to repeat.

Every query for a user takes the account and never returns another account's rows. Methods raise `NotFound` for ids
that do not exist or belong to another account, `DiskFull` when nothing can be written, `CatalogueCorrupt` when the file
broke.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from plugin.domain import (
    Account,
    AccountId,
    ApiToken,
    Asset,
    AssetId,
    AssignedBy,
    Companion,
    Event,
    ExportedFace,
    Face,
    FaceId,
    FaceState,
    FailureCount,
    Float32Array,
    FoundFace,
    HostAsset,
    IntakeProblem,
    Library,
    LibraryId,
    MonthCount,
    Person,
    PersonId,
    PersonOrder,
    PhotoSearch,
    QueueStatus,
    TokenScope,
    Verdict,
    VerdictKind,
)
from plugin.ports.galleries import GalleryRows, LiveRows, Touched
from plugin.ports.outside import HookRows, OutsideUserRows
from plugin.ports.sharing import SharedRows, ShareRows
from plugin.ports.smart_home import SmartHomeRows
from plugin.ports.written import HostPeopleRows, WrittenRows

IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
TimeArray: TypeAlias = npt.NDArray[np.datetime64]


class AccountRows(Protocol):
    """Accounts and their passwords (only hashes reach this port)."""

    def all(self) -> list[Account]: ...
    def get(self, account_id: AccountId) -> Account | None: ...
    def by_name(self, name: str) -> Account | None:
        """Case-insensitive."""
        ...

    def add(self, name: str, password_hash: str | None, *, is_admin: bool) -> Account:
        """Raises `Refused` when the name is taken or empty."""
        ...

    def set_password(self, account_id: AccountId, password_hash: str) -> None:
        """Also raises `session_epoch`, which ends every session of the account."""
        ...

    def rename(self, account_id: AccountId, name: str) -> None: ...
    def set_admin(self, account_id: AccountId, *, is_admin: bool) -> None:
        """Raises `Refused` when no administrator who can log in would be left."""
        ...

    def remove(self, account_id: AccountId) -> None:
        """With libraries, people and everything else of it; raises `Refused` for the last administrator."""
        ...

    def invite(self, account_id: AccountId, token_hash: str, expires_at: datetime) -> None:
        """Let the holder of a token set the password; an earlier invitation of the account ends."""
        ...

    def invited(self, token_hash: str) -> Account | None:
        """Whose invitation this is; None when it was used, replaced or has expired."""
        ...

    def accept_invitation(self, token_hash: str, password_hash: str) -> Account:
        """Set the password and end the invitation, in one; raises `Refused` when it does not hold any more."""
        ...

    def open_invitations(self) -> dict[AccountId, datetime]:
        """Until when invitations hold that nobody has used."""
        ...


class LibraryRows(Protocol):
    """Libraries and what their last sync said."""

    def all(self, account_id: AccountId | None = None) -> list[Library]: ...
    def get(self, library_id: LibraryId, account_id: AccountId | None = None) -> Library: ...
    def add(self, account_id: AccountId, host: str, name: str, address: str) -> Library:
        """The existing library is returned when this account already has that host and address."""
        ...

    def remove(self, library_id: LibraryId, account_id: AccountId | None = None) -> None:
        """With all its assets, faces, embeddings; unnamed persons that lose their last face go too."""
        ...

    def request_sync(self, library_id: LibraryId) -> None: ...
    def sync_started(self, library_id: LibraryId) -> int:
        """A new, larger pass number for `AssetRows.seen`."""
        ...

    def sync_finished(self, library_id: LibraryId, error: str | None) -> None:
        """Clears the request; `error` is None when the pass was complete."""
        ...

    def replace_problems(self, library_id: LibraryId, problems: Sequence[IntakeProblem]) -> None: ...
    def problems(self, library_id: LibraryId) -> list[IntakeProblem]: ...
    def all_problems(self, account_id: AccountId) -> dict[LibraryId, list[IntakeProblem]]:
        """Of every library of the account that has any, in the order they were met."""
        ...

    def example_problems(self, account_id: AccountId, each: int) -> list[IntakeProblem]:
        """Of each kind at most so many, in the order they were met."""
        ...


@dataclass(frozen=True, slots=True)
class HostLogin:
    """How Kinfolk logs in at the host of one library.

    Attributes:
        name: of the user.
        secret: encrypted; the key is not in the catalogue. "" where the host wants no login of ours: we are an app of
            it, or it is open to everybody. What is chosen and whether it refused us is kept all the same.
        fingerprint: of a certificate the user confirmed, None for one that is vouched for.
        options: what the user chose, such as folders to read; each a tuple of paths.
        refused: why the host does not accept it any more; None while it does.
    """

    name: str
    secret: str = field(repr=False)
    fingerprint: str | None = None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: str | None = None


class HostLoginRows(Protocol):
    """Logins at hosts on the network; they go with their library."""

    def get(self, library_id: LibraryId) -> HostLogin | None: ...
    def put(self, library_id: LibraryId, login: HostLogin) -> None: ...
    def refuse(self, library_id: LibraryId, secret: str, reason: str) -> None:
        """The host does not accept this secret any more; a newer one stays. "": it let us in without, and stopped."""
        ...


class FolderMarkRows(Protocol):
    """What hosts said of folders when everything at and below them was stored. Paths: "" is the whole library."""

    def get(self, library_id: LibraryId, path: str) -> str | None: ...
    def all(self, library_id: LibraryId) -> dict[str, str]: ...
    def put(self, library_id: LibraryId, marks: Mapping[str, str]) -> None: ...
    def drop(self, library_id: LibraryId, paths: Collection[str]) -> None: ...
    def clear(self, library_id: LibraryId) -> None: ...


@dataclass(frozen=True, slots=True)
class SeenAsset:
    """What `AssetRows.seen` did: one of `new`, `changed`, `same`, `returned`."""

    asset_id: AssetId
    outcome: str


class AssetRows(Protocol):
    """Assets as intake sees them, and the rows that are the detection queue."""

    def by_host_key(self, library_id: LibraryId, host_key: str) -> AssetId | None:
        """The asset the host knows by this name, or None; gone ones are none."""
        ...

    def content_key(self, library_id: LibraryId, host_key: str, change_key: str) -> str | None:
        """The stored content key when the stored change key is the same and not empty, else None."""
        ...

    def contents(self, library_id: LibraryId, folder: str) -> dict[str, tuple[str, str]]:
        """What `content_key` compares with, of all assets directly in a folder ("": at the top): (change, content)."""
        ...

    def seen(self, library_id: LibraryId, listed: Sequence[HostAsset], sync_pass: int) -> list[SeenAsset]:
        """Insert or update by `host_key`; new or changed content, and content that returns changed, becomes pending.

        A file that another library of the account at the same server holds already is left to that one, and not told.
        """
        ...

    def looked_up(self, library_id: LibraryId, found: Sequence[HostAsset]) -> list[SeenAsset]:
        """As `seen`, beside the passes: a pass that is under way has met these, the next one meets them anew."""
        ...

    def unseen_with_content(self, library_id: LibraryId, content_key: str, sync_pass: int) -> list[Asset]:
        """Assets with this content not seen in this pass (gone ones included): candidates for a move."""
        ...

    def moved(self, asset_id: AssetId, listed: HostAsset, sync_pass: int) -> None:
        """Same asset, new key and path; faces and verdicts stay; detection is not repeated."""
        ...

    def unseen(self, library_id: LibraryId, sync_pass: int) -> Iterator[Asset]:
        """Present assets the pass did not see, streamed in blocks."""
        ...

    def unseen_places(self, library_id: LibraryId, sync_pass: int) -> Iterator[tuple[AssetId, str]]:
        """(id, path) of what `unseen` gives, ten times as fast."""
        ...

    def of_host_key(self, library_id: LibraryId, host_key: str) -> Asset | None:
        """The asset of this library that the host names so, gone or not."""
        ...

    def mark_gone(self, asset_ids: Sequence[AssetId]) -> None:
        """Hidden with their faces, kept so that a return brings everything back; never deleted here."""
        ...

    def get(self, asset_id: AssetId, account_id: AccountId | None = None) -> Asset: ...
    def of_person(self, person_id: PersonId, account_id: AccountId, offset: int, limit: int) -> list[Asset]:
        """Present assets with a face of this person, newest `taken_at` first."""
        ...

    def neighbours_in_time(self, asset: Asset) -> tuple[AssetId | None, AssetId | None]:
        """The previous and next present asset of the account that has faces, by `taken_at` then id."""
        ...

    def recent_with_faces(self, account_id: AccountId, offset: int, limit: int) -> list[Asset]: ...
    def search(self, account_id: AccountId, search: PhotoSearch, offset: int, limit: int) -> list[Asset]:
        """Present assets that fit, newest `taken_at` first."""
        ...

    def search_count(self, account_id: AccountId, search: PhotoSearch) -> int: ...
    def failed(self, account_id: AccountId | None, code: str | None, limit: int) -> list[Asset]: ...
    def failures(self, account_id: AccountId | None) -> list[FailureCount]:
        """Failed assets and listing problems by reason, most frequent first."""
        ...

    def counts(self, account_id: AccountId | None) -> tuple[int, int]:
        """(present assets, gone assets)."""
        ...


class DetectionQueue(Protocol):
    """The detection work, as rows: leased, retried with growing delay, resumable after kill -9."""

    def request(self, mode: str, pack: str, asset_ids: Sequence[AssetId] | None = None) -> int:
        """Make assets pending again; returns how many are now pending.

        `missing`: no result by this pack yet, or failed. `refresh`: all. `reset`: all, and faces without a verdict are
        deleted at once.
        """
        ...

    def retry_of_library(self, library_id: LibraryId, codes: Sequence[str]) -> int:
        """Present assets of the library that failed for these reasons become pending at once; returns how many."""
        ...

    def once_more(self, library_id: LibraryId, given_up: Sequence[str], resting: Sequence[str]) -> int:
        """A pass over the library's host went well, so its assets get another chance; returns how many.

        Present ones that failed for good for the reasons `given_up` are tried one time more; those that rest for the
        reasons `resting` are due now, their attempts stay counted.
        """
        ...

    def retry_failed(self, account_id: AccountId | None, code: str | None) -> int: ...
    def claim(
        self,
        worker: str,
        count: int,
        lease_seconds: float,
        besides: Collection[LibraryId] = (),
        among: Sequence[AssetId] | None = None,
    ) -> list[Asset]:
        """Lease up to `count` pending assets that are due and not leased, newest `taken_at` first.

        `besides`: libraries whose hosts are to be left alone now. `among`: only these, a few.
        """
        ...

    def finish(
        self,
        asset: Asset,
        pack: str,
        faces: Sequence[FoundFace],
        size: tuple[int, int],
        taken_at: datetime | None,
    ) -> list[FaceId]:
        """Store the result in ONE transaction with state=done, unless the asset's content changed meanwhile.

        Faces already known (IoU > 0.5, see `plugin.faces.boxes`) keep id, person and verdicts and get the new box,
        landmarks and embedding; known faces of this asset that were not found again and carry no verdict are deleted;
        ignored ones stay ignored. Returns the ids of the faces in the order given; 0 for one that is not stored since
        it is where a face was forgotten on request (`PrivacyRows`).
        """
        ...

    def fail(self, asset: Asset, code: str, message: str, *, permanent: bool) -> None:
        """Failed for good, or due again later (after 5 attempts for good)."""
        ...

    def put_off(self, asset: Asset, seconds: float) -> None:
        """Give back one lease, since the host was not asked; due after so long, and no attempt is counted."""
        ...

    def release(self, worker: str, *, count_attempt: bool = False) -> None:
        """Give back every lease of this worker.

        `count_attempt`: false after a clean shutdown; true for the leases of a run that was killed, since a file that
        brings the process down each time must not be tried for ever.
        """
        ...

    def release_expired(self) -> int: ...
    def busy(self, besides: Collection[LibraryId] = ()) -> bool:
        """Whether an asset is due or being looked at; assets that rest before another try do not count.

        `besides`: as in `claim`; nothing of these is due.
        """
        ...

    def status(self, account_id: AccountId | None = None) -> QueueStatus: ...


@dataclass(frozen=True, slots=True, eq=False)
class RecognitionRows:
    """The faces of one account and pack as arrays, all of length n (row i is one face), for `plugin.faces`.

    Attributes:
        face_id: int64. embedding: float32 (n, d). person_id: int64, -1 for none. by_user: bool.
        asset_id: int64. taken_at: datetime64[s], NaT when unknown. quality: float32, 0..1.
        group_id: int64, faces of nobody with the same number are alike (`FaceRows.regroup`), -1 for none.
        waiting: bool, for recognition (pending or deferred).
    """

    face_id: IntArray
    embedding: Float32Array
    person_id: IntArray
    by_user: BoolArray
    asset_id: IntArray
    taken_at: TimeArray
    quality: Float32Array
    group_id: IntArray
    waiting: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class FacePlaces:
    """Where faces stand, as arrays of one length; like `RecognitionRows`, without what takes room."""

    face_id: IntArray
    person_id: IntArray
    group_id: IntArray
    asset_id: IntArray
    quality: Float32Array


class FaceRows(Protocol):
    """Faces, their embeddings and who they belong to."""

    def get(self, face_id: FaceId, account_id: AccountId | None = None) -> Face: ...
    def many(self, face_ids: Sequence[FaceId]) -> list[Face]:
        """Faces that exist among these, in the order given."""
        ...

    def of_asset(self, asset_id: AssetId, account_id: AccountId) -> list[Face]:
        """Every face, ignored ones included, left to right."""
        ...

    def of_person(self, person_id: PersonId, account_id: AccountId, limit: int, offset: int = 0) -> list[Face]:
        """Best quality first."""
        ...

    def embedding(self, face_id: FaceId) -> Float32Array: ...
    def embeddings(self, pack: str, after: FaceId, limit: int) -> tuple[list[FaceId], Float32Array]:
        """The next block of faces with id > `after`, ids ascending, for index rebuilds and exact search."""
        ...

    def to_recognise(self, pack: str, state: FaceState, limit: int) -> list[Face]:
        """Faces of present assets in `pending` or `deferred`, oldest id first."""
        ...

    def recognition_rows(
        self, account_id: AccountId, pack: str, face_ids: Sequence[FaceId] | None = None
    ) -> RecognitionRows:
        """Every face (among these) of present assets of the account that is not ignored, lowest id first."""
        ...

    def places(
        self,
        account_id: AccountId,
        pack: str,
        *,
        face_ids: Sequence[FaceId] = (),
        person_ids: Sequence[PersonId] = (),
        group_ids: Sequence[FaceId] = (),
    ) -> FacePlaces:
        """Those faces of `recognition_rows` that are named, or belong to one of the persons or groups; no order."""
        ...

    def samples(
        self, account_id: AccountId, pack: str, person_ids: Sequence[PersonId], largest: int
    ) -> tuple[list[FaceId], dict[PersonId, int]]:
        """Of each person all comparable faces, or about `largest` of more, always the same; and how many they are."""
        ...

    def all_places(self, account_id: AccountId, pack: str) -> FacePlaces:
        """Where every face of `recognition_rows` stands; no order."""
        ...

    def appearances(self, account_id: AccountId, asset_ids: Sequence[AssetId]) -> IntArray:
        """Who is in which of these assets: (asset, person), int64 (k, 2)."""
        ...

    def regroup(
        self, account_id: AccountId, face_ids: IntArray, persons: IntArray, groups: IntArray
    ) -> dict[int, PersonId]:
        """Store what a run of recognition found, all at once; returns who was founded for each number below -1.

        Faces a user assigned or ignored, pairs that a verdict forbids, and faces and persons that are gone are left
        alone; a face that was waiting and is left alone waits still.

        Args:
            account_id: whose faces these are.
            face_ids: int64 (n,).
            persons: int64 (n,), -1 for none; -2, -3, ... are persons to be founded.
            groups: int64 (n,), for faces of nobody: the lowest id of the faces that are alike, -1 for none.
        """
        ...

    def assign(
        self,
        assignments: Sequence[tuple[FaceId, PersonId | None]],
        by: AssignedBy,
        state: FaceState | None = None,
    ) -> None:
        """Set who faces belong to; None unassigns. `state` overrides the state that follows (assigned/unassigned).

        With `by=MACHINE`, faces a user assigned or ignored, and pairs that a verdict forbids, are left alone.
        """
        ...

    def set_state(self, face_ids: Sequence[FaceId], state: FaceState) -> None: ...
    def draw(self, account_id: AccountId, asset_id: AssetId, pack: str, face: FoundFace) -> FaceId:
        """Store a face a user drew on a photo, in one transaction; no detection and no Reset deletes it.

        Raises `Refused` for videos, and where there is a face already (IoU > 0.5).
        """
        ...

    def redraw(self, account_id: AccountId, face_id: FaceId, pack: str, face: FoundFace) -> None:
        """Another box for a face a user drew. Raises `Refused` for faces of the machine, and like `draw`."""
        ...

    def erase(self, account_id: AccountId, face_id: FaceId) -> None:
        """Delete a face a user drew, with what was said about it. Raises `Refused` for faces of the machine."""
        ...

    def unassign_machine(self, account_id: AccountId | None) -> None:
        """For Reset: faces the machine assigned become pending; unnamed persons without faces are deleted."""
        ...

    def requeue_unassigned(self, account_id: AccountId | None) -> int:
        """For Missing and the nightly run: unassigned faces become pending again."""
        ...

    def recognised_since(self, account_id: AccountId, since: datetime | None) -> list[FaceId]:
        """Faces that recognition changed at or after this time (None: ever)."""
        ...

    def recognition_status(self, account_id: AccountId | None = None) -> QueueStatus: ...
    def state_counts(self, account_id: AccountId | None) -> dict[FaceState, int]:
        """Over faces of present assets."""
        ...

    def export(self, account_id: AccountId | None) -> Iterator[ExportedFace]: ...


class PeopleCounts(NamedTuple):
    """How many people there are: those often seen (or named), all that are seen at all; and both with hidden people."""

    often: int
    often_with_hidden: int
    all: int
    all_with_hidden: int

    def shown(self, *, small: bool, hidden: bool) -> int:
        """With people seldom seen, with hidden ones, or without."""
        if small:
            return self.all_with_hidden if hidden else self.all
        return self.often_with_hidden if hidden else self.often


class PersonRows(Protocol):
    """People."""

    def get(self, person_id: PersonId, account_id: AccountId) -> Person: ...
    def all(
        self,
        account_id: AccountId,
        *,
        minimum_faces: int = 1,
        include_hidden: bool = False,
        favourites: bool = False,
        search: str = "",
        order: PersonOrder = PersonOrder.FACES,
        offset: int = 0,
        limit: int = 1000,
    ) -> list[Person]:
        """Named people, and unnamed ones with at least `minimum_faces` faces; most faces first.

        `search`: every word must begin a word of the name; case and accents do not matter. `favourites`: only those.
        """
        ...

    def count(
        self,
        account_id: AccountId,
        *,
        minimum_faces: int = 1,
        include_hidden: bool = False,
        favourites: bool = False,
        search: str = "",
    ) -> int: ...
    def counts(
        self, account_id: AccountId, *, minimum_faces: int, favourites: bool = False, search: str = ""
    ) -> "PeopleCounts":
        """All four numbers `count` has for this, at once."""
        ...

    def many(self, person_ids: Sequence[PersonId], account_id: AccountId) -> list[Person]:
        """People of the account among these, in the order given, with a number of statements that does not grow."""
        ...

    def by_name(self, account_id: AccountId, name: str) -> list[Person]:
        """Exactly this name, case-insensitive."""
        ...

    def add(self, account_id: AccountId, name: str = "", feature_face_id: FaceId | None = None) -> PersonId: ...
    def rename(self, person_id: PersonId, account_id: AccountId, name: str) -> None: ...
    def set_hidden(self, person_id: PersonId, account_id: AccountId, *, hidden: bool) -> None: ...
    def set_birth_date(self, person_id: PersonId, account_id: AccountId, birth_date: date | None) -> None: ...
    def set_feature_face(self, person_id: PersonId, account_id: AccountId, face_id: FaceId) -> None: ...
    def set_typical_faces(self, account_id: AccountId, faces: Mapping[PersonId, FaceId]) -> None:
        """Which face to show for a person as long as no user chose one; people that are gone are left out."""
        ...

    def merge(self, into: PersonId, others: Sequence[PersonId], account_id: AccountId) -> None:
        """Faces and verdicts move; `into` keeps its name and birth date or takes the first one set among the others."""
        ...

    def delete(self, person_id: PersonId, account_id: AccountId) -> None:
        """Its faces become unassigned; each is remembered as not this person only through the deletion itself."""
        ...

    def delete_empty(self) -> int:
        """Unnamed persons without any face."""
        ...

    def existing(self, account_id: AccountId, person_ids: Sequence[PersonId]) -> list[Person]:
        """Those of the account among these, in the order given, each once."""
        ...

    def mark(
        self,
        account_id: AccountId,
        person_ids: Sequence[PersonId],
        *,
        hidden: bool | None = None,
        favourite: bool | None = None,
    ) -> None:
        """Hide, show, make favourites or not, many at once; None changes nothing. Missing people are left out."""
        ...

    def hide_unnamed(self, account_id: AccountId) -> int:
        """Hide everybody without a name; returns how many were to be seen before."""
        ...

    def make_strangers(self, account_id: AccountId, person_ids: Sequence[PersonId]) -> int:
        """All their faces become nobody, by a verdict on each, and they go; returns how many faces."""
        ...

    def names(self, account_id: AccountId, search: str = "", limit: int = 500) -> list[str]:
        """Each name once, those with most faces first, for completion while typing; `search` as in `all`."""
        ...

    def named(self, account_id: AccountId) -> set[PersonId]:
        """Everybody who has a name, hidden ones too."""
        ...

    def birth_dates(self, account_id: AccountId) -> dict[PersonId, date]: ...
    def kept(self, account_id: AccountId) -> set[PersonId]:
        """People a user said something about: a name, a birth date, hidden, favourite, a feature photo, not another."""
        ...


class PersonPhotoRows(Protocol):
    """What the page of a person asks about their photos, and about who is like them."""

    def months(self, person_id: PersonId, account_id: AccountId) -> list[MonthCount]:
        """How many photos each month has, in the order of `AssetRows.of_person`: newest first, unknown last."""
        ...

    def faces_on(self, person_id: PersonId, account_id: AccountId, asset_ids: Sequence[AssetId]) -> list[FaceId]:
        """The faces of the person on these photos, lowest id first."""
        ...

    def faces_before(self, person_id: PersonId, account_id: AccountId, day: date) -> list[FaceId]:
        """The faces of the person on present photos taken before this day, lowest id first."""
        ...

    def companions(self, person_id: PersonId, account_id: AccountId, limit: int) -> list[Companion]:
        """Who is on the same photos, most shared photos first; hidden people left out."""
        ...

    def typical(self, account_id: AccountId, pack: str) -> tuple[list[PersonId], Float32Array]:
        """Of everybody with comparable faces the embedding of one face, the typical one if known: float32 (n, d)."""
        ...

    def unassigned(self, account_id: AccountId, pack: str, limit: int) -> tuple[list[FaceId], Float32Array]:
        """Faces of nobody on present photos, those of best quality first, with their embeddings: float32 (n, d)."""
        ...

    def rejected(self, person_id: PersonId, account_id: AccountId) -> set[FaceId]:
        """Faces a user said are not this person."""
        ...


class VerdictRows(Protocol):
    """What users said. Newer verdicts about the same face and person replace older ones."""

    def add(
        self,
        account_id: AccountId,
        kind: VerdictKind,
        *,
        face_id: FaceId | None = None,
        person_id: PersonId | None = None,
        other_person_id: PersonId | None = None,
    ) -> None: ...
    def withdraw(self, account_id: AccountId, kind: VerdictKind, *, face_id: FaceId) -> None:
        """Take back what was said about a face; nothing happens when it was not said."""
        ...

    def all(self, account_id: AccountId) -> list[Verdict]: ...
    def recent_persons(self, account_id: AccountId, limit: int) -> list[PersonId]:
        """Whom users recognised in faces last, the latest first."""
        ...

    def differ(self, account_id: AccountId, one: PersonId, other: PersonId) -> bool:
        """Whether a user said that these are two people."""
        ...

    def rejected_persons(self, face_id: FaceId) -> set[PersonId]:
        """Persons this face is not, by `is_not_person`."""
        ...

    def skip(self, account_id: AccountId, key: str, likelihood: float) -> None:
        """Remember that a suggestion was skipped when a yes was so likely."""
        ...

    def unskip(self, account_id: AccountId, key: str) -> None:
        """Forget that it was skipped; nothing happens when it was not."""
        ...

    def skipped(self, account_id: AccountId) -> dict[str, float]:
        """The likelihood at which suggestions were skipped last, by key."""
        ...


class EventRows(Protocol):
    """What users did, so that it can be taken back."""

    def record(self, account_id: AccountId, title: str) -> AbstractContextManager[None]:
        """Whatever this thread changes inside is one event; within another one, it is part of that.

        An action that changes nothing is no event. Only the newest thousand events of an account are kept.
        """
        ...

    def all(self, account_id: AccountId, limit: int, offset: int = 0) -> list[Event]:
        """Newest first."""
        ...

    def count(self, account_id: AccountId) -> int: ...
    def standing_since(self, account_id: AccountId, event_id: int) -> list[Event]:
        """This event and all later ones that were not taken back, newest first.

        Raises `NotFound` when there is no such event, or it was taken back.
        """
        ...

    def touched(self, event_ids: Sequence[int], each: int) -> list[Touched]:
        """At most `each` faces that each of these events touched, or that stand for people it touched."""
        ...

    def standing(self, account_id: AccountId) -> Event | None:
        """The newest event that was not taken back: what an undo takes back next."""
        ...

    def undo(self, account_id: AccountId, expected: int | None = None) -> Event:
        """Take back the newest event that still stands: people, verdicts and faces are as before it.

        Faces that recognition moved since are as before the event, too; those whose person is gone wait for
        recognition. Raises `Refused` when nothing is left to undo, or when that event is not the `expected` one: a
        button clicked twice must not take back two things.
        """
        ...


@dataclass(frozen=True, slots=True)
class HeldData:
    """How much is held of an account or of one person, as counts; `forgotten`: places that are not looked at again."""

    faces: int
    embeddings: int
    people: int
    named_people: int
    verdicts: int
    events: int
    forgotten: int


@dataclass(frozen=True, slots=True, eq=False)
class HeldFace:
    """Everything held of one face; `embedding` is float32 (d,) of unit length, None where there is none."""

    exported: ExportedFace
    embedding: Float32Array | None


class PrivacyRows(Protocol):
    """Forgetting for good, and giving out all that is held. What is forgotten here cannot be undone."""

    def held(self, account_id: AccountId, person_id: PersonId | None = None) -> HeldData:
        """What the account holds (of one person: what `forget_person` would delete)."""
        ...

    def forget_person(self, account_id: AccountId, person_id: PersonId) -> None:
        """The person with faces, embeddings, verdicts and every event about them; the faces are not found again."""
        ...

    def forget_faces(self, account_id: AccountId) -> None:
        """Every face, embedding, verdict about faces, the history and unnamed people; named people stay, faceless."""
        ...

    def forget_everything(self, account_id: AccountId) -> None:
        """As `forget_faces`, with every person and verdict."""
        ...

    def let_be_found(self, account_id: AccountId) -> list[AssetId]:
        """Lift the ban on forgotten faces; returns the assets where they were."""
        ...

    def held_faces(self, account_id: AccountId) -> Iterator[HeldFace]:
        """Faces of gone assets, too, lowest id first, read in blocks."""
        ...

    def held_people(self, account_id: AccountId) -> list[Person]:
        """Every person, hidden ones and those without a visible face, too."""
        ...

    def face_ids(self) -> set[FaceId]:
        """Every face of every account."""
        ...

    def asset_ids(self) -> set[AssetId]:
        """Every asset of every account."""
        ...

    def leftovers(self) -> str | None:
        """Names the last deletion whose files may still be there; None when all is clean."""
        ...

    def cleaned(self, leftovers: str) -> None:
        """The files of that deletion, and all before it, are gone. Nothing happens when a newer one came."""
        ...

    def scrub(self) -> None:
        """Take deleted rows out of the write-ahead log, as far as readers let it."""
        ...


class IndexState(Protocol):
    """What the catalogue knows about the disposable embedding index: which faces still have to reach it."""

    def to_add(self, pack: str, limit: int) -> tuple[list[FaceId], Float32Array]:
        """Embeddings (new or changed) the index does not have yet."""
        ...

    def added(self, pack: str, face_ids: Sequence[FaceId]) -> None: ...
    def to_delete(self, limit: int) -> list[tuple[str, FaceId]]:
        """(pack, face) of deleted faces that may still be in the index."""
        ...

    def deleted(self, faces: Sequence[tuple[str, FaceId]]) -> None: ...
    def face_ids(self, pack: str) -> set[FaceId]: ...
    def packs(self) -> list[str]:
        """Every pack that has embeddings."""
        ...

    def forget(self) -> None:
        """The index was cleared: everything has to be added again."""
        ...

    def dirty(self) -> bool:
        """Whether a write to the index on disk may have been cut off."""
        ...

    def set_dirty(self, *, dirty: bool) -> None: ...


class PreferenceRows(Protocol):
    """Small named values saved by the screens (thresholds, pack, accepted licences, last nightly run)."""

    def get(self, key: str) -> str | None: ...
    def all(self) -> dict[str, str]: ...
    def set(self, key: str, value: str) -> None: ...
    def delete(self, key: str) -> None: ...


class TokenRows(Protocol):
    """The tokens of programs; only digests of their secrets reach this port."""

    def add(self, account_id: AccountId, name: str, scope: TokenScope, digest: bytes) -> ApiToken: ...
    def all(self, account_id: AccountId) -> list[ApiToken]:
        """The newest first."""
        ...

    def by_digest(self, digest: bytes) -> ApiToken | None: ...
    def used(self, token_id: int) -> None:
        """Remember that it was used now."""
        ...

    def revoke(self, token_id: int, account_id: AccountId) -> None:
        """It opens nothing any more."""
        ...


class Catalogue(Protocol):
    """The whole store."""

    @property
    def accounts(self) -> AccountRows: ...
    @property
    def libraries(self) -> LibraryRows: ...
    @property
    def host_logins(self) -> HostLoginRows: ...
    @property
    def folder_marks(self) -> FolderMarkRows: ...
    @property
    def assets(self) -> AssetRows: ...
    @property
    def detection(self) -> DetectionQueue: ...
    @property
    def faces(self) -> FaceRows: ...
    @property
    def people(self) -> PersonRows: ...
    @property
    def person_photos(self) -> PersonPhotoRows: ...
    @property
    def verdicts(self) -> VerdictRows: ...
    @property
    def events(self) -> EventRows: ...
    @property
    def privacy(self) -> PrivacyRows: ...
    @property
    def galleries(self) -> GalleryRows: ...
    @property
    def live(self) -> LiveRows: ...
    @property
    def shares(self) -> ShareRows: ...
    @property
    def shared(self) -> SharedRows: ...
    @property
    def index_state(self) -> IndexState: ...
    @property
    def preferences(self) -> PreferenceRows: ...
    @property
    def tokens(self) -> TokenRows: ...
    @property
    def hooks(self) -> HookRows: ...
    @property
    def outside_users(self) -> OutsideUserRows: ...
    @property
    def written(self) -> WrittenRows: ...
    @property
    def smart_home(self) -> SmartHomeRows: ...
    @property
    def host_people(self) -> HostPeopleRows: ...
    def looking(self) -> AbstractContextManager[None]:
        """What this thread reads inside is one state of the catalogue, and cheaper; what it writes inside it sees.

        Not for long: what is written elsewhere meanwhile has to be kept beside the file.
        """
        ...

    def close(self) -> None:
        """Release every connection. Safe to call twice."""
        ...
