"""The containers, as far as that goes without Docker: what the Dockerfile says, and its steps run by a real shell.

What changes the system (`useradd`, `pip`, `chown`, `setpriv`) is replaced by a program that notes what it was asked.
"""

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugin import __version__
from plugin.settings.explaining import allowed_values, variable

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = sorted(DEPLOY.glob("compose*.yaml"))

RECORDER = '#!/bin/sh\necho "$(basename "$0") $*" >>"$RECORD"\n'


@dataclass
class Stage:
    """One stage of the Dockerfile: what it builds on, and its instructions in order."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        return [rest for step, rest in self.steps if step == word]


def read_stages() -> dict[str, Stage]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", "", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    stages: dict[str, Stage] = {}
    current = Stage("", "")
    for line in filter(None, (line.strip() for line in lines)):
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            current = stages[name] = Stage(base, name)
        else:
            current.steps.append((word, rest.strip()))
    return stages


STAGES = read_stages()
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def lineage(name: str) -> list[Stage]:
    """A stage and what it builds on, the first one first."""
    found: list[Stage] = []
    while name in STAGES:
        found.insert(0, STAGES[name])
        name = STAGES[name].base.replace("${ACCELERATOR}", "cpu")
    return found


def instructions(name: str, word: str) -> list[str]:
    return [rest for stage in lineage(name) for rest in stage.all(word)]


def environment(name: str) -> dict[str, str]:
    """What ENV of a stage says at the end."""
    said = " ".join(instructions(name, "ENV"))
    return dict(re.findall(r"(\w+)=(\S*)", said))


def shell(
    script: str, tmp_path: Path, recorded: list[str], **variables: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a script with recorders in place of the programs named; what they were asked."""
    programs = tmp_path / "programs"
    programs.mkdir(exist_ok=True)
    for program in recorded:
        (programs / program).write_text(RECORDER)
        (programs / program).chmod(0o755)
    record = tmp_path / "record"
    record.write_text("")
    given = {"PATH": f"{programs}:/usr/bin:/bin", "RECORD": str(record), **variables}
    done = subprocess.run(
        ["/bin/sh", "-c", script], env=given, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    return done, record.read_text().splitlines()


def test_there_is_an_image_for_home_assistant_and_one_that_never_is_root() -> None:
    assert list(STAGES)[-1] == "app", "the default target"
    assert instructions("app", "USER")[-1] == "8099:8099"
    assert instructions("addon", "USER") == [], "the Supervisor's files are root's; the entrypoint drops it"
    assert TEXT.count(":latest") == 0
    assert "alpine" not in "".join(stage.base for stage in STAGES.values())


@pytest.mark.parametrize("name", ["app", "addon"])
def test_an_image_says_how_it_is_stopped_looked_after_and_called(name: str) -> None:
    assert instructions(name, "STOPSIGNAL") == ["SIGTERM"]
    (health,) = instructions(name, "HEALTHCHECK")
    assert health.endswith('CMD ["healthy.sh"]')
    assert (instructions(name, "ENTRYPOINT"), instructions(name, "CMD")) == (['["entrypoint.sh"]'], ['["serve"]'])
    labels = dict(re.findall(r'([\w.]+)="([^"]*)"', " ".join(instructions(name, "LABEL"))))
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert f"BUILD_VERSION={__version__}" in instructions(name, "ARG")
    assert ({"io.hass.type", "io.hass.version", "io.hass.arch"} <= set(labels)) == (name == "addon")


def test_the_variables_of_the_image_are_settings() -> None:
    known = {variable(key) for key in allowed_values()} | {"KINFOLK_DATA"}
    for name in ("app", "addon"):
        said = {key for key in environment(name) if key.startswith("KINFOLK_")}
        assert said <= known
        assert environment(name)["KINFOLK_DATA"] == "/data"
    # An empty value is none; else it would stand above what the add-on decides.
    assert environment("addon")["KINFOLK_WEB__HOST"] == ""
    assert environment("app")["KINFOLK_WEB__HOST"] == "0.0.0.0"


def is_let_in(path: str) -> bool:
    """Whether .dockerignore lets a path into the build."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    kept = True
    for rule in rules:
        pattern = rule.lstrip("!")
        if fnmatch(path, pattern) or fnmatch(path.partition("/")[0], pattern):
            kept = rule.startswith("!")
    return kept


def test_everything_that_is_copied_is_there_and_nothing_else_enters_the_build() -> None:
    for stage in STAGES.values():
        for said in stage.all("COPY"):
            words = said.split()
            sources = [word for word in words[:-1] if not word.startswith("--")]
            origin = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), None)
            if origin is not None:
                assert origin in STAGES
                continue
            for source in sources:
                assert (ROOT / source).exists(), source
                assert is_let_in(source), source
    for private in (
        "data/catalogue.db",
        ".git/config",
        "tests/unit/test_container.py",
        "docs/README.md",
        ".cache/kinfolk",
    ):
        assert not is_let_in(private), private


@pytest.mark.parametrize(
    "lock",
    [
        "requirements.lock",
        "requirements-build.lock",
        "deploy/requirements-rocm.lock",
        "deploy/requirements-migraphx.lock",
    ],
)
def test_every_dependency_of_the_image_has_one_version_and_its_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert entries
    for entry in entries:
        assert re.match(r"^[\w.\-\[\]]+==[\w.]+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]
    assert Path(lock).name in TEXT or "requirements-$ACCELERATOR.lock" in TEXT


def test_the_locks_for_amd_hold_the_versions_of_the_extras() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for card in ("rocm", "migraphx"):
        (pinned,) = re.findall(
            rf"^onnxruntime-{card}==([\w.]+)", (DEPLOY / f"requirements-{card}.lock").read_text(), re.MULTILINE
        )
        (wanted,) = re.findall(rf'"onnxruntime-{card}([^;"]+)', project)
        lowest = re.findall(r"[\d.]+", wanted)[0]
        assert pinned.startswith(lowest.split(".")[0]), (card, pinned, wanted)


def every_run() -> Iterator[tuple[str, str]]:
    for stage in STAGES.values():
        for script in stage.all("RUN"):
            yield stage.name, script


@pytest.mark.parametrize(("stage", "script"), list(every_run()))
def test_every_step_is_understood_by_the_shell(stage: str, script: str) -> None:
    done = subprocess.run(["/bin/sh", "-n", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def step_with(word: str) -> str:
    (found,) = [script for _, script in every_run() if word in script]
    return found


@pytest.mark.parametrize("accelerator", ["cpu", "rocm", "migraphx", "cuda", ""])
def test_the_runtime_for_a_card_takes_the_place_of_the_plain_one(tmp_path: Path, accelerator: str) -> None:
    script = step_with("requirements-$ACCELERATOR.lock").replace("/opt/kinfolk/bin/", "")
    done, asked = shell(script, tmp_path, ["pip"], ACCELERATOR=accelerator)
    if accelerator in {"rocm", "migraphx"}:
        assert asked == [
            "pip uninstall --yes onnxruntime",
            f"pip install --require-hashes --no-deps --requirement requirements-{accelerator}.lock",
        ]
    else:
        assert asked == []
    assert done.returncode == (0 if accelerator in {"cpu", "rocm", "migraphx"} else 2)
    assert (f"not {accelerator}" in done.stderr) == (done.returncode != 0)


PROGRAMS = ["apt-get", "groupadd", "install", "ldconfig", "pip", "python", "rm", "useradd"]
"""Everything the steps call: replaced, so that none touches this machine."""


def commands_of(script: str) -> list[str]:
    """The simple commands of a step, as its text says."""
    flat = re.sub(r"case .*? in|\besac\b|\w+(?:\|\w+)*\)|\*\)|;;", ";", script)
    parts = [part.strip() for part in re.split(r"&&|;", flat) if part.strip()]
    return [part.split()[0].rpartition("/")[2] for part in parts]


def test_the_steps_call_nothing_but_what_is_replaced_here() -> None:
    called = {command for _, script in every_run() for command in commands_of(script)}
    assert called - {"echo", "exit"} == set(PROGRAMS)


@pytest.mark.parametrize(("stage", "script"), list(every_run()))
def test_every_step_runs_to_its_end_in_order(tmp_path: Path, stage: str, script: str) -> None:
    local = script.replace("/opt/build/bin/", "").replace("/opt/kinfolk/bin/", "").replace("/dist", str(tmp_path))
    done, asked = shell(local, tmp_path, PROGRAMS, ACCELERATOR="rocm")
    assert (done.returncode, done.stderr) == (0, "")
    wanted = [command for command in commands_of(script) if command not in {"echo", "exit"}]
    assert [line.split()[0] for line in asked] == wanted


@pytest.mark.parametrize(("stage", "script"), [one for one in every_run() if "&&" in one[1]])
def test_a_step_that_fails_in_its_middle_fails(tmp_path: Path, stage: str, script: str) -> None:
    local = script.replace("/opt/build/bin/", "").replace("/opt/kinfolk/bin/", "").replace("/dist", str(tmp_path))
    last = commands_of(script)[-1]
    first = next(command for command in commands_of(script) if command not in {"echo", "exit"})
    programs = tmp_path / "programs"
    programs.mkdir()
    shell("true", tmp_path, PROGRAMS)
    (programs / first).write_text('#!/bin/sh\necho "$(basename "$0") $*" >>"$RECORD"\nexit 7\n')
    record = tmp_path / "record"
    given = {"PATH": f"{programs}:/usr/bin:/bin", "RECORD": str(record), "ACCELERATOR": "rocm"}
    done = subprocess.run(["/bin/sh", "-c", local], env=given, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 7
    assert len(record.read_text().splitlines()) == 1, f"{last} must not hide it"


def test_the_user_of_the_image_is_made_and_owns_the_data_folder(tmp_path: Path) -> None:
    done, asked = shell(step_with("useradd"), tmp_path, ["groupadd", "useradd", "install"])
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in asked] == ["groupadd", "useradd", "install"]
    assert "--uid 8099" in asked[1]
    assert asked[2] == "install --directory --owner=kinfolk --group=kinfolk --mode=0700 /data"


def test_kinfolk_is_built_apart_and_installed_without_the_network(tmp_path: Path) -> None:
    script = (
        step_with("pip wheel")
        .replace("/opt/build/bin/", "")
        .replace("/opt/kinfolk/bin/", "")
        .replace("/dist", str(tmp_path))
    )
    done, asked = shell(script, tmp_path, ["python", "pip"])
    assert done.returncode == 0, done.stderr
    assert asked[0] == "python -m venv /opt/build"
    assert asked[-3].startswith("pip install --no-deps --no-index")
    assert asked[-2] == "pip uninstall --yes kubernetes pip", "what runs needs no installer"
    assert "compileall" in asked[-1]


def enter(
    tmp_path: Path, uid: int, *arguments: str, more: dict[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The entrypoint as this user."""
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    (data / "options.json").write_text("{}")
    programs = tmp_path / "programs"
    programs.mkdir(exist_ok=True)
    for program, script in ({"id": f"echo {uid}"} | (more or {})).items():
        (programs / program).write_text(f"#!/bin/sh\n{script}\n")
        (programs / program).chmod(0o755)
    script = " ".join([str(DEPLOY / "entrypoint.sh"), *arguments])
    return shell(script, tmp_path, ["kinfolk", "setpriv", "chown"], KINFOLK_DATA=str(data))


def test_the_entrypoint_becomes_kinfolk_where_it_is_not_root(tmp_path: Path) -> None:
    done, asked = enter(tmp_path, 8099, "serve", "--no-worker")
    assert (done.returncode, done.stderr) == (0, "")
    assert asked == ["kinfolk serve --no-worker"]


def groups_of_cards() -> str:
    """8099 and the groups of the cards of this machine, as setpriv is to be told."""
    devices = [Path("/dev/kfd"), *sorted(Path("/dev/dri").glob("renderD*"))]
    groups = [device.stat().st_gid for device in devices if device.is_char_device()]
    return ",".join(map(str, [8099, *filter(None, groups)]))


def test_the_entrypoint_gives_up_root_for_good(tmp_path: Path) -> None:
    done, asked = enter(tmp_path, 0, "serve")
    assert (done.returncode, done.stderr) == (0, "")
    mine = (tmp_path / "data").stat().st_uid == 8099
    chown, dropped = ([""] if mine else []) + asked
    assert mine or re.match(r"chown --no-dereference 8099:8099 \S+/data \S+/data/options.json$", chown)
    assert re.match(
        rf"setpriv --reuid=8099 --regid=8099 --groups={groups_of_cards()} --inh-caps=-all --bounding-set=-all "
        r"--no-new-privs kinfolk serve$",
        dropped,
    )


BROKEN_FIND = {"find": 'echo "find $*" >>"$RECORD"; exit 1'}
"""As when a file vanishes between being listed and being looked at."""


@pytest.mark.parametrize("arguments", [["snapshot", "take"], ["snapshot", "drop"], ["home", "clear"]])
def test_a_command_beside_a_working_kinfolk_does_not_walk_its_files(tmp_path: Path, arguments: list[str]) -> None:
    """The Supervisor gives a backup up when `backup_pre` fails."""
    done, asked = enter(tmp_path, 0, *arguments, more=BROKEN_FIND)
    assert (done.returncode, done.stderr) == (0, "")
    (dropped,) = asked
    assert dropped.startswith("setpriv")
    assert dropped.endswith(f"kinfolk {' '.join(arguments)}")


@pytest.mark.parametrize("arguments", [[], ["serve"], ["worker"]])
def test_a_file_that_vanishes_stops_no_start(tmp_path: Path, arguments: list[str]) -> None:
    done, asked = enter(tmp_path, 0, *arguments, more=BROKEN_FIND)
    assert done.returncode == 0
    assert "could be given to Kinfolk" in done.stderr
    assert asked[0].startswith(f"find {tmp_path}/data -ignore_readdir_race ")
    assert asked[1].startswith("setpriv")


def test_the_groups_of_the_cards_are_those_of_their_devices(tmp_path: Path) -> None:
    """With devices that are none: `[ -c ]` is answered by the test, as /dev may not be changed here."""
    text = (DEPLOY / "entrypoint.sh").read_text().replace("[ -c ", "[ -e ").replace("/dev/", f"{tmp_path}/dev/")
    entrypoint = tmp_path / "entrypoint.sh"
    entrypoint.write_text(text)
    entrypoint.chmod(0o755)
    devices = {"kfd": 993, "dri/renderD128": 105, "dri/renderD129": 0, "dri/card0": 44}
    for name in devices:
        (tmp_path / "dev" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "dev" / name).touch()
    answers = "".join(f"*/{name}) echo {group} ;; " for name, group in devices.items())
    (tmp_path / "data").mkdir()
    programs = tmp_path / "programs"
    programs.mkdir()
    for program, script in {"id": "echo 0", "stat": f'case "$2" in {answers}esac'}.items():
        (programs / program).write_text(f"#!/bin/sh\n{script}\n")
        (programs / program).chmod(0o755)
    data = str(tmp_path / "data")
    done, asked = shell(f"{entrypoint} serve", tmp_path, ["kinfolk", "setpriv", "chown"], KINFOLK_DATA=data)
    assert (done.returncode, done.stderr) == (0, "")
    assert " --groups=8099,993,105 " in asked[-1], "the group of root opens nothing to us"


def test_a_link_in_the_data_folder_leads_root_nowhere(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/evil").symlink_to("/etc")
    _, asked = enter(tmp_path, 0, "serve")
    assert "/etc" not in "".join(asked)
    assert all("--no-dereference" in line for line in asked if line.startswith("chown"))


class Answer(BaseHTTPRequestHandler):
    """One status for everything."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nothing on stderr."""


def healthy(name: str, port: int) -> bool:
    given = {"PATH": "/usr/bin:/bin", name: str(port)}
    return subprocess.run([DEPLOY / "healthy.sh"], env=given, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("status", [200, 404, 500, 503])
def test_the_health_check_believes_only_a_good_answer(status: int) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Fixed", (Answer,), {"status": status}))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    answers = [healthy(name, server.server_port) for name in ("KINFOLK_WEB__PORT", "APP_PORT")]
    server.shutdown()
    server.server_close()
    assert answers == [status == 200] * 2
    assert not healthy("APP_PORT", server.server_port)


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_may_be_run_and_stop_at_the_first_mistake(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def services_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return found


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_gives_kinfolk_no_more_than_it_needs(path: Path) -> None:
    mine = {name: one for name, one in services_of(path).items() if "kinfolk/kinfolk" in one["image"]}
    assert mine
    for service in mine.values():
        assert service["image"].endswith(f":{__version__}")
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["stop_grace_period"] == "2m"
        assert not {"privileged", "network_mode", "pid", "user"} & set(service)
        assert all(mount.endswith(":ro") or mount == "kinfolk:/data" for mount in service["volumes"])
        assert service["build"] == {"context": "..", "target": "app"}
    for service in services_of(path).values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert not service["image"].endswith(":latest")


def test_the_compose_files_name_commands_and_settings_that_exist() -> None:
    scaled = services_of(DEPLOY / "compose.scaled.yaml")
    assert (scaled["pages"]["command"], scaled["worker"]["command"]) == (["serve", "--no-worker"], ["worker"])
    beside = services_of(DEPLOY / "compose.nextcloud.yaml")["kinfolk"]["environment"]
    assert set(beside) <= {variable(key) for key in allowed_values()} | {"TZ"}


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_nights_and_quiet_hours_follow_the_clock_that_is_named(path: Path) -> None:
    """A container knows UTC only."""
    mine = [one for one in services_of(path).values() if "kinfolk/kinfolk" in one["image"]]
    assert [one["environment"]["TZ"] for one in mine] == ["${TZ:-UTC}"] * len(mine)
    for page in ("docs/home-assistant.md", "docs/home-assistant-mqtt.md"):
        assert "`TZ`" in (ROOT / page).read_text(encoding="utf-8"), page


def test_no_password_is_written_into_a_compose_file() -> None:
    for path in COMPOSE:
        for line in path.read_text().splitlines():
            if "PASSWORD:" in line:
                assert "${DATABASE_PASSWORD:?" in line
