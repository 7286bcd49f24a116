"""`kinfolk history` and `kinfolk undo`."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugin.domain import Event
from tests.fakes.terminal import Terminal

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVENTS = [
    Event(3, 1, "Named somebody Anna", NOON, undone=True),
    Event(2, 1, "Deleted Ben", NOON, undone=False),
    Event(1, 1, "Took a face away", NOON, undone=False),
]


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal(tmp_path, monkeypatch)
    made.kinfolk.events = list(EVENTS)
    return made


def test_the_history_lists_what_was_done_newest_first(terminal: Terminal) -> None:
    lines = terminal.done("history").output.splitlines()
    named, deleted = (next(line for line in lines if words in line) for words in ("Named somebody Anna", "Deleted Ben"))
    assert lines.index(named) < lines.index(deleted)
    assert "undone" in named
    assert "undone" not in deleted


def test_the_history_as_json_is_for_programs(terminal: Terminal) -> None:
    rows = json.loads(terminal.done("history", "--json", "--limit", "1").stdout)
    assert rows == [{"at": "2026-11-24T12:00:00+00:00", "title": "Named somebody Anna", "undone": True}]


def test_an_empty_history_says_what_to_do(terminal: Terminal) -> None:
    terminal.kinfolk.events = []
    assert "kinfolk serve" in terminal.done("history").output
    assert json.loads(terminal.done("history", "--json").stdout) == []


def test_undo_says_what_was_taken_back(terminal: Terminal) -> None:
    assert terminal.done("undo").output.splitlines() == ["Undone: Deleted Ben"]
    assert terminal.done("undo", "--steps", "5").output.splitlines() == [
        "Undone: Deleted Ben",
        "Undone: Took a face away",
    ]


def test_nothing_to_undo_is_a_message_and_no_success(terminal: Terminal) -> None:
    terminal.kinfolk.events = EVENTS[:1]
    result = terminal.run("undo")
    assert result.exit_code == 1
    assert "There is nothing to undo" in result.stderr
