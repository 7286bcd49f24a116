"""A window of a real Chromium on our pages, served over real HTTP.

`KINFOLK_SCREENSHOTS=folder` keeps the pictures that are taken on the way.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from waitress.server import TcpWSGIServer, create_server

from plugin.web.app import create_app
from plugin.web.services import WebServices
from tests.web.family import PASSWORD

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESK, WALL = {"width": 390, "height": 844}, {"width": 1280, "height": 800}, {"width": 2560, "height": 1440}


def keep_screenshot(page: Page, name: str) -> None:
    """For looking at by a person; costs a second a page, so only when asked for."""
    if folder := os.environ.get("KINFOLK_SCREENSHOTS"):
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@contextmanager
def served(services: WebServices) -> Iterator[str]:
    """The pages over real HTTP; yields their address."""
    server = create_server(create_app(services), host="127.0.0.1", port=0, threads=8)
    assert isinstance(server, TcpWSGIServer)
    assert server.socket is not None

    def run() -> None:
        with suppress(OSError):  # closing the socket may meet the thread that waits for it
            server.run()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}{services.prefix}"
    finally:
        server.close()
        thread.join(timeout=10)


@dataclass
class Visit:
    """One browser window on one server, remembering everything the browser complained about."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    expected: str = ""

    def heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not (self.expected and self.expected in message.text):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def open(self, path: str) -> None:
        self.page.goto(self.address + path, wait_until="load")

    def log_in(self, name: str = "Maria") -> None:
        self.open("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def log_out(self) -> None:
        self.page.get_by_role("button", name="Log out").click()
        expect(self.page.get_by_role("button", name="Log in")).to_be_visible()

    def complaints_expected(self, text: str) -> None:
        """From now on, complaints of the browser about this are what the test is about."""
        self.expected = text

    def sideways(self) -> int:
        """Pixels the page can be scrolled to the side; 0 on a page that fits."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@contextmanager
def visiting(browser: Browser, services: WebServices, **context: Any) -> Iterator[Visit]:
    """A logged-in visit that fails when the browser complained (errors, CSP violations)."""
    window = browser.new_context(**context)
    with served(services) as address:
        visit = Visit(window.new_page(), address)
        visit.page.on("console", visit.heard)
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.log_in()
        try:
            yield visit
        finally:
            window.close()
    assert visit.complaints == [], visit.complaints  # this file's asserts are not rewritten to show it
