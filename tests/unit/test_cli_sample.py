"""The sample album: pinned, and fetched once."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from plugin.cli import sample
from plugin.errors import PackUnavailable
from tests.fakes.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    pictures = {name: hashlib.sha256(name.encode()).hexdigest() for name in sample.PICTURES}
    monkeypatch.setattr(sample, "PICTURES", pictures)
    return Terminal(tmp_path, monkeypatch)


def test_seven_pictures_are_pinned_by_checksum() -> None:
    assert len(sample.PICTURES) == 7
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in [*sample.PICTURES.values(), sample.SOURCE_ARCHIVE])


def test_it_is_fetched_from_the_pinned_source_archive_and_only_once(terminal: Terminal, tmp_path: Path) -> None:
    fetched: list[tuple[str, str]] = []

    def fetch(requirement: str, members: Mapping[str, str], target: Path, **options: Any) -> None:
        fetched.append((requirement, options["sha256"]))
        assert options["sdist"]
        target.mkdir(exist_ok=True)
        for member in members:
            assert member.startswith("face_recognition-1.3.0/tests/test_images/")
            name = member.rpartition("/")[2]
            (target / name).write_bytes(name.encode())

    terminal.monkeypatch.setattr(sample, "fetch_from_package", fetch)
    terminal.done("sample", tmp_path / "album")
    assert "was already" in terminal.done("sample", tmp_path / "album").stdout
    assert fetched == [("face-recognition==1.3.0", sample.SOURCE_ARCHIVE)]


def test_a_picture_that_was_spoilt_is_fetched_again(terminal: Terminal, tmp_path: Path) -> None:
    asked: list[Path] = []
    terminal.monkeypatch.setattr(
        sample, "fetch_from_package", lambda _requirement, _members, target, **_: asked.append(target)
    )
    for name in sample.PICTURES:
        (tmp_path / name).write_bytes(name.encode())
    assert not sample.fetch_sample_album(tmp_path)
    (tmp_path / "obama.jpg").write_bytes(b"spoilt")
    assert sample.fetch_sample_album(tmp_path)
    assert asked == [tmp_path]


def test_without_a_network_the_reason_is_told(terminal: Terminal, tmp_path: Path) -> None:
    def fetch(*_: object, **__: object) -> None:
        raise PackUnavailable("The package index cannot be reached", "Connect once")

    terminal.monkeypatch.setattr(sample, "fetch_from_package", fetch)
    result = terminal.run("sample", tmp_path / "album")
    assert result.exit_code == 1
    assert "Connect once" in result.stderr
