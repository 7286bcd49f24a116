"""Which language a page speaks: the one chosen on this device, else the browser's first choice among ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from babel import Locale, UnknownLocaleError
from babel.support import NullTranslations
from flask import Blueprint, Flask, Response, g, request, url_for
from flask_babel import Babel, get_locale, get_translations
from flask_babel import gettext as flask_gettext
from markupsafe import Markup
from werkzeug.wrappers import Response as Answer

from plugin.errors import KinfolkError
from plugin.sentences import Sentence
from plugin.web.request_context import form_text, see_other
from plugin.web.security import came_from
from plugin.web.wording import number

LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
"""English is the language of the source; the others lie in `plugin/translations`."""

HOUSE_ENGLISH = "en-GB"
"""English is spelt the British way here; whoever asks for American English gets American dates."""

COOKIE = "kinfolk_language"
A_YEAR = 365 * 24 * 3600

pages = Blueprint("language", __name__)

TRANSLATIONS = Path(__file__).parents[1] / "translations"


def install_language(app: Flask) -> None:
    """Make `_`, `ngettext`, `translated` and `page_language` available in templates; every page says its language."""
    Babel(
        app, default_locale="en_GB", default_translation_directories=str(TRANSLATIONS), locale_selector=locale_of_page
    )
    app.jinja_env.globals.update(page_language=page_language, languages=LANGUAGES, chosen_language=chosen_language)
    # Instead of flask-babel's: a page has hundreds of messages, and Jinja's own way to say one makes a context for it.
    app.jinja_env.globals.update(_=gettext_in_template, gettext=gettext_in_template, ngettext=ngettext_in_template)
    app.jinja_env.filters["translated"] = translated
    app.after_request(declare_language)
    app.register_blueprint(pages)


def locale_of_page() -> str:
    """The locale of this request, e.g. `de_AT`: language for the words, region for dates and numbers."""
    return str(next(wanted_locales(), our_locale(HOUSE_ENGLISH)))


def wanted_locales() -> Iterator[Locale]:
    """The chosen language (in the browser's region where it names one), then what the browser asks for, best first."""
    asked = [locale for tag in request.accept_languages.values() if (locale := our_locale(tag))]
    if chosen := our_locale(chosen_language()):
        yield from (locale for locale in asked if locale.language == chosen.language)
        yield chosen
    yield from asked


def our_locale(tag: str) -> Locale | None:
    """The locale of a language tag, without what nobody knows of it; None when it is no language of ours."""
    language = tag.partition("-")[0].lower()
    if language not in LANGUAGES:
        return None
    try:
        return Locale.parse(HOUSE_ENGLISH if tag == "en" else tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale(language)


def words() -> NullTranslations:
    """The translations of this request."""
    known = g.get("words")
    if known is None:
        known = g.words = get_translations()
    return cast("NullTranslations", known)


def page_language() -> str:
    """The language tag of the page, for `<html lang>`: `de-AT`."""
    return str(get_locale()).replace("_", "-")


def chosen_language() -> str:
    """What was chosen on this device, "" when the browser decides."""
    language = request.cookies.get(COOKIE, "")
    return language if language in LANGUAGES else ""


@pages.post("/language")
def choose() -> Answer:
    """Remember the language for this browser; nothing chosen means: as the browser asks."""
    language, response = form_text("language", 10), see_other(came_from(url_for("people.index")))
    if language in LANGUAGES or not language:
        # An empty choice ends the cookie at once.
        age = A_YEAR if language else 0
        path = f"{request.script_root}/"
        response.set_cookie(COOKIE, language, age, path=path, secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def declare_language(response: Response) -> Response:
    """Say which language a page is in, and that it depends on what the browser asked for."""
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Language", page_language())
        response.vary.update(("Accept-Language", "Cookie"))
    return response


def gettext(message: str, **values: object) -> str:
    """The sentence in the language of the page; Flask-Babel's function, with types."""
    return str(flask_gettext(message, **values))


def ngettext(singular: str, plural: str, num: int, **values: object) -> str:
    """The form for this number; `%(num)s` is written as the language writes numbers."""
    text: str = words().ungettext(singular, plural, num)
    return text % {"num": number(num), **values}


def gettext_in_template(message: str, **values: object) -> Markup:
    """The sentence for templates, all of which are HTML: markup in the message stays, values are escaped."""
    return Markup(words().ugettext(message)) % values  # noqa: S704 - our own messages


def ngettext_in_template(singular: str, plural: str, num: int, **values: object) -> Markup:
    """The same for the form for this number."""
    text: str = words().ungettext(singular, plural, num)
    return Markup(text) % {"num": number(num), **values}  # noqa: S704 - our own messages


def translated(text: str) -> str:
    """A sentence that was written below the pages, in the language of this page; English where nobody translated it."""
    if isinstance(text, Sentence):
        values = {name: spoken(value) for name, value in text.values.items()}
        if text.plural:
            number_said = cast("int", text.values["num"])
            return str(words().ungettext(text.template, text.plural, number_said)) % values
        return str(flask_gettext(text.template, **values))
    return str(words().ugettext(text)) if text else ""


def spoken(value: object) -> object:
    """A value inside a sentence: sentences translated, whole numbers written as the language writes them."""
    if isinstance(value, Sentence):
        return translated(value)
    return number(value) if isinstance(value, int) else value


def explained(error: KinfolkError) -> str:
    """What happened and what to do about it, in the language of this page."""
    happened, advice = translated(error.message), translated(error.advice)
    return f"{happened}. {advice}" if advice else f"{happened}."
