"""Libraries of the Nextcloud that Kinfolk is an app of: no login is kept for them, since AppAPI vouches for Kinfolk."""

from collections.abc import Callable

from plugin.domain import Library
from plugin.exapp.app import NextcloudApp
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place, place_of
from plugin.ports.outside import OutsideUserRows


class AppAccess:
    """For nobody but the user whose account it is.

    Args:
        app: the app, None where Kinfolk is none.
        users: whose account is whose.
    """

    def __init__(self, app: Callable[[], NextcloudApp | None], users: OutsideUserRows) -> None:
        self._app = app
        self._users = users

    def reads(self, library: Library) -> bool:
        """Whether this is a library the app reads, as long as the app is enabled."""
        return self._place(library) is not None

    def login_of(self, library: Library) -> Login | None:
        """How the app says who it is and whom it acts for.

        None for a library it does not read, and while it is disabled: AppAPI refuses everything then.
        """
        app, place = self._app(), self._place(library)
        if app is None or place is None or not app.enabled:
            return None
        return Login(place.base, headers=app.identity.headers(place.user))

    def _place(self, library: Library) -> Place | None:
        """Of a library the app reads."""
        app, place = self._app(), place_of(library)
        if app is None or place is None or place.base != app.identity.nextcloud_url:
            return None
        return place if self._users.account_of(place.base, place.user) == library.account_id else None
