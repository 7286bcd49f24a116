"""A real Mosquitto of our own: a loopback port, a password file, nothing left behind."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from plugin.mqtt.broker import BrokerLogin, Heard, PahoConnection

USER, PASSWORD = "kinfolk", "open sesame"
PATHS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
"""Debian keeps daemons where only root looks."""


def program(name: str) -> str:
    found = shutil.which(name, path=PATHS)
    assert found, f"{name} is missing: apt-get install mosquitto (scripts/test.sh does)"
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@dataclass
class Mosquitto:
    """A broker that can be stopped and started again on the same port; what is kept there does not survive that."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def login(self) -> BrokerLogin:
        return BrokerLogin("127.0.0.1", self.port, USER, PASSWORD)

    def start(self) -> None:
        passwords, rules, settings = (self.folder / name for name in ("passwords", "rules", "mosquitto.conf"))
        passwords.touch(mode=0o600)
        for user in (USER, "reader"):
            subprocess.run(
                [program("mosquitto_passwd"), "-b", passwords, user, PASSWORD], check=True, capture_output=True
            )
        rules.write_text(f"user {USER}\ntopic readwrite #\nuser reader\ntopic read #\n")
        rules.chmod(0o600)
        settings.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npersistence false\n"
            f"password_file {passwords}\nacl_file {rules}\n" + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.process = subprocess.Popen([program("mosquitto"), "-c", settings], stderr=subprocess.DEVNULL)
        eventually(self._answers)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def _answers(self) -> bool:
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass
class Listener:
    """Somebody else at the broker (Home Assistant, say), and everything they heard."""

    mosquitto: Mosquitto
    heard: list[Heard] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = PahoConnection(self.mosquitto.login, f"listener-{id(self)}", None, self.heard.append)

    def listen(self, *topics: str) -> "Listener":
        self.connection.listen(list(topics))
        return self

    def last(self, topic: str) -> bytes | None:
        said = [heard.payload for heard in list(self.heard) if heard.topic == topic]
        return said[-1] if said else None


def kept_at(mosquitto: Mosquitto) -> dict[str, bytes]:
    """Everything the broker keeps, as somebody learns who comes now."""
    listener = Listener(mosquitto).listen("#")
    # A mark of our own, said after we began to listen, comes after everything that was kept.
    listener.connection.publish("mark", b"now", keep=False)
    eventually(lambda: listener.last("mark") is not None)
    listener.connection.close()
    return {heard.topic: heard.payload for heard in listener.heard if heard.kept}


@contextmanager
def running(folder: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(folder)
    mosquitto.start()
    try:
        yield mosquitto
    finally:
        mosquitto.stop()
