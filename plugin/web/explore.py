"""Explore: photos by who is on them. The address holds the whole search, so it can be kept and shared."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Library, Person, PersonId, PhotoSearch
from plugin.errors import NotFound
from plugin.web.paging import Paging, asked_page
from plugin.web.person import known_names
from plugin.web.request_context import account, parse_id, query_id, services
from plugin.web.tiles import PersonTile, PhotoTile, person_tiles, photo_tiles

pages = Blueprint("explore", __name__, url_prefix="/explore")

PAGE_SIZE = 60
MOST_PEOPLE = 30
"""Of each kind: more than a family photo holds, and few enough for one statement."""

MOST_FACES = 50
OFFERED = 18
"""People offered to be added by one click."""

ROLES = ("all", "any", "none")
Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, and what could not be understood of it."""

    search: PhotoSearch
    problems: list[str]
    typed: dict[str, str]


@dataclass(frozen=True, slots=True)
class ExplorePage:
    """What the page shows. `chosen` are the people of each role; `offered` come with the address that adds them."""

    asked: Asked
    chosen: dict[str, list[PersonTile]]
    offered: list[tuple[PersonTile, str]]
    libraries: list[Library]
    names: list[str]
    query: Query
    photos: list[PhotoTile]
    paging: Paging


@pages.get("")
def show() -> Response | str:
    """The form and what it finds; names that were typed become people, and the address tells who they are."""
    asked = what_is_asked()
    people = chosen_people(asked.search)
    if any(asked.typed.values()) and not asked.problems:
        return redirect(url_for("explore.show", **query_of(asked.search)))
    owner, rows = account().id, services().catalogue
    paging = asked_page(rows.assets.search_count(owner, asked.search), PAGE_SIZE)
    page = ExplorePage(
        asked=asked,
        chosen={role: person_tiles(theirs) for role, theirs in people.items()},
        offered=offered(asked.search),
        libraries=rows.libraries.all(owner),
        names=known_names(),
        query=query_of(asked.search),
        photos=photo_tiles(rows.assets.search(owner, asked.search, paging.offset, PAGE_SIZE)),
        paging=paging,
    )
    return render_template("explore.html", page=page)


def what_is_asked() -> Asked:
    """Read the address. Raises `NotFound` for ids that name nothing, or something of another account."""
    problems: list[str] = []
    typed = {role: request.args.get(f"add_{role}", "").strip()[:500] for role in ROLES}
    people = {role: (*query_ids(role), *named(typed[role], problems))[:MOST_PEOPLE] for role in ROLES}
    search = PhotoSearch(
        every=people["all"],
        some=people["any"],
        none=people["none"],
        alone="alone" in request.args,
        first_day=query_date("from", problems),
        last_day=query_date("to", problems),
        library_id=query_id("library"),
        at_least=query_count("faces", problems),
    )
    if search.first_day and search.last_day and search.first_day > search.last_day:
        problems.append(_("The first day comes after the last one."))
    if search.alone and not (search.every or search.some):
        problems.append(_("Choose who may be on the photos, then nobody else will be."))
        search = replace(search, alone=False)
    if search.library_id is not None:
        services().catalogue.libraries.get(search.library_id, account().id)
    return Asked(search, problems, typed)


def chosen_people(search: PhotoSearch) -> dict[str, list[Person]]:
    """The people of each role, read at once. Raises `NotFound` when one of them is not there."""
    wanted = dict.fromkeys([*search.every, *search.some, *search.none])
    found = {person.id: person for person in services().catalogue.people.many(list(wanted), account().id)}
    if len(found) < len(wanted):
        raise NotFound("One of these people does not exist any more")
    return {
        role: [found[person_id] for person_id in ids]
        for role, ids in zip(ROLES, (search.every, search.some, search.none), strict=True)
    }


def named(text: str, problems: list[str]) -> list[PersonId]:
    """The people with these names, separated by commas; who is not to be found is noted."""
    found = []
    for name in filter(None, (part.strip() for part in text.split(",")[:MOST_PEOPLE])):
        people = services().catalogue.people.by_name(account().id, name)
        if len(people) == 1:
            found.append(people[0].id)
        elif people:
            problems.append(_("Several people are called %(name)s. Choose from the pictures.", name=name))
        else:
            problems.append(_("Nobody is called %(name)s.", name=name))
    return found


def offered(search: PhotoSearch) -> list[tuple[PersonTile, str]]:
    """People with most photos who are not asked for yet, each with the address that adds them to "all of"."""
    taken = {*search.every, *search.some, *search.none}
    people = services().catalogue.people.all(account().id, minimum_faces=1, limit=OFFERED + len(taken))
    tiles = person_tiles([person for person in people if person.id not in taken][:OFFERED])
    return [
        (
            tile,
            url_for(
                "explore.show", **query_of(replace(search, every=(*search.every, tile.person.id))), _anchor="found"
            ),
        )
        for tile in tiles
    ]


def query_of(search: PhotoSearch) -> Query:
    """The address of a search, without what asks for nothing."""
    query: Query = {
        "all": list(search.every),
        "any": list(search.some),
        "none": list(search.none),
        "alone": "1" if search.alone else None,
        "from": search.first_day,
        "to": search.last_day,
        "library": search.library_id,
        "faces": search.at_least if search.at_least > 1 else None,
    }
    return {name: value for name, value in query.items() if value not in (None, [])}


def query_ids(name: str) -> list[int]:
    """All row ids under this name, each once."""
    return list(dict.fromkeys(parse_id(text) for text in request.args.getlist(name) if text))[:MOST_PEOPLE]


def query_date(name: str, problems: list[str]) -> date | None:
    """A day, or None when none is given; what is no day is noted."""
    text = request.args.get(name, "").strip()[:40]
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        problems.append(_("A day is written like 2024-07-14, not “%(text)s”.", text=text))
        return None


def query_count(name: str, problems: list[str]) -> int:
    """How many faces at least, 1 when nothing is said; nonsense is noted."""
    text = request.args.get(name, "").strip()[:40]
    if not text:
        return 1
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_FACES:
        return int(text)
    problems.append(_("“At least so many faces” takes a number from 1 to %(most)s.", most=MOST_FACES))
    return 1
