"""What one marker of a host says about a face of ours: whom it is about, whose word it is, and what is new in it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from plugin.domain import Asset, AssignedBy, Face, FaceId, FaceState, PersonId
from plugin.faces.boxes import iou, match_boxes
from plugin.ports.writing import Marker
from plugin.ports.written import GUESS, PersonLink, WrittenName, WrittenState
from plugin.writeback.marker_names import SAME_MARKER_IOU, shortened

NO_FACE = "!"
"""What is remembered of a marker somebody called no face; "" is one without a name, else it is a subject."""


@dataclass(slots=True)
class Taken:
    """What was taken over, and what not.

    Attributes:
        named, renamed, taken_back: faces, people, faces.
        kept: users of Kinfolk said otherwise.
        faceless: no face was found there.
        unclear: several people have the name, or it cannot be one.
        unusable: markers outside the picture.
    """

    named: int = 0
    renamed: int = 0
    taken_back: int = 0
    kept: int = 0
    faceless: int = 0
    unclear: int = 0
    unusable: int = 0

    @property
    def anything(self) -> bool:
        """Whether anything is another than before."""
        return bool(self.named or self.renamed or self.taken_back)

    def add(self, more: "Taken") -> None:
        """Count this, too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(more, name))


@dataclass(slots=True)
class News:
    """What markers of one look say about faces.

    Attributes:
        names: of subjects, as markers say them.
        unclear: subjects nothing was taken over of; their markers are looked at again.
    """

    named: dict[str, list[FaceId]] = field(default_factory=dict)
    not_them: dict[PersonId, list[FaceId]] = field(default_factory=dict)
    nobody: list[FaceId] = field(default_factory=list)
    guesses: dict[FaceId, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    unclear: set[str] = field(default_factory=set)
    seen: list[tuple[Asset, dict[str, str]]] = field(default_factory=list)


def matched(
    markers: Sequence[Marker], new: Collection[str], faces: Sequence[Face], own: Mapping[str, FaceId]
) -> dict[str, Face]:
    """Which face each marker is about, by id.

    Markers that were looked at before keep others from their faces. Where somebody named a face anew, the one that says
    "no face" only gets what is left; what was removed long ago gets nothing. `own` are the faces our own markers were
    written for: of such a face "no face" counts though the host finds it again, be its box the better one.
    """
    found: dict[str, Face] = {}
    free = list(faces)
    words = [marker.box for marker in markers if marker.by_hand and marker.subject and not marker.invalid]
    current = [marker for marker in markers if not marker.invalid or marker.id in new]
    late = {one.id for one in current if one.invalid and any(iou(one.box, box) > SAME_MARKER_IOU for box in words)}
    for some in ([one for one in current if one.id not in late], [one for one in current if one.id in late]):
        matches = match_boxes([face.box for face in free], [marker.box for marker in some], SAME_MARKER_IOU)
        pairs = zip(some, matches, strict=True)
        found |= {marker.id: free[match] for marker, match in pairs if match is not None}
        taken = {face.id for face in found.values()}
        free = [face for face in free if face.id not in taken]
    for marker in (one for one in current if one.invalid and one.id not in found):
        holder = next(
            (other for other in current if other.id in found and found[other.id].id == own.get(marker.id)), None
        )
        if holder is not None and not (holder.by_hand and holder.subject):
            found[marker.id] = found.pop(holder.id)
    return found


def word(marker: Marker) -> str:
    """What somebody says with a marker, or what the host guesses."""
    if marker.invalid:
        return NO_FACE
    return marker.subject if marker.by_hand or not marker.subject else GUESS + marker.subject


@dataclass(frozen=True, slots=True)
class MarkedFace:
    """One marker that says something new, the face it is about, and what it said before (None: never looked at)."""

    marker: Marker
    face: Face | None
    before: str | None
    written: Sequence[WrittenName]
    links: dict[str, PersonId]
    denied: Callable[[Marker, Face, PersonId | None], bool]

    def _mine(self) -> WrittenName | None:
        return next((row for row in self.written if row.mark == self.marker.id), None)

    def reached(self) -> PersonLink | None:
        """Whom our name here stands for, be it written or about to be; `subject` is left to be filled in."""
        for row in self.written:
            box, name = (row.aim.box, row.aim.name) if row.aim is not None else (row.box, row.name)
            here = box is not None and iou(box, self.marker.box) > SAME_MARKER_IOU
            if here and name and row.key.person_id and row.mark in {"", self.marker.id}:
                return PersonLink("", row.key.person_id, name, "")
        return None

    def is_ours(self, called: Mapping[str, str]) -> bool:
        """Whether it says what we wrote, or a write of ours there was cut off: the next run finds out."""
        mine = self._mine()
        pending = (row.aim.box for row in self.written if row.aim is not None)
        if any(box is not None and iou(box, self.marker.box) > SAME_MARKER_IOU for box in pending):
            return True
        if mine is None or mine.state is not WrittenState.WRITTEN:
            return False
        if mine.aim is not None:
            return True
        if not mine.name:
            return self.marker.invalid
        says = called.get(self.marker.subject, self.marker.name)
        return not self.marker.invalid and shortened(says) == shortened(mine.name)

    def note(self, news: News, taken: Taken) -> None:
        """Put it where it belongs, if it says anything about a face of ours."""
        mine, said, face = self._mine(), word(self.marker), self.face
        if face is not None:
            news.guesses[face.id] = said.removeprefix(GUESS) if said.startswith(GUESS) else ""
        said = "" if said.startswith(GUESS) else said
        changed = self.before is not None or mine is not None
        if face is None or (not changed and not (self.marker.subject and said == self.marker.subject)):
            return
        if said == NO_FACE:
            if face.state is not FaceState.IGNORED:
                news.nobody.append(face.id)
        elif said:
            if not changed and self._said_otherwise(face):
                taken.kept += 1
            else:
                news.named.setdefault(said, []).append(face.id)
                news.names.setdefault(said, self.marker.name)
        else:
            person_id = mine.key.person_id if mine is not None else self.links.get(self.before or "")
            if person_id and face.person_id == person_id:
                news.not_them.setdefault(person_id, []).append(face.id)

    def _said_otherwise(self, face: Face) -> bool:
        """Whether users of Kinfolk said already who it is."""
        if face.state is FaceState.IGNORED:
            return True
        linked = self.links.get(self.marker.subject)
        named = face.assigned_by is AssignedBy.USER and face.person_id is not None and face.person_id != linked
        return named or self.denied(self.marker, face, linked)
