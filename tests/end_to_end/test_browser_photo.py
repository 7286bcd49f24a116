"""The page of a photo and Explore in a real Chromium: names, keys, boxes by mouse and touch, both searches."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from plugin.domain import Box, Face
from plugin.faces.boxes import iou
from tests.end_to_end.browsing import DESK, PHONE, Visit, keep_screenshot, visiting
from tests.fakes.workshop import photo
from tests.web.family import Family

pytestmark = pytest.mark.browser


def shown(page: Page, name: str) -> str:
    """How opaque the name of a box is: "1" is readable, "0" is not there."""
    return str(page.locator(".stage .box", has_text=name).locator("text").evaluate("e => getComputedStyle(e).opacity"))


def drawn(album: Family, asset_id: int) -> list[Face]:
    return [face for face in album.catalogue.faces.of_asset(asset_id, album.account.id) if face.drawn]


def on_photo(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a fraction of the photo lies in the window; the picture may have bars at its sides."""
    page.locator("#stage svg").scroll_into_view_if_needed()
    point = page.evaluate(
        """([x, y]) => { const svg = document.querySelector('#stage svg'); const view = svg.viewBox.baseVal;
        const p = new DOMPoint(x * view.width, y * view.height).matrixTransform(svg.getScreenCTM());
        return [p.x, p.y] }""",
        [x, y],
    )
    return float(point[0]), float(point[1])


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """By mouse, from one place of the photo to another."""
    page.mouse.move(*on_photo(page, *start))
    page.mouse.down()
    page.mouse.move(*on_photo(page, *end), steps=5)
    page.mouse.up()


def swipe(page: Page, finger: CDPSession, start: tuple[float, float], end: tuple[float, float]) -> None:
    """By one finger, from one place of the photo to another."""
    places = [on_photo(page, *start), on_photo(page, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2)]
    places.append(on_photo(page, *end))
    for number, (x, y) in enumerate(places):
        kind = "touchMove" if number else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_names_show_on_hover_and_on_focus(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK, reduced_motion="reduce") as visit:
        visit.open(f"/photos/{family.assets[0]}")
        page = visit.page
        assert [shown(page, name) for name in ("Anna", "Unknown", "Clara")] == ["0", "0", "0"]
        page.mouse.move(*on_photo(page, 0.2, 0.4))
        assert [shown(page, name) for name in ("Anna", "Unknown", "Clara")] == ["1", "0", "0"]
        page.mouse.move(2, 2)
        page.locator(".stage .box", has_text="Clara").focus()
        assert [shown(page, name) for name in ("Anna", "Unknown", "Clara")] == ["0", "0", "1"]
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="The chosen face")).to_contain_text("Clara")


def test_names_show_on_touch_and_a_tap_beside_the_faces_takes_them_away(
    browser: Browser,
    family: Family,
) -> None:
    with visiting(browser, family.services, viewport=PHONE, has_touch=True, is_mobile=True) as visit:
        visit.open(f"/photos/{family.assets[0]}")
        page = visit.page
        assert shown(page, "Anna") == "1"
        keep_screenshot(page, "photo-touch")
        for opacity in ("1", "0", "1"):
            page.touchscreen.tap(*on_photo(page, 0.5, 0.92))
            expect(page.locator(".stage .box", has_text="Anna")).to_have_css("opacity", opacity)
        page.touchscreen.tap(*on_photo(page, 0.2, 0.4))
        expect(page.get_by_role("region", name="The chosen face")).to_contain_text("Anna")


def test_arrow_keys_go_to_the_photos_before_and_after_but_not_while_typing(
    browser: Browser,
    family: Family,
) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        page, photos = visit.page, family.assets
        visit.open(f"/photos/{photos[2]}")
        page.keyboard.press("ArrowRight")
        page.wait_for_url(f"**/photos/{photos[1]}")
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(f"**/photos/{photos[2]}")
        visit.open(f"/photos/{photos[2]}?face={family.faces_of(photos[2])[0]}")
        page.get_by_label("Search by name").fill("an")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_label("Search by name")).to_be_focused()
        assert f"/photos/{photos[2]}?face=" in page.url


def test_a_face_is_assigned_by_completion(browser: Browser, family: Family) -> None:
    beach = family.assets[-1]
    unknown = family.faces_of(beach)[0]
    with visiting(browser, family.services, viewport=DESK) as visit:
        page = visit.page
        visit.open(f"/photos/{beach}?face={unknown}")
        first = page.locator("#candidates button").first
        expect(first).to_contain_text("Looks alike")
        expect(first.locator("img.face")).to_have_js_property("complete", value=True)
        keep_screenshot(page, "photo-candidates")
        page.get_by_label("Search by name").press_sequentially("lot")
        expect(page.locator("#candidates button")).to_have_count(1)
        page.get_by_role("button", name="Oma Lotte").click()
        expect(page.get_by_text("Got it: this is Oma Lotte.")).to_be_visible()
    assert family.catalogue.faces.get(unknown).person_name == "Oma Lotte"


def test_a_missed_face_is_drawn_by_mouse_moved_resized_and_taken_back(
    browser: Browser,
    family: Family,
) -> None:
    asset_id = family.assets[0]
    with visiting(browser, family.services, viewport=DESK) as visit:
        page = visit.page
        visit.open(f"/photos/{asset_id}")
        page.get_by_role("link", name="Draw a missed face").click()
        expect(page.get_by_label("Left")).to_be_hidden()
        # Ends on the box in the middle: what is there must not get in the way.
        drag(page, (0.45, 0.02), (0.55, 0.2))
        expect(page.get_by_label("Who is it?")).to_be_focused()
        keep_screenshot(page, "draw-desk")
        page.keyboard.type("Oma Lotte")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Got it: this is Oma Lotte.")).to_be_visible()
        (face,) = drawn(family, asset_id)
        assert iou(face.box, Box(0.45, 0.02, 0.1, 0.18)) > 0.9
        page.locator("#faces").get_by_role("link", name="Oma Lotte").click()
        page.get_by_role("link", name="Move the box").click()
        drag(page, (0.5, 0.1), (0.6, 0.15))
        drag(page, (0.65, 0.25), (0.7, 0.3))
        keep_screenshot(page, "move-desk")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("The box was moved.")).to_be_visible()
        (face,) = drawn(family, asset_id)
        assert iou(face.box, Box(0.55, 0.07, 0.15, 0.23)) > 0.9
        assert face.person_name == "Oma Lotte"
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Taken back: Moved the box of a face.")).to_be_visible()
        assert iou(drawn(family, asset_id)[0].box, Box(0.45, 0.02, 0.1, 0.18)) > 0.9
        page.get_by_role("button", name="Delete the box").click()
        expect(page.get_by_text("The face you had drawn was deleted.")).to_be_visible()
        assert drawn(family, asset_id) == []


def test_a_missed_face_is_drawn_and_resized_by_touch(browser: Browser, family: Family) -> None:
    asset_id = family.assets[3]
    with visiting(browser, family.services, viewport=PHONE, has_touch=True, is_mobile=True) as visit:
        page = visit.page
        visit.open(f"/photos/{asset_id}?draw=1")
        finger = page.context.new_cdp_session(page)
        swipe(page, finger, (0.05, 0.05), (0.25, 0.2))
        expect(page.locator(".drawn")).to_be_visible()
        swipe(page, finger, (0.25, 0.2), (0.3, 0.25))
        keep_screenshot(page, "draw-phone")
        assert page.evaluate("scrollY") < 200
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("You drew this face.")).to_be_visible()
    (face,) = drawn(family, asset_id)
    assert iou(face.box, Box(0.05, 0.05, 0.25, 0.2)) > 0.85


def test_without_javascript_a_face_is_drawn_by_numbers(browser: Browser, family: Family) -> None:
    asset_id = family.assets[3]
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=False) as visit:
        page = visit.page
        visit.open(f"/photos/{asset_id}")
        page.get_by_role("link", name="Draw a missed face").click()
        for label, value in {"Left": "5", "Top": "6.5", "Width": "20", "Height": "15"}.items():
            page.get_by_label(label).fill(value)
        keep_screenshot(page, "draw-without-javascript")
        page.get_by_label("Who is it?").fill("Emil")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Got it: this is Emil.")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Taken back: Drew a face of Emil.")).to_be_visible()
    assert drawn(family, asset_id) == []


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_photos_are_found_by_people(browser: Browser, family: Family, scripted: bool) -> None:
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=scripted) as visit:
        page = visit.page
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Explore").click()
        page.get_by_role("link", name="Photos with Anna").click()
        page.get_by_label("All of these").fill("oma lotte")
        page.get_by_label("None of these").fill("Clara")
        page.get_by_role("button", name="Show photos").click()
        expect(page.get_by_role("status")).to_contain_text("1 photo ")
        expect(page.locator(".photos img")).to_have_attribute("alt", "lotte.jpg")
        address = page.get_by_role("link", name="Link to this search").get_attribute("href")
        assert address
        page.get_by_label("Keep Oma Lotte").uncheck()
        page.get_by_role("button", name="Show photos").click()
        expect(page.get_by_role("status")).to_contain_text("8 photos")
        visit.open(address)
        expect(page.get_by_role("status")).to_contain_text("1 photo ")


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_picture_is_searched_by_the_faces_on_it(
    browser: Browser,
    family: Family,
    tmp_path: Path,
    scripted: bool,
) -> None:
    picture = tmp_path / "stranger.jpg"
    picture.write_bytes(photo([(9, 100, 100, 160)]))
    with visiting(browser, family.services, viewport=DESK, java_script_enabled=scripted) as visit:
        page = visit.page
        visit.open("/explore")
        page.get_by_role("link", name="By face").click()
        page.get_by_label("A picture with a face").set_input_files(picture)
        page.get_by_role("button", name="Find who this is").click()
        expect(page.get_by_role("heading", name="Nearest faces")).to_be_visible()
        assert page.locator(".alike .person").count() > 10
        keep_screenshot(page, f"face-search-{'scripted' if scripted else 'plain'}")
        picture.write_text("no picture at all")
        visit.open("/explore/face")
        page.get_by_label("A picture with a face").set_input_files(picture)
        page.get_by_role("button", name="Find who this is").click()
        expect(page.locator(".note.bad")).to_be_visible()


def test_similar_faces_are_reached_from_a_face(browser: Browser, family: Family) -> None:
    anna = family.face_of("Anna")
    asset = family.catalogue.faces.get(anna).asset_id
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.open(f"/photos/{asset}?face={anna}")
        visit.page.get_by_role("link", name="Similar faces").click()
        expect(visit.page.get_by_role("heading", name="Nearest faces")).to_be_visible()
        expect(visit.page.locator(".alike .person").first).to_contain_text("Anna")


def pages_of(family: Family) -> dict[str, str]:
    anna, ben = family.people["Anna"], family.people["Ben"]
    beach = family.assets[-1]
    return {
        "photo": f"/photos/{family.assets[0]}",
        "photo-face": f"/photos/{beach}?face={family.faces_of(beach)[0]}",
        "draw": f"/photos/{family.assets[0]}?draw=1",
        "explore": "/explore",
        "explore-asked": f"/explore?all={anna}&any={ben}&none={family.people['Clara']}&from=2023-01-01",
        "explore-wrong": "/explore?add_all=Zo&from=x",
        "face": "/explore/face",
        "similar": f"/explore/similar/{family.face_of('Anna')}",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_the_pages_fit_and_everything_touched_is_large_enough(
    browser: Browser,
    family: Family,
    screen: dict[str, int],
    scheme: str,
) -> None:
    touch = screen == PHONE
    with visiting(
        browser, family.services, viewport=screen, color_scheme=scheme, has_touch=touch, is_mobile=touch
    ) as visit:
        for name, path in pages_of(family).items():
            visit.open(path)
            assert visit.sideways() == 0, name
            assert too_small(visit) == [], name
            keep_screenshot(visit.page, f"track-{name}-{screen['width']}-{scheme}")


def too_small(visit: Visit) -> list[str]:
    """What somebody touches and that is lower or narrower than a finger."""
    found: list[str] = visit.page.evaluate(
        """() => [...document.querySelectorAll('.button, .nav a, .chip, .person, .choice, summary, select, input')]
            .filter(e => e.type !== 'hidden' && e.type !== 'checkbox')
            .filter(e => e.getClientRects().length)
            .filter(e => Math.min(e.offsetWidth, e.offsetHeight) < 44)
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    return found
