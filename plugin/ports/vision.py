"""The ports to pixels: decoding pictures and running face models."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from plugin.domain import Box, Float32Array, Picture


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """An upright picture, maybe at reduced scale.

    Attributes:
        pixels: uint8 (h, w, 3) RGB, EXIF orientation applied.
        full_width, full_height: size of the upright picture at full scale, in pixels.
        taken_at: camera's local time from EXIF or the container (naive), or None.
    """

    pixels: Picture
    full_width: int
    full_height: int
    taken_at: datetime | None

    @property
    def reduced(self) -> bool:
        """Whether `pixels` has fewer pixels than the original."""
        return bool(self.pixels.shape[1] < self.full_width)


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One sampled frame: `at_ms` milliseconds from the start."""

    picture: DecodedPicture
    at_ms: int


class Media(Protocol):
    """Decoding of photos and videos, and encoding of thumbnails. Thread-safe; releases the GIL while it decodes."""

    def photo(self, stream: BinaryIO, minimum_long_side: int | None) -> DecodedPicture:
        """Decode a still picture (the first frame of an animation).

        Args:
            stream: seekable.
            minimum_long_side: decode at a reduced scale whose long side is still at least this; None: full scale.

        Raises:
            PictureBroken, PictureTooLarge, PictureUnsupported.
        """
        ...

    def video(self, stream: BinaryIO, frames: int, minimum_long_side: int | None) -> Iterator[VideoFrame]:
        """Up to `frames` frames spread evenly over the length, decoded one at a time.

        Raises:
            PictureBroken, PictureTooLarge, PictureUnsupported.
        """
        ...

    def frame(self, stream: BinaryIO, at_ms: int) -> DecodedPicture:
        """The frame nearest to `at_ms`, at full scale. Raises like `video`."""
        ...

    def face_thumbnail(self, picture: Picture, box: Box) -> bytes:
        """A square WebP around `box` (0..1), 10 % margin, shrunk to stay inside the picture."""
        ...

    def preview(self, picture: Picture, long_side: int) -> bytes:
        """The picture as WebP, its long side at most `long_side` pixels (never enlarged)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One raw detection in pixels of the picture that was given.

    Attributes:
        box_px: float32 (4,), x1 y1 x2 y2; may reach beyond the picture.
        landmarks_px: float32 (5, 2); left eye, right eye (left: smaller x in an upright face), nose tip,
            left and right mouth corner.
        score: 0..1.
    """

    box_px: Float32Array
    landmarks_px: Float32Array
    score: float


@dataclass(frozen=True, slots=True)
class PackInfo:
    """What the steps and screens need to know of a model pack; see `plugin/vision/packs.py`.

    `linking` is the mean distance at which groups still link, times the maximum recognition distance
    (`plugin.faces.grouping`).
    """

    name: str
    title: str
    licence: str
    licence_url: str
    needs_acceptance: bool
    dimension: int
    default_score: float
    default_distance: float
    linking: float
    tested: bool
    download_bytes: int


@dataclass(frozen=True, slots=True)
class LicenceText:
    """A licence in full, and which models of a pack it is for."""

    what: str
    text: str


class FaceModel(Protocol):
    """A loaded pack: detector, landmark refinement and embedder. Thread-safe."""

    @property
    def pack(self) -> PackInfo:
        """The pack this model was loaded from."""
        ...

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that really runs it, for the Status page."""
        ...

    def detect(self, picture: Picture, long_side: int, minimum_score: float) -> list[Detection]:
        """Find faces in the picture, scaled (aspect kept) so that its long side is `long_side`.

        Returns detections after non-maximum suppression, best score first.
        """
        ...

    def refine(self, picture: Picture, detections: list[Detection]) -> list[Detection]:
        """Better landmarks for alignment, where the pack has a landmark model; else the detections unchanged."""
        ...

    def align(self, picture: Picture, landmarks_px: Float32Array) -> Picture:
        """The 112x112 RGB crop with the five points (float32 (5, 2)) on the ArcFace template (similarity transform)."""
        ...

    def embed(self, crops: list[Picture]) -> Float32Array:
        """Raw (not normalised) embeddings, float32 (n, dimension); (0, dimension) for no crops."""
        ...


class FaceModels(Protocol):
    """The packs of this installation."""

    def packs(self) -> list[PackInfo]:
        """Every pack known, the default first."""
        ...

    def installed(self, name: str) -> bool:
        """Whether every file of the pack is on this machine and was verified."""
        ...

    def load(self, name: str) -> FaceModel:
        """The loaded pack, fetched first when needed; loaded once, then shared.

        Raises:
            PackUnknown, PackUnavailable, LicenceNotAccepted, RuntimeClash.
        """
        ...
