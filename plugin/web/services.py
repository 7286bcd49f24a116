"""Everything the views may use, as one frozen value; `plugin.assemble` fills it, tests fill it with fakes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from plugin.domain import Account, AccountId, AssetId, FaceId, Library, Person, PersonId, Preferences
from plugin.ports.catalogue import Catalogue
from plugin.ports.vision import PackInfo
from plugin.ports.work import Nudge

APPLY_ACTIONS = (
    "detect_missing",
    "detect_refresh",
    "detect_reset",
    "recognize_missing",
    "recognize_reset",
    "pull_pack",
)
"""What `WebServices.apply` accepts."""


class People(Protocol):
    """What users do to people and faces (the step `plugin.people`). Ids of other accounts raise `NotFound`."""

    def rename(self, account_id: AccountId, person_id: PersonId, name: str) -> None:
        """Raises `Refused` for a name that is empty or too long."""
        ...

    def same_name(self, account_id: AccountId, name: str, except_person: PersonId) -> list[Person]:
        """Other people who already have exactly this name."""
        ...

    def merge(self, account_id: AccountId, into: PersonId, others: list[PersonId]) -> None:
        """Everything of `others` moves to `into`."""
        ...

    def set_hidden(self, account_id: AccountId, person_id: PersonId, *, hidden: bool) -> None:
        """Take a person off the People page, or put them back."""
        ...

    def set_birth_date(self, account_id: AccountId, person_id: PersonId, birth_date: date | None) -> None:
        """Raises `Refused` for a date in the future."""
        ...

    def set_feature_face(self, account_id: AccountId, person_id: PersonId, face_id: FaceId) -> None:
        """The face that stands for the person."""
        ...

    def delete(self, account_id: AccountId, person_id: PersonId) -> None:
        """The person goes; the faces stay, unassigned."""
        ...

    def assign(self, account_id: AccountId, face_id: FaceId, person_id: PersonId) -> None:
        """The face is this person."""
        ...

    def assign_new(self, account_id: AccountId, face_id: FaceId, name: str) -> PersonId:
        """The face is somebody new; `name` may be empty."""
        ...

    def reject(self, account_id: AccountId, face_id: FaceId) -> None:
        """The face is not the person it is assigned to."""
        ...

    def ignore(self, account_id: AccountId, face_id: FaceId) -> None:
        """The face is nobody."""
        ...

    def restore(self, account_id: AccountId, face_id: FaceId) -> None:
        """Take `ignore` back."""
        ...


class Pictures(Protocol):
    """WebP bytes for the screens."""

    def face_thumbnail(self, account_id: AccountId, face_id: FaceId) -> bytes:
        """Square. Raises `NotFound`, `HostError`, `PictureError`."""
        ...

    def preview(self, account_id: AccountId, asset_id: AssetId, long_side: int) -> bytes:
        """At most `long_side` pixels long. Raises `NotFound`, `HostError`, `PictureError`."""
        ...


class PreferenceBook(Protocol):
    """The four values detection and recognition run with, and which licences were accepted."""

    def current(self) -> Preferences:
        """The values in force now."""
        ...

    def save(
        self,
        *,
        pack: str | None = None,
        minimum_score: float | None = None,
        maximum_distance: float | None = None,
        minimum_faces: int | None = None,
    ) -> None:
        """Save the values given. Raises `Refused` out of range or fixed, `PackUnknown`."""
        ...

    def accept_licence(self, pack: str) -> None:
        """Remember that the licence was accepted."""
        ...

    def licence_accepted(self, pack: str) -> bool:
        """Whether it was."""
        ...


class FirstStart(Protocol):
    """The first start: nobody has a password yet, and a one-time token was printed where Kinfolk was started."""

    def pending(self) -> bool:
        """Whether no account has a password yet."""
        ...

    def accept(self, token: str, name: str, password: str) -> Account:
        """Set name and password of the first account; the token is used up. Raises `Refused` for a wrong token."""
        ...


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How the machine room is doing, for the Status page.

    Attributes:
        pack: title of the model pack in use.
        pack_installed: whether its files are on this machine.
        provider: the ONNX Runtime provider that really runs; None while no model is loaded.
        index_state: one short sentence about the embedding index.
        warnings: sentences somebody should read; empty when all is well.
        data_folder: where Kinfolk writes.
        free_bytes: space left there.
    """

    pack: str
    pack_installed: bool
    provider: str | None
    index_state: str
    warnings: tuple[str, ...]
    data_folder: str
    free_bytes: int


@dataclass(frozen=True, slots=True)
class WebServices:
    """What the views work with.

    Attributes:
        add_folder_library: validates the path and adds the library. Raises `KinfolkError`.
        apply: does one of `APPLY_ACTIONS`; safe to repeat.
        secret_key: signs sessions; at least 32 random bytes, kept in the data folder.
        prefix: path under which a proxy serves Kinfolk ("" or "/kinfolk"), when it does not say so itself.
        trusted_proxies: networks (CIDR) whose X-Forwarded-For, -Proto, -Host and -Prefix are believed.
    """

    catalogue: Catalogue
    people: People
    nudge: Nudge
    pictures: Pictures
    preferences: PreferenceBook
    packs: Callable[[], list[PackInfo]]
    add_folder_library: Callable[[AccountId, str], Library]
    engine_status: Callable[[], EngineStatus]
    apply: Callable[[str], None]
    first_start: FirstStart
    secret_key: bytes
    prefix: str = ""
    trusted_proxies: tuple[str, ...] = ()
