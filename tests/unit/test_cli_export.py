"""Faces as JSON for other programs: complete, rounded, and never half written."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from plugin.cli.export import as_row, replacing, write_array
from plugin.domain import AssignedBy, Box, ExportedFace, Face, FaceState
from plugin.errors import DiskFull
from tests.fakes.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, monkeypatch)


def exported(number: int = 1, *, name: str | None = "Åse", by: AssignedBy | None = AssignedBy.USER) -> ExportedFace:
    face = Face(
        id=number, asset_id=number, account_id=1, box=Box(1 / 3, 0.25, 0.1, 0.2),
        landmarks=np.full((5, 2), 1 / 3, np.float32), score=np.float32(2 / 3).item(), quality=0.5, width_px=80.0,
        pack="opencv", state=FaceState.ASSIGNED if by else FaceState.UNASSIGNED, person_id=9 if by else None,
        person_name=name, assigned_by=by, frame_ms=None,
    )  # fmt: skip
    return ExportedFace("Family", "2019/strand Åse.jpg", face)


def test_a_row_has_every_promised_field_rounded_to_six_decimals() -> None:
    assert as_row(exported()) == {
        "library": "Family",
        "asset_id": 1,
        "path": "2019/strand Åse.jpg",
        "box": {"x": 0.333333, "y": 0.25, "w": 0.1, "h": 0.2},
        "landmarks": [[0.333333, 0.333333]] * 5,
        "score": 0.666667,
        "quality": 0.5,
        "model": "opencv",
        "person_id": 9,
        "person_name": "Åse",
        "assigned_by": "user",
        "state": "assigned",
    }


def test_a_face_of_nobody_has_null_for_person_name_and_by() -> None:
    row = as_row(exported(name=None, by=None))
    assert (row["person_id"], row["person_name"], row["assigned_by"]) == (None, None, None)


def test_a_person_without_a_name_has_null_as_name() -> None:
    assert as_row(exported(name=""))["person_name"] is None


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_output_is_one_json_array_in_plain_ascii(count: int) -> None:
    file = io.StringIO()
    rows = [as_row(exported(number)) for number in range(count)]
    assert write_array(iter(rows), file) == count
    assert file.getvalue().isascii()
    assert json.loads(file.getvalue()) == rows


def test_rows_are_written_as_they_come() -> None:
    file = io.StringIO()

    def rows() -> Iterator[dict[str, object]]:
        yield {"number": 1}
        assert '{"number": 1}' in file.getvalue()
        yield {"number": 2}

    assert write_array(rows(), file) == 2


def test_faces_are_exported_to_standard_output_or_a_file(terminal: Terminal, tmp_path: Path) -> None:
    terminal.kinfolk.exported = [exported(), exported(2, name=None, by=None)]
    printed = json.loads(terminal.done("export", "faces", "--json").stdout)
    assert printed == json.loads(terminal.done("export", "faces", "--json", "-o", "-").stdout)
    terminal.done("export", "faces", "--json", "-o", tmp_path / "faces.json")
    assert json.loads((tmp_path / "faces.json").read_text()) == printed
    assert [row["asset_id"] for row in printed] == [1, 2]
    assert terminal.kinfolk.calls[0] == ("open", "shared")


def test_an_export_that_fails_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "faces.json"
    target.write_text("older")

    def rows() -> Iterator[dict[str, object]]:
        yield {"number": 1}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), replacing(target) as file:
        write_array(rows(), file)
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_text() == "older"


def test_a_place_that_cannot_be_written_is_told(terminal: Terminal, tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="cannot be written"), replacing(tmp_path / "not there" / "faces.json"):
        pass
    assert terminal.run("export", "faces", "-o", tmp_path / "not there" / "f.json").exit_code == 1
