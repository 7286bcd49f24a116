"""The real `kinfolk serve`, started as AppAPI starts it: alive, made ready, enabled, used, disabled, stopped."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.end_to_end.conftest import Kinfolk
from tests.fakes.nextcloud.app_api import AppCloud

pytestmark = pytest.mark.models


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def until(true: Callable[[], bool], what: str) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen")


@pytest.fixture
def cloud() -> Iterator[AppCloud]:
    with AppCloud() as running:
        yield running


def answers(address: str) -> bool:
    try:
        return bool(requests.get(f"{address}/heartbeat", timeout=5).json() == {"status": "ok"})
    except requests.RequestException:
        return False


def test_appapi_starts_enables_and_stops_kinfolk(
    kinfolk: Kinfolk, started: Callable[..., subprocess.Popen[str]], cloud: AppCloud
) -> None:
    port = free_port()
    kinfolk.environment |= cloud.environment() | {"APP_PORT": str(port)}
    process = started("serve")
    address = f"http://127.0.0.1:{port}"
    until(lambda: answers(address), "The heartbeat")
    other = cloud.headers("anna") | {"EX-APP-ID": "other"}
    assert requests.get(f"{address}/", headers=other, timeout=20).status_code == 401
    assert requests.post(f"{address}/init", headers=cloud.headers(), timeout=20).status_code == 200
    until(lambda: 100 in cloud.progress, "Being ready")
    enabled = requests.put(f"{address}/enabled?enabled=1", headers=cloud.headers(), timeout=20)
    assert enabled.json() == {"error": ""}
    assert cloud.registered["v1/ui/top-menu"]["displayName"] == "People"
    page = requests.get(f"{address}/settings/recognition", headers=cloud.headers("admin"), timeout=20)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert requests.get(f"{address}/settings/recognition", headers=cloud.headers("anna"), timeout=20).status_code == 403
    disabled = requests.put(f"{address}/enabled?enabled=0", headers=cloud.headers(), timeout=20)
    assert disabled.json() == {"error": ""}
    assert cloud.registered == {}
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert cloud.secret not in output


def test_half_an_app_does_not_start(kinfolk: Kinfolk, cloud: AppCloud) -> None:
    given = cloud.environment()
    del given["NEXTCLOUD_URL"]
    kinfolk.environment |= given
    process = kinfolk.start("serve")
    output = process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert "NEXTCLOUD_URL is missing" in output
    assert cloud.secret not in output
