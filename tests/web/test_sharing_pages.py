"""Sharing a library, and looking at somebody else's: nothing of their other libraries is ever to be seen."""

from collections.abc import Iterator

import pytest
from flask import Flask

from plugin.web.app import create_app
from tests.web.conftest import Visitor, logged_in
from tests.web.household import DIARY, Household
from tests.web.test_guard import path_of, rules


@pytest.fixture
def house() -> Iterator[Household]:
    made = Household()
    yield made
    made.family.catalogue.close()


@pytest.fixture
def app(house: Household) -> Flask:
    return create_app(house.family.services)


@pytest.fixture
def nora(app: Flask) -> Visitor:
    return logged_in(app, "neighbour")


def shared_ids(house: Household) -> dict[str, object]:
    face = house.family.face_of("Clara")
    return {
        "owner_id": house.owner,
        "person_id": house.anna,
        "face_id": face,
        "asset_id": house.family.catalogue.faces.get(face).asset_id,
        "library_id": house.family.foreign_library,
    }


def secret_ids(house: Household) -> dict[str, object]:
    return {
        "owner_id": house.owner,
        "person_id": house.xaver,
        "face_id": house.secret_face,
        "asset_id": house.secret_asset,
        "library_id": house.diary.id,
        "event_id": house.family.catalogue.events.all(house.owner, 1)[0].id,
    }


def home(house: Household) -> str:
    return f"/shared/{house.owner}"


# The guard over every rule, as somebody who sees one of two libraries.


def test_every_page_of_the_other_library_does_not_exist(app: Flask, nora: Visitor, house: Household) -> None:
    for rule in rules(app, "GET"):
        if rule.arguments & (secret_ids(house).keys() - {"owner_id"}):
            assert nora.get(path_of(app, rule, secret_ids(house))).status_code == 404, rule


def test_every_form_of_the_other_library_does_not_exist(app: Flask, nora: Visitor, house: Household) -> None:
    token, before = nora.token("/settings"), house.newest()
    for rule in rules(app, "POST"):
        if rule.arguments & (secret_ids(house).keys() - {"owner_id"}):
            fields = {"csrf_token": token, "name": "X", "was": str(house.xaver), "person": str(house.anna)}
            answer = nora.client.post(path_of(app, rule, secret_ids(house)), data=fields)
            assert answer.status_code == (303 if rule.endpoint == "history.undo_back_to" else 404), rule
    assert house.newest() == before
    assert not any(event.undone for event in house.family.catalogue.events.all(house.owner, 9))
    assert house.family.catalogue.people.get(house.xaver, house.owner).name == "Xaver"


def test_no_page_shows_anything_of_the_other_library(app: Flask, nora: Visitor, house: Household) -> None:
    secrets = ["Xaver", DIARY, "diary", f"/faces/{house.secret_face}.webp", f"/faces/{house.anna_in_diary}.webp",
               f"/photos/{house.secret_asset}", f"/people/{house.xaver}"]  # fmt: skip
    looked_at = 0
    shared = shared_ids(house)
    paths = [path_of(app, rule, shared) for rule in rules(app, "GET") if rule.endpoint != "static"]
    paths += [f"{home(house)}?q=x", f"{home(house)}?order=recent"]
    paths.append(f"{home(house)}/photos/{shared['asset_id']}?face={shared['face_id']}")
    for path in paths:
        response = nora.get(path)
        if response.mimetype == "text/html":
            looked_at += path.startswith("/shared/") and response.status_code == 200
            assert not [secret for secret in secrets if secret in response.text], path
    assert looked_at >= 6


def test_the_api_knows_nothing_of_sharing(app: Flask, nora: Visitor, house: Household) -> None:
    ids = shared_ids(house) | {"library_id": house.family.library.id if house.family.library else 0}
    for rule in app.url_map.iter_rules():
        known = rule.arguments & {"person_id", "face_id", "asset_id", "library_id"}
        if rule.rule.startswith("/api/v1/") and "GET" in (rule.methods or set()) and known:
            assert nora.get(path_of(app, rule, ids)).status_code == 404, rule


def test_the_owners_own_addresses_stay_closed(app: Flask, nora: Visitor, house: Household) -> None:
    """What is shared is below `/shared/` only: not one page of one's own opens for it."""
    for rule in rules(app, "GET"):
        if rule.arguments & {"person_id", "face_id", "asset_id"} and "owner_id" not in rule.arguments:
            assert nora.get(path_of(app, rule, shared_ids(house))).status_code == 404, rule


def test_counts_and_years_come_from_shared_photos_alone(nora: Visitor, house: Household) -> None:
    mine = house.family.catalogue.people.get(house.anna, house.owner).photo_count
    assert f"{mine - 1} photos" in nora.text(f"{home(house)}/people/{house.anna}")
    assert f"{mine - 1} photos" in nora.text(home(house))


def test_pictures_are_shown_of_what_is_shared_and_kept_for_minutes_only(nora: Visitor, house: Household) -> None:
    ids = shared_ids(house)
    for path in (f"faces/{ids['face_id']}.webp?v=1", f"photos/{ids['asset_id']}/480.webp?v=1"):
        response = nora.get(f"{home(house)}/{path}")
        assert (response.status_code, response.mimetype) == (200, "image/webp")
        assert response.headers["Cache-Control"] == "private, max-age=300"
    assert nora.get(f"{home(house)}/photos/{ids['asset_id']}/481.webp").status_code == 404


def test_a_hidden_person_is_not_there(nora: Visitor, house: Household) -> None:
    krause = house.family.people["Herr Krause"]
    assert "Krause" not in nora.text(home(house))
    assert nora.get(f"{home(house)}/people/{krause}").status_code == 404
    photo = house.family.catalogue.faces.get(house.family.face_of("Herr Krause")).asset_id
    assert "Krause" not in nora.text(f"{home(house)}/photos/{photo}")


def test_a_share_that_ends_while_a_page_is_open_is_over_with_the_next_click(nora: Visitor, house: Household) -> None:
    page, face = f"{home(house)}/people/{house.anna}", house.family.face_of("Clara")
    assert "Anna" in nora.text(page)
    token = nora.token(page)
    assert house.family.library
    house.sharing.end(house.owner, house.family.library.id, house.family.neighbour.id)
    for path in (home(house), page, f"{home(house)}/faces/{face}.webp"):
        assert nora.get(path).status_code == 404, path
    for path in (f"{page}/rename", f"{home(house)}/faces/{face}/assign"):
        fields = {"csrf_token": token, "name": "X", "was": "Anna", "person": str(house.anna)}
        assert nora.client.post(path, data=fields).status_code == 404, path
    assert "Photos of Maria" not in nora.text("/settings")
    assert house.family.catalogue.people.get(house.anna, house.owner).name == "Anna"


def test_who_may_only_look_is_refused_every_form(app: Flask, nora: Visitor, house: Household) -> None:
    house.share(may_correct=False)
    ids, refused, before = shared_ids(house), 0, house.newest()
    token = nora.token("/settings")
    for rule in rules(app, "POST"):
        if "owner_id" in rule.arguments:
            fields = {"csrf_token": token, "name": "X", "was": str(house.anna), "person": str(house.anna)}
            answer = nora.client.post(path_of(app, rule, ids), data=fields)
            assert (answer.status_code, "Ask Maria" in answer.text) == (403, True), rule
            refused += 1
    assert refused >= 4
    assert house.newest() == before
    assert "<form" not in nora.text(f"{home(house)}/people/{house.anna}").split("<main")[1].split("</main>")[0]


def test_one_account_cannot_look_at_another_that_shares_nothing(app: Flask, house: Household) -> None:
    maria = logged_in(app)
    for path in (f"/shared/{house.family.neighbour.id}", f"/shared/{house.owner}", "/shared/999"):
        assert maria.get(path).status_code == 404, path


# What the pages are for.


def test_the_choice_of_whose_photos_is_on_every_page_and_only_for_those_who_have_it(
    app: Flask, nora: Visitor, house: Household
) -> None:
    for path in ("/", "/settings", "/explore", home(house), f"{home(house)}/people/{house.anna}"):
        assert "Photos of Maria" in nora.text(path), path
    assert "Photos of" not in logged_in(app).text("/")


def test_a_visitor_goes_from_people_to_a_person_to_a_photo(nora: Visitor, house: Household) -> None:
    assert f'href="{home(house)}/people/{house.anna}"' in nora.text(home(house))
    page = nora.text(f"{home(house)}/people/{house.anna}")
    boat = house.family.assets[0]
    assert f'href="{home(house)}/photos/{boat}"' in page
    photo = nora.text(f"{home(house)}/photos/{boat}")
    assert "Anna" in photo
    assert "Clara" in photo
    assert "Family photos of Maria" in photo
    assert "/photos/family" not in photo
    assert "Slideshow of Anna" in nora.text(f"{home(house)}/people/{house.anna}/slideshow?page=2")


def test_a_visitor_corrects_and_the_owner_sees_it_in_the_history(app: Flask, nora: Visitor, house: Household) -> None:
    face, unnamed = house.family.face_of("Clara"), house.family.people[""]
    photo = house.family.catalogue.faces.get(face).asset_id
    panel = f"{home(house)}/photos/{photo}?face={face}"
    answer = nora.post(f"{home(house)}/faces/{face}/assign", page=panel, person=str(house.anna))
    assert "Got it: this is Anna." in answer.text
    answer = nora.post(f"{home(house)}/faces/{face}/reject", page=panel, was=str(house.anna))
    assert "Noted: this is not Anna" in answer.text
    answer = nora.post(f"{home(house)}/faces/{face}/new-person", page=panel, name="Greta")
    assert "Got it: this is Greta." in answer.text
    answer = nora.post(f"{home(house)}/people/{unnamed}/rename", page=f"{home(house)}/people/{unnamed}", name="Ida")
    assert "Hello Ida!" in answer.text
    history = logged_in(app).text("/history")
    for title in (
        "neighbour said that a face is Anna", "neighbour said that a face is not Anna",
        "neighbour said that a face is Greta", "neighbour named somebody Ida",
    ):  # fmt: skip
        assert title in history, title
    assert "neighbour named" not in nora.text("/history")


def test_a_refused_name_is_explained_on_the_page_it_came_from(nora: Visitor, house: Household) -> None:
    page = f"{home(house)}/people/{house.anna}"
    answer = nora.post(f"{page}/rename", page=page, name="\u202e", was="Anna")
    assert "The name contains characters that cannot be shown" in answer.text
    answer = nora.post(f"{page}/rename", page=page, name="Anni", was="Annika")
    assert "Meanwhile this person was given another name" in answer.text


def test_the_owner_shares_changes_and_ends_on_one_page(app: Flask, house: Household) -> None:
    maria, page = logged_in(app), f"/libraries/{house.diary.id}/shares"
    assert f'href="{page}"' in maria.text("/libraries")
    assert "Nobody but you." in maria.text(page)
    nora = str(house.family.neighbour.id)
    answer = maria.post(page, page=page, account=nora, may="look")
    assert "neighbour can look at Diary." in answer.text
    assert house.diary.id in house.view.library_ids
    answer = maria.post(page, page=page, account=nora, may="correct")
    assert "neighbour can look at Diary and correct who is on its photos." in answer.text
    assert house.diary.id in house.view.correctable
    answer = maria.post(f"{page}/end", page=page, account=nora)
    assert "neighbour does not see Diary any more." in answer.text
    assert house.diary.id not in house.view.library_ids


def test_a_library_is_shared_by_its_owner_alone(app: Flask, nora: Visitor, house: Household) -> None:
    maria, page = logged_in(app), f"/libraries/{house.diary.id}/shares"
    for account, status in ((str(house.owner), 200), ("999", 404), ("", 200), ("x", 404)):
        assert maria.post(page, page=page, account=account, may="look").status_code == status, account
    assert nora.get(page).status_code == 404
    assert nora.post(page, account=str(house.family.neighbour.id), may="correct").status_code == 404
    assert nora.post(f"{page}/end", account=str(house.family.neighbour.id)).status_code == 404
    assert [share.library_id for share in house.sharing.shares(house.owner)] == [house.view.library_ids[0]]
