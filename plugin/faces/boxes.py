"""Comparing boxes on one picture."""

from collections.abc import Sequence

from plugin.domain import Box

SAME_FACE_IOU = 0.5
"""Two boxes that overlap more than this are the same face (the value Immich documents for its Refresh)."""


def iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0..1; 0 when either has no area."""
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    intersection = width * height
    return intersection / (one.w * one.h + other.w * other.h - intersection)


def match_boxes(known: Sequence[Box], found: Sequence[Box], minimum_iou: float = SAME_FACE_IOU) -> list[int | None]:
    """For each found box, the index of the known box that is the same face, or None.

    One to one: pairs are taken best overlap first, so two detections on one face can never both claim it.
    """
    pairs = sorted(
        ((iou(k, f), i, j) for i, k in enumerate(known) for j, f in enumerate(found)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    matches: list[int | None] = [None] * len(found)
    taken: set[int] = set()
    for overlap, i, j in pairs:
        if overlap > minimum_iou and i not in taken and matches[j] is None:
            matches[j] = i
            taken.add(i)
    return matches
