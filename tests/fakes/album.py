"""A catalogue in memory with hand-made faces: what detection would have stored, without any picture."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from plugin.catalogue.store import SqlCatalogue, open_in_memory
from plugin.domain import (
    Account,
    AssetKind,
    Box,
    FaceId,
    FaceState,
    Float32Array,
    FoundFace,
    HostAsset,
    Library,
    LibraryId,
    Neighbour,
    PersonId,
    Preferences,
)
from plugin.errors import SearchIndexDamaged
from plugin.index.exact import ExactIndex

PACK = "opencv"


def at_degrees(degrees: float) -> Float32Array:
    """An embedding on a circle: two faces 60 degrees apart are at cosine distance 0.5."""
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))], dtype=np.float32)


def found_face(embedding: Float32Array, quality: float = 0.5) -> FoundFace:
    """A face as detection reports it; only embedding and quality matter here."""
    return FoundFace(
        box=Box(0.4, 0.4, 0.2, 0.2),
        landmarks=np.zeros((5, 2), dtype=np.float32),
        score=0.9,
        quality=quality,
        embedding=embedding,
        norm=10.0,
        sharpness=100.0,
        pose=0.9,
        width_px=100.0,
    )


class NudgeLog:
    """`Nudge` that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def sync(self, library_id: LibraryId) -> None:
        self.told.append(f"sync {library_id}")

    def named(self, library_id: LibraryId, host_keys: Sequence[str]) -> None:
        self.told.append(f"named {library_id}: {' '.join(host_keys)}")

    def detection(self) -> None:
        self.told.append("detection")

    def recognition(self) -> None:
        self.told.append("recognition")

    def model(self) -> None:
        self.told.append("model")

    def writeback(self) -> None:
        self.told.append("writeback")


class DamagedIndex(ExactIndex):
    """An index that cannot answer."""

    def nearest(self, pack: str, embedding: Float32Array, count: int) -> list[Neighbour]:
        raise SearchIndexDamaged("The index is damaged", "It is rebuilt")


class Album:
    """Anna's account with one library; faces come one per photo, in the order given."""

    def __init__(self, catalogue: SqlCatalogue | None = None) -> None:
        self.catalogue: SqlCatalogue = catalogue or open_in_memory()
        self.index = ExactIndex()
        self.account: Account = self.catalogue.accounts.add("Anna", None, is_admin=True)
        self.library: Library = self.add_library(self.account)
        self.preferences = Preferences(
            PACK, minimum_score=0.6, maximum_distance=0.5, minimum_faces=3, linking=1.08, method="immich"
        )
        self._photos = 0

    def add_library(self, account: Account) -> Library:
        return self.catalogue.libraries.add(account.id, "folder", "Photos", f"/photos/of/{account.name}")

    def add(
        self,
        *degrees: float,
        taken_at: datetime | None = None,
        library: Library | None = None,
        pack: str = PACK,
        indexed: bool = True,
    ) -> list[FaceId]:
        """One photo with one face for each angle."""
        photos = [[at_degrees(angle)] for angle in degrees]
        return self._store(photos, taken_at=taken_at, library=library or self.library, pack=pack, indexed=indexed)

    def add_photo(
        self,
        embeddings: Sequence[Float32Array],
        *,
        taken_at: datetime | None = None,
        library: Library | None = None,
        indexed: bool = True,
        quality: float = 0.8,
    ) -> list[FaceId]:
        """One photo with all of these faces, side by side."""
        library = library or self.library
        return self._store(
            [embeddings], taken_at=taken_at, library=library, pack=PACK, indexed=indexed, quality=quality
        )

    def _store(
        self,
        photos: Sequence[Sequence[Float32Array]],
        *,
        taken_at: datetime | None,
        library: Library,
        pack: str,
        indexed: bool,
        quality: float = 0.8,
    ) -> list[FaceId]:
        names = [f"{self._photos + number:05}.jpg" for number in range(len(photos))]
        self._photos += len(photos)
        listed = [HostAsset(name, name, AssetKind.PHOTO, f"content of {name}") for name in names]
        self.catalogue.assets.seen(library.id, listed, self.catalogue.libraries.sync_started(library.id))
        assets = {asset.host_key: asset for asset in self.catalogue.detection.claim("test", len(photos), 60)}
        ids: list[FaceId] = []
        for name, embeddings in zip(names, photos, strict=True):
            width = 1 / len(embeddings)
            faces = [
                replace(found_face(embedding), box=Box(place * width, 0.4, width / 2, 0.2), quality=quality)
                for place, embedding in enumerate(embeddings)
            ]
            ids += self.catalogue.detection.finish(assets[name], pack, faces, (1000, 1000), taken_at)
        if indexed:
            self.index_all(pack)
        return ids

    def index_all(self, pack: str = PACK) -> None:
        """What `Indexing.catch_up` does."""
        ids, embeddings = self.catalogue.index_state.to_add(pack, 100_000)
        if ids:
            self.index.add(pack, ids, embeddings)
            self.catalogue.index_state.added(pack, ids)

    def remove_photo(self, face_id: FaceId) -> None:
        """The photo of this face goes missing on the host."""
        self.catalogue.assets.mark_gone([self.catalogue.faces.get(face_id).asset_id])

    def persons(self, face_ids: Sequence[FaceId]) -> list[PersonId | None]:
        """Who these faces belong to."""
        return [self.catalogue.faces.get(face_id).person_id for face_id in face_ids]

    def states(self, face_ids: Sequence[FaceId]) -> list[FaceState]:
        """Where these faces stand."""
        return [self.catalogue.faces.get(face_id).state for face_id in face_ids]

    def groups(self, face_ids: Sequence[FaceId]) -> list[list[int]]:
        """Which places of the list belong together, whatever the persons' ids; unassigned faces are in none."""
        together: dict[PersonId, list[int]] = {}
        for place, person in enumerate(self.persons(face_ids)):
            if person is not None:
                together.setdefault(person, []).append(place)
        return sorted(together.values())


def at(year: int, month: int = 1, day: int = 1) -> datetime:
    """Noon of a day, as cameras tell time: without a zone."""
    return datetime(year, month, day, 12, tzinfo=UTC).replace(tzinfo=None)
