"""The pages People and Person in a real Chromium: mouse, keys and touch, with and without JavaScript."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.browsing import DESK, PHONE, keep_screenshot, visiting
from tests.web.family import Family

pytestmark = pytest.mark.browser

SCRIPTED = pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])


def tick(page: Page, name: str) -> None:
    """Tick a person, as a mouse does: point at the tile, then click its corner."""
    page.locator(".pickable", has_text=name).hover()
    page.get_by_label(f"Choose {name}", exact=True).check()


def shown(page: Page) -> list[str]:
    names: list[str] = page.locator(".person .name").all_inner_texts()
    return names


def test_people_are_chosen_by_mouse_and_a_bar_appears_with_the_first(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        page, bar = visit.page, visit.page.get_by_role("group", name="Do with everybody chosen")
        expect(bar).to_be_hidden()
        tick(page, "Anna")
        tick(page, "Ben")
        expect(bar).to_contain_text("Chosen: 2")
        keep_screenshot(page, "people-choosing-1280")
        page.keyboard.press("Escape")
        expect(bar).to_be_hidden()
        tick(page, "Anna")
        page.locator(".pickable", has_text="Clara").hover()
        page.get_by_label("Choose Clara").click(modifiers=["Shift"])
        expect(bar).to_contain_text("Chosen: 4")
        bar.get_by_role("button", name="Choose nobody").click()
        expect(bar).to_be_hidden()


def test_people_are_hidden_by_keys_alone_and_brought_back(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        page = visit.page
        page.get_by_role("link", name="Ben").focus()
        page.keyboard.press("Tab")
        expect(page.get_by_label("Choose Ben")).to_be_focused()
        page.keyboard.press("Space")
        hide = page.get_by_role("button", name="Hide", exact=True)
        for _ in range(30):
            page.keyboard.press("Tab")
            if hide.evaluate("button => button === document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect(page.get_by_text("1 person is hidden.")).to_be_visible()
        assert "Ben" not in shown(page)
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Taken back")).to_be_visible()
        assert "Ben" in shown(page)


@SCRIPTED
def test_several_people_are_merged_into_one(browser: Browser, family: Family, scripted: bool) -> None:
    with visiting(browser, family.services, viewport=PHONE, has_touch=True, java_script_enabled=scripted) as visit:
        page = visit.page
        for label in ("Choose Clara", "Choose this person without a name"):
            page.get_by_label(label).tap()
        page.get_by_role("button", name="Merge").tap()
        expect(page.get_by_role("radio", checked=True)).to_have_value(str(family.people["Clara"]))
        assert visit.sideways() == 0
        page.get_by_role("button", name="Merge into the chosen person").tap()
        expect(page.get_by_text("1 person was merged into Clara.")).to_be_visible()
        expect(page.get_by_role("heading", name="Clara")).to_be_visible()


@SCRIPTED
def test_a_favourite_comes_first(browser: Browser, family: Family, scripted: bool) -> None:
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=scripted) as visit:
        page = visit.page
        page.get_by_role("link", name="Clara").click()
        page.get_by_role("button", name="Favourite").click()
        expect(page.get_by_text("Clara is a favourite now.")).to_be_visible()
        expect(page.get_by_role("button", name="Favourite", pressed=True)).to_be_visible()
        visit.open("/")
        assert shown(page)[0] == "Clara"
        page.get_by_role("link", name="Favourites").click()
        assert shown(page) == ["Clara"]
        page.get_by_role("link", name="By name").click()
        assert shown(page) == ["Clara"]


def test_more_people_come_when_the_end_of_the_page_is_seen(browser: Browser, family: Family) -> None:
    for number in range(70):
        family.catalogue.people.add(family.account.id, f"Person {number:02}")
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.open("/")
        tiles = visit.page.locator(".person")
        expect(tiles).to_have_count(60)
        visit.page.mouse.wheel(0, 20_000)
        expect(tiles).to_have_count(75)
        visit.page.get_by_label("Choose Person 69").check(force=True)
        visit.page.get_by_role("button", name="Favourite", exact=True).click()
        expect(visit.page.get_by_text("1 person is a favourite now.")).to_be_visible()
    with visiting(browser, family.services, viewport=DESK, java_script_enabled=False) as visit:
        visit.page.get_by_role("link", name="More").click()
        expect(visit.page.locator(".person")).to_have_count(15)
        visit.page.get_by_role("link", name="Back", exact=True).click()
        expect(visit.page.locator(".person")).to_have_count(60)


@SCRIPTED
def test_photos_of_somebody_else_are_taken_away_and_brought_back(
    browser: Browser, family: Family, scripted: bool
) -> None:
    with visiting(browser, family.services, viewport=PHONE, has_touch=True, java_script_enabled=scripted) as visit:
        page = visit.page
        visit.open(f"/people/{family.people['Anna']}")
        for name in ("boat.jpg", "tree.jpg"):
            page.get_by_label(f"Choose {name}").tap()
        keep_screenshot(page, f"person-choosing-390-{scripted}")
        page.get_by_role("group", name="Do with all photos chosen").get_by_role("button", name="Not Anna").tap()
        expect(page.get_by_text("2 faces are not Anna.")).to_be_visible()
        expect(page.get_by_label("Choose boat.jpg")).to_have_count(0)
        page.get_by_role("button", name="Undo").tap()
        expect(page.get_by_label("Choose boat.jpg")).to_have_count(1)


@SCRIPTED
def test_photos_are_given_to_who_really_is_on_them(browser: Browser, family: Family, scripted: bool) -> None:
    with visiting(browser, family.services, viewport=PHONE, has_touch=True, java_script_enabled=scripted) as visit:
        page = visit.page
        visit.open(f"/people/{family.people['Anna']}")
        page.get_by_label("Choose tree.jpg").tap()
        page.get_by_role("button", name="Somebody else").tap()
        expect(page.get_by_role("heading", name="Who is on this photo?")).to_be_visible()
        assert visit.sideways() == 0
        keep_screenshot(page, f"person-move-390-{scripted}")
        page.get_by_role("button", name="Clara").tap()
        expect(page.get_by_text("1 face is Clara now.")).to_be_visible()
        expect(page.get_by_label("Choose tree.jpg")).to_have_count(1)


def test_one_photo_is_taken_away_by_one_click(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        page = visit.page
        visit.open(f"/people/{family.people['Anna']}")
        page.locator(".pickable", has=page.get_by_label("Choose boat.jpg")).hover()
        page.get_by_role("button", name="boat.jpg does not show Anna").click()
        expect(page.get_by_text("1 face is not Anna.")).to_be_visible()
        expect(page.get_by_label("Choose boat.jpg")).to_have_count(0)


def test_the_jump_bar_brings_a_month_into_view_also_of_another_page(
    browser: Browser, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.web.person_page.PAGE_SIZE", 3)
    with visiting(browser, family.services, viewport=PHONE) as visit:
        page = visit.page
        visit.open(f"/people/{family.people['Anna']}")
        jump = page.get_by_role("navigation", name="Jump to a month")
        jump.locator("summary", has_text="2023").click()
        jump.get_by_role("link", name="December 2023").click()
        expect(page.get_by_role("heading", name="December 2023")).to_be_in_viewport()
        assert "page=3" in page.url
        assert visit.sideways() == 0


def test_more_photos_come_when_the_end_is_seen_and_can_be_chosen(
    browser: Browser, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.web.person_page.PAGE_SIZE", 3)
    with visiting(browser, family.services, viewport=PHONE) as visit:
        page = visit.page
        visit.open(f"/people/{family.people['Anna']}")
        for _ in range(6):
            page.mouse.wheel(0, 3_000)
            page.wait_for_load_state("networkidle")
        expect(page.locator("[name=photo]")).to_have_count(9)
        page.get_by_label("Choose scan0001.jpg").press("Space")
        expect(page.locator("#photos output")).to_have_text("1")


@SCRIPTED
def test_somebody_is_merged_with_the_most_alike_after_turning_the_direction_round(
    browser: Browser, family: Family, scripted: bool
) -> None:
    loose = [face.id for face in family.catalogue.faces.of_person(family.people["Anna"], family.account.id, 3)]
    twin = family.services.people.split(family.account.id, family.people["Anna"], loose)
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=scripted) as visit:
        page = visit.page
        visit.open(f"/people/{twin}/merge")
        first = page.locator("#others .pick").first
        expect(first).to_contain_text("Anna")
        expect(first).to_contain_text("Very alike")
        first.click()
        expect(page.get_by_text("The photos of this person go to Anna.")).to_be_visible()
        page.get_by_role("link", name="Other way round").click()
        expect(page.get_by_text("The photos of Anna go to the other person.")).to_be_visible()
        keep_screenshot(page, f"merge-into-390-{scripted}")
        page.get_by_role("button", name="Merge").click()
        expect(page.get_by_text("are one person now")).to_be_visible()
        expect(page.get_by_role("heading", name="Anna", level=1)).to_be_visible()


def test_a_double_click_merges_once(browser: Browser, family: Family) -> None:
    baby, clara = family.people[""], family.people["Clara"]
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.open(f"/people/{baby}/merge?into={clara}")
        visit.page.get_by_role("button", name="Merge").dblclick()
        expect(visit.page.get_by_role("heading", name="Clara", level=1)).to_be_visible()
        expect(visit.page.get_by_text("are one person now")).to_be_visible()


def test_similar_faces_appear_at_the_end_and_join(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        page = visit.page
        visit.open(f"/people/{family.people['Ben']}")
        page.mouse.wheel(0, 5_000)
        section = page.get_by_role("region", name="Is this Ben, too?")
        section.get_by_role("checkbox").first.uncheck()
        section.get_by_role("button", name="Yes").click()
        expect(page.get_by_text("1 more face of Ben.")).to_be_visible()


def test_similar_faces_are_a_page_without_javascript(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=False) as visit:
        page = visit.page
        visit.open(f"/people/{family.people['Ben']}")
        page.get_by_role("link", name="Look for more faces of this person").click()
        page.get_by_role("button", name="No, none").click()
        expect(page.get_by_text("2 faces are not Ben.")).to_be_visible()


def test_a_birth_date_before_which_there_are_photos_is_asked_about(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=PHONE) as visit:
        page = visit.page
        visit.open(f"/people/{family.people['Anna']}/birth-date")
        page.get_by_label("Date of birth").fill("2024-06-01")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Save the date and take those 2 photos away").click()
        expect(page.get_by_text("2 faces were taken away")).to_be_visible()
        expect(page.locator(".age").first).to_have_text("1 month")


def test_the_slideshow_goes_on_by_itself_and_stops_when_told(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        page = visit.page
        page.clock.install()
        visit.open(f"/people/{family.people['Anna']}")
        page.get_by_role("link", name="Slideshow").click()
        expect(page.get_by_text("1 of 9")).to_be_visible()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.clock.run_for(5_500)
        expect(page.get_by_text("2 of 9")).to_be_visible()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Play")).to_be_visible()
        page.clock.run_for(60_000)
        expect(page.get_by_text("2 of 9")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_text("3 of 9")).to_be_visible()
        expect(page.get_by_role("button", name="Play")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("heading", name="Anna")).to_be_visible()


def test_the_slideshow_waits_for_who_asked_for_less_motion_and_for_who_has_no_script(
    browser: Browser, family: Family
) -> None:
    path = f"/people/{family.people['Anna']}/slideshow"
    with visiting(browser, family.services, viewport=PHONE, reduced_motion="reduce") as visit:
        visit.page.clock.install()
        visit.open(path)
        visit.page.clock.run_for(60_000)
        expect(visit.page.get_by_text("1 of 9")).to_be_visible()
        visit.page.get_by_role("button", name="Play").click()
        expect(visit.page.get_by_role("button", name="Pause")).to_be_visible()
        visit.page.clock.run_for(5_500)
        expect(visit.page.get_by_text("2 of 9")).to_be_visible()
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=False) as visit:
        visit.open(path)
        visit.page.get_by_role("link", name="Next").click()
        expect(visit.page.get_by_text("2 of 9")).to_be_visible()
        visit.page.get_by_role("link", name="Close").click()
        expect(visit.page.get_by_role("heading", name="Anna")).to_be_visible()


def test_the_originals_arrive_as_a_zip(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=PHONE) as visit:
        page = visit.page
        visit.open(f"/people/{family.people['Oma Lotte']}")
        page.get_by_role("link", name="Download").click()
        with page.expect_download() as expected:
            page.get_by_role("link", name=re.compile("^Download$")).click()
        assert expected.value.suggested_filename == "Oma Lotte 1.zip"
        with zipfile.ZipFile(io.BytesIO(Path(expected.value.path()).read_bytes())) as archive:
            assert sorted(archive.namelist()) == ["lotte and ben.jpg", "lotte laughs.jpg", "lotte.jpg"]


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_every_new_page_fits_the_screen(browser: Browser, family: Family, screen: dict[str, int]) -> None:
    anna, baby, ben = family.people["Anna"], family.people[""], family.people["Ben"]
    long_name = "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichen" * 3
    family.services.people.rename(family.account.id, ben, long_name)
    with visiting(browser, family.services, viewport=screen, reduced_motion="reduce") as visit:
        for path in (
            "/?favourites=1", "/?order=recent&hidden=1", f"/people/{anna}", f"/people/{ben}",
            f"/people/{baby}/merge", f"/people/{baby}/merge?into={ben}", f"/people/{ben}/similar",
            f"/people/{ben}/download", f"/people/{anna}/slideshow",
        ):  # fmt: skip
            visit.open(path)
            assert visit.sideways() == 0, path
            small = visit.page.evaluate(
                """() => [...document.querySelectorAll("main a, main button, main .picker, main summary")]
                .filter((one) => one.checkVisibility({checkOpacity: true}) && !one.closest(".skip"))
                .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
                .filter(([, box]) => box.height > 0 && (box.height < 43.5 || box.width < 43.5))
                .map(([html]) => html)"""
            )
            assert [html for html in small if "Back to" not in html and "/people/" not in html] == [], path
