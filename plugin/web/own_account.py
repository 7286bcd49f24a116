"""Your account: the name to log in with, and the password."""

from flask import Blueprint, flash, g, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage
from werkzeug.wrappers import Response

from plugin.errors import Refused
from plugin.ingress import ORIGIN
from plugin.web.passwords import password_guard
from plugin.web.request_context import account, form_text, see_other, services
from plugin.web.session import check_new_password, start_session

pages = Blueprint("own_account", __name__, url_prefix="/settings")


@pages.get("/account")
def show() -> str:
    """The page; the frame knows whose it is."""
    return render_template("settings_account.html")


@pages.post("/name")
def rename() -> Response:
    """Log in under another name from now on."""
    services().accounts.rename(account().id, form_text("name"))
    flash(_("Your name was changed. Use it the next time you log in."), "good")
    return see_other(url_for("own_account.show"))


@pages.post("/take-over")
def take_over() -> Response:
    """In Home Assistant: the account somebody had before, by its name and password."""
    user = g.get("inside_home_assistant")
    if user is None:
        raise NoSuchPage
    wanted = services().catalogue.accounts.by_name(form_text("name", 200))
    stored = wanted.password_hash if wanted else None
    if not password_guard().matches(stored, request.form.get("password", "")) or wanted is None:
        g.failed_attempt = True
        raise Refused("Name or password is not right")
    services().outside_accounts.take_over(ORIGIN, user.id, wanted)
    flash(_("This is your account from now on: %(name)s.", name=wanted.name), "good")
    return see_other(url_for("people.index"))


@pages.post("/password")
def change_password() -> Response:
    """Change the own password; every other device is logged out."""
    if not password_guard().matches(account().password_hash, request.form.get("current", "")):
        g.failed_attempt = True
        raise Refused("The current password is not right")
    new = request.form.get("password", "")
    check_new_password(new)
    services().accounts.set_password(account().id, new)
    start_session(services().accounts.get(account().id))
    flash(_("Your password was changed. Other devices have to log in again."), "good")
    return see_other(url_for("own_account.show"))
