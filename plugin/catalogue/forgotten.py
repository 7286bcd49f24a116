"""Where faces were that must not be found again: detection asks before it stores a face nobody knows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from plugin.catalogue.tables import forgotten_face
from plugin.domain import AssetId, Box, FoundFace
from plugin.faces.boxes import iou

NOT_KEPT = 0
"""Stands for the id of a face that is not stored; no row has it."""

SAME_PLACE_IOU = 0.2
"""Lower than for `same face`: another pack draws other boxes, and a stranger beside is the smaller harm."""


@dataclass(frozen=True, slots=True)
class ForgottenPlace:
    """The box of a face that was forgotten; `frame_ms` is None on photos."""

    box: Box
    frame_ms: int | None


def forgotten_places(connection: Connection, asset_id: AssetId) -> list[ForgottenPlace]:
    """The places of one asset."""
    rows = connection.execute(select(forgotten_face).where(forgotten_face.c.asset_id == asset_id))
    return [ForgottenPlace(Box(row.x, row.y, row.w, row.h), row.frame_ms) for row in rows]


def is_forgotten(places: Sequence[ForgottenPlace], there: FoundFace) -> bool:
    """Whether a face that is not known may be a forgotten one.

    On a photo the place says it. A video shows a person at many places and the embedding that could tell is gone, so
    that a video with one forgotten face takes no new ones.
    """
    if there.frame_ms is not None:
        return any(place.frame_ms is not None for place in places)
    return any(_same_place(place.box, there.box) for place in places if place.frame_ms is None)


def _same_place(one: Box, other: Box) -> bool:
    return iou(one, other) > SAME_PLACE_IOU or _holds_centre(one, other) or _holds_centre(other, one)


def _holds_centre(outer: Box, inner: Box) -> bool:
    x, y = inner.x + inner.w / 2, inner.y + inner.h / 2
    return outer.x <= x <= outer.x + outer.w and outer.y <= y <= outer.y + outer.h
