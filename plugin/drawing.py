"""Faces that detection missed: a user draws a box, moves it, or takes it away again.

What is seen in the box is worked out first (the photo is fetched, `FaceDetection.face_in`), then everything is stored
as one event. Such a face is a user's word: it survives every Refresh, Reset and change of the model pack.
"""

import math
from collections.abc import Callable

from plugin.domain import AccountId, Asset, AssetId, AssetKind, Box, FaceId, FoundFace
from plugin.errors import Refused
from plugin.people import People, clean_name
from plugin.ports.catalogue import Catalogue
from plugin.ports.work import Nudge
from plugin.sentences import Sentence

SMALLEST_PX = 12
"""Width and height a box must have in the photo: below this no embedder sees more than noise."""

SMALLEST = 0.002
"""The same as a fraction, for photos whose size is not known: 12 of 6,000 pixels."""

Look = Callable[[Asset, Box], tuple[str, FoundFace]]
"""What a model sees in a box of a photo: (name of the pack, the face)."""


def box_inside(box: Box, width: int | None, height: int | None) -> Box:
    """The part of a drawn box that lies on the photo of `width` x `height` pixels (None: not known yet).

    Raises:
        Refused: not a number, beside the photo, or too small for any face.
    """
    if not all(math.isfinite(number) for number in (box.x, box.y, box.w, box.h)):
        raise Refused("The place of the face has to be given in numbers", "Draw a box around the whole face")
    x, y = min(max(box.x, 0.0), 1.0), min(max(box.y, 0.0), 1.0)
    # A box that fits is kept as it is, not to the last digit of a subtraction.
    w = min(box.x + box.w, 1.0) - x if x != box.x or box.x + box.w > 1 else box.w
    h = min(box.y + box.h, 1.0) - y if y != box.y or box.y + box.h > 1 else box.h
    if w <= 0 or h <= 0:
        raise Refused("The box lies outside the photo", "Draw it around the face")
    if w < SMALLEST or h < SMALLEST or w * (width or math.inf) < SMALLEST_PX or h * (height or math.inf) < SMALLEST_PX:
        raise Refused("The box is too small for a face", "Draw it around the whole face, from chin to hair")
    return Box(x, y, w, h)


class Drawing:
    """The actions behind drawn boxes. Each is an event of the history.

    Args:
        catalogue: where everything is stored.
        people: says who the face is.
        nudge: wakes recognition for a face without a name.
        look: fetches the photo and looks into a box.
    """

    def __init__(self, catalogue: Catalogue, people: People, nudge: Nudge, look: Look) -> None:
        self._catalogue = catalogue
        self._people = people
        self._nudge = nudge
        self._look = look

    def draw(self, account_id: AccountId, asset_id: AssetId, box: Box, name: str = "") -> FaceId:
        """The user says: here is a face, of the person with this name (known or new), or of whoever it is like.

        Raises:
            NotFound: another account's photo.
            Refused: see `box_inside`, `FaceRows.draw` and `clean_name`; or several people have this name.
            HostError, PictureError, ModelError: the photo cannot be looked at now.
        """
        asset = self._catalogue.assets.get(asset_id, account_id)
        name = clean_name(name) if name.strip() else ""
        namesakes = self._people.same_name(account_id, name) if name else []
        if len(namesakes) > 1:
            raise Refused(
                "Several people are called %(name)s", "Leave the name empty and choose the person afterwards", name=name
            )
        pack, seen = self._seen(asset, box)
        title = Sentence("Drew a face of %(name)s", name=name) if name else Sentence("Drew a face")
        with self._catalogue.events.record(account_id, title):
            face_id = self._catalogue.faces.draw(account_id, asset_id, pack, seen)
            if namesakes:
                self._people.assign(account_id, face_id, namesakes[0].id)
            elif name:
                self._people.assign_new(account_id, face_id, name)
        self._nudge.recognition()
        return face_id

    def redraw(self, account_id: AccountId, face_id: FaceId, box: Box) -> None:
        """Move or resize a drawn box; who the face is stays.

        Raises:
            NotFound, Refused, HostError, PictureError, ModelError: as in `draw`; or the machine found this face.
        """
        face = self._catalogue.faces.get(face_id, account_id)
        pack, seen = self._seen(self._catalogue.assets.get(face.asset_id, account_id), box)
        with self._catalogue.events.record(account_id, Sentence("Moved the box of a face")):
            self._catalogue.faces.redraw(account_id, face_id, pack, seen)
        self._nudge.recognition()

    def erase(self, account_id: AccountId, face_id: FaceId) -> None:
        """Delete a drawn box.

        Raises:
            NotFound: another account's face.
            Refused: the machine found this face; it can only be taken away (`People.ignore`).
        """
        with self._catalogue.events.record(account_id, Sentence("Deleted a drawn face")):
            self._catalogue.faces.erase(account_id, face_id)
            self._catalogue.people.delete_empty()

    def _seen(self, asset: Asset, box: Box) -> tuple[str, FoundFace]:
        if asset.kind is not AssetKind.PHOTO:
            raise Refused("Faces can be drawn on photos only", "A video shows many moments")
        return self._look(asset, box_inside(box, asset.width, asset.height))
