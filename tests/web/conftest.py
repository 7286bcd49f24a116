"""The album, and browsers without JavaScript."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.test import TestResponse

from plugin.domain import FaceId
from plugin.web.app import create_app
from tests.web.family import PASSWORD, Family, empty_family, faces_of_nobody, family_with_photos

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Visitor:
    """Somebody in front of a browser that knows only links and forms."""

    client: FlaskClient

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.client.get(path, buffered=True, **kwargs)

    def text(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, response.status
        return response.text

    def token(self, path: str) -> str:
        match = TOKEN.search(self.get(path).text)
        assert match, f"no form on {path}"
        return match.group(1)

    def post(
        self, path: str, /, data: dict[str, str] | None = None, *,
        page: str = "/settings", follow: bool = True, **fields: str,
    ) -> TestResponse:  # fmt: skip
        """Send a form found on `page`."""
        data = {"csrf_token": self.token(page)} | (data or {}) | fields
        headers = {"Referer": f"http://localhost{page}"}
        return self.client.post(path, data=data, headers=headers, follow_redirects=follow)

    def log_in(self, name: str = "Maria", password: str = PASSWORD) -> TestResponse:
        return self.post("/login", page="/login", follow=False, name=name, password=password)


class CompiledOnce(BytecodeCache):
    """Every test builds an application of its own; compiling its templates would take most of the time."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": CompiledOnce()})
        yield


@pytest.fixture
def family() -> Iterator[Family]:
    made = family_with_photos()
    yield made
    made.catalogue.close()


@pytest.fixture
def nobody_yet() -> Iterator[Family]:
    made = empty_family()
    yield made
    made.catalogue.close()


@pytest.fixture
def app(family: Family) -> Flask:
    return create_app(family.services)


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def maria(app: Flask) -> Visitor:
    return logged_in(app)


def logged_in(app: Flask, name: str = "Maria") -> Visitor:
    visitor = Visitor(app.test_client())
    assert visitor.log_in(name).status_code == 303
    return visitor


@pytest.fixture
def enter() -> Callable[[Family], Visitor]:
    """Log in to another album."""

    def enter(family: Family) -> Visitor:
        return logged_in(create_app(family.services))

    return enter


@pytest.fixture
def loose(family: Family) -> list[FaceId]:
    """Two faces taken from Ben and put together as a group of nobody."""
    return faces_of_nobody(family)
