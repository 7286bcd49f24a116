"""People, faces, photos and the rest of the product for programs: the same functions as the pages."""

from io import BytesIO

import pytest
from PIL import Image

from plugin.domain import FaceState
from tests.web.api_client import Program, assert_problem, program
from tests.web.family import PACKS, Family, add_stranger_faces


@pytest.fixture
def api(family: Family) -> Program:
    return program(family)


def names(api: Program, query: str = "") -> list[str]:
    return [person["name"] for person in api.get(f"/people?{query}")["people"]]


def test_people_are_listed_like_on_the_page(api: Program) -> None:
    assert names(api) == ["Anna", "Ben", "Oma Lotte", "", "Clara"]
    assert names(api, "hidden=true&q=herr") == ["Herr Krause"]
    assert names(api, "q=lot") == ["Oma Lotte"]
    assert names(api, "q=nobody") == []


def test_small_people_are_listed_when_asked_for(api: Program, family: Family) -> None:
    family.services.preferences.save(minimum_faces=4)
    assert "" not in names(api)
    assert "" in names(api, "small=true")


def test_a_person_is_changed_in_everything_at_once_and_that_is_one_event(api: Program, family: Family) -> None:
    anna = f"/people/{family.people['Anna']}"
    before = api.get(anna)
    face = family.face_of("Anna", 2)
    wanted = {
        "name": "Anna Maria",
        "birth_date": "1980-07-14",
        "hidden": True,
        "favourite": True,
        "feature_face_id": face,
    }
    changed = api.well("PATCH", anna, wanted)
    assert {key: changed[key] for key in wanted} == wanted
    (event,) = api.get("/history")["events"]
    assert event["title"] == "Changed Anna"
    api.well("POST", "/history/undo", {"event_id": event["id"]})
    assert api.get(anna) == before


def test_what_is_not_sent_stays_and_null_forgets_the_date_of_birth(api: Program, family: Family) -> None:
    anna = f"/people/{family.people['Anna']}"
    api.well("PATCH", anna, {"birth_date": "1980-07-14"})
    assert api.well("PATCH", anna, {})["birth_date"] == "1980-07-14"
    assert api.well("PATCH", anna, {"birth_date": None})["birth_date"] is None
    assert api.get(anna)["name"] == "Anna"


@pytest.mark.parametrize(
    "wrong", [{"birth_date": "2999-01-01"}, {"feature_face_id": "ben"}, {"name": "   "}, {"name": "x" * 201}]
)
def test_when_one_change_is_refused_none_is_made(api: Program, family: Family, wrong: dict[str, object]) -> None:
    anna = f"/people/{family.people['Anna']}"
    before = api.get(anna)
    wrong = {key: family.face_of("Ben") if value == "ben" else value for key, value in wrong.items()}
    assert_problem(api.call("PATCH", anna, {"hidden": True, "favourite": True, **wrong}), 422, "refused")
    assert api.get(anna) == before
    assert api.get("/history")["events"] == []


def test_people_are_merged_and_a_second_click_finds_nobody(api: Program, family: Family) -> None:
    anna, ben = family.people["Anna"], family.people["Ben"]
    faces = api.get(f"/people/{anna}")["face_count"] + api.get(f"/people/{ben}")["face_count"]
    assert api.well("POST", f"/people/{anna}/merge", {"person_ids": [ben, ben]})["face_count"] == faces
    assert_problem(api.call("POST", f"/people/{anna}/merge", {"person_ids": [ben]}), 404, "not_found")
    assert_problem(api.call("POST", f"/people/{anna}/merge", {"person_ids": [anna]}), 422, "refused")


def test_a_person_is_split(api: Program, family: Family) -> None:
    anna = family.people["Anna"]
    assert api.get(f"/people/{anna}/split") == {"parts": []}
    face = family.face_of("Anna")
    new = api.well("POST", f"/people/{anna}/split", {"face_ids": [face]})
    assert family.catalogue.faces.get(face).person_id == new["id"] != anna
    assert_problem(api.call("POST", f"/people/{anna}/split", {"face_ids": [face]}), 422, "refused")


def test_a_deleted_person_is_gone_and_the_faces_stay(api: Program, family: Family) -> None:
    face = family.face_of("Anna")
    api.well("DELETE", f"/people/{family.people['Anna']}")
    assert_problem(api.call("GET", f"/people/{family.people['Anna']}"), 404, "not_found")
    assert api.get(f"/faces/{face}")["state"] == "unassigned"


def test_photos_and_faces_of_a_person_are_listed_in_pages(api: Program, family: Family) -> None:
    anna = f"/people/{family.people['Anna']}"
    everything = api.get(f"{anna}/photos")
    assert everything["total"] == len(everything["assets"]) == 8
    assert everything["assets"][0]["taken_at"] == "2024-07-21T16:05:00"
    assert everything["assets"][-1]["taken_at"] is None
    faces = [face["id"] for page in (1, 2) for face in api.get(f"{anna}/faces?limit=4&page={page}")["faces"]]
    assert len(set(faces)) == 8
    assert all(family.catalogue.faces.get(face).person_id == family.people["Anna"] for face in faces)


def test_a_face_is_corrected_in_every_way(api: Program, family: Family) -> None:
    face = f"/faces/{family.face_of('Anna')}"
    assert api.well("POST", f"{face}/assign", {"person_id": family.people["Ben"]})["person_name"] == "Ben"
    assert api.well("POST", f"{face}/assign", {"name": "Clara"})["person_id"] == family.people["Clara"]
    assert api.well("POST", f"{face}/assign", {"name": "Dora"})["person_name"] == "Dora"
    assert api.well("POST", f"{face}/reject")["person_id"] is None
    assert_problem(api.call("POST", f"{face}/reject"), 422, "refused")
    assert api.well("POST", f"{face}/ignore")["state"] == "ignored"
    assert api.well("POST", f"{face}/restore")["state"] == "pending"
    assert_problem(api.call("POST", f"{face}/restore"), 422, "refused")


def test_pictures_are_webp(api: Program, family: Family) -> None:
    asset, face = family.assets[0], family.face_of("Anna")
    for path, long_side in ((f"/assets/{asset}/preview?size=small", 480), (f"/faces/{face}/thumbnail", 240)):
        response = api.call("GET", path)
        assert response.mimetype == "image/webp"
        assert max(Image.open(BytesIO(response.data)).size) == long_side


def test_a_photo_comes_with_its_faces_and_can_be_looked_at_again(api: Program, family: Family) -> None:
    asset = api.get(f"/assets/{family.assets[0]}")
    assert [face["person_name"] for face in asset["faces"]] == ["Anna", "Ben", "Clara"]
    again = api.call("POST", f"/assets/{family.assets[0]}/refresh")
    assert (again.status_code, again.json and again.json["state"]) == (202, "pending")
    assert "detection" in family.nudge.told


def test_undo_takes_back_only_what_was_meant(api: Program, family: Family) -> None:
    anna = f"/people/{family.people['Anna']}"
    api.well("PATCH", anna, {"name": "One"})
    first = api.get("/history")["standing_id"]
    api.well("PATCH", anna, {"name": "Two"})
    assert_problem(api.call("POST", "/history/undo", {"event_id": first}), 409, "stale")
    assert api.get(anna)["name"] == "Two"
    assert api.well("POST", "/history/undo", {"event_id": api.get("/history")["standing_id"]})["undone"]
    assert api.get(anna)["name"] == "One"


def test_libraries_are_added_scanned_and_removed(api: Program, family: Family) -> None:
    added = api.well("POST", "/libraries", {"path": "/photos/new"})
    assert added["sync_requested_at"]
    assert len(api.get("/libraries")["libraries"]) == 2
    assert api.call("POST", f"/libraries/{added['id']}/scan").status_code == 202
    assert family.nudge.told.count("sync") == 2 or len(family.nudge.told) >= 2
    api.well("DELETE", f"/libraries/{added['id']}")
    assert_problem(api.call("GET", f"/libraries/{added['id']}"), 404, "not_found")
    assert_problem(api.call("POST", "/libraries", {"path": "/nowhere"}), 422, "refused")


def test_the_status_says_what_failed_and_tries_again(api: Program, family: Family) -> None:
    add_stranger_faces(family)
    status = api.get("/status")
    assert (status["asset_count"], status["detection"]["failed"]) == (16, 1)
    assert {failure["code"] for failure in status["failures"]} == {"picture_broken", "folder_unreadable"}
    assert api.well("POST", "/status/retry", {"code": "other"}) == {"count": 0}
    assert api.well("POST", "/status/retry", {}) == {"count": 1}


def test_preferences_are_changed_within_their_ranges(api: Program, family: Family) -> None:
    assert api.well("PATCH", "/preferences", {"minimum_faces": 5, "maximum_distance": 0.4})["minimum_faces"] == 5
    assert family.services.preferences.current().maximum_distance == 0.4
    assert_problem(api.call("PATCH", "/preferences", {"minimum_faces": 0}), 400, "bad_request")
    assert_problem(api.call("PATCH", "/preferences", {"pack": "nothing"}), 404, "not_found")


def test_a_pack_is_used_only_once_its_licence_was_accepted(api: Program, family: Family) -> None:
    refused = api.call("PATCH", "/preferences", {"pack": "buffalo_s"})
    assert_problem(refused, 422, "licence_not_accepted")
    assert api.get("/preferences")["pack"] == PACKS[0].name
    assert api.well("PATCH", "/preferences", {"pack": "buffalo_s", "accept_licence": True})["pack"] == "buffalo_s"
    assert family.applied == ["pull_pack"]
    assert [pack["accepted"] for pack in api.get("/packs")["packs"]] == [True, True, False]


def test_preferences_are_applied_to_what_is_there(api: Program, family: Family) -> None:
    assert api.call("POST", "/preferences/apply", {"action": "detect_missing"}).status_code == 202
    assert family.applied == ["detect_missing"]


def test_an_ignored_face_is_still_on_its_photo(api: Program, family: Family) -> None:
    face = family.face_of("Anna")
    family.services.people.ignore(family.account.id, face)
    asset = family.catalogue.faces.get(face).asset_id
    states = {one["id"]: one["state"] for one in api.get(f"/assets/{asset}")["faces"]}
    assert states[face] == FaceState.IGNORED
