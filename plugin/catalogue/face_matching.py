"""Which found face is which known face of the same asset."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plugin.domain import Box, FaceId, Float32Array, FoundFace
from plugin.faces.boxes import match_boxes

SAME_TRACK_DISTANCE = 0.35
"""Cosine. Closer tracks of one video are one person: well inside the strictest pack's distance for different people."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownFace:
    """A stored face as far as matching needs it. `embedding` is None where none of this pack is stored."""

    id: FaceId
    box: Box
    frame_ms: int | None
    embedding: Float32Array | None


def match_faces(known: Sequence[KnownFace], found: Sequence[FoundFace]) -> list[FaceId | None]:
    """For each found face the id of the known face it is, or None; no known face is given twice.

    On photos boxes decide. In videos boxes of different frames say nothing, so embeddings decide; only after a
    change of pack, when embeddings cannot be compared, boxes do where the frame is the same.
    """
    matches: list[FaceId | None] = [None] * len(found)
    stills = [i for i, face in enumerate(found) if face.frame_ms is None]
    _match_by_box([face for face in known if face.frame_ms is None], found, stills, matches)
    _match_by_embedding(known, found, matches)
    for frame_ms in dict.fromkeys(face.frame_ms for face in found if face.frame_ms is not None):
        taken = set(matches)
        free = [face for face in known if face.embedding is None and face.frame_ms == frame_ms and face.id not in taken]
        open_ = [i for i, face in enumerate(found) if face.frame_ms == frame_ms and matches[i] is None]
        _match_by_box(free, found, open_, matches)
    return matches


def _match_by_box(
    known: Sequence[KnownFace], found: Sequence[FoundFace], which: Sequence[int], matches: list[FaceId | None]
) -> None:
    answers = match_boxes([face.box for face in known], [found[i].box for i in which])
    for i, answer in zip(which, answers, strict=True):
        if answer is not None:
            matches[i] = known[answer].id


def _match_by_embedding(known: Sequence[KnownFace], found: Sequence[FoundFace], matches: list[FaceId | None]) -> None:
    pairs = [
        (_distance(face.embedding, there.embedding), face.id, i)
        for face in known
        for i, there in enumerate(found)
        if face.embedding is not None and face.frame_ms is not None and there.frame_ms is not None
    ]
    taken: set[FaceId] = set()
    for distance, face_id, i in sorted(pairs):
        if distance < SAME_TRACK_DISTANCE and face_id not in taken and matches[i] is None:
            matches[i] = face_id
            taken.add(face_id)


def _distance(one: Float32Array, other: Float32Array) -> float:
    if one.shape != other.shape:
        return float("inf")
    # Never below zero, so that repeating a result compares equal with itself whatever rounding does.
    return max(0.0, 1.0 - float(np.dot(one.astype(np.float64), other.astype(np.float64))))
