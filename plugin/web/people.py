"""People: everybody Kinfolk found, most faces first."""

from dataclasses import dataclass

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from plugin.domain import FaceState, PersonOrder
from plugin.web.paging import Paging, asked_page
from plugin.web.request_context import account, query_search, services
from plugin.web.scan_state import ScanState, scan_state
from plugin.web.security import wants_fragment
from plugin.web.tiles import PersonTile, person_tiles

pages = Blueprint("people", __name__)

PAGE_SIZE = 60


@dataclass(frozen=True, slots=True)
class Selection:
    """Which people are asked for. `small`: unnamed ones below *minimum recognized faces* too."""

    search: str
    hidden: bool
    small: bool
    favourites: bool = False
    order: PersonOrder = PersonOrder.NAMED

    @property
    def is_default(self) -> bool:
        """Whether nothing was asked for in particular."""
        return not (self.search or self.hidden or self.small or self.favourites)

    def address(self, **changed: object) -> dict[str, object]:
        """What the address says to show this, but for what is changed; what is usual is not said."""
        values: dict[str, object] = {
            "q": self.search,
            "hidden": self.hidden,
            "small": self.small,
            "favourites": self.favourites,
            "order": self.order,
        }
        values |= changed
        said = {name: "1" if value is True else value for name, value in values.items() if value}
        return {name: value for name, value in said.items() if (name, value) != ("order", PersonOrder.NAMED)}


def asked_selection() -> Selection:
    """What the address asks for; an order that does not exist means the usual one."""
    given = request.args.get("order", "")
    order = PersonOrder(given) if given in set(PersonOrder) else PersonOrder.NAMED
    switches = ("hidden" in request.args, "small" in request.args, "favourites" in request.args)
    return Selection(query_search(), *switches, order)


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """What the People page shows; `small_count` and `hidden_count` are what the switches would add.

    `unnamed_count`: people without a name among the tiles.
    """

    selection: Selection
    tiles: list[PersonTile]
    paging: Paging
    minimum_faces: int
    small_count: int
    hidden_count: int
    unnamed_count: int
    emptiness: "Emptiness | None"


@dataclass(frozen=True, slots=True)
class Emptiness:
    """Why nobody is shown.

    `reason`: search, favourites, no_library, scanning, no_photos, failed, no_faces or too_few.
    """

    reason: str
    scan: ScanState
    photos: int
    faces: int


@pages.get("/")
def index() -> Response:
    """The grid; htmx asks for the grid alone while somebody types a name, and for more tiles at its end."""
    page = people_page(asked_selection())
    template = "people.html"
    if wants_fragment():
        template = "_people_tiles.html" if request.headers.get("HX-Target") == "more" else "_people_grid.html"
    response = make_response(render_template(template, page=page))
    response.headers["Vary"] = "HX-Request, HX-Target"
    return response


def people_page(selection: Selection) -> PeoplePage:
    """Ask the catalogue for one page of people, and why it is empty if it is."""
    people, owner = services().catalogue.people, account().id
    usual = services().preferences.current().minimum_faces
    counts = people.counts(owner, minimum_faces=usual, favourites=selection.favourites, search=selection.search)
    small, hidden = selection.small, selection.hidden
    total = counts.shown(small=small, hidden=hidden)
    paging = asked_page(total, PAGE_SIZE)
    shown = people.all(
        owner,
        minimum_faces=1 if small else usual,
        include_hidden=hidden,
        favourites=selection.favourites,
        search=selection.search,
        order=selection.order,
        offset=paging.offset,
        limit=PAGE_SIZE,
    )
    return PeoplePage(
        selection=selection,
        tiles=person_tiles(shown),
        paging=paging,
        minimum_faces=usual,
        small_count=counts.shown(small=True, hidden=hidden) - counts.shown(small=False, hidden=hidden),
        hidden_count=counts.shown(small=small, hidden=True) - counts.shown(small=small, hidden=False),
        unnamed_count=sum(not person.name for person in shown),
        emptiness=None if total else why_empty(selection),
    )


def why_empty(selection: Selection) -> Emptiness:
    """The first reason, in the order of the photo's way, why there is nobody."""
    catalogue, owner = services().catalogue, account().id
    scan = scan_state(owner)
    photos = catalogue.assets.counts(owner)[0]
    states = catalogue.faces.state_counts(owner)
    faces = sum(count for state, count in states.items() if state is not FaceState.IGNORED)
    reasons = {
        "search": bool(selection.search),
        "favourites": selection.favourites,
        "no_library": not catalogue.libraries.all(owner),
        "scanning": scan.waiting,
        "no_photos": photos == 0,
        "failed": scan.detection.failed >= photos,
        "no_faces": faces == 0,
    }
    return Emptiness(next((name for name, holds in reasons.items() if holds), "too_few"), scan, photos, faces)
