"""Settings: the model pack, the three thresholds, what a change affects, and the own password."""

from dataclasses import dataclass

from flask import Blueprint, flash, g, render_template, request, url_for
from werkzeug.wrappers import Response

from plugin.domain import Preferences
from plugin.errors import NotFound, Refused
from plugin.ports.vision import PackInfo
from plugin.web.passwords import password_guard
from plugin.web.request_context import account, form_number, form_text, require_admin, see_other, services
from plugin.web.services import APPLY_ACTIONS, EngineStatus
from plugin.web.session import check_new_password, start_session

pages = Blueprint("settings", __name__, url_prefix="/settings")

TITLES = {
    "minimum_score": "Minimum detection score",
    "maximum_distance": "Maximum recognition distance",
    "minimum_faces": "Minimum recognized faces",
}

CONFIRMED = ("detect_refresh", "detect_reset", "recognize_reset")
"""Actions that take hours or undo the machine's work ask first."""

STARTED = {
    "detect_missing": "Photos without a result are looked at now.",
    "detect_refresh": "Every photo is looked at again.",
    "detect_reset": "Detection starts over.",
    "recognize_missing": "Faces without a person are compared again.",
    "recognize_reset": "Recognition starts over.",
    "pull_pack": "The model pack is being fetched.",
}


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """What the Settings page shows; `pack` is the one in use."""

    preferences: Preferences
    packs: list[PackInfo]
    pack: PackInfo
    engine: EngineStatus

    def is_fixed(self, name: str) -> bool:
        """Whether config.yaml or the environment sets the value, so this page cannot."""
        return name in self.preferences.fixed


@pages.get("")
def show() -> str:
    """The page; members see only their own password."""
    preferences, packs = services().preferences.current(), services().packs()
    page = SettingsPage(preferences, packs, find_pack(preferences.pack), services().engine_status())
    return render_template("settings.html", page=page)


def find_pack(name: str) -> PackInfo:
    """The pack of that name; `NotFound` otherwise."""
    for pack in services().packs():
        if pack.name == name:
            return pack
    raise NotFound("There is no such model pack")


@pages.post("/thresholds")
def save_thresholds() -> Response:
    """Save the thresholds that were sent; fixed ones are disabled in the form and so are not sent."""
    require_admin()
    services().preferences.save(
        minimum_score=sent_number("minimum_score"),
        maximum_distance=sent_number("maximum_distance"),
        minimum_faces=sent_minimum_faces(),
    )
    flash("Saved. New photos use these values; the buttons below apply them to photos you already have.", "good")
    return see_other(url_for("settings.show", _anchor="apply"))


def sent_number(name: str) -> float | None:
    """The number that was sent, or None. Raises `Refused` for anything else."""
    return form_number(name, TITLES[name]) if name in request.form else None


def sent_minimum_faces() -> int | None:
    """The whole number that was sent, or None. Raises `Refused` for 2.5."""
    value = sent_number("minimum_faces")
    if value is not None and not value.is_integer():
        raise Refused(f"{TITLES['minimum_faces']} must be a whole number, not {value:g}")
    return None if value is None else int(value)


@pages.route("/pack/<name>", methods=["GET", "POST"])
def pack(name: str) -> Response | str:
    """Choose a model pack: its licence is shown, and accepted where that is asked, before anything is fetched."""
    require_admin()
    chosen = find_pack(name)
    accepted = services().preferences.licence_accepted(name)
    if request.method == "GET":
        return render_template("settings_pack.html", pack=chosen, accepted=accepted)
    if chosen.needs_acceptance and not accepted:
        if form_text("accept") != "yes":
            raise Refused("The licence was not accepted", "Tick the box to accept it, or choose another pack")
        services().preferences.accept_licence(name)
    services().preferences.save(pack=name)
    services().apply("pull_pack")
    flash(f"{chosen.title} is in use now and fetched if needed. Look at all photos again to use it everywhere.", "good")
    return see_other(url_for("settings.show", _anchor="apply"))


@pages.route("/apply/<action>", methods=["GET", "POST"])
def apply(action: str) -> Response | str:
    """Apply a change to what is already there; the big ones ask first."""
    require_admin()
    if action not in APPLY_ACTIONS or (request.method == "GET" and action not in CONFIRMED):
        raise NotFound("There is no such action")
    if request.method == "GET":
        return render_template("settings_apply.html", action=action)
    services().apply(action)
    flash(STARTED[action], "good")
    return see_other(url_for("status.show"))


@pages.post("/password")
def change_password() -> Response:
    """Change the own password; every other device is logged out."""
    if not password_guard().matches(account().password_hash, request.form.get("current", "")):
        g.failed_attempt = True
        raise Refused("The current password is not right")
    new = request.form.get("password", "")
    check_new_password(new)
    accounts = services().catalogue.accounts
    accounts.set_password(account().id, password_guard().hash(new))
    if changed := accounts.get(account().id):
        start_session(changed)
    flash("Your password was changed. Other devices have to log in again.", "good")
    return see_other(url_for("settings.show", _anchor="account"))
