"""Addresses of PhotoPrism servers, as people type or copy them."""

from plugin.errors import HostRefused
from plugin.hosts.nextcloud.address import base_address as web_address

TAILS = ("/library", "/api/v1", "/auth", "/s")
"""What people copy from the address bar after the part that matters."""


def base_address(typed: str) -> str:
    """The server's address, without a slash at the end; https where nothing else was said.

    Raises:
        HostRefused: not an http(s) address, or one that carries a password.
    """
    try:
        base = web_address(typed)
    except HostRefused:
        raise HostRefused(
            "This is not the address of a PhotoPrism", "Type it as in your browser: https://photos.example.org"
        ) from None
    scheme, _, rest = base.partition("://")
    host, slash, path = rest.partition("/")
    for tail in TAILS:
        found = f"{slash}{path}/".find(f"{tail}/")
        if found >= 0:
            slash, path = "", f"{slash}{path}"[:found]
    return f"{scheme}://{host}{slash}{path}".rstrip("/")
