"""The page of a person: months, ages, wrong photos, similar faces, slideshow and download; and input that is off."""

import io
import re
import zipfile
from datetime import date

import pytest

from plugin.domain import FaceId
from tests.web.conftest import Visitor
from tests.web.family import Family
from tests.web.test_people_bulk import ticks, undo

PERSIAN = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
"""Alireza: between its two parts stands a joiner of no width, which belongs there."""


def path_of(family: Family, name: str = "Anna", rest: str = "") -> str:
    return f"/people/{family.people[name]}{rest}"


def photos_of(family: Family, name: str) -> int:
    return family.catalogue.people.get(family.people[name], family.account.id).photo_count


def test_the_jump_bar_leads_to_each_month_on_its_page(
    maria: Visitor, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.web.person_page.PAGE_SIZE", 3)
    person = path_of(family)
    page = maria.text(person)
    for target in ("#month-2024-07", "?page=2#month-2024-06", "?page=2#month-2023-12", "?page=3#month-unknown"):
        assert f'href="{person}{target}"' in page
        number, _, anchor = target.partition("#")
        assert f'id="{anchor}"' in maria.text(person + number), "the month begins on that page"


def test_a_month_over_two_pages_is_jumped_to_once(
    maria: Visitor, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.web.person_page.PAGE_SIZE", 2)
    first, second = maria.text(path_of(family)), maria.text(path_of(family, rest="?page=2"))
    assert "<h2>July 2024</h2>" in first
    assert "<h2>July 2024</h2>" in second
    assert (first.count('id="month-2024-07"'), second.count('id="month-2024-07"')) == (1, 0)


def test_the_next_photos_alone_are_sent_to_the_end_of_the_page(
    maria: Visitor, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.web.person_page.PAGE_SIZE", 3)
    more = maria.get(path_of(family, rest="?page=2"), headers={"HX-Request": "true", "HX-Target": "more"}).text
    assert more.lstrip().startswith('<section class="month"')
    assert more.count('name="photo"') == 3
    assert "<h1" not in more


def test_ages_stand_beside_the_photos_once_the_birth_date_is_known(maria: Visitor, family: Family) -> None:
    assert "months</span>" not in maria.text(path_of(family, "Clara"))
    family.services.people.set_birth_date(family.account.id, family.people["Clara"], date(2023, 6, 19))
    page = maria.text(path_of(family, "Clara"))
    assert re.findall(r'badge age">([^<]+)<', page) == ["13 months", "12 months"]


def test_a_favourite_is_made_and_unmade_by_the_star(maria: Visitor, family: Family) -> None:
    person = path_of(family)
    page = maria.post(person + "/favourite", page=person, favourite="yes").text
    assert "Anna is a favourite now." in page
    assert 'aria-pressed="true"' in page
    assert "no favourite any more" in maria.post(person + "/favourite", page=person, favourite="no").text
    undo(maria, family)
    assert family.catalogue.people.get(family.people["Anna"], family.account.id).favourite


def test_people_often_together_are_shown_with_how_many_photos(maria: Visitor, family: Family) -> None:
    page = maria.text(path_of(family)).split('id="together"')[1].split("</section>")[0]
    people = re.findall(r'<span dir="auto">([^<]+)</span><span class="soft small">([^<]+)<', page)
    assert people[0] == ("Ben", "2 photos")
    assert {name for name, _ in people} == {"Ben", "Clara", "Oma Lotte", "No name yet"}


def test_photos_that_do_not_show_the_person_are_ticked_and_taken_away_and_undone(
    maria: Visitor, family: Family
) -> None:
    person, wrong = path_of(family), family.assets[:2]
    page = maria.post(person + "/not", ticks({"photo": [str(asset) for asset in wrong]}), page=person).text
    assert "2 faces are not Anna." in page
    assert 'id="undo"' in page
    assert photos_of(family, "Anna") == 6
    assert photos_of(family, "Ben") == 4, "others on the same photos stay"
    undo(maria, family)
    assert photos_of(family, "Anna") == 8


def test_one_photo_is_taken_away_by_its_own_button_whatever_is_ticked(maria: Visitor, family: Family) -> None:
    person, (one, other) = path_of(family), family.assets[:2]
    page = maria.post(person + "/not", ticks({"photo": [str(other)], "only": str(one)}), page=person).text
    assert "1 face is not Anna." in page
    assert [face.asset_id for face in family.catalogue.faces.of_person(family.people["Anna"], 1, 99)].count(other) == 1


def test_a_page_older_than_what_it_shows_takes_nothing_away_twice(maria: Visitor, family: Family) -> None:
    person, wrong = path_of(family), str(family.assets[0])
    maria.post(person + "/not", page=person, photo=wrong)
    assert "taken away already" in maria.post(person + "/not", page=person, photo=wrong).text
    assert "No photos were chosen" in maria.post(person + "/not", page=person).text
    assert len(family.catalogue.events.all(family.account.id, 9)) == 1


def test_similar_faces_are_loaded_at_the_end_and_confirmed(maria: Visitor, family: Family, loose: list[FaceId]) -> None:
    ben = path_of(family, "Ben")
    assert f'hx-get="{ben}/similar"' in maria.text(ben)
    fragment = maria.get(ben + "/similar", headers={"HX-Request": "true"}).text
    assert [int(face) for face in re.findall(r'name="face" value="(\d+)"', fragment)] == loose
    assert "<h1" not in fragment
    assert "Is this Ben, too?" in maria.text(ben + "/similar"), "without JavaScript it is a page"
    page = maria.post(ben + "/similar", ticks({"face": [str(face) for face in loose], "answer": "yes"}), page=ben).text
    assert "2 more faces of Ben." in page
    assert photos_of(family, "Ben") == 4
    assert "belong to somebody by now" in maria.post(ben + "/similar", page=ben, face=str(loose[0]), answer="no").text
    undo(maria, family)
    assert photos_of(family, "Ben") == 2


def test_a_similar_face_that_was_refused_is_not_offered_again(
    maria: Visitor, family: Family, loose: list[FaceId]
) -> None:
    ben = path_of(family, "Ben")
    page = maria.post(ben + "/similar", page=ben, face=str(loose[0]), answer="no").text
    assert "1 face is not Ben." in page
    assert f'value="{loose[0]}"' not in maria.text(ben + "/similar")
    assert f'value="{loose[1]}"' in maria.text(ben + "/similar")


def test_nothing_similar_is_said(maria: Visitor, family: Family) -> None:
    assert "No other face looks like this person." in maria.text(path_of(family, rest="/similar"))


def test_people_to_merge_with_come_by_likeness_and_the_direction_is_shown_and_swapped(
    maria: Visitor, family: Family, loose: list[FaceId]
) -> None:
    twin = family.services.people.assign_all_new(family.account.id, loose, "Benno")
    ben = family.people["Ben"]
    page = maria.text(f"/people/{twin}/merge")
    offered = [int(person) for person in re.findall(rf'href="/people/{twin}/merge\?into=(\d+)"', page)]
    assert offered[0] == ben
    assert len(offered) == 6
    assert page.count("Very alike") == 1
    asked = maria.text(f"/people/{twin}/merge?into={ben}")
    assert "The photos of Benno go to Ben." in asked
    assert "The name Benno goes." in asked
    assert f'href="/people/{ben}/merge?into={twin}"' in asked
    assert "The photos of Ben go to Benno." in maria.text(f"/people/{ben}/merge?into={twin}")


def test_a_second_click_on_merge_says_where_the_photos_are(maria: Visitor, family: Family) -> None:
    baby, clara = family.people[""], family.people["Clara"]
    maria.post(f"/people/{baby}/merge", into=str(clara))
    again = maria.post(f"/people/{baby}/merge", into=str(clara))
    assert again.status_code == 404
    assert "not there any more" in again.text
    assert f'href="/people/{clara}"' in again.text


def test_a_merge_into_somebody_deleted_meanwhile_changes_nothing(maria: Visitor, family: Family) -> None:
    baby, clara = family.people[""], family.people["Clara"]
    family.catalogue.people.delete(clara, family.account.id)
    assert maria.post(f"/people/{baby}/merge", into=str(clara)).status_code == 404
    assert photos_of(family, "") == 3


def test_a_name_given_meanwhile_is_shown_before_it_is_replaced(maria: Visitor, family: Family) -> None:
    person = path_of(family, "", "/rename")
    family.services.people.rename(family.account.id, family.people[""], "Emil")
    page = maria.post(person, name="Emma", was="").text
    assert "this person was named Emil" in page
    assert "Call them Emma" in page
    assert family.catalogue.people.get(family.people[""], family.account.id).name == "Emil"
    assert "Emil is now called Emma." in maria.post(person, name="Emma", was="Emil").text


def test_the_same_name_sent_twice_is_no_question(maria: Visitor, family: Family) -> None:
    person = path_of(family, "", "/rename")
    maria.post(person, name="Emil", was="")
    assert "Emil is now called Emil." in maria.post(person, name="Emil", was="").text
    assert len(family.catalogue.events.all(family.account.id, 9)) == 1


def test_a_name_for_somebody_deleted_meanwhile_is_given_back(maria: Visitor, family: Family) -> None:
    family.catalogue.people.delete(family.people["Ben"], family.account.id)
    response = maria.post(path_of(family, "Ben", "/rename"), name="Benjamin <b>")
    assert response.status_code == 404
    assert "Benjamin &lt;b&gt;" in response.text


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("אבא שלי", "אבא שלי"),
        ("An\u200bna\ufeff", "Anna"),
        ("\u200fAnna\u200e", "Anna"),
        (PERSIAN, PERSIAN),
        ("👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_odd_names_are_kept_as_far_as_they_can_be_seen(maria: Visitor, family: Family, name: str, stored: str) -> None:
    person = path_of(family, "Ben", "/rename")
    maria.post(person, name=name, keep_both="1")
    assert family.catalogue.people.get(family.people["Ben"], family.account.id).name == stored
    page = maria.text("/") + maria.text(path_of(family, "Ben")) + maria.text(path_of(family, "Ben", "/merge"))
    assert "<img src=x" not in page


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 10_000, "longer than 200 characters"),
        ("\u200b\u2060\ufeff", "The name is empty"),
        ("\u3164", "The name is empty"),
        ("\u2800", "The name is empty"),
        ("\u200d", "The name is empty"),
        ("evil\u202egnp.exe", "cannot be shown"),
        ("bell\x07", "cannot be shown"),
    ],
)
def test_names_that_cannot_be_seen_are_refused(maria: Visitor, family: Family, name: str, said: str) -> None:
    page = path_of(family, "Ben", "/rename")
    assert said in maria.post(page, page=page, name=name).text
    assert family.catalogue.people.get(family.people["Ben"], family.account.id).name == "Ben"


def test_a_birth_date_after_photos_of_the_person_is_asked_about(maria: Visitor, family: Family) -> None:
    form = path_of(family, rest="/birth-date")
    page = maria.post(form, page=form, birth_date="2024-01-01").text
    assert "Anna is on 2 photos taken before 1 January 2024." in page
    assert family.catalogue.people.birth_dates(family.account.id) == {}
    page = maria.post(form, page=form, birth_date="2024-01-01", sure="yes").text
    assert "Date of birth of Anna saved." in page
    assert "before the birth" in page
    assert photos_of(family, "Anna") == 8


def test_photos_before_the_birth_are_taken_away_with_the_date_and_undone_with_it(
    maria: Visitor, family: Family
) -> None:
    form = path_of(family, rest="/birth-date")
    page = maria.post(form, page=form, birth_date="2024-01-01", sure="without").text
    assert "Date of birth of Anna saved; 2 faces were taken away." in page
    assert photos_of(family, "Anna") == 6
    undo(maria, family)
    assert photos_of(family, "Anna") == 8
    assert family.catalogue.people.birth_dates(family.account.id) == {}


def test_a_birth_date_in_the_future_is_asked_about(maria: Visitor, family: Family) -> None:
    form = path_of(family, "", "/birth-date")
    assert "1 January 2999 is in the future." in maria.post(form, page=form, birth_date="2999-01-01").text
    assert "saved" in maria.post(form, page=form, birth_date="2999-01-01", sure="yes").text


def test_the_slideshow_steps_by_links_and_ends_where_the_photos_end(maria: Visitor, family: Family) -> None:
    show = path_of(family, rest="/slideshow")
    first, last = maria.text(show), maria.text(show + "?page=99")
    assert f'rel="next" href="{show}?page=2"' in first
    assert 'rel="prev"' not in first
    assert "8 of 8" in last
    assert 'rel="next"' not in last
    assert f'data-next="{show}?page=1"' in last, "by itself it begins again"


def test_a_slideshow_of_nobody_leads_back(maria: Visitor, family: Family) -> None:
    empty = family.catalogue.people.add(family.account.id, "Empty")
    assert "There are no photos to show." in maria.get(f"/people/{empty}/slideshow", follow_redirects=True).text
    assert maria.get(f"/people/{empty}/photos-1.zip").status_code == 404


def test_the_originals_are_downloaded_as_a_zip(maria: Visitor, family: Family) -> None:
    assert f'href="{path_of(family, "Clara")}/photos-1.zip"' in maria.text(path_of(family, "Clara", "/download"))
    response = maria.get(path_of(family, "Clara", "/photos-1.zip"))
    assert response.headers["Content-Disposition"] == 'attachment; filename="Clara 1.zip"'
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert archive.namelist() == ["boat.jpg", "clara.jpg"]
        assert archive.read("boat.jpg") == b"pixels of 2024/Lake/boat.jpg"


def test_a_download_with_many_photos_comes_in_parts(
    maria: Visitor, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.originals.MOST_PHOTOS", 3)
    monkeypatch.setattr("plugin.web.person_photos.MOST_PHOTOS", 3)
    page = maria.text(path_of(family, rest="/download"))
    assert "Photos 7 to 8" in page
    with zipfile.ZipFile(io.BytesIO(maria.get(path_of(family, rest="/photos-3.zip")).data)) as archive:
        assert len(archive.namelist()) == 2
    assert maria.get(path_of(family, rest="/photos-4.zip")).status_code == 404


def test_photos_lead_back_to_the_host_where_it_shows_them(maria: Visitor, family: Family) -> None:
    assert "photo library" not in maria.text(path_of(family))
    family.host.stable_keys = True
    page = maria.text(path_of(family))
    assert 'href="https://photos.example/f/2024/Lake/boat.jpg"' in page
    assert page.count("Open boat.jpg in the photo library") == 1


def test_a_split_proposal_is_hinted_at(maria: Visitor, family: Family) -> None:
    anna, ben = family.people["Anna"], family.people["Ben"]
    assert f'hx-get="/people/{anna}/split-hint"' in maria.text(path_of(family))
    assert maria.text(path_of(family, rest="/split-hint")).strip() == ""
    family.services.people.merge(family.account.id, anna, [ben, family.people["Oma Lotte"]])
    hint = maria.text(path_of(family, rest="/split-hint"))
    assert "These faces look like 3 different people." in hint
    assert f'href="/people/{anna}/split"' in hint


def test_nothing_about_a_person_of_another_account_is_told(maria: Visitor, family: Family) -> None:
    foreign = f"/people/{family.foreign_person}"
    for rest in ("", "/similar", "/split-hint", "/slideshow", "/download", "/photos-1.zip", "/merge", "/birth-date"):
        response = maria.get(foreign + rest)
        assert response.status_code == 404, rest
        assert "Secret" not in response.text
    anna = family.people["Anna"]
    assert maria.get(f"/people/{anna}/merge?into={family.foreign_person}").status_code == 404
    for rest, fields in {
        "/not": {"photo": str(family.foreign_asset)},
        "/favourite": {"favourite": "yes"},
        "/similar": {"face": str(family.foreign_face), "answer": "yes"},
        "/birth-date": {"birth_date": "2000-01-01"},
        "/merge": {"into": str(anna)},
    }.items():
        assert maria.post(foreign + rest, fields).status_code == 404, rest
    maria.post(f"/people/{anna}/similar", face=str(family.foreign_face), answer="yes")
    maria.post(f"/people/{anna}/not", photo=str(family.foreign_asset))
    assert family.catalogue.faces.get(family.foreign_face).person_id == family.foreign_person
    assert family.catalogue.events.all(family.account.id, 9) == []


@pytest.mark.parametrize(
    ("answer", "person"), [({"name": "ben"}, "Ben"), ({"name": "Emil"}, "Emil"), ({"into": "Clara"}, "Clara")]
)
def test_photos_of_somebody_else_are_given_to_who_it_is(
    maria: Visitor, family: Family, answer: dict[str, str], person: str
) -> None:
    anna, wrong = path_of(family), {"photo": [str(asset) for asset in family.assets[1:3]]}
    page = maria.post(anna + "/move", ticks(wrong), page=anna).text
    assert "Who is on these 2 photos?" in page
    assert photos_of(family, "Anna") == 8, "nothing was changed yet"
    answer = {name: str(family.people.get(value, value)) for name, value in answer.items()}
    page = maria.post(anna + "/move", ticks({**wrong, **answer}), page=anna).text
    assert f"2 faces are {person} now." in page
    assert photos_of(family, "Anna") == 6
    assert "taken away already" in maria.post(anna + "/move", ticks({**wrong, **answer}), page=anna).text
    undo(maria, family)
    assert photos_of(family, "Anna") == 8


def test_photos_are_given_to_nobody_of_another_account(maria: Visitor, family: Family) -> None:
    anna, photo = path_of(family), str(family.assets[1])
    moved = maria.post(anna + "/move", {"photo": photo, "into": str(family.foreign_person)}, page=anna)
    assert moved.status_code == 404
    assert "No photos were chosen" in maria.post(anna + "/move", page=anna).text
    assert photos_of(family, "Anna") == 8
