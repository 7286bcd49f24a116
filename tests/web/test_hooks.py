"""Where Nextcloud tells that something changed, and the page that asks it to."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask

from plugin.domain import Library, LibraryId
from plugin.errors import HostRefused, HostUnreachable
from plugin.hooks import GAP_SECONDS, MOST_NAMED, WAIT_SECONDS, Hooks
from plugin.web.app import create_app
from tests.fakes.album import NudgeLog
from tests.fakes.nextcloud import webhooks as told
from tests.web.conftest import Visitor, logged_in
from tests.web.family import Family
from tests.web.test_inside_nextcloud import IDENTITY, FakeInside

STORM, SENDERS = 1_000, 4

NEW = told.payload("NodeCreatedEvent", "/anna/files/new.jpg")


class LooksLog(NudgeLog):
    """When a library was to be compared, and how many files were named at most."""

    def __init__(self, looks: list[float]) -> None:
        super().__init__()
        self._looks = looks
        self.most_named = 0

    def sync(self, library_id: LibraryId) -> None:
        self._looks.append(time.monotonic())

    def named(self, library_id: LibraryId, host_keys: Sequence[str]) -> None:
        self.most_named = max(self.most_named, len(host_keys))


@pytest.fixture
def cloud(family: Family) -> Library:
    return family.catalogue.libraries.add(family.account.id, "nextcloud", "Anna", "https://anna@cloud.example.org")


def set_up(maria: Visitor, library: Library, **fields: str) -> str:
    page = f"/libraries/{library.id}/hook"
    fields = {"url": f"http://kinfolk:8087/hooks/nextcloud/{library.id}", "name": "admin", "password": "hush"} | fields
    return maria.post(page, fields, page=page).text


def test_a_hook_is_set_up_heard_and_shown(app: Flask, maria: Visitor, family: Family, cloud: Library) -> None:
    page = f"/libraries/{cloud.id}/hook"
    assert "Off" in maria.text("/libraries")
    answer = maria.post(page, {"url": "http://k:1/hooks/nextcloud/9", "name": "admin", "password": "hush"}, page=page)
    assert "Nothing heard yet" in answer.text
    assert "allow_local_remote_servers" in answer.text
    ((_, library_id, url, secret, name, password),) = family.registrar.asked
    assert (library_id, url, name, password) == (cloud.id, "http://k:1/hooks/nextcloud/9", "admin", "hush")
    assert secret not in answer.text
    assert "hush" not in answer.text
    heard = app.test_client().post(
        f"/hooks/nextcloud/{cloud.id}", data=NEW, headers={"X-Kinfolk-Hook": secret}, content_type="application/json"
    )
    assert (heard.status_code, heard.data) == (202, b"")
    family.time.move(5)
    assert family.nudge.told == [f"named {cloud.id}: 437", f"sync {cloud.id}"]
    assert "Works" in maria.text(page)
    assert "allow_local_remote_servers" not in maria.text(page)
    assert "Heard just now" in maria.text("/libraries")


@pytest.mark.parametrize("headers", [{}, {"X-Kinfolk-Hook": ""}, {"X-Kinfolk-Hook": "wrong"}])
def test_nobody_without_the_secret_is_heard(
    app: Flask, maria: Visitor, family: Family, cloud: Library, headers: dict[str, str]
) -> None:
    set_up(maria, cloud)
    for visitor in (app.test_client(), maria.client):
        for library_id in (cloud.id, 999, family.foreign_library):
            answer = visitor.post(f"/hooks/nextcloud/{library_id}", data=NEW, headers=headers)
            assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert family.time.due == []


def told_with(app: Flask, family: Family, library: Library, payload: bytes) -> int:
    headers = {"X-Kinfolk-Hook": family.registrar.asked[-1][3]}
    return app.test_client().post(f"/hooks/nextcloud/{library.id}", data=payload, headers=headers).status_code


def test_bad_payloads_are_refused_and_large_ones_not_read(
    app: Flask, maria: Visitor, family: Family, cloud: Library
) -> None:
    set_up(maria, cloud)
    assert told_with(app, family, cloud, b"{") == 400
    assert told_with(app, family, cloud, b"x" * 100_000) == 413
    assert told_with(app, family, cloud, told.payload("NodeCreatedEvent", "/ben/files/a.jpg")) == 202
    assert family.time.due == []


def test_only_post_is_heard(app: Flask, maria: Visitor, cloud: Library) -> None:
    set_up(maria, cloud)
    assert app.test_client().get(f"/hooks/nextcloud/{cloud.id}").status_code == 405


def test_what_nextcloud_refuses_is_said_and_the_password_does_not_come_back(
    maria: Visitor, family: Family, cloud: Library
) -> None:
    family.registrar.failure = HostRefused("This Nextcloud has no webhooks", "They need Nextcloud 30")
    text = set_up(maria, cloud)
    assert "This Nextcloud has no webhooks. They need Nextcloud 30" in text
    assert 'value="admin"' in text
    assert "hush" not in text


@pytest.mark.parametrize(
    "url", ["", "kinfolk:8087", "ftp://kinfolk/", "file:///etc/passwd", "http://", "http://a:b@c/"]
)
def test_an_address_that_is_none_is_refused(maria: Visitor, family: Family, cloud: Library, url: str) -> None:
    assert "This is not a whole address" in set_up(maria, cloud, url=url)
    assert family.registrar.asked == []


def test_status_tells_when_a_hook_came_and_why_none_may(
    app: Flask, maria: Visitor, family: Family, cloud: Library
) -> None:
    off = maria.text("/status")
    assert "New photos at once" in off
    assert f'href="/libraries/{cloud.id}/hook"' in off
    assert "Nothing heard yet" not in off
    set_up(maria, cloud)
    silent = maria.text("/status")
    for said in ("Nothing heard yet", "allow_local_remote_servers", "every five minutes", "background-job:worker"):
        assert said in silent
    assert told_with(app, family, cloud, NEW) == 202
    heard = maria.text("/status")
    assert "<dt>Heard last</dt><dd>just now</dd>" in heard
    assert "Nothing heard yet" not in heard
    assert "allow_local_remote_servers" in heard, "hooks may stop to come, and then it is looked for here"


def test_status_says_nothing_of_hooks_where_no_host_can_tell(maria: Visitor) -> None:
    assert "New photos at once" not in maria.text("/status")


def test_what_others_are_told_is_not_on_my_status(family: Family, maria: Visitor) -> None:
    family.catalogue.libraries.add(family.neighbour.id, "nextcloud", "Ben", "https://ben@cloud.example.org")
    assert "New photos at once" not in maria.text("/status")


def test_switched_off_nothing_is_heard(app: Flask, maria: Visitor, family: Family, cloud: Library) -> None:
    set_up(maria, cloud)
    secret = family.registrar.asked[0][3]
    page = f"/libraries/{cloud.id}/hook"
    text = maria.post(f"{page}/remove", {"url": "u", "name": "admin", "password": "hush"}, page=page).text
    assert "does not tell any more" in text
    headers = {"X-Kinfolk-Hook": secret}
    assert app.test_client().post(f"/hooks/nextcloud/{cloud.id}", data=NEW, headers=headers).status_code == 401


def test_as_an_app_no_password_is_asked(maria: Visitor, family: Family, cloud: Library) -> None:
    family.registrar.app_of = "cloud.example.org"
    assert 'type="password"' not in maria.text(f"/libraries/{cloud.id}/hook")


def test_a_folder_has_no_such_page(maria: Visitor, family: Family) -> None:
    assert family.library is not None
    assert maria.get(f"/libraries/{family.library.id}/hook").status_code == 404
    assert "New photos at once" not in maria.text("/libraries")


def test_members_look_but_do_not_set_up(app: Flask, family: Family) -> None:
    library = family.catalogue.libraries.add(family.neighbour.id, "nextcloud", "Ben", "https://ben@cloud.example.org")
    member = logged_in(app, "neighbour")
    page = f"/libraries/{library.id}/hook"
    assert '<form class="stack"' not in member.text(page)
    for path in (page, f"{page}/remove"):
        assert member.post(path, page="/settings", url="http://x/", name="a", password="b").status_code == 403


@pytest.mark.parametrize("user", ["", "anna"])
def test_appapi_passes_on_what_nextcloud_tells(family: Family, cloud: Library, user: str) -> None:
    family.registrar.app_of = "cloud.example.org"
    app = create_app(replace(family.services, nextcloud_app=FakeInside()))
    family.services.hooks.register(family.account.id, cloud.id, "", "", "")
    secret = {"X-Kinfolk-Hook": family.registrar.asked[-1][3]}
    path = f"/hooks/nextcloud/{cloud.id}"
    heard = app.test_client().post(path, data=NEW, headers=IDENTITY.headers(user) | secret)
    assert (heard.status_code, heard.data) == (202, b"")
    family.time.move(5)
    assert family.nudge.told == [f"named {cloud.id}: 437", f"sync {cloud.id}"]
    without = app.test_client().post(path, data=NEW, headers=IDENTITY.headers(user))
    assert without.status_code == 401, "that it comes through AppAPI is no secret of this library"


def test_switching_off_is_offered_again_while_nextcloud_was_not_told(
    maria: Visitor, family: Family, cloud: Library
) -> None:
    set_up(maria, cloud)
    page = f"/libraries/{cloud.id}/hook"
    family.registrar.failure = HostUnreachable("It is away")
    fields = {"url": "http://elsewhere/hook", "name": "admin", "password": "hush"}
    assert maria.post(f"{page}/remove", fields, page=page).status_code == 422
    assert "Switch off" in maria.text(page)
    family.registrar.failure = None
    assert "does not tell any more" in maria.post(f"{page}/remove", fields, page=page).text
    assert family.registrar.asked[-1][2] == f"http://elsewhere/hook http://kinfolk:8087/hooks/nextcloud/{cloud.id}"
    assert "Switch off" not in maria.text(page)


def test_a_storm_of_posts_is_answered_at_once_and_costs_a_few_looks(
    family: Family, cloud: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real timers and a real catalogue, with the waits a hundredth of what they are."""
    monkeypatch.setattr("plugin.hooks.WAIT_SECONDS", WAIT_SECONDS / 100)
    monkeypatch.setattr("plugin.hooks.GAP_SECONDS", GAP_SECONDS / 100)
    rows = family.catalogue
    looks: list[float] = []
    nudge = LooksLog(looks)
    hooks = Hooks(rows.hooks, rows.libraries, family.registrar, nudge)
    hooks.register(family.account.id, cloud.id, "http://kinfolk:8087/", "admin", "hush")
    app = create_app(replace(family.services, hooks=hooks))
    headers = {"X-Kinfolk-Hook": family.registrar.asked[-1][3]}
    began, timers = time.monotonic(), 0

    def storm(sender: int) -> set[int]:
        nonlocal timers
        client, answers = app.test_client(), set[int]()
        for number in range(STORM // SENDERS):
            payload = told.payload("NodeCreatedEvent", f"/anna/files/{sender}/{number}.jpg", node_id=1 + number)
            answers.add(client.post(f"/hooks/nextcloud/{cloud.id}", data=payload, headers=headers).status_code)
            timers = max(timers, sum(isinstance(thread, threading.Timer) for thread in threading.enumerate()))
        return answers

    with ThreadPoolExecutor(SENDERS) as senders:
        answers = set[int]().union(*senders.map(storm, range(SENDERS)))
    ended = time.monotonic()
    while not looks or looks[-1] < ended:
        time.sleep(0.01)  # the last events lead to a look, too
    assert answers == {202}
    assert timers <= 2, "one that waits, and one that is ending"
    assert len(looks) <= (looks[-1] - began) / (GAP_SECONDS / 100) + 1
    assert nudge.most_named <= MOST_NAMED
    assert rows.libraries.get(cloud.id).sync_requested_at is not None
