"""The similarity that brings five landmarks onto the template."""

import numpy as np
import numpy.typing as npt
import pytest
from skimage.transform import SimilarityTransform

from plugin.domain import Float32Array
from plugin.faces.alignment import alignment, arcface_template, similarity

Points = npt.NDArray[np.float64]


def moved(points: Points, angle: float, scale: float, shift: Points) -> Float32Array:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(scale * points @ turn.T + shift, np.float32)


def applied(matrix: Points, points: npt.ArrayLike) -> Points:
    return np.asarray(points) @ matrix[:, :2].T + matrix[:, 2]


@pytest.mark.parametrize("angle", [0, 0.3, np.pi / 2, np.pi, -2.8])
@pytest.mark.parametrize("scale", [0.05, 1, 30])
def test_a_turned_scaled_and_shifted_template_is_brought_back_exactly(angle: float, scale: float) -> None:
    face = moved(arcface_template(), angle, scale, np.array([700.0, -40.0]))
    assert applied(alignment(face), face) == pytest.approx(arcface_template(), abs=1e-3)


def test_the_estimate_is_the_least_squares_one_of_scikit_image() -> None:
    """skimage's SimilarityTransform is an independent implementation of the same paper."""
    random = np.random.default_rng(3)
    for _ in range(20):
        face = (arcface_template() * 4 + random.normal(0, 15, (5, 2))).astype(np.float32)
        assert alignment(face) == pytest.approx(
            SimilarityTransform.from_estimate(face.astype(np.float64), arcface_template()).params[:2], abs=1e-8
        )


def test_a_mirrored_face_is_turned_but_never_flipped() -> None:
    mirrored = (arcface_template() * [-1, 1]).astype(np.float32)
    assert np.linalg.det(alignment(mirrored)[:, :2]) > 0


def test_points_on_one_line_still_give_a_finite_similarity() -> None:
    line = np.column_stack([np.arange(5.0), np.arange(5.0)])
    matrix = similarity(line, arcface_template())
    assert np.isfinite(matrix).all()
    assert np.linalg.det(matrix[:, :2]) >= 0


def test_five_times_the_same_point_only_shifts() -> None:
    matrix = similarity(np.full((5, 2), 9.0), arcface_template())
    assert matrix[:, :2] == pytest.approx(np.eye(2))
    assert applied(matrix, np.full((1, 2), 9.0))[0] == pytest.approx(arcface_template().mean(axis=0))
