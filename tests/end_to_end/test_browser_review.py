"""Review, the galleries and the live parts in a real Chromium: keys, swipes, events, and all of it without them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from plugin.catalogue.store import SqlCatalogue
from plugin.domain import AssignedBy, FaceState
from plugin.web.services import WebServices
from plugin.web.streams import Streams
from tests.end_to_end.browsing import DESK, PHONE, Visit, keep_screenshot, visiting
from tests.web.family import Family, add_stranger_faces, faces_of_nobody, family_with_photos

pytestmark = pytest.mark.browser

SCRIPTED = pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture
def family(catalogue: SqlCatalogue) -> Family:
    made = family_with_photos(catalogue)
    add_stranger_faces(made)
    faces_of_nobody(made)
    faces_of_nobody(made, "Oma Lotte")
    return made


@contextmanager
def live(browser: Browser, services: WebServices, **context: Any) -> Iterator[Visit]:
    """A visit whose server looks often, and ends its streams at the end, as `serve` does."""
    streams = Streams(look_every=0.1)
    with visiting(browser, replace(services, live_streams=streams), **context) as visit:
        try:
            yield visit
        finally:
            visit.page.close()  # first: a page that has just begun to listen would be refused
            streams.close()


def stop_polling(page: Page) -> None:
    """Let htmx never poll, so that only events can bring something new."""
    page.add_init_script(
        "document.addEventListener('htmx:beforeRequest', (event) => {"
        " if (event.detail.requestConfig.triggeringEvent === undefined) event.preventDefault(); }, true)"
    )


def look_at_one(family: Family) -> None:
    (asset,) = family.catalogue.detection.claim("test", 1, 60)
    family.catalogue.detection.fail(asset, "picture_broken", "The file ends too early", permanent=True)


def test_the_sign_on_a_page_follows_events_without_polling(browser: Browser, family: Family) -> None:
    family.catalogue.detection.request("refresh", "opencv")
    with live(browser, family.services, viewport=DESK) as visit:
        stop_polling(visit.page)
        visit.open("/settings")
        expect(visit.page.locator("#scan")).to_have_text("Finding faces · 0%")
        look_at_one(family)
        expect(visit.page.locator("#scan")).to_have_text("Finding faces · 6%")
        for asset in family.catalogue.detection.claim("test", 50, 60):
            family.catalogue.detection.fail(asset, "picture_broken", "The file ends too early", permanent=True)
        expect(visit.page.locator("#scan")).to_be_empty()


def test_people_pop_up_while_a_scan_runs(browser: Browser, family: Family) -> None:
    family.catalogue.detection.request("refresh", "opencv")
    with live(browser, family.services, viewport=PHONE) as visit:
        stop_polling(visit.page)
        visit.open("/")
        before = visit.page.locator(".person").count()
        face = family.face_of("Anna")
        new = family.catalogue.people.add(family.account.id, "Tante Ilse", face)
        family.catalogue.faces.assign([(face, new)], AssignedBy.MACHINE)
        expect(visit.page.get_by_role("link", name="Tante Ilse")).to_be_visible()
        expect(visit.page.locator(".person")).to_have_count(before + 1)
        keep_screenshot(visit.page, "people-live-390")


def test_pages_poll_when_events_are_refused(browser: Browser, family: Family) -> None:
    family.catalogue.detection.request("refresh", "opencv")
    with live(browser, family.services, viewport=DESK) as visit:
        visit.page.route("**/events", lambda route: route.abort())
        visit.open("/settings")
        look_at_one(family)
        expect(visit.page.locator("#scan")).to_have_text("Finding faces · 6%", timeout=20_000)
        visit.complaints = [said for said in visit.complaints if "ERR_FAILED" not in said]


def test_pages_poll_when_the_server_has_no_room(browser: Browser, family: Family) -> None:
    family.catalogue.detection.request("refresh", "opencv")
    full = Streams()
    full.close()
    with visiting(browser, replace(family.services, live_streams=full), viewport=DESK) as visit:
        visit.open("/settings")
        look_at_one(family)
        expect(visit.page.locator("#scan")).to_have_text("Finding faces · 6%", timeout=20_000)
        visit.complaints = [said for said in visit.complaints if "503" not in said]


def test_a_page_that_is_left_gives_its_stream_back(browser: Browser, family: Family) -> None:
    family.catalogue.detection.request("refresh", "opencv")
    streams = Streams(at_most=1, look_every=0.1, heartbeat=0.1)
    with visiting(browser, replace(family.services, live_streams=streams), viewport=DESK) as visit:
        for path in ("/settings", "/libraries", "/history", "/status"):
            with visit.page.expect_response("**/events") as answered:
                visit.open(path)
            assert answered.value.status == 200
        streams.close()


def test_questions_are_answered_by_keys_one_after_another(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.open("/review")
        keep_screenshot(visit.page, "review-1280")
        heading = visit.page.get_by_role("heading", level=1)
        asked = heading.inner_text()
        visit.page.keyboard.press("y")
        expect(visit.page.get_by_text("Yes, noted.")).to_be_visible()
        visit.page.keyboard.press("u")
        expect(visit.page.get_by_text("Taken back")).to_be_visible()
        expect(heading).to_have_text(asked)
        visit.page.keyboard.press("s")
        expect(visit.page.get_by_text("Skipped.")).to_be_visible()
        visit.page.keyboard.press("u")
        expect(visit.page.get_by_text("Taken back: the question is here again.")).to_be_visible()
        expect(heading).to_have_text(asked)
        visit.page.keyboard.press("s")
        expect(visit.page.get_by_text("Skipped.")).to_be_visible()
        visit.page.keyboard.press("n")
        expect(visit.page.get_by_text("No, noted")).to_be_visible()


def test_keys_mean_letters_while_a_name_is_typed(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.open("/review")
        asked = visit.page.get_by_role("heading", level=1).inner_text()
        name = visit.page.get_by_label("Name").first
        name.press_sequentially("Sunny")
        expect(name).to_have_value("Sunny")
        expect(visit.page.get_by_role("heading", level=1)).to_have_text(asked)
        assert family.catalogue.events.count(family.account.id) == 0


def test_the_pictures_of_the_next_question_are_there_before_it(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=PHONE) as visit:
        asked_for: list[str] = []
        visit.page.on("request", lambda request: asked_for.append(request.url))
        visit.open("/review")
        ahead = visit.page.locator("[hidden] img").evaluate_all("pictures => pictures.map((picture) => picture.src)")
        assert ahead
        assert set(ahead) <= set(asked_for)


@SCRIPTED
def test_some_faces_of_a_group_are_named_by_keyboard(browser: Browser, family: Family, scripted: bool) -> None:
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=scripted) as visit:
        visit.open("/unassigned")
        keep_screenshot(visit.page, f"unassigned-390-{scripted}")
        group = visit.page.get_by_role("region", name="2 faces that look alike").first
        group.get_by_role("checkbox").first.focus()
        visit.page.keyboard.press("Space")
        group.get_by_label("Name").fill("Onkel Fritz")
        visit.page.keyboard.press("Enter")
        expect(visit.page.get_by_text("1 face of Onkel Fritz, noted.")).to_be_visible()
        assert visit.sideways() == 0


@SCRIPTED
def test_faces_are_taken_away_and_brought_back(browser: Browser, family: Family, scripted: bool) -> None:
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=scripted) as visit:
        page = visit.page
        visit.open("/unassigned")
        page.get_by_role("button", name="Nobody I know").first.click()
        expect(page.get_by_text("2 faces taken away.")).to_be_visible()
        page.get_by_role("link", name="2 taken away").click()
        expect(page.get_by_role("button", name="Bring back")).to_be_visible()
        expect(page.get_by_role("button", name="Select all")).to_be_visible(visible=scripted)
        keep_screenshot(page, f"ignored-390-{scripted}")
        if scripted:
            page.get_by_role("button", name="Select all").click()
        else:
            for box in page.get_by_role("checkbox").all():
                box.check()
        page.get_by_role("button", name="Bring back").click()
        expect(page.get_by_text("2 faces are back.")).to_be_visible()
    assert family.catalogue.faces.state_counts(family.account.id)[FaceState.IGNORED] == 0


def test_names_are_completed_while_one_is_typed(browser: Browser, family: Family) -> None:
    with visiting(browser, family.services, viewport=DESK) as visit:
        visit.open("/unassigned")
        visit.page.get_by_label("Name").first.press_sequentially("lot")
        expect(visit.page.locator("#names option")).to_have_count(1)
        assert visit.page.locator("#names option").get_attribute("value") == "Oma Lotte"


@SCRIPTED
def test_several_steps_are_taken_back(browser: Browser, family: Family, scripted: bool) -> None:
    ben = family.people["Ben"]
    for name in ("One", "Two", "Three"):
        family.services.people.rename(family.account.id, ben, name)
    with visiting(browser, family.services, viewport=PHONE, java_script_enabled=scripted) as visit:
        visit.open("/history")
        keep_screenshot(visit.page, f"history-390-{scripted}")
        visit.page.get_by_role("link", name="Undo back to: Named somebody Two").click()
        expect(visit.page.get_by_role("heading", name="Take back 2 steps?")).to_be_visible()
        keep_screenshot(visit.page, f"history-undo-390-{scripted}")
        assert visit.sideways() == 0
        visit.page.get_by_role("button", name="Take back 2 steps").click()
        expect(visit.page.get_by_text("2 steps taken back.")).to_be_visible()
    assert family.catalogue.people.get(ben, family.account.id).name == "One"


def test_events_work_under_a_prefix(browser: Browser, family: Family) -> None:
    family.catalogue.detection.request("refresh", "opencv")
    services = replace(family.services, prefix="/ingress/kinfolk")
    with (
        live(browser, services, viewport=PHONE) as visit,
        visit.page.expect_response("**/ingress/kinfolk/events") as got,
    ):
        visit.open("/libraries")
    assert got.value.status == 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_the_galleries_fit_the_screen_and_what_is_touched_is_large_enough(
    browser: Browser, family: Family, screen: dict[str, int], scheme: str
) -> None:
    owner = family.account.id
    ignored = family.catalogue.galleries.largest_groups(owner, "opencv", 0, 1)[1][0].key
    family.services.people.ignore(owner, ignored)
    key = family.catalogue.galleries.largest_groups(owner, "opencv", 0, 1)[1][0].key
    pages = (
        "/review",
        "/unassigned",
        "/unassigned/singles",
        f"/unassigned/{key}",
        "/unassigned/ignored",
        "/history",
        "/status",
    )
    with visiting(browser, family.services, viewport=screen, color_scheme=scheme) as visit:
        for path in pages:
            visit.open(path)
            assert visit.sideways() == 0, path
            keep_screenshot(visit.page, f"{path.strip('/').replace('/', '-')}-{screen['width']}-{scheme}")
            small = visit.page.evaluate(
                "[...document.querySelectorAll('a, button, label.tick, .face-choice label')]"
                ".filter((element) => element.checkVisibility() && element.closest('p, dd, li.soft') === null)"
                ".filter((element) => !element.matches('.skip'))"
                ".map((element) => [element.outerHTML.slice(0, 90), element.getBoundingClientRect().height])"
                ".filter(([, height]) => height < 43.5)"
            )
            assert small == [], path
