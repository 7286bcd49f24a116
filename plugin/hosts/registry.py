"""The hosts Kinfolk can read: the one place that names them. How to add one: `docs/adding-a-host.md`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from plugin.domain import Library
from plugin.errors import LoginRefused
from plugin.hosts.folder.host import FolderHost
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.manifest import ManifestHost
from plugin.hosts.network.address import server_of
from plugin.hosts.network.client import HostClient
from plugin.hosts.network.login import Login
from plugin.hosts.network.words import MANIFEST
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.host import NextcloudHost, Remembered
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.hosts.nextcloud.words import NEXTCLOUD, NEXTCLOUD_AS_APP
from plugin.hosts.photoprism.address import base_address
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.options import PhotoPrismOptions
from plugin.ports.host import Host


@dataclass(frozen=True, slots=True)
class NextcloudAccess:
    """How one library gets at its Nextcloud.

    Attributes:
        options: what is chosen.
        login: None where there is none that can be read; then nothing is asked.
        paused: the server did not accept the login before: nothing is asked.
        remembered: what the catalogue has of an asset.
        on_refused: told when the server does not accept the login any more.
        as_app: Kinfolk is an app of it.
    """

    options: NextcloudOptions = field(default_factory=NextcloudOptions)
    login: Login | None = None
    paused: bool = False
    remembered: Remembered = lambda _key: None
    on_refused: Callable[[LoginRefused], None] = lambda _error: None
    as_app: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether nothing may be asked."""
        return self.paused or self.login is None


@dataclass(frozen=True, slots=True)
class PhotoPrismAccess:
    """How one library gets at its PhotoPrism; the attributes are those of `NextcloudAccess`."""

    options: PhotoPrismOptions = field(default_factory=PhotoPrismOptions)
    login: Login | None = None
    paused: bool = False
    remembered: Remembered = lambda _key: None
    on_refused: Callable[[LoginRefused], None] = lambda _error: None

    @property
    def is_closed(self) -> bool:
        """Whether nothing may be asked."""
        return self.paused or self.login is None


@dataclass(frozen=True, slots=True)
class ManifestAccess:
    """How one library gets at its manifest; the attributes are those of `NextcloudAccess`.

    Many need no login, and then `login` is None. There is nothing to choose.
    """

    login: Login | None = None
    paused: bool = False
    on_refused: Callable[[LoginRefused], None] = lambda _error: None
    options: None = None

    @property
    def is_closed(self) -> bool:
        """Whether nothing may be asked."""
        return self.paused


Access = NextcloudAccess | PhotoPrismAccess | ManifestAccess


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What a user may choose, host by host; `assemble` fills it."""

    folder: FolderOptions = field(default_factory=FolderOptions)
    nextcloud: NextcloudAccess = field(default_factory=NextcloudAccess)
    photoprism: PhotoPrismAccess = field(default_factory=PhotoPrismAccess)
    manifest: ManifestAccess = field(default_factory=ManifestAccess)


@dataclass(frozen=True, slots=True)
class HostKind:
    """One kind of host.

    Attributes:
        name: stored as `Library.host`; never change it.
        title: what people call it.
        open: the host of a library; must not touch the disk or the network.
        address: what a user typed as the one address stored for it, so that the same place is not added twice.
    """

    name: str
    title: str
    open: Callable[[Library, HostOptions], Host]
    address: Callable[[str], str]


def open_nextcloud(library: Library, access: NextcloudAccess) -> NextcloudHost:
    """The host of a library; without a login that may be used, every request is refused before it is sent."""
    place = Place.of(library.address)
    words = NEXTCLOUD_AS_APP if access.as_app else NEXTCLOUD
    refused = words.refusal() if access.is_closed else None
    client = NextcloudClient(access.login or Login(place.base), refused=refused, on_refused=access.on_refused)
    client.words = words
    return NextcloudHost(place, client, access.options, access.remembered)


def open_photoprism(library: Library, access: PhotoPrismAccess) -> PhotoPrismHost:
    """As `open_nextcloud`."""
    refused = PhotoPrismClient.words.refusal() if access.is_closed else None
    client = PhotoPrismClient(access.login or Login(library.address), refused=refused, on_refused=access.on_refused)
    return PhotoPrismHost(client, access.options, access.remembered)


def open_manifest(library: Library, access: ManifestAccess) -> ManifestHost:
    """The host of a library, with a login where its server wants one. Raises `HostRefused` for no such address."""
    refused = MANIFEST.refusal() if access.is_closed else None
    login = access.login or Login(server_of(library.address))
    client = HostClient(login, refused=refused, on_refused=access.on_refused)
    client.words = MANIFEST
    return ManifestHost(library.address, client)


def host_kinds() -> dict[str, HostKind]:
    """Every kind by name."""
    kinds = [
        HostKind(
            name="folder",
            title="Folder",
            open=lambda library, options: FolderHost(library.address, options.folder),
            address=lambda typed: str(Path(typed).expanduser().resolve()),
        ),
        HostKind(
            name="nextcloud",
            title="Nextcloud",
            open=lambda library, options: open_nextcloud(library, options.nextcloud),
            address=lambda typed: Place.of(typed).address,
        ),
        HostKind(
            name="manifest",
            title="Manifest",
            open=lambda library, options: open_manifest(library, options.manifest),
            address=lambda typed: typed.strip(),
        ),
        HostKind(
            name="photoprism",
            title="PhotoPrism",
            open=lambda library, options: open_photoprism(library, options.photoprism),
            address=base_address,
        ),
    ]
    return {kind.name: kind for kind in kinds}
