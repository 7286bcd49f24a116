"""Connecting libraries to PhotoPrism: which login is kept, what is read, and what is missing there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from plugin.assemble.vault import Vault
from plugin.domain import Account, Library, LibraryId
from plugin.errors import HostError, HostRefused, KinfolkError, LoginRefused, NotFound, Refused
from plugin.hosts.network.certificates import fingerprint_of, plain, readable
from plugin.hosts.network.limits import HASTY
from plugin.hosts.network.login import Login
from plugin.hosts.photoprism.address import base_address
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.ports.catalogue import Catalogue
from plugin.ports.libraries import HostLogin
from plugin.sentences import Sentence
from plugin.writeback.from_hosts import last_look

SCOPE = "photos files videos people"
"""Of the app password Kinfolk makes: to read, and to write names back later."""

OLDEST = "240101"
"""The date a version begins with; what Kinfolk was written for is from the end of 2024."""


EDITIONS = {"ce": "Community Edition", "plus": "Plus", "essentials": "Essentials", "pro": "Pro", "portal": "Portal"}
"""As PhotoPrism calls them, in every language."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A new connection. `missing`: what will not work there, for a person."""

    library: Library
    edition: str
    version: str
    missing: tuple[Sentence, ...] = ()

    @property
    def edition_name(self) -> str:
        """As PhotoPrism calls it in every language."""
        return EDITIONS.get(self.edition, self.edition)


@dataclass(frozen=True, slots=True)
class Found:
    """What a login that works found: the server's settings, whose login it is ("" unknown), what is missing."""

    config: dict[str, Any]
    user: str
    missing: tuple[Sentence, ...]


class PhotoPrismConnections:
    """What the pages and commands do to connect; see `plugin.web.services.PhotoPrismConnecting`.

    Args:
        catalogue: where libraries and their logins are.
        vault: encrypts app passwords.
        scan: has a library compared soon.
    """

    def __init__(self, catalogue: Catalogue, vault: Vault, scan: Callable[[LibraryId], None]) -> None:
        self._catalogue = catalogue
        self._vault = vault
        self._scan = scan

    def servers(self, account: Account) -> list[str] | None:
        """Which servers this account may connect to: any for the administrator (None), else those in use already."""
        if account.is_admin:
            return None
        return sorted({library.address for library in self._catalogue.libraries.all() if library.host == "photoprism"})

    def certificate(self, account: Account, typed: str) -> tuple[str, str]:
        """(address, SHA-256 fingerprint) of the certificate the server shows. Raises `HostError`, `Refused`."""
        base = self._allowed(account, typed)
        return base, readable(fingerprint_of(base))

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
    ) -> Connected:
        """Keep a login that works.

        Args:
            account: whose library it becomes.
            typed: address of the server.
            password: an app password or access token; empty for public mode. With a user: the user's own password,
                by which an app password is made and which is forgotten.
            user: name at PhotoPrism, empty where the password is an app password.
            fingerprint: of a certificate that was confirmed.
            private: whether private photos are read.
            live: whether PhotoPrism's websocket is listened to.
            library_id: of the library that is connected again.

        Raises:
            CertificateRefused: the certificate must be confirmed first.
            HostError, Refused, NotFound.
        """
        base = self._allowed(account, typed)
        if library_id is not None and self._catalogue.libraries.get(library_id, account.id).address != base:
            raise Refused("This is another server", "Connect it as a library of its own")
        login = Login(base, "app", password, plain(fingerprint))
        if user:
            login = replace(login, password=self._app_password(login, user))
        try:
            found = self._tried(login)
            self._require_same_user(account, base, found.user, library_id)
        except KinfolkError:
            if user:
                self._revoke(login)
            raise
        chosen = {"made": bool(user), "private": private, "live": live}
        return self._keep(account, login, found, chosen)

    def reads_private(self, library: Library) -> bool:
        """Whether private photos are read."""
        kept = self._catalogue.host_logins.get(library.id)
        return kept is not None and "private" in kept.options

    def listens(self, library: Library) -> bool:
        """Whether PhotoPrism's websocket is listened to."""
        kept = self._catalogue.host_logins.get(library.id)
        return kept is not None and "live" in kept.options

    def disconnect(self, library: Library) -> None:
        """Before a library is removed: end the app password Kinfolk made, best effort. Others stay their users'."""
        made = self._made_for(library) if library.host == "photoprism" else None
        if made is not None:
            self._revoke(made)

    def _made_for(self, library: Library) -> Login | None:
        """The login whose app password Kinfolk made and has to end; None where that is done, or nobody can read it."""
        kept = self._catalogue.host_logins.get(library.id)
        if kept is None or kept.refused is not None or "made" not in kept.options:
            return None
        try:
            return self.login_of(library)
        except NotFound:
            return None

    def login_of(self, library: Library) -> Login:
        """The stored login, decrypted. Raises `NotFound`: there is none that can be read."""
        kept = self._catalogue.host_logins.get(library.id)
        password = self._vault.unlock(kept.secret) if kept else None
        if kept is None or password is None:
            raise NotFound("The app password of this library cannot be read", "Connect it again")
        return Login(library.address, kept.name, password, kept.fingerprint)

    def _require_same_user(self, account: Account, base: str, user: str, again: LibraryId | None) -> None:
        """Raises `Refused` where another user's login would be lost; one that is connected again may become another."""
        mine = self._catalogue.libraries.all(account.id)
        library = next((one for one in mine if (one.host, one.address) == ("photoprism", base)), None)
        kept = self._catalogue.host_logins.get(library.id) if library is not None else None
        if library is None or kept is None or library.id == again:
            return
        if not user or kept.options.get("user") != (user,):
            raise Refused(
                "This PhotoPrism is connected already, perhaps as somebody else",
                "To use another login for it, press Connect again beside it on the Libraries page",
            )

    def _tried(self, login: Login) -> Found:
        """What the server tells, once a search was allowed, and what is missing. Raises `HostError`."""
        with opened(login) as client:
            config = client.config()
            if not login.password and not config.get("public"):
                raise HostRefused("This PhotoPrism wants a login", "Make an app password there and copy it here")
            client.get("/photos", count="1", quality="0", merged="true", primary="true")
            people = allowed(client, "/subjects", count="1")
            missing = (*missing_at(config, people=people), *missing_scopes(client, people=people))
            return Found(config, user_of(client), missing)

    def _app_password(self, login: Login, user: str) -> str:
        """An app password made with the user's own; the session that was needed for it is ended. Raises `HostError`."""
        with opened(replace(login, name="", password="")) as client:
            session = text(client.post("/session", {"username": user, "password": login.password}), "access_token")
        if not session:
            raise PhotoPrismClient.words.refusal()
        asked = {
            "grant_type": "password", "username": user, "password": login.password, "client_name": "Kinfolk",
            "scope": SCOPE, "expires_in": 0,
        }  # fmt: skip
        with opened(replace(login, name="", password=session)) as client:
            try:
                made = text(client.post("/oauth/token", asked), "access_token")
            except HostError as error:
                raise HostRefused(
                    "This PhotoPrism does not make app passwords for Kinfolk",
                    "Make one there under Settings, Account, Apps and Devices, and copy it here",
                ) from error
            finally:
                quietly(client, "DELETE", "/api/v1/session")
        if not made:
            raise PhotoPrismClient.words.refusal()
        return made

    def _keep(
        self,
        account: Account,
        login: Login,
        found: Found,
        chosen: Mapping[str, bool],
    ) -> Connected:
        name = f"PhotoPrism ({login.base.partition('://')[2]})"
        library = self._catalogue.libraries.add(account.id, "photoprism", name, login.base)
        former = self._made_for(library)
        options = {option: ("yes",) for option, is_chosen in chosen.items() if is_chosen}
        options |= {"user": (found.user,)} if found.user else {}
        kept_name = login.name if login.password else ""
        kept = HostLogin(kept_name, self._vault.lock(login.password), login.fingerprint, options)
        self._catalogue.host_logins.put(library.id, kept)
        self._catalogue.folder_marks.clear(library.id)  # another login may see other photos, and people
        self._catalogue.preferences.delete(last_look(library.id))
        self._catalogue.detection.retry_of_library(library.id, ("login_refused", "certificate_refused"))
        self._scan(library.id)
        # Last: killed before, an app password is left over at PhotoPrism, and no library that has only a dead one.
        if former is not None:
            self._revoke(former)
        return Connected(library, text(found.config, "edition"), text(found.config, "version"), found.missing)

    def _revoke(self, login: Login) -> None:
        with opened(login) as client:
            quietly(client, "POST", "/api/v1/oauth/revoke")

    def _allowed(self, account: Account, typed: str) -> str:
        base = base_address(typed)
        servers = self.servers(account)
        if servers is not None and base not in servers:
            raise Refused(
                "Only an administrator may connect Kinfolk to a new server",
                "Ask the person who looks after Kinfolk to connect it first",
            )
        return base


def missing_at(config: dict[str, Any], *, people: bool) -> tuple[Sentence, ...]:
    """What this PhotoPrism is missing, each as a sentence for a person.

    `people`: whether the login may ask for them; what the scope of an app password does not allow looks switched off.
    """
    settings = config.get("settings")
    features = settings.get("features") if isinstance(settings, dict) else None
    found = []
    features = features if isinstance(features, dict) else {}
    if people and not features.get("people", True):
        found.append(
            Sentence("People are switched off in this PhotoPrism, so it could not take names back. Photos are read")
        )
    if not features.get("edit", True):
        found.append(
            Sentence(
                "Editing is switched off in this PhotoPrism, or this user may not do it, so it may refuse names. "
                "Photos are read"
            )
        )
    version = text(config, "version")[:6]
    if version.isdecimal() and version < OLDEST:
        found.append(
            Sentence("This PhotoPrism is older than those Kinfolk was written for. Update it if photos are missing")
        )
    return tuple(found)


def missing_scopes(client: PhotoPrismClient, *, people: bool) -> tuple[Sentence, ...]:
    """What the app password may not do, each as a sentence for a person. Asks for nothing that is there."""
    found = []
    if not people:
        found.append(
            Sentence("The app password lacks the scope people: names are neither read nor written. Photos are read")
        )
    if not allowed(client, f"/files/{'0' * 40}"):
        found.append(Sentence("The app password lacks the scope files: names cannot be written there. Photos are read"))
    return tuple(found)


def allowed(client: PhotoPrismClient, path: str, **query: str) -> bool:
    """Whether this may be asked for, be it there or not; anything but a refusal says nothing about rights."""
    try:
        client.get(path, **query)
    except LoginRefused:
        raise
    except HostRefused:
        return False
    except HostError:
        return True
    return True


def user_of(client: PhotoPrismClient) -> str:
    """The id of whose login this is, "" where PhotoPrism does not say. Raises `LoginRefused`."""
    try:
        answer = client.get("/session")
    except LoginRefused:
        raise
    except HostError:
        return ""
    return text(answer.get("user") if isinstance(answer, dict) else None, "UID")


@contextmanager
def opened(login: Login) -> Iterator[PhotoPrismClient]:
    """For a few requests, while somebody waits."""
    client = PhotoPrismClient(login, HASTY)
    try:
        yield client
    finally:
        client.close()


def quietly(client: PhotoPrismClient, method: str, path: str) -> None:
    """Ask for something that is no loss when it fails."""
    try:
        client.answer(method, path)
    except HostError:
        return


def text(answer: object, name: str) -> str:
    """A text of an answer, "" where there is none."""
    value = answer.get(name) if isinstance(answer, dict) else None
    return value[:1000] if isinstance(value, str) else ""
