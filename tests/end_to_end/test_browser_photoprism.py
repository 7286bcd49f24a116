"""Connecting a PhotoPrism in a real Chromium, with and without JavaScript, and making its trigger."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from plugin.catalogue.store import SqlCatalogue
from tests.end_to_end.browsing import DESK, PHONE, Visit, keep_screenshot, visiting
from tests.fakes.nextcloud.certificate import self_signed
from tests.fakes.photoprism import FakePhotoPrism
from tests.web.family import Family, family_with_photos

pytestmark = pytest.mark.browser


@pytest.fixture
def family(catalogue: SqlCatalogue) -> Family:
    return family_with_photos(catalogue)


@pytest.fixture
def server() -> Iterator[FakePhotoPrism]:
    with FakePhotoPrism() as running:
        yield running


def fill(visit: Visit, address: str, password: str) -> None:
    visit.page.get_by_label("Address of your PhotoPrism").first.fill(address)
    visit.page.get_by_label("App password or access token").fill(password)
    visit.page.get_by_role("button", name="Connect").first.click()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_a_photoprism_is_connected_and_gets_a_trigger(
    browser: Browser, family: Family, server: FakePhotoPrism, *, javascript: bool
) -> None:
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=javascript) as visit:
        visit.open("/libraries")
        visit.page.get_by_role("link", name="Connect a PhotoPrism").click()
        fill(visit, server.address, server.library.token())
        expect(visit.page.get_by_role("heading", name="PhotoPrism (127.0.0.1")).to_be_visible()
        visit.page.get_by_role("link", name="Off").click()
        visit.page.get_by_role("button", name="Make a secret").click()
        expect(visit.page.get_by_label("Secret")).not_to_be_empty()
        visit.page.get_by_role("button", name="Switch off").click()
        expect(visit.page.get_by_role("button", name="Make a secret")).to_be_visible()


@pytest.mark.parametrize(("screen", "scheme"), [(PHONE, "light"), (PHONE, "dark"), (DESK, "light")])
def test_the_pages_of_connecting_fit_and_are_accessible(
    browser: Browser, family: Family, server: FakePhotoPrism, tmp_path: Path, screen: dict[str, int], scheme: str
) -> None:
    options = {"viewport": screen, "color_scheme": scheme, "reduced_motion": "reduce", "bypass_csp": True}
    library = family.services.photoprism.connect(family.account, server.address, server.library.token()).library
    context, _ = self_signed(tmp_path)
    with visiting(browser, family.services, **options) as visit, FakePhotoPrism(tls=context) as self_made:
        visit.open("/libraries/photoprism")
        visit.page.get_by_text("Let Kinfolk make the app password").click()
        looks_right(visit, f"photoprism-connect-{screen['width']}-{scheme}")
        visit.open("/libraries")
        looks_right(visit, f"photoprism-libraries-{screen['width']}-{scheme}")
        visit.open(f"/libraries/photoprism/{library.id}/trigger")
        visit.page.get_by_role("button", name="Make a secret").click()
        expect(visit.page.get_by_label("Secret")).not_to_be_empty()
        looks_right(visit, f"photoprism-trigger-{screen['width']}-{scheme}")
        visit.open("/libraries/photoprism")
        fill(visit, self_made.address, "token")
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Is this your server?")
        looks_right(visit, f"photoprism-certificate-{screen['width']}-{scheme}")
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
