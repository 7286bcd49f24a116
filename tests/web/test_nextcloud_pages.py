"""The pages that connect a Nextcloud, as a browser without JavaScript sees them."""

import re
from collections.abc import Iterator

import pytest
import requests

from plugin.web.app import create_app
from tests.fakes.nextcloud import FakeNextcloud
from tests.web.conftest import Visitor
from tests.web.family import Family

CONNECT = "/libraries/nextcloud"


@pytest.fixture
def server() -> Iterator[FakeNextcloud]:
    with FakeNextcloud() as running:
        running.cloud.add_user("anna", "Anna's own password")
        running.cloud.mkdir("anna", "Photos")
        yield running


def nextclouds(family: Family) -> list[str]:
    return [library.address for library in family.catalogue.libraries.all() if library.host == "nextcloud"]


def test_a_login_is_begun_granted_and_continued(maria: Visitor, family: Family, server: FakeNextcloud) -> None:
    begun = maria.post(CONNECT, page=CONNECT, follow=False, address=server.address)
    assert begun.status_code == 303
    wait = begun.headers["Location"]
    text = maria.text(wait)
    opened = re.search(r'href="(http[^"]+/login/v2/flow/[^"]+)" target="_blank" rel="noopener noreferrer"', text)
    assert opened
    requests.post(opened[1], data={"user": "anna"}, timeout=10)
    done = maria.post(wait, page=wait, follow=False)
    assert done.status_code == 303
    assert done.headers["Location"].endswith("/folders")
    assert "Photos" in maria.text(done.headers["Location"])
    assert nextclouds(family) == [server.address.replace("://", "://anna@")]


def test_continuing_too_early_says_so(maria: Visitor, family: Family, server: FakeNextcloud) -> None:
    wait = maria.post(CONNECT, page=CONNECT, follow=False, address=server.address).headers["Location"]
    assert "was not granted yet" in maria.post(wait, page=wait).text
    assert nextclouds(family) == []


def test_the_waiting_page_asks_by_itself(maria: Visitor, server: FakeNextcloud) -> None:
    wait = maria.post(CONNECT, page=CONNECT, follow=False, address=server.address).headers["Location"]
    asked = maria.client.post(wait, data={"csrf_token": maria.token(wait)}, headers={"HX-Request": "true"})
    assert (asked.status_code, asked.text) == (204, "")


def test_an_app_password_connects_and_a_wrong_one_says_so(
    maria: Visitor, family: Family, server: FakeNextcloud
) -> None:
    fields = {"address": server.address, "user": "anna"}
    wrong = maria.post(f"{CONNECT}/password", fields | {"password": "wrong-one"}, page=CONNECT)
    assert wrong.status_code == 422
    assert "does not accept" in wrong.text
    assert 'value="anna"' in wrong.text
    assert "wrong-one" not in wrong.text
    right = maria.post(f"{CONNECT}/password", fields | {"password": server.cloud.app_password("anna")}, page=CONNECT)
    assert "is connected" in right.text
    assert len(nextclouds(family)) == 1


@pytest.mark.parametrize("address", ["", "ftp://x", "https://a:b@c", "http://127.0.0.1:9"])
def test_an_address_that_does_not_work_is_given_back_with_the_reason(maria: Visitor, address: str) -> None:
    answer = maria.post(CONNECT, page=CONNECT, address=address)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_folders_are_chosen_and_the_library_shows_its_server(
    maria: Visitor, family: Family, server: FakeNextcloud
) -> None:
    fields = {"address": server.address, "user": "anna", "password": "Anna's own password"}
    maria.post(f"{CONNECT}/password", fields, page=CONNECT)
    library = next(library for library in family.catalogue.libraries.all() if library.host == "nextcloud")
    page = f"{CONNECT}/{library.id}/folders"
    maria.post(page, {"which": "some", "folder": "Photos", "left_out": "Photos/Receipts\r\n"}, page=page)
    kept = family.catalogue.host_logins.get(library.id)
    assert kept is not None
    assert kept.options == {"folders": ("Photos",), "left_out": ("Photos/Receipts",)}
    assert server.address.partition("://")[2] in maria.text("/libraries")


def test_a_paused_library_offers_to_connect_again(maria: Visitor, family: Family, server: FakeNextcloud) -> None:
    fields = {"address": server.address, "user": "anna", "password": "Anna's own password"}
    maria.post(f"{CONNECT}/password", fields, page=CONNECT)
    library = next(library for library in family.catalogue.libraries.all() if library.host == "nextcloud")
    kept = family.catalogue.host_logins.get(library.id)
    assert kept is not None
    family.catalogue.host_logins.refuse(library.id, kept.secret, "no")
    text = maria.text("/libraries")
    assert f"{CONNECT}?library={library.id}" in text
    again = maria.text(f"{CONNECT}?library={library.id}")
    assert server.address in again
    maria.post(f"{CONNECT}/password", fields | {"library": str(library.id)}, page=CONNECT)
    assert f"{CONNECT}?library={library.id}" not in maria.text("/libraries")


def test_removing_says_goodbye_at_nextcloud(maria: Visitor, family: Family, server: FakeNextcloud) -> None:
    fields = {"address": server.address, "user": "anna", "password": "Anna's own password"}
    maria.post(f"{CONNECT}/password", fields, page=CONNECT)
    library = next(library for library in family.catalogue.libraries.all() if library.host == "nextcloud")
    page = f"/libraries/{library.id}/remove"
    maria.post(page, page=page)
    assert server.cloud.users["anna"].app_passwords == {}
    assert nextclouds(family) == []


def test_nobody_reaches_a_library_or_login_of_others(maria: Visitor, family: Family, server: FakeNextcloud) -> None:
    foreign = family.catalogue.libraries.add(family.neighbour.id, "nextcloud", "n", "https://n@cloud.example")
    own_folder = family.library
    assert own_folder is not None
    for library_id in (foreign.id, own_folder.id, 99999):
        assert maria.get(f"{CONNECT}/{library_id}/folders").status_code == 404
        assert maria.get(f"{CONNECT}?library={library_id}").status_code == 404
    assert maria.get(f"{CONNECT}/login/unknown").status_code == 404


def test_the_first_run_offers_it_and_ends_with_it(nobody_yet: Family, server: FakeNextcloud) -> None:
    first = Visitor(create_app(nobody_yet.services).test_client())
    first.log_in()
    assert f'href="{CONNECT}"' in first.text("/start")
    fields = {"address": server.address, "user": "anna", "password": "Anna's own password"}
    first.post(f"{CONNECT}/password", fields, page=CONNECT)
    assert first.get("/start").status_code == 303
