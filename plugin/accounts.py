"""Accounts: who may log in, who looks after Kinfolk, and links with which somebody sets a first password.

The Accounts page and `kinfolk account` share these functions.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from plugin.domain import Account, AccountId
from plugin.errors import NotFound, Refused
from plugin.people import clean_name
from plugin.ports.catalogue import Catalogue

INVITATION_HOLDS = timedelta(days=7)
"""Long enough to reach somebody who looks at messages at the weekend."""

LONGEST_ACCOUNT_NAME = 100


class Accounts:
    """What an administrator does to accounts, and everybody to their own.

    Args:
        catalogue: where accounts live.
        hash_password: raises `Refused` for one that is too short.
        clean_up: removes the files that a removed account leaves (`Privacy.clean_up`).
        clock: what time it is.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        hash_password: Callable[[str], str],
        clean_up: Callable[[], object] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rows = catalogue.accounts
        self._hash_password = hash_password
        self._clean_up = clean_up
        self._clock = clock

    def get(self, account_id: AccountId) -> Account:
        """The account. Raises `NotFound`."""
        account = self._rows.get(account_id)
        if account is None:
            raise NotFound("There is no such account")
        return account

    def all(self) -> list[Account]:
        """Every account, the first one first."""
        return self._rows.all()

    def add(self, name: str, password: str | None, *, is_admin: bool = False) -> Account:
        """A new account; without a password nobody can log in before an invitation was accepted.

        Raises:
            Refused: the name is taken, empty or too long; the password is too short.
        """
        name = account_name(name)
        password_hash = None if password is None else self._hash_password(password)
        return self._rows.add(name, password_hash, is_admin=is_admin)

    def invite(self, account_id: AccountId) -> str:
        """A token for a link with which the password is set, once, within a week; earlier ones end.

        The password so far, if there is one, stays in force until then.
        """
        token = secrets.token_urlsafe(24)
        self._rows.invite(account_id, token_hash(token), self._clock() + INVITATION_HOLDS)
        return token

    def invited(self, token: str) -> Account | None:
        """Whose invitation this is, or None."""
        return self._rows.invited(token_hash(token))

    def accept(self, token: str, password: str) -> Account:
        """Set the password by an invitation; ends it and every session of the account.

        Raises:
            Refused: the invitation was used or has expired; the password is too short.
        """
        return self._rows.accept_invitation(token_hash(token), self._hash_password(password))

    def open_invitations(self) -> dict[AccountId, datetime]:
        """Until when invitations hold that nobody has used."""
        return self._rows.open_invitations()

    def set_password(self, account_id: AccountId, password: str) -> None:
        """Set a new password; ends every session of the account. Raises `Refused` for one that is too short."""
        self._rows.set_password(account_id, self._hash_password(password))

    def rename(self, account_id: AccountId, name: str) -> None:
        """Raises `Refused`: taken, empty or too long."""
        self._rows.rename(account_id, account_name(name))

    def set_admin(self, account_id: AccountId, *, is_admin: bool) -> None:
        """Raises `Refused` when no administrator who can log in would be left."""
        self._rows.set_admin(account_id, is_admin=is_admin)

    def remove(self, account_id: AccountId) -> None:
        """With its libraries and people, for good. Raises `Refused` for the last administrator."""
        self._rows.remove(account_id)
        self._clean_up()


def account_name(text: str) -> str:
    """The name as it is stored. Raises `Refused`: empty, too long, or with characters that cannot be seen."""
    name = clean_name(text)
    if len(name) > LONGEST_ACCOUNT_NAME:
        raise Refused("The name is longer than %(most)s characters", "Choose a shorter one", most=LONGEST_ACCOUNT_NAME)
    return name


def token_hash(token: str) -> str:
    """What is stored of a token: it has 192 random bits, so that a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()
