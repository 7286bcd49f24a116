"""Downloading over HTTP, given up within seconds when nothing comes."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import requests

from plugin.vision.archives import CHUNK_BYTES, SourceFailed

GIVE_UP_SECONDS = 5.0
"""How long a source may be silent before the next one is tried."""

Progress = Callable[[int, int | None, str], None]
"""Called with (bytes done, bytes in total or None while unknown, what is being fetched)."""

_Message = bytes | int | None | SourceFailed


def download(url: str, path: Path, progress: Progress, give_up: float = GIVE_UP_SECONDS) -> None:
    """Write what is at `url` to `path`.

    Raises:
        SourceFailed: unreachable, silent for `give_up` seconds, refused, or cut off; a part may be at `path`.
    """
    what = url.rsplit("/", 1)[-1]
    done, total = 0, None
    with path.open("wb") as file:
        for part in _stream(url, give_up):
            if isinstance(part, int):
                total = part
                continue
            file.write(part)
            done += len(part)
            progress(done, total, what)
    if total is not None and done < total:
        raise SourceFailed(f"the connection broke after {done} of {total} bytes")


def _stream(url: str, give_up: float) -> Iterator[bytes | int]:
    """The body in chunks, after its length (int) if the server tells it.

    A thread does the waiting, because looking up a name can hang for minutes and obeys no timeout. It touches no
    file, so when it is given up nothing is left but a sleeping daemon thread.
    """
    messages: queue.Queue[_Message] = queue.Queue(maxsize=8)
    given_up = threading.Event()
    threading.Thread(target=_receive, args=(url, give_up, messages, given_up), daemon=True).start()
    try:
        while True:
            try:
                message = messages.get(timeout=give_up)
            except queue.Empty:
                raise SourceFailed(f"nothing came for {give_up:g} seconds") from None
            if message is None:
                return
            if isinstance(message, SourceFailed):
                raise message
            yield message
    finally:
        given_up.set()


def _receive(url: str, give_up: float, messages: "queue.Queue[_Message]", given_up: threading.Event) -> None:
    try:
        with requests.get(url, stream=True, timeout=give_up) as response:
            response.raise_for_status()
            if response.headers.get("Content-Length", "").isdigit() and "Content-Encoding" not in response.headers:
                messages.put(int(response.headers["Content-Length"]))
            for chunk in response.iter_content(CHUNK_BYTES // 16):
                if not _put(messages, chunk, given_up):
                    return
        _put(messages, None, given_up)
    except (requests.RequestException, OSError) as error:
        _put(messages, SourceFailed(_reason(error)), given_up)


def _put(messages: "queue.Queue[_Message]", message: _Message, given_up: threading.Event) -> bool:
    while not given_up.is_set():
        with contextlib.suppress(queue.Full):
            messages.put(message, timeout=0.2)
            return True
    return False


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"{type(error).__name__}: {error}"
