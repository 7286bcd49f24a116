"""Settings, privacy, accounts and the first run in a real Chromium: phone and desk, with and without JavaScript.

`KINFOLK_SCREENSHOTS=folder` keeps the pictures that are taken on the way.
"""

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from plugin.catalogue.store import SqlCatalogue
from plugin.domain import Fetching
from tests.end_to_end.browsing import DESK, PHONE, Visit, keep_screenshot, served, visiting
from tests.web.family import PASSWORD, Family, empty_family, engine_status, family_with_photos

pytestmark = pytest.mark.browser


@pytest.fixture
def family(catalogue: SqlCatalogue) -> Family:
    made = family_with_photos(catalogue)
    made.services.people.rename(made.account.id, made.people["Anna"], "Anna")
    made.services.privacy.forget_person(made.account.id, made.people["Clara"])
    made.services.accounts.invite(made.services.accounts.add("Oma Lotte", None).id)
    return made


def pages_of(family: Family) -> dict[str, str]:
    """Every page of the settings, by the name of its screenshot."""
    return {
        "settings-recognition": "/settings",
        "settings-detection": "/settings/detection",
        "settings-packs": "/settings/packs",
        "settings-pack": "/settings/pack/buffalo_s",
        "settings-apply": "/settings/apply/detect_reset",
        "privacy": "/settings/privacy",
        "privacy-people": "/settings/privacy/people",
        "privacy-person": f"/settings/privacy/people/{family.people['Anna']}",
        "privacy-faces": "/settings/privacy/forget/faces",
        "privacy-everything": "/settings/privacy/forget/everything",
        "privacy-copies": "/settings/privacy/copies",
        "accounts": "/settings/accounts",
        "accounts-one": f"/settings/accounts/{family.neighbour.id}",
        "accounts-remove": f"/settings/accounts/{family.neighbour.id}/remove",
        "own-account": "/settings/account",
    }


def check_accessible(visit: Visit, name: str) -> None:
    """Axe-core finds nothing serious or critical."""
    found = Axe().run(visit.page).response["violations"]
    bad = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in {"serious", "critical"}]
    assert bad == [], name


@pytest.mark.parametrize(("screen", "scheme"), [(PHONE, "light"), (DESK, "light"), (DESK, "dark")])
def test_every_settings_page_fits_and_is_accessible(
    browser: Browser, family: Family, screen: dict[str, int], scheme: str
) -> None:
    half = Fetching("face_recognition_sface.onnx", 19_000_000, 38_000_000)
    services = replace(
        family.services,
        fetching=lambda: half,
        engine_status=lambda: replace(engine_status(()), pack_installed=False),
    )
    # Without CSP, which rightly stops axe's own script.
    with visiting(
        browser, services, viewport=screen, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
    ) as visit:
        for name, path in pages_of(family).items():
            visit.open(path)
            assert visit.sideways() == 0, f"{name} scrolls sideways"
            keep_screenshot(visit.page, f"{name}-{screen['width']}-{scheme}")
            check_accessible(visit, name)
            small = visit.page.locator("main a.button:visible, main button:visible, .subnav a").evaluate_all(
                "found => found.filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML)"
            )
            assert small == [], name


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_the_first_run_leads_from_the_printed_link_to_the_scan(
    browser: Browser, catalogue: SqlCatalogue, screen: dict[str, int], *, javascript: bool
) -> None:
    family = empty_family(password=False, catalogue=catalogue)
    window = browser.new_context(viewport=screen, java_script_enabled=javascript)
    with served(family.services) as address:
        page = window.new_page()
        page.goto(f"{address}/welcome?token={family.token}")
        page.get_by_label("Your name").fill("Maria")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("The same password again").fill(PASSWORD)
        page.get_by_role("button", name="Start").click()
        if javascript:
            keep_screenshot(page, f"first-run-library-{screen['width']}")
        page.get_by_label("Folder on this machine").fill("/photos/nowhere")
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_role("alert")).to_contain_text("There is no folder /photos/nowhere")
        page.get_by_label("Folder on this machine").fill("/photos/new")
        page.get_by_role("button", name="Next").click()
        if javascript:
            keep_screenshot(page, f"first-run-pack-{screen['width']}")
        expect(page.get_by_role("radio").first).to_be_checked()
        page.get_by_role("button", name="Accept the licence and scan").click()
        expect(page.get_by_text("new is being scanned.")).to_be_visible()
        if javascript:
            keep_screenshot(page, f"first-run-scan-{screen['width']}")
        window.close()
    assert family.applied == ["pull_pack"]


def test_a_person_is_forgotten_by_keyboard_without_javascript(browser: Browser, family: Family) -> None:
    anna = family.people["Anna"]
    with visiting(browser, family.services, viewport=DESK, java_script_enabled=False) as visit:
        visit.open(f"/people/{anna}/delete")
        visit.page.get_by_role("link", name="Forget this person for good instead").focus()
        visit.page.keyboard.press("Enter")
        visit.page.get_by_label("Type Anna to confirm").fill("Ana")
        visit.page.keyboard.press("Enter")
        expect(visit.page.get_by_text("Nothing was deleted")).to_be_visible()
        visit.page.get_by_label("Type Anna to confirm").fill("anna")
        visit.page.keyboard.press("Enter")
        expect(visit.page.get_by_text("Anna was forgotten.")).to_be_visible()
        visit.open("/")
        expect(visit.page.get_by_role("link", name="Anna")).to_have_count(0)
        expect(visit.page.get_by_role("link", name="Ben")).to_have_count(1)


def test_everything_is_downloaded(browser: Browser, family: Family, tmp_path: Path) -> None:
    with visiting(browser, family.services, viewport=PHONE) as visit:
        visit.open("/settings/privacy")
        with visit.page.expect_download() as download:
            visit.page.get_by_role("link", name="Download everything").click()
        download.value.save_as(tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.read("people.ndjson").splitlines()) == 5


def test_a_link_lets_a_new_member_in_who_sees_an_empty_house(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.open("/settings/accounts")
        visit.page.get_by_label("Name").fill("Otto")
        visit.page.get_by_role("button", name="Add").click()
        link = visit.page.get_by_label("Link to set the password").input_value()
        keep_screenshot(visit.page, "accounts-link-1280")
        window = browser.new_context(viewport=PHONE)
        page = window.new_page()
        page.goto(link)
        keep_screenshot(page, "invitation-390")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("The same password again").fill(PASSWORD)
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("heading", name=re.compile("find your people"))).to_be_visible()
        expect(page.get_by_text("Anna")).to_have_count(0)
        page.goto(f"{visit.address}/settings")
        expect(page.get_by_role("navigation", name="Settings").get_by_role("link")).to_have_text(
            ["Privacy", "API tokens", "Home Assistant", "Your account"]
        )
        page.goto(link)
        expect(page.get_by_role("heading", name="This link is not valid any more")).to_be_visible()
        window.close()


def test_the_download_of_a_pack_is_seen_to_move(browser: Browser, family: Family) -> None:
    done = iter([10_000_000, 20_000_000, 30_000_000])
    last = [Fetching("model.onnx", 5_000_000, 38_000_000)]

    def fetching() -> Fetching | None:
        last[0] = Fetching("model.onnx", next(done, 37_000_000), 38_000_000)
        return last[0]

    with visiting(browser, replace(family.services, fetching=fetching), viewport=DESK) as visit:
        visit.open("/settings/packs")
        expect(visit.page.get_by_role("progressbar", name="Download")).to_be_visible()
        expect(visit.page.get_by_text("37 MB of 38 MB")).to_be_visible()
