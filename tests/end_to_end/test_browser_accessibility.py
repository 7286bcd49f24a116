"""axe-core looks at every page: phone and desk, light and dark, before and after somebody logs in."""

from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.routing import Rule

from plugin.catalogue.store import SqlCatalogue
from plugin.web.app import create_app
from tests.end_to_end.browsing import DESK, PHONE, Visit, served
from tests.web.family import Family, add_stranger_faces, empty_family, faces_of_nobody, family_with_photos

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

screens = pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
schemes = pytest.mark.parametrize("scheme", ["light", "dark"])

OUTSIDE = {"session.log_in", "session.welcome"}
"""Pages that send away whoever is logged in."""


@dataclass
class Examined:
    """A browser window in which axe may run: the policy of the pages forbids scripts from elsewhere."""

    visit: Visit
    axe: Axe
    findings: list[str]

    def examine(self, path: str) -> None:
        self.visit.open(path)
        for violation in self.axe.run(self.visit.page).response["violations"]:
            if violation["impact"] in {"serious", "critical"}:
                where = [node["html"][:160] for node in violation["nodes"][:3]]
                self.findings.append(f"{path}: {violation['id']} ({violation['impact']}): {violation['help']} {where}")


def window(browser: Browser, screen: dict[str, int], scheme: str, **context: Any) -> Page:
    page = browser.new_context(
        viewport=screen, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce", **context
    ).new_page()
    assert isinstance(page, Page)
    return page


def family_in(catalogue: SqlCatalogue) -> Family:
    """A family with something on every page."""
    family = family_with_photos(catalogue)
    add_stranger_faces(family)
    faces_of_nobody(family)
    family.services.people.set_hidden(family.account.id, family.people["Clara"], hidden=False)
    family.services.people.set_favourite(family.account.id, family.people["Anna"], favourite=True)
    family.services.sharing.share(family.neighbour.id, family.foreign_library, family.account.id, may_correct=True)
    return family


def samples(family: Family) -> dict[str, list[Any]]:
    """What stands for each part of an address; a route with another part has to be given a sample here."""
    beach = family.assets[-1]
    return {
        "person_id": [family.people["Anna"], family.people[""]],
        "asset_id": [family.assets[0], family.assets[12], beach],
        "face_id": [family.faces_of(beach)[0]],
        "library_id": [1],
        "action": ["detect_reset"],
        "name": ["antelopev2"],
        "part": [1],
        "account_id": [family.neighbour.id],
        "group_id": [min(face.id for face in family.catalogue.faces.many(range(1, 100)) if not face.person_id)],
        "event_id": [family.services.history.latest(family.account.id)[0].id],
        "what": ["faces", "everything"],
        "way": ["tags", "sidecars"],
        "flow": ["unknown"],
    }


def shared_samples(family: Family) -> dict[str, list[Any]]:
    """The same for what the neighbour shares."""
    return {
        "owner_id": [family.neighbour.id],
        "person_id": [family.foreign_person],
        "asset_id": [family.foreign_asset],
        "face_id": [family.foreign_face],
    }


def addresses(app: Flask, rule: Rule, family: Family) -> list[str]:
    """The addresses of a route, with sample values one after another."""
    known = samples(family) | (shared_samples(family) if "owner_id" in rule.arguments else {})
    assert rule.arguments <= set(known), f"{rule} needs a sample for {rule.arguments - set(known)}"
    most = max([len(known[part]) for part in rule.arguments], default=1)
    values = [{part: known[part][index % len(known[part])] for part in rule.arguments} for index in range(most)]
    with app.test_request_context():
        return list(dict.fromkeys(app.url_for(rule.endpoint, **each) for each in values))


def pages_of(app: Flask, family: Family) -> list[str]:
    """Every address that answers with a whole page to somebody logged in, from the routes themselves."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    silent = {"static", "health"}
    # Answers to programs, and one that never ends.
    rules = [
        rule
        for rule in rules
        if not rule.rule.startswith("/api/") and not rule.rule.endswith(".webp") and rule.endpoint != "live.stream"
    ]
    spoken = [rule for rule in rules if rule.endpoint.partition(".")[0] not in silent and rule.endpoint not in OUTSIDE]
    found = [path for rule in spoken for path in addresses(app, rule, family)]
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"{family.account.id}.{family.account.session_epoch}", True
    whole = [path for path in found if b"<html" in client.get(path, buffered=True).data[:200]]
    beach = family.assets[-1]
    lone, chosen, _ = family.faces_of(beach)
    return [
        *whole,
        f"/photos/{beach}?face={lone}",
        f"/photos/{beach}?face={chosen}",
        f"/shared/{family.neighbour.id}/photos/{family.foreign_asset}?face={family.foreign_face}",
        "/?q=nobody",
        "/?small=1&hidden=1",
        "/nothing/here",
    ]


@screens
@schemes
def test_no_page_has_a_serious_finding(
    browser: Browser, catalogue: SqlCatalogue, screen: dict[str, int], scheme: str
) -> None:
    family = family_in(catalogue)
    paths = pages_of(create_app(family.services), family)
    assert len(paths) > 25
    with served(family.services) as address:
        visit = Visit(window(browser, screen, scheme), address)
        visit.log_in()
        examined = Examined(visit, Axe(), [])
        for path in paths:
            examined.examine(path)
        visit.page.context.close()
    assert examined.findings == []


@screens
@schemes
def test_no_page_before_the_log_in_has_a_serious_finding(
    browser: Browser, catalogue: SqlCatalogue, screen: dict[str, int], scheme: str
) -> None:
    family = empty_family(password=False, catalogue=catalogue)
    with served(family.services) as address:
        examined = Examined(Visit(window(browser, screen, scheme, locale="de"), address), Axe(), [])
        for path in ("/welcome", f"/welcome?token={family.token}"):
            examined.examine(path)
        examined.visit.page.context.close()
    assert examined.findings == []


@screens
@schemes
def test_no_page_of_an_empty_album_has_a_serious_finding(
    browser: Browser, catalogue: SqlCatalogue, screen: dict[str, int], scheme: str
) -> None:
    family = empty_family(catalogue=catalogue)
    with served(family.services) as address:
        examined = Examined(Visit(window(browser, screen, scheme), address), Axe(), [])
        examined.examine("/login")
        examined.visit.log_in()
        for path in ("/", "/review", "/unassigned", "/history", "/status", "/libraries", "/settings"):
            examined.examine(path)
        examined.visit.page.context.close()
    assert examined.findings == []


def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    page = window(browser, PHONE, "light")
    page.set_content("<html><body><img src='a.png'><input><a href='#'></a></body></html>")
    found = {violation["id"] for violation in Axe().run(page).response["violations"]}
    page.context.close()
    assert {"image-alt", "label", "link-name", "html-has-lang"} <= found
