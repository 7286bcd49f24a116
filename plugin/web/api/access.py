"""Who may use the API: a program with a token, or a browser that is logged in."""

from typing import cast

from flask import Response, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user
from flask_wtf import CSRFProtect
from limits import RateLimitItem, parse

from plugin.api_tokens import scope_of
from plugin.domain import ApiToken, TokenScope
from plugin.web.api.problems import problem
from plugin.web.request_context import account, services

FAILURES = "kinfolk.failed_tokens"


class FailedTokens:
    """Counts wrong tokens as wrong passwords are counted: of one address, and in all.

    Args:
        limiter: keeps the counts.
        by_address: how many one address may send, in the words of `limits`.
        in_all: how many all together may.
    """

    def __init__(self, limiter: Limiter, by_address: str, in_all: str) -> None:
        self._strategy = limiter.limiter
        self._by_address: RateLimitItem = parse(by_address)
        self._in_all: RateLimitItem = parse(in_all)

    def too_many(self) -> bool:
        """Whether nothing more is tried from this address for now."""
        return not all(self._strategy.test(rate, "tokens", who) for rate, who in self._counters())

    def note(self) -> None:
        """One more failed."""
        for rate, who in self._counters():
            self._strategy.hit(rate, "tokens", who)

    def _counters(self) -> tuple[tuple[RateLimitItem, str], ...]:
        return (self._by_address, get_remote_address()), (self._in_all, "everybody")


def admit() -> Response | None:
    """Run before every request to the API; None lets it pass."""
    # Inside Home Assistant nobody needs a password.
    if services().ingress is None and services().first_start.pending():
        return problem(401, "Kinfolk was not set up yet", "Open the link it printed when it started")
    if "Authorization" in request.headers:
        return admit_program()
    if not current_user.is_authenticated:
        return problem(401, "This needs a token", "Send the header `Authorization: Bearer <token>`; see docs/api.md")
    g.account, g.api_token = current_user.account, None
    cast("CSRFProtect", current_app.extensions["csrf"]).protect()
    return None


def admit_program() -> Response | None:
    """Let a program with a valid token pass; no cookie is looked at, so no form can be forged."""
    failures = cast("FailedTokens", current_app.extensions[FAILURES])
    if failures.too_many():
        return problem(429, "Too many wrong tokens came from this address", "Wait a few minutes, then try again")
    kind, _, secret = request.headers["Authorization"].partition(" ")
    token = services().tokens.recognise(secret.strip()) if kind.lower() == "bearer" else None
    holder = services().catalogue.accounts.get(token.account_id) if token else None
    if token is None or holder is None:
        failures.note()
        current_app.logger.warning("A wrong token came from %s", request.remote_addr)
        return problem(401, "This token is not valid", "Make a new one in Settings, API tokens", code="token")
    g.account, g.api_token = holder, token
    return None


def token_in_use() -> ApiToken | None:
    """The token of this request; None for a browser."""
    return cast("ApiToken | None", g.api_token)


def scope() -> TokenScope:
    """How far this visitor may go."""
    return scope_of(account(), token_in_use())


def require(needed: TokenScope) -> Response | None:
    """None when the visitor may go that far, else the answer."""
    if scope().covers(needed):
        return None
    if token_in_use() and scope_of(account()).covers(needed):
        return problem(403, f"This token has not the scope {needed}", "Make another one in Settings, API tokens")
    return problem(403, "Only an admin may do this", "Ask who looks after Kinfolk")
