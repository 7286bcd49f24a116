"""Many people at once, without JavaScript: ticks and buttons of one form, and one undo for all of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from plugin.domain import FaceState
from tests.web.conftest import Visitor
from tests.web.family import Family
from tests.web.test_people_pages import names


def ticks(fields: Mapping[str, str | list[str]]) -> Any:
    """A list is sent as one field for each tick."""
    return fields


def do(maria: Visitor, family: Family, action: str, *people: str, page: str = "/") -> str:
    """Tick these people and press a button."""
    ticked = [str(family.people[name]) for name in people]
    return maria.post("/people/bulk", ticks({"person": ticked, "action": action}), page=page).text


def undo(maria: Visitor, family: Family) -> str:
    event = family.catalogue.events.standing(family.account.id)
    assert event is not None
    return maria.post("/history/undo", event=str(event.id)).text


def marks(family: Family) -> dict[str, tuple[bool, bool]]:
    """Who is hidden, who is a favourite."""
    people = family.catalogue.people.existing(family.account.id, list(family.people.values()))
    return {person.name: (person.hidden, person.favourite) for person in people}


def test_every_tile_can_be_ticked_and_the_buttons_are_in_the_same_form(maria: Visitor, family: Family) -> None:
    page = maria.text("/")
    assert page.count('type="checkbox" name="person"') == 5
    assert f'value="{family.people["Anna"]}" form="crowd"' in page
    assert "Choose Anna" in page
    for action in ("merge", "favourite", "hide", "strangers"):
        assert f'name="action" value="{action}"' in page


@pytest.mark.parametrize(
    ("action", "said", "after"),
    [
        ("hide", "2 people are hidden.", (True, False)),
        ("favourite", "2 people are favourites now.", (False, True)),
    ],
)
def test_people_are_hidden_or_made_favourites_and_one_undo_brings_all_back(
    maria: Visitor, family: Family, action: str, said: str, after: tuple[bool, bool]
) -> None:
    before = marks(family)
    assert said in do(maria, family, action, "Anna", "Ben")
    assert marks(family) == before | {"Anna": after, "Ben": after}
    assert "Taken back" in undo(maria, family)
    assert marks(family) == before


@pytest.mark.parametrize(("action", "said"), [("unhide", "1 person is shown again."), ("unfavourite", "no favourite")])
def test_the_opposite_is_offered_where_it_makes_sense(maria: Visitor, family: Family, action: str, said: str) -> None:
    family.catalogue.people.mark(family.account.id, [family.people["Ben"]], hidden=True, favourite=True)
    page = "/?hidden=1&favourites=1"
    assert f'value="{action}"' in maria.text(page)
    assert f'value="{action}"' not in maria.text("/")
    assert said in do(maria, family, action, "Ben", page=page)


def test_after_a_button_the_same_selection_is_shown(maria: Visitor, family: Family) -> None:
    page = do(maria, family, "favourite", "Anna", page="/?order=name&hidden=1")
    assert 'name="order" value="name"' in page
    assert "Herr Krause" in names(page)


def test_favourites_come_first_with_a_star_and_can_be_shown_alone(maria: Visitor, family: Family) -> None:
    assert "No favourites yet" in maria.text("/?favourites=1")
    page = do(maria, family, "favourite", "Clara")
    assert names(page)[0] == "Clara"
    assert page.count('class="starred"') == 1
    assert names(maria.text("/?favourites=1")) == ["Clara"]


@pytest.mark.parametrize(
    ("order", "first"),
    [("name", ["Anna", "Ben", "Clara"]), ("faces", ["Anna", "Ben", "Oma Lotte"]), ("recent", ["Anna", "Ben", "Clara"]),
     ("nonsense", ["Anna", "Ben", "Oma Lotte"])],
)  # fmt: skip
def test_people_are_sorted_by_links(maria: Visitor, order: str, first: list[str]) -> None:
    page = maria.text(f"/?order={order}")
    assert names(page)[:3] == first
    assert 'href="/?order=recent"' in page


def test_the_years_between_the_first_and_the_last_photo_are_shown(maria: Visitor, family: Family) -> None:
    page = maria.text("/")
    assert "2023\u20132024" in page
    assert '<span class="count">2024</span>' in page


def test_everybody_without_a_name_is_hidden_at_once(maria: Visitor, family: Family) -> None:
    assert "Hide everybody without a name" in maria.text("/")
    page = maria.post("/people/hide-unnamed", page="/").text
    assert "1 person without a name is hidden." in page
    assert names(page) == ["Anna", "Ben", "Oma Lotte", "Clara"]
    assert "hidden already" in maria.post("/people/hide-unnamed", page="/").text
    undo(maria, family)
    assert "Who is this?" in names(maria.text("/"))


def test_strangers_go_with_all_their_faces_and_come_back_by_one_undo(maria: Visitor, family: Family) -> None:
    faces = [face.id for face in family.catalogue.faces.of_person(family.people[""], family.account.id, 9)]
    people = family.catalogue.people.all(family.account.id, include_hidden=True)
    assert "2 strangers are gone." in do(maria, family, "strangers", "", "Herr Krause")
    assert names(maria.text("/?hidden=1&small=1")) == ["Anna", "Ben", "Oma Lotte", "Clara"]
    assert {face.state for face in family.catalogue.faces.many(faces)} == {FaceState.IGNORED}
    undo(maria, family)
    assert family.catalogue.people.all(family.account.id, include_hidden=True) == people
    assert family.catalogue.verdicts.all(family.account.id) == []


def test_merging_several_asks_who_they_are_and_proposes_the_named_one(maria: Visitor, family: Family) -> None:
    baby, clara = family.people[""], family.people["Clara"]
    page = do(maria, family, "merge", "", "Clara")
    assert "Who are these 2?" in page
    assert f'value="{clara}" required checked' in page
    assert "different names" not in page
    assert family.catalogue.people.get(baby, family.account.id), "nothing was changed yet"
    page = maria.post("/people/merge", ticks({"person": [str(baby), str(clara)], "into": str(clara)})).text
    assert "1 person was merged into Clara." in page
    assert family.catalogue.people.get(clara, family.account.id).photo_count == 5
    undo(maria, family)
    assert family.catalogue.people.get(baby, family.account.id).photo_count == 3


def test_merging_people_of_different_names_says_which_is_kept(maria: Visitor, family: Family) -> None:
    assert "only the name of the person you choose is kept" in do(maria, family, "merge", "Anna", "Ben")


@pytest.mark.parametrize(
    ("action", "people", "said"),
    [
        ("hide", (), "Nobody was chosen"),
        ("merge", (), "Nobody was chosen"),
        ("merge", ("Anna",), "Only one person was chosen"),
        ("explode", ("Anna",), "does not know that button"),
    ],
)
def test_what_makes_no_sense_is_explained(
    maria: Visitor, family: Family, action: str, people: tuple[str, ...], said: str
) -> None:
    assert said in do(maria, family, action, *people)
    assert family.catalogue.events.all(family.account.id, 9) == []


def test_people_that_are_gone_meanwhile_are_left_out_and_that_is_said(maria: Visitor, family: Family) -> None:
    family.catalogue.people.delete(family.people["Ben"], family.account.id)
    page = do(maria, family, "hide", "Anna", "Ben", "Clara")
    assert "2 people are hidden." in page
    assert "1 of those you chose was gone already." in page
    assert marks(family)["Clara"] == (True, False)


def test_a_double_click_on_merge_leads_to_no_second_merge(maria: Visitor, family: Family) -> None:
    both = ticks({"person": [str(family.people[""]), str(family.people["Clara"])], "into": str(family.people["Clara"])})
    maria.post("/people/merge", both)
    again = maria.post("/people/merge", both, page="/")
    assert "These are one person already" in again.text
    assert len(family.catalogue.events.all(family.account.id, 9)) == 1


def test_people_of_another_account_are_as_if_they_were_missing(maria: Visitor, family: Family) -> None:
    foreign = str(family.foreign_person)
    for action in ("hide", "favourite", "strangers", "merge"):
        response = maria.post("/people/bulk", ticks({"person": [foreign], "action": action}))
        assert response.status_code == 404, action
    assert (
        maria.post("/people/merge", ticks({"person": [str(family.people["Anna"])], "into": foreign})).status_code == 404
    )
    assert maria.post("/people/bulk", ticks({"person": ["99999999999999999999"], "action": "hide"})).status_code == 404
    person = family.catalogue.people.get(family.foreign_person, family.neighbour.id)
    assert (person.name, person.hidden, person.favourite, person.face_count) == ("Secret", False, False, 1)


def test_the_next_tiles_alone_are_sent_to_the_end_of_the_page(maria: Visitor, family: Family) -> None:
    for index in range(70):
        family.catalogue.people.add(family.account.id, f"Person {index:02}")
    more = maria.get("/?page=2", headers={"HX-Request": "true", "HX-Target": "more"})
    assert more.text.lstrip().startswith("<li")
    assert len(names(more.text)) == 15
    assert "HX-Target" in more.headers["Vary"]
    first = maria.text("/?order=name")
    assert 'hx-get="/?page=2&amp;order=name" hx-trigger="revealed"' in first
