"""Connecting a Nextcloud: its address, the login granted there (or a password), and which folders are read."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Library
from plugin.errors import KinfolkError, NotFound
from plugin.web.language import explained
from plugin.web.request_context import account, form_text, parse_id, see_other, services

pages = Blueprint("nextcloud", __name__, url_prefix="/libraries/nextcloud")

Answer = Response | str | tuple[str, int]


@dataclass(frozen=True, slots=True)
class ConnectPage:
    """What the page shows: `library` is the one that is connected again; the rest gives a refused entry back."""

    address: str = ""
    user: str = ""
    library: Library | None = None
    servers: list[str] | None = None
    error: str = ""


@pages.get("")
def connect() -> str:
    """Where the address is typed; with `?library=` to connect one again."""
    library = wanted_library(request.args.get("library", ""))
    address = services().nextcloud.server_of(library) if library else ""
    return connect_page(ConnectPage(address, library=library))


@pages.post("")
def begin() -> Answer:
    """Start a login at the server."""
    typed, fingerprint = form_text("address"), form_text("fingerprint")
    library = wanted_library(form_text("library"))
    try:
        flow = services().nextcloud.begin(
            account(), typed, fingerprint=fingerprint, library_id=library.id if library else None
        )
    except KinfolkError as error:
        return refused(ConnectPage(typed, library=library), error, "nextcloud.begin")
    return see_other(url_for("nextcloud.wait", flow=flow))


@pages.post("/password")
def with_password() -> Answer:
    """Connect with a user name and an app password."""
    typed, user, library = form_text("address"), form_text("user"), wanted_library(form_text("library"))
    try:
        connected = services().nextcloud.with_password(
            account(), typed, user, request.form.get("password", "")[:1000],
            fingerprint=form_text("fingerprint"), library_id=library.id if library else None,
        )  # fmt: skip
    except KinfolkError as error:
        return refused(ConnectPage(typed, user, library), error, "nextcloud.with_password")
    return welcome(connected, again=library is not None)


@pages.get("/login/<flow>")
def wait(flow: str) -> str:
    """The page that waits until the login was granted in another tab."""
    return render_template("nextcloud_wait.html", flow=flow, page=services().nextcloud.page(account().id, flow))


@pages.post("/login/<flow>")
def proceed(flow: str) -> Answer:
    """Ask whether the login was granted; the waiting page does so by itself where JavaScript runs."""
    by_itself = request.headers.get("HX-Request") == "true"
    try:
        connected = services().nextcloud.poll(account().id, flow)
    except NotFound:
        raise
    except KinfolkError as error:
        flash(explained(error), "bad")
        return lead_to(url_for("nextcloud.connect"), by_itself=by_itself)
    if connected is not None:
        flash(_("%(name)s is connected and is being read.", name=connected.name), "good")
        return lead_to(url_for("nextcloud.folders", library_id=connected.id), by_itself=by_itself)
    if by_itself:
        return Response(status=204)
    flash(_("The login was not granted yet. Grant it in Nextcloud, then continue here."), "bad")
    return see_other(url_for("nextcloud.wait", flow=flow))


@pages.get("/<int:library_id>/folders")
def folders(library_id: int) -> Answer:
    """Which folders are read."""
    library = own_library(library_id)
    try:
        choice = services().nextcloud.choice(library)
    except KinfolkError as error:
        flash(explained(error), "bad")
        return see_other(url_for("libraries.index"))
    return render_template("nextcloud_folders.html", library=library, choice=choice)


@pages.post("/<int:library_id>/folders")
def choose(library_id: int) -> Response:
    """Read these folders only."""
    library = own_library(library_id)
    everything = request.form.get("which") != "some"
    chosen = () if everything else tuple(path[:4096] for path in request.form.getlist("folder")[:1000])
    left_out = tuple(request.form.get("left_out", "")[:100_000].splitlines()[:1000])
    services().nextcloud.choose(library, chosen, left_out)
    flash(_("%(name)s is being read.", name=library.name), "good")
    return see_other(url_for("libraries.index"))


def connect_page(page: ConnectPage) -> str:
    """The page with the forms."""
    return render_template("nextcloud_connect.html", page=page, servers=services().nextcloud.servers(account()))


def refused(page: ConnectPage, error: KinfolkError, action: str) -> tuple[str, int]:
    """The page again with the reason; for a certificate nobody vouches for, the question whether it is the right one.

    One that was confirmed before and is another now is never offered again.
    """
    if error.code == "certificate_refused" and not form_text("fingerprint"):
        base, fingerprint = services().nextcloud.certificate(account(), page.address)
        shown = {"page": page, "base": base, "fingerprint": fingerprint, "action": action}
        return render_template("nextcloud_certificate.html", **shown), 422
    shown_again = ConnectPage(page.address, page.user, page.library, error=explained(error))
    return connect_page(shown_again), 422


def welcome(connected: Library, *, again: bool) -> Response:
    """What follows a new login."""
    flash(_("%(name)s is connected and is being read.", name=connected.name), "good")
    target = url_for("libraries.index") if again else url_for("nextcloud.folders", library_id=connected.id)
    return see_other(target)


def lead_to(target: str, *, by_itself: bool) -> Response:
    """To another page: htmx goes there, a form is redirected."""
    return Response(status=204, headers={"HX-Redirect": target}) if by_itself else see_other(target)


def wanted_library(text: str) -> Library | None:
    """The library that is connected again, None for a new one. Raises `NotFound`."""
    return own_library(parse_id(text)) if text else None


def own_library(library_id: int) -> Library:
    """A Nextcloud library of this account. Raises `NotFound`."""
    library = services().catalogue.libraries.get(library_id, account().id)
    if library.host != "nextcloud":
        raise NotFound("There is no such library")
    return library
