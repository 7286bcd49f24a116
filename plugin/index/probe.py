"""Is a Chroma folder safe to open? Asked in a child process, because a damaged one can kill whoever opens it.

`python -m plugin.index.probe FOLDER` is the child: it opens, counts, searches and writes one vector back as it was,
and prints a `Probe` as JSON. It ends at once when its standard input closes, so it never outlives a killed parent and
the folder is never open in two processes.
"""

import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import plugin
from plugin.errors import SearchIndexDamaged, SearchIndexError
from plugin.index.chroma import ChromaIndex
from plugin.index.folder import logged_rows, oversized_links

TIMEOUT_SECONDS = 300.0
"""Opening 100,000 faces takes a second and replaying 10,000 logged rows ten; a small board may need ten times that."""

LOGGED_ROWS_LIMIT = 10_000
"""More logged rows than this, and rebuilding is preferred: replaying them takes as long, and twice at every start."""

MEMORY_BYTES = 16 * 2**30
"""Address space of the child: a damaged length must fail there instead of calling the out-of-memory killer."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What opening the folder in a child showed.

    Attributes:
        verdict: `sound`, `damaged`, `overgrown` when its log takes as long to replay as a rebuild (it was not opened),
            or `unusable` when Chroma itself does not work and the folder may be fine.
        detail: why, one sentence part; "" when sound.
        faces: vectors in all packs. logged: rows that have to be replayed at every opening.
    """

    verdict: Literal["sound", "damaged", "overgrown", "unusable"]
    detail: str = ""
    faces: int = 0
    logged: int = 0


def probe(folder: Path, timeout: float = TIMEOUT_SECONDS) -> Probe:
    """Look at the folder without opening it, then open it in a child process. Never raises for what it finds."""
    try:
        if links := oversized_links(folder):
            return Probe("damaged", f"{links.relative_to(folder)} is larger than any sound one")
        if (logged := logged_rows(folder)) > LOGGED_ROWS_LIMIT:
            return Probe("overgrown", f"{logged} rows would have to be replayed", logged=logged)
    except (OSError, sqlite3.Error) as error:
        return Probe("damaged", f"its files cannot be read: {error}")
    try:
        return _read(_run_child(folder, timeout))
    except subprocess.TimeoutExpired:
        return Probe("damaged", f"it did not open within {timeout:.0f} seconds")
    except OSError as error:
        return Probe("unusable", f"no child process could be started: {error}")


def _run_child(folder: Path, timeout: float) -> "subprocess.CompletedProcess[bytes]":
    source = str(Path(plugin.__file__).parents[1])
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    # Not subprocess.PIPE: `run` would close it at once, and the child takes that for the end of its parent.
    child_end, our_end = os.pipe()
    try:
        return subprocess.run(  # noqa: S603 - our own module in our own interpreter
            [sys.executable, "-m", "plugin.index.probe", str(folder)],
            stdin=child_end,
            capture_output=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "PYTHONPATH": path},
        )
    finally:
        os.close(child_end)
        os.close(our_end)


def _read(child: "subprocess.CompletedProcess[bytes]") -> Probe:
    """A child that was killed by a signal, or said nothing sensible, has seen a damaged folder."""
    if child.returncode:
        return Probe("damaged", f"opening it ended with exit status {child.returncode}")
    try:
        return Probe(**json.loads(child.stdout.splitlines()[-1]))
    except (ValueError, TypeError, IndexError):
        return Probe("damaged", "opening it gave no answer")


def look_inside(folder: Path) -> Probe:
    """What the child does; anything from an exception to a crash of the process may happen here."""
    logged = logged_rows(folder)
    try:
        index = ChromaIndex(folder)
    except SearchIndexDamaged as error:
        return Probe("damaged", str(error))
    except SearchIndexError as error:
        return Probe("unusable", str(error))
    try:
        faces = sum(_exercise(index, pack) for pack in index.packs())
    except (SearchIndexError, ValueError) as error:
        return Probe("damaged", str(error))
    finally:
        index.close()
    return Probe("sound", faces=faces, logged=logged)


def _exercise(index: ChromaIndex, pack: str) -> int:
    """Count, read, search and write: each is a moment in which latent damage was seen to strike."""
    ids = index.ids(pack)
    if not ids:
        return 0
    some, embeddings = index.embeddings(pack, [min(ids)])
    if not some or not index.nearest(pack, embeddings[0], 10):
        raise SearchIndexDamaged(f"A face of {pack} has no embedding")
    index.add(pack, some, embeddings)
    return len(ids)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read(): the interpreter cannot end while a thread holds its buffer
    os._exit(1)


def main() -> None:
    """The child process."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = MEMORY_BYTES if limit == resource.RLIM_INFINITY else min(MEMORY_BYTES, limit)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout.write(json.dumps(asdict(look_inside(Path(sys.argv[1])))) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
