"""Flask-Babel's functions with types; the extraction of messages knows them by their names."""

import flask_babel


def gettext(message: str, **variables: object) -> str:
    """The sentence in the language of the visitor."""
    return str(flask_babel.gettext(message, **variables))


def ngettext(one: str, many: str, num: int, **variables: object) -> str:
    """The sentence for one or for many, in the language of the visitor; `%(num)s` stands for the number."""
    return str(flask_babel.ngettext(one, many, num, **variables))
