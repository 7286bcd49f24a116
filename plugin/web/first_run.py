"""First run: account, library, model pack, first scan. Every step is saved, so that it can be left at any moment."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Account
from plugin.errors import KinfolkError
from plugin.ports.vision import LicenceText, PackInfo
from plugin.web.language import explained
from plugin.web.preferences_page import find_pack, use_pack
from plugin.web.request_context import account, form_text, require_admin, see_other, services

pages = Blueprint("first_run", __name__, url_prefix="/start")

FOLDER, LEFT = "first_run.folder", "first_run.left"
"""Saved values: the folder chosen, not scanned before a pack was; and that somebody skipped the rest."""


@dataclass(frozen=True, slots=True)
class FirstRunPage:
    """One step. `entered` and `error` give a refused entry back."""

    step: str
    folder: str
    packs: list[PackInfo]
    licences: dict[str, list[LicenceText]]
    chosen: str
    fixed: bool
    entered: str = ""
    error: str = ""


def unfinished(visitor: Account) -> bool:
    """Whether the first run has something left to ask this visitor: only of the one who looks after Kinfolk.

    It ends with the first library of this account, or when it is skipped.
    """
    if not visitor.is_admin or services().catalogue.preferences.get(LEFT):
        return False
    return not services().catalogue.libraries.all(visitor.id)


@pages.get("")
def show() -> Response | str:
    """The first step that is not done."""
    require_admin()
    if not unfinished(account()):
        return see_other(url_for("people.index"))
    return step_page()


def step_page(entered: str = "", error: str = "", step: str = "") -> str:
    """A step, by default the first one that is not done, with what was entered and why it was refused."""
    preferences = services().preferences.current()
    folder = services().catalogue.preferences.get(FOLDER) or ""
    step = step or ("pack" if folder else "library")
    packs = services().packs()
    page = FirstRunPage(
        step,
        folder,
        packs,
        {pack.name: services().licence_texts(pack) for pack in packs} if step == "pack" else {},
        preferences.pack,
        "pack" in preferences.fixed,
        entered or folder,
        error,
    )
    return render_template("first_run.html", page=page)


@pages.get("/library")
def change_library() -> str:
    """Back to the folder."""
    require_admin()
    return step_page(step="library")


@pages.post("/library")
def choose_library() -> Response | tuple[str, int]:
    """Remember a folder that can be read; it is scanned once a pack is chosen, since scanning fetches the pack."""
    require_admin()
    path = request.form.get("path", "")[:4097]
    try:
        address = services().check_folder(path)
    except KinfolkError as refused:
        return step_page(path, explained(refused), "library"), 422
    services().catalogue.preferences.set(FOLDER, address)
    return see_other(url_for("first_run.show"))


@pages.post("/pack")
def choose_pack() -> Response | tuple[str, int]:
    """Accept the licence, fetch the pack and scan: the people appear on the People page."""
    require_admin()
    folder = services().catalogue.preferences.get(FOLDER)
    if not folder:
        return see_other(url_for("first_run.show"))
    name = form_text("pack") or services().preferences.current().pack
    try:
        use_pack(find_pack(name), accepts=form_text(f"accept-{name}") == "yes")
        library = services().add_folder_library(account().id, folder)
    except KinfolkError as refused:
        return step_page(error=explained(refused)), 422
    services().catalogue.preferences.delete(FOLDER)
    flash(_("%(library)s is being scanned. People appear here as they are found.", library=library.name), "good")
    return see_other(url_for("people.index"))


@pages.post("/skip")
def skip() -> Response:
    """Do the rest later, on the pages for it."""
    require_admin()
    services().catalogue.preferences.set(LEFT, "yes")
    return see_other(url_for("people.index"))
