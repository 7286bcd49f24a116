"""Every page in a real Chromium: phone and desk, light and dark, with and without JavaScript.

`KINFOLK_SCREENSHOTS=folder` keeps the pictures that are taken on the way.
"""

from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from plugin.catalogue.store import SqlCatalogue
from tests.end_to_end.browsing import DESK, PHONE, WALL, Visit, keep_screenshot, served, visiting
from tests.web.family import (
    PASSWORD,
    Family,
    empty_family,
    engine_status,
)

pytestmark = pytest.mark.browser


def pages_of(family: Family) -> dict[str, str]:
    """Every page a family sees, by the name of its screenshot."""
    anna, baby = family.people["Anna"], family.people[""]
    beach = family.assets[-1]
    lone, chosen, _ = family.faces_of(beach)
    video = family.assets[12]
    return {
        "people": "/",
        "people-all": "/?small=1&hidden=1",
        "people-search": "/?q=nobody",
        "person": f"/people/{anna}",
        "person-unnamed": f"/people/{baby}",
        "rename": f"/people/{anna}/rename",
        "merge": f"/people/{baby}/merge",
        "split": f"/people/{anna}/split",
        "feature": f"/people/{anna}/feature",
        "birth-date": f"/people/{anna}/birth-date",
        "delete": f"/people/{anna}/delete",
        "photo": f"/photos/{family.assets[0]}",
        "photo-tall": f"/photos/{family.assets[3]}",
        "photo-face": f"/photos/{beach}?face={chosen}",
        "photo-unknown": f"/photos/{beach}?face={lone}",
        "video": f"/photos/{video}",
        "review": "/review",
        "unassigned": "/unassigned",
        "history": "/history",
        "status": "/status",
        "libraries": "/libraries",
        "library-remove": "/libraries/1/remove",
        "settings": "/settings",
        "settings-pack": "/settings/pack/antelopev2",
        "settings-apply": "/settings/apply/detect_reset",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_fits_the_screen_and_the_browser_has_nothing_to_complain_about(
    browser: Browser, family: Family, screen: dict[str, int], scheme: str
) -> None:
    trouble = engine_status(("The graphics card failed; the processor does the work.",))
    services = replace(family.services, engine_status=lambda: trouble)
    with visiting(browser, services, viewport=screen, color_scheme=scheme, reduced_motion="reduce") as visit:
        for name, path in pages_of(family).items():
            visit.open(path)
            assert visit.sideways() == 0, f"{name} scrolls sideways"
            keep_screenshot(visit.page, f"{name}-{screen['width']}-{scheme}")


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_the_pages_before_the_first_person_tell_what_to_do(browser: Browser, screen: dict[str, int]) -> None:
    family = empty_family()
    with visiting(browser, family.services, viewport=screen) as visit:
        visit.open("/")  # past the first run
        keep_screenshot(visit.page, f"empty-{screen['width']}")
        visit.page.get_by_role("link", name="Add a folder").click()
        expect(visit.page.get_by_label("Folder on this machine")).to_be_visible()
        keep_screenshot(visit.page, f"libraries-empty-{screen['width']}")
        visit.page.get_by_label("Folder on this machine").fill("/photos/new")
        visit.page.get_by_role("button", name="Add and scan").click()
        expect(visit.page.get_by_text("new was added and is being scanned.")).to_be_visible()
        visit.open("/")
        expect(visit.page.get_by_role("heading", name="Looking through your photos…")).to_be_visible()
        keep_screenshot(visit.page, f"scanning-{screen['width']}")
        assert visit.sideways() == 0


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_the_first_start_and_the_log_in_fit(browser: Browser, catalogue: SqlCatalogue, screen: dict[str, int]) -> None:
    family = empty_family(password=False, catalogue=catalogue)
    with served(family.services) as address, browser.new_context(viewport=screen) as window:
        visit = Visit(window.new_page(), address)
        visit.page.on("console", visit.heard)
        link = "/welcome?token=" + family.token
        for name, path in {"no-token": "/", "welcome": link}.items():
            visit.open(path)
            keep_screenshot(visit.page, f"{name}-{screen['width']}")
            assert visit.sideways() == 0, name
        visit.page.get_by_label("Your name").fill("Maria")
        for label in ("Password", "The same password again"):
            visit.page.get_by_label(label, exact=True).fill(PASSWORD)
        visit.page.get_by_role("button", name="Start").click()
        expect(visit.page.get_by_text("Welcome! Your password is set.")).to_be_visible()
        visit.page.get_by_role("button", name="Log out").click()
        expect(visit.page.get_by_role("heading", name="Welcome back")).to_be_visible()
        keep_screenshot(visit.page, f"login-{screen['width']}")
        assert visit.sideways() == 0
        visit.log_in()
    assert visit.complaints == []


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_person_is_named_and_a_face_corrected(browser: Browser, family: Family, scripted: bool) -> None:
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=scripted) as visit:
        page = visit.page
        page.get_by_role("link", name="Who is this?").click()
        page.get_by_label("Name").fill("Emil")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Emil")).to_be_visible()
        visit.open(f"/photos/{family.assets[-1]}")
        page.locator("#faces").get_by_role("link", name="Unknown").first.click()
        page.get_by_role("button", name="Emil").click()
        expect(page.get_by_text("Got it: this is Emil.")).to_be_visible()
        page.locator(".stage a", has_text="Emil").press("Enter")
        expect(page.get_by_text("You said so.")).to_be_visible()


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_question_is_answered_and_the_answer_taken_back(browser: Browser, family: Family, scripted: bool) -> None:
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=scripted) as visit:
        page = visit.page
        page.get_by_role("link", name="Review").click()
        expect(page.get_by_role("button", name="Yes")).to_be_visible()
        asked = page.get_by_role("heading", level=1).inner_text()
        page.get_by_role("button", name="Yes").click()
        expect(page.get_by_text("Yes, noted.")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("heading", name=asked)).to_be_visible()
        expect(page.get_by_text("Taken back")).to_be_visible()


def test_questions_are_answered_by_keys(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.open("/review")
        asked = visit.page.get_by_role("heading", level=1).inner_text()
        for key, said in (("y", "Yes, noted."), ("u", "Taken back"), ("n", "No, noted"), ("u", "Taken back")):
            visit.page.keyboard.press(key)
            expect(visit.page.get_by_text(said)).to_be_visible()
        expect(visit.page.get_by_role("heading", name=asked)).to_be_visible()
        visit.page.keyboard.press("s")
        expect(visit.page.get_by_text("Skipped.")).to_be_visible()


@pytest.mark.parametrize(("across", "said"), [(150, "Yes, noted."), (-150, "No, noted"), (30, None)])
def test_questions_are_answered_by_swiping(browser: Browser, family: Family, across: int, said: str | None) -> None:
    with visiting(browser, family.services, viewport=PHONE, has_touch=True) as visit:
        visit.open("/review")
        touch = visit.page.context.new_cdp_session(visit.page)
        for kind, x in (("touchStart", 195), ("touchMove", 195 + across // 2), ("touchMove", 195 + across)):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": 300}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        if said:
            expect(visit.page.get_by_text(said)).to_be_visible()
        else:
            expect(visit.page.get_by_role("button", name="Yes")).to_be_visible()
            expect(visit.page.get_by_role("status")).to_have_count(0)


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_group_of_nobody_is_named(browser: Browser, family: Family, scripted: bool) -> None:
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=scripted) as visit:
        visit.open("/unassigned")
        group = visit.page.get_by_role("region", name="2 faces that look alike")
        group.get_by_label("Name").fill("Onkel Fritz")
        group.get_by_role("button", name="Save").click()
        expect(visit.page.get_by_text("2 faces of Onkel Fritz, noted.")).to_be_visible()
        visit.open("/?q=fritz&small=1")
        expect(visit.page.get_by_role("link", name="Onkel Fritz")).to_be_visible()


def test_people_are_found_while_a_name_is_typed(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.page.get_by_label("Search by name").press_sequentially("lot")
        expect(visit.page.get_by_text("1 person found for “lot”")).to_be_visible()
        expect(visit.page.locator(".person")).to_have_count(1)
        expect(visit.page.get_by_label("Search by name")).to_be_focused()
        assert visit.page.url.endswith("q=lot")


def test_the_status_page_follows_the_work_by_itself(browser: Browser, family: Family) -> None:
    family.catalogue.detection.request("refresh", "opencv")
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.open("/status")
        expect(visit.page.get_by_text("16 to go")).to_be_visible()
        for asset in family.catalogue.detection.claim("test", 50, 60):
            family.catalogue.detection.fail(asset, "picture_broken", "The file ends too early", permanent=True)
        expect(visit.page.get_by_text("Everything was looked at. · 16 failed")).to_be_visible()
        expect(visit.page.locator("#scan")).to_be_empty()


def test_everything_works_under_a_prefix(browser: Browser, family: Family) -> None:
    services = replace(family.services, prefix="/ingress/kinfolk")
    with visiting(browser, services, viewport=PHONE) as visit:
        visit.page.get_by_role("link", name="Anna").click()
        visit.page.locator(".photos a").first.click()
        expect(visit.page.locator(".stage img")).to_have_js_property("complete", value=True)
        assert visit.page.evaluate("document.querySelector('.stage img').naturalWidth") > 0
        assert "/ingress/kinfolk/photos/" in visit.page.url


def test_everything_that_is_touched_is_large_enough(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=PHONE, has_touch=True) as visit:
        for path in (
            "/",
            f"/people/{family.people['Anna']}",
            f"/photos/{family.assets[0]}",
            "/review",
            "/unassigned",
            "/history",
            "/status",
            "/settings",
            "/libraries",
        ):
            visit.open(path)
            small = visit.page.evaluate(
                """() => [...document.querySelectorAll('.button, .nav a, .chip, .person, .choice, summary, input')]
                    .filter(e => e.type !== 'hidden')
                    .filter(e => e.getClientRects().length)
                    .map(e => e.type === 'checkbox' ? e.closest('label') ?? e : e)
                    .filter(e => Math.min(e.offsetWidth, e.offsetHeight) < 44)
                    .map(e => e.outerHTML.slice(0, 80))"""
            )
            assert small == [], path


@pytest.mark.parametrize("screen", [PHONE, WALL], ids=["phone", "wall"])
def test_a_large_family_under_scan_fits_from_phone_to_wall(
    browser: Browser, family: Family, screen: dict[str, int]
) -> None:
    family.catalogue.detection.request("refresh", "opencv")
    for index in range(60):
        family.catalogue.people.add(family.account.id, f"Maximiliane-Theodora von und zu Hohenzollern {index}")
    with visiting(browser, family.services, viewport=screen) as visit:
        expect(visit.page.locator("#scan")).to_contain_text("Finding faces")
        for name, path in {
            "crowd": "/",
            "crowd-photo": f"/photos/{family.assets[-1]}",
            "crowd-status": "/status",
        }.items():
            visit.open(path)
            assert visit.sideways() == 0, name
            keep_screenshot(visit.page, f"{name}-{screen['width']}")
