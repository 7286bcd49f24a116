"""Connecting libraries to Nextcloud: who may, which login is kept, what is chosen."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from plugin.assemble.as_app import AppAccess
from plugin.assemble.vault import Vault
from plugin.domain import Account, AccountId, Library, LibraryId
from plugin.errors import NotFound, Refused
from plugin.hosts.network.certificates import fingerprint_of, plain, readable
from plugin.hosts.network.limits import HASTY
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud import login_flow
from plugin.hosts.nextcloud.address import Place, base_address
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.files import UserFiles
from plugin.hosts.nextcloud.words import NEXTCLOUD, NEXTCLOUD_AS_APP
from plugin.ports.catalogue import Catalogue
from plugin.ports.libraries import HostLogin

FLOW_SECONDS = 20 * 60
"""As long as Nextcloud keeps a flow."""

FLOWS_AT_ONCE = 5
"""Of one account; the oldest goes."""

POLL_EVERY = 1.5
"""Seconds; a page that is reloaded often must not become many requests."""


@dataclass(slots=True)
class Flow:
    """A login that was begun and not granted yet."""

    id: str
    account_id: AccountId
    base: str
    page: str
    token: str = field(repr=False)
    fingerprint: str | None
    library_id: LibraryId | None
    began: float
    polled: float = 0.0


@dataclass(frozen=True, slots=True)
class FolderChoice:
    """What may be chosen of a library, and what is: `folders` empty means everything."""

    offered: tuple[str, ...]
    folders: tuple[str, ...]
    left_out: tuple[str, ...]


class NextcloudConnections:
    """What the pages and commands do to connect; see `plugin.web.services.NextcloudConnecting`.

    Args:
        catalogue: where libraries and their logins are.
        vault: encrypts app passwords.
        scan: has a library compared soon.
        now: a clock that only goes forward.
        app: libraries for which no login is kept.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        vault: Vault,
        scan: Callable[[LibraryId], None],
        now: Callable[[], float] = time.monotonic,
        *,
        app: AppAccess | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._vault = vault
        self._scan = scan
        self._now = now
        self._app = app
        self._flows: dict[str, Flow] = {}
        self._lock = threading.Lock()

    def servers(self, account: Account) -> list[str] | None:
        """Which servers this account may connect to: any for the administrator (None), else those in use already."""
        if account.is_admin:
            return None
        libraries = [library for library in self._catalogue.libraries.all() if library.host == "nextcloud"]
        return sorted({Place.of(library.address).base for library in libraries})

    def server_of(self, library: Library) -> str:
        """The server's address, as it was typed."""
        return Place.of(library.address).base

    def certificate(self, account: Account, typed: str) -> tuple[str, str]:
        """(address, SHA-256 fingerprint) of the certificate the server shows. Raises `HostError`, `Refused`."""
        base = self._allowed(account, typed)
        return base, readable(fingerprint_of(base))

    def begin(self, account: Account, typed: str, *, fingerprint: str = "", library_id: LibraryId | None = None) -> str:
        """Start Login flow v2; the id of the flow.

        Raises:
            CertificateRefused: the certificate must be confirmed first.
            HostError, Refused, NotFound.
        """
        if library_id is not None:
            self._catalogue.libraries.get(library_id, account.id)
        base = self._allowed(account, typed)
        with _client(Login(base, fingerprint=plain(fingerprint))) as client:
            login_flow.check_server(client)
            started = login_flow.start(client)
        flow = Flow(
            secrets.token_urlsafe(16), account.id, base, started.page, started.token, plain(fingerprint), library_id,
            self._now(),
        )  # fmt: skip
        with self._lock:
            mine = [old for old in self._flows.values() if old.account_id == account.id]
            for old in [*mine[: max(0, len(mine) - FLOWS_AT_ONCE + 1)], *self._expired()]:
                self._flows.pop(old.id, None)
            self._flows[flow.id] = flow
        return flow.id

    def page(self, account_id: AccountId, flow_id: str) -> str:
        """Where the user grants the login. Raises `NotFound`."""
        return self._flow(account_id, flow_id).page

    def poll(self, account_id: AccountId, flow_id: str) -> Library | None:
        """The connected library once the user granted it, None before. Raises `NotFound`, `HostError`, `Refused`."""
        flow = self._flow(account_id, flow_id)
        with self._lock:
            if self._now() - flow.polled < POLL_EVERY:
                return None
            flow.polled = self._now()
        with _client(Login(flow.base, fingerprint=flow.fingerprint)) as client:
            granted = login_flow.poll(client, flow.token)
        if granted is None:
            return None
        with self._lock:
            self._flows.pop(flow_id, None)
        login = Login(flow.base, granted.name, granted.password, flow.fingerprint)
        return self._connect(account_id, login, flow.library_id)

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
        """Connect with a user name and a password, of which only an app password is kept. Raises like `begin`."""
        if not name or not password:
            raise Refused("A user name and a password are needed", "Fill in both")
        if library_id is not None:
            self._catalogue.libraries.get(library_id, account.id)
        login = Login(self._allowed(account, typed), name, password, plain(fingerprint))
        with _client(replace(login, name="", password="")) as client:
            login_flow.check_server(client)
        with _client(login) as client:
            login_flow.user_id(client)
            kept = login_flow.app_password(client)
        return self._connect(account.id, replace(login, password=kept), library_id)

    def choice(self, library: Library) -> FolderChoice:
        """The folders at the top, and what is chosen. Raises `HostError`."""
        kept = self._kept(library)
        if self.is_paused(library):
            raise (NEXTCLOUD if kept.secret else NEXTCLOUD_AS_APP).refusal()
        with (
            _client(self.login_of(library)) as client,
            UserFiles(client, Place.of(library.address).user).listing("", "1") as found,
        ):
            names = sorted((file.path for file in found if file.is_folder and file.path), key=str.casefold)
        return FolderChoice(tuple(names), kept.options.get("folders", ()), kept.options.get("left_out", ()))

    def choose(self, library: Library, folders: tuple[str, ...], left_out: tuple[str, ...]) -> None:
        """Read only these folders (all when empty), without those; compared soon."""
        kept = self._kept(library)
        options = {"folders": _tidy(folders), "left_out": _tidy(left_out)}
        self._catalogue.host_logins.put(library.id, replace(kept, options=options))
        self._scan(library.id)

    def fingerprint(self, library_id: LibraryId) -> str | None:
        """Of the certificate that was confirmed for a library; None where somebody vouches for it."""
        kept = self._catalogue.host_logins.get(library_id)
        return kept.fingerprint if kept else None

    def resume(self, library: Library) -> None:
        """Try a login that was refused once more, since a user asks for it."""
        kept = self._catalogue.host_logins.get(library.id)
        if kept is not None and kept.refused is not None:
            self._catalogue.host_logins.put(library.id, replace(kept, refused=None))

    def is_paused(self, library: Library) -> bool:
        """Whether the host refused us, or the app is disabled there, and nothing is asked until somebody acts."""
        kept = self._catalogue.host_logins.get(library.id)
        if kept is not None and kept.refused is not None:
            return True
        return self.is_app(library) and self._app is not None and self._app.login_of(library) is None

    def is_app(self, library: Library) -> bool:
        """Whether it is read without a login, since Kinfolk is an app of that Nextcloud."""
        kept = self._catalogue.host_logins.get(library.id)
        return not (kept and kept.secret) and self._app is not None and self._app.reads(library)

    def disconnect(self, library: Library) -> None:
        """Before a library is removed: end its app password at Nextcloud, best effort."""
        kept = self._catalogue.host_logins.get(library.id) if library.host == "nextcloud" else None
        login = self._to_end(library, kept)
        if login is not None:
            _revoke(login)

    def login_of(self, library: Library) -> Login:
        """The stored login, decrypted. Raises `NotFound`: there is none that can be read."""
        kept = self._kept(library)
        if not kept.secret:
            return self._login_as_app(library)
        password = self._vault.unlock(kept.secret)
        if password is None:
            raise NotFound("The app password of this library cannot be read", "Connect it again")
        return Login(Place.of(library.address).base, kept.name, password, kept.fingerprint)

    def _login_as_app(self, library: Library) -> Login:
        login = self._app.login_of(library) if self._app else None
        if login is None:
            raise NotFound("This library is not connected", "Connect it again")
        return login

    def _kept(self, library: Library) -> HostLogin:
        """What is kept: of a library the app reads, at least an empty login. Raises `NotFound`."""
        kept = self._catalogue.host_logins.get(library.id)
        if (kept is None or not kept.secret) and not self.is_app(library):
            raise NotFound("This library is not connected", "Connect it again")
        return kept or HostLogin("", "")

    def _connect(self, account_id: AccountId, login: Login, library_id: LibraryId | None) -> Library:
        """Keep the login: of a new library, or in place of the former one, whose app password is ended."""
        with _client(login) as client:
            address = Place(login.base, login_flow.user_id(client)).address
        if library_id is not None and self._catalogue.libraries.get(library_id, account_id).address != address:
            _revoke(login)
            raise Refused("You logged in as somebody else", "Log out of Nextcloud first, then connect again")
        name = f"{Place.of(address).user} ({login.base.partition('://')[2]})"
        library = self._catalogue.libraries.add(account_id, "nextcloud", name, address)
        former = self._catalogue.host_logins.get(library.id)
        ended = self._to_end(library, former)
        options = former.options if former is not None else {}
        kept = HostLogin(login.name, self._vault.lock(login.password), login.fingerprint, options)
        self._catalogue.host_logins.put(library.id, kept)
        self._catalogue.detection.retry_of_library(library.id, ("login_refused", "certificate_refused"))
        if former is None or not former.secret:
            self._catalogue.folder_marks.clear(library.id)
            self._read_shared_once(account_id, library)
        self._scan(library.id)
        # Last: killed before, an app password is left over at Nextcloud, and no library that has only a dead one.
        if ended is not None and ended.password != login.password:
            _revoke(ended)
        return library

    def _to_end(self, library: Library, kept: HostLogin | None) -> Login | None:
        """The login whose app password Nextcloud is to forget; None where that is done, or nobody can read it."""
        if kept is None or not kept.secret or kept.refused is not None:
            return None
        try:
            return self.login_of(library)
        except NotFound:
            return None

    def _read_shared_once(self, account_id: AccountId, added: Library) -> None:
        """Other libraries of the account leave out what the new user owns: they are listed again."""
        for library in self._catalogue.libraries.all(account_id):
            if library.host == "nextcloud" and library.id != added.id:
                self._catalogue.libraries.request_sync(library.id)

    def _allowed(self, account: Account, typed: str) -> str:
        base = base_address(typed)
        servers = self.servers(account)
        if servers is not None and base not in servers:
            raise Refused(
                "Only an administrator may connect Kinfolk to a new server",
                "Ask the person who looks after Kinfolk to connect it first",
            )
        return base

    def _flow(self, account_id: AccountId, flow_id: str) -> Flow:
        with self._lock:
            for old in self._expired():
                self._flows.pop(old.id, None)
            flow = self._flows.get(flow_id)
        if flow is None or flow.account_id != account_id:
            raise NotFound("This login has ended", "Start again")
        return flow

    def _expired(self) -> list[Flow]:
        return [flow for flow in self._flows.values() if self._now() - flow.began > FLOW_SECONDS]


@contextmanager
def _client(login: Login) -> Iterator[NextcloudClient]:
    """For a few requests."""
    client = NextcloudClient(login, HASTY)
    try:
        yield client
    finally:
        client.close()


def _revoke(login: Login) -> None:
    """End an app password, best effort."""
    with _client(login) as client:
        login_flow.revoke(client)


def _tidy(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Without slashes around, each once."""
    return tuple(dict.fromkeys(path.strip().strip("/") for path in paths if path.strip().strip("/")))
