"""People and photos as the grids show them: the row and the address of its picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from plugin.domain import Asset, Face, FaceId, Person
from plugin.web.pictures import TILE, face_url, preview_url
from plugin.web.request_context import services


@dataclass(frozen=True, slots=True)
class PersonTile:
    """A person and the address of their face, "" when there is none."""

    person: Person
    picture: str


@dataclass(frozen=True, slots=True)
class FaceTile:
    """A face and the address of its thumbnail."""

    face: Face
    picture: str


@dataclass(frozen=True, slots=True)
class PhotoTile:
    """A photo and the address of its preview."""

    asset: Asset
    picture: str

    @property
    def described(self) -> str:
        """What a screen reader says: the file's own name."""
        return self.asset.path.rsplit("/", 1)[-1]


def person_tiles(people: Sequence[Person]) -> list[PersonTile]:
    """Tiles for one page of people, with one query for all faces."""
    featured = [person.feature_face_id for person in people if person.feature_face_id is not None]
    faces = {face.id: face for face in services().catalogue.faces.many(featured)}
    return [PersonTile(person, picture_of(person, faces)) for person in people]


def face_tiles(groups: Sequence[Sequence[FaceId]]) -> list[list[FaceTile]]:
    """Tiles for several groups of faces, each in its order, with one query; faces that are gone are left out."""
    wanted = [face_id for group in groups for face_id in group]
    tiles = {face.id: FaceTile(face, face_url(face)) for face in services().catalogue.faces.many(wanted)}
    return [[tiles[face_id] for face_id in group if face_id in tiles] for group in groups]


def picture_of(person: Person, known: dict[int, Face]) -> str:
    """The address of the face that stands for a person, "" where there is none (or it went this very moment)."""
    chosen = known.get(person.feature_face_id) if person.feature_face_id is not None else None
    return face_url(chosen) if chosen else ""


def photo_tiles(assets: Sequence[Asset]) -> list[PhotoTile]:
    """Tiles for photos."""
    return [PhotoTile(asset, preview_url(asset, TILE)) for asset in assets]
