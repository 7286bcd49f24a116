"""Libraries that are a manifest on a web server, and the logins of those that want one."""

from urllib.parse import urlsplit

from plugin.assemble.vault import Vault
from plugin.domain import AccountId, Library
from plugin.hosts.network.login import Login
from plugin.hosts.registry import ManifestAccess, host_kinds, open_manifest
from plugin.ports.catalogue import Catalogue
from plugin.ports.libraries import HostLogin


class Manifests:
    """Adds manifests.

    Args:
        catalogue: where libraries and their logins are.
        vault: encrypts passwords and tokens.
    """

    def __init__(self, catalogue: Catalogue, vault: Vault) -> None:
        self._catalogue = catalogue
        self._vault = vault

    def add(self, account_id: AccountId, address: str, name: str = "", password: str = "") -> Library:
        """A library, once its manifest could be read; adding it again replaces the login. Raises `HostError`.

        Args:
            account_id: whose library it becomes.
            address: of the manifest.
            name: of a user, where the server asks for one (HTTP Basic).
            password: of that user; without a name a token (`Authorization: Bearer`).
        """
        address = host_kinds()["manifest"].address(address)
        login = self._login(address, name, password) if password else None
        host = open_manifest(Library(0, 0, "manifest", address, address), ManifestAccess(login))
        try:
            host.check()
        finally:
            host.close()
        library = self._catalogue.libraries.add(account_id, "manifest", address, address)
        logins = self._catalogue.host_logins
        if login is not None:
            logins.put(library.id, HostLogin(name, self._vault.lock(password)))
        elif logins.get(library.id) is not None:
            logins.put(library.id, HostLogin("", ""))
        return library

    def login_of(self, library: Library) -> Login | None:
        """The stored login, None where there is none that can be read."""
        kept = self._catalogue.host_logins.get(library.id) if library.id else None
        password = self._vault.unlock(kept.secret) if kept and kept.secret else None
        return self._login(library.address, kept.name, password) if kept is not None and password else None

    @staticmethod
    def _login(address: str, name: str, password: str) -> Login:
        parts = urlsplit(address)
        headers = {} if name else {"Authorization": f"Bearer {password}"}
        return Login(f"{parts.scheme}://{parts.netloc}", name, password, headers=headers)
