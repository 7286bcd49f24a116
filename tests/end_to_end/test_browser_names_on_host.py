"""Names to the host in a real Chromium: previewed, confirmed, seen to be written and taken back, on a phone."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ViewportSize, expect

from plugin.ports.written import NameKind
from tests.end_to_end.browsing import DESK, PHONE, keep_screenshot, visiting
from tests.web.family import Family

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_names_are_previewed_written_and_taken_back_again(browser: Browser, family: Family, scripted: bool) -> None:
    assert family.library is not None
    for asset_id in family.assets:
        family.host.put(family.catalogue.assets.get(asset_id).path, b"pixels")
    writing, library_id = family.services.writing, family.library.id
    with visiting(browser, family.services, viewport=PHONE, has_touch=True, java_script_enabled=scripted) as visit:
        page = visit.page
        visit.open("/libraries")
        page.get_by_role("link", name="Names to the host").tap()
        page.get_by_role("link", name="Preview").first.tap()
        expect(page.get_by_text("Person: Anna").first).to_be_visible()
        assert family.host.tags == {}
        page.get_by_role("button", name="Write these names").tap()
        expect(page.get_by_text("Being written", exact=True)).to_be_visible()
        writing.run(library_id, NameKind.TAGS)
        page.reload()
        expect(page.get_by_text("Up to date")).to_be_visible()
        assert "Person: Anna" in family.host.tags.values()
        page.get_by_role("link", name="Stop and remove everything").tap()
        page.get_by_role("button", name="Stop and remove everything").tap()
        expect(page.get_by_text("Being removed", exact=True)).to_be_visible()
        writing.run(library_id, NameKind.TAGS)
        page.reload()
        expect(page.get_by_text("Off", exact=True)).to_have_count(3)
        assert family.host.tags == {}


def test_axe_has_nothing_against_the_names_on_the_host(browser: Browser, family: Family) -> None:
    assert family.library is not None
    address = f"/libraries/{family.library.id}/names"
    family.services.writing.start(family.library, NameKind.TAGS)
    with visiting(browser, family.services, viewport=PHONE, bypass_csp=True) as visit:
        for path in (address, f"{address}/tags", f"{address}/sidecars", f"{address}/markers", f"{address}/tags/remove"):
            visit.open(path)
            found = Axe().run(visit.page).response["violations"]
            assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == [], path


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone", "desk"])
def test_names_left_on_photos_in_the_trash_are_told_of_and_need_not_be_waited_for(
    browser: Browser, family: Family, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    assert family.library is not None
    for asset_id in family.assets:
        family.host.put(family.catalogue.assets.get(asset_id).path, b"pixels")
    writing, library = family.services.writing, family.library
    writing.start(library, NameKind.TAGS)
    writing.run(library.id, NameKind.TAGS)
    key, _ = min(family.host.carried)
    asset = family.catalogue.assets.of_host_key(library.id, key)
    assert asset is not None
    family.catalogue.assets.mark_gone([asset.id])
    writing.remove(library, NameKind.TAGS)
    writing.run(library.id, NameKind.TAGS)
    with visiting(browser, family.services, viewport=size, color_scheme=scheme, bypass_csp=True) as visit:
        page = visit.page
        visit.open(f"/libraries/{library.id}/names")
        expect(page.get_by_text("1 photo that is away, in the trash of the host for example")).to_be_visible()
        keep_screenshot(page, f"names-left-{scheme}")
        found = Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
        page.get_by_role("button", name="Do not wait any longer").click()
        expect(page.get_by_text("Off", exact=True)).to_have_count(3)
