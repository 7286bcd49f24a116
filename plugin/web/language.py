"""Which language a page speaks: the browser's first choice among those Kinfolk is translated into."""

from pathlib import Path

from flask import Flask, request
from flask_babel import Babel

LANGUAGES = ("en", "de", "fr", "es")
"""English is the language of the source; the others lie in `plugin/translations`."""

TRANSLATIONS = Path(__file__).parents[1] / "translations"


def install_language(app: Flask) -> None:
    """Make `_` and `ngettext` available in templates, and `flask_babel.gettext` in views."""
    Babel(app, default_translation_directories=str(TRANSLATIONS), locale_selector=language)


def language() -> str:
    """The language of this request; English for a browser that asks for none of ours."""
    return request.accept_languages.best_match(LANGUAGES, default="en") or "en"
