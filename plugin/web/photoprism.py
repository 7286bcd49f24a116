"""Connecting a PhotoPrism: its address and an app password, and the trigger for users' own programs."""

from dataclasses import dataclass, replace

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Library
from plugin.errors import KinfolkError, NotFound
from plugin.web.inside_home_assistant import address_for_hooks
from plugin.web.language import explained, translated
from plugin.web.request_context import account, form_text, parse_id, see_other, services

pages = Blueprint("photoprism", __name__, url_prefix="/libraries/photoprism")

Answer = Response | str | tuple[str, int]


@dataclass(frozen=True, slots=True)
class ConnectPage:
    """What the page shows: `library` is the one that is connected again; the rest gives a refused entry back."""

    address: str = ""
    user: str = ""
    private: bool = False
    live: bool = False
    library: Library | None = None
    error: str = ""


@pages.get("")
def connect() -> str:
    """Where address and app password are typed; with `?library=` to connect one again."""
    library = wanted_library(request.args.get("library", ""))
    if library is None:
        return connect_page(ConnectPage())
    connections = services().photoprism
    private, live = connections.reads_private(library), connections.listens(library)
    return connect_page(ConnectPage(library.address, private=private, live=live, library=library))


@pages.post("")
def begin() -> Answer:
    """Connect with an app password, or with a user's password by which one is made."""
    library = wanted_library(form_text("library"))
    private, live = ("private" in request.form, "live" in request.form)
    page = ConnectPage(form_text("address"), form_text("user", 200), private, live, library)
    try:
        connected = services().photoprism.connect(
            account(), page.address, request.form.get("password", "").strip()[:1000], user=page.user, private=private,
            fingerprint=form_text("fingerprint"), live=live, library_id=library.id if library else None,
        )  # fmt: skip
    except KinfolkError as error:
        return refused(page, error)
    flash(_("%(name)s is connected and is being read.", name=connected.library.name), "good")
    edition, version = connected.edition_name, connected.version.partition("-")[0]
    flash(_("It is PhotoPrism %(edition)s, version %(version)s.", edition=edition, version=version), "good")
    for sentence in connected.missing:
        flash(translated(sentence), "bad")
    return see_other(url_for("libraries.index"))


@pages.get("/<int:library_id>/trigger")
def trigger(library_id: int) -> str:
    """Where programs of users may tell that something changed."""
    return trigger_page(own_library(library_id))


@pages.post("/<int:library_id>/trigger")
def make_secret(library_id: int) -> str:
    """Make a secret; no redirect, since it is shown once and kept nowhere."""
    library = own_library(library_id)
    return trigger_page(library, services().hooks.invite(account().id, library.id))


@pages.post("/<int:library_id>/trigger/remove")
def forget_secret(library_id: int) -> Response:
    """Be told no more."""
    services().hooks.dismiss(account().id, own_library(library_id).id)
    flash(_("Nothing is heard any more. The library is compared every few minutes."), "good")
    return see_other(url_for("photoprism.trigger", library_id=library_id))


def trigger_page(library: Library, secret: str = "") -> str:
    """The page; `secret` was made just now."""
    # Where nobody can say under which address programs reach Kinfolk, its path alone.
    path = url_for("hooks.told_by_users", library_id=library.id)
    url = address_for_hooks("hooks.told_by_users", library_id=library.id) or path
    hook = services().hooks.of(library)
    return render_template("photoprism_trigger.html", library=library, hook=hook, url=url, secret=secret)


def connect_page(page: ConnectPage) -> str:
    """The page with the form."""
    return render_template("photoprism_connect.html", page=page, servers=services().photoprism.servers(account()))


def refused(page: ConnectPage, error: KinfolkError) -> tuple[str, int]:
    """The page again with the reason; for a certificate nobody vouches for, the question whether it is the right one.

    One that was confirmed before and is another now is never offered again.
    """
    if error.code == "certificate_refused" and not form_text("fingerprint"):
        base, fingerprint = services().photoprism.certificate(account(), page.address)
        shown = {"page": page, "base": base, "fingerprint": fingerprint}
        return render_template("photoprism_certificate.html", **shown), 422
    return connect_page(replace(page, error=explained(error))), 422


def wanted_library(text: str) -> Library | None:
    """The library that is connected again, None for a new one. Raises `NotFound`."""
    return own_library(parse_id(text)) if text else None


def own_library(library_id: int) -> Library:
    """A PhotoPrism library of this account. Raises `NotFound`."""
    library = services().catalogue.libraries.get(library_id, account().id)
    if library.host != "photoprism":
        raise NotFound("There is no such library")
    return library
