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


class Embedder:
    """SFace (RGB 0..255, scaled inside the network) or ArcFace (RGB, (x - 127.5) / 127.5)."""

    def __init__(self, network: Network, kind: EmbedderKind, dimension: int) -> None:
        self._network = network
        self._mean, self._scale = (0.0, 1.0) if kind is EmbedderKind.SFACE else (127.5, 1 / 127.5)
        self._dimension = dimension
        # An accelerator compiles a program for every batch size it meets, for minutes; so there it is always one.
        self._batch = 1 if network.accelerated else BATCH

    def __call__(self, crops: list[Picture]) -> Float32Array:
        """Raw embeddings float32 (n, dimension) of 112x112 RGB crops."""
        if not crops:
            return np.zeros((0, self._dimension), np.float32)
        inputs = np.concatenate([planes(crop, mean=self._mean, scale=self._scale) for crop in crops])
        parts = [self._network.run(inputs[i : i + self._batch])[0] for i in range(0, len(inputs), self._batch)]
        return np.concatenate(parts).astype(np.float32, copy=False)


CROP_SHAPE = (1, 3, CROP_SIZE, CROP_SIZE)
"""A usual input, for warming up."""
