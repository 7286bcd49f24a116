"""Privacy: counts, typed confirmations, the export; nothing of anybody else."""

import zipfile
from io import BytesIO

import pytest
from flask import Flask

from tests.web.conftest import Visitor, logged_in
from tests.web.family import Family


def test_the_page_counts_what_is_held(maria: Visitor, family: Family) -> None:
    held = family.services.privacy.held(family.account.id)
    page = maria.text("/settings/privacy")
    assert f"<strong>{held.faces}</strong> faces" in page
    assert f"<strong>{held.people}</strong> people" in page
    assert "2 backups (8 MB) still hold" in page


def test_everything_of_the_account_is_downloaded_as_one_zip(maria: Visitor) -> None:
    response = maria.get("/settings/privacy/export")
    assert response.headers["Content-Disposition"] == 'attachment; filename="kinfolk-export.zip"'
    assert response.headers["Cache-Control"] == "no-store"
    archive = zipfile.ZipFile(BytesIO(response.data))
    assert b"Oma Lotte" in archive.read("people.ndjson")
    assert b"private.jpg" not in archive.read("faces.ndjson")
    assert len([name for name in archive.namelist() if name.startswith("thumbnails/")]) == len(
        archive.read("faces.ndjson").splitlines()
    )


def test_a_person_is_forgotten_only_when_their_name_was_typed(maria: Visitor, family: Family) -> None:
    anna, face = family.people["Anna"], family.face_of("Anna")
    form = f"/settings/privacy/people/{anna}"
    page = maria.text(form)
    assert "Forget Anna for good?" in page
    assert "This cannot be undone" in page
    for typed in ("", "Ben"):
        assert "Nothing was deleted" in maria.post(form, page=form, typed=typed).text
    assert family.catalogue.people.get(anna, family.account.id).name == "Anna"
    said = maria.post(form, page=form, typed="  ANNA ").text
    assert "Anna was forgotten." in said
    for gone in (f"/people/{anna}", f"/faces/{face}.webp", form):
        assert maria.get(gone).status_code == 404
    assert "Anna" not in maria.text("/history")


def test_a_person_without_a_name_is_forgotten_by_a_word(maria: Visitor, family: Family) -> None:
    form = f"/settings/privacy/people/{family.people['']}"
    assert "Type forget to confirm" in maria.text(form)
    assert "The person without a name was forgotten." in maria.post(form, page=form, typed="forget").text


def test_a_double_click_forgets_once_and_breaks_nothing(maria: Visitor, family: Family) -> None:
    form = f"/settings/privacy/people/{family.people['Anna']}"
    token = maria.token(form)
    answers = [maria.client.post(form, data={"csrf_token": token, "typed": "Anna"}).status_code for _ in range(2)]
    assert answers == [303, 404]


@pytest.mark.parametrize(("what", "named_left"), [("faces", 5), ("everything", 0)])
def test_all_faces_or_everything_are_forgotten_once_the_own_name_was_typed(
    maria: Visitor, family: Family, what: str, named_left: int
) -> None:
    form = f"/settings/privacy/forget/{what}"
    assert "Nothing was deleted" in maria.post(form, page=form, typed="neighbour").text
    maria.post(form, page=form, typed="Maria")
    held = family.services.privacy.held(family.account.id)
    assert (held.faces, held.embeddings, held.events, held.named_people) == (0, 0, 0, named_left)
    assert family.catalogue.faces.get(family.foreign_face).id == family.foreign_face
    assert maria.get("/").status_code == 200


def test_forgotten_places_are_looked_at_again_when_asked(maria: Visitor, family: Family) -> None:
    form = f"/settings/privacy/people/{family.people['Clara']}"
    maria.post(form, page=form, typed="Clara")
    page = maria.text("/settings/privacy")
    assert "2 places on your photos are not looked at again" in page
    said = maria.post("/settings/privacy/find-again", page="/settings/privacy").text
    assert "2 photos are looked at again." in said
    assert family.nudge.told[-1] == "detection"


def test_backups_are_replaced_after_a_typed_word(maria: Visitor, family: Family) -> None:
    form = "/settings/privacy/copies"
    assert "kinfolk-20240721T020000Z.zip" in maria.text(form)
    assert "Nothing was deleted" in maria.post(form, page=form, typed="yes").text
    assert "2 earlier copies were deleted" in maria.post(form, page=form, typed="delete").text
    assert len(family.services.privacy.copies()) == 1


def test_a_member_forgets_only_their_own_and_sees_no_backups(app: Flask, family: Family) -> None:
    neighbour = logged_in(app, "neighbour")
    assert "kinfolk-2024" not in neighbour.text("/settings/privacy")
    assert neighbour.get("/settings/privacy/copies").status_code == 403
    assert neighbour.get(f"/settings/privacy/people/{family.people['Anna']}").status_code == 404
    assert "Anna" not in neighbour.text("/settings/privacy/people")
    form = "/settings/privacy/forget/everything"
    neighbour.post(form, page=form, typed="neighbour")
    assert family.services.privacy.held(family.account.id).faces > 0


def test_there_is_nothing_else_to_forget(maria: Visitor) -> None:
    assert maria.get("/settings/privacy/forget/photos").status_code == 404
