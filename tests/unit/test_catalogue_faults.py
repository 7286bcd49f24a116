"""What must not happen whatever happens: kills, full disks, crowds."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from plugin.catalogue import failures
from plugin.catalogue.failures import in_our_words
from plugin.catalogue.opening import prepare_sqlite
from plugin.catalogue.store import SqlCatalogue, open_catalogue
from plugin.domain import Asset, VerdictKind
from plugin.errors import CatalogueError, DiskFull
from tests.contract.catalogue_cast import PACK, direction, found, listed


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqlCatalogue]:
    catalogue = open_catalogue(tmp_path / "catalogue.db")
    catalogue.libraries.add(1, "folder", "Photos", "/photos")
    yield catalogue
    catalogue.close()


def add(catalogue: SqlCatalogue, count: int) -> list[Asset]:
    seen = catalogue.assets.seen(1, [listed(f"{i}.jpg") for i in range(count)], 1)
    return [catalogue.assets.get(each.asset_id) for each in seen]


WRITER = """
import sys
from pathlib import Path
from plugin.catalogue.store import open_catalogue
from plugin.domain import VerdictKind
from tests.contract.catalogue_cast import PACK, found, listed

catalogue = open_catalogue(Path(sys.argv[1]))
while True:
    for asset in catalogue.detection.claim("writer", 1, 600):
        (face,) = catalogue.detection.finish(asset, PACK, [found()], (1, 1), None)
        print("finished", asset.id, face, flush=True)
        catalogue.verdicts.add(1, VerdictKind.IS_NOBODY, face_id=face)
        print("said", asset.id, face, flush=True)
"""


def test_a_kill_in_the_middle_of_writes_loses_no_verdict_and_no_finished_face(
    catalogue: SqlCatalogue, tmp_path: Path
) -> None:
    add(catalogue, 2000)
    for lines in (7, 40, 111):
        arguments = [sys.executable, "-c", WRITER, str(tmp_path / "catalogue.db")]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            heard = [writer.stdout.readline().split() for _ in range(lines)]
            os.kill(writer.pid, signal.SIGKILL)
            heard += [line.split() for line in writer.stdout.read().splitlines() if line.count(" ") == 2]
        faces = {row.face.id for row in catalogue.faces.export(None)}
        verdicts = {verdict.face_id for verdict in catalogue.verdicts.all(1)}
        assert {int(face) for what, _, face in heard if what == "finished"} <= faces
        assert {int(face) for what, _, face in heard if what == "said"} <= verdicts
        assert catalogue.integrity() == []
        assert catalogue.detection.status().running <= 1
        catalogue.detection.release("writer")
    assert catalogue.detection.status().done == len(faces)


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    open_catalogue(path).close()
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})
    prepare_sqlite(engine)
    catalogue = SqlCatalogue(engine, path)
    catalogue.libraries.add(1, "folder", "Photos", "/photos")
    catalogue.preferences.set("kept", "yes")
    with catalogue._transactions.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    limit_pages(catalogue, int(pages or 0) + 4)
    with pytest.raises(DiskFull) as refused:
        add(catalogue, 1000)
    assert not refused.value.permanent
    assert str(tmp_path) in str(refused.value)
    assert catalogue.assets.counts(None) == (0, 0)
    assert catalogue.preferences.get("kept") == "yes"
    limit_pages(catalogue, 1_000_000)
    assert len(add(catalogue, 1000)) == 1000
    assert catalogue.integrity() == []
    catalogue.close()


def limit_pages(catalogue: SqlCatalogue, pages: int) -> None:
    """What SQLite meets on a full disk, for the one pooled connection there is."""
    with catalogue._transactions.read() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_an_input_output_error_without_room_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    path = tmp_path / "catalogue.db"
    assert type(in_our_words(error, path)) is CatalogueError
    monkeypatch.setattr(failures, "NEARLY_NOTHING_BYTES", 1 << 62)
    assert isinstance(in_our_words(error, path), DiskFull)


def test_a_mistake_of_our_own_is_not_hidden() -> None:
    assert in_our_words(sqlite3.OperationalError("no such column"), None) is None
    assert in_our_words(ValueError("not the database"), None) is None


def test_a_catalogue_kept_busy_by_another_program_is_worth_another_try(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    catalogue = open_catalogue(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with catalogue._transactions.read() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        with pytest.raises(CatalogueError, match="busy") as refused:
            catalogue.preferences.set("a", "b")
        assert not refused.value.permanent
        other.execute("ROLLBACK")
    catalogue.preferences.set("a", "b")
    catalogue.close()


def test_threads_share_the_queue_without_doing_anything_twice(catalogue: SqlCatalogue) -> None:
    add(catalogue, 120)
    taken: list[int] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        while assets := catalogue.detection.claim(name, 3, 600):
            for asset in assets:
                (face,) = catalogue.detection.finish(asset, PACK, [found(embedding=direction(1))], (1, 1), None)
                catalogue.verdicts.add(1, VerdictKind.IS_NOBODY, face_id=face)
                with lock:
                    taken.append(asset.id)

    with ThreadPoolExecutor(6) as threads:
        for future in [threads.submit(work, f"worker {i}") for i in range(6)]:
            future.result()
    assert len(taken) == len(set(taken)) == 120
    assert len(catalogue.verdicts.all(1)) == 120
    assert catalogue.detection.status().done == 120


def test_processes_that_begin_together_make_one_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    script = (
        "import sys; from pathlib import Path; from plugin.catalogue.store import open_catalogue\n"
        "catalogue = open_catalogue(Path(sys.argv[1])); print(len(catalogue.accounts.all()))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [process.communicate()[0].strip() for process in running] == ["1", "1", "1"]


def test_reading_goes_on_while_another_thread_writes(catalogue: SqlCatalogue) -> None:
    catalogue.preferences.set("a", "before")
    with catalogue._transactions.write() as connection:
        connection.exec_driver_sql("UPDATE preference SET value = 'after'")
        assert catalogue.preferences.get("a") == "before"
    assert catalogue.preferences.get("a") == "after"
