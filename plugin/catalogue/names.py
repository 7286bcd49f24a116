"""Names as people type them: compared without regard to case, searched without regard to accents."""

import unicodedata

# Letters Unicode does not take apart, though nobody types the stroke or the ligature when searching.
PLAIN_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"})

SEPARATORS = ("Z", "P", "C")
"""Unicode categories between words: space, punctuation, control. Symbols are not: a name may be a heart."""


def name_key(name: str) -> str:
    """What two names share when they are the same but for case and Unicode form."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def search_words(name: str) -> list[str]:
    """The words of a name without case and accents."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter)).translate(PLAIN_LETTERS)
    spaced = (" " if unicodedata.category(letter)[0] in SEPARATORS else letter for letter in plain)
    return "".join(spaced).split()


def searchable(name: str) -> str:
    """The words as stored: each with a space before it, so that "begins a word" is "contains ' word'"."""
    return "".join(f" {word}" for word in search_words(name))
