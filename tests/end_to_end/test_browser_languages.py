"""Pages in other languages in a real Chromium: longer words still fit, and a language is chosen with one click."""

import pytest
from playwright.sync_api import Browser, expect

from plugin.catalogue.store import SqlCatalogue
from tests.end_to_end.browsing import Visit, served
from tests.web.family import PASSWORD, Family, add_stranger_faces, faces_of_nobody, family_with_photos

pytestmark = pytest.mark.browser

TABLET = 800


@pytest.fixture
def busy(catalogue: SqlCatalogue) -> Family:
    """A family whose photos are looked at again, so that the header is as full as it gets."""
    family = family_with_photos(catalogue)
    add_stranger_faces(family)
    faces_of_nobody(family)
    family.catalogue.detection.request("refresh", "opencv")
    return family


def enter(visit: Visit) -> None:
    """Log in whatever the words on the page."""
    visit.open("/login")
    visit.page.locator("#name").fill("Maria")
    visit.page.locator("#password").fill(PASSWORD)
    visit.page.locator("#password").press("Enter")
    expect(visit.page.locator("header.top")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_language_fits_from_phone_over_tablet_to_desk(browser: Browser, busy: Family, language: str) -> None:
    anna, photo = busy.people["Anna"], busy.assets[0]
    with served(busy.services) as address:
        visit = Visit(browser.new_context(locale=language).new_page(), address)
        enter(visit)
        wide = []
        for path in ("/", f"/people/{anna}", f"/photos/{photo}", "/review", "/libraries", "/status", "/settings"):
            visit.open(path)
            for width in (390, TABLET, 1280):
                visit.page.set_viewport_size({"width": width, "height": 800})
                wide += [(path, width, visit.sideways())] if visit.sideways() else []
        visit.page.context.close()
    assert wide == []


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_language_is_chosen_with_one_click_and_given_back_with_another(
    browser: Browser, busy: Family, scripted: bool
) -> None:
    with served(busy.services) as address:
        window = browser.new_context(locale="fr", java_script_enabled=scripted)
        visit = Visit(window.new_page(), address)
        enter(visit)
        visit.open("/libraries")
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Photothèques")
        visit.page.get_by_role("button", name="Deutsch").click()
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Bibliotheken")
        expect(visit.page.locator("html")).to_have_attribute("lang", "de")
        visit.page.get_by_role("button", name="Wie der Browser es wünscht").click()
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Photothèques")
        window.close()
