"""What PhotoPrism says: rows of a search, the settings, pictures."""

import io
import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from PIL import Image, ImageOps
from werkzeug.wrappers import Response

from tests.fakes.photoprism.library import FakeFile, FakeLibrary, FakePhoto
from tests.fakes.photoprism.people import FakeMarker, FakePeople

ICON = b'<svg xmlns="http://www.w3.org/2000/svg" height="48" width="48"></svg>'


def said(answer: object, status: int = 200) -> Response:
    return Response(json.dumps(answer), status, content_type="application/json; charset=utf-8")


def failed(status: int, error: str) -> Response:
    return said({"code": status, "error": error}, status)


def icon(status: int = 200) -> Response:
    return Response(ICON, status, content_type="image/svg+xml")


def moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def marker_row(marker: FakeMarker) -> dict[str, Any]:
    """`entity.Marker`; what is empty is left out of some fields."""
    x, y, w, h = marker.box
    return {
        "UID": marker.uid,
        "FileUID": marker.file_uid,
        "Type": "face",
        "Src": marker.src,
        "Name": marker.name,
        "Review": False,
        "Invalid": marker.invalid,
        "SubjUID": marker.subj_uid,
        "SubjSrc": marker.subj_src,
        "FaceID": "",
        "FaceDist": -1,
        "X": x,
        "Y": y,
        "W": w,
        "H": h,
        "Size": 200,
        "Score": 100,
        "Thumb": "",
        "MatchedAt": "2024-07-01T10:00:00Z",
    }


def subject_row(people: FakePeople, uid: str) -> dict[str, Any]:
    """`search.Subject` and, near enough, `entity.Subject`."""
    files = {marker.file_uid for marker in people.markers.values() if marker.subj_uid == uid and marker.is_shown}
    return {
        "UID": uid,
        "Type": "person",
        "Slug": people.subjects[uid].lower(),
        "Name": people.subjects[uid],
        "Alias": "",
        "Thumb": "",
        "Favorite": False,
        "Hidden": False,
        "Private": False,
        "Excluded": False,
        "FileCount": len(files),
        "PhotoCount": len(files),
    }


def file_row(photo: FakePhoto, file: FakeFile, people: FakePeople) -> dict[str, Any]:
    """`entity.File` as its `MarshalJSON` writes it: what is false or empty is left out, but for the first ones."""
    row: dict[str, Any] = {
        "UID": file.uid,
        "PhotoUID": photo.uid,
        "Name": file.name,
        "Root": file.root,
        "Hash": file.hash,
        "Size": len(file.data),
        "Primary": file.primary,
        "FileType": file.name.rpartition(".")[2],
        "MediaType": "video" if file.video else "image",
        "CreatedAt": moment(photo.created),
        "UpdatedAt": moment(photo.updated),
    }
    row |= {name: True for name, value in (("Video", file.video), ("Sidecar", file.sidecar)) if value}
    marked = people.of_file(file.uid)
    return row | ({"Markers": [marker_row(marker) for marker in marked]} if marked else {})


def photo_row(photo: FakePhoto, file: FakeFile, people: FakePeople) -> dict[str, Any]:
    """`search.Photo`: one row for each file."""
    folder, _, name = photo.path.rpartition("/")
    row: dict[str, Any] = {
        "ID": f"{photo.number}-{photo.number}",
        "UID": photo.uid,
        "Type": photo.kind,
        "TakenAt": "2024-07-01T10:00:00Z",
        "TakenAtLocal": "2024-07-01T12:00:00Z",
        "TimeZone": "Europe/Berlin",
        "Path": folder,
        "Name": name.rpartition(".")[0],
        "Title": name,
        "Favorite": False,
        "Private": photo.private,
        "Quality": photo.quality,
        "FileUID": file.uid,
        "FileRoot": file.root,
        "FileName": file.name,
        "Hash": file.hash,
        "Width": 1920,
        "Height": 1080,
        "Merged": False,
        "CreatedAt": moment(photo.created),
        "UpdatedAt": moment(photo.updated),
        "EditedAt": "0001-01-01T00:00:00Z",
        "CheckedAt": "0001-01-01T00:00:00Z",
        "Files": [file_row(photo, file, people)],
    }
    return row | ({"DeletedAt": moment(photo.deleted)} if photo.deleted else {})


def merged(rows: list[tuple[FakePhoto, FakeFile]], people: FakePeople) -> list[dict[str, Any]]:
    """`PhotoResults.Merge`: rows of the same photo that follow each other become one."""
    found: list[dict[str, Any]] = []
    for photo, file in rows:
        if found and found[-1]["UID"] == photo.uid:
            found[-1]["Files"].append(file_row(photo, file, people))
            found[-1]["Merged"] = True
        else:
            found.append(photo_row(photo, file, people))
    return found


def features(library: FakeLibrary, scope: str) -> dict[str, bool]:
    """As `Settings.ApplyScope` leaves them: what the scope of a token does not allow looks switched off."""
    needs = {"people": "people", "edit": "photos", "download": "photos", "private": "photos", "archive": "photos"}
    scopes = set(scope.split())
    allowed = {name: "*" in scopes or needs.get(name, "*") in {"*", *scopes} for name in library.features}
    return {name: value and allowed[name] for name, value in library.features.items()}


def config(library: FakeLibrary, *, known: bool, scope: str = "*") -> dict[str, Any]:
    """`ClientConfig`: for somebody who is logged in, or the little everybody may know."""
    photos = list(library.photos.values())
    answer: dict[str, Any] = {
        "mode": "user" if known else "public",
        "name": "PhotoPrism",
        "edition": library.edition,
        "version": library.version,
        "public": library.public,
        "authMode": "public" if library.public else "password",
        "readonly": False,
        "apiUri": "/api/v1",
        "previewToken": "public",
        "downloadToken": "public",
        "count": {},
        "settings": {"features": features(library, scope)},
    }
    if not known:
        return answer
    if not library.public:
        answer |= {"previewToken": library.preview_token, "downloadToken": library.download_token}
    answer["count"] = {
        "all": sum(photo.deleted is None for photo in photos),
        "archived": sum(photo.deleted is not None for photo in photos),
        "hidden": sum(photo.quality < 0 for photo in photos),
        "private": sum(photo.private for photo in photos),
        "review": sum(0 <= photo.quality < 3 for photo in photos),
    }
    return answer


@lru_cache(maxsize=256)
def picture(data: bytes, side: int) -> bytes | None:
    """A JPEG of at most this size, None of what is no picture."""
    try:
        opened = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    except OSError:
        return None
    opened.thumbnail((side, side))
    encoded = io.BytesIO()
    opened.save(encoded, "JPEG", quality=85)
    return encoded.getvalue()
