"""`pip install .` gives a working program: the wheel, outside the checkout, serves a page and a static file."""

import os
import signal
import site
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


def run(*command: str | Path, cwd: Path) -> str:
    """What a command printed; it has to work."""
    result = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh virtual environment that holds nothing but our wheel; its dependencies are ours."""
    folder = tmp_path_factory.mktemp("install")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "dist", ROOT, cwd=folder)
    (wheel,) = (folder / "dist").glob("kinfolk-*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv/bin/python"
    run(*pip, "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder)
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    # A path named here is searched last, and its own .pth files (an editable Kinfolk) are not followed.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n", encoding="utf-8")
    return python.parent


@pytest.fixture
def address(installed: Path, tmp_path: Path) -> Iterator[str]:
    """Where the installed `kinfolk serve` answers, started from a folder that has nothing to do with the checkout."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("KINFOLK_", "PYTHON"))}
    with (tmp_path / "log").open("w") as log:
        command = [str(installed / "kinfolk"), "--data", str(tmp_path / "data"), "serve", "--port", str(port)]
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", server, tmp_path / "log")
        yield f"http://127.0.0.1:{port}"
        server.send_signal(signal.SIGTERM)
        assert server.wait(START_SECONDS) == 0, (tmp_path / "log").read_text()
    finally:
        server.kill()
        server.wait()


def wait_for(page: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the page answers or the server has ended."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            requests.get(page, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(log.read_text())


def test_the_program_that_runs_is_the_installed_one(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import plugin; print(plugin.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert run(installed / "kinfolk", "--version", cwd=tmp_path).startswith("kinfolk ")


def test_a_page_and_a_static_file_are_served_from_the_wheel(installed: Path, address: str) -> None:
    assert requests.get(f"{address}/healthz", timeout=30).status_code == 200
    front = requests.get(address, timeout=30)
    assert front.status_code == 200
    assert "<html" in front.text
    german = requests.get(address, headers={"Accept-Language": "de"}, timeout=30)
    assert "Fast geschafft" in german.text, "the wheel lacks the compiled translations"
    (packages,) = (installed.parent / "lib").glob("python*/site-packages")
    static = packages / "plugin" / "static"
    style = next(path for path in sorted(static.rglob("*.css")))
    served = requests.get(f"{address}/static/{style.relative_to(static).as_posix()}", timeout=30)
    assert served.status_code == 200
    assert served.content == style.read_bytes()
