"""Libraries of the Nextcloud that Kinfolk is an app of: no login is kept for them, since AppAPI vouches for Kinfolk."""

from collections.abc import Callable

from plugin.domain import Library
from plugin.errors import HostError
from plugin.exapp.app import NextcloudApp
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place
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
        app = self._app()
        if app is None or library.host != "nextcloud":
            return False
        try:
            place = Place.of(library.address)
        except HostError:
            return False
        return place.base == app.identity.nextcloud_url and (
            self._users.account_of(place.base, place.user) == library.account_id
        )

    def login_of(self, library: Library) -> Login | None:
        """How the app says who it is and whom it acts for.

        None for a library it does not read, and while it is disabled: AppAPI refuses everything then.
        """
        app = self._app()
        if app is None or not self.reads(library) or not app.enabled:
            return None
        place = Place.of(library.address)
        return Login(place.base, headers=app.identity.headers(place.user))
