"""Typed confirmations: what cannot be undone is not one click away."""

from plugin.errors import Refused
from plugin.web.request_context import form_text


def require_typed(word: str) -> None:
    """Go on only when the visitor typed the word; case and spaces do not matter.

    Raises:
        Refused: something else was typed, or nothing.
    """
    if same_word(form_text("typed")) != same_word(word):
        raise Refused(
            "Nothing was deleted, since you did not type “%(word)s”", "Type it as it is shown to confirm", word=word
        )


def same_word(text: str) -> str:
    """What is compared."""
    return " ".join(text.split()).casefold()
