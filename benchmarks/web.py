"""How long the pages of a large library take to make, alone, beside twenty readers and a scan, and in a browser.

    python -m benchmarks.web [--assets 100000] [--faces 200000] [--people 3000] [--rounds 20] [--readers 20]
                             [--folder DIR] [--browser /usr/bin/chromium] [--only people,photo] [--json]

Prints milliseconds per page, median and 95th percentile, and the latter as a ratio to its limit. The generated
catalogue is kept in `--folder` and used again. The readers ask a real Waitress for one page after the other, first
without a pause, as no person reads, then looking at each for a second; a thread of the same process stores detections
meanwhile, as a scan does.
"""

import argparse
import http.client
import json
import multiprocessing
import random
import re
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode

import psutil

from benchmarks.libraries import Size, generated
from benchmarks.serving import free_port
from benchmarks.web_server import NAME, PASSWORD, application, serve_until_ended

PAGE_LIMIT, PEOPLE_LIMIT, CROWD_LIMIT, PAINT_LIMIT = 150.0, 80.0, 400.0, 1000.0
"""Milliseconds."""

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
PICTURES = re.compile(r'<img[^>]+src="(/(?:faces|photos)/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Measured:
    """One page: milliseconds, and the 95th percentile as a share of the limit.

    `cpu` is the median of what the thread that makes it computed, which a busy machine changes least.
    """

    page: str
    median: float
    p95: float
    limit: float
    statements: int = 0
    cpu: float = 0.0

    @property
    def ratio(self) -> float:
        """At most 1 is good."""
        return self.p95 / self.limit


def pages(size: Size) -> dict[str, Callable[[random.Random], str]]:
    """Every page a family opens, by name, each time about somebody else."""
    looked_at = max(2, round(0.97 * size.assets))
    last = max(1, size.people // 60 // 2)
    some = max(2, size.people - 1)
    return {
        "people": lambda _: "/",
        "people, a later page": lambda r: f"/?page={r.randint(1, last)}",
        "people, all": lambda _: "/?hidden=1&small=1",
        "people, search": lambda r: f"/?q={r.choice(('an', 'maria', 'b', 'ivan'))}",
        "person, 10,000 faces": lambda r: f"/people/{r.randint(1, 3)}",
        "person, a later page": lambda r: f"/people/{r.randint(1, 3)}?page={r.randint(2, 60)}",
        "person": lambda r: f"/people/{r.randint(2, some)}",
        "person, rename": lambda r: f"/people/{r.randint(2, some)}/rename",
        "person, merge": lambda r: f"/people/{r.randint(2, some)}/merge",
        "person, picture": lambda r: f"/people/{r.randint(2, some)}/feature",
        "person, birthday": lambda r: f"/people/{r.randint(2, some)}/birth-date",
        "person, delete": lambda r: f"/people/{r.randint(2, some)}/delete",
        "person, split": lambda r: f"/people/{r.randint(20, some)}/split",
        "photo": lambda r: f"/photos/{r.randint(1, looked_at)}",
        "photo, a face": lambda _: "<face>",
        "review": lambda _: "/review",
        "unassigned": lambda _: "/unassigned",
        "history": lambda _: "/history",
        "libraries": lambda _: "/libraries",
        "status": lambda _: "/status",
        "status, scan sign": lambda _: "/status/indicator",
        "status, queues": lambda _: "/status/queues",
        "status, failures": lambda _: "/status/failures",
        "settings": lambda _: "/settings",
        "a face's picture": lambda _: "<thumbnail>",
    }


def measure_pages(data: Path, size: Size, rounds: int, only: tuple[str, ...]) -> list[Measured]:
    """Each page alone, made by the application without a server in between."""
    chosen = {name: address for name, address in pages(size).items() if not only or name.startswith(only)}
    with application(data) as (app, statements):
        client = app.test_client()
        token = TOKEN.search(client.get("/login").text)
        assert token
        client.post("/login", data={"csrf_token": token.group(1), "name": NAME, "password": PASSWORD})
        measured = []
        for name, address in chosen.items():
            randomly, times, computed, count = random.Random(name), list[float](), list[float](), 0
            for _ in range(rounds + 1):
                path = place_of(address(randomly), client.get, size, randomly)
                statements.clear()
                started, worked = time.perf_counter(), time.thread_time()
                response = client.get(path)
                response.get_data()
                times.append(1000 * (time.perf_counter() - started))
                computed.append(1000 * (time.thread_time() - worked))
                count = max(count, len(statements))
                assert response.status_code in {200, 404}, (path, response.status)
            limit = PEOPLE_LIMIT if name == "people" else PAGE_LIMIT
            # The first time compiles the template and fills the page cache.
            cpu = statistics.median(computed[1:])
            measured.append(Measured(name, statistics.median(times[1:]), percentile(times[1:], 95), limit, count, cpu))
        return measured


def place_of(address: str, get: Callable[[str], object], size: Size, randomly: random.Random) -> str:
    """The address itself, or that of a face or picture found on a page."""
    if address not in {"<face>", "<thumbnail>"}:
        return address
    for _ in range(100):
        photo = f"/photos/{randomly.randint(1, max(2, round(0.9 * size.assets)))}"
        text = get(photo).text  # type: ignore[attr-defined]  # the test client's response
        wanted = re.search(r'href="(/photos/\d+\?face=\d+)', text) if address == "<face>" else PICTURES.search(text)
        if wanted and (address == "<face>" or wanted.group(1).startswith("/faces/")):
            return wanted.group(1).replace("&amp;", "&")
        if address == "<thumbnail>":
            wanted = re.search(r'src="(/faces/[^"]+)"', text)
            if wanted:
                return wanted.group(1).replace("&amp;", "&")
    raise LookupError("no photo has a face")


def percentile(times: list[float], share: float) -> float:
    """The value that `share` per cent of the times do not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, -(-int(share * len(ordered)) // 100) - 1)]


CROWD_PAGES = ("people", "people, a later page", "person", "person, 10,000 faces", "photo", "history", "status")


LOOKED_AT = 1.0
"""Seconds a reader looks at a page, where they do."""


def measure_crowd(
    data: Path, size: Size, readers: int, seconds: float, pause: float = 0.0
) -> tuple[list[Measured], int]:
    """Readers beside a scan, each with this pause after a page; and how many photos the scan stored meanwhile."""
    with running_server(data, scanning=True) as (port, stored, computed):
        cookie, chosen = log_in(port), pages(size)
        warm_up(port, cookie, chosen)
        times: dict[str, list[float]] = {name: [] for name in CROWD_PAGES}
        ends = time.monotonic() + seconds
        before, worked = stored(), computed()

        def read(seed: int) -> None:
            randomly = random.Random(seed)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            # Not all at one moment, as people do not click.
            time.sleep(pause * randomly.random())
            while time.monotonic() < ends:
                name = randomly.choice(CROWD_PAGES)
                started = time.perf_counter()
                connection.request("GET", chosen[name](randomly), headers={"Cookie": cookie})
                response = connection.getresponse()
                response.read()
                times[name].append(1000 * (time.perf_counter() - started))
                time.sleep(pause * 2 * randomly.random())

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(readers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        everything = [took for some in times.values() for took in some]
        # With the scan, which is a small part of it. Twenty readers who never pause wait for twenty of these.
        cpu = 1000 * (computed() - worked) / len(everything)
        total = Measured("all of them", statistics.median(everything), percentile(everything, 95), CROWD_LIMIT, 0, cpu)
        each = [
            Measured(name, statistics.median(some), percentile(some, 95), CROWD_LIMIT)
            for name, some in times.items()
            if some
        ]
        return [*each, total], stored() - before


def warm_up(port: int, cookie: str, chosen: dict[str, Callable[[random.Random], str]]) -> None:
    """Each page once: the first time after a start compiles its template and reads the catalogue from the disk."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for name in CROWD_PAGES:
        connection.request("GET", chosen[name](random.Random(0)), headers={"Cookie": cookie})
        connection.getresponse().read()
    connection.close()


@contextmanager
def running_server(data: Path, *, scanning: bool) -> Iterator[tuple[int, Callable[[], int], Callable[[], float]]]:
    """A server in a process of its own that scans while it serves.

    Its port, how many photos it has stored, and how many seconds it has computed.
    """
    context = multiprocessing.get_context("spawn")
    port, stored = free_port(), context.Value("i", 0)
    server = context.Process(
        target=serve_until_ended, args=(data, port, stored), kwargs={"scanning": scanning}, daemon=True
    )
    server.start()
    try:
        wait_until(lambda: answers(port))
        yield port, lambda: stored.value, lambda: sum(psutil.Process(server.pid).cpu_times()[:2])
    finally:
        server.terminate()
        server.join(30)


def answers(port: int) -> bool:
    """Whether the server is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Look again until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the server does not answer")
        time.sleep(0.05)


def log_in(port: int) -> str:
    """The cookie of a session."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/login")
    response = connection.getresponse()
    cookie = (response.getheader("Set-Cookie") or "").partition(";")[0]
    token = TOKEN.search(response.read().decode())
    assert token
    form = urlencode({"csrf_token": token.group(1), "name": NAME, "password": PASSWORD})
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/login", form, headers)
    response = connection.getresponse()
    response.read()
    return (response.getheader("Set-Cookie") or "").partition(";")[0]


PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def measure_paint(data: Path, size: Size, browser: str, rounds: int) -> list[Measured]:
    """First contentful paint in Chromium without a scan, each time with an empty cache."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415, for development only

    chosen, measured = pages(size), []
    with running_server(data, scanning=False) as (port, _, _), sync_playwright() as playwright:
        name, _, value = log_in(port).partition("=")
        chromium = playwright.chromium.launch(executable_path=browser)
        for page_name in ("people", "person, 10,000 faces", "photo", "status"):
            times = []
            for i in range(rounds + 1):
                context = chromium.new_context()
                context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{port}/"}])
                page = context.new_page()
                page.goto(f"http://127.0.0.1:{port}{chosen[page_name](random.Random(i))}")
                # Not `wait_for_function`, which would evaluate a string inside the page: its policy forbids that.
                wait_until(lambda page=page: page.evaluate(PAINTED) is not None)  # type: ignore[misc]  # mypy infers no defaults of lambdas
                times.append(float(page.evaluate(PAINTED)))
                context.close()
            measured.append(Measured(page_name, statistics.median(times[1:]), percentile(times[1:], 95), PAINT_LIMIT))
        chromium.close()
    return measured


def printed(title: str, measured: list[Measured]) -> None:
    """A table for people."""
    print(f"\n{title}")
    for one in measured:
        asked = f"cpu {one.cpu:6.1f} ms" if one.cpu else ""
        asked += f" {one.statements:4d} statements" if one.statements else ""
        print(f"  {one.page:24} p50 {one.median:7.1f} ms  p95 {one.p95:7.1f} ms  x{one.ratio:.2f} of the limit {asked}")


def main() -> None:
    """Generate what is missing, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in asdict(Size()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the readers read")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "kinfolk-benchmark")
    parser.add_argument("--browser", default="", help="path of a Chromium; without it nothing is painted")
    parser.add_argument("--only", default="", help="only pages whose names begin so, comma between; no readers then")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    size = Size(options.assets, options.faces, options.people)
    source = generated(options.folder, size)
    only = tuple(part for part in options.only.split(",") if part)
    with tempfile.TemporaryDirectory(prefix="kinfolk-web-") as folder:
        data = Path(folder)
        shutil.copyfile(source, data / "catalogue.db")
        found = {"pages": measure_pages(data, size, options.rounds, only)}
        scanned: dict[str, int] = {}
        for title, pause in () if only else (("readers without a pause", 0.0), ("readers who look", LOOKED_AT)):
            found[title], scanned[title] = measure_crowd(data, size, options.readers, options.seconds, pause)
        if options.browser:
            found["first paint"] = measure_paint(data, size, options.browser, min(options.rounds, 10))
    if options.json:
        report = {title: [asdict(one) | {"ratio": one.ratio} for one in rows] for title, rows in found.items()}
        print(json.dumps({"size": asdict(size), "scanned": scanned, **report}, indent=2))
        return
    print(f"{size.assets:,} photos, {size.faces:,} faces, {size.people:,} people")
    for title, rows in found.items():
        crowd = f", {options.readers} at once while a scan stores {scanned.get(title)} photos"
        extra = crowd if title in scanned else ""
        printed(title + extra, rows)


if __name__ == "__main__":
    main()
