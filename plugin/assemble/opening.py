"""Opening the hosts of libraries: one for each, kept as long as its login and what is chosen are the same."""

import threading

from plugin.assemble.as_app import AppAccess
from plugin.assemble.connecting import NextcloudConnections
from plugin.assemble.connecting_photoprism import PhotoPrismConnections
from plugin.assemble.manifests import Manifests
from plugin.domain import Library, LibraryId
from plugin.errors import LoginRefused, NotFound
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.manifest import ManifestHost
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.options import PhotoPrismOptions
from plugin.hosts.registry import (
    Access,
    HostOptions,
    ManifestAccess,
    NextcloudAccess,
    PhotoPrismAccess,
    host_kinds,
    open_manifest,
    open_nextcloud,
    open_photoprism,
)
from plugin.ports.catalogue import Catalogue
from plugin.ports.host import Host
from plugin.ports.libraries import HostLogin
from plugin.settings.sections import LibrarySettings

NetworkHost = NextcloudHost | PhotoPrismHost | ManifestHost


class OpenHosts:
    """The hosts of this process.

    Args:
        catalogue: what is known of libraries, their logins and assets.
        settings: what is left out of every library.
        nextcloud, photoprism, manifests: their logins.
        app: libraries that need none.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        settings: LibrarySettings,
        nextcloud: NextcloudConnections,
        photoprism: PhotoPrismConnections,
        manifests: Manifests,
        app: AppAccess,
    ) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._nextcloud = nextcloud
        self._photoprism = photoprism
        self._manifests = manifests
        self._app = app
        self._folders: dict[str, Host] = {}
        self._known: dict[LibraryId, tuple[Access, NetworkHost]] = {}
        self._opening = threading.Lock()

    def host_of(self, library: Library) -> Host:
        """The host of a library; one per folder (or login), since hosts may keep connections."""
        if library.host in {"nextcloud", "photoprism", "manifest"}:
            return self._on_the_network(library)
        if library.address not in self._folders:
            options = HostOptions(FolderOptions(skip=self._settings.skip, videos=self._settings.videos))
            self._folders[library.address] = host_kinds()[library.host].open(library, options)
        return self._folders[library.address]

    def close(self) -> None:
        """Close connections; what is opened later is new."""
        with self._opening:
            for _, host in self._known.values():
                host.close()
            self._known.clear()

    def _on_the_network(self, library: Library) -> NetworkHost:
        """Opened anew when the login or what is chosen changed, in this process or another.

        A client that was refused is replaced once a user asks to try again. The former host goes with its last use.
        """
        access = self._access(library)
        with self._opening:
            known = self._known.get(library.id)
            if known is not None and _same(known[0], access) and known[1].client.is_refused == access.is_closed:
                return known[1]
            host = _opened(library, access)
            self._known[library.id] = (access, host)
        return host

    def _access(self, library: Library) -> Access:
        kept = self._catalogue.host_logins.get(library.id)
        match library.host:
            case "nextcloud":
                return self._nextcloud_access(library, kept)
            case "photoprism":
                return self._photoprism_access(library, kept)
            case _:
                return self._manifest_access(library, kept)

    def _nextcloud_access(self, library: Library, kept: HostLogin | None) -> NextcloudAccess:
        as_app = not (kept and kept.secret)
        try:
            login = self._app.login_of(library) if as_app else self._nextcloud.login_of(library)
        except NotFound:
            login = None
        chosen = kept.options if kept else {}
        return NextcloudAccess(
            NextcloudOptions(
                folders=chosen.get("folders", ()),
                left_out=chosen.get("left_out", ()),
                skip=self._settings.skip,
                videos=self._settings.videos,
                others=self.others(library),
            ),
            login,
            paused=_is_paused(kept),
            remembered=lambda key: self._catalogue.assets.of_host_key(library.id, key),
            on_refused=lambda error: self._refuse(library.id, kept, error),
            as_app=as_app and self._app.reads(library),
        )

    def _photoprism_access(self, library: Library, kept: HostLogin | None) -> PhotoPrismAccess:
        if kept is None:
            return PhotoPrismAccess()
        try:
            login = self._photoprism.login_of(library)
        except NotFound:
            login = None
        return PhotoPrismAccess(
            PhotoPrismOptions(
                private="private" in kept.options, videos=self._settings.videos, live="live" in kept.options
            ),
            login,
            paused=_is_paused(kept),
            remembered=lambda key: self._catalogue.assets.of_host_key(library.id, key),
            on_refused=lambda error: self._refuse(library.id, kept, error),
        )

    def _manifest_access(self, library: Library, kept: HostLogin | None) -> ManifestAccess:
        login = self._manifests.login_of(library)
        is_lost = login is None and kept is not None and bool(kept.secret)
        return ManifestAccess(
            login,
            paused=_is_paused(kept) or is_lost,
            on_refused=lambda error: self._refuse(library.id, kept, error),
        )

    def others(self, library: Library) -> frozenset[str]:
        """Users of the same server whose files the same account reads as a whole: they are read once, as theirs."""
        place, found = Place.of(library.address), set[str]()
        for other in self._catalogue.libraries.all(library.account_id):
            if other.host != "nextcloud" or other.id == library.id:
                continue
            theirs = Place.of(other.address)
            if theirs.base == place.base and self._is_read_whole(other):
                found.add(theirs.user)
        return frozenset(found)

    def _is_read_whole(self, library: Library) -> bool:
        kept = self._catalogue.host_logins.get(library.id)
        if not (kept and kept.secret) and not self._app.reads(library):
            return False
        return kept is None or not (kept.options.get("folders") or kept.options.get("left_out"))

    def _refuse(self, library_id: LibraryId, kept: HostLogin | None, error: LoginRefused) -> None:
        self._catalogue.host_logins.refuse(library_id, kept.secret if kept else "", error.explanation)


def _is_paused(kept: HostLogin | None) -> bool:
    return kept is not None and kept.refused is not None


def _same(one: Access, other: Access) -> bool:
    """Whether the host stays; whether it is paused is asked of the host itself, which may have found out before us."""
    return (one.options, one.login) == (other.options, other.login)


def _opened(library: Library, access: Access) -> NetworkHost:
    match access:
        case NextcloudAccess():
            return open_nextcloud(library, access)
        case PhotoPrismAccess():
            return open_photoprism(library, access)
        case ManifestAccess():
            return open_manifest(library, access)
