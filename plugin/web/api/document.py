"""The OpenAPI document of the API, made from the code, and putting the API into the application."""

from typing import Any, cast

from flask import Response, current_app, json, request
from flask_openapi3.models.info import Info
from flask_openapi3.models.security_scheme import SecurityScheme
from flask_openapi3.openapi import OpenAPI
from flask_wtf import CSRFProtect

from plugin import __version__
from plugin.domain import TokenScope
from plugin.web.api import (
    assets,
    faces,
    history,
    libraries,
    people,
    photos,
    preferences,
    search,
    status,
    suggestions,
    tokens,
    unassigned,
)
from plugin.web.api.problems import Problem, misfit
from plugin.web.api.resource import Resource

api = Resource("document", "This document")

RESOURCES = (
    people,
    faces,
    assets,
    photos,
    search,
    suggestions,
    unassigned,
    history,
    libraries,
    status,
    preferences,
    tokens,
)

INFO = Info(
    title="Kinfolk",
    version=__version__,
    description="People in your photos, for programs. Every error is `application/problem+json` (RFC 9457); everything "
    "that is read has an ETag; long lists have a `Link` header. What belongs to another account does not exist.",
)

SECURITY: dict[str, SecurityScheme | dict[str, Any]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "Made in Settings, API tokens. Scopes: read, "
              "verdicts (which may read), admin (which may do everything, for admin accounts)."},
    "browser": {"type": "apiKey", "in": "cookie", "name": "kinfolk_session",
                "description": "A browser that is logged in; writes need the header X-CSRFToken as well."},
}  # fmt: skip

DOCUMENT: dict[str, object] = {
    "description": "OpenAPI 3.1",
    "content": {"application/json": {"schema": {"type": "object"}}},
}


@api.operation("get", "/openapi.json", TokenScope.READ, DOCUMENT)
def openapi() -> Response:
    """This document."""
    document = cast("OpenAPI", current_app).api_doc
    # Below a prefix the paths of the document begin there.
    return Response(
        json.dumps({**document, "servers": [{"url": request.script_root or "/"}]}), mimetype="application/json"
    )


def application(import_name: str, **options: Any) -> OpenAPI:  # noqa: ANN401, Flask's own
    """A Flask application that knows its OpenAPI document and explains requests that do not fit it.

    Args:
        import_name: as for Flask.
        options: as for Flask.
    """
    return OpenAPI(
        import_name,
        info=INFO,
        security_schemes=SECURITY,
        doc_ui=False,  # its pages load scripts from elsewhere
        validation_error_status=400,
        validation_error_model=Problem,
        validation_error_callback=misfit,
        **options,
    )


def install_api(app: OpenAPI, csrf: CSRFProtect) -> None:
    """Add every resource. A browser's token against forged forms is checked by `access`, after it is known who asks."""
    for resource in (*(module.api for module in RESOURCES), api):
        csrf.exempt(resource)
        app.register_api(resource)
