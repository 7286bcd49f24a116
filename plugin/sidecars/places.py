"""Boxes between the upright picture, where Kinfolk keeps them, and the picture as it is stored, where MWG-RS does."""

from plugin.domain import Box

_SIDEWAYS = frozenset({5, 6, 7, 8})

# EXIF orientation -> the centre in the upright picture, from the centre (x, y) in the stored one (Exif 2.32, 0x0112).
_BACKWARDS = {6: 8, 8: 6}
"""Orientations whose opposite is another one; all others are their own."""


def as_upright(stored: Box, orientation: int) -> Box:
    """Where a box of the stored picture lies once the EXIF orientation (1..8; anything else counts as 1) is applied."""
    x, y = _centre(stored)
    turned = {
        2: (1 - x, y),
        3: (1 - x, 1 - y),
        4: (x, 1 - y),
        5: (y, x),
        6: (1 - y, x),
        7: (1 - y, 1 - x),
        8: (y, 1 - x),
    }
    x, y = turned.get(orientation, (x, y))
    w, h = (stored.h, stored.w) if orientation in _SIDEWAYS else (stored.w, stored.h)
    return Box(x - w / 2, y - h / 2, w, h)


def as_stored(upright: Box, orientation: int) -> Box:
    """The opposite of `as_upright`."""
    return as_upright(upright, _BACKWARDS.get(orientation, orientation))


def stored_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height of the stored picture, from those of the upright one."""
    return (height, width) if orientation in _SIDEWAYS else (width, height)


def within(box: Box) -> Box:
    """The part of a box that lies on the picture; a box that lies beside it has no size."""
    left, top = min(max(box.x, 0.0), 1.0), min(max(box.y, 0.0), 1.0)
    right, bottom = min(max(box.x + box.w, left), 1.0), min(max(box.y + box.h, top), 1.0)
    return Box(left, top, right - left, bottom - top)


def _centre(box: Box) -> tuple[float, float]:
    return box.x + box.w / 2, box.y + box.h / 2
