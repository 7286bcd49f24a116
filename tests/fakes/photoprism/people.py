"""Markers and people, as `entity.Marker` and `entity.Subject` keep them: names are unique, who has no marker goes."""

from dataclasses import dataclass
from typing import Any

MANUAL = "manual"


class Unable(Exception):
    """What PhotoPrism answers with 400."""


@dataclass
class FakeMarker:
    uid: str
    file_uid: str
    box: tuple[float, float, float, float]
    src: str = "image"
    name: str = ""
    subj_uid: str = ""
    subj_src: str = ""
    invalid: bool = False

    @property
    def is_shown(self) -> bool:
        return not self.invalid


class FakePeople:
    """Attributes: subjects: name by UID. markers: by UID. lingers: who has no marker stays until `purge`."""

    lingers = False

    def __init__(self) -> None:
        self.subjects: dict[str, str] = {}
        self.markers: dict[str, FakeMarker] = {}
        self._made = 0

    def of_file(self, file_uid: str) -> list[FakeMarker]:
        return [marker for marker in self.markers.values() if marker.file_uid == file_uid]

    def named(self, file_uid: str) -> list[str]:
        """Who is shown on a file, by the names of subjects."""
        shown = [marker for marker in self.of_file(file_uid) if marker.is_shown and marker.subj_uid]
        return sorted(self.subjects[marker.subj_uid] for marker in shown)

    def detect(self, file_uid: str, box: tuple[float, float, float, float], guess: str = "") -> FakeMarker:
        """PhotoPrism's own recognition finds a face, and may guess who it is."""
        marker = self._add(FakeMarker(self._uid("m"), file_uid, box))
        if guess:
            marker.subj_uid, marker.subj_src, marker.name = self._subject(guess), "", guess
        return marker

    def create(self, form: dict[str, Any]) -> FakeMarker:
        box = (form["X"], form["Y"], form["W"], form["H"])
        if any(not 0 <= side <= 1 for side in box) or 0 in box[2:] or len(form.get("Name", "")) > 160:
            raise Unable
        marker = self._add(FakeMarker(self._uid("m"), form["FileUID"], box, form.get("Src", MANUAL)))
        self._set_name(marker, form.get("Name", ""), form.get("SubjSrc", ""))
        return marker

    def update(self, uid: str, form: dict[str, Any]) -> FakeMarker:
        marker = self.markers[uid]
        if len(form.get("Name", "")) > 160:
            raise Unable
        marker.invalid = form.get("Invalid", marker.invalid)
        self._set_name(marker, form.get("Name", marker.name), form.get("SubjSrc", marker.subj_src))
        return marker

    def clear(self, uid: str) -> FakeMarker:
        marker = self.markers[uid]
        marker.name, marker.subj_uid, marker.subj_src = "", "", MANUAL
        self._forget_orphans()
        return marker

    def rename(self, subject: str, name: str) -> str:
        """As `Subject.UpdateName`: somebody else of that name and this one become one. Returns who it is then."""
        name = self.cleaned(name)
        other = self.find(name)
        if other is not None and other != subject:
            for marker in self.markers.values():
                if marker.subj_uid == subject:
                    marker.subj_uid = other
            del self.subjects[subject]
            subject = other
        else:
            self.subjects[subject] = name
        for marker in self.markers.values():
            if marker.subj_uid == subject and marker.subj_src:
                marker.name = self.subjects[subject]
        return subject

    def find(self, name: str) -> str | None:
        same = (uid for uid, known in self.subjects.items() if known.casefold() == name.casefold())
        return next(same, None)

    @staticmethod
    def cleaned(name: str) -> str:
        """As `clean.Name`: characters that could be code are left out."""
        return " ".join("".join(character for character in name if character not in '"$%\\*:|+<>?`=').split())

    def _set_name(self, marker: FakeMarker, name: str, src: str) -> None:
        name = self.cleaned(name)
        if src != MANUAL or not name or marker.name == name:
            return
        marker.name, marker.subj_src = name, src
        if marker.subj_uid:
            marker.subj_uid = self.rename(marker.subj_uid, name)
        else:
            marker.subj_uid = self._subject(name)
        marker.name = self.subjects[marker.subj_uid]

    def _subject(self, name: str) -> str:
        known = self.find(name)
        if known is None:
            known = self._uid("j")
            self.subjects[known] = self.cleaned(name)
        return known

    def _forget_orphans(self) -> None:
        if not self.lingers:
            self.purge()

    def purge(self) -> None:
        """As the background worker does it: people without a marker go."""
        used = {marker.subj_uid for marker in self.markers.values()}
        self.subjects = {uid: name for uid, name in self.subjects.items() if uid in used}

    def _add(self, marker: FakeMarker) -> FakeMarker:
        self.markers[marker.uid] = marker
        return marker

    def _uid(self, kind: str) -> str:
        self._made += 1
        return f"{kind}s{self._made:014}"
