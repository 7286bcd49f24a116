"""Suggestions, splits and groups of nobody as JSON. Forms carry the CSRF token, as everywhere (`X-CSRFToken`)."""

from dataclasses import asdict

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from plugin.domain import FaceId, PersonId
from plugin.errors import Refused
from plugin.web.request_context import account, services

pages = Blueprint("suggestions", __name__, url_prefix="/api")

MOST_AT_ONCE = 200


@pages.get("/suggestions")
def ranked() -> Response:
    """The questions worth asking, best first; `limit` is 50 when it is not given."""
    found = services().suggestions.ranked(account().id, _limit())
    return jsonify(suggestions=[asdict(suggestion) for suggestion in found])


@pages.post("/suggestions/<key>")
def answer(key: str) -> Response:
    """`answer` is yes, no or skip."""
    services().suggestions.answer(account().id, key, request.form.get("answer", ""))
    return jsonify(answered=key)


@pages.get("/people/<int:person_id>/split")
def split_proposal(person_id: PersonId) -> Response:
    """The faces of each person this one looks like; fewer than two parts mean there is nothing to split."""
    return jsonify(parts=services().suggestions.split(account().id, person_id).parts)


@pages.post("/people/<int:person_id>/split")
def split(person_id: PersonId) -> Response:
    """Make the faces given (`face_id`, repeated) somebody else."""
    return jsonify(person_id=services().people.split(account().id, person_id, _face_ids()))


@pages.get("/unassigned")
def unassigned() -> Response:
    """Groups of faces of nobody, the largest first; `offset` and `limit` page through them."""
    offset = max(0, request.args.get("offset", 0, type=int))
    return jsonify(groups=services().suggestions.unassigned_groups(account().id, offset, _limit()))


@pages.post("/unassigned")
def assign() -> Response:
    """Say who the faces given (`face_id`, repeated) are: `person_id`, or somebody new called `name`."""
    account_id, people = account().id, services().people
    face_ids, person_id = _face_ids(), request.form.get("person_id", type=int)
    if not face_ids:
        raise Refused("No faces were chosen", "Choose at least one")
    if person_id is None:
        person_id = people.assign_all_new(account_id, face_ids, request.form.get("name", ""))
    else:
        people.assign_all(account_id, face_ids, person_id)
    return jsonify(person_id=person_id)


def _limit() -> int:
    return min(max(1, request.args.get("limit", 50, type=int)), MOST_AT_ONCE)


def _face_ids() -> list[FaceId]:
    try:
        return list(dict.fromkeys(int(face_id) for face_id in request.form.getlist("face_id")))
    except ValueError as error:
        raise Refused("Faces are named by numbers") from error
