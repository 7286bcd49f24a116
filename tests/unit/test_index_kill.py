"""`kill -9` while the index is filled or rebuilt: the next start answers exactly the catalogue's faces."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import cast

from plugin.index import building
from plugin.index.chroma import ChromaIndex
from plugin.index.guarded import GuardedIndex
from plugin.index.probe import Probe
from plugin.indexing import Indexing
from plugin.ports.catalogue import Catalogue
from tests.fakes.index_state import FakeIndexState, unit_vectors

FACES = 1500
IDS = list(range(1, FACES + 1))
PERSIST_EVERY = 100
"""Far more often than in earnest, so that most kills in a rebuild fall into or beside such a write."""

ROOT = Path(__file__).parents[2]


class KeptState(FakeIndexState):
    """A catalogue of which the dirty flag and what was added survive a kill, in two files."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._flag, self._log = folder / "dirty", folder / "added"
        self.store("opencv", IDS, unit_vectors(FACES, 64))
        if self._log.exists():
            super().added("opencv", [int(line) for line in self._log.read_text().split()])

    def added(self, pack: str, face_ids: object) -> None:
        ids = cast("list[int]", face_ids)
        super().added(pack, ids)
        with self._log.open("a") as log:
            log.write("".join(f"{face_id}\n" for face_id in ids))

    def dirty(self) -> bool:
        return self._flag.exists()

    def set_dirty(self, *, dirty: bool) -> None:
        if dirty:
            self._flag.touch()
        else:
            self._flag.unlink(missing_ok=True)


def fill(folder: Path) -> None:
    """The victim: waits for Chroma, then adds a few faces at a time."""
    state = KeptState(folder)
    # The start after the last kill asks the real probe; here it would only cost seconds.
    index = GuardedIndex(folder / "index", state, state, probe_folder=lambda _: Probe("sound"))
    index.wait_until_settled()
    indexing = Indexing(cast(Catalogue, state), index)
    while moved := indexing.catch_up(20):
        sys.stdout.write(f"added {moved}\n")
        sys.stdout.flush()


def rebuild(folder: Path) -> None:
    """The victim: rebuilds, persisting all the time."""
    building.PERSIST_EVERY = PERSIST_EVERY
    state = KeptState(folder)

    class Telling(ChromaIndex):
        def add(self, pack: str, face_ids: list[int], embeddings: object) -> None:
            for first in range(0, len(face_ids), 20):
                super().add(pack, face_ids[first : first + 20], embeddings[first : first + 20])  # type: ignore[index]
                sys.stdout.write("copied 20\n")
                sys.stdout.flush()

    GuardedIndex(folder / "index", state, state, open_chroma=Telling).wait_until_settled()


def kill_after(lines: int, victim: str, folder: Path) -> None:
    code = f"from tests.unit.test_index_kill import *; {victim}(Path({str(folder)!r}))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout
        for _ in range(lines):
            assert child.stdout.readline(), "the victim ended before it was killed"
        child.kill()
    assert child.returncode == -9


def assert_the_next_start_is_right(folder: Path) -> None:
    state = KeptState(folder)
    with closing(GuardedIndex(folder / "index", state, state)) as index:
        for _ in ("while it opens", "and once it is open"):
            assert index.ids("opencv") == set(IDS)
            for face_id in IDS[::97]:
                found = index.nearest("opencv", state.embedding(face_id), 1)[0]
                assert (found.face_id, found.distance < 1e-5) == (face_id, True)
            assert index.wait_until_settled(60).state == "ready"
        assert Indexing(cast(Catalogue, state), index).check(repair=False).findings == ()
    assert not state.dirty()


def test_a_kill_while_faces_are_added_loses_nothing(tmp_path: Path) -> None:
    prepared = KeptState(tmp_path)
    with closing(ChromaIndex(tmp_path / "index")) as index:
        index.add("opencv", *prepared.embeddings("opencv", 0, 400))
    prepared.added("opencv", IDS[:400])
    for lines in (1, 20):
        kill_after(lines, "fill", tmp_path)
        assert not (tmp_path / "dirty").exists()
    assert_the_next_start_is_right(tmp_path)


def test_a_kill_while_the_index_is_rebuilt_starts_the_rebuild_again(tmp_path: Path) -> None:
    for lines in (1, 33, 60):
        kill_after(lines, "rebuild", tmp_path)
        assert (tmp_path / "dirty").exists()
        assert list((tmp_path / "index").iterdir())
    assert_the_next_start_is_right(tmp_path)
