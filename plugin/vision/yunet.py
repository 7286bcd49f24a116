"""The YuNet detector (W. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023), as OpenCV reads it.

Decoding follows OpenCV's `modules/objdetect/src/face_detect.cpp`: one anchor per cell of strides 8, 16 and 32.
"""

import numpy as np

from plugin.domain import Float32Array, Picture
from plugin.ports.vision import Detection
from plugin.vision.detections import suppressed
from plugin.vision.pictures import letterbox, planes
from plugin.vision.runtime import Network

STRIDES = (8, 16, 32)
MAXIMUM_IOU = 0.3


class YuNet:
    """Finds faces. Input BGR 0..255, as the network was trained."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, picture: Picture, long_side: int, minimum_score: float) -> list[Detection]:
        """See `Detector`."""
        canvas = letterbox(picture, long_side, square=self._network.accelerated)
        outputs = self._network.run(planes(canvas.pixels, mean=0.0, scale=1.0, bgr=True))
        named = dict(zip(self._network.output_names, outputs, strict=True))
        columns = canvas.pixels.shape[1]
        parts = [_decode(named, stride, columns // stride, minimum_score) for stride in STRIDES]
        boxes, landmarks, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
        return suppressed(boxes, landmarks, scores, MAXIMUM_IOU, canvas)


def _decode(
    named: dict[str, Float32Array], stride: int, columns: int, minimum_score: float
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Boxes (n, 4), landmarks (n, 5, 2) and scores (n,) of one stride that reach the minimum score."""
    face = np.clip(named[f"cls_{stride}"].ravel(), 0, 1)
    objectness = np.clip(named[f"obj_{stride}"].ravel(), 0, 1)
    score = np.sqrt(face * objectness)
    cells = np.flatnonzero(score >= minimum_score)
    origin = np.column_stack([cells % columns, cells // columns]).astype(np.float32)
    raw = named[f"bbox_{stride}"].reshape(-1, 4)[cells]
    centre = (origin + raw[:, :2]) * stride
    half = np.exp(raw[:, 2:]) * (stride / 2)
    points = (named[f"kps_{stride}"].reshape(-1, 5, 2)[cells] + origin[:, None]) * stride
    return np.hstack([centre - half, centre + half]), points, score[cells]
