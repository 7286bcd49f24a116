"""HTTP with one Nextcloud on behalf of one user: its OCS answers, and its own ways to say that it is not at home."""

from typing import Any

import requests

from plugin.errors import AnswerFailed, HostBusy, HostError
from plugin.hosts.network.client import HostClient
from plugin.hosts.nextcloud.words import NEXTCLOUD

MAINTENANCE = "X-Nextcloud-Maintenance-Mode"


class NextcloudClient(HostClient):
    """One user at one server; see `HostClient`."""

    words = NEXTCLOUD

    def ocs(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  whatever the server says
        """The `data` of an OCS answer."""
        headers = {"OCS-APIRequest": "true", "Accept": "application/json", **options.pop("headers", {})}
        answer = self.json(method, path, headers=headers, **options)
        try:
            return answer["ocs"]["data"]
        except (KeyError, TypeError):
            raise self.strange_answer() from None

    def _problem(self, response: requests.Response, beginning: bytes) -> HostError:
        if response.status_code == 503 and b"StorageNotAvailable" in beginning:
            return AnswerFailed("A storage behind Nextcloud is away", "It is tried again")
        if response.status_code == 503 and b"ServerMaintenanceMode" in beginning:
            response.headers[MAINTENANCE] = "1"  # DAV says it in the body only (tested with 27)
        return super()._problem(response, beginning)

    def _is_busy(self, response: requests.Response) -> HostBusy:
        error = super()._is_busy(response)
        if response.headers.get(MAINTENANCE) == "1":
            return HostBusy(
                "Nextcloud is under maintenance", "Kinfolk goes on by itself when it is back", error.seconds
            )
        if response.status_code == 429:  # its brute-force protection names no time, or a short one
            error.seconds = max(error.seconds, self.limits.pause_seconds)
        return error
