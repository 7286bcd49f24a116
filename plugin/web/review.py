"""Review: the questions the machine cannot answer, one after another."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from plugin.domain import Suggestion
from plugin.errors import NotFound
from plugin.web.request_context import account, form_text, see_other, services
from plugin.web.tiles import FaceTile, PersonTile, face_tiles, person_tiles

pages = Blueprint("review", __name__, url_prefix="/review")

MOST_COUNTED = 1000
SECONDS_PER_QUESTION = 6


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One question and how many are left; `other` is set when two people are compared."""

    question: Suggestion | None
    left: int
    person: PersonTile | None
    other: PersonTile | None
    asked: list[FaceTile]
    known: list[FaceTile]

    @property
    def seconds(self) -> int:
        """About how long the rest takes."""
        return self.left * SECONDS_PER_QUESTION


@pages.get("")
def show() -> str:
    """The best question, with the faces that speak for and against it."""
    questions = services().suggestions.ranked(account().id, MOST_COUNTED)
    return render_template("review.html", page=review_page(questions), counted_up_to=MOST_COUNTED)


def review_page(questions: list[Suggestion]) -> ReviewPage:
    """What to show of the first question."""
    if not questions:
        return ReviewPage(None, 0, None, None, [], [])
    question, people = questions[0], services().catalogue.people
    about = [question.person_id] + ([question.other_person_id] if question.other_person_id is not None else [])
    tiles = person_tiles([people.get(person_id, account().id) for person_id in about])
    other = tiles[1] if len(tiles) > 1 else None
    asked, known = face_tiles([question.shown, question.shown_of_person])
    return ReviewPage(question, len(questions), tiles[0], other, asked, known)


@pages.post("")
def answer() -> Response:
    """Yes, no or skip; a question that is not open any more changes nothing."""
    given = form_text("answer")
    try:
        services().suggestions.answer(account().id, form_text("question"), given)
    except NotFound:
        flash("That question had been answered already. Here is the next one.", "good")
    else:
        flash({"yes": "Yes, noted.", "no": "No, noted: this is not asked again.", "skip": "Skipped."}[given],
              "good" if given == "skip" else "undo")  # fmt: skip
    return see_other(url_for("review.show"))
