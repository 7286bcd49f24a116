"""The first start: nobody has a password yet, so a one-time link is printed where Kinfolk was started."""

import hmac
import secrets
import threading
from collections.abc import Callable

from plugin.domain import Account
from plugin.errors import Refused
from plugin.ports.accounts import AccountRows


class FirstStart:
    """Hands out one token and takes it back once.

    The token lives in this process only: a restart prints a new link, and nothing on disk can be read to log in.

    Args:
        accounts: the first account among them is the one that gets a name and a password.
        hash_password: raises `Refused` for one that is too short.
    """

    def __init__(self, accounts: AccountRows, hash_password: Callable[[str], str]) -> None:
        self._accounts = accounts
        self._hash_password = hash_password
        self._token = secrets.token_urlsafe(24)
        self._once = threading.Lock()
        self._over = False

    @property
    def token(self) -> str:
        """What the printed link carries; of no use once a password is set."""
        return self._token

    def pending(self) -> bool:
        """Whether no account has a password yet; no password is ever taken away, so that is asked until one is set."""
        self._over = self._over or any(account.password_hash is not None for account in self._accounts.all())
        return not self._over

    def accept(self, token: str, name: str, password: str) -> Account:
        """Set name and password of the first account.

        Raises:
            Refused: wrong or used token, a password was set already, an empty name, a password that is too short.
        """
        with self._once:
            if not self.pending() or not hmac.compare_digest(token.encode(), self._token.encode()):
                raise Refused(
                    "This link is not valid any more",
                    "Use the link that was printed at the last start, or `kinfolk user passwd`",
                )
            password_hash = self._hash_password(password)
            account = self._accounts.all()[0]
            if name.strip() and name.strip() != account.name:
                self._accounts.rename(account.id, name.strip())
            self._accounts.set_password(account.id, password_hash)
        chosen = self._accounts.get(account.id)
        if chosen is None:
            raise Refused("The account was removed meanwhile", "Reload the page")
        return chosen
