"""How good a face is, from numbers that detection has anyway. Used to choose what to show and what to trust.

The weights follow measurements on 280 CelebA and LFW faces (true accepts at one false accept in a thousand, SFace):
leaving out the worst tenth by *raw embedding norm* lifts them from .935 to .967, by detector score to .956, by
sharpness to .938, by size not at all. Size matters only below about 48 pixels, and then a lot (see `WIDTH_TRUST`).
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from plugin.domain import Float32Array, Picture

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601 weights of R, G and B."""

WIDTH_TRUST = (
    (0.0, 0.0),
    (12.0, 0.33),
    (16.0, 0.61),
    (20.0, 0.73),
    (24.0, 0.88),
    (32.0, 0.96),
    (48.0, 0.99),
    (96.0, 1.0),
)
"""Face width in pixels and its measured share of the true accepts at 96 pixels: faces under 24 to 32 px are weak."""

SHARPNESS_HALF = 150.0
"""Variance of the Laplacian at which a crop counts as half sharp: blurred crops lie near 20, crisp ones above 500."""

SCORE_RANGE = (0.5, 0.95)
"""Detectors are advised to cut between .5 and .9, so below .5 the score says "hardly a face"."""

NORM_WEIGHT, SCORE_WEIGHT, POSE_WEIGHT, SHARPNESS_WEIGHT = 0.5, 0.2, 0.2, 0.1

NormRange = tuple[float, float]
"""Raw embedding norms of a bad and of a good face; each embedder has its own scale."""

NORM_RANGES: Mapping[str, NormRange] = MappingProxyType({"opencv": (5.0, 14.0), "buffalo_s": (13.0, 27.0)})
"""By pack: 1st and 99th percentile over 5,400 labelled faces (pure noise gives 4.1 and 9.3)."""


def sharpness(crop: Picture) -> float:
    """Variance of the Laplacian of the grey crop, >= 0; 0 for a flat one. Rises with detail, and with noise.

    Only comparable between crops of one size, so it takes the aligned one: uint8 (112, 112, 3), RGB.

    Source: Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000 (LAPV).
    """
    grey = crop.astype(np.float32) @ np.asarray(LUMA, dtype=np.float32)
    centre = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * centre
    return float(laplacian.var())


def pose(landmarks: Float32Array) -> float:
    """How frontal a face is, 1 (looks into the camera) .. 0 (profile, or points that form no face).

    The nose is located in the frame spanned by eyes and mouth: a frontal nose lies half way down and in the middle.
    That frame turns and stretches with the face, so neither head tilt nor the unit of the points matters.

    Args:
        landmarks: (5, 2), eyes, nose tip, mouth corners, in pixels or in 0..1.
    """
    eyes, nose, mouth = landmarks[0:2].astype(np.float64), landmarks[2].astype(np.float64), landmarks[3:5]
    across = ((eyes[1] - eyes[0]) + (mouth[1] - mouth[0]).astype(np.float64)) / 2
    down = mouth.mean(axis=0, dtype=np.float64) - eyes.mean(axis=0)
    frame = np.column_stack([across, down])
    area = abs(float(np.linalg.det(frame)))
    if not np.isfinite(area) or area <= 1e-9 * float((frame**2).sum()) or not np.isfinite(nose).all():
        return 0.0
    sideways, drop = np.linalg.solve(frame, nose - eyes.mean(axis=0))
    yaw = 1 - abs(float(sideways)) / 0.5  # at half the eye distance the nose covers an eye
    pitch = 1 - max(0.0, abs(float(drop) - 0.5) - 0.1) / 0.4  # noses differ: a tenth either way is no tilt
    return float(np.clip(yaw, 0, 1) * np.clip(pitch, 0, 1))


def quality(
    *, score: float, norm: float, sharpness: float, pose: float, width_px: float, norm_range: NormRange | None = None
) -> float:
    """One number for a face, 0..1, never falling when one of its inputs rises.

    Args:
        score: detector score 0..1.
        norm: length of the raw embedding.
        sharpness: see `sharpness`.
        pose: see `pose`.
        width_px: face width in pixels of the decoded picture.
        norm_range: the embedder's scale (`NORM_RANGES`); None leaves the norm out, for packs never measured.
    """
    weights = [SCORE_WEIGHT, POSE_WEIGHT, SHARPNESS_WEIGHT]
    parts = [_ramp(score, SCORE_RANGE), _unit(pose), _saturating(sharpness)]
    if norm_range is not None:
        weights.append(NORM_WEIGHT)
        parts.append(_ramp(norm, norm_range))
    # Width multiplies: with too few pixels every other number is about the resampling, not about the face.
    widths, trust = zip(*WIDTH_TRUST, strict=True)
    judged = sum(w * p for w, p in zip(weights, parts, strict=True)) / sum(weights)
    return _unit(judged * float(np.interp(width_px, widths, trust)))


def _ramp(value: float, ends: tuple[float, float]) -> float:
    return _unit((value - ends[0]) / (ends[1] - ends[0]))


def _saturating(value: float) -> float:
    value = max(value, 0.0)
    return 1.0 if np.isinf(value) else value / (value + SHARPNESS_HALF)


def _unit(value: float) -> float:
    return float(min(max(value, 0.0), 1.0))
