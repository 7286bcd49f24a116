"""Every text a user sees is translated into every language, and nothing else is."""

import re
from io import BytesIO

import pytest
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo

from scripts.translate import (
    LANGUAGES,
    extracted,
    forms,
    po_file,
    read,
    source_text,
    untranslated,
)

languages = pytest.mark.parametrize("language", LANGUAGES)


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
