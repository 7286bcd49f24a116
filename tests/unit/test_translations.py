"""Every text a user sees is translated into every language, and nothing else is."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo
from babel.util import pathmatch
from jinja2 import Environment, nodes

from scripts.translate import LANGUAGES, METHODS, ROOT, extracted, forms, po_file, read, source_text, untranslated

languages = pytest.mark.parametrize("language", LANGUAGES)

NOT_WRAPPED_YET = {
    "templates": {
        "_face_panel.html",
        "_failures.html",
        "_people_grid.html",
        "_person_head.html",
        "history.html",
        "people.html",
        "person.html",
        "person_birth_date.html",
        "person_delete.html",
        "person_feature.html",
        "person_merge.html",
        "person_rename.html",
        "person_same_name.html",
        "person_split.html",
        "photo.html",
        "review.html",
        "settings.html",
        "settings_apply.html",
        "settings_pack.html",
        "status.html",
        "unassigned.html",
    },
    "plugin/web": {
        "history.py",
        "person.py",
        "photo.py",
        "preferences_page.py",
        "review.py",
        "status.py",
        "unassigned.py",
    },
}
"""Pages that are being rewritten; this list must become empty."""


@pytest.fixture(scope="module")
def template() -> Catalog:
    return extracted()


def ids(catalog: Catalog) -> set[object]:
    return {message.id for message in catalog if message.id}


def translations(language: str) -> list[Message]:
    return [message for message in read(language) if message.id]


def wordings(message: Message) -> tuple[str, ...]:
    """The English text in each form."""
    return tuple(message.id) if isinstance(message.id, tuple | list) else (message.id,)


@languages
def test_every_message_of_the_sources_is_translated(language: str, template: Catalog) -> None:
    assert ids(template) - ids(read(language)) == set(), "run `make translate` and fill the gaps"
    assert [message.id for message in untranslated(read(language))] == []


@languages
def test_no_translation_is_left_of_a_message_that_is_gone(language: str, template: Catalog) -> None:
    assert ids(read(language)) - ids(template) == set(), "run `make translate`"
    assert read(language).obsolete == {}
    assert [message.id for message in read(language) if message.id and message.fuzzy] == []


@languages
def test_a_catalogue_is_written_the_way_make_translate_writes_it(language: str) -> None:
    catalog = read(language)
    catalog.update(extracted(), no_fuzzy_matching=True)
    assert po_file(language).read_bytes() == source_text(catalog)


@languages
def test_the_compiled_file_says_the_same_as_its_source(language: str) -> None:
    with BytesIO(po_file(language).with_suffix(".mo").read_bytes()) as stream:
        compiled = {tuple(wordings(message)): forms(message) for message in read_mo(stream) if message.id}
    assert compiled == {tuple(wordings(message)): forms(message) for message in translations(language)}


@languages
def test_every_plural_has_all_forms(language: str) -> None:
    catalog = read(language)
    for message in translations(language):
        assert len(forms(message)) == (catalog.num_plurals if isinstance(message.id, tuple) else 1), message.id


@languages
def test_a_translation_has_the_places_and_the_markup_of_its_message(language: str) -> None:
    for message in translations(language):
        assert set(re.findall(r"%(?!\()(.)", "".join(forms(message)))) <= {"%"}, message.id
        for said in forms(message):
            assert places(said) in [places(text) for text in wordings(message)], said
            assert markup(said) == markup(wordings(message)[0]), said


def places(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def markup(text: str) -> list[str]:
    return sorted(re.findall(r"<[^>]*>|`[^`]*`", text))


@languages
def test_a_translation_ends_like_its_message(language: str) -> None:
    for message in translations(language):
        for said in forms(message):
            assert said == said.strip(), said
            assert ending(said) == ending(wordings(message)[0]), said


def ending(text: str) -> str:
    return text[-1] if text[-1] in ".!?…:" else ""


def test_spanish_questions_and_exclamations_open_and_french_signs_never_stand_alone_on_a_line() -> None:
    for message in translations("es"):
        for said in forms(message):
            text = re.sub(r"<[^>]*>|`[^`]*`", "", said)
            assert text.count("?") == text.count("¿"), said
            assert text.count("!") == text.count("¡"), said
    for message in translations("fr"):
        for said in forms(message):
            assert not re.search(r" [?!:;»]|« ", said), said


def test_every_text_of_a_template_is_marked_for_translation() -> None:
    found = {file.name: bare_texts(file.read_text()) for file in sorted((ROOT / "templates").glob("**/*.html"))}
    listed = NOT_WRAPPED_YET["templates"]
    assert {name: texts for name, texts in found.items() if texts and name not in listed} == {}
    assert {name for name in listed if not found.get(name)} == set(), "wrapped by now: take it off the list"


def test_every_message_of_a_view_is_marked_for_translation() -> None:
    found = {file.name: bare_messages(file) for file in sorted((ROOT / "plugin/web").glob("*.py"))}
    listed = NOT_WRAPPED_YET["plugin/web"]
    assert {name: texts for name, texts in found.items() if texts and name not in listed} == {}
    assert {name for name in listed if not found.get(name)} == set(), "wrapped by now: take it off the list"


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        '<img alt="A face">',
        '<a title="{{ name }} is here">',
        "{{ button(address, 'Undo') }}",
        "<h1>{{ name or 'Who is this?' }}</h1>",
        "<h1>{{ 'video' if x else 'photo' }}</h1>",
        "{% set question = 'When was ' ~ name ~ ' born?' %}",
        "{{ n|counted('face', 'faces') }}",
        "{% if x %}<p>Hello</p>{% endif %}",
        "{% macro m() %}{% for x in y %}<b>Hello</b>{% else %}{% endfor %}{% endmacro %}",
    ],
)
def test_a_text_that_is_not_marked_is_found(source: str) -> None:
    assert bare_texts(source)


@pytest.mark.parametrize(
    "source",
    [
        "<p>{{ _('Hello') }}</p>",
        "<a class=\"button{{ ' on' if x }}\" title=\"{{ _('Hello %(name)s', name=name or _('you')) }}\">{{ name }}</a>",
        "{{ ngettext('%(num)s face', '%(num)s faces', n) }} · {{ n }} / 2",
        "<code>kinfolk user add</code>",
        "{{ parts.button(url_for('person.show', id=1), _('Undo'), 'again', 'risky main') }}",
    ],
)
def test_a_text_that_is_marked_is_not_found(source: str) -> None:
    assert bare_texts(source) == []


MARKED = {"_", "gettext", "ngettext", "url_for"}
SPOKEN = {"alt", "aria-label", "aria-description", "placeholder", "title"}


def bare_texts(source: str) -> list[str]:
    """The texts of a template that no `_()` marks: in elements, in spoken attributes, and as values of macros."""
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
    page = Spoken()
    page.feed("".join(pieces(tree)))
    page.close()
    return page.found + [
        text for text in literals(tree) if re.match(r"[A-Z][a-z\u2019]+\b", text) and text != "Kinfolk"
    ]


def pieces(node: nodes.Node) -> Iterator[str]:
    """The HTML with all branches one after another, without values from elsewhere; the block `width` is a class."""
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Output):
        for part in node.nodes:
            yield from pieces(part) if isinstance(part, nodes.TemplateData) else shown(part)
    elif isinstance(node, nodes.Stmt | nodes.Template) and getattr(node, "name", "") != "width":
        for child in node.iter_child_nodes():
            yield from pieces(child)


def shown(node: nodes.Node) -> Iterator[str]:
    """What an expression prints as far as it is written in the template."""
    if isinstance(node, nodes.Const):
        yield str(node.value)
    elif isinstance(node, nodes.CondExpr):
        yield from shown(node.expr1)
        yield from shown(node.expr2 or nodes.Const(""))
    elif isinstance(node, nodes.BinExpr):
        yield from shown(node.left)
        yield from shown(node.right)
    elif isinstance(node, nodes.Concat):
        for part in node.nodes:
            yield from shown(part)
    elif isinstance(node, nodes.Filter) and node.name == "counted":
        yield "counted in English"


def literals(node: nodes.Node) -> Iterator[str]:
    """Strings inside expressions, except those that are marked."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    marked = isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in MARKED
    for child in node.iter_child_nodes():
        if not marked or isinstance(child, nodes.Keyword):
            yield from literals(child)


class Spoken(HTMLParser):
    """Collects the texts a reader sees or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"code", "kbd"}
        for name, value in attrs:
            if name in SPOKEN:
                self._hear(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"code", "kbd"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._hear(data)

    def _hear(self, text: str) -> None:
        if re.search(r"[^\W\d_]{2}", text.replace("Kinfolk", "")):
            self.found.append(" ".join(text.split()))


def bare_messages(file: Path) -> list[str]:
    """Flashes with a literal text, and errors with an f-string: both are English for ever."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    named = [(getattr(call.func, "id", getattr(call.func, "attr", "")), call.args) for call in calls]
    flashed = [args[0] for name, args in named if name == "flash" and args and not isinstance(args[0], ast.Call)]
    refused = [arg for name, args in named if name == "Refused" for arg in args if isinstance(arg, ast.JoinedStr)]
    return [ast.unparse(text) for text in flashed + refused if not isinstance(text, ast.Name)]


def test_the_steps_refuse_with_texts_that_can_be_translated() -> None:
    silent = [pattern for pattern, method in METHODS if method == "ignore"]
    files = {file.relative_to(ROOT).as_posix(): file for file in sorted(ROOT.glob("plugin/**/*.py"))}
    steps = {name for name in files if not any(pathmatch(pattern, name) for pattern in ("plugin/web/**.py", *silent))}
    found = {name: bare_messages(files[name]) for name in steps}
    assert len(steps) > 50
    assert {name: texts for name, texts in found.items() if texts} == {}
