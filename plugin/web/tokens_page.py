"""API tokens: what programs use instead of a password."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.api_tokens import scope_of
from plugin.domain import ApiToken, TokenScope
from plugin.errors import NotFound, Refused
from plugin.web.language import explained
from plugin.web.request_context import account, form_text, see_other, services

pages = Blueprint("tokens", __name__, url_prefix="/settings/tokens")


@dataclass(frozen=True, slots=True)
class TokensPage:
    """What the page shows.

    Attributes:
        tokens: the newest first.
        scopes: what this account may give.
        made, secret: the token that was made just now, and what opens the API with it, which is shown only once.
        name, error: a refused entry and why.
    """

    tokens: list[ApiToken]
    scopes: list[TokenScope]
    made: ApiToken | None = None
    secret: str = ""
    name: str = ""
    error: str = ""


def tokens_page(made: ApiToken | None = None, secret: str = "", name: str = "", error: str = "") -> str:
    """The page as it is now."""
    most = scope_of(account())
    scopes = [scope for scope in TokenScope if most.covers(scope)]
    page = TokensPage(services().tokens.all(account()), scopes, made, secret, name, error)
    return render_template("tokens.html", page=page)


@pages.get("")
def show() -> str:
    """All tokens of this account."""
    return tokens_page()


@pages.post("")
def create() -> str | tuple[str, int]:
    """Make a token; no redirect, since the secret must be kept nowhere, not even in a cookie."""
    name = form_text("name")
    try:
        made, secret = services().tokens.create(account(), name, wanted_scope())
    except Refused as error:
        return tokens_page(name=name, error=explained(error)), 422
    return tokens_page(made, secret)


def wanted_scope() -> TokenScope:
    """The scope that was chosen; `Refused` when none was."""
    try:
        return TokenScope(form_text("scope"))
    except ValueError:
        raise Refused("Nothing was chosen", "Choose what the program may do") from None


@pages.post("/<int:token_id>/revoke")
def revoke(token_id: int) -> Response:
    """Revoke a token."""
    token = next((token for token in services().tokens.all(account()) if token.id == token_id), None)
    if token is None:
        raise NotFound("There is no such token")
    services().tokens.revoke(account(), token_id)
    flash(_("%(name)s was revoked and opens nothing any more.", name=token.name), "good")
    return see_other(url_for("tokens.show"))
