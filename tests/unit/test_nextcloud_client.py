"""The HTTP client: one server, polite, safe against what servers and networks do wrong."""

import io
import logging
import threading
from collections.abc import Callable, Iterator

import pytest
from werkzeug.wrappers import Request, Response

from plugin.errors import AssetGone, BadListing, HostBusy, HostRefused, HostUnreachable, LoginRefused
from plugin.hosts.network.limits import HASTY, Limits
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.multistatus import entries
from tests.fakes.nextcloud import FakeNextcloud


@pytest.fixture
def server() -> Iterator[FakeNextcloud]:
    with FakeNextcloud() as running:
        running.cloud.add_user("anna", "pä55 word")
        running.cloud.put("anna", "anna.jpg", b"Anna laughs")
        yield running


Connect = Callable[..., NextcloudClient]


@pytest.fixture
def connect(server: FakeNextcloud) -> Iterator[Connect]:
    clients = []

    def make(password: str = "pä55 word", limits: Limits | None = None, **options: object) -> NextcloudClient:
        login = Login(server.address, "anna", password)
        clients.append(NextcloudClient(login, limits, sleep=lambda _seconds: None, **options))  # type: ignore[arg-type]
        return clients[-1]

    yield make
    for client in clients:
        client.close()


FILE = "/remote.php/dav/files/anna/anna.jpg"


def test_a_user_with_any_password_is_known(connect: Connect) -> None:
    assert connect().ocs("GET", "/ocs/v2.php/cloud/user")["id"] == "anna"


def test_a_wrong_password_is_tried_once_and_never_again(server: FakeNextcloud, connect: Connect) -> None:
    told: list[LoginRefused] = []
    client = connect("wrong", on_refused=told.append)
    for _ in range(5):
        with pytest.raises(LoginRefused) as raised:
            client.answer("GET", FILE)
        assert raised.value.advice
    assert len(server.seen) == 1
    assert len(told) == 1


def test_a_throttled_server_is_left_alone(server: FakeNextcloud, connect: Connect) -> None:
    clock = [0.0]
    client = connect(now=lambda: clock[0])
    server.wrong_passwords = server.throttle_after
    for _ in range(5):
        with pytest.raises(HostBusy, match="slows"):
            client.answer("GET", FILE)
    assert len(server.seen) == 1
    server.wrong_passwords, clock[0] = 0, 61.0
    assert client.answer("GET", FILE) == b"Anna laughs"


def test_maintenance_is_said_and_waited_for(server: FakeNextcloud, connect: Connect) -> None:
    clock = [0.0]
    client = connect(now=lambda: clock[0])
    server.maintenance = True
    for _ in range(3):
        with pytest.raises(HostBusy, match="maintenance"):
            client.answer("GET", FILE)
    assert len(server.seen) == 1
    server.maintenance, clock[0] = False, 61.0
    assert client.answer("GET", FILE) == b"Anna laughs"


def test_maintenance_of_pages_says_how_long(server: FakeNextcloud, connect: Connect) -> None:
    clock = [0.0]
    client = connect(now=lambda: clock[0])
    server.maintenance = True
    with pytest.raises(HostBusy, match="maintenance") as raised:
        client.answer("GET", "/index.php/core/preview")
    assert raised.value.seconds == 120


def test_who_waits_in_front_of_a_page_waits_longer_than_nextcloud_holds_answers_back() -> None:
    assert HASTY.read_seconds > 30, "25 s after wrong passwords, for right ones as well; 27 s were measured"


def test_a_short_wait_is_waited_within_the_request(server: FakeNextcloud, connect: Connect) -> None:
    refusals = [Response("", 503, headers={"Retry-After": "1"})] * 2
    server.interfere = lambda _request: refusals.pop() if refusals else None
    assert connect().answer("GET", FILE) == b"Anna laughs"


@pytest.mark.parametrize(("status", "sent"), [(429, 2), (502, 1), (503, 1), (504, 1)])
def test_what_may_have_been_done_is_not_sent_again(
    server: FakeNextcloud, connect: Connect, status: int, sent: int
) -> None:
    refusals = [Response("", status, headers={"Retry-After": "1"})]
    server.interfere = lambda _request: refusals.pop() if refusals else None
    client = connect(limits=Limits(pause_seconds=1))
    if sent == 1:
        with pytest.raises(HostBusy):
            client.answer("GET", FILE, again=False)
    else:
        assert client.answer("GET", FILE, again=False) == b"Anna laughs"
    assert len(server.seen) == sent


def test_a_short_pause_does_not_cut_a_longer_one_short(server: FakeNextcloud) -> None:
    """One request is told to wait 2 s while another one was just told to stay away for a minute."""
    clock = [0.0]
    login = Login(server.address, "anna", "pä55 word")
    slept: list[float] = []
    client = NextcloudClient(login, Limits(at_once=4), now=lambda: clock[0], sleep=slept.append)
    late_answer, inner = threading.Event(), threading.Event()

    def interfere(request: Request) -> Response:
        if request.headers.get("X-Which") == "late":
            inner.set()
            late_answer.wait(5)
            return Response("", 503, headers={"Retry-After": "2"})
        return Response("", 429)

    server.interfere = interfere
    errors: list[HostBusy] = []

    def late() -> None:
        with pytest.raises(HostBusy) as raised:
            client.answer("GET", FILE, headers={"X-Which": "late"})
        errors.append(raised.value)

    thread = threading.Thread(target=late)
    thread.start()
    inner.wait(5)
    with pytest.raises(HostBusy):
        client.answer("GET", FILE)
    late_answer.set()
    thread.join()
    asked = len(server.seen)
    with pytest.raises(HostBusy) as raised:
        client.answer("GET", FILE)
    client.close()
    assert len(server.seen) == asked == 2, "nothing is sent within the minute"
    assert (raised.value.asked, raised.value.seconds) == (False, 60.0)
    assert [error.asked for error in errors] == [False], "it was not asked once more within the minute, either"


def test_while_one_request_waits_the_others_wait_with_it(server: FakeNextcloud) -> None:
    clock = [0.0]
    waits, may_go_on = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        waits.set()
        may_go_on.wait(5)
        clock[0] += seconds

    login = Login(server.address, "anna", "pä55 word")
    client = NextcloudClient(login, now=lambda: clock[0], sleep=sleep)
    refusals = [Response("", 503, headers={"Retry-After": "3"})]
    server.interfere = lambda _request: refusals.pop() if refusals else None
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(client.answer("GET", FILE))) for _ in range(2)]
    threads[0].start()
    waits.wait(5)
    waits.clear()
    threads[1].start()
    assert waits.wait(5), "the second one waits, too"
    assert len(server.seen) == 1
    may_go_on.set()
    for thread in threads:
        thread.join()
    client.close()
    assert answers == [b"Anna laughs"] * 2


def test_a_server_that_is_off_is_unreachable_with_advice(server: FakeNextcloud, connect: Connect) -> None:
    client = connect()
    server.stop()
    with pytest.raises(HostUnreachable) as raised:
        client.answer("GET", FILE)
    assert raised.value.advice


def test_what_is_not_there_is_gone(connect: Connect) -> None:
    with pytest.raises(AssetGone):
        connect().answer("GET", "/remote.php/dav/files/anna/never.jpg")


def test_redirects_are_refused_and_the_password_goes_nowhere(server: FakeNextcloud, connect: Connect) -> None:
    with FakeNextcloud() as thief:
        server.interfere = lambda _request: Response("", 302, headers={"Location": f"{thief.address}/remote.php"})
        with pytest.raises(HostRefused, match="another address"):
            connect().answer("GET", FILE)
        assert thief.seen == []


def test_a_proxy_of_the_environment_is_not_used(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert connect().answer("GET", FILE) == b"Anna laughs"


def test_an_answer_without_end_is_cut_off(server: FakeNextcloud, connect: Connect) -> None:
    server.interfere = lambda _request: Response((b"x" * 65536 for _ in range(10_000)), 200)
    with pytest.raises(HostUnreachable, match="larger"):
        connect(limits=Limits(answer_bytes=200_000)).answer("GET", FILE)


def test_huge_headers_are_an_error_and_no_crash(server: FakeNextcloud, connect: Connect) -> None:
    server.interfere = lambda _request: Response("", 200, headers={"X-Much": "y" * 10_000_000})
    with pytest.raises(HostUnreachable):
        connect(limits=Limits(tries=1)).answer("GET", FILE)


@pytest.mark.parametrize("body", ["<html>Log in</html>", '{"ocs": 1}', "[]", ""])
def test_a_page_instead_of_json_is_no_nextcloud(server: FakeNextcloud, connect: Connect, body: str) -> None:
    server.interfere = lambda _request: Response(body, 200)
    with pytest.raises(HostUnreachable, match="not as a Nextcloud"):
        connect().ocs("GET", "/ocs/v2.php/cloud/user")


def test_requests_under_way_are_bounded(server: FakeNextcloud, connect: Connect) -> None:
    under_way, most = [0], [0]
    lock = threading.Lock()
    gate = threading.Event()

    def count(_request: Request) -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            if under_way[0] == 2:
                gate.set()
        gate.wait(5)
        with lock:
            under_way[0] -= 1

    server.interfere = count
    client = connect(limits=Limits(at_once=2))
    threads = [threading.Thread(target=client.answer, args=("GET", FILE)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2


def test_nothing_secret_reaches_the_log(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect()
    client.answer("GET", FILE)
    assert "pä55" not in caplog.text
    assert "pä55" not in repr(client.login)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<d:multistatus xmlns:d="DAV:"><d:response><d:href>&b;</d:href></d:response></d:multistatus>'
)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "no xml",
        "<html><body>Log in</body></html>",
        '<d:multistatus xmlns:d="DAV:"><d:response><d:href>/a</d:href>',
        BOMB,
        '<!DOCTYPE m SYSTEM "file:///etc/passwd"><d:multistatus xmlns:d="DAV:"/>',
        '<d:multistatus xmlns:d="DAV:">\x00</d:multistatus>',
        '<?xml version="1.0" encoding="bogus"?><d:multistatus xmlns:d="DAV:"/>',
        '<?xml version="1.0" encoding="big5"?><d:multistatus xmlns:d="DAV:"/>',
        '<?xml version="1.0" encoding="utf-16"?><d:multistatus xmlns:d="DAV:"/>',
        '<d:multistatus xmlns:d="DAV:"><d:response><d:href>http://[a/b</d:href></d:response></d:multistatus>',
    ],
)
def test_a_malformed_or_hostile_listing_is_never_taken_for_everything(document: str) -> None:
    with pytest.raises(BadListing):
        list(entries(io.BytesIO(document.encode())))


def test_only_properties_that_are_there_are_read() -> None:
    document = (
        '<d:multistatus xmlns:d="DAV:"><d:response><d:href>/a%20b</d:href>'
        "<d:propstat><d:prop><d:getetag>&quot;e&quot;</d:getetag><d:resourcetype><d:collection/></d:resourcetype>"
        "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
        "<d:propstat><d:prop><d:getcontenttype>x/y</d:getcontenttype></d:prop><d:status>HTTP/1.1 404 Not Found"
        "</d:status></d:propstat></d:response></d:multistatus>"
    )
    (entry,) = entries(io.BytesIO(document.encode()))
    assert entry.path == "/a b"
    assert entry.is_folder
    assert entry.props == {"{DAV:}getetag": '"e"', "{DAV:}resourcetype": "collection"}
