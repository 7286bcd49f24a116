"""Libraries: the folders Kinfolk looks at."""

from dataclasses import dataclass

from flask import Blueprint, flash, g, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import IntakeProblem, Library
from plugin.errors import KinfolkError
from plugin.ports.outside import LibraryHook
from plugin.web.language import explained
from plugin.web.request_context import account, require_admin, see_other, services

pages = Blueprint("libraries", __name__, url_prefix="/libraries")

PROBLEMS_SHOWN = 20

CONNECTED = frozenset({"nextcloud", "photoprism"})
"""Hosts with a login, which members connect themselves."""


@dataclass(frozen=True, slots=True)
class ShownLibrary:
    """A library, what its last listing could not take, and whether its host takes names.

    Attributes:
        as_app: it is paused, and there is no login that could be given again.
    """

    library: Library
    problems: list[IntakeProblem]
    problem_count: int
    paused: bool = False
    hook: LibraryHook | None = None
    can_tell: bool = False
    takes_names: bool = False
    as_app: bool = False


@dataclass(frozen=True, slots=True)
class LibrariesPage:
    """What the Libraries page shows; `path` and `error` give a refused entry back."""

    libraries: list[ShownLibrary]
    path: str = ""
    error: str = ""
    may_add_own: bool = False


def may_add_own() -> bool:
    """Whether the visitor is inside Nextcloud and their photos there are not looked at yet."""
    app, user = services().nextcloud_app, g.get("inside_nextcloud")
    if app is None or not user:
        return False
    return services().outside_accounts.own_library(app.identity.nextcloud_url, user, account().id) is None


def libraries_page(path: str = "", error: str = "") -> str:
    """The page, with what was entered and why it was refused."""
    rows = services().catalogue.libraries
    problems = rows.all_problems(account().id)
    shown = [shown_library(library, problems.get(library.id, [])) for library in rows.all(account().id)]
    return render_template("libraries.html", page=LibrariesPage(shown, path, error, may_add_own()))


def shown_library(library: Library, problems: list[IntakeProblem]) -> ShownLibrary:
    """What the page shows of one library."""
    hooks, nextcloud = services().hooks, services().nextcloud
    paused, can_tell = library.host in CONNECTED and nextcloud.is_paused(library), hooks.possible(library)
    return ShownLibrary(
        library,
        problems[:PROBLEMS_SHOWN],
        len(problems),
        paused,
        hooks.of(library) if can_tell or library.host == "photoprism" else None,
        can_tell,
        takes_names=bool(services().writing.kinds(library)),
        as_app=paused and nextcloud.is_app(library),
    )


@pages.get("")
def index() -> str:
    """All libraries of this account."""
    return libraries_page()


@pages.post("")
def add() -> Response | tuple[str, int]:
    """Add a folder and scan it."""
    require_admin()
    # Not stripped and hardly cut: a folder's name may end with a space, and 4096 is the longest path Linux takes.
    path = request.form.get("path", "")[:4097]
    try:
        library = services().add_folder_library(account().id, path)
    except KinfolkError as error:
        return libraries_page(path, explained(error)), 422
    flash(_("%(name)s was added and is being scanned.", name=library.name), "good")
    return see_other(url_for("libraries.index"))


def find_library(library_id: int) -> Library:
    """The library, when it belongs to this account; `NotFound` otherwise."""
    return services().catalogue.libraries.get(library_id, account().id)


@pages.post("/<int:library_id>/scan")
def scan(library_id: int) -> Response:
    """Compare with the folder now."""
    library = find_library(library_id)
    services().nextcloud.resume(library)
    # The row says what to do; the nudge only makes it soon.
    services().catalogue.libraries.request_sync(library_id)
    services().nudge.sync(library_id)
    flash(_("%(name)s is being scanned.", name=library.name), "good")
    return see_other(url_for("libraries.index"))


@pages.route("/<int:library_id>/remove", methods=["GET", "POST"])
def remove(library_id: int) -> Response | str:
    """Forget a library after a question; the photos themselves are never touched."""
    library = find_library(library_id)
    if library.host not in CONNECTED:  # which members connect themselves
        require_admin()
    if request.method == "GET":
        written = bool(services().catalogue.written.settings(library_id))
        return render_template("library_remove.html", library=library, written=written)
    services().nextcloud.disconnect(library)
    services().photoprism.disconnect(library)
    services().privacy.remove_library(account().id, library_id)
    flash(_("%(name)s was removed. The photos in the folder are untouched.", name=library.name), "good")
    return see_other(url_for("libraries.index"))
