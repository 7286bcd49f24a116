"""Which broker Home Assistant uses, asked of the Supervisor.

https://developers.home-assistant.io/docs/api/supervisor/endpoints#service: `GET /services/mqtt` with the token every
add-on is given answers `{"result": "ok", "data": {"host", "port", "ssl", "username", "password", ...}}`.
"""

import json
from typing import Any

import requests

from plugin.errors import BrokerAway, BrokerRefused
from plugin.mqtt.broker import BrokerLogin

SUPERVISOR = "http://supervisor"
SECONDS = 10.0
LARGEST_ANSWER_BYTES = 64 * 1024


def broker_of_home_assistant(token: str, supervisor: str = SUPERVISOR) -> BrokerLogin:
    """Where it is and how we log in.

    Raises:
        BrokerAway: the Supervisor does not answer, or Home Assistant has no broker.
        BrokerRefused: the Supervisor does not know the token.
    """
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with requests.get(
            f"{supervisor}/services/mqtt", headers=headers, timeout=SECONDS, allow_redirects=False, stream=True
        ) as response:
            status, body = response.status_code, response.raw.read(LARGEST_ANSWER_BYTES + 1, decode_content=True)
    except (requests.RequestException, OSError) as error:
        raise BrokerAway("Home Assistant's Supervisor does not answer", "It is asked again by itself") from error
    if status in {401, 403}:
        raise BrokerRefused("Home Assistant's Supervisor refused the question for its MQTT broker", "Restart Kinfolk")
    if status in {400, 404}:
        raise BrokerAway(
            "Home Assistant has no MQTT broker", "Install the Mosquitto broker, or name another in mqtt.host"
        )
    login = _login(body) if status == 200 and len(body) <= LARGEST_ANSWER_BYTES else None
    if login is None:
        raise BrokerAway("Home Assistant's Supervisor gave no useful answer", "It is asked again by itself")
    return login


def _login(body: bytes) -> BrokerLogin | None:
    try:
        data: Any = json.loads(body)["data"]
        host, port, tls = data["host"], data["port"], data.get("ssl", False)
        user, password = data.get("username") or "", data.get("password") or ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    texts = all(isinstance(value, str) for value in (host, user, password))
    numbers = isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536 and isinstance(tls, bool)
    return BrokerLogin(host, port, user, password, tls) if texts and numbers and host else None
