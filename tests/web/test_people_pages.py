"""People and one person, without JavaScript: every link and form a family uses."""

from collections.abc import Callable
from datetime import date

import pytest

from plugin.domain import AssetKind, HostAsset
from tests.web.conftest import Visitor
from tests.web.family import Family

Enter = Callable[[Family], Visitor]


def names(page: str) -> list[str]:
    """Names on the tiles, in order."""
    return [part.split("<")[0].split(">", 1)[1] for part in page.split('<span class="name')[1:]]


def test_the_named_come_first_then_most_faces_and_hidden_people_stay_away(maria: Visitor) -> None:
    assert names(maria.text("/")) == ["Anna", "Ben", "Oma Lotte", "Clara", "Who is this?"]


def test_hidden_people_appear_on_request(maria: Visitor) -> None:
    assert "Show 1 hidden" in maria.text("/")
    assert "Herr Krause" in names(maria.text("/?hidden=1"))


def test_seldom_seen_people_appear_on_request(maria: Visitor, family: Family) -> None:
    face = family.face_of("", 2)
    maria.post(f"/faces/{face}/new-person", page=f"/photos/{family.assets[9]}?face={face}", name="")
    page = maria.text("/")
    assert names(page) == ["Anna", "Ben", "Oma Lotte", "Clara"]
    assert "Show 2 seldom seen" in page
    assert len(names(maria.text("/?small=1"))) == 6


@pytest.mark.parametrize(("search", "found"), [("an", ["Anna"]), ("LOTTE", ["Oma Lotte"]), ("oma lo", ["Oma Lotte"])])
def test_a_name_is_found_by_the_beginning_of_its_words(maria: Visitor, search: str, found: list[str]) -> None:
    assert names(maria.text(f"/?q={search}")) == found


def test_htmx_gets_the_grid_alone_and_a_restored_page_gets_everything(maria: Visitor) -> None:
    fragment = maria.get("/?q=an", headers={"HX-Request": "true"})
    assert fragment.text.lstrip().startswith("<section")
    assert "HX-Request" in fragment.headers["Vary"]
    again = maria.get("/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert again.text.startswith("<!doctype html>")


def test_many_people_are_paged_by_plain_links(maria: Visitor, family: Family) -> None:
    for index in range(70):
        family.catalogue.people.add(family.account.id, f"Person {index:02}")
    first = maria.text("/")
    assert len(names(first)) == 60
    assert "Page 1 of 2" in first
    assert 'rel="next" href="/?page=2"' in first
    assert len(names(maria.text("/?page=2"))) == 15
    assert "Page 2 of 2" in maria.text("/?page=99")
    assert 'href="/?page=2&amp;q=person"' in maria.text("/?q=person")
    assert maria.text("/?page=abc").count("Page 1 of 2") == 1


def test_a_person_without_a_picture_shows_the_first_letter(maria: Visitor, family: Family) -> None:
    family.catalogue.people.add(family.account.id, "zoe")
    assert '<span class="face letter " aria-hidden="true">Z</span>' in maria.text("/")


def test_names_are_shown_as_text_never_as_markup(maria: Visitor, family: Family) -> None:
    maria.post(f"/people/{family.people['Ben']}/rename", name="<script>alert(1)</script>")
    page = maria.text("/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_nobody_of_that_name_is_said(maria: Visitor) -> None:
    assert "Nobody called “zoe”" in maria.text("/?q=zoe")


def test_without_a_library_the_next_step_is_a_folder(nobody_yet: Family, enter: Enter) -> None:
    page = enter(nobody_yet).text("/")
    assert "s find your people" in page
    assert 'href="/libraries"' in page


def test_while_the_first_scan_runs_its_progress_is_shown(nobody_yet: Family, enter: Enter) -> None:
    maria = enter(nobody_yet)
    maria.post("/libraries", page="/libraries", path="/photos/new")
    page = maria.text("/")
    assert "Looking through your photos…" in page
    assert "<progress" in page
    assert '<noscript><meta http-equiv="refresh"' in page


def listed(family: Family, count: int) -> int:
    """A library whose listing is complete and has `count` photos; returns its id."""
    rows = family.catalogue.libraries
    library = rows.add(family.account.id, "folder", "photos", "/photos")
    sync_pass = rows.sync_started(library.id)
    photos = [HostAsset(f"{i}.jpg", f"{i}.jpg", AssetKind.PHOTO, str(i)) for i in range(count)]
    family.catalogue.assets.seen(library.id, photos, sync_pass)
    rows.sync_finished(library.id, None)
    return library.id


def test_an_empty_folder_is_called_empty(nobody_yet: Family, enter: Enter) -> None:
    listed(nobody_yet, 0)
    assert "No photos found" in enter(nobody_yet).text("/")


def test_photos_without_faces_are_explained(nobody_yet: Family, enter: Enter) -> None:
    listed(nobody_yet, 2)
    for asset in nobody_yet.catalogue.detection.claim("test", 5, 60):
        nobody_yet.catalogue.detection.finish(asset, "opencv", [], (100, 100), None)
    page = enter(nobody_yet).text("/")
    assert "No faces on these photos" in page
    assert "2 photos were looked at" in page


def test_photos_that_all_failed_lead_to_the_reasons(nobody_yet: Family, enter: Enter) -> None:
    listed(nobody_yet, 2)
    for asset in nobody_yet.catalogue.detection.claim("test", 5, 60):
        nobody_yet.catalogue.detection.fail(asset, "picture_broken", "Broken", permanent=True)
    assert "The photos could not be read" in enter(nobody_yet).text("/")


def test_too_few_faces_are_explained(family: Family, maria: Visitor) -> None:
    for name in family.people:
        family.catalogue.people.delete(family.people[name], family.account.id)
    page = maria.text("/")
    assert "Nobody is seen often enough yet" in page
    assert "at least 3 faces that look alike" in page


def test_photos_are_grouped_by_month_newest_first(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/people/{family.people['Anna']}")
    months = ["July 2024", "June 2024", "December 2023", "Date unknown"]
    places = [page.index(f"<h2>{month}</h2>") for month in months]
    assert places == sorted(places)
    assert page.count('loading="lazy"') == 8 + 4, "photos, and people often together with Anna"


def test_a_person_with_many_photos_is_paged(maria: Visitor, family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin.web.person_page.PAGE_SIZE", 3)
    anna = family.people["Anna"]
    assert f'href="/people/{anna}?page=2"' in maria.text(f"/people/{anna}")
    assert "Page 3 of 3" in maria.text(f"/people/{anna}?page=3")


def test_an_unnamed_person_is_named_on_the_spot(maria: Visitor, family: Family) -> None:
    person = family.people[""]
    page = maria.post(f"/people/{person}/rename", page=f"/people/{person}", name="  Emil  ")
    assert "Hello Emil!" in page.text
    assert family.catalogue.people.get(person, family.account.id).name == "Emil"


def test_a_person_is_renamed(maria: Visitor, family: Family) -> None:
    anna = family.people["Anna"]
    page = maria.post(f"/people/{anna}/rename", page=f"/people/{anna}/rename", name="Annika")
    assert "Anna is now called Annika." in page.text


def test_a_name_somebody_has_leads_to_the_question_and_changes_nothing(maria: Visitor, family: Family) -> None:
    baby, anna = family.people[""], family.people["Anna"]
    page = maria.post(f"/people/{baby}/rename", page=f"/people/{baby}", name="anna").text
    assert "Is this the same anna?" in page
    assert "Yes, merge with existing Anna" in page
    assert f'name="into" value="{anna}"' in page
    assert family.catalogue.people.get(baby, family.account.id).name == ""


def test_two_people_may_keep_the_same_name(maria: Visitor, family: Family) -> None:
    baby = family.people[""]
    maria.post(f"/people/{baby}/rename", name="Anna", keep_both="1")
    assert len(family.catalogue.people.by_name(family.account.id, "Anna")) == 2


@pytest.mark.parametrize(("name", "said"), [("", "The name is empty"), ("x" * 300, "longer than 200 characters")])
def test_a_name_that_is_refused_is_explained_on_the_form(maria: Visitor, family: Family, name: str, said: str) -> None:
    page = f"/people/{family.people['Anna']}/rename"
    response = maria.post(page, page=page, name=name)
    assert said in response.text
    assert "Rename Anna" in response.text


def test_merging_moves_everything_to_the_person_chosen(maria: Visitor, family: Family) -> None:
    baby, clara = family.people[""], family.people["Clara"]
    form = maria.text(f"/people/{baby}/merge")
    assert "All 3 photos move to the person you choose" in form
    assert f'value="{baby}"' not in form
    page = maria.post(f"/people/{baby}/merge", page=f"/people/{baby}/merge", into=str(clara))
    assert "are one person now" in page.text
    assert family.catalogue.people.get(clara, family.account.id).photo_count == 5
    assert maria.get(f"/people/{baby}").status_code == 404


def test_merging_twice_by_a_double_click_says_so_and_loses_nothing(maria: Visitor, family: Family) -> None:
    baby, clara = family.people[""], family.people["Clara"]
    maria.post(f"/people/{baby}/merge", into=str(clara))
    assert maria.post(f"/people/{baby}/merge", into=str(clara)).status_code == 404
    assert family.catalogue.people.get(clara, family.account.id).photo_count == 5


def test_merging_needs_somebody_else(maria: Visitor, family: Family) -> None:
    baby = family.people[""]
    page = f"/people/{baby}/merge"
    assert "Nothing was chosen" in maria.post(page, page=page).text
    assert "cannot be merged with themselves" in maria.post(page, page=page, into=str(baby)).text


def test_people_to_merge_with_are_searched(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/people/{family.people['']}/merge?q=cla")
    assert "Clara" in page
    assert "Oma Lotte" not in page


def test_a_person_is_hidden_and_shown_again(maria: Visitor, family: Family) -> None:
    ben = family.people["Ben"]
    page = maria.post(f"/people/{ben}/hide", page=f"/people/{ben}").text
    assert "Ben is hidden from the People page." in page
    assert "Ben" not in names(maria.text("/"))
    assert "back on the People page" in maria.post(f"/people/{ben}/unhide", page=f"/people/{ben}").text
    assert "Ben" in names(maria.text("/"))


def test_the_date_of_birth_is_saved_and_removed(maria: Visitor, family: Family) -> None:
    form = f"/people/{family.people['Anna']}/birth-date"
    assert "born 14 July 1980" in maria.post(form, page=form, birth_date="1980-07-14").text
    assert family.catalogue.people.birth_dates(family.account.id) == {family.people["Anna"]: date(1980, 7, 14)}
    assert "Date of birth of Anna removed." in maria.post(form, page=form, birth_date="").text


@pytest.mark.parametrize(("text", "said"), [("2999-01-01", "in the future"), ("yesterday", "must be a date")])
def test_a_date_of_birth_that_cannot_be_is_refused(maria: Visitor, family: Family, text: str, said: str) -> None:
    form = f"/people/{family.people['Anna']}/birth-date"
    assert said in maria.post(form, page=form, birth_date=text).text
    assert family.catalogue.people.birth_dates(family.account.id) == {}


def test_another_face_is_chosen_as_the_picture(maria: Visitor, family: Family) -> None:
    anna, face = family.people["Anna"], family.face_of("Anna", 3)
    form = f"/people/{anna}/feature"
    assert maria.text(form).count('type="radio"') == 8
    assert "New picture for Anna." in maria.post(form, page=form, face=str(face)).text
    assert family.catalogue.people.get(anna, family.account.id).feature_face_id == face


def test_deleting_asks_first_and_keeps_the_photos(maria: Visitor, family: Family) -> None:
    ben = family.people["Ben"]
    form = f"/people/{ben}/delete"
    assert "Delete Ben?" in maria.text(form)
    assert family.catalogue.people.get(ben, family.account.id)
    assert "Ben was deleted. The photos are untouched." in maria.post(form, page=form).text
    assert maria.get(f"/people/{ben}").status_code == 404
    assert maria.get(f"/photos/{family.assets[0]}").status_code == 200
