"""Connecting a Nextcloud in a real Chromium: the login is granted in a second tab, with and without JavaScript."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from plugin.catalogue.store import SqlCatalogue, open_catalogue
from tests.end_to_end.test_browser_pages import ARGUMENTS, DESK, PHONE, Visit, keep_screenshot, visiting
from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.nextcloud.certificate import self_signed
from tests.web.family import Family, family_with_photos

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqlCatalogue]:
    opened = open_catalogue(tmp_path / "catalogue.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def family(catalogue: SqlCatalogue) -> Family:
    return family_with_photos(catalogue)


@pytest.fixture
def server() -> Iterator[FakeNextcloud]:
    with FakeNextcloud() as running:
        running.cloud.add_user("anna", "Anna's own password")
        for folder in ("Photos", "Camera uploads", "Documents", "Übersee & mehr"):
            running.cloud.mkdir("anna", folder)
        yield running


def begin(visit: Visit, server: FakeNextcloud) -> None:
    visit.open("/libraries")
    visit.page.get_by_role("link", name="Connect a Nextcloud").click()
    visit.page.get_by_label("Address of your Nextcloud").first.fill(server.address)
    visit.page.get_by_role("button", name="Log in at Nextcloud").click()
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Log in at Nextcloud")


def grant(page: Page) -> None:
    """In the tab of Nextcloud."""
    page.get_by_label("User").fill("anna")
    page.get_by_role("button", name="Grant access").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Account connected")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_a_nextcloud_is_connected_by_a_click_in_another_tab(
    browser: Browser, family: Family, server: FakeNextcloud, screen: dict[str, int], *, javascript: bool
) -> None:
    with visiting(browser, family.services, viewport=screen, java_script_enabled=javascript) as visit:
        begin(visit, server)
        with visit.page.context.expect_page() as opened:
            visit.page.get_by_role("link", name="Open Nextcloud").click()
        grant(opened.value)
        opened.value.close()
        if not javascript:
            visit.page.get_by_role("button", name="Continue").click()
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Which folders hold photos?")
        visit.page.get_by_label("Only these folders:").check()
        visit.page.get_by_label("Übersee & mehr").check()
        visit.page.get_by_role("button", name="Save and read").click()
        expect(visit.page.get_by_role("heading", name="anna (127.0.0.1")).to_be_visible()
    library = next(library for library in family.catalogue.libraries.all() if library.host == "nextcloud")
    kept = family.catalogue.host_logins.get(library.id)
    assert kept is not None
    assert kept.options["folders"] == ("Übersee & mehr",)


@pytest.mark.parametrize(("screen", "scheme"), [(PHONE, "light"), (DESK, "light"), (DESK, "dark")])
def test_the_pages_of_connecting_fit_and_are_accessible(
    browser: Browser, family: Family, server: FakeNextcloud, tmp_path: Path, screen: dict[str, int], scheme: str
) -> None:
    options = {"viewport": screen, "color_scheme": scheme, "reduced_motion": "reduce", "bypass_csp": True}
    connections = family.services.nextcloud
    library = connections.with_password(family.account, server.address, "anna", "Anna's own password")
    kept = family.catalogue.host_logins.get(library.id)
    assert kept is not None
    context, _ = self_signed(tmp_path)
    with visiting(browser, family.services, **options) as visit, FakeNextcloud(tls=context) as self_made:
        visit.open("/libraries/nextcloud")
        visit.page.get_by_text("Use an app password instead").click()
        looks_right(visit, f"nextcloud-connect-{screen['width']}-{scheme}")
        begin(visit, server)
        looks_right(visit, f"nextcloud-wait-{screen['width']}-{scheme}")
        visit.open(f"/libraries/nextcloud/{library.id}/folders")
        looks_right(visit, f"nextcloud-folders-{screen['width']}-{scheme}")
        family.catalogue.host_logins.put(library.id, replace(kept, refused="no"))
        family.catalogue.libraries.sync_started(library.id)
        family.catalogue.libraries.sync_finished(
            library.id,
            "Nextcloud does not accept the user name or password. Connect this library again on the Libraries page",
        )
        visit.open("/libraries")
        looks_right(visit, f"nextcloud-paused-{screen['width']}-{scheme}")
        visit.open("/libraries/nextcloud")
        visit.page.get_by_label("Address of your Nextcloud").first.fill(self_made.address)
        visit.page.get_by_role("button", name="Log in at Nextcloud").click()
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Is this your server?")
        looks_right(visit, f"nextcloud-certificate-{screen['width']}-{scheme}")
        visit.complaints[:] = [one for one in visit.complaints if "422" not in one]


def looks_right(visit: Visit, name: str) -> None:
    """Fits the screen, can be touched, and axe-core finds nothing serious."""
    assert visit.sideways() == 0, f"{name} scrolls sideways"
    keep_screenshot(visit.page, name)
    found = Axe().run(visit.page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == [], name
    small = visit.page.locator(
        "main a.button:visible, main button:visible, main summary:visible, main label.choice:visible"
    ).evaluate_all("found => found.filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML)")
    assert small == [], name
