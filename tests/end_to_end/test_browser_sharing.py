"""Sharing a library and looking at it, in a real Chromium: the owner on a desk, the neighbour on a phone."""

import pytest
from playwright.sync_api import Browser, Page, expect

from plugin.catalogue.store import SqlCatalogue
from tests.end_to_end.browsing import DESK, PHONE, keep_screenshot, visiting
from tests.web.household import Household

pytestmark = pytest.mark.browser

SCRIPTED = pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture
def house(catalogue: SqlCatalogue) -> Household:
    made = Household(catalogue)
    made.sharing.end(made.owner, made.shared_library, made.family.neighbour.id)
    return made


def all_pictures_are_there(page: Page) -> bool:
    """Whether no picture on the page is broken; pictures below the fold are fetched first."""
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_load_state("networkidle")
    return bool(page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)"))


@SCRIPTED
def test_a_library_is_shared_looked_at_corrected_and_taken_back(
    browser: Browser, house: Household, scripted: bool
) -> None:
    options = {"java_script_enabled": scripted}
    with (
        visiting(browser, house.family.services, viewport=DESK, **options) as maria,
        visiting(browser, house.family.services, viewport=PHONE, has_touch=True, **options) as nora,
    ):
        nora.log_out()
        nora.log_in("neighbour")
        expect(nora.page.get_by_role("navigation", name="Whose photos")).to_have_count(0)

        maria.page.get_by_role("link", name="Libraries").click()
        maria.page.get_by_role("link", name="Share with…").first.click()
        maria.page.get_by_label("Member").select_option("neighbour")
        maria.page.get_by_label("Look, and say who is on the photos").check()
        maria.page.get_by_role("button", name="Share", exact=True).click()
        expect(maria.page.get_by_text("neighbour can look at Family photos and correct")).to_be_visible()
        keep_screenshot(maria.page, f"shares-1280-{scripted}")

        nora.open("/")
        nora.page.get_by_role("link", name="Photos of Maria").tap()
        expect(nora.page.get_by_role("heading", name="People of Maria")).to_be_visible()
        expect(nora.page.get_by_text("Xaver")).to_have_count(0)
        assert nora.sideways() == 0
        keep_screenshot(nora.page, f"shared-people-390-{scripted}")
        nora.page.get_by_role("link", name="Clara").tap()
        expect(nora.page.get_by_role("heading", name="Clara", level=1)).to_be_visible()
        keep_screenshot(nora.page, f"shared-person-390-{scripted}")
        assert nora.sideways() == 0
        nora.page.get_by_role("link", name="clara.jpg").tap()
        nora.page.locator(".chip", has_text="Clara").tap()
        expect(nora.page.get_by_label("Somebody else")).to_be_visible()
        keep_screenshot(nora.page, f"shared-photo-390-{scripted}")
        assert nora.sideways() == 0
        nora.page.get_by_label("Somebody else").fill("Greta")
        nora.page.get_by_role("button", name="Save").tap()
        expect(nora.page.get_by_text("Got it: this is Greta.")).to_be_visible()

        maria.open("/history")
        expect(maria.page.get_by_text("neighbour said that a face is Greta")).to_be_visible()
        maria.page.get_by_role("button", name="Undo").first.click()
        expect(maria.page.get_by_text("Taken back: neighbour said")).to_be_visible()
        maria.open(f"/libraries/{house.shared_library}/shares")
        maria.page.get_by_role("button", name="Stop sharing").click()
        expect(maria.page.get_by_text("neighbour does not see Family photos any more.")).to_be_visible()
        nora.complaints_expected("404")
        nora.page.get_by_role("link", name="People", exact=True).tap()
        expect(nora.page.get_by_role("heading", name="Nothing here")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_every_shared_page_fits_and_shows_its_pictures(
    browser: Browser, house: Household, screen: dict[str, int], scheme: str
) -> None:
    house.share(may_correct=True)
    face = house.family.face_of("Ben")
    photo = house.family.catalogue.faces.get(face).asset_id
    pages = {
        "shared-people": "",
        "shared-nobody": "?q=nobody",
        "shared-person": f"/people/{house.anna}",
        "shared-unnamed": f"/people/{house.family.people['']}",
        "shared-photo": f"/photos/{photo}",
        "shared-face": f"/photos/{photo}?face={face}",
        "shared-slideshow": f"/people/{house.anna}/slideshow",
    }
    with visiting(browser, house.family.services, viewport=screen, color_scheme=scheme) as visit:
        visit.open(f"/libraries/{house.diary.id}/shares")
        keep_screenshot(visit.page, f"shares-none-{screen['width']}-{scheme}")
        visit.log_out()
        visit.log_in("neighbour")
        for name, path in pages.items():
            visit.open(f"/shared/{house.owner}{path}")
            assert all_pictures_are_there(visit.page), name
            assert visit.sideways() == 0, name
            keep_screenshot(visit.page, f"{name}-{screen['width']}-{scheme}")
