"""The cast of the catalogue's contract suite: two accounts, a clock that stands still, faces as numbers."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import Engine, event

from plugin.catalogue.opening import memory_engine
from plugin.catalogue.store import SqlCatalogue, open_catalogue
from plugin.domain import (
    Account,
    AccountId,
    Asset,
    AssetKind,
    AssignedBy,
    Box,
    FaceId,
    Float32Array,
    FoundFace,
    HostAsset,
    Library,
    PersonId,
    VerdictKind,
)

STORES = ("sqlite file", "sqlite memory")
"""The adapters the suite runs over; a PostgreSQL one would be a third name here and a third branch in `open_store`."""

PACK = "opencv"
LEFT, MIDDLE, RIGHT = Box(0.1, 0.1, 0.2, 0.2), Box(0.4, 0.1, 0.2, 0.2), Box(0.7, 0.1, 0.2, 0.2)


@dataclass
class Clock:
    """Stands still until it is moved."""

    time: datetime = datetime(2024, 5, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


def direction(number: int, dimension: int = 4) -> Float32Array:
    """Unit vectors at right angles for different numbers below `dimension`."""
    vector = np.zeros(dimension, dtype=np.float32)
    vector[number % dimension] = 1
    return vector


def found(
    box: Box = LEFT, embedding: Float32Array | None = None, quality: float = 0.5, frame_ms: int | None = None
) -> FoundFace:
    """A face as detection would find it."""
    return FoundFace(
        box=box,
        landmarks=np.linspace(0.1, 0.9, 10, dtype=np.float32).reshape(5, 2),
        score=0.9,
        quality=quality,
        embedding=direction(0) if embedding is None else embedding,
        norm=12.0,
        sharpness=100.0,
        pose=0.8,
        width_px=64.0,
        frame_ms=frame_ms,
    )


def listed(key: str, content: str = "", kind: AssetKind = AssetKind.PHOTO, **other: object) -> HostAsset:
    """An asset as a host would list it; the content is the key's own unless given."""
    return HostAsset(key, key, kind, content or f"content of {key}", **other)  # type: ignore[arg-type]  # a shorthand


@dataclass
class Cast:
    """A catalogue with an account, a library and a clock, and short words for what every test does."""

    catalogue: SqlCatalogue
    clock: Clock
    account: Account
    library: Library
    keys: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def me(self) -> AccountId:
        return self.account.id

    def stranger(self) -> Account:
        """Another account of the same catalogue."""
        return self.catalogue.accounts.by_name("nora") or self.catalogue.accounts.add("Nora", None, is_admin=False)

    def sync(self, *assets: HostAsset) -> list[Asset]:
        """One whole pass over the host."""
        sync_pass = self.catalogue.libraries.sync_started(self.library.id)
        seen = self.catalogue.assets.seen(self.library.id, assets, sync_pass)
        self.catalogue.assets.mark_gone(
            [asset.id for asset in self.catalogue.assets.unseen(self.library.id, sync_pass)]
        )
        self.catalogue.libraries.sync_finished(self.library.id, None)
        return [self.catalogue.assets.get(each.asset_id) for each in seen]

    def add(self, *assets: HostAsset, library: Library | None = None) -> list[Asset]:
        """Assets more, those already there untouched."""
        library = library or self.library
        sync_pass = self.catalogue.libraries.sync_started(library.id)
        seen = self.catalogue.assets.seen(library.id, assets, sync_pass)
        return [self.catalogue.assets.get(each.asset_id) for each in seen]

    def photo(
        self, *faces: FoundFace, taken_at: datetime | None = None, library: Library | None = None
    ) -> list[FaceId]:
        """A new photo with these faces on it; their ids."""
        (asset,) = self.add(listed(f"photo {next(self.keys)}.jpg"), library=library)
        return self.finish(asset, *faces, taken_at=taken_at)

    def finish(
        self, asset: Asset, *faces: FoundFace, pack: str = PACK, taken_at: datetime | None = None
    ) -> list[FaceId]:
        """Detection has looked at the asset."""
        return self.catalogue.detection.finish(asset, pack, faces, (4000, 3000), taken_at)

    def person(self, name: str = "", *faces: FaceId, by: AssignedBy = AssignedBy.MACHINE) -> PersonId:
        """A person with these faces."""
        person_id = self.catalogue.people.add(self.me, name)
        self.catalogue.faces.assign([(face, person_id) for face in faces], by)
        return person_id

    def say(self, kind: VerdictKind, face_id: FaceId | None = None, *persons: PersonId) -> None:
        """A verdict of the account."""
        first, second = (*persons, None, None)[:2]
        self.catalogue.verdicts.add(self.me, kind, face_id=face_id, person_id=first, other_person_id=second)

    def said(self) -> list[tuple[str, FaceId | None, PersonId | None, PersonId | None]]:
        """Every verdict that holds, without its id."""
        return [(v.kind.value, v.face_id, v.person_id, v.other_person_id) for v in self.catalogue.verdicts.all(self.me)]

    def who(self, faces: Sequence[FaceId]) -> list[PersonId | None]:
        """Who each face belongs to."""
        return [self.catalogue.faces.get(face).person_id for face in faces]


@contextmanager
def open_store(name: str, folder: Path) -> Iterator[Cast]:
    """A fresh catalogue of this kind with its cast."""
    clock = Clock()
    if name == "sqlite file":
        path = folder / "catalogue.db"
        path.write_bytes(_fresh_file())
        catalogue = open_catalogue(path, clock)
    else:
        catalogue = fresh_in_memory(clock)
    try:
        account = catalogue.accounts.all()[0]
        yield Cast(catalogue, clock, account, catalogue.libraries.add(account.id, "folder", "Photos", "/photos"))
    finally:
        catalogue.close()


def fresh_in_memory(clock: Callable[[], datetime] = Clock()) -> SqlCatalogue:  # noqa: B008, it is never moved
    """As `open_in_memory`, but what SQLAlchemy compiled for one test serves the next: most of the suite's time."""
    return SqlCatalogue(_memory_engine(), clock=clock)


@cache
def _memory_engine() -> Engine:
    engine = memory_engine()
    with engine.connect() as connection:
        content = connection.connection.driver_connection.serialize()  # type: ignore[union-attr]  # sqlite3's own
    # Closing a catalogue drops the only connection, and all data with it; the next one begins as the first did.
    engine.dispose()
    event.listen(engine, "connect", lambda driver_connection, _: driver_connection.deserialize(content))
    return engine


@cache
def _fresh_file() -> bytes:
    """Made once: running the migrations anew for every test would be most of the suite's time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.db"
        open_catalogue(path).close()
        return path.read_bytes()
