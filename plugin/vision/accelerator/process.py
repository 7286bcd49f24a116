"""The owner's end of an accelerator's process: start it, ask it, and say in words why it failed."""

import contextlib
import logging
import re
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO, Any

from plugin.domain import Float32Array
from plugin.errors import AcceleratorFailed
from plugin.sentences import Sentence
from plugin.vision.accelerator.amd import known_trouble
from plugin.vision.accelerator.link import LinkBroken, receive, send
from plugin.vision.installation import named

log = logging.getLogger(__name__)

KEPT_LINES, LONGEST_LINE = 40, 2000
"""Of what drivers print: the reason of a crash stands there and nowhere else, often at the end of a long line."""

PRINTED_WITHIN = 0.2
"""Seconds: what is printed before an answer may be read after it."""

DIES_WITHIN = 5.0
"""Seconds; a process that hangs inside the kernel cannot be killed, and is left behind."""

CPU_INSTEAD = Sentence("The CPU is used instead; check the driver and that this user may use the device")

NO_LIBRARY = Sentence("Install the libraries of ROCm 7, or build an image that has them; see docs/amd.md")


class AcceleratorProcess:
    """One process with one accelerator. Once it failed, every question fails at once, for the same reason.

    Args:
        provider: ONNX Runtime's name of the accelerator.
        command: what to start; the number of a socket is added.
        environment: of the process.
    """

    def __init__(self, provider: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.provider = provider
        self._turn = threading.Lock()  # accelerators crash when a compilation overlaps another run (seen with MIGraphX)
        self._failure: AcceleratorFailed | None = None
        self._link, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own command
                [*command, str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C in a terminal reaches every process of its group
                env=dict(environment),
            )
        self._printed: deque[str] = deque(maxlen=KEPT_LINES)
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ask(
        self, words: Mapping[str, Any], tensors: Sequence[Float32Array] = (), *, seconds: float
    ) -> tuple[dict[str, Any], list[Float32Array]]:
        """Ask one question, within `seconds`. Thread-safe, one after the other.

        Raises:
            AcceleratorFailed: the process is gone, hangs, or said that it failed; it is ended then.
        """
        with self._turn:
            if self._failure is not None:
                raise self._failure
            try:
                self._link.settimeout(seconds)
                send(self._link, words, tensors)
                answer, results = receive(self._link)
            except TimeoutError as error:
                raise self._fail(_hangs(self.provider, seconds)) from error
            except (LinkBroken, OSError, ValueError) as error:
                raise self._fail(self._death()) from error
            if "error" in answer:
                raise self._fail(_said(self.provider, str(answer["error"])))
            return answer, results

    def not_here(self) -> AcceleratorFailed:
        """Why a session was left to the CPU: what it printed names the library that is missing."""
        time.sleep(PRINTED_WITHIN)
        missing = re.search(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object", "\n".join(self._printed))
        if missing:
            return AcceleratorFailed(
                "%(provider)s needs %(library)s, which is not installed", NO_LIBRARY,
                provider=named(self.provider), library=missing[1],
            )  # fmt: skip
        return AcceleratorFailed(
            "%(provider)s is installed but cannot run here", CPU_INSTEAD, provider=named(self.provider)
        )

    def close(self) -> None:
        """End it. Safe to call twice, and while it is asked: that question then fails."""
        self._end()
        with self._turn:
            self._failure = self._failure or _said(self.provider, "it was ended")
            self._link.close()

    def _fail(self, failure: AcceleratorFailed) -> AcceleratorFailed:
        self._failure = failure
        self._end()
        self._link.close()
        return failure

    def _end(self) -> None:
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(DIES_WITHIN)
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def _death(self) -> AcceleratorFailed:
        """Why it went away, from its last words or the signal that ended it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(DIES_WITHIN)
        self._reader.join(DIES_WITHIN)
        code = self._process.poll()
        words = "\n".join(self._printed)
        trouble = known_trouble(words)
        if trouble is not None:
            return trouble.as_failure(self.provider)
        if code is not None and code < 0:
            return _killed(self.provider, -code)
        return _said(self.provider, _last_line(words) or f"exit code {code}")

    def _read(self, stream: IO[bytes] | None) -> None:
        if stream is None:
            return
        with stream:
            for line in stream:
                text = line.decode("utf-8", "replace").rstrip()
                self._printed.append(text[:LONGEST_LINE])
                log.debug("%s: %s", self.provider, text)


def _hangs(provider: str, seconds: float) -> AcceleratorFailed:
    return AcceleratorFailed(
        "%(provider)s did not answer for %(seconds)s seconds",
        CPU_INSTEAD,
        provider=named(provider),
        seconds=round(seconds),
    )


def _killed(provider: str, number: int) -> AcceleratorFailed:
    if number == signal.SIGKILL:
        return AcceleratorFailed(
            "%(provider)s was killed, perhaps for want of memory", CPU_INSTEAD, provider=named(provider)
        )
    with contextlib.suppress(ValueError):
        return AcceleratorFailed(
            "%(provider)s crashed (%(signal)s)",
            CPU_INSTEAD,
            provider=named(provider),
            signal=signal.Signals(number).name,
        )
    return AcceleratorFailed("%(provider)s crashed (%(signal)s)", CPU_INSTEAD, provider=named(provider), signal=number)


def _said(provider: str, words: str) -> AcceleratorFailed:
    trouble = known_trouble(words)
    if trouble is not None:
        return trouble.as_failure(provider)
    reason = next(iter(words.splitlines()), "")[:200]
    return AcceleratorFailed("%(provider)s failed (%(reason)s)", CPU_INSTEAD, provider=named(provider), reason=reason)


def _last_line(words: str) -> str:
    return next((line for line in reversed(words.splitlines()) if line.strip()), "")
