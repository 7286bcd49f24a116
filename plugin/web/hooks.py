"""Where a host tells that a library changed, and the page that asks it to."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Library
from plugin.errors import HostError, KinfolkError, NotFound, Refused
from plugin.ports.outside import LibraryHook
from plugin.web.api.problems import explained as problem_of
from plugin.web.api.problems import problem
from plugin.web.inside_home_assistant import address_for_hooks
from plugin.web.language import explained
from plugin.web.libraries import find_library
from plugin.web.request_context import account, form_text, require_admin, see_other, services

receiver = Blueprint("hooks", __name__, url_prefix="/hooks")
pages = Blueprint("library_hook", __name__, url_prefix="/libraries")

SECRET_HEADER = "X-Kinfolk-Hook"  # noqa: S105 - the name of a header

LARGEST_PAYLOAD = 64 * 1024
"""An event names two paths of at most 4,000 characters."""


@dataclass(frozen=True, slots=True)
class HookPage:
    """What the page shows.

    Attributes:
        hook: what is registered, or None.
        needs_admin: whether an administrator of Nextcloud has to be asked.
        url: where Nextcloud would tell.
        error: why the last attempt was refused.
        is_left: whether it is off, but Nextcloud could not be told.
    """

    library: Library
    hook: LibraryHook | None
    needs_admin: bool
    url: str
    name: str = ""
    error: str = ""
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class Telling:
    """A library whose host, or its users' programs, can tell that something changed; `hook` is None while it is off."""

    library: Library
    hook: LibraryHook | None


def tellings() -> list[Telling]:
    """Those of this account."""
    hooks = services().hooks
    libraries = services().catalogue.libraries.all(account().id)
    return [Telling(library, hooks.of(library)) for library in libraries if hooks.can_be_told(library)]


@receiver.errorhandler(KinfolkError)
def failed(error: KinfolkError) -> Response:
    """For a program: 400 for what makes no sense."""
    return problem(400, str(error)) if isinstance(error, Refused) else problem_of(error)


@receiver.post("/nextcloud/<int:library_id>")
def told(library_id: int) -> Response:
    """Something changed: answered at once, looked at later. Nobody without the library's secret is heard."""
    if not services().hooks.opens(library_id, request.headers.get(SECRET_HEADER, "")):
        current_app.logger.info("A hook without the right secret came from %s", request.remote_addr)
        return problem(401, "The secret is not valid", "Register the hook again on the page of the library")
    request.max_content_length = LARGEST_PAYLOAD
    services().hooks.receive(library_id, request.get_data(cache=False))
    return Response(status=202)


@receiver.post("/photoprism/<int:library_id>")
def told_by_users(library_id: int) -> Response:
    """A script or Home Assistant says that something changed; what it sends besides the secret is not read."""
    if not services().hooks.opens(library_id, request.headers.get(SECRET_HEADER, "")):
        current_app.logger.info("A hook without the right secret came from %s", request.remote_addr)
        return problem(401, "The secret is not valid", "Make a new one on the page of the library")
    services().hooks.hint(library_id)
    return Response(status=202)


@pages.get("/<int:library_id>/hook")
def show(library_id: int) -> str:
    """When the last hook came, why none may, and how to ask for them."""
    return hook_page(library_id)


@pages.post("/<int:library_id>/hook")
def register(library_id: int) -> Response | tuple[str, int]:
    """Ask Nextcloud to tell; the password is used now and kept nowhere."""
    find_library(library_id)
    require_admin()
    try:
        services().hooks.register(account().id, library_id, told_at(library_id), *administrator())
    except (HostError, Refused) as error:
        return hook_page(library_id, explained(error)), 422
    flash(_("Nextcloud now tells when photos change. That may take up to five minutes."), "good")
    return see_other(url_for("library_hook.show", library_id=library_id))


@pages.post("/<int:library_id>/hook/remove")
def remove(library_id: int) -> Response | tuple[str, int]:
    """Be told no more."""
    find_library(library_id)
    require_admin()
    try:
        services().hooks.remove(account().id, library_id, form_text("url"), *administrator())
    except HostError as error:
        return hook_page(library_id, explained(error)), 422
    flash(_("Nextcloud does not tell any more. The library is compared every few minutes."), "good")
    return see_other(url_for("library_hook.show", library_id=library_id))


def hook_page(library_id: int, error: str = "") -> str:
    """The page of one library. Raises `NotFound` for one that cannot tell."""
    library, hooks = find_library(library_id), services().hooks
    if not hooks.possible(library):
        raise NotFound("This library cannot tell")
    url = form_text("url") or address_for_hooks("hooks.told", library_id=library_id)
    page = HookPage(
        library,
        hooks.of(library),
        hooks.needs_admin(library),
        url,
        form_text("name", 200),
        error,
        hooks.is_left(library),
    )
    return render_template("library_hook.html", page=page)


def told_at(library_id: int) -> str:
    """Where Nextcloud will tell; AppAPI knows it by itself. Raises `Refused`."""
    needed = services().hooks.needs_admin(find_library(library_id))
    return whole_address(form_text("url")) if needed else form_text("url")


def administrator() -> tuple[str, str]:
    """The name and the password that were entered; empty where none is needed."""
    return form_text("name", 200), request.form.get("password", "")[:500]


def whole_address(text: str) -> str:
    """The address as it is given to Nextcloud. Raises `Refused`."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise Refused("This is not a whole address", "Type it as Nextcloud reaches Kinfolk: http://kinfolk:8087/…")
    return text
