"""Looking at panoramas piece by piece: squeezed to the detector's 640 pixels their faces would vanish.

Measured: a 24,000 x 3,000 panorama with about 100 faces gives 4 to 7 of them in one piece.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from plugin.domain import Float32Array
from plugin.ports.vision import Detection

Tile: TypeAlias = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the picture; x1 and y1 are exclusive."""

PANORAMA_ASPECT = 3.0
"""Longer than this, a picture is tiled; 3:1 still finds what a 4:3 picture does at half the size."""

_TILE_ASPECT = 4 / 3
_OVERLAP = 0.25
"""Of a tile's length: a face up to a third of the picture's short side is whole in at least one tile."""

_SMALLEST_SIDE = 32
"""Pixels: a strip narrower than this shows no face that could be recognised."""

_SAME_FACE_IOU = 0.45
_SAME_FACE_COVER = 0.5
_CUT_PX = 0.01
"""A box that comes this close (part of the tile's length) to an inner edge of its tile is cut by it."""


def tiles(width: int, height: int) -> list[Tile]:
    """4:3 tiles along the long side that overlap by a quarter or more, or the whole picture when it is no panorama."""
    short, long = sorted((width, height))
    if short < _SMALLEST_SIDE or long <= PANORAMA_ASPECT * short:
        return [(0, 0, width, height)]
    length = round(short * _TILE_ASPECT)
    count = math.ceil((long - length) / math.floor(length * (1 - _OVERLAP))) + 1
    starts = [(long - length) * i // (count - 1) for i in range(count)]
    if width >= height:
        return [(start, 0, start + length, height) for start in starts]
    return [(0, start, width, start + length) for start in starts]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    detection: Detection
    tile: int
    cut: bool


def merge_detections(found: Sequence[tuple[Tile, Sequence[Detection]]], width: int, height: int) -> list[Detection]:
    """All detections in pixels of the whole picture (`width` x `height`), each face once, best score first.

    Faces that are whole win over faces that an inner edge of their tile cuts; else the higher score wins. A cut face is
    dropped when another tile's face covers half of it; where no other tile shows it, it is kept.
    """
    seen = sorted(_moved(found, width, height), key=lambda one: (one.cut, -one.detection.score))
    kept: list[_Seen] = []
    for one in seen:
        if not any(_same_face(one, other) for other in kept):
            kept.append(one)
    return sorted((one.detection for one in kept), key=lambda detection: -detection.score)


def _moved(found: Sequence[tuple[Tile, Sequence[Detection]]], width: int, height: int) -> Iterator[_Seen]:
    for i, (tile, detections) in enumerate(found):
        offset = np.array(tile[:2], np.float32)
        for detection in detections:
            box = detection.box_px + np.tile(offset, 2)
            moved = replace(detection, box_px=box, landmarks_px=detection.landmarks_px + offset)
            yield _Seen(moved, i, _is_cut(box, tile, width, height))


def _is_cut(box: Float32Array, tile: Tile, width: int, height: int) -> bool:
    x0, y0, x1, y1 = tile
    near = _CUT_PX * max(x1 - x0, y1 - y0)
    return bool(
        (x0 > 0 and box[0] < x0 + near)
        or (y0 > 0 and box[1] < y0 + near)
        or (x1 < width and box[2] > x1 - near)
        or (y1 < height and box[3] > y1 - near)
    )


def _same_face(one: _Seen, kept: _Seen) -> bool:
    """Whether two tiles saw the same face; faces of one tile are different, its detector has already looked."""
    if one.tile == kept.tile:
        return False
    a, b = one.detection.box_px, kept.detection.box_px
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if (sides <= 0).any():
        return False
    shared = float(np.prod(sides))
    areas = float(np.prod(a[2:] - a[:2])), float(np.prod(b[2:] - b[:2]))
    if shared / (sum(areas) - shared) > _SAME_FACE_IOU:
        return True
    return one.cut and shared / min(areas) > _SAME_FACE_COVER
