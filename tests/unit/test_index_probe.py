"""A Chroma folder is looked at and opened in a child process before this process touches it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from plugin.errors import SearchIndexError
from plugin.index import probe as probing
from plugin.index.chroma import ChromaIndex
from plugin.index.folder import fsync_folder, logged_rows, oversized_links, remove_folder
from plugin.index.probe import Probe, look_inside, probe
from tests.fakes.index_state import unit_vectors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    index = ChromaIndex(folder, persist_every=20)
    index.add("opencv", list(range(30)), unit_vectors(30))
    index.close()
    return folder


def child_of(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the probe's child be this shell script instead."""
    interpreter = tmp_path / "python"
    interpreter.write_text(f"#!/bin/sh\n{script}\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))


def test_a_sound_folder_is_called_sound_with_its_numbers(folder: Path) -> None:
    logged = logged_rows(folder)
    assert 0 < logged <= 30
    assert probe(folder) == Probe("sound", faces=30, logged=logged)


def test_a_child_that_crashes_has_seen_damage(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_of("kill -SEGV $$", tmp_path, monkeypatch)
    assert probe(folder) == Probe("damaged", "opening it ended with exit status -11")


def test_a_child_that_hangs_has_seen_damage(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_of("exec sleep 60", tmp_path, monkeypatch)
    assert probe(folder, timeout=0.2) == Probe("damaged", "it did not open within 0 seconds")


@pytest.mark.parametrize("output", ["", "nonsense", '{"verdict": 1, "surprise": 2}', "[]"])
def test_a_child_that_says_nothing_sensible_has_seen_damage(
    output: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child_of(f"echo '{output}'", tmp_path, monkeypatch)
    assert probe(folder) == Probe("damaged", "opening it gave no answer")


def test_an_interpreter_that_cannot_start_says_nothing_about_the_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    assert probe(folder).verdict == "unusable"


def test_the_child_ends_with_its_parent_and_opens_nothing(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "plugin.index.probe", str(folder)],
        input=b"",
        cwd=Path(probing.__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, b"")


def test_without_chromadb_the_folder_is_not_blamed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chromadb", None)
    found = look_inside(folder)
    assert found.verdict == "unusable"
    assert "chromadb cannot be loaded" in found.detail
    with pytest.raises(SearchIndexError, match="chromadb cannot be loaded"):
        ChromaIndex(folder)


def test_a_folder_without_vectors_for_its_rows_is_damaged(folder: Path) -> None:
    vectors = next(folder.rglob("data_level0.bin"))
    for name in ("header.bin", "length.bin", "link_lists.bin", "index_metadata.pickle", "data_level0.bin"):
        vectors.with_name(name).unlink()
    assert probe(folder).verdict == "damaged"


def test_link_lists_larger_than_the_vectors_are_found_without_opening(folder: Path) -> None:
    assert oversized_links(folder) is None
    links = next(folder.rglob("link_lists.bin"))
    os.truncate(links, 2**42)
    assert oversized_links(folder) == links
    assert probe(folder).detail == f"{links.relative_to(folder)} is larger than any sound one"


def test_removing_takes_away_whatever_is_there_and_nothing_behind_a_link(folder: Path, tmp_path: Path) -> None:
    os.truncate(next(folder.rglob("link_lists.bin")), 2**42)
    kept = tmp_path / "kept"
    kept.mkdir()
    link = tmp_path / "link"
    link.symlink_to(kept)
    file = tmp_path / "file"
    file.touch()
    for path in (folder, link, file, tmp_path / "nothing"):
        remove_folder(path)
        assert not path.exists()
    assert kept.is_dir()


def test_everything_in_the_folder_is_flushed_to_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: set[str] = set()
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: flushed.add(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
    )
    fsync_folder(folder)
    expected = {folder.parent, folder, *folder.rglob("*")}
    assert flushed == {str(path.resolve()) for path in expected}
