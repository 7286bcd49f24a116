"""Everything the views may use, as one frozen value; `plugin.assemble` fills it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from plugin.account_export import AccountExport
from plugin.accounts import Accounts
from plugin.api_tokens import ApiTokens
from plugin.app_identity import AppIdentity
from plugin.bulk import BulkActions
from plugin.domain import Account, AccountId, Asset, AssetId, FaceId, Fetching, Library, LibraryId
from plugin.drawing import Drawing
from plugin.engine import EngineSwitch, FaceEngine
from plugin.face_search import FaceSearch
from plugin.first_start import FirstStart
from plugin.history import History
from plugin.hooks import Hooks
from plugin.ingress import AddonAddresses, Ingress
from plugin.likeness import Likeness
from plugin.originals import Originals
from plugin.outside_accounts import OutsideAccounts
from plugin.pausing import Pausing
from plugin.people import People
from plugin.ports.catalogue import Catalogue
from plugin.ports.smart_home import LinkStatus
from plugin.ports.vision import LicenceText, PackInfo
from plugin.ports.work import Nudge
from plugin.preferences import PreferenceBook
from plugin.privacy import Privacy
from plugin.sentences import Sentence
from plugin.sharing import Sharing
from plugin.smart_home import SmartHome
from plugin.suggestions import Suggestions
from plugin.web.streams import Streams
from plugin.writeback import WriteBack

APPLY_ACTIONS = (
    "detect_missing",
    "detect_refresh",
    "detect_reset",
    "recognize_missing",
    "recognize_reset",
    "pull_pack",
)
"""What `WebServices.apply` accepts."""


class Pictures(Protocol):
    """WebP bytes for the screens: `plugin.thumbnails`, or drawings in tests."""

    def face_thumbnail(self, account_id: AccountId, face_id: FaceId) -> bytes:
        """Square. Raises `NotFound`, `HostError`, `PictureError`."""
        ...

    def preview(self, account_id: AccountId, asset_id: AssetId, long_side: int) -> bytes:
        """At most `long_side` pixels long. Raises `NotFound`, `HostError`, `PictureError`."""
        ...


class FolderChoice(Protocol):
    """Folders a user may choose from, and what is chosen: `folders` empty means everything."""

    @property
    def offered(self) -> tuple[str, ...]:
        """At the top of the user's files."""
        ...

    @property
    def folders(self) -> tuple[str, ...]:
        """Read only these."""
        ...

    @property
    def left_out(self) -> tuple[str, ...]:
        """Not these."""
        ...


class NextcloudConnecting(Protocol):
    """Connecting to Nextcloud: `plugin.assemble.connecting`. Everything raises `HostError`, `Refused`, `NotFound`."""

    def servers(self, account: Account) -> list[str] | None:
        """Which servers this account may connect to; None: any."""
        ...

    def server_of(self, library: Library) -> str:
        """Where the library is."""
        ...

    def certificate(self, account: Account, typed: str) -> tuple[str, str]:
        """(address, SHA-256 fingerprint) of a certificate nobody vouches for."""
        ...

    def begin(self, account: Account, typed: str, *, fingerprint: str = "", library_id: LibraryId | None = None) -> str:
        """Start a login; its id."""
        ...

    def page(self, account_id: AccountId, flow_id: str) -> str:
        """Where the user grants it."""
        ...

    def poll(self, account_id: AccountId, flow_id: str) -> Library | None:
        """The library once it was granted."""
        ...

    def with_password(
        self,
        account: Account,
        typed: str,
        name: str,
        password: str,
        *,
        fingerprint: str = "",
        library_id: LibraryId | None = None,
    ) -> Library:
        """Connect without a page of Nextcloud's."""
        ...

    def choice(self, library: Library) -> FolderChoice:
        """What may be chosen, and what is."""
        ...

    def choose(self, library: Library, folders: tuple[str, ...], left_out: tuple[str, ...]) -> None:
        """Read only these."""
        ...

    def is_paused(self, library: Library) -> bool:
        """Whether the host refused us and nothing is asked any more."""
        ...

    def is_app(self, library: Library) -> bool:
        """Whether it is read without a login, by an app of that Nextcloud."""
        ...

    def resume(self, library: Library) -> None:
        """Ask once more."""
        ...

    def disconnect(self, library: Library) -> None:
        """Give the login back before the library is removed."""
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
        device: the processor or card that runs it; None while no model is loaded.
        pace: photos per second over the last stretch of work; None before there was any.
        accelerator: what an accelerator is doing that does not run the models now; None when there is none, or it does.
    """

    pack: str
    pack_installed: bool
    provider: str | None
    index_state: str
    warnings: tuple[str, ...]
    data_folder: str
    free_bytes: int
    device: str | None = None
    pace: float | None = None
    accelerator: str | None = None


class InsideNextcloud(Protocol):
    """Kinfolk as an app of a Nextcloud (`plugin.exapp`)."""

    @property
    def identity(self) -> AppIdentity:
        """Who it is there."""
        ...

    @property
    def recognize_on(self) -> bool:
        """Whether faces are found for Recognize."""
        ...

    @property
    def recognize_trouble(self) -> str:
        """What is in the way, one sentence; empty when all is well."""
        ...

    def make_ready(self) -> None:
        """Fetch what is needed, in the background."""
        ...

    def set_enabled(self, *, enabled: bool) -> None:
        """Register in the menus, or take that back. Raises `HostError`."""
        ...

    def switch_recognize(self, *, on: bool) -> None:
        """Raises `Refused`, `HostError`."""
        ...

    def is_nextcloud_admin(self, user: str) -> bool:
        """Raises `HostError`."""
        ...


class NewConnection(Protocol):
    """A PhotoPrism that was connected: `plugin.assemble.connecting_photoprism.Connected`."""

    @property
    def library(self) -> Library:
        """What became of it."""
        ...

    @property
    def edition_name(self) -> str:
        """As PhotoPrism calls it in every language."""
        ...

    @property
    def version(self) -> str:
        """As the server names it, with the date first."""
        ...

    @property
    def missing(self) -> tuple[Sentence, ...]:
        """What will not work there."""
        ...


class PhotoPrismConnecting(Protocol):
    """Connecting to PhotoPrism: `plugin.assemble.connecting_photoprism`. Raises `HostError`, `Refused`, `NotFound`."""

    def servers(self, account: Account) -> list[str] | None:
        """Which servers this account may connect to; None: any."""
        ...

    def certificate(self, account: Account, typed: str) -> tuple[str, str]:
        """(address, SHA-256 fingerprint) of a certificate nobody vouches for."""
        ...

    def connect(
        self,
        account: Account,
        typed: str,
        password: str,
        *,
        user: str = "",
        fingerprint: str = "",
        private: bool = False,
        live: bool = False,
        library_id: LibraryId | None = None,
    ) -> NewConnection:
        """With an app password; with a user, their own password, by which one is made."""
        ...

    def reads_private(self, library: Library) -> bool:
        """Whether private photos are read."""
        ...

    def listens(self, library: Library) -> bool:
        """Whether PhotoPrism's websocket is listened to."""
        ...

    def disconnect(self, library: Library) -> None:
        """End the app password Kinfolk made, before the library is removed."""
        ...


class HomeLink(Protocol):
    """The way to Home Assistant: `plugin.mqtt.link`."""

    @property
    def status(self) -> LinkStatus:
        """How the connection stands."""
        ...

    def wake(self) -> None:
        """Something changed that should be told now."""
        ...


@dataclass(frozen=True, slots=True)
class WebServices:
    """What the views work with.

    Attributes:
        host_link: where a person sees an asset in the host's own interface, None where there is none.
        licence_texts: the licences of a pack in full, where they may be passed on.
        add_folder_library: validates the path, adds the library and has it scanned. Raises `KinfolkError`.
        check_folder: the address of a folder that can be read. Raises `KinfolkError`.
        nextcloud: connecting to Nextcloud.
        photoprism: connecting to PhotoPrism.
        fetching: the file of a model pack that is on its way here, if this process fetches one.
        apply: does one of `APPLY_ACTIONS`; safe to repeat.
        secret_key: signs sessions; at least 32 random bytes, kept in the data folder.
        prefix: path under which a proxy serves Kinfolk ("" or "/kinfolk"), when it does not say so itself.
        trusted_proxies: networks (CIDR) whose X-Forwarded-For, -Proto, -Host and -Prefix are believed.
        framed_by: other sites (`https://cloud.example.org`) that may show the pages in a frame.
        live_streams: bounds how many browsers are told live.
        home_link: the way to Home Assistant, None where no broker is known.
        nextcloud_app: the Nextcloud this is an app of, None where AppAPI did not start it.
        ingress: the Home Assistant whose sidebar this is in, None elsewhere.
        addon_addresses: where other programs reach this add-on, None where it is none.
        hook_port: a port on which only hooks are heard, if there is one.
    """

    catalogue: Catalogue
    people: People
    suggestions: Suggestions
    bulk: BulkActions
    likeness: Likeness
    originals: Originals
    history: History
    drawing: Drawing
    face_search: FaceSearch
    host_link: Callable[[Asset], str | None]
    nudge: Nudge
    pictures: Pictures
    preferences: PreferenceBook
    packs: Callable[[], list[PackInfo]]
    licence_texts: Callable[[PackInfo], list[LicenceText]]
    add_folder_library: Callable[[AccountId, str], Library]
    check_folder: Callable[[str], str]
    nextcloud: NextcloudConnecting
    photoprism: PhotoPrismConnecting
    privacy: Privacy
    sharing: Sharing
    accounts: Accounts
    account_export: AccountExport
    fetching: Callable[[], Fetching | None]
    engine_status: Callable[[], EngineStatus]
    apply: Callable[[str], None]
    first_start: FirstStart
    tokens: ApiTokens
    engine: FaceEngine
    engine_switch: EngineSwitch
    hooks: Hooks
    outside_accounts: OutsideAccounts
    writing: WriteBack
    pausing: Pausing
    smart_home: SmartHome
    secret_key: bytes
    prefix: str = ""
    trusted_proxies: tuple[str, ...] = ()
    framed_by: tuple[str, ...] = ()
    live_streams: Streams = field(default_factory=Streams)
    nextcloud_app: InsideNextcloud | None = None
    home_link: HomeLink | None = None
    ingress: Ingress | None = None
    addon_addresses: AddonAddresses | None = None
    hook_port: int | None = None
