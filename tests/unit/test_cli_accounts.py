"""`kinfolk user` on a real data folder: what the Accounts page does, on the command line."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from plugin.assemble import open_kinfolk
from plugin.cli.app import app
from plugin.settings import load_settings

PASSWORD = "correct horse battery"


class Terminal:
    """The command on one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def run(self, *words: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, ["--data", str(self.data), "user", *words], input=typed)

    def done(self, *words: str, typed: str = "") -> str:
        result = self.run(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path / "data")
    for name in ("Anna", "Ben"):
        made.done("add", name, "--password-stdin", typed=f"{PASSWORD}\n")
    return made


def test_accounts_are_listed_with_their_roles(terminal: Terminal) -> None:
    assert terminal.done("list").splitlines() == ["Anna  administrator", "Ben  member"]


def test_one_administrator_always_stays(terminal: Terminal) -> None:
    refused = terminal.run("role", "Anna", "--member")
    assert refused.exit_code == 1
    assert "last administrator" in refused.output
    terminal.done("role", "Ben", "--admin")
    terminal.done("role", "Anna", "--member")
    assert terminal.done("list").splitlines() == ["Anna  member", "Ben  administrator"]


def test_an_account_is_removed_only_after_a_yes(terminal: Terminal) -> None:
    assert terminal.run("remove", "Ben", typed="n\n").exit_code == 1
    assert len(terminal.done("list").splitlines()) == 2
    terminal.done("remove", "Ben", "--yes")
    assert terminal.done("list").splitlines() == ["Anna  administrator"]
    assert terminal.run("remove", "Anna", "--yes").exit_code == 1


def test_an_invitation_holds_on_the_same_data_folder(terminal: Terminal) -> None:
    token = re.search(r"token=(\S+)", terminal.done("invite", "Ben"))
    assert token
    with open_kinfolk(load_settings(terminal.data), exclusive=False) as kinfolk:
        invited = kinfolk.accounts.invited(token.group(1))
    assert invited is not None
    assert invited.name == "Ben"
