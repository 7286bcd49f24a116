"""From every catalogue there ever was to this one with nothing lost, and never back.

Each catalogue is made by the migrations up to its revision and filled with SQL of its time, so that what this version
writes plays no part in it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from plugin.catalogue import opening
from plugin.catalogue.migrations import REVISIONS
from plugin.catalogue.opening import MIGRATIONS
from plugin.catalogue.store import SqlCatalogue, open_catalogue
from plugin.domain import FaceState, VerdictKind
from plugin.errors import CatalogueNewer

OLDER = REVISIONS[:-1]

PEOPLE = [(1, "Anna", 0, 1), (2, "Ben", 0, 0), (3, "", 1, 0)]
"""Id, name, hidden, favourite."""

VECTOR = np.linspace(-1, 1, 128, dtype=np.float32)


def catalogue_of(path: Path, revision: str) -> None:
    """An empty catalogue as the version with this revision made it."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def fill(connection: sqlite3.Connection) -> None:
    """A family with three photos, as SQL has been able to say it since the first revision."""
    insert(connection, "account", id=1, name="Maria", name_key="maria", password_hash="$argon2id$x", is_admin=1,
           session_epoch=4)  # fmt: skip
    insert(connection, "account", id=2, name="Ben", name_key="ben", password_hash=None, is_admin=0, session_epoch=0)
    insert(connection, "index_status", id=1, dirty=0)
    insert(connection, "preference", key="pack", value="opencv")
    insert(connection, "library", id=1, account_id=1, host="folder", name="Photos", address="/photos", sync_pass=7)
    for person_id, name, hidden, favourite in PEOPLE:
        insert(connection, "person", id=person_id, account_id=1, name=name, name_key=name.lower(),
               search_words=f" {name.lower()}", birth_date="2014-05-06" if name == "Anna" else None, hidden=hidden,
               favourite=favourite, feature_face_id=1 if name == "Anna" else None)  # fmt: skip
    for number in (1, 2, 3):
        insert(connection, "asset", id=number, library_id=1, account_id=1, host_key=f"{number}.jpg",
               path=f"2019/{number}.jpg", kind="photo", content_key=f"c{number}", change_key="", gone=0, seen_pass=7,
               state="done", attempts=0, detected_pack="opencv", taken_at=f"2019-07-0{number} 12:00:00.000000",
               width=4000, height=3000)  # fmt: skip
        fill_face(connection, number)
    for verdict in VERDICTS:
        insert(connection, "verdict", account_id=1, said_at="2024-07-22 10:00:00.000000", **verdict)


VERDICTS: list[dict[str, object]] = [
    {"kind": "is_person", "face_id": 1, "person_id": 1},
    {"kind": "is_not_person", "face_id": 2, "person_id": 1},
    {"kind": "persons_differ", "person_id": 1, "other_person_id": 2},
]


def fill_face(connection: sqlite3.Connection, number: int) -> None:
    """One face on a photo, of the person with the same number; the third is nobody's."""
    person = number if number < 3 else None
    insert(connection, "face", id=number, asset_id=number, account_id=1, source="machine", x=0.1, y=0.2, w=0.3, h=0.4,
           landmarks=np.zeros((5, 2), np.float32).tobytes(), score=0.9, quality=0.8, norm=1.0, sharpness=1.0, pose=0.1,
           width_px=300.0, pack="opencv", state="assigned" if person else "unassigned", person_id=person,
           assigned_by="user" if number == 1 else "machine" if person else None)  # fmt: skip
    insert(connection, "embedding", face_id=number, pack="opencv", revision=1, indexed=1,
           vector=(VECTOR * number).tobytes())  # fmt: skip


def insert(connection: sqlite3.Connection, table: str, **values: object) -> None:
    columns, signs = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({signs})", tuple(values.values()))


@pytest.fixture(params=OLDER, scope="module")
def old(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of each earlier revision, with a family in it."""
    path = tmp_path_factory.mktemp(request.param) / "catalogue.db"
    catalogue_of(path, request.param)
    with closing(sqlite3.connect(path)) as connection, connection:
        fill(connection)
    return path


@pytest.fixture(scope="module")
def opened(old: Path) -> Iterator[SqlCatalogue]:
    """Brought up to date once for all tests of a revision; only the last of them writes."""
    catalogue = open_catalogue(old)
    yield catalogue
    catalogue.close()


def test_nothing_of_an_old_catalogue_is_lost(opened: SqlCatalogue) -> None:
    assert opened.integrity() == []
    accounts = [(one.id, one.name, one.is_admin, one.session_epoch) for one in opened.accounts.all()]
    assert accounts == [(1, "Maria", True, 4), (2, "Ben", False, 0)]
    assert opened.preferences.get("pack") == "opencv"
    assert [(one.host, one.address) for one in opened.libraries.all(1)] == [("folder", "/photos")]
    anna = opened.people.get(1, 1)
    assert (anna.name, str(anna.birth_date), anna.favourite, anna.feature_face_id) == ("Anna", "2014-05-06", True, 1)
    assert opened.people.get(3, 1).hidden
    faces = opened.faces.many([1, 2, 3])
    assert [(face.person_id, face.state) for face in faces] == [
        (1, FaceState.ASSIGNED), (2, FaceState.ASSIGNED), (None, FaceState.UNASSIGNED),
    ]  # fmt: skip
    said = {(verdict.kind, verdict.face_id, verdict.person_id) for verdict in opened.verdicts.all(1)}
    assert said == {
        (VerdictKind.IS_PERSON, 1, 1), (VerdictKind.IS_NOT_PERSON, 2, 1), (VerdictKind.PERSONS_DIFFER, None, 1),
    }  # fmt: skip


def test_what_every_page_counts_is_counted_for_old_rows_too(opened: SqlCatalogue) -> None:
    """Kept counts came later (0009): they have to be right for what was there before."""
    assert opened.people.get(1, 1).photo_count == 1
    assert [face.id for face in opened.faces.of_person(1, 1, 10)] == [1]


def test_faces_are_still_what_they_were(opened: SqlCatalogue, old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        for face_id, vector in connection.execute("SELECT face_id, vector FROM embedding ORDER BY face_id"):
            assert np.array_equal(np.frombuffer(vector, np.float32), VECTOR * face_id)


def test_the_catalogue_from_before_the_update_is_kept(opened: SqlCatalogue, old: Path) -> None:
    (backup,) = (old.parent / "backups").iterdir()
    assert backup.suffix == ".zip"


def test_an_old_catalogue_can_be_worked_with(opened: SqlCatalogue) -> None:
    """Triggers, history and counts of today, on rows of then."""
    with opened.events.record(1, "rename"):
        opened.people.rename(2, 1, "Benjamin")
    assert opened.people.get(2, 1).name == "Benjamin"
    assert opened.integrity() == []


@pytest.mark.parametrize("known", range(1, len(REVISIONS)), ids=OLDER)
def test_an_older_version_leaves_the_catalogue_alone_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    path = tmp_path / "catalogue.db"
    open_catalogue(path).close()
    before = path.read_bytes()
    monkeypatch.setattr(opening, "REVISIONS", REVISIONS[:known])
    with pytest.raises(CatalogueNewer, match=f"newer Kinfolk .revision {REVISIONS[-1]}") as refused:
        open_catalogue(path)
    assert "Install that version again" in refused.value.advice
    assert path.read_bytes() == before
    monkeypatch.undo()
    open_catalogue(path).close()
