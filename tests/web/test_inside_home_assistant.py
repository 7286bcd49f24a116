"""Kinfolk in the sidebar of Home Assistant: whose word counts, which account a user has, and what programs reach."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from plugin.domain import TokenScope
from plugin.errors import HostError, HostRefused, HostUnreachable
from plugin.ingress import ORIGIN, HomeAssistantUser, Ingress
from plugin.web.app import create_app
from plugin.web.services import WebServices
from tests.web.conftest import TOKEN, logged_in
from tests.web.family import PASSWORD, Family, empty_family

SUPERVISOR = "172.30.32.2"
PREFIX = "/api/hassio_ingress/q1Ux-Rd_7vCw0sYk3B"
MARIA = {"X-Remote-User-Id": "6f1d7c02aa5b4e0f9d1be1b5f3c3a001", "X-Remote-User-Name": "maria",
         "X-Remote-User-Display-Name": "María Müller".encode().decode("latin-1")}  # fmt: skip
BEN = {"X-Remote-User-Id": "6f1d7c02aa5b4e0f9d1be1b5f3c3a002", "X-Remote-User-Name": "ben"}


@dataclass
class Addresses:
    """Obeys `AddonAddresses`."""

    failure: HostError | None = None
    asked: list[str] = field(default_factory=list)

    def for_hooks(self, host: str) -> str:
        self.asked.append(host)
        if self.failure:
            raise self.failure
        return f"http://{host}:18098"

    def for_addons(self) -> str:
        if self.failure:
            raise self.failure
        return "http://a0d7b954-kinfolk:8099"


@dataclass
class Panel:
    """The panel in one browser."""

    client: Client
    headers: dict[str, str]
    peer: str = SUPERVISOR

    def ask(self, path: str, method: str = "GET", **options: Any) -> TestResponse:
        given = {
            "X-Ingress-Path": PREFIX, "X-Forwarded-For": "192.168.1.7, 172.30.32.1",
            "X-Forwarded-Host": "home.local:8123", "X-Forwarded-Proto": "https",
        } | self.headers | options.pop("headers", {})  # fmt: skip
        # As the browser sees it, whose cookie is bound to the path of the panel.
        return self.client.open(
            path, method=method, headers=given, environ_overrides={"REMOTE_ADDR": self.peer}, base_url="http://home.local:8123",
            buffered=True, **options,
        )  # fmt: skip

    def post(self, path: str, page: str, **fields: str) -> TestResponse:
        found = TOKEN.search(self.ask(page).text)
        assert found, page
        return self.ask(path, "POST", data={"csrf_token": found.group(1), **fields})


def application(family: Family, **more: Any) -> Flask:
    services: WebServices = replace(family.services, ingress=Ingress(SUPERVISOR), **more)
    return create_app(services)


def panel(app: Flask, headers: dict[str, str], peer: str = SUPERVISOR) -> Panel:
    client = Client(app, TestResponse, use_cookies=False)
    return Panel(CookiesByPath(client), headers, peer)  # type: ignore[arg-type]  # the part of a client that is used


@dataclass
class CookiesByPath:
    """A client that keeps the cookies of the panel, whose path the test client does not see."""

    client: Client
    kept: dict[str, str] = field(default_factory=dict)

    def open(self, path: str, **options: Any) -> TestResponse:
        cookie = "; ".join(f"{name}={value}" for name, value in self.kept.items())
        options["headers"] = options["headers"] | {"Cookie": cookie}
        answer = self.client.open(path, **options)
        for header in answer.headers.getlist("Set-Cookie"):
            name, _, rest = header.partition("=")
            assert f"Path={PREFIX}/" in header, header
            assert "Secure" in header, header
            self.kept[name] = rest.partition(";")[0]
        return answer


@pytest.fixture
def app(family: Family) -> Flask:
    return application(family)


@pytest.fixture
def maria(app: Flask, family: Family) -> Panel:
    """A user of Home Assistant who has the account with the photos."""
    family.catalogue.outside_users.put(ORIGIN, MARIA["X-Remote-User-Id"], family.account.id)
    return panel(app, MARIA)


@pytest.fixture
def nobody() -> Iterator[Family]:
    made = empty_family(password=False)
    yield made
    made.catalogue.close()


def test_pages_come_with_links_below_the_panel_and_without_a_log_out(maria: Panel) -> None:
    answer = maria.ask("/")
    assert answer.status_code == 200
    assert "Anna" in answer.text
    links = re.findall(r'(?:href|src|action|hx-get|data-stream)="([^"#]+)"', answer.text)
    assert [link for link in links if not link.startswith((f"{PREFIX}/", "http"))] == []
    assert "Log out" not in answer.text
    assert "Français" in answer.text


def test_a_form_is_sent_with_its_token_and_led_on_below_the_panel(maria: Panel, family: Family) -> None:
    person = family.people["Anna"]
    path = f"/people/{person}/rename"
    assert maria.ask(path, "POST", data={"name": "Mallory"}).status_code == 400
    answer = maria.post(path, path, name="Anna Maria")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{PREFIX}/people/")
    assert family.catalogue.people.get(person, family.account.id).name == "Anna Maria"


def test_a_path_that_still_has_its_prefix_reaches_the_same_page(maria: Panel) -> None:
    assert "Anna" in maria.ask(f"{PREFIX}/").text


@pytest.mark.parametrize("prefix", ["//evil.example", "https://evil.example", "/a b", "/<script>", "/../..", "/ü"])
def test_a_prefix_that_is_none_becomes_no_link(app: Flask, maria: Panel, prefix: str) -> None:
    headers = MARIA | {"X-Ingress-Path": prefix.encode().decode("latin-1")}
    answer = app.test_client().get("/", headers=headers, environ_overrides={"REMOTE_ADDR": SUPERVISOR})
    assert answer.status_code == 200
    links = re.findall(r'(?:href|src|action)="([^"#]+)"', answer.text)
    assert [link for link in links if not re.match(r"/(?!/)|http", link) or "evil" in link] == []


@pytest.mark.parametrize("peer", ["192.168.1.66", "172.30.33.5", "172.30.32.1", "127.0.0.1", "::1", ""])
def test_who_pretends_to_be_the_supervisor_is_refused(maria: Panel, app: Flask, peer: str) -> None:
    for headers in (MARIA, {"X-Ingress-Path": PREFIX}, {"X-Remote-User-Name": "maria"}):
        answer = app.test_client().get("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
        assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    spoofed = MARIA | {"X-Forwarded-For": SUPERVISOR, "X-Real-IP": SUPERVISOR, "Forwarded": f"for={SUPERVISOR}"}
    answer = app.test_client().get("/healthz", headers=spoofed, environ_overrides={"REMOTE_ADDR": peer})
    assert answer.status_code == 403


def test_past_home_assistant_no_page_is_shown_not_even_the_log_in(maria: Panel, app: Flask, family: Family) -> None:
    for path in (
        "/",
        "/login",
        "/welcome",
        "/people/1",
        "/settings",
        "/nothing",
        f"/faces/{family.face_of('Anna')}.webp",
    ):
        answer = app.test_client().get(path)
        assert answer.status_code == 403, path
        assert "Anna" not in answer.text
    assert "Open Kinfolk in Home Assistant" in app.test_client().get("/").text
    assert app.test_client().get("/healthz").status_code == 200


def test_without_ingress_the_headers_mean_nothing(family: Family) -> None:
    plain = create_app(family.services)
    answer = plain.test_client().get("/", headers=MARIA | {"X-Ingress-Path": PREFIX},
                                     environ_overrides={"REMOTE_ADDR": SUPERVISOR})  # fmt: skip
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    assert logged_in(plain).get("/", headers={"X-Ingress-Path": PREFIX}).text.count(PREFIX) == 0


def test_a_home_assistant_that_does_not_say_who_it_is_shows_nothing(app: Flask) -> None:
    answer = panel(app, {}).ask("/")
    assert answer.status_code == 403
    assert "Home Assistant did not say who you are" in answer.text


def test_each_user_sees_only_their_own(app: Flask, maria: Panel, family: Family) -> None:
    ben = panel(app, BEN)
    assert "Anna" not in ben.ask("/").text
    for path in (
        f"/people/{family.people['Anna']}",
        f"/photos/{family.assets[0]}",
        f"/faces/{family.face_of('Anna')}.webp",
    ):
        assert ben.ask(path).status_code == 404
        assert maria.ask(path).status_code == 200


def test_the_session_of_one_user_opens_nothing_for_the_next_in_the_same_browser(maria: Panel, family: Family) -> None:
    path = f"/people/{family.people['Anna']}/rename"
    found = TOKEN.search(maria.ask(path).text)
    assert found
    maria.headers = BEN
    answer = maria.ask("/language", "POST", data={"csrf_token": found.group(1), "language": "de"})
    assert answer.status_code == 400


def test_a_name_proves_nothing(app: Flask, family: Family) -> None:
    taken = {"X-Remote-User-Id": "f" * 32, "X-Remote-User-Name": "Maria", "X-Remote-User-Display-Name": "Maria"}
    assert "Anna" not in panel(app, taken).ask("/").text
    assert [one.name for one in family.catalogue.accounts.all()] == ["Maria", "neighbour", "Maria (2)"]


def test_the_first_visitor_looks_after_kinfolk_and_is_led_to_set_it_up(nobody: Family) -> None:
    app = application(nobody)
    maria = panel(app, MARIA)
    answer = maria.ask("/")
    assert answer.headers["Location"] == f"{PREFIX}/start"
    assert maria.ask("/start").status_code == 200
    first = nobody.catalogue.accounts.all()[0]
    assert (first.name, first.is_admin) == ("María Müller", True)
    ben = panel(app, BEN)
    assert ben.ask("/").status_code == 200
    assert ben.ask("/settings/recognition").status_code == 403
    assert [one.is_admin for one in nobody.catalogue.accounts.all()] == [True, False, False]


def test_the_option_names_who_looks_after_kinfolk(nobody: Family) -> None:
    app = create_app(replace(nobody.services, ingress=Ingress(SUPERVISOR, ("Maria ",))))
    ben, maria = panel(app, BEN), panel(app, MARIA)
    ben.ask("/")
    assert ben.ask("/settings/recognition").status_code == 403
    maria.ask("/")
    assert maria.ask("/settings/recognition").status_code == 200
    later = create_app(replace(nobody.services, ingress=Ingress(SUPERVISOR, ("maria", BEN["X-Remote-User-Id"]))))
    assert panel(later, BEN).ask("/settings/recognition").status_code == 200


def test_the_name_people_choose_themselves_makes_nobody_administrator() -> None:
    ingress = Ingress(SUPERVISOR, ("maria",))
    assert not ingress.names_as_administrator(HomeAssistantUser("f" * 32, "eve", "maria"))
    assert not ingress.names_as_administrator(HomeAssistantUser("f" * 32, "", "maria"))
    assert not Ingress(SUPERVISOR, ("",)).names_as_administrator(HomeAssistantUser("f" * 32))


@pytest.mark.parametrize("called", ["\u202eevil", "   ", "x" * 3000, "<script>alert(1)</script>", "\xff\xfe"])
def test_whatever_a_user_is_called_there_is_an_account(app: Flask, called: str) -> None:
    said = {
        "X-Remote-User-Id": "a" * 32,
        "X-Remote-User-Display-Name": called.encode().decode("latin-1").strip() or "-",
    }
    window = panel(app, said)
    assert window.ask("/").status_code == 200
    assert "<script>alert" not in window.ask("/settings/account").text


def test_log_in_welcome_and_log_out_lead_back_to_the_people(maria: Panel) -> None:
    maria.ask("/")
    for path in ("/login", "/welcome"):
        assert maria.ask(path).headers["Location"] == f"{PREFIX}/"


def test_somebody_without_a_password_is_not_asked_for_one(app: Flask) -> None:
    ben = panel(app, BEN)
    page = ben.ask("/settings/account").text
    assert "Current password" not in page
    assert "known from where you opened Kinfolk" in page


def test_somebody_takes_over_the_account_they_had_before(app: Flask, family: Family) -> None:
    maria = panel(app, MARIA)
    assert "Anna" not in maria.ask("/").text
    page = "/settings/account"
    for name, password in (("Maria", "wrong"), ("nobody", PASSWORD), ("", ""), ("Maria", "")):
        maria.post("/settings/take-over", page, name=name, password=password)
        assert "Name or password is not right" in maria.ask(page).text
    assert "Anna" not in maria.ask("/").text
    maria.post("/settings/take-over", page, name="maria", password=PASSWORD)
    answer = maria.ask("/").text
    assert "This is your account from now on: Maria." in maria.ask("/").text + answer
    assert "Anna" in answer
    assert [one.name for one in family.catalogue.accounts.all()] == ["Maria", "neighbour"], "the empty one went"
    assert "Current password" in maria.ask(page).text


def test_an_account_is_taken_over_in_home_assistant_only(family: Family) -> None:
    visitor = logged_in(create_app(family.services))
    assert visitor.post("/settings/take-over", name="Maria", password=PASSWORD).status_code == 404


def test_guessing_the_password_of_an_account_is_slowed_down(app: Flask, family: Family) -> None:
    ben = panel(app, BEN)
    page = "/settings/account"
    answers = [ben.post("/settings/take-over", page, name="Maria", password=f"guess {number}") for number in range(12)]
    assert answers[-1].status_code == 429
    assert ben.post("/settings/take-over", page, name="Maria", password=PASSWORD).status_code == 429
    assert "Anna" not in ben.ask("/").text


def test_programs_reach_the_api_with_a_token_and_hooks_with_a_secret(nobody: Family) -> None:
    app = application(nobody)
    panel(app, MARIA).ask("/")
    asked = app.test_client().get("/api/v1/people")
    assert asked.status_code == 401
    assert "token" in asked.text
    token = nobody.services.tokens.create(nobody.account, "Dashboard", TokenScope.READ)[1]
    asked = app.test_client().get("/api/v1/people", headers={"Authorization": f"Bearer {token}"})
    assert asked.status_code == 200
    assert app.test_client().post("/hooks/nextcloud/1", data=b"{}").status_code == 401


def test_the_panel_itself_may_ask_the_api_but_only_with_its_token_for_changes(maria: Panel, family: Family) -> None:
    assert maria.ask("/api/v1/people").status_code == 200
    person = family.people["Anna"]
    assert maria.ask(f"/api/v1/people/{person}", "PATCH", json={"name": "Mallory"}).status_code == 403


def test_a_hook_is_told_the_address_that_programs_reach(family: Family) -> None:
    addresses = Addresses()
    app = application(family, addon_addresses=addresses)
    library = family.catalogue.libraries.add(family.account.id, "nextcloud", "A", "https://anna@cloud.example.org")
    family.catalogue.outside_users.put(ORIGIN, MARIA["X-Remote-User-Id"], family.account.id)
    window = panel(app, MARIA)
    assert (
        f'value="http://home.local:18098/hooks/nextcloud/{library.id}"'
        in window.ask(f"/libraries/{library.id}/hook").text
    )
    assert addresses.asked == ["home.local"]
    switched_on = window.post("/settings/other-apps/face-recognition/key", "/settings/other-apps")
    assert "http://a0d7b954-kinfolk:8099/engine/facerecognition" in switched_on.text


@pytest.mark.parametrize(
    "failure",
    [HostUnreachable("The Supervisor of Home Assistant does not answer", "Try again later"),
     HostRefused("The Supervisor of Home Assistant did not accept the token of the add-on", "Start the add-on again")],
)  # fmt: skip
def test_without_the_supervisor_the_page_says_so_and_goes_on(family: Family, failure: HostError) -> None:
    app = application(family, addon_addresses=Addresses(failure))
    library = family.catalogue.libraries.add(family.account.id, "nextcloud", "A", "https://anna@cloud.example.org")
    family.catalogue.outside_users.put(ORIGIN, MARIA["X-Remote-User-Id"], family.account.id)
    page = panel(app, MARIA).ask(f"/libraries/{library.id}/hook")
    assert page.status_code == 200
    assert failure.explanation in page.text
    assert PREFIX not in "".join(re.findall(r'name="url"[^>]*', page.text))


def test_on_their_own_port_only_hooks_are_heard(family: Family) -> None:
    app = create_app(replace(family.services, hook_port=8098))
    client = app.test_client()
    at_port = {"SERVER_PORT": "8098"}
    for path in (
        "/",
        "/login",
        "/api/v1/people",
        "/engine/facerecognition/open",
        "/static/css/kinfolk.css",
        "/hooks",
        "/x/../hooks/",
    ):
        answer = client.get(path, environ_overrides=at_port)
        assert (answer.status_code, answer.json) == (404, {"status": 404, "title": "Only hooks are heard here"}), path
    assert client.post("/hooks/nextcloud/1", data=b"{}", environ_overrides=at_port).status_code == 401
    assert client.get("/healthz", environ_overrides=at_port).status_code == 200
    forged = client.get(
        "/login", environ_overrides=at_port, headers={"Host": "kinfolk:8099", "X-Forwarded-Port": "8099"}
    )
    assert forged.status_code == 404
    as_app = {"AUTHORIZATION-APP-API": "x", "X-Kinfolk-Base": "/hooks"}
    assert client.get("/hooks/api/v1/people", environ_overrides=at_port, headers=as_app).status_code == 404
    assert client.get("/login").status_code == 200


@pytest.mark.parametrize(
    ("sender", "said"),
    [
        ("192.0.2.7", {"AUTHORIZATION-APP-API": "x", "X-Kinfolk-Base": "/hooks"}),
        ("127.0.0.1", {"X-Forwarded-Prefix": "/hooks"}),
        (SUPERVISOR, {"X-Ingress-Path": "/hooks", **MARIA}),
    ],
    ids=["anybody as AppAPI", "a trusted proxy", "the Supervisor"],
)
def test_on_their_own_port_no_prefix_leads_past_the_hooks(family: Family, sender: str, said: dict[str, str]) -> None:
    """A prefix is taken off the path after it was looked at, so on that port nobody is asked for one."""
    ingress = Ingress(SUPERVISOR) if sender == SUPERVISOR else None
    app = create_app(replace(family.services, hook_port=8098, ingress=ingress, trusted_proxies=("127.0.0.1",)))
    for path in ("/hooks/login", "/hooks/api/v1/people"):
        overrides = {"SERVER_PORT": "8098", "REMOTE_ADDR": sender}
        answer = app.test_client().get(path, environ_overrides=overrides, headers=said)
        assert answer.status_code == 404, path
