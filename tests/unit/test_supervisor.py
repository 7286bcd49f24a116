"""What an add-on learns from the Supervisor, and what it says when that does not answer."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from plugin import supervisor as module
from plugin.errors import HostError, HostRefused, HostUnreachable
from plugin.supervisor import Supervisor, own_part
from tests.fakes.serving import QuietHandler

TOKEN = "c0ffee" * 8
OWN = {"hostname": "a0d7b954-kinfolk", "network": {"8098/tcp": 18098}, "slug": "a0d7b954_kinfolk"}


@dataclass
class FakeSupervisor:
    """`/addons/self/info` as the Supervisor answers it."""

    data: Any = field(default_factory=lambda: dict(OWN))
    status: int = 200
    body: bytes | None = None
    location: str | None = None
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.asked.append(request.path)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Response(json.dumps({"result": "error"}), 401)(environ, start_response)
        body = self.body if self.body is not None else json.dumps({"result": "ok", "data": self.data}).encode()
        headers = {"Location": self.location} if self.location else {}
        return Response(body, self.status, headers)(environ, start_response)


@pytest.fixture
def fake() -> Iterator[FakeSupervisor]:
    made = FakeSupervisor()
    server = make_server("127.0.0.1", 0, made, threaded=True, request_handler=QuietHandler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join(10)


def client(fake: FakeSupervisor, token: str = TOKEN) -> Supervisor:
    return Supervisor(token, 8099, 8098, fake.url)


def test_a_hook_is_reached_at_the_port_somebody_opened(fake: FakeSupervisor) -> None:
    assert client(fake).for_hooks("home.local") == "http://home.local:18098"
    assert fake.asked == ["/addons/self/info"]


def test_a_port_that_is_closed_is_still_reached_by_other_add_ons(fake: FakeSupervisor) -> None:
    closed: list[object] = [{"8098/tcp": None}, {}, None, {"8098/tcp": "18098"}, [], {"8098/tcp": True}]
    for network in closed:
        fake.data["network"] = network
        assert client(fake).for_hooks("home.local") == "http://a0d7b954-kinfolk:8098"
    assert client(fake).for_addons() == "http://a0d7b954-kinfolk:8099"


@pytest.mark.parametrize("hostname", [None, "", 7, "a/b", "evil.example/x", "a b", "@evil"])
def test_a_host_name_that_is_none_is_not_made_an_address(fake: FakeSupervisor, hostname: object) -> None:
    fake.data["hostname"] = hostname
    with pytest.raises(HostError):
        client(fake).for_addons()


def test_a_wrong_token_is_said_with_advice_and_never_shown(fake: FakeSupervisor) -> None:
    with pytest.raises(HostRefused, match="did not accept the token") as refused:
        client(fake, "deadbeef").for_addons()
    assert "Start the add-on again" in refused.value.advice
    assert "deadbeef" not in str(refused.value.explanation)


@pytest.mark.parametrize("status", [400, 404, 500, 502, 503])
def test_a_supervisor_in_trouble_is_asked_again_later(fake: FakeSupervisor, status: int) -> None:
    fake.status = status
    with pytest.raises(HostUnreachable):
        client(fake).for_addons()


def test_the_token_follows_no_redirect(fake: FakeSupervisor) -> None:
    fake.status, fake.location = 302, f"{fake.url}/elsewhere"
    with pytest.raises(HostUnreachable):
        client(fake).for_addons()
    assert fake.asked == ["/addons/self/info"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"data": []}', b"\xff\xfe", b"[" * 100_000])
def test_an_answer_that_makes_no_sense_is_refused(fake: FakeSupervisor, body: bytes) -> None:
    fake.body = body
    with pytest.raises(HostError, match="answered something unknown"):
        client(fake).for_addons()


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with pytest.raises(HostError):
        own_part(b'{"data": "' + b"x" * module.LARGEST_ANSWER)


def test_a_supervisor_that_is_away_is_said_so() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(HostUnreachable, match="does not answer"):
            Supervisor(TOKEN, 8099, 8098, url).for_addons()


def test_a_supervisor_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(HostUnreachable, match="does not answer"):
            Supervisor(TOKEN, 8099, 8098, f"http://127.0.0.1:{silent.getsockname()[1]}").for_addons()


def test_a_supervisor_that_comes_back_is_heard_again(fake: FakeSupervisor) -> None:
    asking = client(fake)
    fake.status = 503
    with pytest.raises(HostUnreachable):
        asking.for_addons()
    fake.status = 200
    assert asking.for_addons() == "http://a0d7b954-kinfolk:8099"
