"""Addresses of Nextcloud servers and users, as people type them and as libraries store them."""

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from plugin.errors import HostRefused

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


def base_address(typed: str) -> str:
    """The server's address from what was typed or copied; https where nothing else was said.

    Raises:
        HostRefused: not an http(s) address, or one that carries a password or a query.
    """
    text = typed.strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _not_an_address() from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or not parts.hostname.isprintable():
        raise _not_an_address()
    if parts.username or parts.password or any(character in text for character in " \t\r\n\\<>\"'"):
        raise _not_an_address()
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.lower()
    default = {"http": 80, "https": 443}[parts.scheme.lower()]
    where = name if port in (None, default) else f"{name}:{port}"
    return f"{parts.scheme.lower()}://{where}{_folder(parts.path)}"


def _folder(path: str) -> str:
    """Where on the host Nextcloud lies: the path up to what belongs to one of its pages."""
    for tail in TAILS:
        found = f"{path}/".find(f"{tail}/")
        if found >= 0:
            path = path[:found]
    return path.rstrip("/")


def _not_an_address() -> HostRefused:
    return HostRefused(
        "This is not the address of a Nextcloud server", "Type it as in your browser: https://cloud.example.org"
    )
