"""`make screenshots`: draw every page for docs/screenshots.md, of the generated family that the tests use.

Nobody real is on them: the portraits are drawn by `tests/web/portraits.py`. Each page is taken on a desk (1280 px,
light) and on a phone (390 px, dark).
"""

import sys
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from plugin.catalogue.store import open_catalogue
from plugin.ingress import ORIGIN, Ingress
from tests.end_to_end.browsing import ARGUMENTS, served, visiting
from tests.fakes.home_assistant import MARIA, HomeAssistant
from tests.web.family import Family, add_stranger_faces, faces_of_nobody, family_with_photos

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
WINDOWS = {
    "desk": {
        "viewport": {"width": 1280, "height": 800},
        "color_scheme": "light",
        "locale": "en-GB",
        "reduced_motion": "reduce",
    },
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "locale": "en-GB",
        "has_touch": True,
        "reduced_motion": "reduce",
    },
}
TALLEST = 1600
"""Pixels; what is below says nothing new."""


def pages_of(family: Family) -> dict[str, str]:
    """Name and address of every page that is shown in the documentation."""
    anna, boat = family.people["Anna"], family.assets[0]
    face = family.face_of("Anna")
    library = family.catalogue.libraries.all(family.account.id)[0].id
    return {
        "people": "/",
        "person": f"/people/{anna}",
        "merge": f"/people/{anna}/merge",
        "split": f"/people/{anna}/split",
        "feature": f"/people/{anna}/feature",
        "slideshow": f"/people/{anna}/slideshow",
        "photo": f"/photos/{boat}?face={face}",
        "explore": f"/explore?all={anna}",
        "face-search": f"/explore/similar/{face}",
        "review": "/review",
        "unassigned": "/unassigned",
        "ignored": "/unassigned/ignored",
        "history": "/history",
        "libraries": "/libraries",
        "nextcloud": "/libraries/nextcloud",
        "sharing": f"/libraries/{library}/shares",
        "names": f"/libraries/{library}/names",
        "status": "/status",
        "settings": "/settings/recognition",
        "packs": "/settings/packs",
        "privacy": "/settings/privacy",
        "accounts": "/settings/accounts",
        "tokens": "/settings/tokens",
        "apps": "/settings/other-apps",
        "account": "/settings/account",
    }


def take(browser: Browser, family: Family) -> None:
    """Take each page in each window."""
    for window, options in WINDOWS.items():
        with visiting(browser, family.services, **options) as visit:
            for name, path in pages_of(family).items():
                visit.open(path)
                visit.page.wait_for_load_state("networkidle")
                keep(visit.page.screenshot(full_page=True), f"{name}-{window}")


def keep(picture: bytes, name: str) -> None:
    """As the documentation shows it."""
    drawn = Image.open(BytesIO(picture))
    drawn = drawn.crop((0, 0, drawn.width, min(drawn.height, TALLEST)))
    drawn.save(FOLDER / f"{name}.webp", quality=70, method=6)
    sys.stdout.write(f"{name}\n")


def take_panel(browser: Browser, family: Family) -> None:
    """Take the panel in the sidebar of a Home Assistant that is none."""
    family.catalogue.outside_users.put(ORIGIN, MARIA.id, family.account.id)
    with HomeAssistant() as home:
        services = replace(family.services, ingress=Ingress(home.address_of_supervisor))
        for window, options in WINDOWS.items():
            with served(services) as home.addon:
                context = browser.new_context(**options)
                context.add_cookies([home.cookie("maria")])
                page = context.new_page()
                page.goto(f"{home.address}/kinfolk", wait_until="networkidle")
                keep(page.screenshot(), f"home-assistant-{window}")
                context.close()


def main() -> None:
    """Draw the family, serve it, take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        catalogue = open_catalogue(Path(folder) / "catalogue.sqlite")
        family = family_with_photos(catalogue)
        add_stranger_faces(family)
        faces_of_nobody(family)
        people = family.services.people
        people.set_favourite(family.account.id, family.people["Anna"], favourite=True)
        people.ignore(family.account.id, family.face_of("Herr Krause"))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        take(browser, family)
        take_panel(browser, family)
        browser.close()
        catalogue.close()


if __name__ == "__main__":
    main()
