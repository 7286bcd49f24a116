"""The page inside Nextcloud in a real Chromium: a stand-in page with Nextcloud's CSP, behind a stand-in proxy."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Page, expect

from plugin.app_identity import app_identity
from plugin.catalogue.store import SqlCatalogue
from plugin.domain import AssetKind, HostAsset
from plugin.engine import FaceEngine
from plugin.exapp.app import NextcloudApp
from tests.end_to_end.browsing import served
from tests.fakes.nextcloud.app_api import AppCloud
from tests.web.family import PACKS, Family, add_stranger_faces, family_with_photos

pytestmark = pytest.mark.browser

INFO = Path(__file__).parents[2] / "appinfo" / "info.xml"


def declared_routes() -> list[tuple[str, str, str, list[str]]]:
    return [
        (
            str(route.findtext("url")), str(route.findtext("verb")), str(route.findtext("access_level")),
            [str(header.text) for header in route.findall("headers_to_exclude")],
        )
        for route in ET.parse(INFO).getroot().findall("./external-app/routes/route")
    ]  # fmt: skip


@pytest.fixture
def family(catalogue: SqlCatalogue) -> Family:
    return family_with_photos(catalogue)


@pytest.fixture
def cloud(family: Family) -> Iterator[AppCloud]:
    """A Nextcloud in which Kinfolk is enabled; `anna` is the user with the photos."""
    with AppCloud(routes=declared_routes()) as running:
        identity = app_identity(running.environment())
        assert identity is not None
        services = family.services
        engine: FaceEngine = services.engine
        app = NextcloudApp(
            identity, family.catalogue.preferences, engine, services.preferences.current, lambda: PACKS,
            lambda _pack, _progress: None,
        )  # fmt: skip
        with served(replace(services, nextcloud_app=app)) as address:
            running.app_url = address
            app.set_enabled(enabled=True)
            family.catalogue.outside_users.put(running.address, "anna", family.account.id)
            yield running


@pytest.fixture
def page(browser: Browser, cloud: AppCloud) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "nc_user", "value": "anna", "url": cloud.address}])
    opened = context.new_page()
    blocked: list[str] = []
    opened.on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
    yield opened
    assert blocked == []
    context.close()


def embedded(cloud: AppCloud, path: str = "") -> str:
    return f"{cloud.address}/index.php/apps/app_api/embedded/kinfolk/people{path}"


def alive(page: Page, address: str) -> None:
    """Go there and wait for what the scripts of the page do with it."""
    page.goto(address)
    expect(page.locator(".kinfolk[data-alive]")).to_be_visible()


def test_people_are_shown_named_and_corrected_inside_nextcloud(page: Page, cloud: AppCloud, family: Family) -> None:
    page.goto(embedded(cloud))
    page.get_by_role("link", name="Anna").first.click()
    page.wait_for_url(re.compile(r"/embedded/kinfolk/people/people/\d+"))
    expect(page.get_by_role("heading", name="Anna")).to_be_visible()
    picture = page.locator("#kinfolk img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    person = family.people["Anna"]
    page.goto(embedded(cloud, f"/people/{person}/rename"))
    page.get_by_label("Name").fill("Anna Maria")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Anna Maria")).to_be_visible()
    page.wait_for_url(embedded(cloud, f"/people/{person}"))
    assert family.catalogue.people.get(person, family.account.id).name == "Anna Maria"


def test_back_and_forward_and_reload_stay_where_one_was(page: Page, cloud: AppCloud, family: Family) -> None:
    page.goto(embedded(cloud))
    page.get_by_role("link", name="Libraries").click()
    expect(page.get_by_role("heading", name="Libraries")).to_be_visible()
    page.get_by_role("link", name="Status").click()
    expect(page.get_by_role("heading", name="Status", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Libraries")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Libraries")).to_be_visible()
    assert page.title() == "Libraries · Kinfolk"


def test_what_was_done_is_said_once(page: Page, cloud: AppCloud, family: Family) -> None:
    page.goto(embedded(cloud, "/libraries"))
    page.get_by_role("button", name="Scan now").first.click()
    expect(page.get_by_text("is being scanned")).to_be_visible()
    page.get_by_role("link", name="Libraries").click()
    expect(page.get_by_text("is being scanned")).to_have_count(0)


def test_the_file_action_opens_the_photo(page: Page, cloud: AppCloud, family: Family) -> None:
    library = family.catalogue.libraries.add(family.account.id, "nextcloud", "Cloud", "https://anna@cloud.example.org")
    sync_pass = family.catalogue.libraries.sync_started(library.id)
    known = next(iter(family.pictures.scenes))
    family.registrar.app_of = "cloud.example.org"
    family.catalogue.assets.seen(library.id, [HostAsset("42", "new.jpg", AssetKind.PHOTO, known)], sync_pass)
    page.goto(embedded(cloud))
    answer = page.evaluate(
        """url => fetch(url, {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"files": []}'})
             .then(answer => answer.json())""",
        f"/index.php/apps/app_api/proxy/kinfolk/{cloud.registered['v2/ui/files-actions-menu']['actionHandler']}",
    )
    page.goto(f"{cloud.address}/index.php/apps/app_api/embedded/kinfolk/{answer['redirect_handler']}?fileIds=42")
    page.wait_for_url(re.compile(r"/embedded/kinfolk/people/photos/\d+"))


def test_names_are_completed_while_typing_inside_nextcloud(page: Page, cloud: AppCloud, family: Family) -> None:
    unknown = family.faces_of(family.assets[-1])[0]
    alive(page, embedded(cloud, f"/photos/{family.assets[-1]}?face={unknown}"))
    expect(page.locator("#candidates button").first).to_be_visible()
    page.get_by_label("Search by name").press_sequentially("lot")
    expect(page.locator("#candidates button")).to_have_count(1)
    page.get_by_role("button", name="Oma Lotte").click()
    expect(page.get_by_text("Got it: this is Oma Lotte.")).to_be_visible()
    assert family.catalogue.faces.get(unknown).person_name == "Oma Lotte"


def test_keys_answer_questions_and_turn_photos_over_inside_nextcloud(
    page: Page, cloud: AppCloud, family: Family
) -> None:
    add_stranger_faces(family)
    alive(page, embedded(cloud, "/review"))
    heading = page.locator("#kinfolk h1")
    expect(heading).to_be_visible()
    asked = heading.inner_text()
    page.keyboard.press("y")
    expect(page.get_by_text("Yes, noted.")).to_be_visible()
    expect(page.locator(".kinfolk[data-alive]")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text("Taken back")).to_be_visible()
    expect(heading).to_have_text(asked)
    photos = family.assets
    alive(page, embedded(cloud, f"/photos/{photos[2]}"))
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/people/photos/{photos[1]}")
    expect(page.locator(".kinfolk[data-alive]")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/people/photos/{photos[2]}")


def test_a_box_around_a_face_leads_on_inside_nextcloud(page: Page, cloud: AppCloud, family: Family) -> None:
    alive(page, embedded(cloud, f"/photos/{family.assets[0]}"))
    page.locator("#stage .box").first.click()
    expect(page.get_by_label("Search by name")).to_be_visible()
    expect(page.locator("#header")).to_be_visible()
    assert page.url.startswith(embedded(cloud))


def test_keys_pressed_in_nextcloud_itself_mean_nothing_to_kinfolk(page: Page, cloud: AppCloud, family: Family) -> None:
    photos = family.assets
    alive(page, embedded(cloud, f"/photos/{photos[2]}"))
    page.evaluate("document.getElementById('header').append(document.createElement('button'))")
    page.locator("#header button").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#kinfolk .kinfolk").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/people/photos/{photos[3]}")


def test_people_are_chosen_together_inside_nextcloud(page: Page, cloud: AppCloud, family: Family) -> None:
    alive(page, embedded(cloud))
    bar = page.get_by_role("group", name="Do with everybody chosen")
    expect(page.get_by_role("link", name="Anna").first).to_be_visible()
    expect(bar).to_be_hidden()
    for name in ("Anna", "Ben"):
        page.locator(".pickable", has_text=name).hover()
        page.get_by_label(f"Choose {name}").click()
    expect(bar).to_contain_text("Chosen: 2")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    page.get_by_label("Search by name").press_sequentially("clar")
    expect(page.locator(".person")).to_have_count(1)
    assert page.url == embedded(cloud), "the address bar is Nextcloud's"


def test_a_missed_face_is_drawn_inside_nextcloud(page: Page, cloud: AppCloud, family: Family) -> None:
    alive(page, embedded(cloud, f"/photos/{family.assets[0]}"))
    page.get_by_role("link", name="Draw a missed face").click()
    expect(page.get_by_label("Who is it?")).to_be_visible()
    expect(page.locator(".kinfolk[data-alive]")).to_be_visible()
    expect(page.get_by_label("Left")).to_be_hidden()
    box = page.locator("#stage svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.02 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.2 * box["height"], steps=5)
    page.mouse.up()
    page.get_by_label("Who is it?").fill("Oma Lotte")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Got it: this is Oma Lotte.")).to_be_visible()


def test_a_running_scan_is_followed_inside_nextcloud_without_a_stream(
    page: Page, cloud: AppCloud, family: Family
) -> None:
    family.catalogue.detection.request("refresh", "opencv")
    streams: list[str] = []
    page.on("request", lambda asked: streams.append(asked.url) if asked.url.endswith("/events") else None)
    alive(page, embedded(cloud, "/settings"))
    expect(page.locator("#scan")).to_have_text("Finding faces · 0%")
    (asset,) = family.catalogue.detection.claim("test", 1, 60)
    family.catalogue.detection.fail(asset, "picture_broken", "The file ends too early", permanent=True)
    expect(page.locator("#scan")).to_have_text("Finding faces · 7%", timeout=20_000)
    assert streams == []


def test_neither_style_sheet_reaches_the_other(page: Page, cloud: AppCloud) -> None:
    page.goto(embedded(cloud))
    expect(page.get_by_role("link", name="Anna").first).to_be_visible()
    serif = "element => getComputedStyle(element).fontFamily"
    assert "Palatino" in page.locator("#kinfolk h1").first.evaluate(serif)
    page.evaluate("document.getElementById('header').append(document.createElement('h1'))")
    assert "Palatino" not in page.locator("#header h1").evaluate(serif)
    assert (
        page.locator("#kinfolk .kinfolk").evaluate("page => getComputedStyle(page).backgroundColor")
        == "rgb(251, 246, 239)"
    )


def test_no_cookie_and_no_password_of_the_user_reaches_kinfolk(page: Page, cloud: AppCloud) -> None:
    page.goto(embedded(cloud))
    expect(page.get_by_role("link", name="Anna").first).to_be_visible()
    assert cloud.passed_on
    for headers in cloud.passed_on:
        assert not {"cookie", "authorization"} & {name.lower() for name in headers}
    assert [cookie["name"] for cookie in page.context.cookies()] == ["nc_user"]


def test_who_is_not_logged_in_gets_nothing(browser: Browser, cloud: AppCloud) -> None:
    context = browser.new_context()
    answer = context.request.get(f"{cloud.address}/index.php/apps/app_api/proxy/kinfolk/")
    assert answer.status == 404
    context.close()


def test_another_user_sees_their_own(browser: Browser, cloud: AppCloud) -> None:
    context = browser.new_context()
    context.add_cookies([{"name": "nc_user", "value": "ben", "url": cloud.address}])
    page = context.new_page()
    page.goto(embedded(cloud))
    expect(page.get_by_role("heading", name=re.compile("find your people"))).to_be_visible()
    expect(page.get_by_text("Anna")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("width", [390, 2560])
def test_it_fits_a_phone_and_a_wall(page: Page, cloud: AppCloud, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(embedded(cloud))
    expect(page.get_by_role("link", name="Anna").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
