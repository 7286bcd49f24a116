"""A program that uses the API with a token."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from plugin.api_tokens import digest_of
from plugin.domain import TokenScope
from plugin.web.app import create_app
from tests.web.family import Family

NUMBERS = count()


@dataclass
class Program:
    """Speaks JSON and keeps no cookies."""

    client: FlaskClient
    secret: str

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> TestResponse:
        return self.client.open(
            f"/api/v1{path}",
            method=method,
            json=body,
            headers={"Authorization": f"Bearer {self.secret}", **(headers or {})},
            buffered=True,
        )

    def well(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that has to be well."""
        response = self.call(method, path, body)
        assert response.status_code < 300, response.text
        return response.json if response.data else None

    def get(self, path: str) -> Any:
        return self.well("GET", path)


def program(family: Family, scope: TokenScope = TokenScope.ADMIN, app: Flask | None = None) -> Program:
    secret = f"kinfolk_{next(NUMBERS)}"
    family.catalogue.tokens.add(family.account.id, "Program", scope, digest_of(secret))
    return Program((app or create_app(family.services)).test_client(use_cookies=False), secret)


def assert_problem(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    said: dict[str, Any] = response.get_json(force=True)
    assert (said["status"], said["code"]) == (status, code)
    assert said["detail"]
    assert said["title"]
    assert {"type", "advice", "errors"} <= said.keys()
    return said
