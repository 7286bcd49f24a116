"""Settings, Other apps: Kinfolk as the engine of Nextcloud's own face apps."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.errors import NotFound
from plugin.ports.vision import PackInfo
from plugin.web.inside_home_assistant import address_for_programs
from plugin.web.preferences_page import find_pack
from plugin.web.request_context import require_admin, see_other, services
from plugin.web.services import InsideNextcloud

pages = Blueprint("other_apps", __name__, url_prefix="/settings/other-apps")


@dataclass(frozen=True, slots=True)
class OtherAppsPage:
    """What the page shows.

    Attributes:
        is_on: whether the Face Recognition service answers.
        address: where it answers.
        pack: the model pack it is bound to.
        pictures, last_asked: how many were looked at since Kinfolk started, and when the last one came.
        nextcloud: the Nextcloud this is an app of, which Recognize needs.
        key: the key that was made just now, shown only once.
    """

    is_on: bool
    address: str
    pack: PackInfo
    pictures: int
    last_asked: datetime | None
    nextcloud: InsideNextcloud | None
    key: str = ""

    @property
    def commands(self) -> str:
        """What is typed on the Nextcloud server."""
        return (
            f"occ config:system:set facerecognition.external_model_url --value {self.address}\n"
            f"occ config:system:set facerecognition.external_model_api_key --value {self.key}\n"
            "occ face:setup -m 5"
        )


def other_apps_page(key: str = "") -> str:
    """The page as it is now."""
    switch, engine = services().engine_switch, services().engine
    nextcloud = services().nextcloud_app
    address = engine_address(nextcloud)
    page = OtherAppsPage(
        switch.is_on, address, find_pack(switch.pack), engine.pictures, engine.last_asked, nextcloud, key
    )
    return render_template("settings_other_apps.html", page=page)


def engine_address(nextcloud: InsideNextcloud | None) -> str:
    """Where programs reach the engine: an app of Nextcloud where AppAPI reaches it, since its proxy is for people."""
    if nextcloud is not None:
        return f"http://{nextcloud.identity.host}:{nextcloud.identity.port}/engine/facerecognition"
    address = address_for_programs("engine.open_model") or url_for("engine.open_model")
    return address.removesuffix("/open")


@pages.get("")
def show() -> str:
    """What is on, and how to set the other side up."""
    require_admin()
    return other_apps_page()


@pages.post("/face-recognition/key")
def new_key() -> str:
    """Switch on, or replace the key; no redirect, since the key must be kept nowhere, not even in a cookie."""
    require_admin()
    key = services().engine_switch.switch_on()
    services().apply("pull_pack")
    return other_apps_page(key)


@pages.post("/face-recognition/off")
def switch_off() -> Response:
    """The key opens nothing any more."""
    require_admin()
    services().engine_switch.switch_off()
    flash(_("The engine is off. The old key opens nothing any more."), "good")
    return see_other(url_for("other_apps.show"))


@pages.post("/recognize/<state>")
def recognize(state: str) -> Response:
    """Offer faces to Recognize (`on`), or stop (`off`)."""
    require_admin()
    nextcloud = services().nextcloud_app
    if nextcloud is None or state not in {"on", "off"}:
        raise NotFound("There is no such app")
    nextcloud.switch_recognize(on=state == "on")
    if state == "on":
        flash(
            _("Kinfolk now finds faces for Recognize, once it is chosen there."),
            "good",
        )
    else:
        flash(_("Kinfolk finds no faces for Recognize any more."), "good")
    return see_other(url_for("other_apps.show"))
