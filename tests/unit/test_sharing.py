"""What a visitor who may correct does to somebody else's people, and what stays with the owner."""

from collections.abc import Callable, Iterator

import pytest

from plugin.domain import FaceState
from plugin.errors import NotAllowed, NotFound, Refused, Stale
from tests.web.household import Household


@pytest.fixture
def house() -> Iterator[Household]:
    made = Household()
    yield made
    made.family.catalogue.close()


def test_a_visitor_names_somebody_and_the_owner_sees_who_did_and_can_undo_it(house: Household) -> None:
    unnamed = house.family.people[""]
    assert house.sharing.rename(house.view, unnamed, " Ida ", "").name == "Ida"
    assert house.newest() == "neighbour named somebody Ida"
    house.family.services.history.undo(house.owner)
    assert house.family.catalogue.people.get(unnamed, house.owner).name == ""


def test_a_visitor_says_who_a_face_is_and_who_not(house: Household) -> None:
    face, ben = house.face("Clara"), house.family.people["Ben"]
    house.sharing.assign(house.view, face, ben)
    assert (house.who(face), house.newest()) == (ben, "neighbour said that a face is Ben")
    house.sharing.reject(house.view, face, ben)
    assert (house.who(face), house.newest()) == (None, "neighbour said that a face is not Ben")
    assert house.family.catalogue.verdicts.rejected_persons(face) >= {ben}


def test_a_name_means_the_person_of_that_name_on_shared_photos(house: Household) -> None:
    face = house.face("Clara")
    house.sharing.assign_name(house.view, face, "ben")
    assert house.who(face) == house.family.people["Ben"]


def test_a_name_from_a_library_that_is_not_shared_means_somebody_new(house: Household) -> None:
    face = house.face("Clara")
    house.sharing.assign_name(house.view, face, "Xaver")
    assert house.who(face) not in {None, house.xaver}
    assert house.family.catalogue.shared.people_ids(house.view, search="Xaver") == [house.who(face)]
    assert house.family.catalogue.people.get(house.xaver, house.owner).face_count == 1


def test_what_is_not_shared_is_not_there_for_corrections_either(house: Household) -> None:
    shared = house.face("Clara")
    attempts: list[Callable[[], object]] = [
        lambda: house.sharing.rename(house.view, house.xaver, "X", "Xaver"),
        lambda: house.sharing.assign(house.view, house.secret_face, house.anna),
        lambda: house.sharing.assign(house.view, house.anna_in_diary, house.family.people["Ben"]),
        lambda: house.sharing.assign(house.view, shared, house.xaver),
        lambda: house.sharing.assign_name(house.view, house.secret_face, "X"),
        lambda: house.sharing.reject(house.view, house.anna_in_diary, house.anna),
        lambda: house.sharing.assign(house.view, shared, house.family.foreign_person),
    ]
    before = house.newest()
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert house.newest() == before


def test_who_may_only_look_changes_nothing(house: Household) -> None:
    house.share(may_correct=False)
    face, before = house.face("Clara"), house.newest()
    for attempt in (
        lambda: house.sharing.rename(house.view, house.anna, "X", "Anna"),
        lambda: house.sharing.assign(house.view, face, house.anna),
        lambda: house.sharing.assign_name(house.view, face, "X"),
        lambda: house.sharing.reject(house.view, face, house.family.people["Clara"]),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert house.newest() == before


def test_each_library_says_for_itself_whether_it_may_be_corrected(house: Household) -> None:
    house.sharing.share(house.owner, house.diary.id, house.family.neighbour.id, may_correct=False)
    with pytest.raises(NotAllowed):
        house.sharing.reject(house.view, house.anna_in_diary, house.anna)
    with pytest.raises(NotAllowed):
        house.sharing.rename(house.view, house.xaver, "X", "Xaver")
    house.sharing.rename(house.view, house.anna, "Anni", "Anna")
    assert house.family.catalogue.people.get(house.anna, house.owner).name == "Anni"


def test_a_correction_of_something_that_changed_meanwhile_is_refused(house: Household) -> None:
    with pytest.raises(Stale):
        house.sharing.rename(house.view, house.anna, "Anni", "Annika")
    with pytest.raises(Stale):
        house.sharing.reject(house.view, house.face("Clara"), house.anna)
    house.sharing.rename(house.view, house.anna, "Anna", "whatever it was")


def test_an_unusable_name_is_refused(house: Household) -> None:
    with pytest.raises(Refused):
        house.sharing.rename(house.view, house.anna, "  ", "Anna")
    with pytest.raises(Refused):
        house.sharing.assign_name(house.view, house.face("Clara"), "x" * 500)


def test_several_people_of_one_name_are_a_question(house: Household) -> None:
    house.family.services.people.rename(house.owner, house.family.people["Clara"], "Ben")
    with pytest.raises(Refused, match="Several people are called Ben"):
        house.sharing.assign_name(house.view, house.family.face_of("Anna"), "Ben")


def test_an_ignored_face_is_not_there(house: Household) -> None:
    face = house.face("Clara")
    house.family.services.people.ignore(house.owner, face)
    with pytest.raises(NotFound):
        house.sharing.assign(house.view, face, house.anna)
    assert house.family.catalogue.faces.get(face).state is FaceState.IGNORED


def test_after_the_end_nothing_is_seen_any_more(house: Household) -> None:
    assert house.family.library
    house.sharing.end(house.owner, house.family.library.id, house.family.neighbour.id)
    assert house.sharing.shares(house.owner) == []
    with pytest.raises(NotFound):
        _ = house.view
