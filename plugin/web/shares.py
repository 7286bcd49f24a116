"""Sharing a library: with whom, whether they may correct, and ending it."""

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from plugin.domain import Account
from plugin.errors import NotFound, Refused
from plugin.web.language import gettext as _
from plugin.web.libraries import find_library
from plugin.web.request_context import account, form_id, form_text, see_other, services

pages = Blueprint("shares", __name__, url_prefix="/libraries/<int:library_id>/shares")


@pages.get("")
def show(library_id: int) -> str:
    """Who sees this library, and with whom it can be shared."""
    library = find_library(library_id)
    shares = [share for share in services().sharing.shares(account().id) if share.library_id == library_id]
    known = {account().id, *(share.account_id for share in shares)}
    others = [other for other in services().catalogue.accounts.all() if other.id not in known]
    return render_template("shares.html", library=library, shares=shares, others=others)


@pages.post("")
def share(library_id: int) -> Response:
    """Share it, or change whether somebody may correct."""
    library, with_whom = find_library(library_id), find_account(form_id("account"))
    may_correct = form_text("may") == "correct"
    services().sharing.share(account().id, library_id, with_whom.id, may_correct=may_correct)
    can = _(
        "%(name)s can look at %(library)s and correct who is on its photos.", name=with_whom.name, library=library.name
    )
    looks = _("%(name)s can look at %(library)s.", name=with_whom.name, library=library.name)
    flash(can if may_correct else looks, "good")
    return see_other(url_for("shares.show", library_id=library_id))


@pages.post("/end")
def end(library_id: int) -> Response:
    """Nobody sees what is not shared any more, from the next click on."""
    library, with_whom = find_library(library_id), find_account(form_id("account"))
    services().sharing.end(account().id, library_id, with_whom.id)
    flash(_("%(name)s does not see %(library)s any more.", name=with_whom.name, library=library.name), "good")
    return see_other(url_for("shares.show", library_id=library_id))


def find_account(account_id: int) -> Account:
    """Somebody to share with. Raises `NotFound`, and `Refused` for oneself."""
    found = services().catalogue.accounts.get(account_id)
    if found is None:
        raise NotFound("There is no such account")
    if found.id == account().id:
        raise Refused("This library is yours already", "Choose somebody else")
    return found
