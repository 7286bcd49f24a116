"""`kinfolk serve` as a family meets it: in a browser, twice by mistake, killed, on a full disk, with damaged files."""

import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from plugin.catalogue.store import open_catalogue
from plugin.mqtt.shared import SharedStatus
from plugin.ports.smart_home import LinkState
from tests.end_to_end.conftest import Kinfolk
from tests.end_to_end.test_sample_album import OBAMA, grouping, people, wait_for_finished_assets
from tests.fakes.mosquitto import PASSWORD, USER, running
from tests.unit.test_container import DEPLOY, services_of

pytestmark = pytest.mark.models

Start = Callable[..., "subprocess.Popen[str]"]

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_start_link(server: "subprocess.Popen[str]") -> str:
    """The link that `serve` prints, once it serves."""
    assert server.stdout
    for line in server.stdout:
        if link := re.search(r"http://\S+/welcome\?token=\S+", line):
            return link.group()
    raise AssertionError("serve ended without a first-start link")


def eventually(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.2)


def obama_is_one_person(kinfolk: Kinfolk) -> bool:
    return list(people(kinfolk.faces()).values()) == [OBAMA]


@pytest.mark.browser
def test_a_newcomer_opens_the_link_sees_the_people_and_gives_one_a_name(
    kinfolk: Kinfolk, album: Path, started: Start
) -> None:
    kinfolk.run("library", "add", "folder", str(album))
    server = started("serve", "--port", str(free_port()))
    link = first_start_link(server)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(link)
        page.locator("input[name=name]").fill("Maria")
        for field in page.locator("input[type=password]").all():
            field.fill("seven quiet owls")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/")
        eventually(lambda: obama_is_one_person(kinfolk))
        rename_first_person(page, link.split("/welcome")[0], "Barack Obama")
        browser.close()
    assert {row["person_name"] for row in kinfolk.faces() if row["path"] in OBAMA} == {"Barack Obama"}
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0


def rename_first_person(page: Page, address: str, name: str) -> None:
    """From the People page, as a hand would."""
    page.goto(address + "/")
    page.get_by_text("Who is this?").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name=name).wait_for()


def test_a_second_serve_on_the_same_data_folder_is_refused_and_the_first_goes_on(
    kinfolk: Kinfolk, started: Start
) -> None:
    port = free_port()
    first = started("serve", "--port", str(port))
    first_start_link(first)
    output = kinfolk.run("serve", "--port", str(free_port()), expect=1)
    assert "already running" in output
    assert "Traceback" not in output
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        assert answer.status == 200


def test_a_trusted_proxy_may_say_that_the_visitor_came_by_https(kinfolk: Kinfolk, started: Start) -> None:
    """Waitress drops forwarded headers unless told otherwise, and cookies would then travel without Secure."""

    def cookie(proxies: str) -> str:
        port = free_port()
        kinfolk.environment["KINFOLK_WEB__TRUSTED_PROXIES"] = proxies
        server = started("serve", "--port", str(port))
        request = urllib.request.Request(first_start_link(server), headers={"X-Forwarded-Proto": "https"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            given = str(answer.headers["Set-Cookie"])
        server.terminate()
        server.wait(60)
        return given

    assert "Secure" in cookie('["127.0.0.1/32"]')
    assert "Secure" not in cookie("[]")


def test_a_port_in_use_is_explained(kinfolk: Kinfolk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        output = kinfolk.run("serve", "--port", str(taken.getsockname()[1]), expect=2)
    assert "cannot listen" in output


@pytest.mark.parametrize("finished", [1, 4])
def test_serve_killed_in_the_middle_goes_on_by_itself_at_the_next_start(
    kinfolk: Kinfolk, album: Path, started: Start, finished: int
) -> None:
    kinfolk.run("library", "add", "folder", str(album))
    server = started("serve", "--port", str(free_port()))
    wait_for_finished_assets(kinfolk.data / "catalogue.db", finished)
    server.kill()
    server.wait(10)
    started("serve", "--port", str(free_port()))
    eventually(lambda: obama_is_one_person(kinfolk))
    assert len(grouping(kinfolk.faces())) == 2


def test_a_damaged_catalogue_is_refused_untouched_and_the_backup_is_named(kinfolk: Kinfolk, album: Path) -> None:
    kinfolk.run("library", "add", "folder", str(album))
    (kinfolk.data / "backups").mkdir()
    backup = kinfolk.data / "backups" / "kinfolk-20260101-000000.zip"
    kinfolk.run("backup", str(backup))
    catalogue = kinfolk.data / "catalogue.db"
    damaged = b"this is no database" + catalogue.read_bytes()[19:]
    catalogue.write_bytes(damaged)
    output = kinfolk.run("serve", "--port", str(free_port()), expect=1)
    assert backup.name in output.replace("\n", "")
    assert catalogue.read_bytes() == damaged
    kinfolk.run("restore", "--yes", str(backup))
    assert str(album.name) in kinfolk.run("library", "list")


def test_nothing_but_static_files_and_health_is_served_without_login(
    kinfolk: Kinfolk, album: Path, started: Start
) -> None:
    kinfolk.run("library", "add", "folder", str(album))
    port = free_port()
    first_start_link(started("serve", "--port", str(port)))

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    opener = urllib.request.build_opener(NoRedirect)
    for path in ("/", "/people/1", "/person/1", "/photos/1", "/faces/1.webp", "/status", "/libraries", "/settings"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            opener.open(f"http://127.0.0.1:{port}{path}", timeout=10)
        assert refused.value.code in {302, 303, 401, 403, 404, 503}
        refused.value.close()


def test_a_full_disk_is_said_so_and_the_next_scan_finishes(kinfolk: Kinfolk, album: Path) -> None:
    """The file size limit of the process stands in for a full disk: SQLite meets it as a failed write."""
    kinfolk.run("library", "add", "folder", str(album))
    size = (kinfolk.data / "catalogue.db").stat().st_size
    limit = f'ulimit -f {size // 1024 + 40}; exec "$0" "$@"'
    scan = subprocess.run(
        ["bash", "-c", limit, *kinfolk.command("scan")],
        env=kinfolk.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert scan.returncode == 1, scan.stdout + scan.stderr
    assert "Traceback" not in scan.stdout + scan.stderr
    assert "disk" in (scan.stdout + scan.stderr).lower()
    kinfolk.run("scan")
    assert obama_is_one_person(kinfolk)


def test_pages_and_worker_run_in_two_processes_as_the_compose_file_starts_them(
    kinfolk: Kinfolk, album: Path, started: Start, tmp_path: Path
) -> None:
    services = services_of(DEPLOY / "compose.scaled.yaml")
    pages_command, worker_command = services["pages"]["command"], services["worker"]["command"]
    (tmp_path / "broker").mkdir()
    with running(tmp_path / "broker") as broker:
        login = {"HOST": "127.0.0.1", "PORT": broker.port, "USER": USER, "PASSWORD": PASSWORD}
        kinfolk.environment |= {f"KINFOLK_MQTT__{name}": str(value) for name, value in login.items()}
        port = free_port()
        pages = started(*pages_command, "--port", str(port))
        first_start_link(pages)
        # Both before the worker, which would look in half a minute and in a minute only.
        kinfolk.run("library", "add", "folder", str(album))
        catalogue = open_catalogue(kinfolk.data / "catalogue.db")
        catalogue.smart_home.allow(catalogue.accounts.all()[0].id)
        worker = started(*worker_command)
        # What the pages read is what the worker says.
        eventually(lambda: SharedStatus(catalogue.preferences).status.state is LinkState.CONNECTED)
        eventually(lambda: obama_is_one_person(kinfolk))
        # The one is stopped without the other, and comes back.
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            assert answer.status == 200
        assert SharedStatus(catalogue.preferences).status.state is LinkState.RESTING
        worker = started(*worker_command)
        eventually(lambda: SharedStatus(catalogue.preferences).status.state is LinkState.CONNECTED)
        catalogue.close()
        for process in (pages, worker):
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
