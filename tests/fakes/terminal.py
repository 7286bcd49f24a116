"""Runs `kinfolk` commands in this process, on a `FakeKinfolk`."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from plugin import assemble
from plugin.cli.app import app
from tests.fakes.kinfolk import FakeKinfolk


class Terminal:
    """A terminal on a machine with a data folder of its own.

    Args:
        folder: becomes the data folder.
        monkeypatch: undone at the end of the test.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.upper().startswith("KINFOLK_")]:
            monkeypatch.delenv(name)
        self.folder = folder
        self.kinfolk = FakeKinfolk()
        self.monkeypatch = monkeypatch
        monkeypatch.setattr(assemble, "open_kinfolk", self.kinfolk.open)

    def run(self, *words: str | Path, typed: str = "") -> Result:
        """Run `kinfolk --data FOLDER WORDS...` with `typed` on standard input."""
        return CliRunner().invoke(app, ["--data", str(self.folder), *map(str, words)], input=typed)

    def done(self, *words: str | Path, typed: str = "") -> Result:
        """Like `run`, for a command that has to work."""
        result = self.run(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return result
