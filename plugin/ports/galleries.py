"""The port to what the galleries and the live parts of the screens read; like `plugin.ports.catalogue`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from plugin.domain import AccountId, FaceId, PersonId


@dataclass(frozen=True, slots=True)
class NobodyCounts:
    """Faces of nobody: groups of two or more that are alike, and faces alike to no other.

    Attributes:
        groups: how many groups of two or more.
        grouped: faces in these groups.
        singles: faces alike to no other.
    """

    groups: int
    grouped: int
    singles: int

    @property
    def faces(self) -> int:
        """All of them."""
        return self.grouped + self.singles


@dataclass(frozen=True, slots=True)
class Group:
    """Faces of nobody that are alike. `key` names the group as long as it is one; `largest_id` is the highest id."""

    key: FaceId
    count: int
    largest_id: FaceId


@dataclass(frozen=True, slots=True)
class Touched:
    """A face that an event touched, or that stands for a person it touched."""

    event_id: int
    face_id: FaceId


class GalleryRows(Protocol):
    """Faces of nobody and ignored faces, page by page. Only faces of present assets count."""

    def nobody_counts(self, account_id: AccountId, pack: str) -> NobodyCounts:
        """How many groups and single faces there are."""
        ...

    def largest_groups(
        self, account_id: AccountId, pack: str, offset: int, limit: int
    ) -> tuple[NobodyCounts, list[Group]]:
        """Groups of two or more, the largest first, and how many there are of all; cheaper than both alone."""
        ...

    def groups(self, account_id: AccountId, pack: str, offset: int, limit: int) -> list[Group]:
        """Groups, the largest first, and after them single faces, each a group of one."""
        ...

    def members(
        self, account_id: AccountId, pack: str, keys: Sequence[FaceId], each: int, after: FaceId = 0
    ) -> dict[FaceId, list[FaceId]]:
        """Of each group with such a key the first `each` faces with an id above `after`, lowest id first."""
        ...

    def singles(self, account_id: AccountId, pack: str, offset: int, limit: int) -> list[FaceId]:
        """Faces alike to no other, best quality first."""
        ...

    def ignored_count(self, account_id: AccountId) -> int:
        """How many faces a user said to be nobody."""
        ...

    def ignored(self, account_id: AccountId, offset: int, limit: int) -> list[FaceId]:
        """Faces a user said to be nobody, the last one first."""
        ...


class LiveRows(Protocol):
    """What changes while somebody looks."""

    def marker(self, account_id: AccountId) -> str:
        """Differs from an earlier one when faces, people or verdicts of the account may have changed since."""
        ...

    def newest_person(self, account_id: AccountId) -> PersonId:
        """The highest id of a person of the account that has a face; 0 for nobody."""
        ...

    def throughput(self, account_id: AccountId, since: datetime, step_seconds: int, steps: int) -> list[int]:
        """How many assets detection finished in each of `steps` spans of time from `since` on."""
        ...
