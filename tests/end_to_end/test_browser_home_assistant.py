"""The panel People of Home Assistant in a real Chromium: its page with the sidebar, and both proxies of ingress."""

import re
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, FrameLocator, Page, expect

from plugin.catalogue.store import SqlCatalogue
from plugin.ingress import ORIGIN, Ingress
from plugin.web.streams import Streams
from tests.end_to_end.browsing import DESK, PHONE, keep_screenshot, served
from tests.fakes.home_assistant import BEN, MARIA, FromAddress, HomeAssistant
from tests.web.family import Family, family_with_photos

pytestmark = pytest.mark.browser


@pytest.fixture
def family(catalogue: SqlCatalogue) -> Family:
    made = family_with_photos(catalogue)
    catalogue.outside_users.put(ORIGIN, MARIA.id, made.account.id)
    return made


@pytest.fixture
def home(family: Family) -> Iterator[HomeAssistant]:
    """A Home Assistant with Kinfolk in its sidebar; Maria is the user with the photos."""
    with HomeAssistant() as running:
        ingress = Ingress(running.address_of_supervisor)
        services = replace(family.services, ingress=ingress, live_streams=Streams(look_every=0.1, heartbeat=0.2))
        with served(services) as address:
            running.addon = address
            yield running
            services.live_streams.close()


@pytest.fixture
def page(browser: Browser, home: HomeAssistant) -> Iterator[Page]:
    """Maria's browser; what it complains about fails the test."""
    complaints: list[str] = []
    opened = window(browser, home, "maria", complaints)
    yield opened
    opened.context.close()
    assert complaints == []


def window(browser: Browser, home: HomeAssistant, user: str, complaints: list[str], **options: Any) -> Page:
    context = browser.new_context(**({"viewport": DESK} | options))
    context.add_cookies([home.cookie(user)])
    opened = context.new_page()
    opened.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    return opened


def panel(page: Page, home: HomeAssistant) -> FrameLocator:
    page.goto(f"{home.address}/kinfolk")
    return page.frame_locator("iframe[title=People]")


def test_people_are_shown_named_and_corrected_in_the_sidebar(page: Page, home: HomeAssistant, family: Family) -> None:
    inside = panel(page, home)
    picture = inside.locator("main img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    inside.get_by_role("link", name="Anna").first.click()
    expect(inside.get_by_role("heading", name="Anna")).to_be_visible()
    inside.get_by_role("link", name="Rename").click()
    inside.get_by_label("Name").fill("Anna Maria")
    inside.get_by_role("button", name="Save").click()
    expect(inside.get_by_role("heading", name="Anna Maria")).to_be_visible()
    person = family.people["Anna"]
    assert family.catalogue.people.get(person, family.account.id).name == "Anna Maria"
    frame = page.frames[1]
    assert frame.url.startswith(f"{home.address}{home.prefix}/people/")
    cookies = [cookie for cookie in page.context.cookies(frame.url) if cookie["name"] == "kinfolk_session"]
    assert [(cookie["path"], cookie["httpOnly"]) for cookie in cookies] == [(f"{home.prefix}/", True)]


def test_what_was_done_is_undone_by_its_button(page: Page, home: HomeAssistant, family: Family) -> None:
    person = family.people["Ben"]
    page.goto(f"{home.address}{home.prefix}/people/{person}/rename")
    page.get_by_label("Name").fill("Benjamin")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("heading", name="Ben", exact=True)).to_be_visible()
    assert family.catalogue.people.get(person, family.account.id).name == "Ben"


def test_every_request_of_a_page_stays_below_the_panel(page: Page, home: HomeAssistant, family: Family) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/review", "/explore", "/libraries", "/status", "/settings", f"/photos/{family.assets[0]}"):
        page.goto(f"{home.address}{home.prefix}{path}", wait_until="networkidle")
    outside = [url for url in asked if not url.startswith(f"{home.address}{home.prefix}/")]
    assert outside == []


def scanning(home: HomeAssistant, family: Family) -> str:
    """The first page while a library is being compared."""
    assert family.library is not None
    family.catalogue.libraries.request_sync(family.library.id)
    return f"{home.address}{home.prefix}/"


def test_a_scan_is_followed_live(page: Page, home: HomeAssistant, family: Family) -> None:
    page.goto(scanning(home, family))
    expect(page.locator("#scan[data-stream]")).to_have_count(1)
    assert family.library is not None
    family.catalogue.libraries.sync_started(family.library.id)
    family.catalogue.libraries.sync_finished(family.library.id, None)
    expect(page.locator("#scan[data-stream]")).to_have_count(0)


def test_where_home_assistant_holds_events_back_the_page_asks(page: Page, home: HomeAssistant, family: Family) -> None:
    """Core before 2026.1 (core#160704). Takes four seconds: that is how often the page asks."""
    home.holds_back = True
    with page.expect_event("request", lambda request: "/events" in request.url):
        page.goto(scanning(home, family))
    page.wait_for_event("request", lambda request: "/status/indicator" in request.url)


def test_another_user_sees_their_own(browser: Browser, home: HomeAssistant) -> None:
    ben = window(browser, home, "ben", [])
    inside = panel(ben, home)
    expect(inside.get_by_role("heading", level=1)).to_be_visible()
    expect(inside.get_by_text("Anna")).to_have_count(0)
    inside.get_by_role("link", name="Settings").click()
    expect(inside.get_by_label("The name you log in with")).to_have_value(BEN.called or "")
    ben.context.close()


def test_names_arrive_as_they_are_written(page: Page, home: HomeAssistant, family: Family, browser: Browser) -> None:
    home.sessions["old"] = replace(MARIA, id="e" * 32)
    other = window(browser, home, "old", [])
    other.goto(f"{home.address}{home.prefix}/settings/account")
    expect(other.get_by_label("The name you log in with")).to_have_value("María Müller")
    other.context.close()


def test_a_home_assistant_that_does_not_say_who_it_is_shows_nothing(browser: Browser, home: HomeAssistant) -> None:
    old = window(browser, home, "old", [])
    expect(panel(old, home).get_by_text("Home Assistant did not say who you are")).to_be_visible()
    old.context.close()


class Elsewhere(BaseHTTPRequestHandler):
    """A page of another site that frames the panel."""

    framed = ""

    def do_GET(self) -> None:
        body = f'<!DOCTYPE html><title>Elsewhere</title><iframe src="{self.framed}"></iframe>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing on stderr."""


def test_a_frame_of_another_origin_stays_empty(browser: Browser, home: HomeAssistant) -> None:
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Page", (Elsewhere,), {"framed": f"{home.address}{home.prefix}/"})
    )
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    complaints: list[str] = []
    page = window(browser, home, "maria", complaints)
    # The same site (only the port differs), so the cookie is sent: what refuses the frame is our policy alone.
    with page.expect_event("console", lambda said: "frame-ancestors" in said.text):
        page.goto(f"http://127.0.0.1:{server.server_port}/")
    assert any(headers.get("X-Remote-User-Id") == MARIA.id for headers in home.asked)
    expect(page.frame_locator("iframe").get_by_text("Anna")).to_have_count(0)
    page.context.close()
    server.shutdown()
    server.server_close()


def test_who_asks_kinfolk_itself_is_refused_whatever_they_say_they_are(home: HomeAssistant) -> None:
    spoofed = {
        "X-Ingress-Path": home.prefix, "X-Remote-User-Id": MARIA.id, "X-Remote-User-Name": "maria",
        "X-Forwarded-For": home.address_of_supervisor,
    }  # fmt: skip
    for headers in (spoofed, {"X-Remote-User-Id": MARIA.id}, {"X_Remote_User_Id": MARIA.id}, {}):
        answer = requests.get(home.addon, headers=headers, timeout=20, allow_redirects=False)
        assert answer.status_code == 403
        assert "Anna" not in answer.text
    asking = requests.Session()
    asking.mount("http://", FromAddress(home.address_of_supervisor))
    assert "Anna" in asking.get(home.addon, headers=spoofed, timeout=20).text


def test_what_a_browser_says_of_itself_does_not_pass(home: HomeAssistant) -> None:
    cookie = {"ingress_session": "ben"}
    lie = {"X-Remote-User-Id": MARIA.id, "X-Ingress-Path": "/evil"}
    answer = requests.get(f"{home.address}{home.prefix}/", headers=lie, cookies=cookie, timeout=20)
    assert "Anna" not in answer.text
    assert "/evil" not in answer.text
    assert requests.get(f"{home.address}{home.prefix}/", timeout=20).status_code == 401


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "light"), (PHONE, "dark"), (DESK, "dark")])
def test_the_panel_fits_and_looks_like_kinfolk(
    browser: Browser, home: HomeAssistant, size: dict[str, int], scheme: str
) -> None:
    complaints: list[str] = []
    page = window(browser, home, "maria", complaints, viewport=size, color_scheme=scheme)
    inside = panel(page, home)
    expect(inside.get_by_role("link", name="Anna").first).to_be_visible()
    for picture in inside.locator("main img").all()[:6]:
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    inside.get_by_role("heading", level=1).scroll_into_view_if_needed()
    keep_screenshot(page, f"home-assistant-{size['width']}-{scheme}")
    frame = page.frames[1]
    assert frame.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert re.match(r"rgb\(\d+, \d+, \d+\)", frame.evaluate("getComputedStyle(document.body).backgroundColor"))
    page.context.close()
    assert complaints == []
