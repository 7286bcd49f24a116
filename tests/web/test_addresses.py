"""Addresses are the same as Flask's own, whatever stands in them."""

from typing import Any

import pytest
from flask import Flask

from plugin.web.addresses import Addresses

CASES: list[tuple[str, dict[str, Any]]] = [
    ("people.index", {}),
    ("people.index", {"page": 3, "q": "a b"}),
    ("people.index", {"q": "100%", "hidden": "1"}),
    ("person.show", {"person_id": 7}),
    ("person.show", {"person_id": 7, "page": None, "_anchor": "month-2020-01"}),
    ("person.show", {"person_id": 7, "page": 2, "_anchor": "month-2020-01"}),
    ("person.show", {"person_id": 7, "_anchor": "a b&c"}),
    ("people.index", {"_external": True}),
    ("people.index", {"_external": False, "_scheme": None}),
    ("pictures.face", {"face_id": 12, "v": "0a1b2c"}),
    ("pictures.face", {"v": "0a1b2c", "face_id": 12}),
    ("pictures.preview", {"asset_id": 3, "long_side": 480, "v": "ff"}),
    ("unassigned.show", {"page": True}),
    ("person.show", {"person_id": 7, "q": "Zoë"}),
    ("static", {"filename": "img/logo.svg"}),
    ("libraries.index", {"next": -1}),
]


@pytest.mark.parametrize("root", ["", "/kinfolk", "/50%/x"])
@pytest.mark.parametrize(("endpoint", "values"), CASES)
def test_an_address_is_the_one_flask_builds(app: Flask, root: str, endpoint: str, values: dict[str, Any]) -> None:
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
        expected = Flask.url_for(app, endpoint, **values)
        # Twice: the second time the pattern is known.
        assert [app.url_for(endpoint, **values) for _ in range(2)] == [expected] * 2


def test_most_addresses_of_a_page_ask_flask_once(app: Flask) -> None:
    asked: list[str] = []

    def url_for(endpoint: str, **values: Any) -> str:
        asked.append(endpoint)
        return Flask.url_for(app, endpoint, **values)

    addresses = Addresses(url_for)
    with app.test_request_context("/"):
        for number in range(5):
            addresses("pictures.face", face_id=number, v=f"{number}a")
            addresses("person.show", person_id=number)
    assert asked == ["pictures.face", "person.show"]
