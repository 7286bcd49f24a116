"""What an add-on asks the Supervisor of Home Assistant: under which addresses other programs reach it.

Nothing else depends on the answer: Kinfolk starts and works while the Supervisor is away. API:
https://developers.home-assistant.io/docs/api/supervisor/endpoints (`/addons/self/info`).
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

import requests

from plugin.errors import HostError, HostRefused, HostUnreachable

log = logging.getLogger(__name__)

SUPERVISOR_URL = "http://supervisor"
SECONDS = 5.0
LARGEST_ANSWER = 2**20


class Supervisor:
    """The Supervisor's API.

    Args:
        token: `SUPERVISOR_TOKEN`; never shown.
        port: of the pages, inside the container.
        hook_port: of hooks, inside the container.
        url: where it answers.
    """

    def __init__(self, token: str, port: int, hook_port: int, url: str = SUPERVISOR_URL) -> None:
        self._token = token
        self._port = port
        self._hook_port = hook_port
        self._url = url

    def for_hooks(self, host: str) -> str:
        """See `plugin.ingress.AddonAddresses`; the port on the network of the house, or the one other add-ons reach."""
        own = self._own()
        network = own.get("network")
        mapped = network.get(f"{self._hook_port}/tcp") if isinstance(network, Mapping) else None
        if type(mapped) is int and host:
            return f"http://{host}:{mapped}"
        return f"http://{self._hostname(own)}:{self._hook_port}"

    def for_addons(self) -> str:
        """See `plugin.ingress.AddonAddresses`."""
        return f"http://{self._hostname(self._own())}:{self._port}"

    @staticmethod
    def _hostname(own: Mapping[str, Any]) -> str:
        name = own.get("hostname")
        if not isinstance(name, str) or not name.replace("-", "").isalnum():
            raise HostError("The Supervisor of Home Assistant did not say what this add-on is called")
        return name

    def _own(self) -> Mapping[str, Any]:
        """What the Supervisor knows of this add-on."""
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            with requests.get(
                f"{self._url}/addons/self/info", headers=headers, timeout=SECONDS, allow_redirects=False, stream=True
            ) as answer:
                if answer.status_code in {401, 403}:
                    raise HostRefused(
                        "The Supervisor of Home Assistant did not accept the token of the add-on",
                        "Start the add-on again; Home Assistant then gives it a new token",
                    )
                if answer.status_code != 200:
                    raise HostUnreachable("The Supervisor of Home Assistant could not answer", "Try again later")
                said = answer.raw.read(LARGEST_ANSWER, decode_content=True)
        except requests.RequestException as error:
            log.info("The Supervisor does not answer: %s", type(error).__name__)
            raise HostUnreachable("The Supervisor of Home Assistant does not answer", "Try again later") from error
        return own_part(said)


def own_part(said: bytes) -> Mapping[str, Any]:
    """The `data` of an answer. Raises `HostError` for anything else."""
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        answer = None
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, Mapping):
        raise HostError("The Supervisor of Home Assistant answered something unknown")
    return data
