"""Every text a user sees is marked for translation where it is written: in templates, views, steps and scripts."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.util import pathmatch
from jinja2 import Environment, nodes

from plugin.web.language import LANGUAGES
from scripts.translate import ERRORS, METHODS, ROOT


def test_every_text_of_a_template_is_marked_for_translation() -> None:
    found = {file.name: bare_texts(file.read_text()) for file in sorted((ROOT / "templates").glob("**/*.html"))}
    assert {name: texts for name, texts in found.items() if texts} == {}
    assert found


def test_every_message_of_a_view_is_marked_for_translation() -> None:
    files = sorted((ROOT / "plugin/web").glob("*.py"))
    found = {file.name: list(bare_messages(ast.parse(file.read_text()))) for file in files}
    assert {name: texts for name, texts in found.items() if texts} == {}
    assert found


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


SAID = {"_", "gettext", "ngettext", "Sentence"} | ERRORS
NOT_SHOWN = {"cast", "info", "warning", "error", "exception", "NotFound", "problem"}
"""`problem` answers programs, in English."""
NO_WORDS = {"Allow", "Lax", "Vary", "Cookie", *LANGUAGES.values()}
"""Capitalised, but for machines or the same in every language."""


def bare_messages(node: ast.AST) -> Iterator[str]:
    """Capitalised texts of a view that nothing marks, and marked ones that are made up from pieces."""
    if (isinstance(node, ast.Call) and called(node) in NOT_SHOWN) or is_docstring(node):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in NO_WORDS:
        yield from re.findall(r"^[A-Z][a-z]+(?: \w.*|[ .!?]?$)", node.value)
    said = isinstance(node, ast.Call) and called(node) in SAID
    for child in ast.iter_child_nodes(node):
        if said and isinstance(child, ast.JoinedStr):
            yield ast.unparse(child)
        elif not said or isinstance(child, ast.keyword):
            yield from bare_messages(child)


def called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@pytest.mark.parametrize(
    "source",
    [
        "flash('Saved.', 'good')",
        "flash(f'Hello {name}!')",
        "flash('Yes, noted.' if yes else 'Skipped.')",
        "TITLES = {'a': 'Minimum score'}",
        "_(f'Hello {name}')",
        "Refused(f'Several people are called {name}', 'Choose one')",
        "_('Date of birth of %(name)s', name=person.name or 'This person')",
    ],
)
def test_a_message_that_is_not_marked_is_found(source: str) -> None:
    assert list(bare_messages(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ["flash(_('Saved.'), 'good')", "TITLES = {'a': Sentence('Score')}", "Refused('No', 'Choose %(n)s', n=1)", "'Doc.'"],
)
def test_a_message_that_is_marked_is_not_found(source: str) -> None:
    assert list(bare_messages(ast.parse(source))) == []


def test_no_script_brings_words_of_its_own() -> None:
    """They come from the page, in its language: from elements, templates or data attributes."""
    files = sorted((ROOT / "static/js").glob("**/*.js"))
    found = {
        file.name: re.findall(r"""["'`]([A-Z][a-z]+(?: [a-z].*?|[.!?]?))["'`]""", file.read_text()) for file in files
    }
    keys = {"Escape", "Enter", "Tab", "Home", "End", "Delete", "Backspace", "Content", "Accept"}
    assert {name: texts for name, texts in found.items() if set(texts) - keys} == {}
    assert files


def test_the_steps_refuse_with_texts_that_can_be_translated() -> None:
    silent = [pattern for pattern, method in METHODS if method == "ignore"]
    files = {file.relative_to(ROOT).as_posix(): file for file in sorted(ROOT.glob("plugin/**/*.py"))}
    steps = {name for name in files if not any(pathmatch(pattern, name) for pattern in ("plugin/web/**.py", *silent))}
    found = {name: refused_in_pieces(files[name]) for name in steps}
    assert len(steps) > 50
    assert {name: texts for name, texts in found.items() if texts} == {}


def refused_in_pieces(file: Path) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    texts = [text for call in calls if called(call) == "Refused" for text in call.args]
    return [ast.unparse(text) for text in texts if isinstance(text, ast.JoinedStr)]
