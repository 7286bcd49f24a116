"""Sentences for users that keep what they are made of, so that a page can say them in another language.

Nothing here translates. The steps write English; `plugin.web.language.translated` looks the template up and fills the
values in again.
"""

from collections.abc import Mapping
from typing import Any, Self


class Sentence(str):
    """The English text itself, which remembers its template and values.

    Args:
        template: English, with `%(name)s` where a value goes; a per cent sign is written twice when there are values.
        plural: the template for any number but one; needs `num`.
        values: what is filled in; a value may be a sentence itself. `num` is how many.
    """

    __slots__ = ("plural", "template", "values")
    template: str
    plural: str
    values: dict[str, object]

    def __new__(cls, template: str, plural: str = "", /, **values: object) -> Self:
        """Fill the values in."""
        chosen = plural if plural and values["num"] != 1 else template
        made = super().__new__(cls, chosen % values if values else chosen)
        made.template, made.plural, made.values = template, plural, values
        return made


def packed(sentence: Sentence) -> dict[str, object]:
    """What a sentence is made of, as JSON can hold it."""
    values = {name: packed(value) if isinstance(value, Sentence) else value for name, value in sentence.values.items()}
    return {"template": sentence.template, "plural": sentence.plural, "values": values}


def unpacked(wording: Mapping[str, Any]) -> Sentence:
    """The sentence again."""
    values = {name: unpacked(value) if isinstance(value, dict) else value for name, value in wording["values"].items()}
    return Sentence(wording["template"], wording["plural"], **values)
