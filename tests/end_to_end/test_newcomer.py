"""From an empty data folder to three named people, by clicks alone: the real server, real models, real pictures."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageOps
from playwright.sync_api import Locator, Page, expect, sync_playwright

from plugin.vision.archives import has_checksum
from plugin.vision.packages import fetch_from_package
from tests.end_to_end.conftest import Kinfolk
from tests.end_to_end.test_serving import CHROMIUM_FLAGS, first_start_link, free_port

pytestmark = [pytest.mark.models, pytest.mark.browser]

ASTRONAUT = "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
"""Eileen Collins, an official portrait of NASA (public domain), which comes with scikit-image."""

WHEEL = ("3.11", "cp311", "manylinux_2_17_x86_64")

NAMES = {"obama": "Barack Obama", "biden": "Joe Biden", "collins": "Eileen Collins"}
FEW_CLICKS = 11
"""Start, Next, Accept and scan; then for each of three people: the face, Save; and twice back to the People page."""

LONGEST_SCAN = 120_000


@dataclass
class Hand:
    """Somebody who clicks and types, and counts."""

    page: Page
    clicks: int = 0
    typed: list[str] = field(default_factory=list)
    waited: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def write(self, where: Locator, text: str) -> None:
        self.typed.append(text)
        where.fill(text)

    def wait_for(self, condition: Callable[[], None]) -> None:
        """Nothing to do but watch."""
        began = time.monotonic()
        condition()
        self.waited += time.monotonic() - began

    def report(self) -> str:
        seconds = time.monotonic() - self.began
        return (
            f"{self.clicks} clicks, {len(self.typed)} fields filled in, {seconds:.1f} s, "
            f"of which {self.waited:.1f} s watching the scan"
        )


@pytest.fixture
def three_people(tmp_path: Path, sample_album: Path, test_cache: Path) -> Path:
    """Six pictures of Obama as they are; four each of Biden and Collins, made of the one there is."""
    portraits, photos = test_cache / "portraits", tmp_path / "photos"
    if not has_checksum(portraits / "astronaut.png", ASTRONAUT):
        members = {"skimage/data/astronaut.png": ASTRONAUT}
        fetch_from_package("scikit-image==0.25.2", members, portraits, wheel_for=WHEEL)
    shutil.copytree(sample_album, photos, ignore=shutil.ignore_patterns("biden.jpg"))
    for name, source in (("biden", sample_album / "biden.jpg"), ("collins", portraits / "astronaut.png")):
        picture = Image.open(source).convert("RGB")
        smaller = picture.resize((picture.width * 4 // 5, picture.height * 4 // 5))
        for number, variant in enumerate(
            (picture, ImageOps.mirror(picture), ImageEnhance.Brightness(picture).enhance(0.8), smaller)
        ):
            variant.save(photos / f"{name} {number}.jpg", quality=92)
    return photos


def test_a_newcomer_has_three_named_people_after_a_few_clicks(
    kinfolk: Kinfolk,
    three_people: Path,
    started: Callable[..., "subprocess.Popen[str]"],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert [entry.name for entry in kinfolk.data.iterdir()] == ["models"]
    link = first_start_link(started("serve", "--port", str(free_port())))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        hand = Hand(browser.new_page(viewport={"width": 390, "height": 844}))
        set_up(hand, link, three_people)
        unnamed = hand.page.locator(".person", has_text="Who is this?")
        hand.wait_for(lambda: expect(unnamed).to_have_count(3, timeout=LONGEST_SCAN))
        for number in range(3):
            name_somebody(hand)
            if number < 2:
                hand.click(hand.page.get_by_role("link", name="People"))
        browser.close()
    with capsys.disabled():
        sys.stdout.write(f"\nFrom an empty data folder to three named people: {hand.report()}\n")
    named = {row["path"]: row["person_name"] for row in kinfolk.faces() if row["person_name"]}
    expected = {path.name: NAMES.get(path.name.split()[0], "Barack Obama") for path in three_people.iterdir()}
    assert named == expected
    assert hand.clicks == FEW_CLICKS


def set_up(hand: Hand, link: str, photos: Path) -> None:
    """Account, library, pack, scan."""
    page = hand.page
    page.goto(link)
    hand.write(page.get_by_label("Name"), "Maria")
    for number in range(2):
        hand.write(page.locator("input[type=password]").nth(number), "seven quiet owls")
    hand.click(page.get_by_role("button", name="Start"))
    hand.write(page.get_by_label("Folder on this machine"), str(photos))
    hand.click(page.get_by_role("button", name="Next"))
    hand.click(page.get_by_role("button", name="Accept the licence and scan"))


def name_somebody(hand: Hand) -> None:
    """The first person without a name gets one; who it is tells the file of one of their photos."""
    page = hand.page
    hand.click(page.locator(".person", has_text="Who is this?").first)
    file = page.locator(".photos img").first.get_attribute("alt") or ""
    name = NAMES.get(file.split()[0], "Barack Obama")
    hand.write(page.get_by_label("Name"), name)
    hand.click(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("heading", name=name)).to_be_visible()
