"""Texts as hosts send them."""


def storable(value: object) -> str:
    """A text without lone surrogates, which JSON can carry and no database takes; "" for what is no text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
