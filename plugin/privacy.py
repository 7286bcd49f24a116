"""Privacy: take out all that Kinfolk holds of an account, and forget people and faces for good.

Forgetting is no event of the history and cannot be undone. The catalogue forgets in one transaction; the search index
follows by tombstones, thumbnails by `clean_up`, which a kill only delays: the catalogue remembers that it is due.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from plugin.domain import AccountId, AssetId, FaceId, LibraryId, PersonId
from plugin.ports.catalogue import Catalogue
from plugin.ports.privacy import HeldData
from plugin.ports.work import Nudge

KeepOnly = Callable[[Iterable[FaceId], Iterable[AssetId]], None]
"""Removes cached pictures of all other faces and assets (`Thumbnails.keep_only`)."""


@dataclass(frozen=True, slots=True)
class Copy:
    """An earlier state of the catalogue that still holds what was forgotten since."""

    name: str
    size_bytes: int
    made_at: datetime


class Copies(Protocol):
    """Backups and the like that Kinfolk itself made."""

    def all(self) -> list[Copy]:
        """Oldest first."""
        ...

    def renew(self) -> int:
        """Write a backup of the present state, then delete all earlier copies; returns how many were deleted."""
        ...


class Privacy:
    """Forgets, each time for one account and for good.

    Args:
        catalogue: where everything is stored.
        nudge: wakes recognition, which brings the search index up to date, and detection.
        keep_only: removes cached pictures of what is gone.
        copies: of the catalogue.
        pack: name of the model pack in use.
    """

    def __init__(
        self, catalogue: Catalogue, nudge: Nudge, keep_only: KeepOnly, copies: Copies, pack: Callable[[], str]
    ) -> None:
        self._catalogue = catalogue
        self._nudge = nudge
        self._keep_only = keep_only
        self._copies = copies
        self._pack = pack

    def held(self, account_id: AccountId, person_id: PersonId | None = None) -> HeldData:
        """What is held of the account or of one of its people. Raises `NotFound`."""
        return self._catalogue.privacy.held(account_id, person_id)

    def forget_person(self, account_id: AccountId, person_id: PersonId) -> None:
        """The person, all their faces and everything about them; a new scan does not find these faces again."""
        self._catalogue.privacy.forget_person(account_id, person_id)
        self._follow()

    def forget_faces(self, account_id: AccountId) -> None:
        """All biometric data of the account. Named people stay, without faces."""
        self._catalogue.privacy.forget_faces(account_id)
        self._follow()

    def forget_everything(self, account_id: AccountId) -> None:
        """People, faces, verdicts and history. Libraries and the list of their photos stay."""
        self._catalogue.privacy.forget_everything(account_id)
        self._follow()

    def remove_library(self, account_id: AccountId, library_id: LibraryId) -> None:
        """A library with everything found on its photos, which are never touched themselves. Raises `NotFound`."""
        self._catalogue.libraries.remove(library_id, account_id)
        self._follow()

    def let_be_found(self, account_id: AccountId) -> int:
        """Look for forgotten faces again, since the user asks for it; returns on how many photos."""
        asset_ids = self._catalogue.privacy.let_be_found(account_id)
        if asset_ids:
            self._catalogue.detection.request("refresh", self._pack(), asset_ids)
            self._nudge.detection()
        return len(asset_ids)

    def clean_up(self) -> bool:
        """Remove the files a deletion left, if one did; False when nothing was due. Call at a start and every night."""
        due = self._catalogue.privacy.leftovers()
        if due is None:
            return False
        self._keep_only(self._catalogue.privacy.face_ids(), self._catalogue.privacy.asset_ids())
        self._catalogue.privacy.scrub()
        self._catalogue.privacy.cleaned(due)
        return True

    def copies(self) -> list[Copy]:
        """Copies of the catalogue that may still hold what was forgotten, oldest first."""
        return self._copies.all()

    def renew_copies(self) -> int:
        """Replace them all by a backup of the present state; returns how many were deleted."""
        return self._copies.renew()

    def _follow(self) -> None:
        self.clean_up()
        self._nudge.recognition()
