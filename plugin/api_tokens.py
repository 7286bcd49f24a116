"""Tokens for programs: made, recognised and revoked.

A secret is 32 random bytes and is shown once. The catalogue keeps its SHA-256 digest: a slow password hash would only
make every request slow, since 256 random bits cannot be guessed.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from plugin.domain import Account, ApiToken, TokenScope
from plugin.errors import Refused
from plugin.people import clean_name
from plugin.ports.accounts import TokenRows

PREFIX = "kinfolk_"
"""So that scanners for leaked secrets, and people, see what it is."""

LONGEST_SECRET = 200

USE_NOTED_EVERY = timedelta(minutes=1)
"""A program that asks a hundred times a second must not write a hundred times a second."""

MOST_TOKENS = 100
"""Of one account: room for every program, and an end to a script that runs wild."""


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


class ApiTokens:
    """Who a program may act for, and how far.

    Args:
        rows: where tokens are stored.
        now: what time it is.
    """

    def __init__(self, rows: TokenRows, now: Callable[[], datetime] = utc_now) -> None:
        self._rows = rows
        self._now = now

    def all(self, account: Account) -> list[ApiToken]:
        """The tokens of an account, the newest first."""
        return self._rows.all(account.id)

    def create(self, account: Account, name: str, scope: TokenScope) -> tuple[ApiToken, str]:
        """A new token and its secret, which nobody can read again.

        Raises:
            Refused: a name without letters, too many tokens, or more rights than the account has.
        """
        name = clean_name(name)
        if scope is TokenScope.ADMIN and not account.is_admin:
            raise Refused("Only an admin can make a token with the scope admin", "Choose read or verdicts")
        if len(self._rows.all(account.id)) >= MOST_TOKENS:
            raise Refused(
                "There are %(count)s tokens already", "Revoke those that are not used any more", count=MOST_TOKENS
            )
        secret = PREFIX + secrets.token_urlsafe(32)
        return self._rows.add(account.id, name, scope, digest_of(secret)), secret

    def recognise(self, secret: str) -> ApiToken | None:
        """The token with this secret, or None; notes that it was used."""
        if not secret.startswith(PREFIX) or len(secret) > LONGEST_SECRET:
            return None
        token = self._rows.by_digest(digest_of(secret))
        if token and (token.last_used_at is None or self._now() - token.last_used_at >= USE_NOTED_EVERY):
            self._rows.used(token.id)
        return token

    def revoke(self, account: Account, token_id: int) -> None:
        """It opens nothing any more, at once. Raises `NotFound`."""
        self._rows.revoke(token_id, account.id)


def digest_of(secret: str) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def scope_of(account: Account, token: ApiToken | None = None) -> TokenScope:
    """How far a visitor may go: as far as the token says, and never farther than the account it acts for."""
    most = TokenScope.ADMIN if account.is_admin else TokenScope.VERDICTS
    return most if token is None or token.scope.covers(most) else token.scope
