"""The judgement of a face is monotone, symmetric and agrees with what an eye would say."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from plugin.faces.quality import NORM_RANGES, pose, quality, sharpness

# The ArcFace template, 112x112: a frontal face by definition.
FRONTAL = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]], dtype=np.float32)

GOOD: dict[str, Any] = {
    "score": 0.93,
    "norm": 13.0,
    "sharpness": 800.0,
    "pose": 0.9,
    "width_px": 120.0,
    "norm_range": (5.0, 14.0),
}


def _crop(seed: int = 0) -> npt.NDArray[Any]:
    return np.random.default_rng(seed).integers(0, 256, (112, 112, 3), dtype=np.uint8)


def _blurred(crop: npt.NDArray[Any], times: int) -> npt.NDArray[Any]:
    soft: npt.NDArray[Any] = crop.astype(np.float32)
    for _ in range(times):
        soft = (soft + np.roll(soft, 1, 0) + np.roll(soft, 1, 1) + np.roll(soft, (1, 1), (0, 1))) / 4
    return np.asarray(soft, dtype=np.uint8)


def test_a_flat_crop_has_no_sharpness() -> None:
    assert sharpness(np.full((112, 112, 3), 90, dtype=np.uint8)) == pytest.approx(0.0, abs=1e-6)


def test_an_even_slope_has_no_sharpness() -> None:
    """The Laplacian is a second derivative: a change of light over a face is not detail."""
    slope = np.repeat(np.arange(112, dtype=np.uint8)[:, None], 112, axis=1)
    assert sharpness(np.stack([slope] * 3, axis=2)) == pytest.approx(0.0, abs=1e-3)


def test_one_bright_pixel_gives_the_variance_of_the_five_point_laplacian() -> None:
    crop = np.zeros((112, 112, 3), dtype=np.uint8)
    crop[50, 50] = 100
    expected = np.zeros((110, 110))
    expected[49, 49] = -400
    expected[48, 49] = expected[50, 49] = expected[49, 48] = expected[49, 50] = 100
    assert sharpness(crop) == pytest.approx(expected.var(), rel=1e-4)


def test_blurring_always_lowers_sharpness() -> None:
    values = [sharpness(_blurred(_crop(), times)) for times in (0, 1, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 10


def test_sharpness_of_the_mirrored_crop_is_the_same() -> None:
    assert sharpness(_crop()[:, ::-1]) == pytest.approx(sharpness(_crop()), rel=1e-4)


def test_the_template_face_is_frontal() -> None:
    assert pose(FRONTAL) > 0.95


@pytest.mark.parametrize("shift", [4, 8, 12, 20, 40])
def test_the_further_the_nose_moves_sideways_the_less_frontal(shift: int) -> None:
    nearer, further = FRONTAL.copy(), FRONTAL.copy()
    nearer[2, 0] += shift - 4
    further[2, 0] += shift
    assert pose(further) <= pose(nearer)
    assert pose(further) < 0.95


def test_a_nose_over_an_eye_is_a_profile() -> None:
    profile = FRONTAL.copy()
    profile[2, 0] = FRONTAL[1, 0] + 1
    assert pose(profile) == 0.0


def test_looking_up_or_down_is_less_frontal() -> None:
    up, down = FRONTAL.copy(), FRONTAL.copy()
    up[2, 1] = 54
    down[2, 1] = 90
    assert pose(up) < 0.5
    assert pose(down) < 0.5


def test_pose_is_the_same_in_the_mirror() -> None:
    turned = FRONTAL.copy()
    turned[2, 0] += 9
    mirrored = (turned * np.array([-1, 1]) + np.array([112, 0]))[[1, 0, 2, 4, 3]]
    assert pose(mirrored) == pytest.approx(pose(turned), abs=1e-5)


def test_pose_ignores_head_tilt_and_the_unit_of_the_points() -> None:
    turned = FRONTAL.copy()
    turned[2, 0] += 9
    angle = np.deg2rad(70)
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=np.float32)
    assert pose(turned @ spin.T) == pytest.approx(pose(turned), abs=1e-4)
    assert pose(turned / np.array([4000, 3000])) == pytest.approx(pose(turned), abs=1e-4)


@pytest.mark.parametrize(
    "points",
    [np.zeros((5, 2)), np.full((5, 2), np.nan), np.arange(10).reshape(5, 2), np.full((5, 2), np.inf)],
    ids=["all in one point", "not a number", "all on one line", "infinite"],
)
def test_points_that_form_no_face_have_pose_zero(points: npt.NDArray[Any]) -> None:
    with np.errstate(invalid="ignore"):
        assert pose(points.astype(np.float32)) == 0.0


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("score", [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        ("norm", [0.0, 4.0, 6.0, 9.0, 12.0, 14.0, 30.0]),
        ("sharpness", [0.0, 5.0, 50.0, 200.0, 1e3, 1e5, float("inf")]),
        ("pose", [0.0, 0.2, 0.5, 0.9, 1.0]),
        ("width_px", [0.0, 8.0, 12.0, 20.0, 24.0, 32.0, 48.0, 96.0, 4000.0]),
    ],
)
def test_quality_never_falls_when_one_input_rises(name: str, values: list[float]) -> None:
    judged = [quality(**{**GOOD, name: value}) for value in values]
    assert judged == sorted(judged)
    assert judged[0] < judged[-1]
    assert all(0.0 <= value <= 1.0 for value in judged)


def test_the_best_face_has_quality_one_and_the_worst_zero() -> None:
    best: dict[str, Any] = {
        "score": 1,
        "norm": 99,
        "sharpness": float("inf"),
        "pose": 1,
        "width_px": 500,
        "norm_range": (5, 14),
    }
    worst: dict[str, Any] = {"score": 0, "norm": 0, "sharpness": 0, "pose": 0, "width_px": 0, "norm_range": (5, 14)}
    assert quality(**best) == pytest.approx(1.0)
    assert quality(**worst) == 0.0


def test_a_face_of_sixteen_pixels_is_worse_than_any_blurred_large_one() -> None:
    tiny = quality(**{**GOOD, "width_px": 16.0})
    blurred = quality(**{**GOOD, "sharpness": 10.0})
    assert tiny < 0.7 * quality(**GOOD) < blurred


def test_the_norm_weighs_more_than_any_other_number() -> None:
    without_norm = quality(**{**GOOD, "norm": 5.0})
    others = [quality(**{**GOOD, name: 0.0}) for name in ("score", "sharpness", "pose")]
    assert without_norm < min(others)


def test_a_pack_that_was_never_measured_is_judged_without_the_norm() -> None:
    unknown = {**GOOD, "norm_range": None}
    assert quality(**{**unknown, "norm": 0.0}) == quality(**{**unknown, "norm": 50.0}) > 0.5


def test_every_measured_norm_range_rises() -> None:
    assert all(0 < low < high for low, high in NORM_RANGES.values())
