"""Review: the questions the machine cannot answer, one after another, and groups of faces to name at once."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Suggestion
from plugin.errors import NotFound
from plugin.web.face_groups import FaceGroup, largest_groups
from plugin.web.request_context import account, form_text, see_other, services
from plugin.web.tiles import FaceTile, PersonTile, face_tiles, person_tiles

pages = Blueprint("review", __name__, url_prefix="/review")

SKIPPED = "skipped_question"
"""In the session: what the message that tells of a skip can take back."""

GROUPS_BESIDE, GROUPS_ALONE = 3, 6
"""Groups to name at once, below a question and when there is none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and its faces; `other` is set when two people are compared. `next_faces` are fetched ahead."""

    question: Suggestion
    person: PersonTile
    other: PersonTile | None
    asked: list[FaceTile]
    known: list[FaceTile]
    next_faces: list[FaceTile]


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The question, if there is one, and how many are left. `thinking`: they are still being worked out."""

    now: Asked | None
    left: int
    seconds: float
    thinking: bool
    groups: list[FaceGroup]
    names: list[str]


@pages.get("")
def show() -> str:
    """The best question, with the faces that speak for and against it."""
    owner, suggestions = account().id, services().suggestions
    known = suggestions.next_ones(owner)
    questions, left = known or ([], 0)
    groups = [] if known is None else largest_groups(GROUPS_BESIDE if questions else GROUPS_ALONE)
    page = ReviewPage(
        asked(questions),
        left,
        suggestions.seconds_left(owner, left),
        known is None,
        groups,
        services().catalogue.people.names(owner) if groups else [],
    )
    return render_template("review.html", page=page)


def asked(questions: list[Suggestion]) -> Asked | None:
    """What to show of the first question, and which pictures of the second to fetch ahead."""
    if not questions:
        return None
    question, people = questions[0], services().catalogue.people
    about = [question.person_id] + ([question.other_person_id] if question.other_person_id is not None else [])
    tiles = person_tiles([people.get(person_id, account().id) for person_id in about])
    ahead = [face_id for later in questions[1:] for face_id in (*later.shown, *later.shown_of_person)]
    faces, known, next_faces = face_tiles([question.shown, question.shown_of_person, ahead])
    return Asked(question, tiles[0], tiles[1] if len(tiles) > 1 else None, faces, known, next_faces)


@pages.post("")
def answer() -> Response:
    """Yes, no or skip; a question that is not open any more changes nothing."""
    given, key = form_text("answer"), form_text("question")
    try:
        services().suggestions.answer(account().id, key, given)
    except NotFound:
        flash(_("That question had been answered already. Here is the next one."), "good")
    else:
        said = {"yes": _("Yes, noted."), "no": _("No, noted: this is not asked again."), "skip": _("Skipped.")}
        flash(said[given], "skipped" if given == "skip" else "undo")
        if given == "skip":
            session[SKIPPED] = key
    return see_other(url_for("review.show"))


@pages.post("/unskip")
def unskip() -> Response:
    """Take back a skip: the question comes next."""
    services().suggestions.unskip(account().id, form_text("question"))
    session.pop(SKIPPED, None)
    flash(_("Taken back: the question is here again."), "good")
    return see_other(url_for("review.show"))
