"""Asset -> faces: fetch, decode, detect, align, embed, judge quality, remember.

One asset at a time; whatever is wrong with it is written to its row and never stops the others.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from plugin.domain import Asset, AssetKind, Box, FaceId, Float32Array, FoundFace, Library, Picture, Preferences
from plugin.errors import CatalogueError, DiskFull, HostBusy, KinfolkError, Refused
from plugin.faces.alignment import CROP_SIZE, arcface_template
from plugin.faces.boxes import SAME_FACE_IOU, iou
from plugin.faces.quality import NORM_RANGES, pose, quality, sharpness
from plugin.faces.tiling import merge_detections, tiles
from plugin.faces.tracks import one_face_per_track
from plugin.ports.catalogue import Catalogue
from plugin.ports.host import Host
from plugin.ports.vision import DecodedPicture, Detection, FaceModel, Media
from plugin.resting import RestingLibraries

log = logging.getLogger(__name__)

RETRY_LONG_SIDE = 320
"""A face that fills the picture is missed at 640 and found at 320 (measured: all 14 misses of 7,701 portraits)."""

THUMBNAIL_ENOUGH_PX = 100
"""A face this wide in the decoded picture gives a good thumbnail; a smaller one is cut from the original on demand."""

DRAWN_PX = 160
"""Photos are decoded so that a drawn box has about this many pixels: one and a half times the aligned crop."""

DRAWN_MARGIN = 0.5
"""Of the box's longer side, on every side: detectors need what is around a face, and people draw tightly."""

DRAWN_SCORE = 0.3
"""Somebody says that there is a face, so the detector may be less sure than usual about its landmarks."""

DRAWN_IOU = 0.25
"""People draw a face with hair or ears; half as tall and half as wide as the detector's box is still the same face."""


@dataclass(frozen=True, slots=True)
class DetectionLimits:
    """How pictures are looked at.

    Attributes:
        long_side: the detector's input, in pixels.
        working_long_side: photos are decoded at the smallest scale that still has this long side.
        video_frames: how many frames of a video are looked at.
    """

    long_side: int = 640
    working_long_side: int = 1440
    video_frames: int = 12


@dataclass(frozen=True, slots=True)
class Look:
    """What looking at one asset gave: its faces, its upright size in pixels, when it was taken."""

    faces: list[FoundFace]
    size: tuple[int, int]
    taken_at: datetime | None


class FaceDetection:
    """Looks at claimed assets and stores what it finds.

    Args:
        catalogue: where results and failures go.
        media: decodes.
        host_of: the host of a library.
        keep_thumbnail: called for each stored face with its thumbnail, or None where an old one must go.
        limits: how pictures are looked at.
        resting: libraries whose hosts want to be left alone; nothing of them is to be claimed.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        media: Media,
        host_of: Callable[[Library], Host],
        keep_thumbnail: Callable[[FaceId, bytes | None], None],
        limits: DetectionLimits,
        resting: RestingLibraries | None = None,
    ) -> None:
        self.resting = resting or RestingLibraries()
        self._catalogue = catalogue
        self._media = media
        self._host_of = host_of
        self._keep_thumbnail = keep_thumbnail
        self._limits = limits

    def process(self, asset: Asset, model: FaceModel, preferences: Preferences) -> int:
        """Look at one claimed asset and store the result or the failure; returns how many faces were found.

        Raises:
            DiskFull, CatalogueError: the result could not be stored; the lease runs out and the asset is tried again.
        """
        try:
            look = self._look(asset, model, preferences.minimum_score)
            face_ids = self._catalogue.detection.finish(asset, model.pack.name, look.faces, look.size, look.taken_at)
        except (DiskFull, CatalogueError):
            raise
        except HostBusy as error:
            self._leave_alone(asset, error)
            return 0
        except KinfolkError as error:
            self._catalogue.detection.fail(asset, error.code, str(error), permanent=error.permanent)
            return 0
        except Exception as error:
            log.exception("Asset %s could not be looked at", asset.id)
            self._catalogue.detection.fail(asset, "unexpected", f"Unexpected problem: {error!r}", permanent=False)
            return 0
        self.resting.answered(asset.library_id)
        for face_id, face in zip(face_ids, look.faces, strict=False):  # discarded results have no ids
            if face_id:  # 0 stands where somebody is to stay forgotten
                self._keep_thumbnail(face_id, face.thumbnail)
        return len(look.faces)

    def _leave_alone(self, asset: Asset, error: HostBusy) -> None:
        """Let the library rest. Only a photo the host was asked for counts an attempt: it may be to blame."""
        if error.whole:
            self.resting.rest(asset.library_id, error.seconds)
        if error.asked:
            self._catalogue.detection.fail(asset, error.code, str(error), permanent=False)
        else:
            self._catalogue.detection.put_off(asset, error.seconds)

    def face_in(self, asset: Asset, box: Box, model: FaceModel) -> FoundFace:
        """What the model sees in a box a user drew on a photo.

        Raises:
            HostError, PictureError: the photo cannot be looked at.
            Refused: there is nothing to see.
        """
        host = self._host_of(self._catalogue.libraries.get(asset.library_id))
        with host.open(asset.host_key) as stream:
            decoded = self._media.photo(stream, self._long_side([box]))
        face = face_in_box(decoded, model, self._media, box)
        if face is None:
            raise Refused("There is nothing to see in this box", "Draw it around the whole face")
        return face

    def _drawn(self, asset: Asset) -> list[Box]:
        """Boxes users drew on the asset: looked at each time, so that they follow the photo and the model pack."""
        return [face.box for face in self._catalogue.faces.of_asset(asset.id, asset.account_id) if face.drawn]

    def _long_side(self, boxes: Sequence[Box]) -> int:
        """The scale photos are decoded at: large enough for every face that was drawn, since those are often small."""
        wanted = [math.ceil(DRAWN_PX / max(box.w, box.h)) for box in boxes]
        return max([self._limits.working_long_side, *wanted])

    def _look(self, asset: Asset, model: FaceModel, minimum_score: float) -> Look:
        host = self._host_of(self._catalogue.libraries.get(asset.library_id))
        with host.open(asset.host_key) as stream:
            if asset.kind is AssetKind.PHOTO:
                drawn = self._drawn(asset)
                decoded = self._media.photo(stream, self._long_side(drawn))
                faces = find_faces(decoded, model, self._media, minimum_score, self._limits.long_side)
                faces = with_drawn(faces, [face_in_box(decoded, model, self._media, box) for box in drawn])
                return Look(faces, (decoded.full_width, decoded.full_height), decoded.taken_at)
            frames = self._media.video(stream, self._limits.video_frames, self._limits.working_long_side)
            seen: list[tuple[int, list[FoundFace]]] = []
            size, taken_at = (0, 0), None
            for frame in frames:
                found = find_faces(frame.picture, model, self._media, minimum_score, self._limits.long_side)
                seen.append((frame.at_ms, [replace(face, frame_ms=frame.at_ms) for face in found]))
                size = (frame.picture.full_width, frame.picture.full_height)
                taken_at = frame.picture.taken_at
            return Look(one_face_per_track(seen, model.pack.default_distance), size, taken_at)


def find_faces(
    decoded: DecodedPicture, model: FaceModel, media: Media, minimum_score: float, long_side: int
) -> list[FoundFace]:
    """Every face of one picture with score >= `minimum_score`, ready to be stored."""
    detections = model.refine(decoded.pixels, detect(decoded.pixels, model, minimum_score, long_side))
    crops = [model.align(decoded.pixels, detection.landmarks_px) for detection in detections]
    raw = model.embed(crops)
    found = zip(detections, crops, raw, strict=True)
    faces = (_found_face(decoded, model, media, detection, crop, embedding) for detection, crop, embedding in found)
    return [face for face in faces if face is not None]


def with_drawn(found: Sequence[FoundFace], drawn: Sequence[FoundFace | None]) -> list[FoundFace]:
    """What detection found, and what users drew in place of what is the same face."""
    seen = [face for face in drawn if face is not None]
    return [face for face in found if all(iou(face.box, own.box) <= SAME_FACE_IOU for own in seen)] + seen


def face_in_box(decoded: DecodedPicture, model: FaceModel, media: Media, box: Box) -> FoundFace | None:
    """The face in a box a user drew, which stays as it is; None where nothing can be embedded.

    The detector looks at the surroundings of the box for landmarks; where it finds none, the five points of an upright
    face that fills the box are taken, and the score is 0.
    """
    height, width = decoded.pixels.shape[:2]
    box_px = np.array([box.x * width, box.y * height, (box.x + box.w) * width, (box.y + box.h) * height], np.float32)
    detection = _detected_within(decoded.pixels, box_px, model) or Detection(box_px, default_points(box_px), 0.0)
    crop = model.align(decoded.pixels, detection.landmarks_px)
    (raw,) = model.embed([crop])
    face = _found_face(decoded, model, media, replace(detection, box_px=box_px), crop, raw)
    # Cut when it is asked for, since the box may move (`plugin.thumbnails`).
    return None if face is None else replace(face, box=box, thumbnail=None)


def default_points(box_px: Float32Array) -> Float32Array:
    """The five points of an upright face, (5, 2), in a box x1 y1 x2 y2."""
    x1, y1, x2, y2 = box_px.astype(np.float64)
    side = max(x2 - x1, y2 - y1)
    corner = np.array([(x1 + x2 - side) / 2, (y1 + y2 - side) / 2])
    return np.asarray(corner + arcface_template() * (side / CROP_SIZE), np.float32)


def _detected_within(picture: Picture, box_px: Float32Array, model: FaceModel) -> Detection | None:
    """The detection that is most like the box, or None; with the landmarks refined."""
    height, width = picture.shape[:2]
    margin = DRAWN_MARGIN * max(box_px[2] - box_px[0], box_px[3] - box_px[1])
    left, top = (max(0, math.floor(edge - margin)) for edge in box_px[:2])
    right, bottom = min(width, math.ceil(box_px[2] + margin)), min(height, math.ceil(box_px[3] + margin))
    shift = np.array([left, top], np.float32)
    found = [
        replace(one, box_px=one.box_px + np.tile(shift, 2), landmarks_px=one.landmarks_px + shift)
        for one in model.detect(picture[top:bottom, left:right], RETRY_LONG_SIDE, DRAWN_SCORE)
    ]
    alike = [(iou(_as_box(one.box_px), _as_box(box_px)), one.score, i) for i, one in enumerate(found)]
    best = max(alike, default=(0.0, 0.0, 0))
    return model.refine(picture, [found[best[2]]])[0] if best[0] > DRAWN_IOU else None


def _as_box(box_px: Float32Array) -> Box:
    x1, y1, x2, y2 = (float(edge) for edge in box_px)
    return Box(x1, y1, x2 - x1, y2 - y1)


def detect(picture: Picture, model: FaceModel, minimum_score: float, long_side: int) -> list[Detection]:
    """Detections in pixels of `picture`: tiled when it is a panorama, once more at 320 when nothing was found."""
    height, width = picture.shape[:2]
    found = [
        ((x0, y0, x1, y1), model.detect(picture[y0:y1, x0:x1], long_side, minimum_score))
        for x0, y0, x1, y1 in tiles(width, height)
    ]
    detections = merge_detections(found, width, height) if len(found) > 1 else found[0][1]
    return detections or model.detect(picture, RETRY_LONG_SIDE, minimum_score)


def _found_face(
    decoded: DecodedPicture,
    model: FaceModel,
    media: Media,
    detection: Detection,
    crop: Picture,
    raw_embedding: Float32Array,
) -> FoundFace | None:
    """The face with everything that is judged about it; None where no box is left inside the picture."""
    height, width = decoded.pixels.shape[:2]
    box = _inside(detection.box_px, width, height)
    norm = float(np.linalg.norm(raw_embedding))
    if box is None or not np.isfinite(norm) or norm == 0.0:
        return None
    width_px = float(detection.box_px[2] - detection.box_px[0])
    crisp, frontal = sharpness(crop), pose(detection.landmarks_px)
    enough = width_px >= THUMBNAIL_ENOUGH_PX or not decoded.reduced
    return FoundFace(
        box=box,
        landmarks=np.clip(detection.landmarks_px / np.array([width, height]), 0, 1).astype(np.float32),
        score=float(detection.score),
        quality=quality(
            score=detection.score,
            norm=norm,
            sharpness=crisp,
            pose=frontal,
            width_px=width_px,
            norm_range=NORM_RANGES.get(model.pack.name),
        ),
        embedding=(raw_embedding / norm).astype(np.float32),
        norm=norm,
        sharpness=crisp,
        pose=frontal,
        width_px=width_px,
        thumbnail=media.face_thumbnail(decoded.pixels, box) if enough else None,
    )


def _inside(box_px: Float32Array, width: int, height: int) -> Box | None:
    """The part of a pixel box that lies inside the picture, in 0..1; None when nothing does."""
    x0, x1 = np.clip(box_px[[0, 2]] / width, 0, 1)
    y0, y1 = np.clip(box_px[[1, 3]] / height, 0, 1)
    if not (x1 > x0 and y1 > y0):
        return None
    return Box(float(x0), float(y0), float(x1 - x0), float(y1 - y0))
