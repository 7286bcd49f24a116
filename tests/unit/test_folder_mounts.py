"""Whether the operating system tells of every change in a folder."""

from pathlib import Path

import pytest

from plugin.hosts.folder.mounts import ground_of

LINE = "36 35 98:0 / {place} rw,noatime master:1 - {kind} /dev/sda1 rw\n"


def table(folder: Path, *mounts: tuple[str, str]) -> Path:
    file = folder / "mountinfo"
    file.write_text("".join(LINE.format(place=place.replace(" ", "\\040"), kind=kind) for place, kind in mounts))
    return file


@pytest.mark.parametrize(
    ("mounts", "told"),
    [
        ([("/", "ext4")], True),
        ([("/", "overlay")], False),
        ([("/", "overlay"), ("{photos}", "ext4")], True),
        ([("/", "ext4"), ("{photos}", "nfs4")], False),
        ([("/", "ext4"), ("{parent}", "cifs")], False),
        ([("/", "ext4"), ("{photos}/share", "fuse.sshfs")], False),
        ([("/", "ext4"), ("{photos}/more", "xfs")], True),
        ([("/", "ext4"), ("{photos}-of-others", "nfs4")], True),
        ([("/", "ext4"), ("{photos}", "ext4"), ("{photos}", "9p")], False),
        ([], False),
    ],
)
def test_a_disk_of_this_machine_is_told_of_and_a_share_is_not(
    tmp_path: Path, mounts: list[tuple[str, str]], told: bool
) -> None:
    photos = tmp_path / "My photos"
    photos.mkdir()
    places = [(place.format(photos=photos, parent=tmp_path), kind) for place, kind in mounts]
    ground = ground_of(bytes(photos), table(tmp_path, *places))
    assert ground is not None
    assert ground.tells_everything is told


def test_a_disk_that_came_or_went_is_another_ground(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    before = ground_of(bytes(photos), table(tmp_path, ("/", "ext4")))
    assert before == ground_of(bytes(photos), table(tmp_path, ("/", "ext4")))
    assert before != ground_of(bytes(photos), table(tmp_path, ("/", "ext4"), (str(photos / "usb"), "vfat")))
    photos.rename(tmp_path / "old")
    photos.mkdir()
    assert before != ground_of(bytes(photos), table(tmp_path, ("/", "ext4")))


def test_a_folder_or_a_table_that_is_away_is_no_ground(tmp_path: Path) -> None:
    assert ground_of(bytes(tmp_path / "away"), table(tmp_path, ("/", "ext4"))) is None
    assert ground_of(bytes(tmp_path), tmp_path / "no table") is None
