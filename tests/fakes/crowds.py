"""Faces as arrays: people who look alike as much as real ones do, and strangers."""

from collections.abc import Sequence

import numpy as np

from plugin.domain import Float32Array
from plugin.faces.immich import NOBODY
from plugin.faces.linkage import Constraints
from plugin.faces.neighbours import IntArray

DIMENSION = 128


def people(random: np.random.Generator, sizes: Sequence[int], spread: float = 0.55) -> tuple[Float32Array, IntArray]:
    """Unit vectors float32 (n, 128) around one direction per person, and who each is.

    Two faces of one person are about spread² / (1 + spread²) apart, .23 with the default; of two people about 1.
    """
    centres = random.normal(size=(len(sizes), DIMENSION)) / np.sqrt(DIMENSION)
    person = np.repeat(np.arange(len(sizes)), sizes).astype(np.int64)
    noise = random.normal(size=(len(person), DIMENSION)) / np.sqrt(DIMENSION)
    faces = (centres[person] + spread * noise).astype(np.float32)
    return faces / np.linalg.norm(faces, axis=1, keepdims=True), person


def unconstrained(count: int) -> Constraints:
    """Every face in its own picture, nobody known."""
    return Constraints(np.arange(count, dtype=np.int64), np.full(count, NOBODY, dtype=np.int64))


def toward(*degrees: float) -> Float32Array:
    """Faces on a circle: at 60 degrees they are 0.5 apart."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
