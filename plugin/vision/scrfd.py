"""The SCRFD detector (J. Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021).

Decoding follows insightface `model_zoo/scrfd.py`: two anchors per cell of strides 8, 16 and 32, distances to the edges.
"""

import numpy as np

from plugin.domain import Float32Array, Picture
from plugin.ports.vision import Detection
from plugin.vision.detections import suppressed
from plugin.vision.pictures import letterbox, planes
from plugin.vision.runtime import Network

STRIDES = (8, 16, 32)
ANCHORS = 2
MAXIMUM_IOU = 0.4

MARGIN_PX = 32
"""Trained on square canvases, it expects black beyond the picture: a face cut off by the edge moves by 5 % without."""


class Scrfd:
    """Finds faces. Input RGB, (x - 127.5) / 128."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, picture: Picture, long_side: int, minimum_score: float) -> list[Detection]:
        """See `Detector`."""
        canvas = letterbox(picture, long_side, margin=MARGIN_PX, square=self._network.accelerated)
        outputs = self._network.run(planes(canvas.pixels, mean=127.5, scale=1 / 128))
        columns = canvas.pixels.shape[1]
        parts = [  # scores of the three strides, then boxes, then landmarks: upstream's order, whatever the names
            _decode(outputs[i], outputs[i + 3], outputs[i + 6], stride, columns // stride, minimum_score)
            for i, stride in enumerate(STRIDES)
        ]
        boxes, landmarks, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
        return suppressed(boxes, landmarks, scores, MAXIMUM_IOU, canvas)


def _decode(
    score: Float32Array, box: Float32Array, points: Float32Array, stride: int, columns: int, minimum_score: float
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Boxes (n, 4), landmarks (n, 5, 2) and scores (n,) of one stride that reach the minimum score."""
    score = score.ravel()
    chosen = np.flatnonzero(score >= minimum_score)
    cells = chosen // ANCHORS
    centre = np.column_stack([cells % columns, cells // columns]).astype(np.float32) * stride
    edges = box.reshape(-1, 4)[chosen] * stride
    landmarks = points.reshape(-1, 5, 2)[chosen] * stride + centre[:, None]
    return np.hstack([centre - edges[:, :2], centre + edges[:, 2:]]), landmarks, score[chosen]
