"""Our numbers agree with the reference implementations.

OpenCV for YuNet and SFace, insightface for SCRFD and ArcFace, LiteRT for FaceMesh.
"""

from pathlib import Path
from typing import Any

import cv2
import insightface.model_zoo.arcface_onnx
import insightface.model_zoo.scrfd
import insightface.utils.face_align
import numpy as np
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter
from skimage import data

from plugin.domain import Float32Array, Picture
from plugin.ports.vision import Detection
from plugin.vision import tflite
from plugin.vision.model import OnnxFaceModel
from plugin.vision.models import OnnxFaceModels
from plugin.vision.packs import known_packs

pytestmark = pytest.mark.models

MINIMUM_IOU = 0.95
MINIMUM_COSINE = 0.99
LONG_SIDE = 640
NAMES = (
    "32bit.png", "biden.jpg", "obama.jpg", "obama2.jpg", "obama3.jpg", "obama_partial_face.jpg",
    "obama_partial_face2.jpg", "astronaut", "family",
)  # fmt: skip


@pytest.fixture(scope="module")
def models(model_folder: Path) -> OnnxFaceModels:
    return OnnxFaceModels(model_folder, accepted=lambda name: True)


@pytest.fixture(scope="module")
def opencv(models: OnnxFaceModels) -> OnnxFaceModel:
    return models.load("opencv")


@pytest.fixture(scope="module")
def buffalo(models: OnnxFaceModels) -> OnnxFaceModel:
    return models.load("buffalo_s")


@pytest.fixture(scope="module", params=NAMES)
def picture(request: pytest.FixtureRequest, sample_album: Path) -> Picture:
    """Portraits, cut-off faces, a public-domain portrait, and four of them in one wide picture."""
    if request.param == "astronaut":
        return astronaut()
    if request.param == "family":
        four = [read(sample_album / name) for name in NAMES[1:4]] + [astronaut()]
        return np.ascontiguousarray(np.hstack([cv2.resize(one, (400, 500)) for one in four]), dtype=np.uint8)
    return read(sample_album / str(request.param))


def astronaut() -> Picture:
    """Eileen Collins, NASA, public domain; lies in the installed scikit-image."""
    return np.ascontiguousarray(data.astronaut(), dtype=np.uint8)  # type: ignore[no-untyped-call]  # untyped there


def read(path: Path) -> Picture:
    pixels = cv2.imread(str(path))
    assert pixels is not None
    return np.ascontiguousarray(pixels[..., ::-1], dtype=np.uint8)


def file_of(model_folder: Path, pack: int, part: str) -> str:
    return str(model_folder / getattr(known_packs()[pack], part).name)


def scaled(picture: Picture) -> tuple[Picture, float]:
    """BGR, its long side 640."""
    scale = LONG_SIDE / max(picture.shape[:2])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.ascontiguousarray(cv2.resize(picture, size)[..., ::-1], dtype=np.uint8), scale


def iou(a: Float32Array, b: Float32Array) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    return shared / float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared)


def assert_same_boxes(found: list[Detection], reference: Float32Array) -> None:
    """One to one, best score first in both."""
    assert len(reference) > 0
    assert len(found) == len(reference)
    for one in found:
        assert max(iou(one.box_px, box) for box in reference) >= MINIMUM_IOU


def cosine(a: Float32Array, b: Float32Array) -> float:
    a, b = a.ravel(), b.ravel()
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_yunet_finds_the_boxes_and_points_opencv_finds(
    opencv: OnnxFaceModel, model_folder: Path, picture: Picture
) -> None:
    small, scale = scaled(picture)
    size = (small.shape[1], small.shape[0])
    reference = cv2.FaceDetectorYN.create(file_of(model_folder, 0, "detector"), "", size, 0.6, 0.3, 5000)
    rows = np.asarray(reference.detect(small)[1], np.float32)
    boxes = np.column_stack([rows[:, :2], rows[:, :2] + rows[:, 2:4]]) / scale
    found = opencv.detect(picture, LONG_SIDE, 0.6)
    assert_same_boxes(found, boxes.astype(np.float32))
    for one in found:
        best = int(np.argmax([iou(one.box_px, box) for box in boxes]))
        assert one.landmarks_px == pytest.approx(rows[best, 4:14].reshape(5, 2) / scale, abs=2 / scale)
        assert one.score == pytest.approx(float(rows[best, 14]), abs=0.02)


def test_sface_describes_a_face_as_opencv_does(opencv: OnnxFaceModel, model_folder: Path, picture: Picture) -> None:
    reference = cv2.FaceRecognizerSF.create(file_of(model_folder, 0, "embedder"), "")
    bgr = np.ascontiguousarray(picture[..., ::-1])
    found = opencv.detect(picture, LONG_SIDE, 0.6)
    for one in found:
        row = np.concatenate([one.box_px, one.landmarks_px.ravel(), [one.score]]).astype(np.float32)[None]
        expected = np.asarray(reference.feature(reference.alignCrop(bgr, row)), np.float32)
        ours = opencv.embed([opencv.align(picture, one.landmarks_px)])
        assert cosine(ours, expected) >= MINIMUM_COSINE
        assert float(np.linalg.norm(ours)) == pytest.approx(float(np.linalg.norm(expected)), rel=0.05)


def session(path: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def test_scrfd_finds_the_boxes_insightface_finds(buffalo: OnnxFaceModel, model_folder: Path, picture: Picture) -> None:
    path = file_of(model_folder, 1, "detector")
    reference = insightface.model_zoo.scrfd.SCRFD(path, session=session(path))
    reference.prepare(0, det_thresh=0.6, input_size=(LONG_SIDE, LONG_SIDE))
    boxes, points = reference.detect(np.ascontiguousarray(picture[..., ::-1]))
    found = buffalo.detect(picture, LONG_SIDE, 0.6)
    assert_same_boxes(found, boxes[:, :4])
    for one in found:
        best = int(np.argmax([iou(one.box_px, box[:4]) for box in boxes]))
        side = float(one.box_px[2] - one.box_px[0])
        assert one.landmarks_px == pytest.approx(points[best], abs=max(2.0, 0.02 * side))


# insightface still calls what scikit-image calls by another name now.
@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")
def test_arcface_describes_a_face_as_insightface_does(
    buffalo: OnnxFaceModel, model_folder: Path, picture: Picture
) -> None:
    path = file_of(model_folder, 1, "embedder")
    reference = insightface.model_zoo.arcface_onnx.ArcFaceONNX(path, session=session(path))
    bgr = np.ascontiguousarray(picture[..., ::-1])
    found = buffalo.detect(picture, LONG_SIDE, 0.6)
    for one in found:
        crop = insightface.utils.face_align.norm_crop(bgr, one.landmarks_px, 112)
        expected = np.asarray(reference.get_feat(crop), np.float32)
        ours = buffalo.embed([buffalo.align(picture, one.landmarks_px)])
        assert cosine(ours, expected) >= MINIMUM_COSINE


def test_facemesh_in_onnx_gives_the_points_of_litert_to_a_thousandth_of_a_pixel(
    model_folder: Path, sample_album: Path, tmp_path: Path
) -> None:
    source = model_folder / "face_landmark.tflite"
    tflite.convert(source, tmp_path / "mesh.onnx")
    ours = session(str(tmp_path / "mesh.onnx"))
    reference = Interpreter(str(source), num_threads=1)
    reference.allocate_tensors()
    crops = [cv2.resize(read(path), (192, 192)) for path in sorted(sample_album.iterdir()) if path.suffix == ".jpg"]
    for crop in [*crops, np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)]:
        batch = np.asarray(crop, np.float32)[None] / 255
        reference.set_tensor(reference.get_input_details()[0]["index"], batch)
        reference.invoke()
        expected = [reference.get_tensor(output["index"]).ravel() for output in reference.get_output_details()]
        points, presence = ours.run(None, {"picture": np.ascontiguousarray(batch.transpose(0, 3, 1, 2))})
        assert np.abs(points.ravel() - expected[0]).max() < 1e-3
        assert presence.ravel() == pytest.approx(expected[1], abs=1e-3)


def test_facemesh_brings_yunets_points_nearer_to_scrfds(
    opencv: OnnxFaceModel, buffalo: OnnxFaceModel, sample_album: Path
) -> None:
    """What it is there for: on the portraits the aligned crops of both packs come closer together."""
    before, after = [], []
    for name in ("biden.jpg", "obama.jpg", "obama2.jpg", "obama3.jpg"):
        picture = read(sample_album / name)
        (yunet,), (scrfd,) = opencv.detect(picture, LONG_SIDE, 0.6), buffalo.detect(picture, LONG_SIDE, 0.6)
        (refined,) = opencv.refine(picture, [yunet])
        one, two, truth = (
            buffalo.embed([buffalo.align(picture, points.landmarks_px)]) for points in (yunet, refined, scrfd)
        )
        before.append(cosine(one, truth))
        after.append(cosine(two, truth))
    assert np.mean(after) > np.mean(before)
    assert min(after) > 0.9
