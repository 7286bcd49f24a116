"""Names as people type them."""

import pytest

from plugin.catalogue.names import name_key, search_words, searchable


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", []),
        ("  Anna   Berg ", ["anna", "berg"]),
        ("Zoë", ["zoe"]),
        ("Zoe\u0308", ["zoe"]),
        ("Jean-Luc O'Brien", ["jean", "luc", "o", "brien"]),
        ("Straße", ["strasse"]),
        ("ŁÓDŹ", ["lodz"]),
        ("Æsa", ["aesa"]),
        ("İpek", ["ipek"]),
        ("राम कुमार", ["राम", "कुमार"]),
        ("Anna\u200bBerg\n", ["anna", "berg"]),
        ("❤", ["❤"]),
    ],
)
def test_names_are_taken_apart_into_plain_words(name: str, words: list[str]) -> None:
    assert search_words(name) == words
    assert searchable(name) == "".join(f" {word}" for word in words)


def test_names_are_the_same_but_for_case_and_unicode_form() -> None:
    assert name_key(" ZOË ") == name_key("zoe\u0308")
    assert name_key("Zoë") != name_key("Zoe")
