"""What both detectors share: from candidate boxes on the scaled canvas to detections in pixels of the picture."""

from collections.abc import Callable

import cv2
import numpy as np

from plugin.domain import Float32Array, Picture
from plugin.ports.vision import Detection
from plugin.vision.pictures import Letterbox

Detector = Callable[[Picture, int, float], list[Detection]]
"""(picture, long side, minimum score) -> detections after non-maximum suppression, best first."""

CANDIDATES = 5000
"""Boxes that take part in non-maximum suppression, best first (the `top_k` of cv2.FaceDetectorYN)."""


def suppressed(
    box_px: Float32Array, landmarks_px: Float32Array, score: Float32Array, maximum_iou: float, canvas: Letterbox
) -> list[Detection]:
    """Non-maximum suppression, then back to pixels of the picture.

    Args:
        box_px: (n, 4) x1 y1 x2 y2 on the canvas.
        landmarks_px: (n, 5, 2) on the canvas.
        score: (n,).
        maximum_iou: of two boxes that overlap more, the better stays.
        canvas: how the picture was scaled.
    """
    sizes = np.column_stack([box_px[:, :2], box_px[:, 2:] - box_px[:, :2]])
    # The score threshold was applied by the caller; 0 keeps OpenCV from applying another.
    kept = cv2.dnn.NMSBoxes(sizes.tolist(), score.tolist(), 0.0, maximum_iou, top_k=CANDIDATES) if len(score) else []
    scale = np.array([canvas.scale_x, canvas.scale_y], np.float32)
    order = sorted((int(i) for i in kept), key=lambda i: -float(score[i]))
    return [
        Detection(
            (box_px[i].reshape(2, 2) / scale).ravel().astype(np.float32),
            (landmarks_px[i] / scale).astype(np.float32),
            float(score[i]),
        )
        for i in order
    ]
