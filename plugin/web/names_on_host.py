"""Names to the host: choose the way, look at what would be written, start, watch, take everything back."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from plugin.domain import Library
from plugin.errors import NotFound
from plugin.ports.written import NameKind, WritePlan, WriteState
from plugin.sentences import Sentence
from plugin.web.language import ngettext
from plugin.web.request_context import account, form_text, see_other, services
from plugin.web.tiles import FaceTile, PersonTile, face_tiles, person_tiles
from plugin.web.writing_advice import advice_on
from plugin.writeback import WriteBackStatus
from plugin.writeback.label_names import PREFIX

pages = Blueprint("names_on_host", __name__, url_prefix="/libraries/<int:library_id>/names")


SHOWN_SECONDS = 3600
"""A preview that is older may show other names than would be written."""


@dataclass(frozen=True, slots=True)
class NamesPage:
    """The ways in which the library's host takes names, and how each stands."""

    library: Library
    ways: list[WriteBackStatus]

    @property
    def busy(self) -> bool:
        """Whether something is being written or taken back at the moment."""
        return any(self.is_busy(way) for way in self.ways)

    @staticmethod
    def advice_on(code: str) -> Sentence:
        """What to do about photos that could not be written for this reason."""
        return advice_on(code)

    @staticmethod
    def is_busy(way: WriteBackStatus) -> bool:
        """Whether names of this way are on their way; photos that rest are not."""
        if way.setting is None or way.setting.error or way.setting.state is WriteState.PAUSED:
            return False
        return way.waiting > NamesPage.troubled(way) or (
            way.setting.state is WriteState.REMOVING and not NamesPage.waits(way)
        )

    @staticmethod
    def waits(way: WriteBackStatus) -> bool:
        """Whether names are taken back but for those on photos that are away or cannot be changed now."""
        if way.setting is None or way.setting.state is not WriteState.REMOVING or way.counts is None:
            return False
        troubled = NamesPage.troubled(way)
        return (way.counts.away > 0 or troubled > 0) and way.waiting <= troubled

    @staticmethod
    def troubled(way: WriteBackStatus) -> int:
        """How many photos rest, since they could not be written."""
        return sum(problem.count for problem in way.counts.problems) if way.counts else 0


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What would be written, with people (and the words for them on the host) and faces to look at.

    `previewed` proves to `start` that this page was shown.
    """

    library: Library
    way: NameKind
    plan: WritePlan
    people: list[tuple[PersonTile, str, int]]
    faces: list[FaceTile]
    previewed: str


def own_library(library_id: int) -> Library:
    """The library, when this account owns it: only the owner's names are in it. Raises `NotFound`."""
    library = services().catalogue.libraries.get(library_id, account().id)
    if library.account_id != account().id:
        raise NotFound("There is no such library")
    return library


def name_kind(way: str) -> NameKind:
    """Raises `NotFound`."""
    try:
        return NameKind(way)
    except ValueError:
        raise NotFound("There is no such way to write names") from None


def seal() -> URLSafeTimedSerializer:
    """Signs what a preview showed."""
    return URLSafeTimedSerializer(services().secret_key, salt="names that were previewed")


def shown_of(library: Library, kind: NameKind) -> list[int | str]:
    """What the signature is for: this account, this library, this way."""
    return [account().id, library.id, kind.value]


def was_shown(library: Library, kind: NameKind) -> bool:
    """Whether the form came from the preview, not long ago."""
    try:
        shown = seal().loads(form_text("previewed"), max_age=SHOWN_SECONDS)
    except BadData:
        return False
    return bool(shown == shown_of(library, kind))


@pages.get("")
def show(library_id: int) -> str:
    """Every way, with its warning, and how it stands."""
    library = own_library(library_id)
    return render_template("names_on_host.html", page=NamesPage(library, services().writing.status(library)))


@pages.get("/<way>")
def preview(library_id: int, way: str) -> str:
    """What would be written; nothing is until the form on this page is sent."""
    library, kind = own_library(library_id), name_kind(way)
    plan = services().writing.preview(library, kind)
    found = services().catalogue.people.many([person.person_id for person in plan.people], account().id)
    photos = {person.person_id: person.photos for person in plan.people}
    prefix = "" if kind.has_places else PREFIX  # never translated: it is what the host will show
    people = [(tile, prefix + tile.person.name, photos[tile.person.id]) for tile in person_tiles(found)]
    (faces,) = face_tiles([plan.examples])
    return render_template(
        "names_on_host_preview.html",
        page=PreviewPage(library, kind, plan, people, faces, seal().dumps(shown_of(library, kind))),
    )


@pages.post("/<way>/start")
def start(library_id: int, way: str) -> Response:
    """Write from now on; also goes on after a pause, and tries again what had trouble.

    Nothing is written for the first time to whoever has not seen what.
    """
    library, kind = own_library(library_id), name_kind(way)
    if services().catalogue.written.setting(library.id, kind) is None and not was_shown(library, kind):
        flash(_("Look at what would be written, then confirm it here."), "bad")
        return see_other(url_for("names_on_host.preview", library_id=library_id, way=way))
    services().writing.start(library, kind)
    flash(_("Names are being written to %(name)s.", name=library.name), "good")
    return see_other(url_for("names_on_host.show", library_id=library_id))


@pages.post("/<way>/pause")
def pause(library_id: int, way: str) -> Response:
    """Write nothing more; what is written stays."""
    services().writing.pause(own_library(library_id), name_kind(way))
    flash(_("Nothing more is written. The names that are there stay."), "good")
    return see_other(url_for("names_on_host.show", library_id=library_id))


@pages.post("/<way>/again")
def again(library_id: int, way: str) -> Response:
    """Write names anew that were taken away on the host."""
    names = services().writing.write_again(own_library(library_id), name_kind(way))
    flash(ngettext("%(num)s name is written again.", "%(num)s names are written again.", names), "good")
    return see_other(url_for("names_on_host.show", library_id=library_id))


@pages.route("/<way>/remove", methods=["GET", "POST"])
def remove(library_id: int, way: str) -> Response | str:
    """Take back everything Kinfolk wrote, after a question."""
    library, kind = own_library(library_id), name_kind(way)
    status = next((found for found in services().writing.status(library) if found.kind is kind), None)
    if status is None or status.setting is None:
        return see_other(url_for("names_on_host.show", library_id=library_id))
    if request.method == "GET":
        return render_template("names_on_host_remove.html", library=library, way=status)
    services().writing.remove(library, kind)
    flash(_("Everything Kinfolk wrote to %(name)s is being removed.", name=library.name), "good")
    return see_other(url_for("names_on_host.show", library_id=library_id))


@pages.post("/<way>/end")
def end(library_id: int, way: str) -> Response:
    """Wait no longer for photos that still carry names, and are away or cannot be changed."""
    services().writing.end(own_library(library_id), name_kind(way))
    flash(_("Kinfolk does not wait for these photos any more."), "good")
    return see_other(url_for("names_on_host.show", library_id=library_id))
