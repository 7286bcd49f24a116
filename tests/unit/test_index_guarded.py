"""The guarded index answers from the first moment on, whatever state Chroma's folder is in, and says what it does."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from plugin.domain import FaceId, Float32Array, Neighbour
from plugin.errors import AlreadyRunning, DiskFull, SearchIndexDamaged, SearchIndexError
from plugin.index import building, chroma
from plugin.index import probe as probing
from plugin.index.building import BEHIND, BUILDING, COMPACTING, CUT_OFF, DAMAGED
from plugin.index.chroma import NEVER, ChromaIndex
from plugin.index.folder import logged_rows
from plugin.index.guarded import GuardedIndex
from plugin.index.probe import Probe, probe
from plugin.ports.index import IndexStatus
from tests.fakes.index_state import FakeIndexState, unit_vectors

FACES = unit_vectors(400, seed=1)
IDS = list(range(1, 401))
PATIENCE = 60.0


def sound(_: Path) -> Probe:
    """A probe without the three seconds of a child process."""
    return Probe("sound")


class Opening:
    """Opens real Chroma folders and keeps what the index said of itself when it began to build a new one."""

    def __init__(self, kind: type[ChromaIndex] = ChromaIndex) -> None:
        self.kind = kind
        self.opened: list[ChromaIndex] = []
        self.said: list[str] = []
        self.may_open = threading.Event()
        self.may_open.set()
        self.index: GuardedIndex | None = None
        self.index_is_known = threading.Event()

    def __call__(self, folder: Path, persist_every: int = NEVER) -> ChromaIndex:
        assert self.index_is_known.wait(PATIENCE)
        assert self.may_open.wait(PATIENCE)
        if persist_every != NEVER:
            self.said.append(self.status.message)
        self.opened.append(self.kind(folder, persist_every))
        return self.opened[-1]

    @property
    def status(self) -> IndexStatus:
        assert self.index
        return self.index.status


@pytest.fixture
def state() -> FakeIndexState:
    """A catalogue with 400 faces that all reached the index."""
    state = FakeIndexState()
    state.store("opencv", IDS, FACES)
    state.added("opencv", IDS)
    return state


@pytest.fixture
def opening() -> Opening:
    return Opening()


@pytest.fixture(scope="module")
def sound_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete index of the 400 faces, with its HNSW files written."""
    folder = tmp_path_factory.mktemp("sound") / "index"
    index = ChromaIndex(folder, persist_every=50)
    index.add("opencv", IDS, FACES)
    index.stop_persisting()
    index.close()
    assert list(folder.rglob("data_level0.bin"))
    return folder


@pytest.fixture
def folder(sound_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound_folder, tmp_path / "index"))


@contextmanager
def opened(
    folder: Path, state: FakeIndexState, opening: Opening, probe_folder: Callable[[Path], Probe] = sound
) -> Iterator[GuardedIndex]:
    opening.index_is_known.clear()
    index = opening.index = GuardedIndex(folder, state, state, open_chroma=opening, probe_folder=probe_folder)
    opening.index_is_known.set()
    try:
        yield index
    finally:
        opening.may_open.set()
        index.close()


@contextmanager
def opened_by(
    folder: Path,
    state: FakeIndexState,
    open_chroma: Callable[[Path, int], ChromaIndex],
    probe_folder: Callable[[Path], Probe] = sound,
) -> Iterator[GuardedIndex]:
    with closing(GuardedIndex(folder, state, state, open_chroma=open_chroma, probe_folder=probe_folder)) as index:
        yield index


def answers_like_the_catalogue(index: GuardedIndex, state: FakeIndexState) -> bool:
    face_ids, embeddings = state.embeddings("opencv", 0, 10**6)
    found = [index.nearest("opencv", vector, 1)[0] for vector in embeddings[::37]]
    right = [neighbour.face_id for neighbour in found] == face_ids[::37]
    return right and index.ids("opencv") == set(face_ids) and all(neighbour.distance < 1e-5 for neighbour in found)


def test_an_empty_library_never_loads_chroma(tmp_path: Path) -> None:
    def refuse(_folder: Path, _persist_every: int) -> ChromaIndex:
        raise AssertionError("opened")

    with opened_by(tmp_path / "index", FakeIndexState(), refuse) as index:
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert index.nearest("opencv", FACES[0], 3) == []
    assert not (tmp_path / "index").exists()


def test_exact_search_answers_while_the_index_is_built(tmp_path: Path, state: FakeIndexState, opening: Opening) -> None:
    opening.may_open.clear()
    with opened(tmp_path / "index", state, opening) as index:
        assert answers_like_the_catalogue(index, state)
        assert index.status.state in {"opening", "rebuilding"}
        opening.may_open.set()
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert opening.said == [BUILDING]
        assert answers_like_the_catalogue(index, state)
    assert not state.dirty()


def test_what_is_written_while_the_index_is_built_is_in_it_afterwards(
    tmp_path: Path, state: FakeIndexState, opening: Opening
) -> None:
    opening.may_open.clear()
    with opened(tmp_path / "index", state, opening) as index:
        changed = unit_vectors(1, seed=7)
        index.add("opencv", [1000], unit_vectors(1, seed=6))
        index.add("opencv", [1], changed)
        index.delete("opencv", [2])
        opening.may_open.set()
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert index.ids("opencv") == ({*IDS, 1000} - {2})
        assert index.nearest("opencv", changed[0], 1)[0].face_id == 1


def test_the_folder_counts_as_dirty_until_it_has_what_exact_search_took(
    folder: Path, state: FakeIndexState, opening: Opening
) -> None:
    opening.may_open.clear()
    with opened(folder, state, opening) as index:
        assert index.ids("opencv") == set(IDS)
        assert not state.dirty()
        index.add("opencv", [1], unit_vectors(1, seed=7))
        assert state.dirty()
        opening.may_open.set()
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert not state.dirty()
        assert index.nearest("opencv", unit_vectors(1, seed=7)[0], 1)[0].face_id == 1
    assert opening.said == []


def test_progress_is_told_while_the_index_is_rebuilt(
    tmp_path: Path, state: FakeIndexState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.index.serving.BATCH", 100)
    seen: list[tuple[int, int]] = []

    class Watched(ChromaIndex):
        def add(self, pack: str, face_ids: list[FaceId], embeddings: Float32Array) -> None:
            super().add(pack, face_ids, embeddings)
            seen.append((watching.status.done, watching.status.total))

    watching = Opening(Watched)
    with opened(tmp_path / "index", state, watching) as index:
        index.wait_until_settled(PATIENCE)
    assert seen == [(0, 0), (100, 400), (200, 400), (300, 400)]


def test_a_sound_folder_is_used_as_it_is(folder: Path, state: FakeIndexState, opening: Opening) -> None:
    with opened(folder, state, opening, probe) as index:
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert answers_like_the_catalogue(index, state)
    assert opening.said == []
    assert len(opening.opened) == 1


def test_a_few_missing_surplus_and_changed_faces_are_mended(
    folder: Path, state: FakeIndexState, opening: Opening
) -> None:
    state.store("opencv", [401, 7], unit_vectors(2, seed=8))
    state.remove("opencv", [3, 4])
    with opened(folder, state, opening) as index:
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert answers_like_the_catalogue(index, state)
        assert index.nearest("opencv", state.embedding(7), 1)[0].face_id == 7
    assert opening.said == []


def garbage(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(path.stat().st_size))


def garbage_in_database(folder: Path) -> None:
    garbage(folder / "chroma.sqlite3")


def truncated_database(folder: Path) -> None:
    os.truncate(folder / "chroma.sqlite3", 5000)


def no_database(folder: Path) -> None:
    (folder / "chroma.sqlite3").unlink()


def garbage_in_vectors(folder: Path) -> None:
    for name in ("data_level0.bin", "header.bin", "length.bin", "link_lists.bin", "index_metadata.pickle"):
        garbage(next(folder.rglob(name)))


def sparse_giant(folder: Path) -> None:
    os.truncate(next(folder.rglob("link_lists.bin")), 2**42)


def file_instead(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("not a folder")


def link_to_nowhere(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.with_name("gone"))


@pytest.mark.parametrize(
    "damage",
    [
        garbage_in_database,
        truncated_database,
        no_database,
        garbage_in_vectors,
        sparse_giant,
        file_instead,
        link_to_nowhere,
    ],
)
def test_a_corrupt_folder_is_rebuilt_and_said_so(
    damage: Callable[[Path], None], folder: Path, state: FakeIndexState, opening: Opening
) -> None:
    damage(folder)
    with opened(folder, state, opening, probe) as index:
        assert answers_like_the_catalogue(index, state)
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert answers_like_the_catalogue(index, state)
    assert opening.said == [DAMAGED]
    assert not state.dirty()


def test_other_embeddings_than_the_catalogues_are_damage(folder: Path, state: FakeIndexState, opening: Opening) -> None:
    state.store("opencv", IDS, unit_vectors(400, seed=9))
    state.added("opencv", IDS)
    with opened(folder, state, opening) as index:
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert answers_like_the_catalogue(index, state)
    assert opening.said == [DAMAGED]


def test_the_dirty_flag_alone_leads_to_a_rebuild(folder: Path, state: FakeIndexState, opening: Opening) -> None:
    state.set_dirty(dirty=True)
    with opened(folder, state, opening) as index:
        assert index.wait_until_settled(PATIENCE).state == "ready"
    assert opening.said == [CUT_OFF]
    assert not state.dirty()


def test_a_folder_that_lacks_many_faces_is_rebuilt(
    folder: Path, state: FakeIndexState, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "DIFFERENCE_LIMIT", 10)
    state.store("opencv", list(range(500, 520)), unit_vectors(20, seed=3))
    with opened(folder, state, opening) as index:
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert answers_like_the_catalogue(index, state)
    assert opening.said == [BEHIND]


def test_a_long_log_is_rewritten_at_start(
    folder: Path, state: FakeIndexState, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "LOGGED_ROWS_LIMIT", 3)
    monkeypatch.setattr(building, "PERSIST_EVERY", 50)
    index = ChromaIndex(folder)
    index.add("opencv", IDS[:10], FACES[:10])
    index.close()
    with opened(folder, state, opening, probe) as guarded:
        assert guarded.wait_until_settled(PATIENCE).state == "ready"
    assert opening.said == [COMPACTING]
    assert logged_rows(folder) < 10


class Fragile(ChromaIndex):
    """Fails when told to."""

    broken = False

    def nearest(self, pack: str, embedding: Float32Array, count: int) -> list[Neighbour]:
        if self.broken:
            raise SearchIndexDamaged("Error finding id")
        return super().nearest(pack, embedding, count)

    def add(self, pack: str, face_ids: list[FaceId], embeddings: Float32Array) -> None:
        if self.broken:
            raise SearchIndexDamaged("database disk image is malformed")
        super().add(pack, face_ids, embeddings)


def test_chroma_failing_in_the_middle_of_work_is_not_noticed_by_the_one_who_asks(
    folder: Path, state: FakeIndexState
) -> None:
    made: list[Fragile] = []

    def open_fragile(path: Path, persist_every: int) -> ChromaIndex:
        made.append(Fragile(path, persist_every))
        return made[-1]

    with opened_by(folder, state, open_fragile) as index:
        index.wait_until_settled(PATIENCE)
        made[-1].broken = True
        assert index.nearest("opencv", FACES[0], 1)[0].face_id == 1
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert True in state.dirty_history
        made[-1].broken = True
        new = unit_vectors(1, seed=5)
        state.store("opencv", [600], new)
        index.add("opencv", [600], new)
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert answers_like_the_catalogue(index, state)
    assert not state.dirty()


def test_after_three_failures_exact_search_stays_and_the_next_start_rebuilds(
    folder: Path, state: FakeIndexState, opening: Opening
) -> None:
    def always_fails(_folder: Path, _persist_every: int) -> ChromaIndex:
        raise SearchIndexDamaged("it does not work")

    with opened_by(folder, state, always_fails) as index:
        assert index.wait_until_settled(PATIENCE).state == "exact"
        assert "failed 3 times" in index.status.message
        assert answers_like_the_catalogue(index, state)
        new = unit_vectors(1, seed=5)
        state.store("opencv", [600], new)
        index.add("opencv", [600], new)
        assert answers_like_the_catalogue(index, state)
    assert state.dirty()
    with opened(folder, state, opening) as index:
        assert index.wait_until_settled(PATIENCE).state == "ready"
        assert answers_like_the_catalogue(index, state)


def test_without_chroma_exact_search_stays_and_a_sound_folder_is_kept(folder: Path, state: FakeIndexState) -> None:
    def not_installed(_folder: Path, _persist_every: int) -> ChromaIndex:
        raise SearchIndexError("The package chromadb cannot be loaded", "Install Kinfolk again.")

    with opened_by(folder, state, not_installed, lambda _: Probe("unusable", "no module named chromadb")) as index:
        status = index.wait_until_settled(PATIENCE)
        assert status.state == "exact"
        assert "no module named chromadb" in status.message
        assert answers_like_the_catalogue(index, state)
        index.clear()
        assert index.wait_until_settled(PATIENCE).state == "exact"
        assert index.ids("opencv") == set()
    assert (folder / "chroma.sqlite3").exists() is False


def test_a_full_disk_leaves_exact_search(folder: Path, state: FakeIndexState) -> None:
    def full(_folder: Path, _persist_every: int) -> ChromaIndex:
        raise OSError(28, "No space left on device")

    with opened_by(folder, state, full) as index:
        status = index.wait_until_settled(PATIENCE)
        assert status.state == "exact"
        assert "No space left" in status.message
        assert answers_like_the_catalogue(index, state)


def test_closing_in_the_middle_of_a_rebuild_leaves_the_flag_and_the_next_start_completes_it(
    folder: Path, state: FakeIndexState, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.index.serving.BATCH", 100)
    state.set_dirty(dirty=True)
    reached, go_on = threading.Event(), threading.Event()

    class Slow(ChromaIndex):
        def add(self, pack: str, face_ids: list[FaceId], embeddings: Float32Array) -> None:
            super().add(pack, face_ids, embeddings)
            reached.set()
            assert go_on.wait(PATIENCE)

    index = GuardedIndex(folder, state, state, open_chroma=Slow, probe_folder=sound)
    assert reached.wait(PATIENCE)
    threading.Timer(0.2, go_on.set).start()
    index.close()
    assert state.dirty()
    with opened(folder, state, opening) as again:
        assert again.wait_until_settled(PATIENCE).state == "ready"
        assert answers_like_the_catalogue(again, state)
    assert opening.said == [CUT_OFF]


def test_closing_while_a_sound_folder_is_opened_leaves_it_as_it_is(
    folder: Path, state: FakeIndexState, opening: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    opening.may_open.clear()
    with opened(folder, state, opening) as index:
        threading.Timer(0.2, opening.may_open.set).start()
        index.close()
    assert opening.opened
    assert True not in state.dirty_history
    assert not caplog.records


def test_a_catalogue_that_cannot_be_read_is_told_to_one_and_tried_again(
    folder: Path, state: FakeIndexState, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(state, "packs", lambda: (_ for _ in ()).throw(DiskFull("no space")))
        with opened(folder, state, opening) as index:
            assert "no space" in index.wait_until_settled(PATIENCE).message
            broken.undo()
            with pytest.raises(SearchIndexError, match="no space"):
                index.ids("opencv")
            assert answers_like_the_catalogue(index, state)


def test_a_second_index_on_the_folder_is_refused(folder: Path, state: FakeIndexState, opening: Opening) -> None:
    with opened(folder, state, opening), pytest.raises(AlreadyRunning, match="Another process"):
        GuardedIndex(folder, state, state)
    with opened(folder, state, opening) as index:
        assert answers_like_the_catalogue(index, state)


def test_a_second_process_on_the_folder_is_refused_until_the_first_is_killed(
    folder: Path, state: FakeIndexState, opening: Opening
) -> None:
    imports = "from pathlib import Path; from plugin.index.folder import hold_folder"
    hold = f"{imports}; held = hold_folder(Path({str(folder)!r}))"
    with subprocess.Popen(
        [sys.executable, "-c", f"{hold}; print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(chroma.__file__).parents[2],
    ) as first:
        assert first.stdout
        first.stdout.readline()
        with pytest.raises(AlreadyRunning):
            GuardedIndex(folder, state, state)
        first.kill()
    with opened(folder, state, opening) as index:
        assert answers_like_the_catalogue(index, state)
