"""The port to libraries that somebody else may look at; like `plugin.ports.catalogue`.

`ShareRows` says who may look, `SharedRows` reads what they see. Nothing else in the catalogue knows of sharing: whoever
has no `View` cannot ask for another account's rows.
"""

from collections.abc import Sequence
from typing import Protocol

from plugin.domain import (
    AccountId,
    Asset,
    AssetId,
    Face,
    FaceId,
    LibraryId,
    MonthCount,
    Person,
    PersonId,
    PersonOrder,
    PhotoSearch,
    Share,
    View,
)


class ShareRows(Protocol):
    """Who may look at which library."""

    def grant(self, owner_id: AccountId, library_id: LibraryId, account_id: AccountId, *, may_correct: bool) -> None:
        """Let an account look (and correct, or not any more). Raises `Refused` for the owner's own account."""
        ...

    def end(self, owner_id: AccountId, library_id: LibraryId, account_id: AccountId) -> None:
        """Nothing happens when it was not shared."""
        ...

    def given(self, owner_id: AccountId) -> list[Share]:
        """What this account shares, by name of those it is shared with."""
        ...

    def owners(self, visitor_id: AccountId) -> dict[AccountId, str]:
        """Who shares something with this account: their names, in the order of names."""
        ...

    def view(self, visitor_id: AccountId, owner_id: AccountId) -> View:
        """What the owner shares with the visitor now. Raises `NotFound` when that is nothing."""
        ...


class SharedRows(Protocol):
    """What a visitor sees.

    People are there when at least one of their faces is on a shared photo, and their counts, years and picture come
    from shared photos alone; people the owner has hidden are not there, nor are their faces.
    """

    def people_ids(
        self, view: View, *, minimum_faces: int = 1, search: str = "", order: PersonOrder = PersonOrder.NAMED
    ) -> list[PersonId]:
        """Who `PersonRows.all` would list, in its order; `RECENT`, which would have to read every photo, is `NAMED`."""
        ...

    def names(self, view: View) -> list[str]:
        """Each name once, for completion while typing."""
        ...

    def people_among(self, view: View, person_ids: Sequence[PersonId]) -> list[Person]:
        """Those that are there, in the order given."""
        ...

    def person(self, view: View, person_id: PersonId) -> Person:
        """Somebody on a shared photo."""
        ...

    def correctable(self, view: View, person_id: PersonId) -> bool:
        """Whether the person is on a photo whose faces the visitor may correct."""
        ...

    def months(self, view: View, person_id: PersonId) -> list[MonthCount]:
        """Like `PersonPhotoRows.months`."""
        ...

    def photos(self, view: View, search: PhotoSearch, offset: int, limit: int) -> list[Asset]:
        """Like `AssetRows.search`, among shared photos; people who are not there fit nothing."""
        ...

    def photo_count(self, view: View, search: PhotoSearch) -> int:
        """How many `photos` would list."""
        ...

    def photo(self, view: View, asset_id: AssetId) -> Asset:
        """A photo the host still has."""
        ...

    def neighbours_in_time(self, view: View, asset: Asset) -> tuple[AssetId | None, AssetId | None]:
        """Like `AssetRows.neighbours_in_time`."""
        ...

    def faces_on(self, view: View, asset_id: AssetId) -> list[Face]:
        """Faces on a shared photo, left to right; without ignored ones."""
        ...

    def face(self, view: View, face_id: FaceId) -> Face:
        """A face on a shared photo."""
        ...

    def faces(self, view: View, face_ids: Sequence[FaceId]) -> list[Face]:
        """Those that are there, in the order given."""
        ...
