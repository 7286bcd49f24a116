"""The ports to assets and to the queue of those that wait for detection; like `plugin.ports.catalogue`."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from plugin.domain import (
    AccountId,
    Asset,
    AssetId,
    FaceId,
    FailureCount,
    FoundFace,
    HostAsset,
    LibraryId,
    PersonId,
    PhotoSearch,
    QueueStatus,
)


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
        reasons `resting` are due now, their attempts stay counted; a single one is to blame itself and rests on.
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
