"""`make translate`: collects every text a user sees and brings the catalogues of all languages up to date.

Afterwards fill the empty `msgstr` in `plugin/translations/*/LC_MESSAGES/messages.po` and run it again: it compiles.
`tests/unit/test_translations.py` uses the same functions to find what is missing.
"""

import ast
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.extract import extract_python as calls_of_gettext
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from plugin import errors

ROOT = Path(__file__).parents[1]
TRANSLATIONS = ROOT / "plugin" / "translations"
LANGUAGES = ("de", "fr", "es")
"""English is what the texts are written in."""

KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2)}
ERRORS = frozenset(name for name, kind in vars(errors).items() if isinstance(kind, type)) - {"NotFound"}
"""What these say is shown by the pages (as f-strings it is English for ever); `NotFound` has a page of its own."""

ALWAYS_THE_SAME = datetime(2026, 1, 1, tzinfo=UTC)
"""Dates of creation would change the compiled files with every run."""

Found = tuple[int, str | None, Any, list[str]]


def python_messages(
    file: IO[bytes],
    keywords: Any,  # noqa: ANN401 - as Babel hands them over
    comment_tags: Any,  # noqa: ANN401
    options: Any,  # noqa: ANN401
) -> Iterator[Found]:
    """Calls of gettext and its kin, both texts of every error and of what hosts say, and the titles of events."""
    found: Any = calls_of_gettext(file, keywords, comment_tags, options)
    yield from found
    file.seek(0)
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call):
            yield from ((node.lineno, *said, list[str]()) for said in texts_of(node))


def texts_of(call: ast.Call) -> Iterator[tuple[str | None, Any]]:
    """What one call says to a user, as (keyword, message)."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in ERRORS | {"_event", "Sentence", "Said"} or any(
        isinstance(argument, ast.JoinedStr) for argument in call.args
    ):
        return
    constants = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    texts = [text for text in constants if isinstance(text, str) and text]
    if name in {"_event", "Sentence"} and len(texts) > 1:
        yield "ngettext", tuple(texts)
    else:
        yield from ((None, text) for text in texts)


METHODS: list[tuple[str, Any]] = [
    # These speak to whoever runs the program, in English.
    ("plugin/cli/**.py", "ignore"),
    ("plugin/settings/**.py", "ignore"),
    ("plugin/assemble/connecting*.py", python_messages),  # which speak to whoever connects a library
    ("plugin/assemble/**.py", "ignore"),
    # These end on the Status page.
    ("plugin/vision/installation.py", python_messages),
    ("plugin/vision/accelerator/*.py", python_messages),
    ("plugin/vision/**.py", "ignore"),
    ("plugin/catalogue/backup.py", "ignore"),
    ("plugin/catalogue/backup_files.py", "ignore"),
    ("plugin/catalogue/restore.py", "ignore"),
    ("plugin/catalogue/opening.py", "ignore"),
    ("plugin/**.py", python_messages),
    ("templates/**.html", "jinja2"),
]


def extracted() -> Catalog:
    """Every message of the sources, sorted by file."""
    catalog = Catalog(creation_date=ALWAYS_THE_SAME)
    found = extract_from_dir(ROOT, METHODS, {"templates/**.html": {"silent": "false"}}, KEYWORDS)
    for file, line, message, _comments, _context in sorted(found, key=lambda row: (row[0], row[1])):
        catalog.add(message, None, [(file, line)])
    return catalog


def po_file(language: str) -> Path:
    """Where the translations into a language lie."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """The translations into a language; an empty catalogue where there are none yet."""
    file = po_file(language)
    with BytesIO(file.read_bytes() if file.exists() else b"") as stream:
        catalog = read_po(stream, locale=language)
    catalog.creation_date = catalog.revision_date = ALWAYS_THE_SAME
    return catalog


def compiled(catalog: Catalog) -> bytes:
    """The .mo file of a catalogue."""
    stream = BytesIO()
    write_mo(stream, catalog)
    return stream.getvalue()


def source_text(catalog: Catalog) -> bytes:
    """The .po file: files without line numbers, no dates, nothing that is used no more."""
    stream = BytesIO()
    write_po(stream, catalog, width=120, omit_header=True, include_lineno=False, ignore_obsolete=True)
    header = (
        f'msgid ""\nmsgstr ""\n"Language: {catalog.locale_identifier}\\n"\n'
        f'"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    )
    return header.encode() + stream.getvalue()


def untranslated(catalog: Catalog) -> list[Message]:
    """Messages without a text in every form."""
    return [message for message in catalog if message.id and not all(forms(message))]


def forms(message: Message) -> tuple[str, ...]:
    """The translation, in each plural form."""
    return tuple(message.string) if isinstance(message.string, tuple | list) else (message.string or "",)


def update(language: str, template: Catalog) -> int:
    """Bring one language up to date and compile it; returns how many messages still need a translation."""
    catalog = read(language)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.creation_date = catalog.revision_date = ALWAYS_THE_SAME
    file = po_file(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(source_text(catalog))
    file.with_suffix(".mo").write_bytes(compiled(read(language)))
    return len(untranslated(catalog))


def main() -> int:
    """Update all languages; 1 when something is left to translate."""
    template = extracted()
    left = {language: update(language, template) for language in LANGUAGES}
    sys.stdout.write(
        "".join(f"{language}: {count} of {len(template)} to translate\n" for language, count in left.items())
    )
    return 1 if any(left.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
