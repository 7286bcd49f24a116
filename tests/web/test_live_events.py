"""Server-sent events: what is told, to whom, and when it ends."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from plugin.domain import Account, AssignedBy
from plugin.web.app import create_app
from plugin.web.live import Seen, changes, events
from plugin.web.request_context import EXTENSION
from plugin.web.services import WebServices
from plugin.web.streams import Stream, Streams
from tests.web.conftest import Visitor, logged_in
from tests.web.family import PASSWORD, Family


@pytest.fixture
def quick(family: Family) -> WebServices:
    """A server that looks without waiting."""
    return replace(family.services, live_streams=Streams(look_every=0, heartbeat=0))


@pytest.fixture
def scanning(family: Family) -> Family:
    family.catalogue.detection.request("refresh", "opencv")
    return family


def stream(services: WebServices, owner: Account) -> Iterator[tuple[str, Stream]]:
    """The lines of a stream, one by one."""
    app = create_app(services)
    assert app.extensions[EXTENSION] is services
    entered = services.live_streams.enter(owner.id)
    assert entered is not None
    with app.test_request_context("/events"):
        for line in events(owner, entered):
            yield line, entered


def data(text: str) -> dict[str, object]:
    return dict(json.loads(text.partition("data: ")[2]))


def test_an_idle_account_is_told_so_and_the_stream_ends(maria: Visitor, family: Family) -> None:
    response = maria.get("/events")
    assert response.mimetype == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Accel-Buffering"] == "no"
    retry, scan, done = response.text.strip().split("\n\n")
    assert retry == "retry: 5000"
    assert {**data(scan), "done": 0} == {"active": False, "percent": 100, "headline": "All done", "done": 0}
    assert done.startswith("event: done\n")
    assert family.services.live_streams.count == 0


def test_progress_and_new_people_are_told_as_they_come(quick: WebServices, scanning: Family) -> None:
    lines = stream(quick, scanning.account)
    assert next(lines)[0].startswith("retry: ")
    assert data(next(lines)[0])["percent"] == 0
    assert next(lines)[0] == ": still here\n\n"
    (asset,) = scanning.catalogue.detection.claim("test", 1, 60)
    scanning.catalogue.detection.fail(asset, "broken", "broken", permanent=True)
    assert data(next(lines)[0])["percent"] == 7
    new = scanning.catalogue.people.add(scanning.account.id, "", scanning.face_of("Anna"))
    scanning.catalogue.faces.assign([(scanning.face_of("Anna"), new)], AssignedBy.MACHINE)
    assert next(lines)[0] == f'event: people\ndata: {{"newest": {new}}}\n\n'


def test_nothing_of_another_account_is_told(quick: WebServices, family: Family) -> None:
    assert family.library is not None
    family.catalogue.libraries.request_sync(family.library.id)
    told = [line for line, _ in stream(quick, family.neighbour)]
    assert [line.partition("\n")[0] for line in told[1:]] == ["event: scan", "event: done"]
    assert data(told[1])["active"] is False
    mine = stream(quick, family.account)
    next(mine)
    assert data(next(mine)[0])["active"] is True
    theirs = family.catalogue.people.add(family.neighbour.id, "Theirs", family.foreign_face)
    family.catalogue.faces.assign([(family.foreign_face, theirs)], AssignedBy.MACHINE)
    assert next(mine)[0] == ": still here\n\n"


def test_a_stream_that_has_to_make_room_tells_the_browser_to_poll(quick: WebServices, scanning: Family) -> None:
    lines = stream(quick, scanning.account)
    _, entered = next(lines)
    next(lines)
    entered.told_to_end.set()
    assert next(lines)[0] == "event: poll\ndata: {}\n\n"
    assert list(lines) == []
    assert quick.live_streams.count == 0


def test_a_stream_ends_after_a_while(family: Family, scanning: Family) -> None:
    services = replace(family.services, live_streams=Streams(longest=0))
    assert [line for line, _ in stream(services, scanning.account)] == ["retry: 5000\n\n"]


def test_a_new_password_ends_the_streams_of_the_account(quick: WebServices, scanning: Family) -> None:
    lines = stream(quick, scanning.account)
    next(lines), next(lines)
    scanning.catalogue.accounts.set_password(scanning.account.id, "another hash")
    assert next(lines)[0].startswith("event: poll")


def test_without_room_the_answer_is_503(family: Family) -> None:
    streams = Streams(at_most=1)
    streams.close()
    app = create_app(replace(family.services, live_streams=streams))
    assert logged_in(app).get("/events").status_code == 503


def test_strangers_hear_nothing(stranger: Visitor, family: Family) -> None:
    response = stranger.get("/events")
    assert response.status_code == 302
    assert family.services.live_streams.count == 0


def test_only_what_changed_is_told() -> None:
    before = Seen({"percent": 1}, 4)
    assert list(changes(before, before)) == []
    assert len(list(changes(before, Seen({"percent": 2}, 5)))) == 2
    assert len(list(changes(None, before))) == 1


def test_pages_listen_only_while_a_scan_runs(maria: Visitor, family: Family) -> None:
    assert "data-stream" not in maria.text("/libraries")
    assert 'id="people-live"' not in maria.text("/")
    family.catalogue.detection.request("refresh", "opencv")
    assert 'data-stream="/events"' in maria.text("/libraries")
    assert 'id="people-live"' in maria.text("/")
    assert 'id="people-live"' not in maria.text("/?hidden=1")


def test_a_prefix_is_part_of_the_address(family: Family, scanning: Family) -> None:
    app = create_app(replace(scanning.services, prefix="/kin"))
    visitor = Visitor(app.test_client())
    visitor.post("/kin/login", page="/kin/login", name="Maria", password=PASSWORD)
    assert 'data-stream="/kin/events"' in visitor.text("/kin/status")
