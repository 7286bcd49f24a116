"""Addresses of PhotoPrism servers, as people type or copy them."""

from plugin.hosts.network.address import web_address
from plugin.hosts.photoprism.words import PHOTOPRISM

TAILS = ("/library", "/api/v1", "/auth", "/login", "/s")
"""What people copy from the address bar after the part that matters."""


def base_address(typed: str) -> str:
    """See `web_address`. Raises `HostRefused`."""
    return web_address(typed, TAILS, PHOTOPRISM)
