"""Where a face's five points go in the 112x112 crop every embedder here was trained on."""

import numpy as np
import numpy.typing as npt

from plugin.domain import Float32Array

CROP_SIZE = 112
"""Side of the aligned crop in pixels, fixed by the training of SFace and ArcFace."""


def arcface_template() -> npt.NDArray[np.float64]:
    """The five points (left eye, right eye, nose tip, left and right mouth corner) in the 112x112 crop, (5, 2) pixels.

    The values every ArcFace descendant uses (insightface `utils/face_align.py`, OpenCV `face_recognize.cpp`).
    """
    return np.array(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
        dtype=np.float64,
    )


def similarity(source: npt.ArrayLike, target: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The rotation, uniform scale and shift that best moves `source` onto `target`, never a reflection.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE PAMI 13(4),
    1991, equations 40-43.

    Args:
        source: (n, 2) points, n >= 2.
        target: (n, 2) points in the same order.

    Returns:
        float64 (2, 3): `target ~ matrix[:, :2] @ source + matrix[:, 2]`. When all source points are one point there is
        no scale to find; the result then only shifts.
    """
    x = np.asarray(source, dtype=np.float64)
    y = np.asarray(target, dtype=np.float64)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x_centred, y_centred = x - mean_x, y - mean_y
    variance = (x_centred**2).sum() / len(x)
    if variance < 1e-12:
        return np.column_stack([np.eye(2), mean_y - mean_x])
    u, singular, vt = np.linalg.svd(y_centred.T @ x_centred / len(x))
    # A mirrored face (or noise on a profile) must be turned, not flipped: a flipped crop is another face to the model.
    handedness = np.array([1.0, 1.0 if np.linalg.det(u) * np.linalg.det(vt) >= 0 else -1.0])
    rotation = (u * handedness) @ vt
    scale = float(singular @ handedness) / variance
    return np.column_stack([scale * rotation, mean_y - scale * rotation @ mean_x])


def alignment(landmarks_px: Float32Array) -> npt.NDArray[np.float64]:
    """The similarity (2, 3) that moves five landmarks (5, 2), in pixels, onto the template of the 112x112 crop."""
    return similarity(landmarks_px, arcface_template())
