"""What PhotoPrism says of markers and people is believed only where it has the form it should have."""

import math
from typing import Any

import pytest
from werkzeug.wrappers import Response

from plugin.domain import Box
from plugin.errors import AssetGone, HostUnreachable
from plugin.hosts.network.login import Login
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.markers import Markers, inside, marked_photo, marker_of
from plugin.writeback.marker_names import within
from tests.fakes.photoprism import FakePhotoPrism

MARKER: dict[str, Any] = {
    "UID": "ms00000000000001", "Type": "face", "X": 0.1, "Y": 0.2, "W": 0.3, "H": 0.4, "Src": "manual",
    "Name": "Anna", "SubjUID": "js00000000000001", "SubjSrc": "manual", "Invalid": False,
}  # fmt: skip
FILE = "fs00000000000001"


def test_a_marker_is_read_as_it_is() -> None:
    found = marker_of(MARKER)
    assert found is not None
    assert (found.id, found.subject, found.name) == ("ms00000000000001", "js00000000000001", "Anna")
    assert [found.box.x, found.box.y, found.box.w, found.box.h] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert (found.by_hand, found.drawn, found.invalid) == (True, True, False)


@pytest.mark.parametrize(
    "odd",
    [
        {"UID": None}, {"UID": 7}, {"UID": "../markers"}, {"UID": "ms1"}, {"X": None}, {"X": "0.1"}, {"W": 0},
        {"W": -1}, {"X": math.nan}, {"H": math.inf}, {"X": 1.2}, {"Y": -5}, {"X": 10**400}, {"W": -(10**400)},
    ],
)  # fmt: skip
def test_what_is_no_marker_is_none(odd: dict[str, Any]) -> None:
    assert marker_of(MARKER | odd) is None
    photo = marked_photo("ps00000000000001", {"UID": FILE, "Markers": [MARKER | odd, MARKER, MARKER]})
    assert photo is not None
    assert [marker.id for marker in photo.markers] == ["ms00000000000001"], "one that is told twice is one"
    assert photo.unusable == 1


@pytest.mark.parametrize(
    ("odd", "is_named"),
    [({"SubjUID": "/../x"}, False), ({"SubjUID": None}, False), ({"Name": ["x"]}, True), ({"Invalid": "no"}, True)],
)
def test_odd_fields_of_a_marker_say_nothing(odd: dict[str, Any], is_named: bool) -> None:
    found = marker_of(MARKER | odd)
    assert found is not None
    assert bool(found.subject) is is_named
    assert not found.invalid


@pytest.mark.parametrize("file", [{}, {"UID": 5}, {"UID": "x"}, {"UID": "../.."}])
def test_a_photo_without_a_file_takes_no_markers(file: dict[str, Any]) -> None:
    assert marked_photo("ps00000000000001", file) is None


@pytest.mark.parametrize("told", [None, "x", {}, [1, None], [{"Type": "label"}]])
def test_markers_that_are_none_are_none(told: object) -> None:
    photo = marked_photo("ps00000000000001", {"UID": FILE, "Markers": told})
    assert photo is not None
    assert (photo.markers, photo.unusable) == ((), 0)


def test_boxes_are_cut_to_the_picture_and_those_outside_are_none() -> None:
    found = inside(-0.1, 0.5, 0.4, 0.2)
    assert found is not None
    assert found.x == 0.0
    assert found.w == pytest.approx(0.3)
    assert inside(0.9, 0.9, 0.4, 0.4) is None
    assert inside(0.1, 0.1, 0.1) is None


@pytest.mark.parametrize("box", [Box(0, 0, 1, 1), Box(-0.2, 0.5, 0.3, 0.2), Box(0.99, 0.99, 0.5, 0.5), Box(2, 2, 1, 1)])
def test_boxes_that_are_sent_are_ones_photoprism_takes(box: Box) -> None:
    sent = within(box)
    assert 0 < sent.x < 1
    assert 0 < sent.y < 1
    assert 0 < sent.w <= 1
    assert 0 < sent.h <= 1
    assert sent.x + sent.w <= 1.001


@pytest.mark.parametrize("body", ["<html>", "{}", "5", '"x"'])
def test_an_answer_that_lists_no_people_is_no_empty_list(body: str) -> None:
    with FakePhotoPrism() as server:
        server.interfere = lambda _request: Response(body, content_type="application/json")
        client = PhotoPrismClient(Login(server.address, "app", server.library.token()))
        with pytest.raises(HostUnreachable):
            Markers(client).subjects()
        client.close()


def test_odd_people_are_left_out_and_many_come_page_by_page() -> None:
    with FakePhotoPrism() as server:
        for number in range(1001):
            server.library.people.detect(FILE, (0.1, 0.1, 0.1, 0.1), guess=f"Person {number}")
        server.library.people.subjects["odd"] = "Odd"
        client = PhotoPrismClient(Login(server.address, "app", server.library.token()))
        found = Markers(client).subjects()
        client.close()
    assert len(found) == 1001
    assert "odd" not in found


@pytest.mark.parametrize("name", ["", "m1", "../config", "ms0000000000000/", "ps00000000000001"])
def test_no_other_address_is_asked_for_a_marker_or_a_person(name: str) -> None:
    with FakePhotoPrism() as server:
        client = PhotoPrismClient(Login(server.address, "app", server.library.token()))
        with pytest.raises(AssetGone):
            Markers(client).clear(name, lambda: None)
        with pytest.raises(AssetGone):
            Markers(client).rename(name, "Anna")
        client.close()
        assert server.seen == []
