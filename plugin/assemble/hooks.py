"""Asking hosts to tell about changes: as an app of that Nextcloud, or with an administrator's password used once."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from plugin.domain import Library, LibraryId
from plugin.errors import HostRefused
from plugin.exapp.app import NextcloudApp
from plugin.hosts.network.limits import HASTY
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud import webhooks
from plugin.hosts.nextcloud.address import Place, place_of
from plugin.hosts.nextcloud.client import NextcloudClient


class NextcloudHooks:
    """`HookRegistrar` for libraries of Nextcloud.

    Args:
        app: the Nextcloud this is an app of, if any.
        fingerprint: of the certificate that was confirmed for a library; None where somebody vouches for it.
    """

    def __init__(
        self, app: NextcloudApp | None, fingerprint: Callable[[LibraryId], str | None] = lambda _library: None
    ) -> None:
        self._app = app
        self._fingerprint = fingerprint

    def user(self, library: Library) -> str | None:
        """See `HookRegistrar.user`."""
        place = place_of(library)
        return place.user if place else None

    def as_app(self, library: Library) -> bool:
        """See `HookRegistrar.as_app`."""
        place = place_of(library)
        return place is not None and self._app is not None and self._app.identity.nextcloud_url == place.base

    def told_at(self, library: Library, url: str) -> str:
        """An app is told through AppAPI, which reaches it wherever it is; everybody else at a whole address."""
        return f"/hooks/nextcloud/{library.id}" if self.as_app(library) else url

    def register(
        self,
        library: Library,
        urls: Sequence[str],
        secret: str,
        name: str,
        password: str,
        registered: Callable[[], None],
    ) -> None:
        """See `HookRegistrar.register`."""
        with self._asking(library, name, password) as ask:
            webhooks.register(ask, urls, secret, self._found(library).user, registered)

    def remove(self, library: Library, urls: Sequence[str], name: str, password: str) -> None:
        """See `HookRegistrar.remove`."""
        with self._asking(library, name, password) as ask:
            webhooks.remove(ask, urls)

    @contextmanager
    def _asking(self, library: Library, name: str, password: str) -> Iterator[webhooks.Ask]:
        app = self._app
        if app is not None and self.as_app(library):
            yield lambda method, path, body, query: app.nextcloud.ocs(method, path, body, dict(query))
            return
        login = Login(self._found(library).base, name, password, self._fingerprint(library.id))
        client = NextcloudClient(login, HASTY)
        try:
            yield asking_as_admin(client)
        finally:
            client.close()

    def _found(self, library: Library) -> Place:
        place = place_of(library)
        if place is None:
            raise HostRefused("This library is not in a Nextcloud")
        return place


def asking_as_admin(client: NextcloudClient) -> webhooks.Ask:
    """OCS requests with JSON, as whoever the client logs in."""

    def ask(method: str, path: str, body: Mapping[str, object] | None, query: Mapping[str, str]) -> Any:  # noqa: ANN401
        said = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        return client.ocs(method, path, body=said, query={**query, "format": "json"}, headers=headers)

    return ask
