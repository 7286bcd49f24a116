"""Generated catalogues of any size: who is on which photo over twenty years, as a family's library might look.

Written by bulk inserts, since 200,000 faces through the steps would take an hour. Embeddings lie around a centre for
each person and each group of nobody; how real faces lie is in `benchmarks.crowds`, and no page depends on it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, insert, text

from plugin.catalogue.counting import refresh_people
from plugin.catalogue.migrations import REVISIONS
from plugin.catalogue.names import name_key, searchable
from plugin.catalogue.opening import open_engine
from plugin.catalogue.tables import (
    asset,
    embedding,
    event,
    event_change,
    face,
    intake_problem,
    library,
    person,
    verdict,
)
from plugin.catalogue.transactions import WRITES

DIMENSION = 128
PACK = "opencv"
ROWS = 10_000

ASSIGNED, UNASSIGNED, IGNORED, PENDING = 0.60, 0.25, 0.10, 0.05
"""Shares of faces by state."""

LARGEST = 0.05
"""Share of all faces that each of the three most frequent people has: 10,000 of 200,000."""

GROUP = 4
"""Faces of nobody that are alike, on average."""

FIRST = datetime(2005, 1, 1)  # noqa: DTZ001, the camera's local time, naive as everywhere in the product
YEARS = 20

GIVEN = ("Anna", "Ben", "Clara", "Élodie", "Gül", "Igor", "José", "Käthe", "Maria", "Noah", "Sofía", "Zoë")
FAMILY = ("Bauer", "Çelik", "Dupont", "García", "Huber", "Ivanova", "Novák", "Okafor", "Quist", "Ünal", "Vogel")


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    assets: int = 100_000
    faces: int = 200_000
    people: int = 3_000

    @property
    def name(self) -> str:
        """A file name that changes with the size and with the schema."""
        return f"library-{self.assets}-{self.faces}-{self.people}-{REVISIONS[-1]}.db"

    def times(self, factor: float) -> "Size":
        """The same library, larger or smaller."""
        return Size(**{key: max(1, round(factor * value)) for key, value in asdict(self).items()})


def generated(folder: Path, size: Size, seed: int = 7) -> Path:
    """The catalogue of this size in `folder`, made at the first time; its first account is `admin`, id 1."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / size.name
    if path.exists():
        return path
    part = path.with_name(f"part-{path.name}")
    for ending in ("", "-wal", "-shm"):
        part.with_name(f"{part.name}{ending}").unlink(missing_ok=True)
    engine = open_engine(part, before_migration=lambda: None)
    with engine.connect() as connection:
        connection.execution_options(**{WRITES: True})
        with connection.begin():
            fill(connection, size, np.random.default_rng(seed))
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    engine.dispose()
    part.rename(path)
    return path


def fill(connection: Connection, size: Size, random: np.random.Generator, account_id: int = 1) -> None:
    """Write the whole library into an empty catalogue."""
    # Cheaper than looking at 500,000 references, all of which are made here.
    connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    values = {"account_id": account_id, "host": "folder", "name": "Family photos", "address": "/photos/family"}
    now = datetime.now(UTC)
    connection.execute(insert(library).values(id=1, **values, sync_pass=1, last_sync_at=now))
    _write(connection, asset, _assets(size, random, account_id))
    _write(connection, person, _people(size, random, account_id))
    _write(connection, face, _faces(size, random, account_id))
    _write(connection, embedding, _embeddings(connection, random))
    connection.execute(text(FEATURED))
    _write(connection, verdict, _verdicts(connection, account_id, now))
    _write(connection, event, _events(account_id, now))
    _write(connection, event_change, _event_changes())
    _write(connection, intake_problem, _problems(size))
    # A transaction of the catalogue does so by itself.
    refresh_people(connection)


FEATURED = """UPDATE person SET
  typical_face_id = CASE WHEN id % 10 THEN (SELECT min(id) FROM face WHERE person_id = person.id) END,
  feature_face_id = CASE WHEN id % 4 = 0 THEN (SELECT max(id) FROM face WHERE person_id = person.id) END"""


def person_sizes(size: Size) -> list[int]:
    """How many assigned faces each person has, most first: three of the largest, then Zipf, at least one."""
    faces = round(ASSIGNED * size.faces)
    largest = [min(round(LARGEST * size.faces), max(1, faces // 6))] * min(3, size.people)
    others = size.people - len(largest)
    weight = 1 / np.arange(4, 4 + others)
    rest = np.maximum(1, (weight / weight.sum() * (faces - sum(largest))).astype(int)) if others else np.zeros(0, int)
    return largest + rest.tolist()


def _write(connection: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    block: list[dict[str, Any]] = []
    for row in rows:
        block.append(row)
        if len(block) == ROWS:
            connection.execute(insert(table), block)
            block.clear()
    if block:
        connection.execute(insert(table), block)


def _looked_at(size: Size) -> int:
    """Assets with these ids and lower have been through detection."""
    return max(1, round(0.97 * size.assets))


def _assets(size: Size, random: np.random.Generator, account_id: int) -> Iterator[dict[str, Any]]:
    minutes = random.integers(0, YEARS * 365 * 24 * 60, size.assets).tolist()
    for i, minute in enumerate(minutes, 1):
        taken = FIRST + timedelta(minutes=minute)
        waiting, failed = i > _looked_at(size), i % 100 == 1
        state = "pending" if waiting else "failed" if failed else "done"
        path = f"{taken:%Y/%m}/IMG_{i:06d}.jpg"
        yield {
            "id": i,
            "library_id": 1,
            "account_id": account_id,
            "host_key": path,
            "path": path,
            "kind": "video" if i % 50 == 0 else "photo",
            "content_key": f"content-{i}",
            "change_key": f"change-{i}",
            "size_bytes": 3_000_000,
            "taken_at": None if i % 200 == 3 else taken,
            "width": 4000,
            "height": 3000,
            "gone": i % 100 == 7,
            "seen_pass": 1,
            "state": state,
            "attempts": int(failed),
            "error_code": ("picture_broken", "picture_too_big", "format_unknown")[i % 3] if state == "failed" else None,
            "error_message": "The file ends too early" if state == "failed" else None,
            "detected_at": None if waiting else FIRST.replace(tzinfo=UTC) + timedelta(days=365 * YEARS),
            "detected_pack": None if waiting else PACK,
        }


def _people(size: Size, random: np.random.Generator, account_id: int) -> Iterator[dict[str, Any]]:
    for i in range(1, size.people + 1):
        name = f"{GIVEN[random.integers(len(GIVEN))]} {FAMILY[random.integers(len(FAMILY))]}" if i % 2 else ""
        yield {
            "id": i,
            "account_id": account_id,
            "name": name,
            "name_key": name_key(name),
            "search_words": searchable(name),
            "birth_date": date(1950 + i % 60, 1 + i % 12, 1 + i % 28) if name and i % 3 else None,
            "hidden": i % 100 == 50,
            "favourite": i % 200 == 1,
        }


def _faces(size: Size, random: np.random.Generator, account_id: int) -> Iterator[dict[str, Any]]:
    sizes = person_sizes(size)
    owner = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    rest = max(0, size.faces - len(owner))
    others = [round(rest * share / (1 - ASSIGNED)) for share in (UNASSIGNED, IGNORED)]
    states = np.repeat([0, 1, 2, 3], [len(owner), others[0], others[1], rest - sum(others)])
    order = random.permutation(len(states))
    person_of = np.concatenate([owner, np.zeros(len(states) - len(owner), dtype=owner.dtype)])[order].tolist()
    assets = random.integers(1, _looked_at(size) + 1, len(states)).tolist()
    places = random.uniform(0.05, 0.7, (len(states), 2)).round(5).tolist()
    qualities = random.uniform(0.1, 1, len(states)).round(4).tolist()
    landmarks = np.linspace(0.1, 0.9, 10, dtype="<f4").tobytes()
    groups: list[int] = []
    recognised = FIRST.replace(tzinfo=UTC) + timedelta(days=365 * YEARS)
    for i, state in enumerate(states[order].tolist(), 1):
        group = None
        if state == 1 and i % 3:  # two thirds of the faces of nobody are like others
            if not groups or random.random() < 1 / GROUP:
                groups.append(i)
            group = groups[int(random.integers(len(groups)))]
        yield {
            "id": i,
            "asset_id": assets[i - 1],
            "account_id": account_id,
            "source": "machine",
            "x": places[i - 1][0],
            "y": places[i - 1][1],
            "w": 0.12,
            "h": 0.16,
            "landmarks": landmarks,
            "score": 0.9,
            "quality": qualities[i - 1],
            "norm": 12.0,
            "sharpness": 100.0,
            "pose": 0.8,
            "width_px": 200.0,
            "pack": PACK,
            "state": ("assigned", "unassigned", "ignored", "pending")[state],
            "person_id": person_of[i - 1] or None,
            "assigned_by": None if state else "user" if i % 20 == 0 else "machine",
            "group_id": group,
            "recognised_at": None if state >= 2 else recognised,
        }


def _embeddings(connection: Connection, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    rows = connection.execute(
        text("SELECT id, coalesce(person_id, -coalesce(group_id, id)) FROM face ORDER BY id")
    ).all()
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        vectors = np.stack([_centre(who) for _, who in part])
        vectors += 0.07 * random.standard_normal(vectors.shape, dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        for (face_id, _), vector in zip(part, vectors.astype("<f4"), strict=True):
            yield {"face_id": face_id, "pack": PACK, "revision": 1, "indexed": True, "vector": vector.tobytes()}


def _centre(who: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.random.default_rng(abs(2 * who) + (who < 0)).standard_normal(DIMENSION, dtype=np.float32)
    unit: np.ndarray[tuple[int], np.dtype[np.float32]] = vector / np.linalg.norm(vector)
    return unit


SAID = """
  SELECT 'is_person', id, person_id, NULL FROM face WHERE assigned_by = 'user'
  UNION ALL SELECT 'is_nobody', id, NULL, NULL FROM face WHERE state = 'ignored'
  UNION ALL SELECT 'persons_differ', NULL, id, id + 1 FROM person
    WHERE id % 20 = 1 AND id < (SELECT max(id) FROM person)
"""


def _verdicts(connection: Connection, account_id: int, now: datetime) -> Iterator[dict[str, Any]]:
    said: Sequence[Any] = connection.execute(text(SAID)).all()
    for kind, face_id, one, other in said:
        yield {"account_id": account_id, "kind": kind, "face_id": face_id, "person_id": one, "other_person_id": other,
               "said_at": now}  # fmt: skip


EVENTS, CHANGES = 1000, 20
FACE_AS_IT_WAS = "NULL\x1f'unassigned'\x1fNULL\x1fNULL"


def _problems(size: Size) -> Iterator[dict[str, Any]]:
    for i in range(size.assets // 100):
        code = ("name_odd", "folder_unreadable")[i % 2]
        yield {"library_id": 1, "path": f"odd/{i}.jpg", "code": code, "message": "It cannot be read",
               "hides_below": False}  # fmt: skip


def _events(account_id: int, now: datetime) -> Iterator[dict[str, Any]]:
    for i in range(EVENTS):
        undone = now if i % 10 == 0 else None
        yield {"id": i + 1, "account_id": account_id, "title": "Said that 20 faces show Anna Bauer",
               "at": now - timedelta(hours=EVENTS - i), "undone_at": undone}  # fmt: skip


def _event_changes() -> Iterator[dict[str, Any]]:
    for i in range(EVENTS * CHANGES):
        yield {"event_id": i // CHANGES + 1, "table_name": "face", "row_id": i + 1, "before": FACE_AS_IT_WAS,
               "after": FACE_AS_IT_WAS}  # fmt: skip
