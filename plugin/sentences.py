"""Sentences for users that keep what they are made of, so that a page can say them in another language.

Nothing here translates. The steps write English; `plugin.web.language.translated` looks the template up and fills the
values in again.
"""

from typing import Self


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
