"""Addresses out of patterns that are built once: a page has hundreds, and each costs Flask twenty times as much."""

from collections.abc import Callable
from typing import TypeAlias

from flask import Flask, has_request_context, request
from werkzeug.routing import BuildError

Kind: TypeAlias = tuple[str, tuple[tuple[str, type], ...]]
"""An endpoint, and the names and types of its values."""


class Addresses:
    """Flask's `url_for`, quicker for values that are whole numbers or plain words; everything else goes to Flask.

    Args:
        url_for: Flask's own.
    """

    def __init__(self, url_for: Callable[..., str]) -> None:
        self._url_for = url_for
        self._patterns: dict[Kind, str | None] = {}

    def __call__(self, endpoint: str, **values: object) -> str:
        """The address, from the root of this host on."""
        said = {name: value for name, value in values.items() if value is not None}
        anchor = said.pop("_anchor", "")
        if _is_anchor(anchor) and has_request_context() and all(map(_plain, said.values())):
            kind = endpoint, tuple((name, type(value)) for name, value in said.items())
            if kind not in self._patterns:
                self._patterns[kind] = self._pattern(endpoint, said)
            pattern = self._patterns[kind]
            if pattern is not None:
                address = request.script_root + pattern % said
                return f"{address}#{anchor}" if anchor else address
        return self._url_for(endpoint, **values)

    def _pattern(self, endpoint: str, values: dict[str, object]) -> str | None:
        """The address with places for the values, None when these values (or this endpoint) need Flask."""
        if endpoint.startswith(".") or any(name.startswith("_") for name in values):
            return None
        numbered = enumerate(values.items())
        signs = {name: _sign(number, text=isinstance(value, str)) for number, (name, value) in numbered}
        try:
            address = self._url_for(endpoint, **signs)
        except BuildError:
            return None
        root = request.script_root
        if not address.startswith(f"{root}/"):
            return None
        pattern = address[len(root) :].replace("%", "%%")
        for name, sign in signs.items():
            if pattern.count(str(sign)) != 1:
                return None
            pattern = pattern.replace(str(sign), f"%({name})s")
        return pattern


def install_addresses(app: Flask) -> None:
    """Let views and templates use them."""
    addresses = Addresses(app.url_for)
    app.url_for = addresses  # type: ignore[method-assign]  # `flask.url_for` asks the application for it
    app.jinja_env.globals["url_for"] = addresses


def _plain(value: object) -> bool:
    """Whether a value stands in an address as it is; a sign in front or a letter to be escaped is left to Flask."""
    if type(value) is int:
        return value >= 0
    return type(value) is str and value.isascii() and value.isalnum()


def _is_anchor(value: object) -> bool:
    """Whether it stands behind the `#` as it is, or not at all."""
    return isinstance(value, str) and value.isascii() and (not value or value.replace("-", "").isalnum())


def _sign(number: int, *, text: bool) -> int | str:
    """Stands for a value; long enough to be nothing else."""
    sign = 9_182_736_450_000 + number
    return f"sign{sign}" if text else sign
