"""Which language a page speaks: the one chosen on this device, else the browser's first choice among ours."""

from collections.abc import Iterator
from pathlib import Path

from babel import Locale, UnknownLocaleError
from flask import Flask, Response, request
from flask_babel import Babel, get_locale, get_translations
from flask_babel import gettext as flask_gettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from plugin.errors import KinfolkError
from plugin.sentences import Sentence
from plugin.web.wording import number

LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
"""English is the language of the source; the others lie in `plugin/translations`."""

HOUSE_ENGLISH = "en-GB"
"""English is spelt the British way here; whoever asks for American English gets American dates."""

COOKIE = "kinfolk_language"

TRANSLATIONS = Path(__file__).parents[1] / "translations"


def install_language(app: Flask) -> None:
    """Make `_`, `ngettext`, `translated` and `page_language` available in templates; every page says its language."""
    Babel(
        app, default_locale="en_GB", default_translation_directories=str(TRANSLATIONS), locale_selector=locale_of_page
    )
    app.jinja_env.globals.update(ngettext=ngettext_in_template, page_language=page_language, languages=LANGUAGES)
    app.jinja_env.filters["translated"] = translated
    app.after_request(declare_language)


def locale_of_page() -> str:
    """The locale of this request, e.g. `de_AT`: language for the words, region for dates and numbers."""
    return str(next(wanted_locales(), Locale.parse(HOUSE_ENGLISH, sep="-")))


def wanted_locales() -> Iterator[Locale]:
    """What was chosen, then what the browser asks for, best first, as far as it is one of our languages."""
    for tag in (request.cookies.get(COOKIE, ""), *request.accept_languages.values()):
        try:
            locale = Locale.parse(HOUSE_ENGLISH if tag == "en" else tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
        if locale and locale.language in LANGUAGES:
            yield locale


def page_language() -> str:
    """The language tag of the page, for `<html lang>`: `de-AT`."""
    return str(get_locale()).replace("_", "-")


def declare_language(response: Response) -> Response:
    """Say which language a page is in, and that it depends on what the browser asked for."""
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Language", page_language())
        response.vary.update(("Accept-Language", "Cookie"))
    return response


def ngettext(singular: str, plural: str, num: int, **values: object) -> str:
    """The form for this number; `%(num)s` is written as the language writes numbers."""
    text: str = get_translations().ungettext(singular, plural, num)
    return text % {"num": number(num), **values}


@pass_context
def ngettext_in_template(context: Context, singular: str, plural: str, num: int, **values: object) -> str:
    """The same for templates: markup in the message stays, values are escaped."""
    text: str = get_translations().ungettext(singular, plural, num)
    filled = {"num": number(num), **values}
    return Markup(text) % filled if context.eval_ctx.autoescape else text % filled  # noqa: S704 - our own messages


def translated(text: str) -> str:
    """A sentence that was written below the pages, in the language of this page; English where nobody translated it."""
    if isinstance(text, Sentence):
        values = {name: spoken(value) for name, value in text.values.items()}
        if text.plural:
            return str(get_translations().ungettext(text.template, text.plural, text.values["num"])) % values
        return str(flask_gettext(text.template, **values))
    return str(get_translations().ugettext(text)) if text else ""


def spoken(value: object) -> object:
    """A value inside a sentence: sentences translated, whole numbers written as the language writes them."""
    if isinstance(value, Sentence):
        return translated(value)
    return number(value) if isinstance(value, int) else value


def explained(error: KinfolkError) -> str:
    """What happened and what to do about it, in the language of this page."""
    happened, advice = translated(error.message), translated(error.advice)
    return f"{happened}. {advice}" if advice else f"{happened}."
