"""Privacy: take everything out, and forget people and faces for good, each after a typed confirmation."""

from dataclasses import dataclass, field

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from plugin.domain import Library
from plugin.errors import NotFound
from plugin.ports.privacy import HeldData
from plugin.privacy import Copy
from plugin.web.language import ngettext
from plugin.web.request_context import account, query_search, require_admin, see_other, services
from plugin.web.tiles import person_tiles
from plugin.web.typed import require_typed

pages = Blueprint("privacy", __name__, url_prefix="/settings/privacy")

PEOPLE_FOUND = 60
"""Enough to find somebody by eye; the rest by name."""


@dataclass(frozen=True, slots=True)
class PrivacyPage:
    """What the Privacy page shows; `copies` only to administrators.

    `left_at`: libraries whose host still shows names of people who were forgotten, since writing there is paused.
    """

    held: HeldData
    copies: list[Copy]
    left_at: list[Library] = field(default_factory=list)

    @property
    def copies_bytes(self) -> int:
        """How large all copies are."""
        return sum(copy.size_bytes for copy in self.copies)


@pages.get("")
def show() -> str:
    """What is held, and what can be done about it."""
    page = PrivacyPage(held(), copies(), services().writing.left_at(account().id))
    return render_template("settings_privacy.html", page=page)


def held() -> HeldData:
    """What is held of this account."""
    return services().privacy.held(account().id)


def copies() -> list[Copy]:
    """Copies of the catalogue: of all accounts, so the administrator's."""
    return services().privacy.copies() if account().is_admin else []


@pages.get("/export")
def export() -> Response:
    """Everything held of this account, as it is packed."""
    response = Response(services().account_export.stream(account()), mimetype="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="kinfolk-export.zip"'
    response.headers["X-Accel-Buffering"] = "no"
    return response


@pages.get("/people")
def choose_person() -> str:
    """Whom to forget: everybody, hidden people as well, by name."""
    found = services().catalogue.people.all(
        account().id, include_hidden=True, search=query_search(), limit=PEOPLE_FOUND
    )
    return render_template("settings_privacy_people.html", people=person_tiles(found), search=query_search())


@pages.route("/people/<int:person_id>", methods=["GET", "POST"])
def forget_person(person_id: int) -> AnyResponse | str:
    """Forget one person for good."""
    person = services().catalogue.people.get(person_id, account().id)
    word = person.name or _("forget")
    if request.method == "GET":
        about = services().privacy.held(account().id, person_id)
        (tile,) = person_tiles([person])
        return render_template(
            "settings_privacy_person.html", tile=tile, held=about, word=word, copies=len(services().privacy.copies())
        )
    require_typed(word)
    services().privacy.forget_person(account().id, person_id)
    name = person.name or _("The person without a name")
    flash(_("%(name)s was forgotten. Scanning the same photos again does not bring them back.", name=name), "good")
    return see_other(url_for("privacy.show"))


@pages.route("/forget/<what>", methods=["GET", "POST"])
def forget(what: str) -> AnyResponse | str:
    """Forget all faces, or everything."""
    if what not in {"faces", "everything"}:
        raise NotFound("There is no such thing to forget")
    if request.method == "GET":
        return render_template(
            "settings_privacy_forget.html", what=what, held=held(), copies=len(services().privacy.copies())
        )
    require_typed(account().name)
    if what == "faces":
        services().privacy.forget_faces(account().id)
        flash(_("All faces were forgotten. The names of your people are kept."), "good")
    else:
        services().privacy.forget_everything(account().id)
        flash(_("People, faces, verdicts and history were forgotten."), "good")
    return see_other(url_for("privacy.show"))


@pages.post("/find-again")
def find_again() -> AnyResponse:
    """Look for forgotten faces again, since the user asks for it."""
    count = services().privacy.let_be_found(account().id)
    flash(ngettext("%(num)s photo is looked at again.", "%(num)s photos are looked at again.", count), "good")
    return see_other(url_for("privacy.show"))


@pages.route("/copies", methods=["GET", "POST"])
def renew_copies() -> AnyResponse | str:
    """Replace all backups by one of the present state."""
    require_admin()
    if request.method == "GET":
        if not copies():
            return redirect(url_for("privacy.show"))
        return render_template("settings_privacy_copies.html", page=PrivacyPage(held(), copies()))
    require_typed(_("delete"))
    count = services().privacy.renew_copies()
    flash(
        ngettext(
            "%(num)s earlier copy was deleted, and a new backup was written.",
            "%(num)s earlier copies were deleted, and a new backup was written.",
            count,
        ),
        "good",
    )
    return see_other(url_for("privacy.show"))
