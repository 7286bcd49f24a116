"""The port to a smart home: what it is told, what it may ask, and what the catalogue remembers of both.

Nothing about an account is told before that account allows it, and nothing about a person before they were chosen.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from plugin.domain import AccountId, AssetId, PersonId


@dataclass(frozen=True, slots=True)
class PersonChoice:
    """That a person may be told about.

    Attributes:
        with_picture: their newest photo, too.
        seen_at: the newest photo (`taken_at`, local and naive) that was told, None for none yet.
    """

    person_id: PersonId
    with_picture: bool
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChosenPerson:
    """A chosen person who is named, a favourite and not hidden now, so that they are told about."""

    choice: PersonChoice
    name: str
    photo_count: int
    last_taken: datetime | None


@dataclass(frozen=True, slots=True)
class NewestPhoto:
    """The newest photo of a person that has a believable time (local, naive)."""

    asset_id: AssetId
    content_key: str
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class PersonTold:
    """What is told of one person."""

    id: PersonId
    name: str
    photos: int
    newest: NewestPhoto | None
    with_picture: bool
    is_news: bool


@dataclass(frozen=True, slots=True)
class AccountTold:
    """What is told of one account. `waiting`: assets on their way through detection."""

    id: AccountId
    name: str
    people: int
    faces: int
    waiting: int
    last_scan_at: datetime | None
    persons: tuple[PersonTold, ...]


@dataclass(frozen=True, slots=True)
class HomeTold:
    """Everything a smart home is told; `pause`: why work rests, "" when it does not."""

    accounts: tuple[AccountTold, ...]
    pause: str = ""


class Wish(StrEnum):
    """What a smart home may ask for."""

    SCAN = "scan"
    PAUSE = "pause"
    RESUME = "resume"


class SmartHomeRows(Protocol):
    """Who allowed what, and what was put where. Every method is one transaction and safe to repeat."""

    def accounts(self) -> list[AccountId]:
        """Those that are told about."""
        ...

    def allow(self, account_id: AccountId) -> None:
        """Tell about this account."""
        ...

    def forbid(self, account_id: AccountId) -> None:
        """Do not, nor about any of its people; what was chosen is forgotten."""
        ...

    def choice(self, account_id: AccountId, person_id: PersonId) -> PersonChoice | None:
        """What was chosen for a person of this account."""
        ...

    def choose(self, account_id: AccountId, choice: PersonChoice) -> None:
        """Raises `NotFound`."""
        ...

    def drop(self, account_id: AccountId, person_id: PersonId) -> None:
        """Do not tell about this person any more."""
        ...

    def chosen(self, account_id: AccountId) -> list[ChosenPerson]:
        """Everybody who is told about now, by id."""
        ...

    def seen(self, person_id: PersonId, taken_at: datetime) -> None:
        """A photo of this time was told."""
        ...

    def topics(self) -> set[str]:
        """Where something of ours may be kept by a broker."""
        ...

    def note_topics(self, topics: Collection[str]) -> None:
        """Before something is put there."""
        ...

    def forget_topics(self, topics: Collection[str]) -> None:
        """Nothing of ours is there any more."""
        ...


class Home(Protocol):
    """What an adapter works with (`plugin.smart_home`)."""

    def is_told(self) -> bool:
        """Whether any account allows that anything is told."""
        ...

    def told(self) -> HomeTold:
        """What is to be told now."""
        ...

    def picture(self, account_id: AccountId, asset_id: AssetId) -> bytes:
        """A small JPEG. Raises `NotFound`, `HostError`, `PictureError`."""
        ...

    def asked(self, wish: Wish) -> None:
        """Do what the smart home asks for."""
        ...

    def seen(self, person_id: PersonId, taken_at: datetime) -> None:
        """That a person was seen has been told."""
        ...

    def sensor_topics(self) -> list[tuple[str, str]]:
        """(topic, entry of the message) of each sensor that makes work rest."""
        ...

    def heard(self, sensor: int, value: float, *, kept: bool = False) -> None:
        """What one of them said."""
        ...


class LinkState(StrEnum):
    """`resting`: nobody allows anything, so nothing is connected. `away`: tried again by itself."""

    RESTING = "resting"
    CONNECTED = "connected"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How the connection stands.

    Attributes:
        where: host and port; "" before they are known.
        trouble: why it is away, "" while it is not.
        connections: how often it was made since Kinfolk started.
        failures: how often it could not be made, or was lost.
        since: of the present state.
    """

    state: LinkState
    where: str = ""
    trouble: str = ""
    connections: int = 0
    failures: int = 0
    since: datetime | None = None
