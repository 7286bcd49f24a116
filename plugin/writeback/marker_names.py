"""Names kept as markers, on any host that marks faces and knows people (PhotoPrism).

The host keeps people by name, no two by the same, and a marker belongs to one of them. `PersonLink` says which of them
is which person here, so that a rename is one request and both sides may spell a name in their own way.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from plugin.domain import Asset, Box, LibraryId
from plugin.errors import AnswerFailed, AssetGone, ChangedMeanwhile, WriteError, WriteRefused
from plugin.faces.boxes import iou
from plugin.ports.writing import (
    MarkedPhoto,
    Marker,
    MarkerHost,
    NameChanges,
    NamesThere,
    NameThere,
    PutName,
    Standing,
)
from plugin.ports.written import HostPeopleRows, NameKey, NameKind, PersonLink

log = logging.getLogger(__name__)

LONGEST_NAME = 160
"""What PhotoPrism takes (`form.Marker`)."""

SAME_MARKER_IOU = 0.3
"""Hosts draw their boxes wider or narrower than our detectors: 0.5 would take every other face for another one."""


class TakesOver(Protocol):
    """Takes over what users said on the host, before anything is decided about it (`taking_over`)."""

    def subjects(self, names: dict[str, str]) -> object:
        """How people are called there now."""
        ...

    def one(self, asset: Asset, photo: MarkedPhoto) -> object:
        """What is marked on a photo now."""
        ...


class MarkerNames:
    """A `NameKeeper` on markers. Made anew for each run.

    Args:
        host: of the library.
        people: who is who there.
        library_id: the library.
        taking: takes over what users said there.
    """

    kind = NameKind.MARKERS
    overlap = SAME_MARKER_IOU

    def __init__(self, host: MarkerHost, people: HostPeopleRows, library_id: LibraryId, taking: TakesOver) -> None:
        self._host = host
        self._people = people
        self._library_id = library_id
        self._taking = taking
        self._subjects: dict[str, str] = {}
        self._put_on: set[str] = set()

    def begin(self, *, removing: bool) -> None:
        """Rename people there whose name changed here; when all is taken back, give them their old names."""
        self._subjects = self._host.subjects()
        self._taking.subjects(dict(self._subjects))
        for link in self._people.links(self._library_id):
            there = self._subjects.get(link.subject)
            if there is None:
                self._people.forget(self._library_id, link.subject)
            elif there == link.there:
                wanted = (link.before or there) if removing else self._wanted(link)
                if there not in {wanted, self.said(wanted)}:
                    self._rename(link, wanted)
                elif link.aim:
                    self._people.agree(self._library_id, replace(link, aim=""))  # not wanted any more

    def _wanted(self, link: PersonLink) -> str:
        """What the host is to call somebody; as it does while nothing changed here."""
        return link.there if self.said(link.called) in {"", self.said(link.name)} else link.called

    def _rename(self, link: PersonLink, name: str) -> None:
        taken = {fold(there) for subject, there in self._subjects.items() if subject != link.subject}
        if fold(self.said(name)) in taken:
            # The host would make the two one, which nobody could undo: each marker is named anew instead.
            self._people.forget(self._library_id, link.subject)
            return
        # Noted first: the answer may get lost, and the new name must not be taken for somebody's word there.
        self._people.agree(self._library_id, replace(link, aim=name))
        try:
            there = self._host.rename_subject(link.subject, self.said(name))
        except (WriteError, AnswerFailed, AssetGone) as error:
            # One name the host does not take must not keep all others back; it is tried again with the next run.
            log.warning("A person could not be renamed on the host: %s", error.explanation)
            return
        self._subjects[link.subject] = there
        self._people.agree(self._library_id, replace(link, name=name, there=there, aim=""))

    def said(self, name: str) -> str:
        """Shortened to what the host takes."""
        return shortened(name)

    def mark(self, key: NameKey) -> str:  # noqa: ARG002  the port's signature
        """Only the host knows."""
        return ""

    def refuses(self, name: str) -> bool:  # noqa: ARG002  the port's signature
        """A marker can only be changed one by one."""
        return False

    def read(self, asset: Asset, path: str) -> NamesThere:
        """See `NameKeeper.read`. What was written under another path lies on a file the photo showed then."""
        photo = self._host.marked(asset.host_key)
        if path == asset.path:
            self._taking.one(asset, photo)
        else:
            photo = replace(photo, markers=photo.elsewhere)
        called = {link.subject: self.said(link.name) for link in self._people.links(self._library_id)}
        found = (self._there(marker, called) for marker in photo.markers)
        return NamesThere(tuple(name for name in found if name is not None), photo)

    def _there(self, marker: Marker, called: Mapping[str, str]) -> NameThere | None:
        name = called.get(marker.subject) or marker.name or self._subjects.get(marker.subject, "")
        there = NameThere(name, marker.box, marker.id, found=not marker.drawn)
        if not marker.invalid:
            if not name:
                return replace(there, standing=Standing.OPEN)
            return there if marker.by_hand else replace(there, standing=Standing.GUESSED)
        if not marker.drawn:
            return replace(there, name="", standing=Standing.DENIED)
        # Hosts do not delete markers: one that is drawn and invalid is one that was removed.
        return replace(there, standing=Standing.GOING) if name else None

    def write(
        self,
        asset: Asset,  # noqa: ARG002  the photo that was read says it
        path: str,  # noqa: ARG002  as above
        there: NamesThere,
        changes: NameChanges,
    ) -> Mapping[NameKey, str]:
        """See `NameKeeper.write`. A few calls for each name; what a kill leaves undone is found by reading again."""
        photo = there.seal
        if not isinstance(photo, MarkedPhoto):
            raise TypeError("not what was read")
        marks = self._put_all(photo, changes.put, {taken.mark for taken in changes.take})
        denied = {marks[put.key] for put in changes.put if not put.name}
        for taken in changes.take:
            if taken.mark not in marks.values() or taken.mark in denied:
                self._take(photo, taken, stays_denied=taken.mark in denied)
        return marks

    def finish(self, in_use: Collection[str]) -> None:
        """The host forgets people without markers by itself."""

    def _put_all(self, photo: MarkedPhoto, puts: Collection[PutName], ours: Collection[str]) -> dict[NameKey, str]:
        """One marker is one face: named twice, it would rename whoever it was named first, on every photo.

        The face that fits best chooses first.
        """
        marks: dict[NameKey, str] = {}
        kept = {put.mark for put in puts}
        for put in sorted(puts, key=lambda put: -_best_overlap(photo, put)):
            used = set(marks.values())
            free = [marker for marker in photo.markers if marker.id not in used]
            marks[put.key] = self._put(replace(photo, markers=tuple(free)), put, ours, kept)
            self._put_on.add(marks[put.key])
        return marks

    def _put(self, photo: MarkedPhoto, put: PutName, ours: Collection[str], kept: Collection[str]) -> str:
        if put.box is None:
            raise ValueError("a marker needs a box")
        marker = _of_id(photo.markers, put.mark) or self._reusable(photo, put, put.box, ours, kept)
        if not put.name:
            return self._deny(photo, marker)
        if not fold(put.name):
            raise WriteRefused("The host keeps no name without a letter or digit", "Give the person another name")
        named = self._named(photo, marker, put)
        if not named.subject:
            raise WriteRefused("The host did not take the name", "Give the person a simpler name")
        self._link(named, put)
        return named.id

    def _named(self, photo: MarkedPhoto, marker: Marker | None, put: PutName) -> Marker:
        if marker is None:
            return self._host.add_marker(photo.file, within(put.box), put.name, lambda: self._require_free(photo, put))
        # Naming it at once would rename whoever it belongs to.
        cleared = self._cleared(photo, marker) if marker.subject or marker.name else marker
        named = self._host.name_marker(marker.id, put.name, lambda: self._require(photo, cleared))
        return self._rejected(photo, named, rejected=False) if marker.invalid else named

    def _cleared(self, photo: MarkedPhoto, marker: Marker) -> Marker:
        self._host.clear_marker(marker.id, lambda: self._require(photo, marker))
        return replace(marker, subject="", name="")

    def _rejected(self, photo: MarkedPhoto, marker: Marker, *, rejected: bool) -> Marker:
        self._host.reject_marker(marker.id, lambda: self._require(photo, marker), rejected=rejected)
        return replace(marker, invalid=rejected)

    def _require_free(self, photo: MarkedPhoto, put: PutName) -> None:
        """Somebody there may have marked this face since it was read. Raises `ChangedMeanwhile`."""
        known = {marker.id for marker in photo.markers} | self._put_on
        there = (marker for marker in self._host.marked(photo.host_key).markers if marker.id not in known)
        if put.box is not None and any(iou(marker.box, put.box) > SAME_MARKER_IOU for marker in there):
            raise ChangedMeanwhile("Meanwhile somebody marked this face, so nothing was changed", "It is read again")

    def _require(self, photo: MarkedPhoto, marker: Marker) -> None:
        """Somebody there may have said something since it was read. Raises `ChangedMeanwhile`."""
        there = self._host.marked(photo.host_key)
        now = _of_id(there.markers + there.elsewhere, marker.id)
        if now is None or _said(now) != _said(marker):
            raise ChangedMeanwhile(
                "Meanwhile this face was given to somebody else, so nothing was changed", "It is read again"
            )

    def _deny(self, photo: MarkedPhoto, marker: Marker | None) -> str:
        if marker is None:
            return ""
        cleared = self._cleared(photo, marker) if marker.subject or marker.name else marker
        return self._rejected(photo, cleared, rejected=True).id

    def _take(self, photo: MarkedPhoto, taken: NameThere, *, stays_denied: bool) -> None:
        """As it was before: a face the host found has no name any more, one we drew is removed."""
        marker = _of_id(photo.markers, taken.mark)
        if marker is None or stays_denied:
            return
        if taken.standing is Standing.DENIED:
            self._rejected(photo, marker, rejected=False)
            return
        if marker.drawn and not marker.invalid:
            marker = self._rejected(photo, marker, rejected=True)
        self._cleared(photo, marker)

    def _reusable(
        self, photo: MarkedPhoto, put: PutName, box: Box, ours: Collection[str], kept: Collection[str]
    ) -> Marker | None:
        """The marker of this face that may get our word: nobody's, guessed, ours, or drawn and removed.

        None of `kept`, which other faces have already.
        """
        best: Marker | None = None
        for marker in photo.markers:
            if marker.id in kept:
                continue
            removed = marker.drawn and marker.invalid
            word = marker.by_hand and bool(marker.subject or marker.name)
            free = removed or (not marker.invalid and not word) or marker.id in ours
            fits = free and (bool(put.name) or not marker.drawn) and iou(marker.box, box) > SAME_MARKER_IOU
            if fits and (best is None or iou(marker.box, box) > iou(best.box, box)):
                best = marker
        return best

    def _link(self, named: Marker, put: PutName) -> None:
        """Remember who the host's person is, unless it is somebody's already."""
        linked = {link.subject for link in self._people.links(self._library_id)}
        if named.subject not in linked and put.key.person_id:
            before = self._subjects.get(named.subject, "")
            there = named.name or before or put.name
            link = PersonLink(named.subject, put.key.person_id, put.name, there, before)
            self._people.agree(self._library_id, link)
        self._subjects.setdefault(named.subject, named.name or put.name)


def shortened(name: str) -> str:
    """What hosts take of a name."""
    return name[:LONGEST_NAME].strip()


def fold(name: str) -> str:
    """What makes two names the same for a host: letters and digits."""
    return "".join(character for character in name.casefold() if character.isalnum())


def within(box: Box | None) -> Box:
    """Cut to the picture; not in its very corner, where older hosts take a marker for an empty one."""
    if box is None:
        raise ValueError("a marker needs a box")
    x, y = (min(max(start, 0.0001), 0.999) for start in (box.x, box.y))
    w, h = min(box.x + box.w, 1.0) - x, min(box.y + box.h, 1.0) - y
    return Box(x, y, max(w, 0.001), max(h, 0.001))


def _best_overlap(photo: MarkedPhoto, put: PutName) -> float:
    box = put.box
    return max((iou(marker.box, box) for marker in photo.markers), default=0.0) if box is not None else 0.0


def _said(marker: Marker) -> tuple[str, bool]:
    """Whose it is and whether it is one. How somebody is called does not matter, nor how the host spells it here."""
    return marker.subject or marker.name, marker.invalid


def _of_id(markers: Iterable[Marker], marker_id: str) -> Marker | None:
    return next((marker for marker in markers if marker_id and marker.id == marker_id), None)
