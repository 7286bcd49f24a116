"""The process in which an accelerator runs: opens sessions and runs them, as it is told, until its owner is gone.

    python -m plugin.vision.accelerator.child PRIORITY FD

Drivers crash, hang and run out of memory; here they take nothing along.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from plugin.domain import Float32Array
from plugin.vision.accelerator.link import LinkBroken, receive, send

OpenSession = Callable[[str, str], Any]
"""(path of a model, name of a provider) -> an `onnxruntime.InferenceSession`."""


def serve(link: socket.socket, open_session: OpenSession) -> None:
    """Answer until the owner hangs up. A Python error is told; anything worse ends this process."""
    sessions: list[Any] = []
    while True:
        try:
            words, tensors = receive(link)
        except (LinkBroken, OSError):
            return
        try:
            said, results = _answer(sessions, words, tensors, open_session)
        except Exception as error:  # noqa: BLE001  whatever a driver throws; the owner decides
            said, results = {"error": f"{type(error).__name__}: {error}"[:4000]}, []
        try:
            send(link, said, results)
        except OSError:
            return


def _answer(
    sessions: list[Any], words: dict[str, Any], tensors: list[Float32Array], open_session: OpenSession
) -> tuple[dict[str, Any], list[Float32Array]]:
    if words["do"] == "load":
        session = open_session(words["path"], words["provider"])
        sessions.append(session)
        return {"session": len(sessions) - 1, "provider": session.get_providers()[0]}, []
    session = sessions[words["session"]]
    return {}, session.run(None, {session.get_inputs()[0].name: tensors[0]})


def run(priority: str, descriptor: int, open_session: OpenSession) -> None:
    """Be this process: end when the owner ends, however it ends, and leave Ctrl-C and SIGTERM to it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_owner, daemon=True).start()
    if priority == "low":
        from plugin.restraint import lower_priority  # noqa: PLC0415  only where it is asked for

        lower_priority()
    with socket.socket(fileno=descriptor) as link:
        serve(link, open_session)
    os._exit(0)  # drivers hang or crash in their own tidying up


def _end_with_owner() -> None:
    """The owner holds the other end of our standard input; a session that hangs must not outlive it."""
    while os.read(0, 1):
        pass
    os._exit(1)


def open_session(path: str, provider: str) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """A session on this provider, or on the CPU where it cannot run; `get_providers` tells."""
    from plugin.vision.runtime import CPU, session  # noqa: PLC0415  30 MB, in this process only

    return session(path, [provider, CPU])


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), open_session)
