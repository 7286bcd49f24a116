"""Accounts: who may log in and who looks after Kinfolk; links with which somebody sets a first password."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, current_app, flash, g, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Account
from plugin.errors import KinfolkError, Refused
from plugin.ports.privacy import HeldData
from plugin.web.language import explained
from plugin.web.request_context import account, form_text, require_admin, see_other, services
from plugin.web.session import check_new_password, start_session
from plugin.web.typed import require_typed

pages = Blueprint("accounts", __name__, url_prefix="/settings/accounts")
invitations = Blueprint("invitations", __name__)

LINK = "invitation_link"


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """An account and until when its invitation holds, if it has one."""

    account: Account
    invited_until: datetime | None
    library_count: int


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to hand over, shown once."""

    name: str
    address: str


@pages.get("")
def index() -> str:
    """Every account; a link that was just made is shown once."""
    require_admin()
    link = session.pop(LINK, None)
    return accounts_page(NewLink(**link) if link else None)


def accounts_page(link: NewLink | None, name: str = "", error: str = "") -> str:
    """The page, with what was entered and why it was refused."""
    until = services().accounts.open_invitations()
    libraries = [library.account_id for library in services().catalogue.libraries.all()]
    shown = [ShownAccount(one, until.get(one.id), libraries.count(one.id)) for one in services().accounts.all()]
    return render_template("settings_accounts.html", accounts=shown, link=link, name=name, error=error)


@pages.post("")
def add() -> Response | tuple[str, int]:
    """A new account, with a first password or a link to set one."""
    require_admin()
    name, password = form_text("name"), request.form.get("password", "")
    try:
        added = services().accounts.add(name, password or None, is_admin=form_text("admin") == "yes")
    except KinfolkError as refused:
        return accounts_page(None, name, explained(refused)), 422
    if not password:
        return invite_and_show(added)
    flash(_("%(name)s can log in now.", name=added.name), "good")
    return see_other(url_for("accounts.index"))


def invite_and_show(invited: Account) -> Response:
    """Make a link, and show it on the next page only: nothing but its hash is kept."""
    token = services().accounts.invite(invited.id)
    address = url_for("invitations.accept", token=token, _external=True)
    session[LINK] = {"name": invited.name, "address": address}
    return see_other(url_for("accounts.index"))


@pages.get("/<int:account_id>")
def show(account_id: int) -> str:
    """One account, and what can be done to it."""
    require_admin()
    return render_template("settings_account_one.html", other=services().accounts.get(account_id))


@pages.post("/<int:account_id>/invite")
def invite(account_id: int) -> Response:
    """A new link to set a password; the old password holds until it is used."""
    require_admin()
    return invite_and_show(services().accounts.get(account_id))


@pages.post("/<int:account_id>/role")
def role(account_id: int) -> Response:
    """Make somebody administrator, or member."""
    require_admin()
    is_admin = form_text("role") == "admin"
    other = services().accounts.get(account_id)
    services().accounts.set_admin(account_id, is_admin=is_admin)
    said = _("%(name)s looks after Kinfolk now.") if is_admin else _("%(name)s is a member now.")
    flash(said % {"name": other.name}, "good")
    stays = is_admin or account_id != account().id
    return see_other(url_for("accounts.index") if stays else url_for("own_account.show"))


@pages.post("/<int:account_id>/password")
def reset_password(account_id: int) -> Response:
    """Set a password for somebody; ends every session of theirs."""
    require_admin()
    other = services().accounts.get(account_id)
    check_new_password(request.form.get("password", ""))
    services().accounts.set_password(account_id, request.form.get("password", ""))
    flash(_("The password of %(name)s was changed. Their devices have to log in again.", name=other.name), "good")
    return see_other(url_for("accounts.index"))


@pages.post("/<int:account_id>/library")
def add_library(account_id: int) -> Response:
    """Add a folder to somebody's account: members have no rights on this machine's folders themselves."""
    require_admin()
    other = services().accounts.get(account_id)
    library = services().add_folder_library(other.id, request.form.get("path", "")[:4097])
    flash(_("%(library)s belongs to %(name)s now and is being scanned.", library=library.name, name=other.name), "good")
    return see_other(url_for("accounts.show", account_id=other.id))


@pages.route("/<int:account_id>/remove", methods=["GET", "POST"])
def remove(account_id: int) -> Response | str:
    """Remove an account with everything of it, once its name was typed."""
    require_admin()
    other = services().accounts.get(account_id)
    if other.id == account().id:
        raise Refused("This is your own account", "Another administrator can remove it")
    if request.method == "GET":
        return render_template("settings_account_remove.html", other=other, held=held(other))
    require_typed(other.name)
    for library in services().catalogue.libraries.all(account_id):
        services().nextcloud.disconnect(library)
        services().photoprism.disconnect(library)
    services().accounts.remove(account_id)
    flash(_("%(name)s was removed.", name=other.name), "good")
    return see_other(url_for("accounts.index"))


def held(other: Account) -> HeldData:
    """How much goes with the account."""
    return services().privacy.held(other.id)


@invitations.route("/invitation", methods=["GET", "POST"])
def accept() -> Response | str | tuple[str, int]:
    """The link an administrator handed over: set a password, once."""
    token = request.values.get("token", "")[:200]
    invited = services().accounts.invited(token)
    if request.method == "GET" or invited is None:
        g.failed_attempt = invited is None
        return render_template("invitation.html", invited=invited, token=token, error=""), 200 if invited else 404
    try:
        check_new_password(request.form.get("password", ""))
        start_session(services().accounts.accept(token, request.form.get("password", "")))
    except KinfolkError as refused:
        return render_template("invitation.html", invited=invited, token=token, error=explained(refused)), 422
    current_app.logger.info("Account %s accepted an invitation", invited.id)
    return see_other(url_for("people.index"))
