"""Home Assistant: what an account allows, and whom it is told about."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.ports.smart_home import LinkStatus, PersonChoice
from plugin.web.person import find_person
from plugin.web.request_context import account, require_admin, see_other, services
from plugin.web.tiles import PersonTile, person_tiles

pages = Blueprint("smart_home", __name__, url_prefix="/settings/home-assistant")
of_person = Blueprint("person_told", __name__, url_prefix="/people/<int:person_id>/home-assistant")


@dataclass(frozen=True, slots=True)
class SmartHomePage:
    """What the settings show: `link` is None where no broker is known; `people` with whether their photo is told."""

    allowed: bool
    link: LinkStatus | None
    people: list[tuple[PersonTile, bool]]


def link_status() -> LinkStatus | None:
    """How the connection stands."""
    link = services().home_link
    return link.status if link else None


def wake() -> None:
    """Tell what changed now."""
    link = services().home_link
    if link:
        link.wake()


@pages.get("")
def show() -> str:
    """Whether anything is told, and about whom."""
    home, owner = services().smart_home, account().id
    chosen = {each.choice.person_id: each.choice.with_picture for each in home.chosen(owner)}
    tiles = person_tiles(services().catalogue.people.many(list(chosen), owner))
    people = [(tile, chosen[tile.person.id]) for tile in tiles]
    return render_template("settings_smart_home.html", page=SmartHomePage(home.allows(owner), link_status(), people))


@pages.post("/allow")
def allow() -> Response:
    """Tell counts, and people once they are chosen."""
    services().smart_home.allow(account().id)
    wake()
    flash(_("Home Assistant is told about your photos in numbers. Choose people on their pages."), "good")
    return see_other(url_for("smart_home.show"))


@pages.post("/forbid")
def forbid() -> Response:
    """Tell nothing more, and take back what was told."""
    services().smart_home.forbid(account().id)
    wake()
    flash(_("Home Assistant is told nothing more, and what it was told is removed."), "good")
    return see_other(url_for("smart_home.show"))


@pages.post("/forbid-all")
def forbid_all() -> Response:
    """The same for every account, before Kinfolk is removed."""
    require_admin()
    services().smart_home.forbid_all()
    wake()
    flash(_("Home Assistant is told nothing more, and what it was told is removed."), "good")
    return see_other(url_for("smart_home.show"))


@of_person.route("", methods=["GET", "POST"])
def choose(person_id: int) -> Response | str:
    """Whether Home Assistant is told about this person, and shown their newest photo."""
    person, home, owner = find_person(person_id), services().smart_home, account().id
    if request.method == "GET":
        choice: PersonChoice | None = home.choice(owner, person_id)
        tile, allowed = person_tiles([person])[0], home.allows(owner)
        return render_template("person_told.html", tile=tile, choice=choice, allowed=allowed, link=link_status())
    if "told" in request.form:
        home.choose(owner, person_id, with_picture="picture" in request.form)
        flash(_("Home Assistant is told when %(name)s is on a new photo.", name=person.name), "good")
    else:
        home.drop(owner, person_id)
        flash(_("Home Assistant is told nothing about %(name)s.", name=person.name or _("this person")), "good")
    wake()
    return see_other(url_for("person.show", person_id=person_id))
