"""Running the real `kinfolk` command on its own data folder, with real models and no network."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from plugin.catalogue.store import SqlCatalogue, open_catalogue
from tests.end_to_end.browsing import ARGUMENTS
from tests.web.family import Family, add_stranger_faces, faces_of_nobody, family_with_photos

Row = dict[str, Any]


@dataclass
class Kinfolk:
    """The installed command, with one data folder."""

    data: Path
    environment: dict[str, str]

    def command(self, *arguments: str) -> list[str]:
        """The whole command line."""
        return [sys.executable, "-m", "plugin", "--data", str(self.data), *arguments]

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the command and do not wait."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **options,
        )

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run the command to its end; its output."""
        process = self.start(*arguments)
        output = process.communicate(timeout=240)[0]
        assert process.returncode == expect, output
        return output

    def faces(self) -> list[Row]:
        """What `kinfolk export faces` says."""
        target = self.data / "faces.json"
        self.run("export", "faces", "--json", "-o", str(target))
        rows: list[Row] = json.loads(target.read_text(encoding="utf-8"))
        target.unlink()
        return rows


@pytest.fixture
def kinfolk(tmp_path: Path, model_folder: Path) -> Kinfolk:
    """`kinfolk` on an empty data folder in which the default pack is installed already."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copytree(model_folder, data / "models", copy_function=os.link)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KINFOLK_")}
    return Kinfolk(data, environment | {"PIP_NO_INDEX": "1"})


@pytest.fixture
def album(tmp_path: Path, sample_album: Path) -> Path:
    """A copy of the sample album that a test may change."""
    return Path(shutil.copytree(sample_album, tmp_path / "photos"))


@pytest.fixture
def started(kinfolk: Kinfolk) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start commands that are killed at the end of the test, whatever happened."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        processes.append(kinfolk.start(*arguments))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqlCatalogue]:
    """In a file: the threads of a server cannot share one connection in memory."""
    opened = open_catalogue(tmp_path / "catalogue.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def family(catalogue: SqlCatalogue) -> Family:
    """A family with photos, strangers and faces of nobody, everybody shown."""
    made = family_with_photos(catalogue)
    add_stranger_faces(made)
    faces_of_nobody(made)
    made.services.people.set_hidden(made.account.id, made.people["Clara"], hidden=False)
    return made
