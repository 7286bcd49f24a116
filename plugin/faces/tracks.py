"""One face per person and video: linking the faces of sampled frames into tracks."""

from collections.abc import Sequence

import numpy as np

from plugin.domain import Float32Array, FoundFace


class _Track:
    """The faces taken for one person so far: the sum of their embeddings and the best of them."""

    def __init__(self, face: FoundFace) -> None:
        self._sum = face.embedding.astype(np.float64)
        self.best = face

    @property
    def direction(self) -> Float32Array:
        """Unit-length mean of the embeddings."""
        return np.asarray(self._sum / max(float(np.linalg.norm(self._sum)), 1e-12), np.float32)

    def add(self, face: FoundFace) -> None:
        self._sum = self._sum + face.embedding
        if face.quality > self.best.quality:
            self.best = face


def one_face_per_track(frames: Sequence[tuple[int, Sequence[FoundFace]]], maximum_distance: float) -> list[FoundFace]:
    """The best face (highest quality, else the earliest) of every track, in the order the tracks begin.

    Frame by frame, the closest pair of a track (mean of its embeddings) and a face is linked first, as long as their
    cosine distance is below `maximum_distance`; what is left over begins new tracks. Frames are seconds apart, so where
    a face was says little, and a person who leaves and comes back is the same track. Two faces of one frame are two
    people, however alike.

    Args:
        frames: (milliseconds from the start, faces found there), any order.
        maximum_distance: cosine distance, 0..2.
    """
    tracks: list[_Track] = []
    for _, found in sorted(frames, key=lambda frame: frame[0]):
        faces = sorted(found, key=_left_to_right)
        linked = _closest_pairs(tracks, faces, maximum_distance)
        new = []
        for i, face in enumerate(faces):
            if i in linked:
                tracks[linked[i]].add(face)
            else:
                new.append(_Track(face))
        tracks += new
    return [track.best for track in tracks]


def _left_to_right(face: FoundFace) -> tuple[float, ...]:
    """An order of the faces of one frame that does not depend on the order they were found in."""
    return (face.box.x, face.box.y, face.box.w, face.box.h, face.score, face.quality, *face.embedding.tolist())


def _closest_pairs(tracks: list[_Track], faces: list[FoundFace], maximum_distance: float) -> dict[int, int]:
    """Face index -> track index, one to one, closest first."""
    if not tracks or not faces:
        return {}
    means = np.stack([track.direction for track in tracks])
    distances = 1.0 - np.stack([face.embedding for face in faces]) @ means.T
    linked: dict[int, int] = {}
    for flat in np.argsort(distances, axis=None, kind="stable"):
        face, track = divmod(int(flat), len(tracks))
        if distances[face, track] >= maximum_distance:
            break
        if face not in linked and track not in linked.values():
            linked[face] = track
    return linked
