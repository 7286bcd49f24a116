"""What the pages learned last, for programs: sorting, many people at once, photos by people, drawing, likeness."""

import re
from base64 import b64encode
from io import BytesIO

import pytest
from werkzeug.test import TestResponse

from plugin.domain import FaceId, FaceState, TokenScope
from plugin.errors import SearchIndexError
from plugin.suggestions import Suggestions
from plugin.web.app import create_app
from tests.fakes.workshop import photo as painted
from tests.web.api_client import Program, assert_problem, program
from tests.web.conftest import logged_in
from tests.web.family import Family
from tests.web.test_explore_pages import looks_like_painted

BOX = {"x": 0.02, "y": 0.02, "w": 0.08, "h": 0.1}


@pytest.fixture
def api(family: Family) -> Program:
    return program(family, TokenScope.VERDICTS)


def names(api: Program, query: str) -> list[str]:
    return [person["name"] for person in api.get(f"/people?{query}")["people"]]


def paths(api: Program, query: str) -> list[str]:
    return [asset["path"] for asset in api.get(f"/photos?{query}")["assets"]]


def test_people_come_in_the_order_asked_for(api: Program, family: Family) -> None:
    api.well("PATCH", f"/people/{family.people['Clara']}", {"favourite": True})
    assert names(api, "sort=faces") == names(api, "") == ["Anna", "Ben", "Oma Lotte", "", "Clara"]
    assert names(api, "sort=name") == ["Anna", "Ben", "Clara", "Oma Lotte", ""]
    assert names(api, "sort=named") == ["Clara", "Anna", "Ben", "Oma Lotte", ""]
    assert names(api, "sort=recent")[-1] == ""
    assert_problem(api.call("GET", "/people?sort=age"), 400, "bad_request")


def test_only_favourites_are_listed_and_counted_when_asked_for(api: Program, family: Family) -> None:
    api.well("PATCH", f"/people/{family.people['Clara']}", {"favourite": True})
    listed = api.get("/people?favourites=true")
    assert ([person["name"] for person in listed["people"]], listed["total"]) == (["Clara"], 1)


def test_several_people_are_hidden_as_one_event(api: Program, family: Family) -> None:
    ids = [family.people["Anna"], family.people["Ben"], 987654]
    assert api.well("POST", "/people/bulk", {"action": "hide", "person_ids": ids}) == {"count": 2}
    assert names(api, "") == ["Oma Lotte", "", "Clara"]
    (event,) = api.get("/history")["events"]
    api.well("POST", "/history/undo", {"event_id": event["id"]})
    assert "Anna" in names(api, "")


@pytest.mark.parametrize(("action", "field", "value"), [
    ("hide", "hidden", True), ("unhide", "hidden", False), ("favourite", "favourite", True),
    ("unfavourite", "favourite", False),
])  # fmt: skip
def test_each_action_on_several_people_does_what_it_says(
    api: Program, family: Family, action: str, field: str, value: bool
) -> None:
    anna = family.people["Anna"]
    api.well("PATCH", f"/people/{anna}", {field: not value})
    api.well("POST", "/people/bulk", {"action": action, "person_ids": [anna]})
    assert api.get(f"/people/{anna}")[field] is value


def test_strangers_go_with_their_faces(api: Program, family: Family) -> None:
    face = family.face_of("Clara")
    api.well("POST", "/people/bulk", {"action": "strangers", "person_ids": [family.people["Clara"]]})
    assert api.get(f"/faces/{face}")["state"] == "ignored"
    assert "Clara" not in names(api, "")


def test_nobody_of_another_account_is_among_several(api: Program, family: Family) -> None:
    before = family.catalogue.people.get(family.foreign_person, family.neighbour.id)
    answer = api.call("POST", "/people/bulk", {"action": "strangers", "person_ids": [family.foreign_person]})
    assert_problem(answer, 404, "not_found")
    assert family.catalogue.people.get(family.foreign_person, family.neighbour.id) == before


def test_photos_are_found_by_who_is_on_them(api: Program, family: Family) -> None:
    anna, ben, clara = (family.people[name] for name in ("Anna", "Ben", "Clara"))
    assert paths(api, f"all={anna}&all={ben}") == ["2024/Lake/boat.jpg", "2024/Lake/ben and anna.jpg"]
    assert paths(api, f"all={anna}&all={ben}&none={clara}") == ["2024/Lake/ben and anna.jpg"]
    assert paths(api, f"all={anna}&any={ben}&any={clara}") == ["2024/Lake/boat.jpg", "2024/Lake/ben and anna.jpg"]
    assert paths(api, f"all={clara}&only=true") == ["2024/Lake/clara.jpg"]
    assert paths(api, "least=3") == ["2024/Lake/boat.jpg"]
    assert paths(api, f"all={ben}&from=2024-06-02&to=2024-06-02") == ["2024/Garden/lotte and ben.jpg"]
    assert family.library
    assert len(paths(api, f"library={family.library.id}")) == len(family.assets)


def test_pages_of_found_photos_keep_everybody_asked_for(api: Program, family: Family) -> None:
    anna, ben = family.people["Anna"], family.people["Ben"]
    first = api.call("GET", f"/photos?all={anna}&all={ben}&limit=1")
    assert first.json
    assert first.json["total"] == 2
    (following,) = re.findall(r'<([^>]+)>; rel="next"', first.headers["Link"])
    second = api.get(following.removeprefix("/api/v1"))
    assert [asset["path"] for asset in second["assets"]] == ["2024/Lake/ben and anna.jpg"]
    assert second["total"] == 2


def test_photos_of_others_are_not_found(api: Program, family: Family) -> None:
    assert "private.jpg" not in paths(api, "limit=500")
    for query in (f"all={family.foreign_person}", f"none={family.foreign_person}", f"library={family.foreign_library}"):
        assert_problem(api.call("GET", f"/photos?{query}"), 404, "not_found")


@pytest.mark.parametrize("query", ["all=x", "from=yesterday", "least=0", "least=51", "who=1", "&".join(["any=1"] * 31)])
def test_a_search_that_cannot_be_understood_is_refused(api: Program, query: str) -> None:
    assert_problem(api.call("GET", f"/photos?{query}"), 400, "bad_request")


def test_nobody_else_needs_somebody(api: Program) -> None:
    assert_problem(api.call("GET", "/photos?only=true"), 422, "refused")


def test_a_face_is_drawn_and_deleted_again(api: Program, family: Family) -> None:
    faces = f"/assets/{family.assets[0]}/faces"
    drawn = api.well("POST", faces, {"box": BOX, "name": "Emil"})
    assert (drawn["box"], drawn["drawn"], drawn["person_name"]) == (BOX, True, "Emil")
    assert_problem(api.call("POST", faces, {"box": BOX}), 422, "refused")
    api.well("DELETE", f"/faces/{drawn['id']}")
    assert_problem(api.call("GET", f"/faces/{drawn['id']}"), 404, "not_found")
    newest = api.get("/history")["standing_id"]
    api.well("POST", "/history/undo", {"event_id": newest})
    assert api.get(f"/faces/{drawn['id']}")["person_name"] == "Emil"


def test_a_drawn_box_is_moved_and_one_that_detection_found_is_not(api: Program, family: Family) -> None:
    drawn = api.well("POST", f"/assets/{family.assets[0]}/faces", {"box": BOX, "name": "Emil"})
    elsewhere = {"x": 0.01, "y": 0.6, "w": 0.11, "h": 0.2}
    moved = api.well("PUT", f"/faces/{drawn['id']}/box", elsewhere)
    assert (moved["box"], moved["person_name"]) == (elsewhere, "Emil")
    assert api.get("/history")["events"][0]["title"] == "Moved the box of a face"
    answer = api.call("PUT", f"/faces/{family.face_of('Anna')}/box", elsewhere)
    assert_problem(answer, 422, "refused")
    assert_problem(api.call("PUT", f"/faces/{drawn['id']}/box", {**elsewhere, "w": 0}), 400, "bad_request")


def by_picture(api: Program, picture: bytes, **more: object) -> TestResponse:
    return api.call("POST", "/search/by-picture", {"picture": b64encode(picture).decode(), **more})


def test_a_picture_finds_the_nearest_faces_and_people(api: Program, family: Family) -> None:
    looks_like_painted(family, "Ben", 9)
    answer = by_picture(api, painted([(9, 100, 100, 160), (3, 400, 100, 160)]), limit=5)
    assert answer.status_code == 200, answer.text
    first, second = answer.get_json()["found"]
    assert first["people"][0]["person_id"] == family.people["Ben"]
    assert first["people"][0]["distance"] < 0.1 < second["people"][0]["distance"]
    assert len(first["faces"]) == 5
    assert first["faces"][0]["face"]["person_name"] == "Ben"
    assert first["box"]["x"] < second["box"]["x"]
    assert family.catalogue.assets.counts(family.account.id)[0] == 14


@pytest.mark.parametrize("content", [b"%PDF-1.4 no picture", b"\xff\xd8\xff\xe0 cut off", b"GIF89a"])
def test_what_is_no_picture_is_refused(api: Program, content: bytes) -> None:
    assert_problem(by_picture(api, content), 422, "refused")


@pytest.mark.parametrize("text", ["no base64!", "ünïcode", "A"])
def test_what_is_not_base64_is_refused(api: Program, text: str) -> None:
    assert_problem(api.call("POST", "/search/by-picture", {"picture": text}), 422, "refused")


def test_a_picture_that_is_too_large_for_a_program_is_refused(api: Program) -> None:
    large = painted([]) + b"\0" * (5 * 2**20)
    assert by_picture(api, large).get_json() == {"found": []}
    assert by_picture(api, b"\0" * (26 * 2**20)).status_code in {400, 413}


def test_pages_and_programs_of_an_account_share_a_count_of_pictures(family: Family) -> None:
    app = create_app(family.services)
    api, maria, picture = program(family, app=app), logged_in(app), painted([])
    for number in range(20):
        assert by_picture(api, picture).status_code == 200, number
    assert_problem(by_picture(api, picture), 429, "too_many_attempts")
    form = {"csrf_token": maria.token("/explore/face"), "picture": (BytesIO(picture), "me.png")}
    answer = maria.client.post("/explore/face", data=form)
    assert (answer.status_code, "Wait a few minutes" in answer.text) == (429, True)
    assert maria.get("/explore/face").status_code == 200
    neighbour = logged_in(app, "neighbour")
    form = {"csrf_token": neighbour.token("/explore/face"), "picture": (BytesIO(picture), "me.png")}
    assert neighbour.client.post("/explore/face", data=form).status_code == 200


def test_a_face_that_detection_found_cannot_be_deleted(api: Program, family: Family) -> None:
    assert_problem(api.call("DELETE", f"/faces/{family.face_of('Anna')}"), 422, "refused")
    assert api.get(f"/faces/{family.face_of('Anna')}")["drawn"] is False


@pytest.mark.parametrize("box", [{}, {**BOX, "x": -0.1}, {**BOX, "w": 0}, {**BOX, "h": "tall"}, {**BOX, "z": 1}])
def test_a_box_that_is_none_is_not_drawn(api: Program, family: Family, box: dict[str, object]) -> None:
    answer = api.call("POST", f"/assets/{family.assets[0]}/faces", {"box": box})
    assert_problem(answer, 400, "bad_request")


def test_a_photo_out_of_reach_is_drawn_on_later(api: Program, family: Family) -> None:
    family.pictures.unreachable.add(family.assets[0])
    assert api.call("POST", f"/assets/{family.assets[0]}/faces", {"box": BOX}).status_code == 503


def test_faces_like_one_are_found_nearest_first(api: Program, family: Family) -> None:
    face = family.face_of("Anna")
    near = api.get(f"/faces/{face}/similar?limit=10")["faces"]
    assert [one["face"]["person_name"] for one in near[:7]] == ["Anna"] * 7
    assert face not in [one["face"]["id"] for one in near]
    distances = [one["distance"] for one in near]
    assert distances == sorted(distances)


def test_a_search_index_that_is_not_ready_says_so(
    api: Program, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_ready(*_: object) -> None:
        raise SearchIndexError("The search index is being built", "Try again in a minute")

    monkeypatch.setattr(family.services.face_search, "like_face", not_ready)
    answer = api.call("GET", f"/faces/{family.face_of('Anna')}/similar")
    assert answer.status_code == 503


def test_everything_since_an_event_is_taken_back(api: Program, family: Family) -> None:
    anna = f"/people/{family.people['Anna']}"
    for name in ("One", "Two", "Three"):
        api.well("PATCH", anna, {"name": name})
    three, two, _one = (event["id"] for event in api.get("/history")["events"])
    refused = api.call("POST", "/history/undo-back-to", {"event_id": two, "standing_id": two})
    assert_problem(refused, 422, "refused")
    undone = api.well("POST", "/history/undo-back-to", {"event_id": two, "standing_id": three})
    assert [event["id"] for event in undone["events"]] == [three, two]
    assert api.get(anna)["name"] == "One"


def test_faces_of_nobody_come_page_by_page_singles_last(api: Program, family: Family, loose: list[FaceId]) -> None:
    single = family.face_of("Clara")
    api.well("POST", f"/faces/{single}/reject")
    family.catalogue.faces.set_state([single], FaceState.UNASSIGNED)
    first, second = (api.get(f"/unassigned?limit=1&page={page}") for page in (1, 2))
    assert (first["groups"], second["groups"]) == ([loose], [[single]])
    assert (first["total"], first["faces"], first["singles"]) == (2, 3, 1)


def test_faces_taken_away_are_listed_and_brought_back_together(
    api: Program, family: Family, loose: list[FaceId]
) -> None:
    api.well("POST", "/unassigned/ignore", {"face_ids": loose})
    listed = api.get("/unassigned/ignored")
    assert ({face["id"] for face in listed["faces"]}, listed["total"]) == (set(loose), 2)
    shown = {"face_ids": [*loose, family.face_of("Anna")]}
    assert_problem(api.call("POST", "/unassigned/restore", shown), 422, "refused")
    api.well("POST", "/unassigned/restore", {"face_ids": loose})
    assert api.get("/unassigned/ignored")["faces"] == []
    assert_problem(api.call("POST", "/unassigned/restore", {"face_ids": [family.foreign_face]}), 404, "not_found")


def test_questions_that_are_known_are_not_worked_out_anew_for_a_program(
    api: Program, loose: list[FaceId], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = api.get("/suggestions")
    assert first["total"] == len(first["suggestions"]) > 0

    def slow(*_: object) -> None:
        raise AssertionError("worked out in front of the program")

    monkeypatch.setattr(Suggestions, "ranked", slow)
    assert api.get("/suggestions") == first
    assert api.get("/suggestions?limit=1")["suggestions"] == first["suggestions"][:1]
