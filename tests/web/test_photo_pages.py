"""One photo, its faces and its pictures."""

import io
import re

import pytest
from PIL import Image

from plugin.domain import FaceState
from tests.web.conftest import Visitor
from tests.web.family import Family, add_stranger_faces


@pytest.fixture
def beach(family: Family) -> int:
    return add_stranger_faces(family)


def test_every_face_is_a_link_with_its_name_in_the_right_place(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/photos/{family.assets[0]}")
    assert 'viewBox="0 0 1000.0 666.7"' in page
    assert '<rect x="120.0" y="213.3" width="170.0" height="190.4"' in page
    for name in ("Anna", "Ben", "Clara"):
        assert f"<title>{name}</title>" in page
        assert f'aria-label="{name}: change who this is"' in page


def test_date_library_and_path_are_told(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/photos/{family.assets[0]}")
    for said in ("21 July 2024, 16:05", "boat.jpg", "2024/Lake", "Family photos", "1,200 \u00d7 800"):
        assert said in page


def test_the_photos_before_and_after_are_linked(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/photos/{family.assets[2]}")
    assert f'rel="prev" href="/photos/{family.assets[3]}"' in page
    assert f'rel="next" href="/photos/{family.assets[1]}"' in page


def test_faces_of_a_video_are_listed_but_not_drawn(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/photos/{family.assets[12]}")
    assert "<rect" not in page.split('class="stage"')[1].split('class="aside"')[0]
    assert 'class="chip named"' in page


def test_an_unknown_face_is_given_to_somebody_known(maria: Visitor, family: Family, beach: int) -> None:
    face = family.faces_of(beach)[0]
    page = f"/photos/{beach}?face={face}"
    assert "Who is this?" in maria.text(page)
    answer = maria.post(f"/faces/{face}/assign", page=page, person=str(family.people["Clara"]))
    assert "Got it: this is Clara." in answer.text
    stored = family.catalogue.faces.get(face)
    assert (stored.person_name, stored.assigned_by) == ("Clara", "user")
    assert "You said so." in maria.text(page)


def test_candidates_are_named_people_first_and_can_be_searched(maria: Visitor, family: Family, beach: int) -> None:
    page = f"/photos/{beach}?face={family.faces_of(beach)[0]}"
    text = maria.text(page)
    assert text.index("Oma Lotte") < text.index("No name yet")
    found = maria.text(f"{page}&q=cla").split('id="candidates"')[1]
    assert "Clara" in found
    assert "Oma Lotte" not in found
    assert "Nobody called “zoe”." in maria.text(f"{page}&q=zoe")


def test_the_person_a_face_has_is_not_offered_again(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/photos/{family.assets[0]}?face={family.faces_of(family.assets[0])[0]}")
    assert f'name="person" value="{family.people["Anna"]}"' not in page


def test_an_unknown_face_becomes_a_new_person(maria: Visitor, family: Family, beach: int) -> None:
    face = family.faces_of(beach)[0]
    answer = maria.post(f"/faces/{face}/new-person", page=f"/photos/{beach}?face={face}", name="Emil")
    assert "Hello Emil!" in answer.text
    assert family.catalogue.faces.get(face).person_name == "Emil"


def test_a_new_person_with_a_name_somebody_has_is_that_person(maria: Visitor, family: Family, beach: int) -> None:
    face = family.faces_of(beach)[0]
    answer = maria.post(f"/faces/{face}/new-person", name="clara")
    assert "this is Clara, whom you already have" in answer.text
    assert family.catalogue.faces.get(face).person_id == family.people["Clara"]


def test_a_face_that_is_not_the_person_is_taken_back_for_good(maria: Visitor, family: Family) -> None:
    face, asset = family.face_of("Ben"), family.catalogue.faces.get(family.face_of("Ben")).asset_id
    answer = maria.post(f"/faces/{face}/reject", page=f"/photos/{asset}?face={face}")
    assert "this is not Ben, and will not be again" in answer.text
    assert family.catalogue.faces.get(face).person_id is None
    assert family.catalogue.verdicts.rejected_persons(face) == {family.people["Ben"]}


def test_a_face_that_belongs_to_nobody_cannot_be_rejected(maria: Visitor, family: Family, beach: int) -> None:
    face = family.faces_of(beach)[0]
    page = f"/photos/{beach}?face={face}"
    assert "Not this person" not in maria.text(page)
    assert "belongs to nobody yet" in maria.post(f"/faces/{face}/reject", page=page).text


def test_a_face_is_taken_away_and_brought_back(maria: Visitor, family: Family, beach: int) -> None:
    face = family.faces_of(beach)[1]
    page = f"/photos/{beach}?face={face}"
    answer = maria.post(f"/faces/{face}/ignore", page=page).text
    assert "The face was taken away." in answer
    assert answer.count('class="box') == 2
    assert 'class="chip ignored"' in answer
    assert family.catalogue.faces.get(face).state is FaceState.IGNORED
    assert "You said this is nobody." in maria.text(page)
    assert "The face is back." in maria.post(f"/faces/{face}/restore", page=page).text
    assert family.catalogue.faces.get(face).state is FaceState.PENDING


def test_a_face_of_another_photo_is_not_found(maria: Visitor, family: Family) -> None:
    face = family.faces_of(family.assets[3])[0]
    assert maria.get(f"/photos/{family.assets[0]}?face={face}").status_code == 404


def test_thumbnails_and_previews_are_webp(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/photos/{family.assets[0]}")
    for source in re.findall(r'<img[^>]* src="(/[^"]+\.webp\?v=[0-9a-f]+)"', page):
        response = maria.get(source)
        assert response.mimetype == "image/webp"
        assert Image.open(io.BytesIO(response.data)).format == "WEBP"


def test_only_the_sizes_offered_are_made(maria: Visitor, family: Family) -> None:
    assert maria.get(f"/photos/{family.assets[0]}/480.webp").status_code == 200
    assert maria.get(f"/photos/{family.assets[0]}/481.webp").status_code == 404


def test_a_picture_the_host_cannot_give_is_drawn_as_missing_and_asked_for_again(maria: Visitor, family: Family) -> None:
    family.pictures.unreachable.add(family.assets[0])
    for path in (f"/photos/{family.assets[0]}/480.webp?v=1", f"/faces/{family.faces_of(family.assets[0])[0]}.webp?v=1"):
        response = maria.get(path)
        assert (response.status_code, response.mimetype) == (404, "image/svg+xml")
        assert response.headers["Cache-Control"] == "no-store"
