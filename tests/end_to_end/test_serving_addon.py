"""The container of the add-on without Docker: its entrypoint, its environment, the files the Supervisor writes."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from plugin.settings.addon_options import OPTIONS_FILE
from tests.end_to_end.test_sample_album import wait_for_finished_assets
from tests.fakes.home_assistant import HomeAssistant
from tests.unit.test_addon import MANIFEST, backed_up
from tests.unit.test_container import environment, instructions

ROOT = Path(__file__).parents[2]


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])


@dataclass
class Container:
    """What Docker would start: the entrypoint with the image's environment, for a user that is not root."""

    data: Path
    programs: Path
    home: HomeAssistant
    ports: tuple[int, int] = field(default_factory=free_ports)
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)

    def options(self, **options: object) -> None:
        """What the Supervisor writes before each start."""
        (self.data / OPTIONS_FILE).write_text(json.dumps(options), encoding="utf-8")

    def start(self, *command: str, cwd: Path | None = None, **more: str) -> "subprocess.Popen[str]":
        port, hook_port = self.ports
        given = environment("addon") | {
            # The address of the Supervisor and the ports are the container's own; here they belong to this machine.
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "KINFOLK_DATA": str(self.data),
            "KINFOLK_WEB__PORT": str(port),
            "KINFOLK_WEB__HOOK_PORT": str(hook_port),
            "KINFOLK_INGRESS__SUPERVISOR": self.home.address_of_supervisor,
            "SUPERVISOR_TOKEN": "c0ffee" * 8,
            "PYTHONPATH": str(ROOT),
            **more,
        }
        process = subprocess.Popen(
            [str(ROOT / "deploy/entrypoint.sh"), *(command or ("serve",))], env=given, cwd=cwd or self.data, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.processes.append(process)
        self.home.addon = f"http://127.0.0.1:{port}"
        return process

    def answers(self, path: str = "/healthz", at: int = 0) -> int:
        """The status, 0 while nobody answers."""
        try:
            return requests.get(
                f"http://127.0.0.1:{self.ports[at]}{path}", timeout=20, allow_redirects=False
            ).status_code
        except requests.ConnectionError:
            return 0

    def panel(self, path: str) -> requests.Response:
        """A page, as Maria's browser gets it."""
        url = f"{self.home.address}{self.home.prefix}{path}"
        answer = requests.get(url, cookies={"ingress_session": "maria"}, timeout=30)
        # Ingress loses the character set on the way; a browser finds it in the page.
        answer.encoding = "utf-8"
        return answer


def until(true: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 90
    while not true():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    data, programs = tmp_path / "data", tmp_path / "programs"
    data.mkdir()
    programs.mkdir()
    (programs / "kinfolk").write_text(f'#!/bin/sh\nexec {sys.executable} -m plugin "$@"\n')
    (programs / "id").write_text("#!/bin/sh\necho 8099\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    with HomeAssistant() as home:
        made = Container(data, programs, home)
        yield made
        for process in made.processes:
            process.kill()
            process.communicate()


def test_the_add_on_starts_serves_its_panel_and_stops_as_the_image_says(container: Container) -> None:
    container.options(log_level="info", backup_keep=7, ingress_administrators=["maria"])
    process = container.start()
    until(lambda: container.answers() == 200, process)
    health = subprocess.run(
        [ROOT / "deploy/healthy.sh"], env={"PATH": os.environ["PATH"], "KINFOLK_WEB__PORT": str(container.ports[0])},
        check=False,
    )  # fmt: skip
    assert health.returncode == 0
    assert container.panel("/start").status_code == 200
    assert "María Müller" in container.panel("/settings/accounts").text
    # Past Home Assistant nothing is shown, and on the port for hooks nothing but hooks is heard.
    assert [container.answers(path) for path in ("/", "/login", "/welcome")] == [403, 403, 403]
    assert [container.answers(path, at=1) for path in ("/", "/login", "/healthz", "/hooks/nextcloud/1")] == [
        404,
        404,
        200,
        405,
    ]
    # The Supervisor is away (its name leads nowhere here): the page says so and goes on.
    told = container.panel("/settings/other-apps")
    assert told.status_code == 200
    assert "The Supervisor of Home Assistant does not answer" in told.text
    (stop,) = instructions("addon", "STOPSIGNAL")
    process.send_signal(signal.Signals[stop])
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    assert "Kinfolk is ready: People, in the sidebar of Home Assistant" in said
    assert "welcome?token" not in said, "nobody needs a link; the log of an add-on is read by others"
    assert "c0ffee" not in said
    assert "snapshot.zip" in backed_up(container.data), "a backup of the stopped add-on holds the catalogue too"


def finished(catalogue: Path) -> dict[str, int]:
    """How many assets are in each state of detection, once nothing is looked at any more."""
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as connection:
        held = connection.execute("SELECT count(*) FROM asset WHERE leased_by IS NOT NULL").fetchone()[0]
        tried = connection.execute("SELECT count(*) FROM asset WHERE state = 'pending' AND attempts > 0").fetchone()[0]
        assert (held, tried) == (0, 0), "a clean stop gives everything back, and counts no attempt"
        return dict(connection.execute("SELECT state, count(*) FROM asset GROUP BY state").fetchall())


def files_of_the_program() -> set[str]:
    """What the image has of its own; compiled Python is kept away by its environment, not by that of these tests."""
    folders = [*(ROOT / name for name in ("plugin", "templates", "static", "deploy")), Path(sys.prefix)]
    files = (path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {str(path) for path in files}


@pytest.mark.models
def test_a_stop_while_photos_are_looked_at_finishes_them_and_nothing_but_data_and_tmp_was_written(
    container: Container, model_folder: Path, sample_album: Path, tmp_path: Path
) -> None:
    """Models, index, cache and queue at work: the root of the container is read only, and Huey must end by itself."""
    container.options(detection_workers=1)
    shutil.copytree(model_folder, container.data / "models", copy_function=os.link)
    album, elsewhere = tmp_path / "album", [tmp_path / name for name in ("home", "work", "tmp")]
    for number in range(6):
        shutil.copytree(sample_album, album / str(number))
    for folder in elsewhere:
        folder.mkdir()
    home, work, temporary = elsewhere
    added = container.start("library", "add", "folder", str(album))
    assert added.wait(60) == 0, added.communicate()[0]
    before = files_of_the_program()
    process = container.start(cwd=work, HOME=str(home), TMPDIR=str(temporary))
    wait_for_finished_assets(container.data / "catalogue.db", 3)
    (stop,) = instructions("addon", "STOPSIGNAL")
    process.send_signal(signal.Signals[stop])
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    states = finished(container.data / "catalogue.db")
    assert states["done"] >= 3
    assert states["pending"] > 0, "it stopped in the middle"
    assert not states.keys() - {"done", "pending"}
    assert [list(folder.rglob("*")) for folder in (home, work)] == [[], []]
    assert files_of_the_program() == before


def test_a_wrong_option_stops_the_start_and_the_log_says_which(container: Container) -> None:
    container.options(backup_keep=0, log_level="loud")
    process = container.start()
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 2
    assert "backup.keep is 0 (the option backup_keep of the add-on); allowed: a whole number from 1 to 100" in said
    assert "the option log_level of the add-on" in said
    assert "Configuration tab of the add-on" in said
    assert "Traceback" not in said


def test_a_backup_that_is_restored_holds_every_name(container: Container, tmp_path: Path) -> None:
    """The command as the Supervisor runs it, and a new add-on on what it kept."""
    container.options()
    assert container.start("user", "invite", "admin").wait(60) == 0
    accounts = container.start("user", "list")
    before = accounts.communicate(timeout=60)[0]
    script, *words = MANIFEST["backup_pre"].split()
    assert script == "entrypoint.sh"
    done = container.start(*words)
    assert done.wait(60) == 0, done.communicate()[0]
    kept = {name: (container.data / name).read_bytes() for name in backed_up(container.data)}
    assert "snapshot.zip" in kept
    container.data = tmp_path / "restored"
    for name, content in kept.items():
        (container.data / name).parent.mkdir(parents=True, exist_ok=True)
        (container.data / name).write_bytes(content)
    again = container.start("user", "list")
    assert again.communicate(timeout=60)[0].endswith(before)
    assert (container.data / "catalogue.db").exists()


def test_an_add_on_that_went_back_leaves_the_newer_catalogue_alone(container: Container) -> None:
    container.options()
    process = container.start("user", "list")
    assert process.wait(60) == 0, process.communicate()[0]
    catalogue = container.data / "catalogue.db"
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = catalogue.read_bytes()
    refused = container.start()
    said = refused.communicate(timeout=60)[0]
    assert refused.returncode == 1
    assert "newer Kinfolk (revision 9999)" in " ".join(said.split())
    assert "Install that version again" in " ".join(said.split())
    assert catalogue.read_bytes() == before
