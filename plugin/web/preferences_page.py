"""Settings: how sure detection and recognition must be, the model pack, and what a change affects."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Fetching, Preferences
from plugin.errors import NotFound, Refused
from plugin.ports.vision import PackInfo
from plugin.sentences import Sentence
from plugin.web.request_context import account, form_number, form_text, require_admin, see_other, services
from plugin.web.security import wants_fragment
from plugin.web.services import APPLY_ACTIONS, EngineStatus

pages = Blueprint("settings", __name__, url_prefix="/settings")

TITLES = {
    "minimum_score": Sentence("Minimum detection score"),
    "maximum_distance": Sentence("Maximum recognition distance"),
    "minimum_faces": Sentence("Minimum recognized faces"),
}

CONFIRMED = ("detect_refresh", "detect_reset", "recognize_reset")
"""Actions that take hours or undo the machine's work ask first."""


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """What the pages of recognition, detection and packs show; `pack` is the one in use."""

    preferences: Preferences
    packs: list[PackInfo]
    pack: PackInfo
    engine: EngineStatus
    fetching: Fetching | None

    def is_fixed(self, name: str) -> bool:
        """Whether config.yaml or the environment sets the value, so this page cannot."""
        return name in self.preferences.fixed


def settings_page() -> SettingsPage:
    """The values in force now."""
    preferences, packs = services().preferences.current(), services().packs()
    pack = find_pack(preferences.pack)
    return SettingsPage(preferences, packs, pack, services().engine_status(), services().fetching())


@pages.get("")
def show() -> str:
    """Recognition for administrators; members only have an account of their own to set."""
    if not account().is_admin:
        return render_template("settings_account.html")
    return recognition()


@pages.get("/recognition")
def recognition() -> str:
    """When faces are one person."""
    require_admin()
    return render_template("settings_recognition.html", page=settings_page())


@pages.get("/detection")
def detection() -> str:
    """What is taken for a face."""
    require_admin()
    return render_template("settings_detection.html", page=settings_page())


@pages.get("/packs")
def packs() -> str:
    """The model packs, and how far a download is."""
    require_admin()
    return render_template("_settings_packs.html" if wants_fragment() else "settings_packs.html", page=settings_page())


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
    flash(_("Saved. New photos use these values; the buttons below apply them to photos you already have."), "good")
    page = "settings.detection" if "minimum_score" in request.form else "settings.recognition"
    return see_other(url_for(page, _anchor="apply"))


def sent_number(name: str) -> float | None:
    """The number that was sent, or None. Raises `Refused` for anything else."""
    return form_number(name, TITLES[name]) if name in request.form else None


def sent_minimum_faces() -> int | None:
    """The whole number that was sent, or None. Raises `Refused` for 2.5."""
    value = sent_number("minimum_faces")
    if value is not None and not value.is_integer():
        raise Refused(
            "%(setting)s must be a whole number, not %(value)s", setting=TITLES["minimum_faces"], value=f"{value:g}"
        )
    return None if value is None else int(value)


@pages.route("/pack/<name>", methods=["GET", "POST"])
def pack(name: str) -> Response | str:
    """Choose a model pack: its licence is shown, and accepted where that is asked, before anything is fetched."""
    require_admin()
    chosen = find_pack(name)
    accepted = services().preferences.licence_accepted(name)
    if request.method == "GET":
        texts = services().licence_texts(chosen)
        return render_template("settings_pack.html", pack=chosen, accepted=accepted, texts=texts)
    use_pack(chosen, accepts=form_text("accept") == "yes")
    flash(
        _(
            "%(pack)s is in use now and fetched if needed. Look at all photos again to use it everywhere.",
            pack=chosen.title,
        ),
        "good",
    )
    return see_other(url_for("settings.packs"))


def use_pack(chosen: PackInfo, *, accepts: bool) -> None:
    """Save the choice and fetch the pack. Raises `Refused` when its licence has to be accepted and was not."""
    book = services().preferences
    if chosen.needs_acceptance and not book.licence_accepted(chosen.name):
        if not accepts:
            raise Refused("The licence was not accepted", "Tick the box to accept it, or choose another pack")
        book.accept_licence(chosen.name)
    if "pack" not in book.current().fixed or book.current().pack != chosen.name:
        book.save(pack=chosen.name)
    services().apply("pull_pack")


@pages.route("/apply/<action>", methods=["GET", "POST"])
def apply(action: str) -> Response | str:
    """Apply a change to what is already there; the big ones ask first."""
    require_admin()
    if action not in APPLY_ACTIONS or (request.method == "GET" and action not in CONFIRMED):
        raise NotFound("There is no such action")
    if request.method == "GET":
        return render_template("settings_apply.html", action=action)
    services().apply(action)
    flash(started(action), "good")
    return see_other(url_for("settings.packs" if action == "pull_pack" else "status.show"))


def started(action: str) -> str:
    """What happens now."""
    said: dict[str, str] = {
        "detect_missing": _("Photos without a result are looked at now."),
        "detect_refresh": _("Every photo is looked at again."),
        "detect_reset": _("Detection starts over."),
        "recognize_missing": _("Faces without a person are compared again."),
        "recognize_reset": _("Recognition starts over."),
        "pull_pack": _("The model pack is being fetched."),
    }
    return said[action]
