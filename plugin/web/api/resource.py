"""What every operation of the API has in common: its scope, its documented answers, its validators for caches."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from flask import Response, request, url_for
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from plugin.domain import TokenScope
from plugin.web.api import access
from plugin.web.api.problems import documented, problem
from plugin.web.api.values import Listed, Page

PREFIX = "/api/v1"

WRITES = frozenset({"post", "put", "patch"})

COMMON = {
    400: "The request does not fit this document",
    401: "No token, or one that is not valid",
    403: "The scope does not reach that far",
    429: "Too many wrong tokens",
}
LATER = {503: "The program that owns the photos does not answer; try again later"}

PICTURE: dict[str, object] = {
    "description": "A picture",
    "content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}},
}

View = TypeVar("View", bound=Callable[..., Any])


class Resource(APIBlueprint):
    """Operations on one kind of thing.

    Args:
        name: for endpoints, e.g. `people`.
        title: for people who read the document.
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(f"api_{name}", __name__, url_prefix=PREFIX, abp_tags=[Tag(name=title)])
        self._scopes: dict[str, TokenScope] = {}
        self.before_request(self._check)
        self.after_request(validated)

    def operation(
        self,
        method: str,
        rule: str,
        scope: TokenScope,
        answer: type[BaseModel] | dict[str, object] | None = None,
        *,
        status: int = 200,
        problems: Mapping[int, str] | None = None,
    ) -> Callable[[View], View]:
        """Make a view an operation.

        Args:
            method: lower case.
            rule: below `/api/v1`.
            scope: what a token needs.
            answer: the shape of the answer, or its description; None for nothing (204).
            status: of the answer when all went well.
            problems: what may go wrong besides what always may.
        """
        responses = {status: answer} | described(method, rule, problems or {})

        def decorate(view: View) -> View:
            self._scopes[f"{self.name}.{view.__name__}"] = scope

            @wraps(view)
            def answered(**values: Any) -> Response:  # noqa: ANN401, what the library read from the request
                return as_response(view(**values), status)

            register: Callable[..., Callable[[Callable[..., Response]], object]] = getattr(self, method)
            register(
                rule,
                responses=responses,
                security=[{"token": [str(scope)]}, {"browser": []}],
                operation_id=f"{self.name.removeprefix('api_')}_{view.__name__}",
            )(answered)
            return view

        return decorate

    def _check(self) -> Response | None:
        """Whether the visitor may, before anything of the request is looked at."""
        if refused := access.require(self._scopes[str(request.endpoint)]):
            return refused
        if request.method.lower() in WRITES and request.get_data(cache=True) and not request.is_json:
            return problem(415, "What was sent is not JSON", "Send `Content-Type: application/json`")
        return None


def described(method: str, rule: str, problems: Mapping[int, str]) -> dict[int, dict[str, object]]:
    """Everything that may go wrong, for the document."""
    sentences = dict(COMMON)
    if "<" in rule or method != "get":
        sentences[404] = "There is no such thing, or it is not yours"
    if method in WRITES:
        sentences |= {413: "More than a request may carry", 415: "What was sent is not JSON"}
    if method != "get":
        sentences[422] = "It breaks a rule; `detail` says which"
    responses = {status: documented(said) for status, said in sorted((sentences | dict(problems)).items())}
    unchanged: dict[str, object] = {"description": "Unchanged since the ETag sent as If-None-Match"}
    return {304: unchanged, **responses} if method == "get" else responses


def as_response(result: BaseModel | Response | None, status: int) -> Response:
    """What a view returned, as an answer; one page of a list gets links to the others."""
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status=status, mimetype="application/json")
    response = Response(result.model_dump_json(), status, mimetype="application/json")
    if isinstance(result, Listed):
        response.headers["Link"] = links(result)
    return response


def links(listed: Listed) -> str:
    """RFC 8288: where the other pages are."""
    last = max(1, -(-listed.total // listed.limit))
    pages = {"first": 1, "last": last}
    if listed.page > 1:
        pages["prev"] = min(listed.page - 1, last)
    if listed.page < last:
        pages["next"] = listed.page + 1
    arguments = {**(request.view_args or {}), **request.args.to_dict(flat=False)}
    return ", ".join(
        f'<{url_for(str(request.endpoint), **{**arguments, "page": number})}>; rel="{relation}"'
        for relation, number in pages.items()
    )


def listed_at(query: Page) -> dict[str, int]:
    """The fields of `Listed` that say which page it is."""
    return {"page": query.page, "limit": query.limit}


def validated(response: Response) -> Response:
    """A weak validator for everything that is read, and 304 when the reader has it already."""
    response.vary.update(["Authorization", "Cookie"])
    if response.status_code != 200:
        return response
    if request.method in {"GET", "HEAD", "PATCH"}:
        response.add_etag(weak=True)
    if request.method in {"GET", "HEAD"}:
        # "no-cache" means: keep it, but ask whether it is still so. Photos are private.
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response
