"""API tokens in a real Chromium: made and revoked by the keyboard alone, without JavaScript, on a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from plugin.catalogue.store import SqlCatalogue
from plugin.domain import TokenScope
from tests.end_to_end.browsing import served
from tests.web.family import PASSWORD, Family, empty_family

pytestmark = pytest.mark.browser


@pytest.fixture
def family(catalogue: SqlCatalogue) -> Family:
    return empty_family(catalogue=catalogue)


@pytest.fixture
def address(family: Family) -> Iterator[str]:
    with served(family.services) as there:
        yield there


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def phone(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=request.param)
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("[name=name]", "Maria")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    # An empty house is led through the first run.
    page.wait_for_url(f"{address}/start")
    page.goto(f"{address}/settings/tokens")
    yield page
    context.close()


def test_a_token_is_made_used_and_revoked_by_the_keyboard_alone(phone: Page, family: Family, address: str) -> None:
    phone.get_by_label("Which program is it for?").focus()
    phone.keyboard.type("Photo frame")
    phone.keyboard.press("Tab")
    phone.keyboard.press("ArrowDown")
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    secret = phone.get_by_label("Token", exact=True).input_value()
    (token,) = family.services.tokens.all(family.account)
    assert (token.name, token.scope) == ("Photo frame", TokenScope.VERDICTS)
    answer = phone.request.get(f"{address}/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["scope"] == "verdicts"
    phone.get_by_role("button", name="Revoke Photo frame").focus()
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("Photo frame was revoked")).to_be_visible()
    refused = phone.request.get(f"{address}/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert refused.status == 401


@pytest.mark.parametrize("phone", [True], indirect=True)
def test_the_page_has_no_serious_finding_and_fits_a_phone(phone: Page) -> None:
    phone.get_by_label("Which program is it for?").fill("A" * 200)
    phone.get_by_role("button", name="Make the token").click()
    expect(phone.get_by_label("Token", exact=True)).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert phone.evaluate("""[...document.querySelectorAll('main button, main .scope')].every(
        each => each.getBoundingClientRect().height >= 44)""")
    found = Axe().run(phone).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
