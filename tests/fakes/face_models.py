"""Face models that find painted squares: fast, deterministic, no model file.

How to paint people
-------------------
Start from any grey picture (`blank_picture(640, 480)`) and call `paint_person(picture, person_number, x, y, size)`:

* the colour (hue) is the person: numbers 0..23, 15 degrees of hue each;
* the brightness is the detector's score: `score=0.95` by default, 0.4..1;
* `look` (-1..1) shifts the hue inside the person's 15 degrees, which turns the embedding by up to 40 degrees: two faces
  of one person with looks a and b are about `1 - cos(40 degrees * |a - b|)` apart (cosine distance): 0.01 for 0.2,
  0.23 for 1, 0.83 for -1 and 1. Different persons are about 1 apart (0.7..1.3).

It survives JPEG (quality >= 75) and being scaled down, as long as a square stays >= 16 pixels. Squares of the *same*
person must not touch. A face needs at least `MINIMUM_PX` pixels at the scale the detector looks at.
"""

from collections.abc import Callable, Collection

import cv2
import numpy as np

from plugin.domain import Float32Array, Picture
from plugin.errors import LicenceNotAccepted, PackUnavailable, PackUnknown
from plugin.faces.alignment import CROP_SIZE, alignment, arcface_template
from plugin.ports.vision import Detection, PackInfo

PEOPLE = 24
MINIMUM_PX = 8.0
_HUE_STEP = 360.0 / PEOPLE
_LOOK_HUE = 5.0
_LOOK_ANGLE = np.radians(40.0)
_NORM = 10.0


def blank_picture(width: int, height: int) -> Picture:
    """A grey picture without people."""
    return np.full((height, width, 3), 127, np.uint8)


def paint_person(
    picture: Picture, person_number: int, x: int, y: int, size: int, *, score: float = 0.95, look: float = 0.0
) -> None:
    """Paint person `person_number` (0..23) as a square at (x, y), in place; see the module's docstring."""
    if not 0 <= person_number < PEOPLE or not -1 <= look <= 1 or not 0.4 <= score <= 1:
        raise ValueError(f"cannot paint person {person_number} with look {look} and score {score}")
    hue = (person_number * _HUE_STEP + look * _LOOK_HUE) % 360
    hsv = np.array([[[hue, 0.9, score]]], np.float32)
    colour = np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0] * 255).astype(np.uint8)
    picture[y : y + size, x : x + size] = colour
    eye = max(size // 12, 1)
    for px, py in _points(x, y, size).astype(int):  # darker dots of the same hue, so that the square is not featureless
        picture[py - eye : py + eye, px - eye : px + eye] = colour // 2


class FakeFaceModel:
    """Obeys `FaceModel` for painted people."""

    def __init__(self, pack: PackInfo) -> None:
        self._pack = pack
        random = np.random.default_rng(sum(pack.name.encode()))
        axes, _ = np.linalg.qr(random.normal(size=(pack.dimension, 2 * PEOPLE)))
        self._people, self._looks = axes.T[:PEOPLE], axes.T[PEOPLE:]

    @property
    def pack(self) -> PackInfo:
        return self._pack

    @property
    def provider(self) -> str:
        return "FakeExecutionProvider"

    def detect(self, picture: Picture, long_side: int, minimum_score: float) -> list[Detection]:
        smallest = MINIMUM_PX * max(1.0, max(picture.shape[:2]) / long_side)
        person, brightness = _people_map(picture)
        found = []
        for number in np.unique(person[person >= 0]):
            count, labels, stats, _ = cv2.connectedComponentsWithStats((person == number).astype(np.uint8))
            for label in range(1, count):
                x, y, w, h, area = (int(value) for value in stats[label])
                if min(w, h) < smallest or area < 0.6 * w * h or not 0.5 < w / h < 2:
                    continue
                inside = brightness[y : y + h, x : x + w][labels[y : y + h, x : x + w] == label]
                score = float(np.percentile(inside, 75))
                if score >= minimum_score:
                    box = np.array([x, y, x + w, y + h], np.float32)
                    found.append(Detection(box, _points(x, y, min(w, h)), score))
        return sorted(found, key=lambda detection: -detection.score)

    def refine(self, picture: Picture, detections: list[Detection]) -> list[Detection]:
        return detections

    def align(self, picture: Picture, landmarks_px: Float32Array) -> Picture:
        crop = cv2.warpAffine(picture, alignment(landmarks_px), (CROP_SIZE, CROP_SIZE))
        return np.asarray(crop, np.uint8)

    def embed(self, crops: list[Picture]) -> Float32Array:
        rows = [self._embedding(crop) for crop in crops]
        return np.array(rows, np.float32).reshape(len(crops), self._pack.dimension)

    def _embedding(self, crop: Picture) -> Float32Array:
        middle = cv2.cvtColor(crop[20:92, 20:92].astype(np.float32) / 255, cv2.COLOR_RGB2HSV)[..., 0].ravel()
        turned = np.exp(1j * np.radians(middle))  # hues live on a circle: the median of 359 and 1 must not be 180
        reference = np.angle(turned.mean())
        hue = np.degrees(reference + np.median(np.angle(turned * np.exp(-1j * reference)))) % 360
        number = round(hue / _HUE_STEP) % PEOPLE
        offset = (hue - number * _HUE_STEP + 180) % 360 - 180
        angle = np.clip(offset / _LOOK_HUE, -1.5, 1.5) * _LOOK_ANGLE
        vector = _NORM * (np.cos(angle) * self._people[number] + np.sin(angle) * self._looks[number])
        return np.asarray(vector, np.float32)


class FakeFaceModels:
    """Obeys `FaceModels`: the packs `opencv` (default, 128 numbers) and `buffalo_s` (licence, 512 numbers).

    Args:
        accepted: whether the user accepted a pack's licence.
        unavailable: packs no source can deliver.
    """

    def __init__(self, accepted: Callable[[str], bool] = lambda name: False, unavailable: Collection[str] = ()) -> None:
        self._accepted = accepted
        self._unavailable = unavailable
        self._loaded: dict[str, FakeFaceModel] = {}
        self._infos = [
            PackInfo("opencv", "Painted people", "MIT", "https://example.org", False, 128, 0.7, 0.5, 1.08, True, 0),
            PackInfo("buffalo_s", "Painted people, licensed", "Research", "https://example.org", True, 512, 0.5,
                     0.6, 1.08, True, 0),
        ]  # fmt: skip

    def packs(self) -> list[PackInfo]:
        return list(self._infos)

    def installed(self, name: str) -> bool:
        return name in self._loaded

    def load(self, name: str) -> FakeFaceModel:
        info = next((info for info in self._infos if info.name == name), None)
        if info is None:
            raise PackUnknown(f"There is no model pack {name!r}", "Choose opencv or buffalo_s")
        if info.needs_acceptance and not self._accepted(name):
            raise LicenceNotAccepted(f"The licence of {name!r} was not accepted", "Accept it on the Settings page")
        if name in self._unavailable:
            raise PackUnavailable(f"Model pack {name!r} could not be fetched", "Connect to the network once")
        return self._loaded.setdefault(name, FakeFaceModel(info))


def _points(x: float, y: float, size: float) -> Float32Array:
    """The ArcFace template stretched over the square, so that its aligned crop is the square itself."""
    return (arcface_template() * (size / CROP_SIZE) + (x, y)).astype(np.float32)


def _people_map(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Per pixel the person number (-1: nobody) and the brightness 0..1."""
    hsv = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    nearest = np.rint(hsv[..., 0] / _HUE_STEP).astype(np.int64) % PEOPLE
    off = np.abs((hsv[..., 0] - nearest * _HUE_STEP + 180) % 360 - 180)
    painted = (hsv[..., 1] > 0.6) & (hsv[..., 2] > 0.15) & (off < _LOOK_HUE + 2)
    return np.where(painted, nearest, -1), hsv[..., 2]
