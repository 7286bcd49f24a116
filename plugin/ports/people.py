"""The ports to persons, to what users said of faces, and to the history; like `plugin.ports.catalogue`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import NamedTuple, Protocol

from plugin.domain import (
    AccountId,
    AssetId,
    Companion,
    Event,
    FaceId,
    Float32Array,
    MonthCount,
    Person,
    PersonId,
    PersonOrder,
    Verdict,
    VerdictKind,
)
from plugin.ports.galleries import Touched


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
