"""Errors of the API, as RFC 9457 `application/problem+json`."""

from http import HTTPStatus

from flask import Response
from pydantic import BaseModel, Field, ValidationError

from plugin.errors import (
    Busy,
    DiskFull,
    HostError,
    KinfolkError,
    LicenceNotAccepted,
    NotAllowed,
    NotFound,
    PackUnavailable,
    PackUnknown,
    PictureError,
    Refused,
    SearchIndexError,
    Stale,
)

MEDIA_TYPE = "application/problem+json"

STATUSES: tuple[tuple[type[KinfolkError], int], ...] = (
    (NotFound, 404),
    (PictureError, 404),
    (NotAllowed, 403),
    (Stale, 409),
    (Refused, 422),
    (PackUnknown, 422),
    (LicenceNotAccepted, 422),
    (PackUnavailable, 503),
    (HostError, 503),
    (SearchIndexError, 503),
    (Busy, 503),
    (DiskFull, 507),
)
"""The first one that fits; everything else is 500."""

CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    412: "changed_meanwhile",
    413: "too_large",
    415: "not_json",
    429: "too_many_attempts",
}


class WrongValue(BaseModel):
    """One value of the request that does not fit the document."""

    where: str = Field(description="Its place, for example `body.birth_date`")
    message: str


class Problem(BaseModel):
    """What went wrong, and the way on."""

    type: str = Field(description="Always about:blank: `code` says which problem it is")
    title: str = Field(description="The phrase of the HTTP status")
    status: int
    detail: str = Field(description="What happened, one sentence")
    advice: str = Field(description="What can be done about it; empty where nothing can")
    code: str = Field(description="The problem as one word that does not change")
    errors: list[WrongValue] = Field(description="With status 400: what does not fit")


def problem(
    status: int, detail: str, advice: str = "", *, code: str = "", errors: list[WrongValue] | None = None
) -> Response:
    """The answer that says what went wrong."""
    said = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        advice=advice,
        code=code or CODES.get(status, "error"),
        errors=errors or [],
    )
    response = Response(said.model_dump_json(), status, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="kinfolk"'
    return response


def explained(error: KinfolkError) -> Response:
    """An error of the design."""
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    return problem(status, str(error), error.advice, code=error.code)


def misfit(error: ValidationError) -> Response:
    """A request that does not fit the document."""
    wrong = [
        WrongValue(where=".".join(["request", *map(str, one["loc"])]), message=one["msg"]) for one in error.errors()
    ]
    said = "; ".join(f"{one.where}: {one.message}" for one in wrong[:3])
    return problem(400, f"The request does not fit: {said}", "See /api/v1/openapi.json", errors=wrong[:50])


def documented(description: str) -> dict[str, object]:
    """How the document describes one of these answers."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
