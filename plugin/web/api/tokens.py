"""Tokens of programs, and whose token it is."""

from datetime import datetime
from typing import Literal

from flask import Response
from pydantic import Field

from plugin.domain import TokenScope
from plugin.web.api.access import require, scope, token_in_use
from plugin.web.api.resource import Resource
from plugin.web.api.values import Answer, Body, Parameters, PathId
from plugin.web.request_context import account, services

api = Resource("tokens", "Tokens")

ScopeName = Literal["read", "verdicts", "admin"]


class Token(Answer):
    """A token; the secret itself cannot be read again."""

    id: int
    name: str
    scope: ScopeName
    created_at: datetime
    last_used_at: datetime | None


class NewToken(Token):
    """A token that was made just now."""

    secret: str = Field(description="Shown only now; send it as `Authorization: Bearer <secret>`")


class TokenList(Answer):
    """All tokens of the account, the newest first."""

    tokens: list[Token]


class TokenPath(Parameters):
    """Which token."""

    token_id: PathId


class TokenWanted(Body):
    """What the token is for, and what it may do."""

    name: str = Field(min_length=1, max_length=200)
    scope: ScopeName


class Me(Answer):
    """Whose token (or session) this is, and how far it goes."""

    account: str
    is_admin: bool
    scope: ScopeName


def keeper() -> Response | None:
    """Else a stolen token with a small scope could make more of itself, and outlive its being revoked."""
    return require(TokenScope.ADMIN) if token_in_use() else None


@api.operation("get", "/me", TokenScope.READ, Me)
def me() -> Me:
    """Whose token this is, and how far it goes."""
    return Me(account=account().name, is_admin=account().is_admin, scope=scope().value)


@api.operation("get", "/tokens", TokenScope.READ, TokenList)
def listed() -> TokenList:
    """All tokens of the account, without their secrets."""
    return TokenList(tokens=[Token.model_validate(token) for token in services().tokens.all(account())])


@api.operation("post", "/tokens", TokenScope.VERDICTS, NewToken, status=201)
def create(body: TokenWanted) -> NewToken | Response:
    """Make a token (with a token: only with the scope admin)."""
    if refused := keeper():
        return refused
    token, secret = services().tokens.create(account(), body.name, TokenScope(body.scope))
    return NewToken(**Token.model_validate(token).model_dump(), secret=secret)


@api.operation("delete", "/tokens/<int:token_id>", TokenScope.VERDICTS, status=204)
def revoke(path: TokenPath) -> Response | None:
    """Revoke a token (with a token: only with the scope admin)."""
    if refused := keeper():
        return refused
    services().tokens.revoke(account(), path.token_id)
    return None
