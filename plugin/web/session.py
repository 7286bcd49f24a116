"""Who is looking: first start, log in, log out, and the guard that lets nobody else see anything."""

from dataclasses import dataclass

from flask import Blueprint, Flask, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from plugin.domain import Account
from plugin.errors import KinfolkError, Refused
from plugin.web import first_run
from plugin.web.api.access import admit
from plugin.web.inside_home_assistant import admit_home_assistant, at_home_assistant, visitor
from plugin.web.inside_nextcloud import admit_nextcloud, comes_from_nextcloud
from plugin.web.language import explained
from plugin.web.passwords import check_length, password_guard
from plugin.web.request_context import asks_api, form_text, is_machine, see_other, services
from plugin.web.security import safe_path

pages = Blueprint("session", __name__)

OPEN_ENDPOINTS = frozenset(
    {"static", "health.healthz", "session.log_in", "session.welcome", "invitations.accept", "language.choose"}
)
"""Everything else needs a log-in, addresses that do not exist included (they would tell what exists)."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """What flask-login keeps of an account. The epoch in the id ends every session when the password changes."""

    account: Account
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """`<account id>.<session epoch>`."""
        return f"{self.account.id}.{self.account.session_epoch}"


def load_visitor(visitor_id: str) -> Visitor | None:
    """The visitor of a session, or None when the account is gone or its password was changed since."""
    account_id, _dot, epoch = visitor_id.partition(".")
    if not (account_id.isdecimal() and epoch.isdecimal()):
        return None
    account = services().catalogue.accounts.get(int(account_id))
    return Visitor(account) if account and account.session_epoch == int(epoch) else None


def guard() -> Response | None:
    """Run before every request: first start, then log-in, then the page."""
    # Where programs have a secret of their own, their blueprint looks at it; a session opens nothing there.
    if request.endpoint in {"static", "health.healthz", "nextcloud_app.heartbeat"} or is_machine():
        return None
    for comes, admit_them in (
        (comes_from_nextcloud, admit_nextcloud), (is_program, admit), (at_home_assistant, admit_home_assistant),
    ):  # fmt: skip
        if comes():
            return admit_them()
    if services().first_start.pending():
        return (
            None if request.endpoint in {"session.welcome", "language.choose"} else redirect(url_for("session.welcome"))
        )
    if current_user.is_authenticated:
        g.account = current_user.account
        return None
    return None if request.endpoint in OPEN_ENDPOINTS else turn_away()


def is_program() -> bool:
    """Whether the API is asked by somebody whom Home Assistant does not vouch for; programs bring a token."""
    return asks_api() and ("authorization" in request.headers or visitor() is None)


def turn_away() -> Response:
    """To the log-in page; pictures and fragments get an answer their reader understands."""
    if request.headers.get("HX-Request") == "true":
        return Response(status=401, headers={"HX-Refresh": "true"})
    if request.path.endswith(".webp"):
        return Response(status=401)
    wanted = f"{request.script_root}{request.full_path.removesuffix('?')}" if request.method == "GET" else None
    at_home = wanted == f"{request.script_root}/"
    return redirect(url_for("session.log_in", next=None if at_home else safe_path(wanted)))


def install_session(app: Flask) -> None:
    """Connect flask-login and the guard."""
    manager = LoginManager()
    # The address of a phone changes on the way home; the session must not end with it.
    manager.session_protection = None
    manager.user_loader(load_visitor)
    manager.init_app(app)
    app.before_request(guard)


def start_session(account: Account) -> None:
    """A fresh session: nothing an earlier visitor left in it survives (session fixation)."""
    session.clear()
    session.permanent = True
    login_user(Visitor(account))


@pages.route("/login", methods=["GET", "POST"])
def log_in() -> Response | str | tuple[str, int]:
    """The log-in page."""
    target = safe_path(request.values.get("next")) or url_for("people.index")
    if current_user.is_authenticated:
        return redirect(target)
    if request.method == "GET":
        return render_template("login.html", name="", target=target, wrong=False)
    name = form_text("name")
    account = services().catalogue.accounts.by_name(name)
    stored = account.password_hash if account else None
    if password_guard().matches(stored, request.form.get("password", "")) and account:
        start_session(account)
        # Who left the first run in the middle comes back to it.
        begins = target == url_for("people.index") and first_run.unfinished(account)
        return see_other(url_for("first_run.show") if begins else target)
    g.failed_attempt = True
    current_app.logger.warning("Failed log-in from %s", request.remote_addr)
    return render_template("login.html", name=name, target=target, wrong=True), 401


@pages.post("/logout")
def log_out() -> Response:
    """End the session on this device."""
    logout_user()
    session.clear()
    return see_other(url_for("session.log_in"))


@pages.route("/welcome", methods=["GET", "POST"])
def welcome() -> Response | str | tuple[str, int]:
    """The first start: the printed link leads here and sets name and password, once."""
    if not services().first_start.pending():
        return redirect(url_for("people.index"))
    token = request.values.get("token", "")[:200]
    if request.method == "GET":
        return render_template("welcome.html", token=token, name="", error="")
    name, password = form_text("name", 100), request.form.get("password", "")
    try:
        check_new_password(password)
        account = services().first_start.accept(token, name, password)
    except KinfolkError as error:
        g.failed_attempt = True
        return render_template("welcome.html", token=token, name=name, error=explained(error)), 400
    start_session(account)
    flash(_("Welcome! Your password is set."), "good")
    # Leads on to the People page when nothing is left to set up.
    return see_other(url_for("first_run.show"))


def check_new_password(password: str) -> None:
    """Raises `Refused` when a new password is too short, or the second entry of it differs."""
    check_length(password)
    if request.form.get("repeat", "") != password:
        raise Refused("The two passwords are not the same", "Enter the same password twice")
