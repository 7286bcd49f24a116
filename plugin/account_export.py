"""All that Kinfolk holds of one account as one zip, streamed: JSON lines and face thumbnails, no photos.

The format is documented in the archive's own README.txt and in `docs/privacy.md`.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from plugin.domain import Account, AccountId, Event, FaceId, Library, Person, Verdict
from plugin.errors import KinfolkError
from plugin.ports.catalogue import Catalogue
from plugin.ports.privacy import HeldFace

EVENTS = 1_000_000
"""More than are ever kept."""

README = """What Kinfolk holds of this account, one JSON object per line. Times are UTC, but taken_at is the camera's.

account.json      name, administrator or not (no password, nor a hash of it)
libraries.ndjson  where the photos are
people.ndjson     names, dates of birth, hidden, favourite
faces.ndjson      one per face: photo, box and landmarks in fractions of the upright picture, who it is, whether
                  a user drew it, and the embedding: little-endian float32 in base64, unit length, comparable only
                  within one model
verdicts.ndjson   what you said about faces and people
history.ndjson    what you did
thumbnails/       each face as WebP, by the id in faces.ndjson; those that could not be made now are missing

The photos themselves are not in here: they lie where they always were.
"""


class AccountExport:
    """Writes the archive.

    Args:
        catalogue: what is held.
        thumbnail: WebP of a face; raises a `KinfolkError` where there is none now.
    """

    def __init__(self, catalogue: Catalogue, thumbnail: Callable[[AccountId, FaceId], bytes]) -> None:
        self._catalogue = catalogue
        self._thumbnail = thumbnail

    def stream(self, account: Account) -> Iterator[bytes]:
        """The zip in pieces; nothing is read before its turn, so that memory stays small whatever the size."""
        catalogue, mine = self._catalogue, account.id
        archive = ZipStream(compress_type=ZIP_DEFLATED, compress_level=4)
        archive.add(README, "README.txt")
        archive.add(json.dumps({"name": account.name, "administrator": account.is_admin}), "account.json")
        archive.add(lines(map(library_row, catalogue.libraries.all(mine))), "libraries.ndjson")
        archive.add(lines(map(person_row, catalogue.privacy.held_people(mine))), "people.ndjson")
        archive.add(lines(map(verdict_row, catalogue.verdicts.all(mine))), "verdicts.ndjson")
        archive.add(lines(map(event_row, catalogue.events.all(mine, EVENTS))), "history.ndjson")
        archive.add(lines(map(face_row, catalogue.privacy.held_faces(mine))), "faces.ndjson")
        yield from archive.all_files()
        for held in catalogue.privacy.held_faces(mine):
            yield from self._picture(archive, mine, held.exported.face.id)
        yield from archive.finalize()

    def _picture(self, archive: ZipStream, account_id: AccountId, face_id: FaceId) -> Iterator[bytes]:
        try:
            picture = self._thumbnail(account_id, face_id)
        except KinfolkError:
            return
        archive.add(picture, f"thumbnails/{face_id}.webp", compress_type=ZIP_STORED)
        yield from archive.all_files()


def lines(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """JSON lines; plain ASCII (other characters are escaped), so that no program can misread them."""
    for row in rows:
        yield json.dumps(row).encode("ascii") + b"\n"


def library_row(library: Library) -> dict[str, Any]:
    """A library as documented."""
    return {"id": library.id, "host": library.host, "name": library.name, "address": library.address}


def person_row(person: Person) -> dict[str, Any]:
    """A person as documented."""
    return {
        "id": person.id,
        "name": person.name,
        "birth_date": person.birth_date and person.birth_date.isoformat(),
        "hidden": person.hidden,
        "favourite": person.favourite,
        "feature_face_id": person.feature_face_id,
    }


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    """A verdict as documented."""
    return {
        "kind": verdict.kind.value,
        "face_id": verdict.face_id,
        "person_id": verdict.person_id,
        "other_person_id": verdict.other_person_id,
    }


def event_row(event: Event) -> dict[str, Any]:
    """An event as documented."""
    return {"at": event.at.isoformat(), "title": event.title, "undone": event.undone}


def face_row(held: HeldFace) -> dict[str, Any]:
    """A face as documented."""
    face = held.exported.face
    vector = held.embedding
    return {
        "id": face.id,
        "library": held.exported.library,
        "path": held.exported.path,
        "taken_at": face.taken_at and face.taken_at.isoformat(),
        "frame_ms": face.frame_ms,
        "box": {"x": face.box.x, "y": face.box.y, "w": face.box.w, "h": face.box.h},
        "landmarks": [[float(x), float(y)] for x, y in face.landmarks],
        "score": face.score,
        "quality": face.quality,
        "drawn": face.drawn,
        "state": face.state.value,
        "person_id": face.person_id,
        "assigned_by": face.assigned_by and face.assigned_by.value,
        "model": face.pack,
        "embedding": None if vector is None else base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii"),
    }
