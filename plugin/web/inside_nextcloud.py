"""Kinfolk as an app inside Nextcloud: what AppAPI calls, who its users are, and how pages travel through its proxy.

The proxy passes no cookies (`appinfo/info.xml` excludes them), checks no form for forgery, and follows redirects by
itself. So the session travels in a header of our own, which no foreign page can send and to which the tokens of the
forms are bound, and a redirect is an answer with `X-Kinfolk-Location`, which `static/js/embedded.js` follows.
"""

import re
from pathlib import Path
from typing import cast

from flask import Blueprint, Flask, Response, current_app, flash, g, jsonify, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage

from plugin.domain import Account
from plugin.errors import HostError
from plugin.web.api.problems import problem
from plugin.web.request_context import LARGEST_ID, account, asks_api, see_other, services
from plugin.web.resources import resource_folder
from plugin.web.security import APP_HEADER, BASE_HEADER
from plugin.web.services import InsideNextcloud

pages = Blueprint("nextcloud_app", __name__)

LOCATION_HEADER = "X-Kinfolk-Location"

FOR_NEXTCLOUD = frozenset({"nextcloud_app.init", "nextcloud_app.enabled"})
"""What only Nextcloud itself may call: its users reach the app through the proxy, which names them."""

SAFE = frozenset({"GET", "HEAD"})

SHEETS = ("theme", "base", "layout", "components", "pages", "language", "people", "photo", "accounts", "live", "api")
"""The sheets of `base.html`, in its order."""


def app_of() -> InsideNextcloud:
    """The Nextcloud this is an app of; 404 everywhere else."""
    nextcloud = services().nextcloud_app
    if nextcloud is None:
        raise NoSuchPage
    return nextcloud


def only_nextcloud() -> InsideNextcloud:
    """The same for what a browser that is logged in at Kinfolk itself must not reach."""
    if not comes_from_nextcloud():
        raise NoSuchPage
    return app_of()


def comes_from_nextcloud() -> bool:
    """Whether the request says it is from AppAPI; whether that is true is for `admit_nextcloud`."""
    return services().nextcloud_app is not None and APP_HEADER in request.headers


def admit_nextcloud() -> Response | None:
    """Let Nextcloud and its users in; None lets the request pass."""
    user = app_of().identity.caller(request.headers.get("EX-APP-ID", ""), request.headers.get(APP_HEADER, ""))
    if user is None:
        current_app.logger.warning("A request with a wrong AppAPI secret came from %s", request.remote_addr)
        return problem(401, "This is not the Nextcloud this app belongs to")
    if request.endpoint in FOR_NEXTCLOUD:
        return problem(403, "Only Nextcloud itself may do this") if user else None
    return admit_user(user) if user else problem(401, "Nobody is logged in at Nextcloud")


def admit_user(user: str) -> Response | None:
    """Let a user of Nextcloud see what is theirs."""
    if asks_api():
        return problem(404, "The API is not reached through Nextcloud", "Ask Kinfolk itself, with a token")
    if request.method not in SAFE and request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return problem(403, "This form was sent from another site")
    try:
        g.account = account_of(app_of(), user)
    except HostError as error:
        return problem(503, str(error), error.advice, code=error.code)
    g.inside_nextcloud = user
    # A session that was made for somebody else in the same browser opens nothing of theirs.
    if session.get("nextcloud_user") != user:
        session.clear()
        session["nextcloud_user"] = user
    return None


def account_of(nextcloud: InsideNextcloud, user: str) -> Account:
    """The account of a user of Nextcloud. Raises `HostError`."""
    return services().outside_accounts.find(
        nextcloud.identity.nextcloud_url, user, lambda: nextcloud.is_nextcloud_admin(user)
    )


def install_nextcloud(app: Flask) -> None:
    """Answer in the way the proxy needs."""
    app.register_blueprint(pages)
    app.after_request(for_the_proxy)


def for_the_proxy(response: Response) -> Response:
    """No cookies for the domain of Nextcloud, and redirects that the page follows itself."""
    if not g.get("inside_nextcloud"):
        return response
    response.headers.pop("Set-Cookie", None)
    location = response.headers.get("location")
    if location and BASE_HEADER in request.headers and 300 <= response.status_code < 400:
        response.headers.pop("location")
        response.headers[LOCATION_HEADER] = location
        response.status_code = 200
        response.set_data(b"")
    return response


@pages.get("/heartbeat")
def heartbeat() -> Response:
    """Asked without authentication until the app is up."""
    app_of()
    return jsonify({"status": "ok"})


@pages.post("/init")
def init() -> Response:
    """Make everything ready in the background; how far it is goes to Nextcloud."""
    only_nextcloud().make_ready()
    return jsonify({})


@pages.put("/enabled")
def enabled() -> Response:
    """An administrator of Nextcloud enabled or disabled the app; an error keeps it disabled."""
    try:
        only_nextcloud().set_enabled(enabled=request.args.get("enabled") == "1")
    except HostError as error:
        return jsonify({"error": error.explanation})
    return jsonify({"error": ""})


@pages.post("/nextcloud/photo")
def file_action() -> Response:
    """The action "People in this photo" of Files: nothing is done, the browser goes on to the page of the file."""
    app_of()
    return jsonify({"redirect_handler": "people/nextcloud/photo"})


@pages.get("/nextcloud/photo")
def photo() -> Response | tuple[str, int]:
    """The photo with this file id, among the visitor's own."""
    app_of()
    wanted = request.args.get("fileIds", "").split(",")[0]
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 20 and int(wanted) <= LARGEST_ID:
        for library in filter(services().hooks.in_our_nextcloud, services().catalogue.libraries.all(account().id)):
            found = services().catalogue.assets.by_host_key(library.id, wanted)
            if found is not None:
                return cast("Response", see_other(url_for("photo.show", asset_id=found)))
    return render_template("nextcloud_photo.html"), 404


@pages.post("/nextcloud/library")
def look_at_mine() -> Response:
    """The visitor wants their own photos looked at."""
    user = g.get("inside_nextcloud")
    if not user:
        raise NoSuchPage
    services().outside_accounts.connect(app_of().identity.nextcloud_url, user, account().id)
    flash(_("Your photos are being read. That goes on when you leave this page."), "good")
    return cast("Response", see_other(url_for("libraries.index")))


@pages.get("/nextcloud/style.css")
def style() -> Response:
    """Kinfolk's sheets as one, for a shadow root: what is said of the page is said of its host there."""
    app_of()
    text = "\n".join(Path(resource_folder("static"), "css", f"{name}.css").read_text("utf-8") for name in SHEETS)
    response = Response(scoped(text), mimetype="text/css")
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def scoped(sheet: str) -> str:
    """A sheet for a shadow root: `:root` and `html` are its host, `body` is the element around the page."""
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    sheet = re.sub(r"(^|[\s,}])(?::root|html)(?=\s*[{,])", r"\1:host", sheet)
    return re.sub(r"(^|[\s,}])body(?=\s*[{,])", r"\1.kinfolk", sheet)
