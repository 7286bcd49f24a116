"""The first run: from the printed link to a scan, left and taken up again at every step."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from plugin.preferences import PreferenceBook
from plugin.web.app import create_app
from tests.web.conftest import Visitor, logged_in
from tests.web.family import PACKS, PASSWORD, Family, empty_family

START = "/start"


@pytest.fixture
def fresh() -> Iterator[Family]:
    made = empty_family(password=False)
    yield made
    made.catalogue.close()


@pytest.fixture
def maria(nobody_yet: Family, enter: Callable[[Family], Visitor]) -> Visitor:
    return enter(nobody_yet)


def test_from_the_printed_link_to_the_first_scan(fresh: Family) -> None:
    visitor = Visitor(create_app(fresh.services).test_client())
    link = f"/welcome?token={fresh.token}"
    fields = {"token": fresh.token, "name": "Maria", "password": PASSWORD, "repeat": PASSWORD}
    assert "Where are your photos?" in visitor.post("/welcome", fields, page=link).text
    page = visitor.post("/start/library", page=START, path="/photos/new").text
    assert "How shall faces be recognised?" in page
    assert '<input type="radio" name="pack" value="opencv" checked>' in page
    for pack in PACKS:
        assert pack.licence in page
        assert f'href="{pack.licence_url}"' in page
    assert page.count("Copyright (c) 2020 Shiqi Yu") == 1
    assert fresh.applied == []
    assert fresh.nudge.told == []
    page = visitor.post("/start/pack", page=START, pack="opencv").text
    assert "new is being scanned." in page
    assert "Looking through your photos" in page
    assert fresh.applied == ["pull_pack"]
    (library,) = fresh.catalogue.libraries.all()
    assert fresh.nudge.told == [f"sync {library.id}"]


def test_nothing_is_fetched_or_scanned_before_the_licence_was_accepted(maria: Visitor, nobody_yet: Family) -> None:
    maria.post("/start/library", page=START, path="/photos/new")
    for accepted in ({}, {"accept-opencv": "yes"}):
        refused = maria.post("/start/pack", {"pack": "buffalo_s"} | accepted, page=START)
        assert (refused.status_code, "The licence was not accepted" in refused.text) == (422, True)
    assert (nobody_yet.applied, nobody_yet.nudge.told, nobody_yet.catalogue.libraries.all()) == ([], [], [])
    maria.post("/start/pack", {"pack": "buffalo_s", "accept-buffalo_s": "yes"}, page=START)
    assert nobody_yet.applied == ["pull_pack"]
    assert nobody_yet.services.preferences.current().pack == "buffalo_s"


def test_a_log_in_leads_back_to_the_step_that_was_left(nobody_yet: Family) -> None:
    app = create_app(nobody_yet.services)
    maria = Visitor(app.test_client())
    assert maria.log_in().headers["Location"] == START
    maria.post("/start/library", page=START, path="/photos/new")
    again = logged_in(app)
    assert "How shall faces be recognised?" in again.text(START)
    assert 'value="/photos/new"' in again.text("/start/library")


def test_a_folder_that_cannot_be_read_is_given_back_with_the_reason(maria: Visitor) -> None:
    refused = maria.post("/start/library", page=START, path="/nowhere")
    assert refused.status_code == 422
    assert "Check the spelling, or mount the disk" in refused.text
    assert 'value="/nowhere"' in refused.text


def test_it_can_be_skipped_for_good(maria: Visitor, nobody_yet: Family) -> None:
    maria.post("/start/skip", page=START)
    assert maria.get(START).headers["Location"] == "/"
    assert logged_in(create_app(nobody_yet.services)).get("/").status_code == 200


def test_where_a_library_exists_there_is_nothing_to_set_up(family: Family) -> None:
    visitor = Visitor(create_app(family.services).test_client())
    assert visitor.log_in().headers["Location"] == "/"
    assert visitor.get(START).headers["Location"] == "/"


def test_members_are_not_asked(nobody_yet: Family) -> None:
    visitor = Visitor(create_app(nobody_yet.services).test_client())
    assert visitor.log_in("neighbour").headers["Location"] == "/"


def test_a_pack_that_the_configuration_fixes_is_the_only_one_offered(nobody_yet: Family) -> None:
    book = PreferenceBook(nobody_yet.catalogue.preferences, lambda: PACKS, {"pack": "opencv"})
    maria = logged_in(create_app(replace(nobody_yet.services, preferences=book)))
    page = maria.post("/start/library", page=START, path="/photos/new").text
    assert page.count('type="radio"') == 1
    assert "is being scanned" in maria.post("/start/pack", page=START, pack="opencv").text


@pytest.mark.parametrize("path", ["/start/pack", "/start/skip"])
def test_steps_out_of_order_harm_nothing(maria: Visitor, nobody_yet: Family, path: str) -> None:
    assert maria.post(path, page=START).status_code == 200
    assert nobody_yet.catalogue.libraries.all() == []
