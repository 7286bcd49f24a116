"""Asking hosts to tell about changes: as an app of that Nextcloud, or with an administrator's password used once."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from plugin.domain import Library
from plugin.errors import HostError, HostRefused
from plugin.exapp.app import NextcloudApp
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud import webhooks
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient


class NextcloudHooks:
    """`HookRegistrar` for libraries of Nextcloud.

    Args:
        app: the Nextcloud this is an app of, if any.
    """

    def __init__(self, app: NextcloudApp | None) -> None:
        self._app = app

    def user(self, library: Library) -> str | None:
        """See `HookRegistrar.user`."""
        place = self._place(library)
        return place.user if place else None

    def as_app(self, library: Library) -> bool:
        """See `HookRegistrar.as_app`."""
        place = self._place(library)
        return place is not None and self._app is not None and self._app.identity.nextcloud_url == place.base

    def register(
        self, library: Library, url: str, secret: str, name: str, password: str, registered: Callable[[], None]
    ) -> None:
        """See `HookRegistrar.register`."""
        place = self._found(library)
        ask = self._ask(library, place, name, password)
        webhooks.register(ask, self._told_at(library, url), secret, place.user, registered)

    def remove(self, library: Library, url: str, name: str, password: str) -> None:
        """See `HookRegistrar.remove`."""
        webhooks.remove(self._ask(library, self._found(library), name, password), self._told_at(library, url))

    def _told_at(self, library: Library, url: str) -> str:
        """An app is told through AppAPI, which reaches it wherever it is; everybody else at a whole address."""
        return f"/hooks/nextcloud/{library.id}" if self.as_app(library) else url

    def _ask(self, library: Library, place: Place, name: str, password: str) -> webhooks.Ask:
        if self._app is not None and self.as_app(library):
            app = self._app
            return lambda method, path, body, query: app.nextcloud.ocs(method, path, body, dict(query))
        client = NextcloudClient(Login(place.base, name, password))

        def ask(method: str, path: str, body: Mapping[str, object] | None, query: Mapping[str, str]) -> Any:  # noqa: ANN401
            said = None if body is None else json.dumps(body)
            return client.ocs(
                method, path, body=said, query={**query, "format": "json"}, headers={"Content-Type": "application/json"}
            )

        return ask

    def _found(self, library: Library) -> Place:
        place = self._place(library)
        if place is None:
            raise HostRefused("This library is not in a Nextcloud")
        return place

    @staticmethod
    def _place(library: Library) -> Place | None:
        if library.host != "nextcloud":
            return None
        try:
            return Place.of(library.address)
        except HostError:
            return None
