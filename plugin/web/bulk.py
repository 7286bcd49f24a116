"""What the checkboxes of the People page do: several people at once, each time one event to undo."""

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from plugin.domain import Person, PersonId
from plugin.errors import Refused
from plugin.web.language import gettext as _
from plugin.web.language import ngettext
from plugin.web.request_context import account, form_id, form_ids, form_text, see_other, services
from plugin.web.security import came_from
from plugin.web.tiles import person_tiles

pages = Blueprint("bulk", __name__, url_prefix="/people")


@pages.post("/bulk")
def apply() -> Response | str:
    """Do what the button says to everybody ticked; merging asks first who they all are."""
    action, chosen = form_text("action"), form_ids("person")
    if action == "merge":
        return ask_merge(chosen)
    if action not in ACTIONS:
        raise Refused(_("This page does not know that button"), _("Reload the page and try again"))
    done = ACTIONS[action](chosen)
    say_missing(len(chosen) - done)
    flash(said(action, done), "undo")
    return see_other(came_from(url_for("people.index")))


def hide(chosen: Sequence[PersonId]) -> int:
    """Off the People page."""
    return services().bulk.set_hidden(account().id, chosen, hidden=True)


def unhide(chosen: Sequence[PersonId]) -> int:
    """Back on the People page."""
    return services().bulk.set_hidden(account().id, chosen, hidden=False)


def favourite(chosen: Sequence[PersonId]) -> int:
    """To the top of the People page."""
    return services().bulk.set_favourite(account().id, chosen, favourite=True)


def unfavourite(chosen: Sequence[PersonId]) -> int:
    """Like everybody else again."""
    return services().bulk.set_favourite(account().id, chosen, favourite=False)


def strangers(chosen: Sequence[PersonId]) -> int:
    """Nobody the family knows."""
    return services().bulk.make_strangers(account().id, chosen)


ACTIONS: dict[str, Callable[[Sequence[PersonId]], int]] = {
    "hide": hide,
    "unhide": unhide,
    "favourite": favourite,
    "unfavourite": unfavourite,
    "strangers": strangers,
}
"""By the value of the button."""


def said(action: str, count: int) -> str:
    """What was done, for the message."""
    if action == "hide":
        return ngettext("%(num)s person is hidden.", "%(num)s people are hidden.", count)
    if action == "unhide":
        return ngettext("%(num)s person is shown again.", "%(num)s people are shown again.", count)
    if action == "favourite":
        return ngettext("%(num)s person is a favourite now.", "%(num)s people are favourites now.", count)
    if action == "unfavourite":
        return ngettext("%(num)s person is no favourite now.", "%(num)s people are no favourites now.", count)
    return ngettext("%(num)s stranger is gone.", "%(num)s strangers are gone.", count)


def say_missing(count: int) -> None:
    """The page was older than what it showed: some of those ticked are not there any more."""
    if count:
        text = ngettext("%(num)s of those you chose was gone already.", "%(num)s of those you chose were gone already.",
                        count)  # fmt: skip
        flash(text, "good")


def ask_merge(chosen: Sequence[PersonId]) -> str:
    """Who stays; the one with a name and most photos is proposed."""
    people = services().bulk.chosen(account().id, chosen)
    if len(people) < 2:
        raise Refused(_("Only one person was chosen"), _("Tick everybody who is the same person"))
    best = max(people, key=lambda person: (bool(person.name), person.photo_count, -person.id))
    return render_template("people_merge.html", tiles=person_tiles(people), proposed=best.id, names=different(people))


def different(people: Sequence[Person]) -> list[str]:
    """The names among them, each once."""
    return sorted({person.name for person in people if person.name}, key=str.casefold)


@pages.post("/merge")
def merge() -> Response:
    """All of them become the one chosen."""
    into, chosen = form_id("into"), form_ids("person")
    merged = services().bulk.merge(account().id, into, chosen)
    kept = services().catalogue.people.get(into, account().id)
    text = ngettext("%(num)s person was merged into %(name)s.", "%(num)s people were merged into %(name)s.",
                    len(merged), name=kept.name or _("somebody unnamed"))  # fmt: skip
    say_missing(len(set(chosen) - {into}) - len(merged))
    flash(text, "undo")
    return see_other(url_for("person.show", person_id=into))


@pages.post("/hide-unnamed")
def hide_unnamed() -> Response:
    """Everybody without a name leaves the People page."""
    count = services().bulk.hide_unnamed(account().id)
    if count:
        text = ngettext("%(num)s person without a name is hidden.", "%(num)s people without a name are hidden.", count)
        flash(text, "undo")
    else:
        flash(_("Everybody without a name is hidden already."), "good")
    return see_other(came_from(url_for("people.index")))
