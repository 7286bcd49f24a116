"""What servers send: where it is kept while somebody looks at it."""

import errno
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from plugin.assemble import open_kinfolk
from plugin.errors import NoRoom
from plugin.hosts.network.bodies import IN_MEMORY, spooled
from plugin.settings import load_settings

MEGABYTE = bytes(2**20)


def megabytes(count: int) -> Iterator[bytes]:
    return (MEGABYTE for _ in range(count))


def test_a_video_is_kept_in_the_data_folder_and_never_where_a_container_has_little_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tempfile.gettempdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nothing can be written here"))
    with open_kinfolk(load_settings(tmp_path / "data"), exclusive=False):
        with spooled(megabytes(IN_MEMORY // len(MEGABYTE) + 2)) as file:
            there = Path(f"/proc/self/fd/{file.fileno()}").resolve()
            assert there.is_relative_to(tmp_path / "data" / "cache")
            assert len(file.read()) == IN_MEMORY + 2 * len(MEGABYTE)
        assert not there.exists()
    assert tempfile.gettempdir() != before, "as it was before Kinfolk was opened"


def test_no_room_for_it_is_said_and_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        closed = False

        def write(self, _chunk: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            self.closed = True

    full = Full()
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", lambda **_options: full)
    with pytest.raises(NoRoom) as raised:
        spooled(megabytes(1))
    assert not raised.value.permanent
    assert "make room" in raised.value.advice.lower()
    assert full.closed


def test_another_trouble_with_the_file_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_content: Iterator[bytes]) -> Iterator[bytes]:
        yield MEGABYTE
        raise OSError(errno.EIO, "I/O error")

    with pytest.raises(OSError, match="I/O error"):
        spooled(broken(cast("Iterator[bytes]", None)))
