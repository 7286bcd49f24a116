"""Other apps and hooks in a real Chromium: by keyboard, without JavaScript, on a phone, in the dark, through axe."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from waitress.server import TcpWSGIServer, create_server

from plugin.catalogue.store import open_catalogue
from plugin.web.app import create_app
from tests.web.family import PASSWORD, Family, family_with_photos

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = family_with_photos(catalogue=open_catalogue(tmp_path / "catalogue.db"))
    yield made
    made.catalogue.close()


@pytest.fixture
def address(family: Family) -> Iterator[str]:
    server = create_server(create_app(family.services), host="127.0.0.1", port=0, threads=8)
    assert isinstance(server, TcpWSGIServer)
    assert server.socket is not None
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    server.close()


@pytest.fixture(params=["light", "dark"])
def phone(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """Without JavaScript in the light, with it (and axe) in the dark."""
    dark = request.param == "dark"
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=dark, color_scheme=request.param, bypass_csp=dark
    )
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("[name=name]", "Maria")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    yield page
    context.close()


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [one["id"] for one in found if one["impact"] in {"serious", "critical"}]


def test_the_engine_is_switched_on_and_off_by_the_keyboard_alone(phone: Page, family: Family, address: str) -> None:
    phone.goto(f"{address}/settings/other-apps")
    phone.get_by_role("button", name="Switch on and make a key").focus()
    phone.keyboard.press("Enter")
    key = phone.get_by_label("Key", exact=True).input_value()
    service = f"{address}/engine/facerecognition/open"
    assert phone.request.get(service, headers={"x-api-key": key}).status == 200
    phone.get_by_role("button", name="Switch off").focus()
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("The old key opens nothing any more")).to_be_visible()
    assert phone.request.get(service, headers={"x-api-key": key}).status == 404


def test_a_hook_is_set_up_and_taken_away(phone: Page, family: Family, address: str) -> None:
    family.catalogue.libraries.add(family.account.id, "nextcloud", "Anna", "https://anna@cloud.example.org")
    phone.goto(f"{address}/libraries")
    phone.locator("dd a").filter(has_text="Off").click()
    expect(phone.get_by_label("Address of Kinfolk, as Nextcloud reaches it")).to_have_value(
        f"{address}/hooks/nextcloud/3"
    )
    phone.get_by_label("Administrator of Nextcloud").fill("admin")
    phone.get_by_label("App password").fill("hush")
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("Nothing heard yet")).to_be_visible()
    assert family.registrar.asked[0][4:] == ("admin", "hush")
    expect(phone.get_by_label("App password")).to_have_value("")
    phone.get_by_label("Administrator of Nextcloud").fill("admin")
    phone.get_by_label("App password").fill("hush")
    phone.get_by_role("button", name="Switch off").click()
    expect(phone.get_by_text("does not tell any more")).to_be_visible()
    assert family.registrar.asked[-1][0] == "remove"


@pytest.mark.parametrize("phone", ["dark"], indirect=True)
def test_the_pages_have_no_serious_finding_and_fit_a_phone(phone: Page, family: Family, address: str) -> None:
    library = family.catalogue.libraries.add(family.account.id, "nextcloud", "Anna", "https://anna@cloud.example.org")
    family.catalogue.hooks.put(library.id, "digest")
    for path in ("/settings/other-apps", f"/libraries/{library.id}/hook"):
        phone.goto(address + path)
        assert phone.evaluate("document.documentElement.scrollWidth") == 390
        assert serious(phone) == []
    phone.goto(f"{address}/settings/other-apps")
    phone.get_by_role("button", name="Switch on and make a key").click()
    expect(phone.get_by_label("Key", exact=True)).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert phone.evaluate("""[...document.querySelectorAll('main button, main .button')].every(
        each => each.getBoundingClientRect().height >= 44)""")
    assert serious(phone) == []
