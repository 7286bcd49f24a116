"""Kinfolk as the engine of other programs: the faces of a picture that is looked at and forgotten.

Nothing of these pictures is stored: no asset, no face, no thumbnail. The model pack is fixed when the engine is
switched on, since the other program keeps the embeddings for years and those of two packs cannot be compared.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, BinaryIO, cast

from plugin.detection import DetectionLimits, face_in_box, find_faces
from plugin.domain import Box, FoundFace, Preferences
from plugin.errors import Busy, PackUnavailable, PictureError
from plugin.ports.accounts import PreferenceRows
from plugin.ports.vision import FaceModel, FaceModels, Media, PackInfo

MAXIMUM_AREA = 3840 * 2160
"""Pixels of a picture. What the reference service of the Face Recognition app takes; larger ones are scaled there."""

KEY_PREFIX = "kinfolk-engine-"
"""So that people, and scanners for leaked secrets, see what it is; no letter that a shell treats specially."""

LONGEST_KEY = 200

DIGEST_ROW, PACK_ROW = "engine.key_digest", "engine.pack"

AT_ONCE = 1
"""Pictures looked at at the same time, beside Kinfolk's own detection: more would only slow both."""

MOST_WAITING = 3
"""Further requests that wait for their turn: each keeps a thread of the web server, of which there are eight."""

PATIENCE_SECONDS = 300.0
"""The Face Recognition app never takes up a picture again that was refused, so waiting is better."""


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class EngineLook:
    """What looking at one picture gave.

    Attributes:
        faces: boxes and landmarks in 0..1 of the upright picture, embeddings of unit length.
        width, height: of the upright picture, in pixels.
        pack: the model pack that was used.
    """

    faces: list[FoundFace]
    width: int
    height: int
    pack: PackInfo


class EngineSwitch:
    """Whether other programs may use the engine, the digest of their key, and the pack it is bound to.

    Args:
        rows: where both are kept.
        preferences: the pack in force when it is switched on.
    """

    def __init__(self, rows: PreferenceRows, preferences: Callable[[], Preferences]) -> None:
        self._rows = rows
        self._preferences = preferences

    @property
    def is_on(self) -> bool:
        """Off until an administrator switched it on."""
        return self._rows.get(DIGEST_ROW) is not None

    @property
    def pack(self) -> str:
        """The pack the other program's embeddings are from."""
        return self._rows.get(PACK_ROW) or self._preferences().pack

    def switch_on(self) -> str:
        """Switch on, or replace the key; the key, which nobody can read again."""
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        if not self.is_on:
            self._rows.set(PACK_ROW, self._preferences().pack)
        self._rows.set(DIGEST_ROW, digest_of(key))
        return key

    def switch_off(self) -> None:
        """The key opens nothing any more, at once."""
        self._rows.delete(DIGEST_ROW)
        self._rows.delete(PACK_ROW)

    def opens(self, key: str) -> bool:
        """Whether this is the key; takes the same time wherever the two differ."""
        expected = self._rows.get(DIGEST_ROW)
        fits = hmac.compare_digest(digest_of(key[:LONGEST_KEY]), expected or digest_of(""))
        return fits and expected is not None and bool(key)


class FaceEngine:
    """Looks at pictures for other programs, a few at a time.

    Args:
        models: the packs of this installation.
        media: decodes, with `MAXIMUM_AREA` as its limit.
        preferences: the scores in force.
        limits: how pictures are looked at.
        now: what time it is.
    """

    def __init__(
        self,
        models: FaceModels,
        media: Media,
        preferences: Callable[[], Preferences],
        limits: DetectionLimits,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._models = models
        self._media = media
        self._preferences = preferences
        self._limits = limits
        self._now = now
        self._room = threading.BoundedSemaphore(AT_ONCE + MOST_WAITING)
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self.patience = PATIENCE_SECONDS
        self.last_asked: datetime | None = None
        self.pictures = 0

    def model(self, pack: str) -> FaceModel:
        """The loaded pack; it is never fetched while another program waits.

        Raises:
            PackUnavailable: it is not on this machine yet.
            ModelError: it cannot be loaded.
        """
        if not self._models.installed(pack):
            raise PackUnavailable("The model that knows faces is not on this machine yet", "Fetch it in Settings")
        return self._models.load(pack)

    def faces(self, picture: IO[bytes], pack: str) -> EngineLook:
        """Every face of a picture, the surest first.

        Raises:
            PictureError: it is no picture, or too large.
            ModelError: as `model`.
            Busy: too many pictures wait already.
        """
        with self._turns():
            model = self.model(pack)
            decoded = self._media.photo(cast(BinaryIO, picture), self._limits.working_long_side)
            score = self._score(model.pack)
            found = find_faces(decoded, model, self._media, score, self._limits.long_side)
            return EngineLook(found, decoded.full_width, decoded.full_height, model.pack)

    def face_at(self, picture: IO[bytes], corners: tuple[float, float, float, float], pack: str) -> EngineLook:
        """The one face in a rectangle, left top right bottom in pixels of the upright picture. Raises as `faces`."""
        with self._turns():
            model = self.model(pack)
            decoded = self._media.photo(cast(BinaryIO, picture), None)
            box = box_of(corners, decoded.full_width, decoded.full_height)
            face = face_in_box(decoded, model, self._media, box)
            if face is None:
                raise PictureError("There is nothing to see in this rectangle")
            return EngineLook([face], decoded.full_width, decoded.full_height, model.pack)

    def _score(self, pack: PackInfo) -> float:
        """The score in force where it belongs to this pack: scores of two packs mean different things."""
        preferences = self._preferences()
        return preferences.minimum_score if preferences.pack == pack.name else pack.default_score

    @contextmanager
    def _turns(self) -> Iterator[None]:
        busy = Busy("Too many pictures are waiting already", "Send fewer at once")
        if not self._room.acquire(blocking=False):
            raise busy
        try:
            if not self._turn.acquire(timeout=self.patience):
                raise busy
            try:
                self.last_asked, self.pictures = self._now(), self.pictures + 1
                yield
            finally:
                self._turn.release()
        finally:
            self._room.release()


def box_of(corners: tuple[float, float, float, float], width: int, height: int) -> Box:
    """The part of a rectangle in pixels that is inside the picture, in 0..1. Raises `PictureError` where none is."""
    left, right = (min(max(edge / width, 0.0), 1.0) for edge in corners[::2])
    top, bottom = (min(max(edge / height, 0.0), 1.0) for edge in corners[1::2])
    if not (right > left and bottom > top):
        raise PictureError("The rectangle of the face is outside the picture")
    return Box(left, top, right - left, bottom - top)


def digest_of(key: str) -> str:
    """SHA-256 in hex: 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
