"""A pause in the browser: pressed once, seen on every page without a reload, taken back; on a phone and on a desk."""

import pytest
from playwright.sync_api import Browser, expect

from plugin.catalogue.store import SqlCatalogue
from tests.end_to_end.browsing import DESK, PHONE, Visit, keep_screenshot, served
from tests.web.family import family_with_photos

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_a_pause_is_pressed_seen_and_taken_back(
    browser: Browser, catalogue: SqlCatalogue, screen: dict[str, int]
) -> None:
    family = family_with_photos(catalogue)
    with served(family.services) as address:
        page = browser.new_context(viewport=screen, reduced_motion="reduce").new_page()
        visit = Visit(page, address)
        page.on("console", visit.heard)
        visit.log_in()
        visit.open("/status")
        card = page.locator("#pause")
        card.get_by_label("For how long").select_option(label="until I resume")
        button = card.get_by_role("button", name="Pause")
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44
        button.click()
        expect(card.get_by_text("Paused until somebody resumes.")).to_be_visible()
        keep_screenshot(page, f"paused-{screen['width']}")
        visit.open("/")
        expect(page.locator("#scan")).to_contain_text("Paused until somebody resumes")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        family.services.pausing.resume()
        page.evaluate("htmx.trigger(document.body, 'kinfolk:scan')")
        expect(page.locator("#scan")).to_be_empty()
        assert visit.complaints == []
        page.context.close()
