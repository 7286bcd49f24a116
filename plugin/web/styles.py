"""All style sheets as one file: a browser paints nothing before it has every one of them."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

from flask import Flask, Response

BUNDLE = "css/kinfolk.css"
"""What pages ask for; lies nowhere, and is asked for like any static file."""

SHEETS = (
    "theme",
    "base",
    "layout",
    "components",
    "pages",
    "language",
    "people",
    "photo",
    "accounts",
    "live",
    "api",
    "sharing",
)
"""Files of `static/css` in the order in which they overrule each other."""


def bundled(folder: Path) -> bytes:
    """The sheets of the static folder, one after the other."""
    return b"\n".join((folder / "css" / f"{sheet}.css").read_bytes() for sheet in SHEETS)


def serve_bundle(app: Flask, content: bytes) -> None:
    """Answer for the bundle where Flask answers for static files."""
    files = cast("Callable[..., Response]", app.view_functions["static"])

    def static(filename: str) -> Response:
        return Response(content, mimetype="text/css") if filename == BUNDLE else files(filename=filename)

    app.view_functions["static"] = static
