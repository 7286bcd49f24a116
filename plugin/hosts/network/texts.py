"""Texts as hosts send them."""


def storable(text: str) -> str:
    """Without lone surrogates, which JSON can carry and no database takes."""
    return text.encode("utf-8", "replace").decode()
