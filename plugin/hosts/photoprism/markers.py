"""Markers and people ("subjects") of PhotoPrism: who is where on a photo (`internal/api/markers.go`, `subjects.go`).

Naming a marker that belongs to somebody renames that person at PhotoPrism, so names are taken off first. Markers cannot
be deleted there; an invalid one is not shown.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from plugin.domain import Box
from plugin.errors import AssetGone, HostBusy
from plugin.hosts.network.texts import storable
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.ports.writing import Check, MarkedPhoto, Marker

MARKER = re.compile(r"m[a-z0-9]{15}")
SUBJECT = re.compile(r"j[a-z0-9]{15}")
FILE = re.compile(r"f[a-z0-9]{15}")

MANUAL = "manual"

PAGE = 1000

MOST_PEOPLE = 100_000

LEAST_INSIDE = 0.5
"""Of a marker's area: one that lies mostly outside the picture is a mistake."""


class Markers:
    """The markers one login may see and change."""

    def __init__(self, client: PhotoPrismClient) -> None:
        self._client = client

    def subjects(self) -> dict[str, str]:
        """The name of every person by id, hidden ones too."""
        return {row["UID"]: text(row.get("Name")) for row in self._people()}

    def mark(self) -> str:
        """A digest of who there is, and on how many files."""
        rows = sorted((row["UID"], text(row.get("Name")), str(row.get("FileCount"))) for row in self._people())
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]

    def _people(self) -> list[Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for offset in range(0, MOST_PEOPLE, PAGE):
            rows = self._client.get("/subjects", count=str(PAGE), offset=str(offset), hidden="yes")
            if not isinstance(rows, list):
                raise self._client.strange_answer()
            found |= {row["UID"]: row for row in rows if _is_person(row)}
            if len(rows) < PAGE:
                break
        return list(found.values())

    def add(self, file: str, box: Box, name: str, check: Check) -> Marker:
        """A new one. Not sent again unless it was put off: PhotoPrism would make two."""
        said = {
            "FileUID": file, "Type": "face", "Src": MANUAL, "X": box.x, "Y": box.y, "W": box.w, "H": box.h,
            "Name": name, "SubjSrc": MANUAL,
        }  # fmt: skip
        return self._one(self._checked("POST", "/markers", said, check))

    def reject(self, marker_id: str, check: Check, *, rejected: bool) -> None:
        """Say that it is no face, or one after all. Raises `AssetGone`, `WriteRefused`."""
        self._checked("PUT", self._way(marker_id), {"Invalid": rejected}, check)

    def name(self, marker_id: str, name: str, check: Check) -> Marker:
        """Say who it is."""
        return self._one(self._checked("PUT", self._way(marker_id), {"Name": name, "SubjSrc": MANUAL}, check))

    def clear(self, marker_id: str, check: Check) -> None:
        """Take the name off."""
        self._checked("DELETE", f"{self._way(marker_id)}/subject", None, check)

    def _checked(self, method: str, way: str, said: object, check: Check) -> object:
        """With a check before each time it is sent: a wait is long enough for somebody there."""
        for tries_left in reversed(range(self._client.limits.tries)):
            check()
            try:
                return self._client.send(method, way, said, tries=1)
            except HostBusy as error:
                if not tries_left or (method == "POST" and not error.put_off) or not self._client.waited(error):
                    raise
        raise AssertionError("unreachable")

    def rename(self, subject: str, name: str) -> str:
        """Rename a person; as PhotoPrism keeps it."""
        if not SUBJECT.fullmatch(subject):
            raise AssetGone("There is no such person")
        answer = self._client.send("PUT", f"/subjects/{subject}", {"Name": name})
        return (text(answer.get("Name")) if isinstance(answer, Mapping) else "") or name

    def _way(self, marker_id: str) -> str:
        if not MARKER.fullmatch(marker_id):
            raise AssetGone("There is no such marker")
        return f"/markers/{marker_id}"

    def _one(self, answer: object) -> Marker:
        found = marker_of(answer) if isinstance(answer, Mapping) else None
        if found is None:
            raise self._client.strange_answer()
        return found


def marked_photo(uid: str, file: Mapping[str, Any], others: Iterable[Mapping[str, Any]] = ()) -> MarkedPhoto | None:
    """The markers of a photo, from its primary file in a listing; None where nothing could be marked."""
    if not FILE.fullmatch(text(file.get("UID"))):
        return None
    found, unusable = _markers_of(file)
    elsewhere = tuple(marker for other in others for marker in _markers_of(other)[0])
    return MarkedPhoto(uid, str(file["UID"]), found, unusable, elsewhere)


def _markers_of(file: Mapping[str, Any]) -> tuple[tuple[Marker, ...], int]:
    """(markers of a file, how many more cannot be used)."""
    told = file.get("Markers")
    rows = [row for row in told if isinstance(row, Mapping)] if isinstance(told, list) else []
    faces = [row for row in rows if row.get("Type") == "face"]
    found = [marker for row in faces if (marker := marker_of(row)) is not None]
    return tuple({marker.id: marker for marker in found}.values()), len(faces) - len(found)


def marker_of(row: Mapping[str, Any]) -> Marker | None:
    """A marker of an answer; None for one that has no name of its own or lies outside the picture."""
    marker_id, box = text(row.get("UID")), inside(*(row.get(side, 0) for side in ("X", "Y", "W", "H")))
    if box is None or not MARKER.fullmatch(marker_id):
        return None
    subject = text(row.get("SubjUID"))
    return Marker(
        id=marker_id,
        box=box,
        subject=subject if SUBJECT.fullmatch(subject) else "",
        name=text(row.get("Name")),
        by_hand=row.get("SubjSrc") == MANUAL,
        drawn=row.get("Src") == MANUAL,
        invalid=row.get("Invalid") is True,
    )


def inside(*sides: object) -> Box | None:
    """The part of a box that lies in the picture; None for what is no box, or lies mostly outside."""
    try:
        x, y, w, h = (float(side) for side in sides if isinstance(side, int | float))
    except (ValueError, OverflowError):  # others than four, or more than any number
        return None
    if not all(map(math.isfinite, (x, y, w, h))) or w <= 0 or h <= 0:
        return None
    left, top = max(x, 0.0), max(y, 0.0)
    right, bottom = min(x + w, 1.0), min(y + h, 1.0)
    if right <= left or bottom <= top or (right - left) * (bottom - top) < LEAST_INSIDE * w * h:
        return None
    return Box(left, top, right - left, bottom - top)


def text(value: object) -> str:
    """Not longer than any name; "" for what is no text."""
    return storable(value)[:1000]


def _is_person(row: object) -> bool:
    if not isinstance(row, Mapping) or not isinstance(row.get("UID"), str):
        return False
    return bool(SUBJECT.fullmatch(row["UID"])) and row.get("Type", "person") == "person"
