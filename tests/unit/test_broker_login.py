"""Which broker: the one the settings name, else Home Assistant's own; and what is said when that goes wrong."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from plugin.assemble.smart_home import broker_login
from plugin.errors import BrokerAway, BrokerRefused, SettingsError
from plugin.mqtt.broker import BrokerLogin
from plugin.mqtt.supervisor import LARGEST_ANSWER_BYTES, broker_of_home_assistant
from plugin.settings.sections import MqttSettings

TOKEN = "supervisor-token"
BROKER = {"host": "core-mosquitto", "port": 1883, "ssl": False, "protocol": "3.1.1", "username": "addons",
          "password": "pass word", "addon": "core_mosquitto"}  # fmt: skip


@dataclass
class FakeSupervisor:
    """Answers `GET /services/mqtt` as the Supervisor does."""

    status: int = 200
    body: bytes = json.dumps({"result": "ok", "data": BROKER}).encode()
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def data(self, **changes: object) -> None:
        self.body = json.dumps({"result": "ok", "data": BROKER | changes}).encode()


@pytest.fixture
def supervisor() -> Iterator[FakeSupervisor]:
    fake = FakeSupervisor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.asked.append(self.path)
            known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            self.send_response(fake.status if known else 401)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", str(len(fake.body)))
            self.end_headers()
            self.wfile.write(fake.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    fake.address = f"http://127.0.0.1:{server.server_port}"
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


def test_home_assistant_names_its_broker(supervisor: FakeSupervisor) -> None:
    login = broker_of_home_assistant(TOKEN, supervisor.address)
    assert login == BrokerLogin("core-mosquitto", 1883, "addons", "pass word", tls=False)
    assert supervisor.asked == ["/services/mqtt"]
    assert "pass word" not in repr(login)


def test_a_wrong_token_is_refused(supervisor: FakeSupervisor) -> None:
    with pytest.raises(BrokerRefused, match="refused the question"):
        broker_of_home_assistant("wrong", supervisor.address)


@pytest.mark.parametrize("status", [400, 404])
def test_a_home_assistant_without_a_broker_says_what_to_install(supervisor: FakeSupervisor, status: int) -> None:
    supervisor.status = status
    with pytest.raises(BrokerAway, match="no MQTT broker") as caught:
        broker_of_home_assistant(TOKEN, supervisor.address)
    assert "Mosquitto" in caught.value.advice


@pytest.mark.parametrize("status", [204, 301, 302, 500, 502])
def test_any_other_answer_is_tried_again_and_never_followed(supervisor: FakeSupervisor, status: int) -> None:
    supervisor.status = status
    with pytest.raises(BrokerAway, match="no useful answer"):
        broker_of_home_assistant(TOKEN, supervisor.address)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b'{"data": null}',
        b'{"data": []}',
        b'"data"',
        b"[" * 10_000,
        b"x" * (LARGEST_ANSWER_BYTES + 9),
    ],
    ids=range(8),
)
def test_an_answer_that_is_none_is_tried_again(supervisor: FakeSupervisor, body: bytes) -> None:
    supervisor.body = body
    with pytest.raises(BrokerAway, match="no useful answer"):
        broker_of_home_assistant(TOKEN, supervisor.address)


@pytest.mark.parametrize(
    "change",
    [
        {"host": ""},
        {"host": 7},
        {"port": 0},
        {"port": 65536},
        {"port": "1883"},
        {"port": True},
        {"ssl": "yes"},
        {"password": 1},
    ],
    ids=str,
)
def test_an_answer_out_of_range_is_not_used(supervisor: FakeSupervisor, change: dict[str, object]) -> None:
    supervisor.data(**change)
    with pytest.raises(BrokerAway, match="no useful answer"):
        broker_of_home_assistant(TOKEN, supervisor.address)


def test_a_supervisor_that_is_away_is_asked_again() -> None:
    with pytest.raises(BrokerAway, match="does not answer"):
        broker_of_home_assistant(TOKEN, "http://127.0.0.1:1")


def test_without_a_host_and_a_supervisor_there_is_no_broker(tmp_path: Path) -> None:
    assert broker_login(MqttSettings(), tmp_path / "config.yaml", {}) is None


def test_as_an_add_on_the_supervisor_is_asked_unless_a_host_is_named(tmp_path: Path) -> None:
    environment = {"SUPERVISOR_TOKEN": TOKEN}
    asks = broker_login(MqttSettings(), tmp_path / "config.yaml", environment)
    assert asks is not None
    named = broker_login(MqttSettings(host="mine", port=1884, user="u"), tmp_path / "config.yaml", environment)
    assert named is not None
    assert named() == BrokerLogin("mine", 1884, "u")


def test_a_password_comes_from_a_file_only_its_owner_can_read(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("geheim ß\n", encoding="utf-8")
    settings = MqttSettings(host="mine", password_file=secret)
    secret.chmod(0o640)
    with pytest.raises(SettingsError, match="others can read") as caught:
        broker_login(settings, tmp_path / "config.yaml", {})
    assert "chmod 600" in caught.value.advice
    secret.chmod(0o600)
    login = broker_login(settings, tmp_path / "config.yaml", {})
    assert login is not None
    assert login().password == "geheim ß"


def test_a_password_in_a_configuration_others_can_read_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("mqtt: {password: geheim}")
    config.chmod(0o644)
    settings = MqttSettings(host="mine", password=SecretStr("geheim"))
    with pytest.raises(SettingsError, match="others can read") as caught:
        broker_login(settings, config, {})
    assert "geheim" not in caught.value.explanation
    assert broker_login(settings, config, {"KINFOLK_MQTT__PASSWORD": "geheim"}) is not None
    config.chmod(0o600)
    assert broker_login(settings, config, {}) is not None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (MqttSettings(host="a", password=SecretStr("x"), password_file=Path("/x")), "both set"),
        (MqttSettings(host="a", password_file=Path("/no/such/file")), "which is no file"),
        (MqttSettings(host="a", tls=True, certificate_file=Path("/no/such/file")), "which is no file"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, settings: MqttSettings, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        broker_login(settings, tmp_path / "config.yaml", {})
