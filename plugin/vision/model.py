"""A loaded pack."""

from collections.abc import Callable

import numpy as np

from plugin.domain import Float32Array, Picture
from plugin.ports.vision import Detection, PackInfo
from plugin.vision.detections import Detector
from plugin.vision.embedder import Embedder
from plugin.vision.facemesh import FaceMesh
from plugin.vision.pictures import aligned_crop


class OnnxFaceModel:
    """`FaceModel` on ONNX Runtime. Thread-safe: sessions are, everything else is without state.

    Args:
        pack: what the steps and screens need to know.
        provider: tells what runs the models now.
        detector: finds faces.
        embedder: describes them.
        mesh: refines landmarks, where the pack needs it.
    """

    def __init__(
        self,
        pack: PackInfo,
        provider: Callable[[], str],
        detector: Detector,
        embedder: Embedder,
        mesh: FaceMesh | None,
    ) -> None:
        self._pack = pack
        self._provider = provider
        self._detector = detector
        self._embedder = embedder
        self._mesh = mesh

    @property
    def pack(self) -> PackInfo:
        """The pack this model was loaded from."""
        return self._pack

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs it now."""
        return self._provider()

    def detect(self, picture: Picture, long_side: int, minimum_score: float) -> list[Detection]:
        """Find faces; see `FaceModel.detect`. Detections with numbers that are not finite are left out."""
        found = self._detector(picture, long_side, minimum_score)
        return [one for one in found if np.isfinite(one.box_px).all() and np.isfinite(one.landmarks_px).all()]

    def refine(self, picture: Picture, detections: list[Detection]) -> list[Detection]:
        """Better landmarks, where the pack has a landmark model; see `FaceModel.refine`."""
        mesh = self._mesh
        return detections if mesh is None else [mesh.refine(picture, detection) for detection in detections]

    def align(self, picture: Picture, landmarks_px: Float32Array) -> Picture:
        """The 112x112 crop; see `FaceModel.align`."""
        return aligned_crop(picture, landmarks_px)

    def embed(self, crops: list[Picture]) -> Float32Array:
        """Raw embeddings; see `FaceModel.embed`."""
        return self._embedder(crops)
