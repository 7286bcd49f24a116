"""The sample album in, people out, through the command line."""

import sqlite3
import time
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Kinfolk, Row

pytestmark = pytest.mark.models

OBAMA = {"32bit.png", "obama.jpg", "obama2.jpg", "obama3.jpg", "obama_partial_face.jpg", "obama_partial_face2.jpg"}


def people(rows: list[Row]) -> dict[int, set[str]]:
    """Which pictures each person is in."""
    found: dict[int, set[str]] = {}
    for row in rows:
        if row["person_id"] is not None:
            found.setdefault(row["person_id"], set()).add(row["path"])
    return found


def grouping(rows: list[Row]) -> set[frozenset[tuple[object, ...]]]:
    """The partition of all faces, without the ids, which may differ from run to run."""
    groups: dict[object, set[tuple[object, ...]]] = {}
    for row in rows:
        box = tuple(round(row["box"][key], 4) for key in "xywh")
        groups.setdefault(row["person_id"], set()).add((row["path"], box, row["state"]))
    return {frozenset(group) for group in groups.values()}


def test_six_obamas_are_one_person_and_biden_waits_until_one_face_is_enough(kinfolk: Kinfolk, album: Path) -> None:
    kinfolk.run("library", "add", "folder", str(album))
    summary = kinfolk.run("scan")
    rows = kinfolk.faces()
    assert list(people(rows).values()) == [OBAMA], summary
    assert [row["state"] for row in rows if row["path"] == "biden.jpg"] == ["unassigned"]

    (kinfolk.data / "config.yaml").write_text("recognition:\n  minimum_faces: 1\n", encoding="utf-8")
    kinfolk.run("recognize", "--missing")
    assert sorted(people(kinfolk.faces()).values(), key=len) == [{"biden.jpg"}, OBAMA]


def test_a_second_scan_changes_nothing(kinfolk: Kinfolk, album: Path) -> None:
    kinfolk.run("library", "add", "folder", str(album))
    kinfolk.run("scan")
    before = kinfolk.faces()
    kinfolk.run("scan")
    assert kinfolk.faces() == before


def test_a_renamed_file_keeps_its_faces_and_a_deleted_one_takes_them_along(kinfolk: Kinfolk, album: Path) -> None:
    kinfolk.run("library", "add", "folder", str(album))
    kinfolk.run("scan")
    before = {row["path"]: row for row in kinfolk.faces()}
    (album / "trip").mkdir()
    (album / "obama.jpg").rename(album / "trip" / "renamed.jpg")
    (album / "biden.jpg").unlink()
    kinfolk.run("scan")
    after = {row["path"]: row for row in kinfolk.faces()}
    assert after["trip/renamed.jpg"] == before["obama.jpg"] | {"path": "trip/renamed.jpg"}
    assert after.keys() == before.keys() - {"obama.jpg", "biden.jpg"} | {"trip/renamed.jpg"}


@pytest.mark.parametrize("finished", [0, 2, 5])
def test_kill_minus_nine_in_the_middle_of_a_scan_ends_like_an_undisturbed_one(
    kinfolk: Kinfolk, album: Path, finished: int, tmp_path: Path
) -> None:
    undisturbed = Kinfolk(tmp_path / "undisturbed", kinfolk.environment)
    undisturbed.data.mkdir()
    (undisturbed.data / "models").symlink_to(kinfolk.data / "models")
    for one in (undisturbed, kinfolk):
        one.run("library", "add", "folder", str(album))
    undisturbed.run("scan")

    scan = kinfolk.start("scan")
    wait_for_finished_assets(kinfolk.data / "catalogue.db", finished)
    scan.kill()
    scan.communicate()
    kinfolk.run("scan")

    assert grouping(kinfolk.faces()) == grouping(undisturbed.faces())


def wait_for_finished_assets(catalogue: Path, count: int) -> None:
    """Return once this many assets are through detection."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True) as connection:
            done = connection.execute("SELECT count(*) FROM asset WHERE state = 'done'").fetchone()[0]
            listed = connection.execute("SELECT count(*) FROM asset").fetchone()[0]
        if listed and done >= count:
            return
        time.sleep(0.01)
    raise TimeoutError(f"fewer than {count} assets were finished in a minute")
