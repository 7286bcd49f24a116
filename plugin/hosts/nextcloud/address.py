"""Addresses of Nextcloud servers and users, as people type them and as libraries store them."""

from dataclasses import dataclass
from urllib.parse import quote, unquote

from plugin.domain import Library
from plugin.errors import HostRefused
from plugin.hosts.network.address import web_address
from plugin.hosts.nextcloud.words import NEXTCLOUD

TAILS = ("/index.php", "/status.php", "/remote.php", "/login", "/apps", "/settings", "/ocs", "/s", "/f")
"""What people copy from the address bar after the part that matters."""


@dataclass(frozen=True, slots=True)
class Place:
    """One user's files at one server.

    Attributes:
        base: `https://cloud.example` or `https://example.org/nextcloud`, without a slash at the end.
        user: the user's id, which is not always what they log in with.
    """

    base: str
    user: str

    @property
    def address(self) -> str:
        """As stored with the library: `https://anna@cloud.example/nextcloud`."""
        scheme, _, rest = self.base.partition("://")
        return f"{scheme}://{quote(self.user, safe='')}@{rest}"

    @staticmethod
    def of(address: str) -> "Place":
        """The other way round. Raises `HostRefused` for what `address` never wrote."""
        scheme, _, rest = address.partition("://")
        user, found, host = rest.partition("@")
        if not (scheme in ("http", "https") and found and user and host):
            raise HostRefused("%(address)s is no address of a Nextcloud user", "Connect it again", address=address)
        return Place(f"{scheme}://{host}", unquote(user))


def place_of(library: Library) -> Place | None:
    """Whose files a library holds and where; None for libraries of other hosts."""
    if library.host != "nextcloud":
        return None
    try:
        return Place.of(library.address)
    except HostRefused:
        return None


def base_address(typed: str) -> str:
    """See `web_address`. Raises `HostRefused`."""
    return web_address(typed, TAILS, NEXTCLOUD)
