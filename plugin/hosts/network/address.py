"""Addresses of servers as people type or copy them."""

from urllib.parse import urlsplit

from plugin.errors import HostRefused
from plugin.hosts.network.words import Words


def web_address(typed: str, tails: tuple[str, ...], words: Words) -> str:
    """The server's address from what was typed or copied; https where nothing else was said.

    It has no slash at the end.

    Args:
        typed: with or without scheme, with or without a page of the server.
        tails: where pages of the server begin, which are left out, such as `/login`.
        words: of the host.

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
        raise HostRefused(*words.no_address) from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or not parts.hostname.isprintable():
        raise HostRefused(*words.no_address)
    if parts.username or parts.password or any(character in text for character in " \t\r\n\\<>\"'"):
        raise HostRefused(*words.no_address)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.lower()
    default = {"http": 80, "https": 443}[parts.scheme.lower()]
    where = name if port in (None, default) else f"{name}:{port}"
    return f"{parts.scheme.lower()}://{where}{_folder(parts.path, tails)}"


def server_of(address: str) -> str:
    """The server of a manifest's address. Raises `HostRefused` for what is no address of one."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise HostRefused("This is not the address of a manifest", "Type it as in a browser, with https://")
    return f"{parts.scheme}://{parts.netloc}"


def _folder(path: str, tails: tuple[str, ...]) -> str:
    """Where on the server the host lies: the path up to what belongs to one of its pages."""
    for tail in tails:
        found = f"{path}/".find(f"{tail}/")
        if found >= 0:
            path = path[:found]
    return path.rstrip("/")
