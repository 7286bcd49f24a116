"""`kinfolk writeback`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from plugin import assemble
from plugin.domain import AssignedBy
from plugin.errors import HostUnreachable
from plugin.ports.written import NameKind
from tests.fakes.terminal import Terminal
from tests.fakes.writing_host import Household, raising


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Household:
    """Anna is on one of three photos."""
    made = Household()
    anna = made.catalogue.people.add(made.account_id, "Anna")
    made.catalogue.faces.assign([(made.faces[0][0], anna)], AssignedBy.USER)
    return made


@pytest.fixture
def terminal(home: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal(tmp_path, monkeypatch)

    @contextmanager
    def opened(_settings: object, *, exclusive: bool) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(catalogue=home.catalogue, writing=home.writing())

    monkeypatch.setattr(assemble, "open_kinfolk", opened)
    return made


def test_a_preview_lists_every_way_and_writes_nothing(terminal: Terminal, home: Household) -> None:
    output = terminal.done("writeback", "--preview").output
    assert "tags" in output
    assert "sidecars" in output
    assert "off" in output
    assert home.host.written == []


def test_names_are_written_where_it_was_turned_on(terminal: Terminal, home: Household) -> None:
    home.writing().start(home.library, NameKind.TAGS)
    assert "1 photos written, 0 in trouble" in terminal.done("writeback").output
    assert home.host.tags_of(home.paths[0]) == {"Person: Anna"}
    assert not home.host.sidecars


def test_where_nothing_is_turned_on_it_says_how(terminal: Terminal) -> None:
    assert "Names to the host" in terminal.done("writeback").output


def test_a_host_that_is_away_is_said(terminal: Terminal, home: Household) -> None:
    home.writing().start(home.library, NameKind.TAGS)
    home.host.trouble = raising(HostUnreachable("The cloud is away", "Wait"))
    assert "The cloud is away" in terminal.done("writeback").output
