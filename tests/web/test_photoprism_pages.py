"""The pages that connect a PhotoPrism and make its trigger, as a browser without JavaScript sees them."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from plugin.domain import Library
from tests.fakes.photoprism import FakePhotoPrism
from tests.web.conftest import Visitor
from tests.web.family import Family

CONNECT = "/libraries/photoprism"


@pytest.fixture
def server() -> Iterator[FakePhotoPrism]:
    with FakePhotoPrism() as running:
        yield running


@pytest.fixture
def library(family: Family) -> Library:
    return family.catalogue.libraries.add(family.account.id, "photoprism", "Prism", "https://photos.example")


def test_an_app_password_connects_and_a_wrong_one_says_so(
    maria: Visitor, family: Family, server: FakePhotoPrism
) -> None:
    wrong = maria.post(CONNECT, {"address": server.address, "password": "wrong-one"}, page=CONNECT)
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text
    assert "does not accept" in wrong.text
    assert server.address in wrong.text
    assert "wrong-one" not in wrong.text
    right = maria.post(CONNECT, {"address": server.address, "password": server.library.token()}, page=CONNECT)
    assert "is connected" in right.text
    assert server.address in maria.text("/libraries")
    assert [one.address for one in family.catalogue.libraries.all() if one.host == "photoprism"] == [server.address]


def test_what_is_missing_there_is_shown(maria: Visitor, server: FakePhotoPrism) -> None:
    server.library.features["people"] = False
    answer = maria.post(CONNECT, {"address": server.address, "password": server.library.token()}, page=CONNECT)
    assert "People are switched off" in answer.text


def test_connecting_again_keeps_what_was_chosen(maria: Visitor, family: Family, server: FakePhotoPrism) -> None:
    fields = {"address": server.address, "password": server.library.token(), "private": "yes", "live": "yes"}
    answer = maria.post(CONNECT, fields, page=CONNECT)
    assert "PhotoPrism Community Edition, version 241213" in answer.text
    connected = next(one for one in family.catalogue.libraries.all() if one.host == "photoprism")
    page = f"{CONNECT}?library={connected.id}"
    assert page in maria.text("/libraries")
    text = maria.text(page)
    assert server.address in text
    assert 'name="private" value="yes" checked' in text
    assert 'name="live" value="yes" checked' in text


def test_removing_ends_the_app_password_kinfolk_made(maria: Visitor, family: Family, server: FakePhotoPrism) -> None:
    fields = {"address": server.address, "user": "admin", "password": "the admin's own password"}
    maria.post(CONNECT, fields, page=CONNECT)
    assert len(server.library.sessions) == 1
    connected = next(one for one in family.catalogue.libraries.all() if one.host == "photoprism")
    maria.post(f"/libraries/{connected.id}/remove", page=f"/libraries/{connected.id}/remove")
    assert server.library.sessions == {}


def test_a_secret_is_shown_once_and_opens_the_trigger(
    app: Flask, maria: Visitor, family: Family, library: Library
) -> None:
    page = f"{CONNECT}/{library.id}/trigger"
    assert "Off" in maria.text(page)
    made = maria.post(page, page=page)
    found = re.search(r"<textarea[^>]*>([\w-]{43})</textarea>", made.text)
    assert found
    assert found[1] not in maria.text(page)
    told = app.test_client().post(
        f"/hooks/photoprism/{library.id}", data=b"\xff anything", headers={"X-Kinfolk-Hook": found[1]}
    )
    assert (told.status_code, told.data) == (202, b"")
    family.time.move(5)
    assert family.nudge.told == [f"sync {library.id}"]
    assert "Works" in maria.text(page)
    assert "Heard just now" in maria.text("/libraries")
    maria.post(f"{page}/remove", page=page)
    again = app.test_client().post(f"/hooks/photoprism/{library.id}", headers={"X-Kinfolk-Hook": found[1]})
    assert again.status_code == 401


@pytest.mark.parametrize("headers", [{}, {"X-Kinfolk-Hook": ""}, {"X-Kinfolk-Hook": "wrong"}])
def test_nobody_without_the_secret_is_heard(
    app: Flask, maria: Visitor, family: Family, library: Library, headers: dict[str, str]
) -> None:
    maria.post(f"{CONNECT}/{library.id}/trigger", page=f"{CONNECT}/{library.id}/trigger")
    for visitor in (app.test_client(), maria.client):
        for library_id in (library.id, 999, family.foreign_library):
            assert visitor.post(f"/hooks/photoprism/{library_id}", headers=headers).status_code == 401
    assert family.time.due == []


def test_nobody_reaches_a_library_of_others_or_of_another_kind(maria: Visitor, family: Family) -> None:
    foreign = family.catalogue.libraries.add(family.neighbour.id, "photoprism", "n", "https://n.example")
    assert family.library is not None
    for library_id in (foreign.id, family.library.id, 99999):
        assert maria.get(f"{CONNECT}/{library_id}/trigger").status_code == 404
        assert maria.get(f"{CONNECT}?library={library_id}").status_code == 404
        assert maria.post(f"{CONNECT}/{library_id}/trigger", page=CONNECT).status_code == 404
        assert maria.post(f"{CONNECT}/{library_id}/trigger/remove", page=CONNECT).status_code == 404


def test_removing_an_account_ends_its_app_password_too(maria: Visitor, family: Family, server: FakePhotoPrism) -> None:
    connecting = family.services.photoprism
    connecting.connect(family.account, server.address, "the admin's own password", user="admin")
    connecting.connect(family.neighbour, server.address, "the admin's own password", user="admin")
    assert len(server.library.sessions) == 2
    page = f"/settings/accounts/{family.neighbour.id}/remove"
    maria.post(page, {"typed": family.neighbour.name}, page=page)
    assert len(server.library.sessions) == 1
