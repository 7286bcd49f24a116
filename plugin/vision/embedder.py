"""From aligned crops to raw embeddings."""

import numpy as np

from plugin.domain import Float32Array, Picture
from plugin.faces.alignment import CROP_SIZE
from plugin.vision.packs import EmbedderKind
from plugin.vision.pictures import planes
from plugin.vision.runtime import Network

BATCH = 2
"""Crops per run on the CPU. CPU ms per crop for 1, 2, 4, 8: SFace 14.0, 13.5, 18.9, 19.5; MobileFaceNet 11 for all.

More only makes every buffer so large that the system has to hand out fresh memory for each run."""

BUCKETS = (1, 8)
"""Crops per run on an accelerator, which compiles a program for every number it meets, for minutes: a portrait, and
groups, filled up with black."""


class Embedder:
    """SFace (RGB 0..255, scaled inside the network) or ArcFace (RGB, (x - 127.5) / 127.5)."""

    def __init__(self, network: Network, kind: EmbedderKind, dimension: int) -> None:
        self._network = network
        self._mean, self._scale = (0.0, 1.0) if kind is EmbedderKind.SFACE else (127.5, 1 / 127.5)
        self._dimension = dimension

    def __call__(self, crops: list[Picture]) -> Float32Array:
        """Raw embeddings float32 (n, dimension) of 112x112 RGB crops."""
        if not crops:
            return np.zeros((0, self._dimension), np.float32)
        inputs = np.concatenate([planes(crop, mean=self._mean, scale=self._scale) for crop in crops])
        size = BUCKETS[-1] if self._network.accelerated else BATCH
        parts = [self._run(inputs[i : i + size]) for i in range(0, len(inputs), size)]
        return np.concatenate(parts).astype(np.float32, copy=False)

    def _run(self, batch: Float32Array) -> Float32Array:
        count = len(batch)
        if self._network.accelerated:
            bucket = next(bucket for bucket in BUCKETS if count <= bucket)
            batch = np.concatenate([batch, np.zeros((bucket - count, *batch.shape[1:]), np.float32)])
        return self._network.run(batch)[0][:count]


CROP_SHAPES = tuple((count, 3, CROP_SIZE, CROP_SIZE) for count in BUCKETS)
"""The inputs an accelerator gets."""
