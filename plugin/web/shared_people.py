"""The people of somebody else's photos, as far as they are shared: who is on them, by month, one after the other."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugin.domain import Person, PersonOrder, PhotoSearch, View
from plugin.web.ages import age_on
from plugin.web.language import gettext as _
from plugin.web.looking import PREFIX, known_names, over_a_shoulder, person_tiles, photo_tiles, preview_url, view
from plugin.web.paging import Paging, asked_page
from plugin.web.person_page import PAGE_SIZE, JumpYear, Month, ShownPhoto, by_month, jump_years
from plugin.web.person_photos import Slide
from plugin.web.pictures import LARGE
from plugin.web.request_context import form_text, query_search, see_other, services
from plugin.web.tiles import PersonTile

pages = over_a_shoulder(Blueprint("shared_people", __name__, url_prefix=PREFIX))

PEOPLE_ON_PAGE = 60
ORDERS = frozenset(PersonOrder) - {PersonOrder.RECENT}


@dataclass(frozen=True, slots=True)
class SharedPeoplePage:
    """Who is on shared photos; `address` is what the address asks for."""

    tiles: list[PersonTile]
    paging: Paging
    search: str
    order: PersonOrder
    address: dict[str, str]


@dataclass(frozen=True, slots=True)
class SharedPersonPage:
    """One person on shared photos; `may_rename` is for visitors who may correct."""

    tile: PersonTile
    months: list[Month]
    years: list[JumpYear]
    paging: Paging
    may_rename: bool
    names: list[str]


@pages.get("")
def index() -> str:
    """Everybody, named people first."""
    given, search = request.args.get("order", ""), query_search()
    order = PersonOrder(given) if given in ORDERS else PersonOrder.NAMED
    rows, usual = services().catalogue.shared, services().preferences.current().minimum_faces
    ids = rows.people_ids(view(), minimum_faces=usual, search=search, order=order)
    paging = asked_page(len(ids), PEOPLE_ON_PAGE)
    people = rows.people_among(view(), ids[paging.offset : paging.offset + PEOPLE_ON_PAGE])
    address = {"q": search} if search else {}
    address |= {"order": order} if order is not PersonOrder.NAMED else {}
    page = SharedPeoplePage(person_tiles(people), paging, search, order, address)
    return render_template("shared_people.html", page=page)


@pages.get("/people/<int:person_id>")
def show(person_id: int) -> str:
    """The shared photos of a person, newest first."""
    person = services().catalogue.shared.person(view(), person_id)
    counts = services().catalogue.shared.months(view(), person_id)
    paging = asked_page(sum(count.photos for count in counts), PAGE_SIZE)
    jumps, may_rename = jump_years(counts), services().sharing.may_rename(view(), person_id)
    starts = {month.anchor for year in jumps for month in year.months if month.page == paging.number}
    page = SharedPersonPage(
        tile=person_tiles([person])[0],
        months=by_month(shown_photos(view(), person, paging), starts),
        years=jumps,
        paging=paging,
        may_rename=may_rename,
        names=known_names() if may_rename else [],
    )
    return render_template("shared_person.html", page=page)


def shown_photos(seen: View, person: Person, paging: Paging) -> list[ShownPhoto]:
    """The photos of one page; without a link to the owner's host, where the visitor may not be let in."""
    search = PhotoSearch(every=(person.id,))
    tiles = photo_tiles(services().catalogue.shared.photos(seen, search, paging.offset, paging.page_size))
    return [ShownPhoto(tile, age_on(person.birth_date, tile.asset.taken_at), "") for tile in tiles]


@pages.get("/people/<int:person_id>/slideshow")
def slideshow(person_id: int) -> Response | str:
    """One photo, the newest first."""
    person = services().catalogue.shared.person(view(), person_id)
    paging = asked_page(person.photo_count, 1)
    search = PhotoSearch(every=(person_id,))
    assets = services().catalogue.shared.photos(view(), search, paging.offset, 1)
    if not assets:
        return redirect(url_for("shared_people.show", person_id=person_id))
    age = age_on(person.birth_date, assets[0].taken_at)
    slide = Slide(person_tiles([person])[0], assets[0], preview_url(assets[0], LARGE), age, paging)
    return render_template(
        "person_slideshow.html", slide=slide, here="shared_people.slideshow", home="shared_people.show"
    )


@pages.post("/people/<int:person_id>/rename")
def rename(person_id: int) -> Response:
    """Name a person; the owner sees who did."""
    was = services().catalogue.shared.person(view(), person_id).name
    now = services().sharing.rename(view(), person_id, form_text("name"), form_text("was", 200)).name
    text = _("%(old)s is now called %(name)s.", old=was, name=now) if was else _("Hello %(name)s!", name=now)
    flash(text, "good")
    return see_other(url_for("shared_people.show", person_id=person_id))
