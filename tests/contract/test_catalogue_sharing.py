"""Contract of `ShareRows` and `SharedRows`: a visitor sees the shared libraries, and nothing else of their owner."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from plugin.domain import (
    AssetId,
    FaceId,
    FaceState,
    Library,
    MonthCount,
    Person,
    PersonId,
    PersonOrder,
    PhotoSearch,
    View,
)
from plugin.errors import NotFound, Refused
from tests.contract.catalogue_cast import LEFT, MIDDLE, RIGHT, STORES, Cast, found, open_store


@dataclass
class Shared:
    """The lake is shared with Nora, the diary is not. Anna is in both, Ben at the lake only, Carl in the diary only."""

    cast: Cast
    diary: Library
    anna: PersonId
    ben: PersonId
    carl: PersonId
    both: AssetId
    boat: AssetId
    secret: AssetId
    faces: dict[str, FaceId]

    @property
    def view(self) -> View:
        return self.cast.catalogue.shares.view(self.cast.stranger().id, self.cast.me)

    def face(self, name: str) -> FaceId:
        return self.faces[name]


def everybody(shared: Shared) -> list[Person]:
    rows = shared.cast.catalogue.shared
    return rows.people_among(shared.view, rows.people_ids(shared.view))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture(params=STORES)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    with open_store(request.param, tmp_path) as cast:
        diary = cast.catalogue.libraries.add(cast.me, "folder", "Diary", "/diary")
        one, two, loose = cast.photo(
            found(LEFT, quality=0.2), found(MIDDLE), found(RIGHT), taken_at=at("2024-07-20 11:00")
        )
        (again,) = cast.photo(found(quality=0.3), taken_at=at("2024-06-01 09:00"))
        best, hidden = cast.photo(
            found(LEFT, quality=0.9), found(RIGHT), taken_at=at("1999-01-01 00:00"), library=diary
        )
        anna, ben, carl = cast.person("Anna", one, again, best), cast.person("Ben", two), cast.person("Carl", hidden)
        cast.catalogue.people.set_feature_face(anna, cast.me, best)
        cast.catalogue.faces.set_state([loose], FaceState.UNASSIGNED)
        cast.catalogue.shares.grant(cast.me, cast.library.id, cast.stranger().id, may_correct=False)
        both, boat, secret = (cast.catalogue.faces.get(face).asset_id for face in (one, again, best))
        faces = {"one": one, "two": two, "loose": loose, "again": again, "best": best, "hidden": hidden}
        yield Shared(cast, diary, anna, ben, carl, both, boat, secret, faces)


def test_nothing_is_shared_until_somebody_shares_it(shared: Shared) -> None:
    third = shared.cast.catalogue.accounts.add("Otto", None, is_admin=True)
    with pytest.raises(NotFound):
        shared.cast.catalogue.shares.view(third.id, shared.cast.me)
    assert shared.cast.catalogue.shares.owners(third.id) == {}


def test_a_share_is_listed_for_its_owner_and_its_visitor(shared: Shared) -> None:
    nora, shares = shared.cast.stranger(), shared.cast.catalogue.shares
    (share,) = shares.given(shared.cast.me)
    assert (share.library_id, share.account_id, share.account_name) == (shared.cast.library.id, nora.id, "Nora")
    assert shares.owners(nora.id) == {shared.cast.me: shared.cast.account.name}
    assert shares.given(nora.id) == []
    assert shares.owners(shared.cast.me) == {}


def test_a_view_names_the_shared_libraries_and_what_may_be_done(shared: Shared) -> None:
    assert (shared.view.library_ids, shared.view.correctable) == ((shared.cast.library.id,), ())
    shared.cast.catalogue.shares.grant(
        shared.cast.me, shared.cast.library.id, shared.cast.stranger().id, may_correct=True
    )
    assert shared.view.correctable == (shared.cast.library.id,)
    assert (shared.view.owner_name, shared.view.visitor_name) == (shared.cast.account.name, "Nora")


def test_a_share_ends_at_once_and_ending_it_again_is_no_trouble(shared: Shared) -> None:
    nora = shared.cast.stranger().id
    for _ in range(2):
        shared.cast.catalogue.shares.end(shared.cast.me, shared.cast.library.id, nora)
    with pytest.raises(NotFound):
        _ = shared.view


def test_only_ones_own_library_is_shared_and_only_with_somebody_else(shared: Shared) -> None:
    nora, shares = shared.cast.stranger().id, shared.cast.catalogue.shares
    with pytest.raises(NotFound):
        shares.grant(nora, shared.diary.id, shared.cast.me, may_correct=True)
    with pytest.raises(NotFound):
        shares.end(nora, shared.cast.library.id, nora)
    with pytest.raises(Refused):
        shares.grant(shared.cast.me, shared.diary.id, shared.cast.me, may_correct=True)
    with pytest.raises(NotFound):
        shares.grant(shared.cast.me, shared.diary.id, 999, may_correct=True)
    assert len(shares.given(shared.cast.me)) == 1


def test_a_share_goes_with_the_library_and_with_the_account(shared: Shared) -> None:
    catalogue, nora = shared.cast.catalogue, shared.cast.stranger().id
    catalogue.shares.grant(shared.cast.me, shared.diary.id, nora, may_correct=False)
    catalogue.libraries.remove(shared.cast.library.id, shared.cast.me)
    assert shared.view.library_ids == (shared.diary.id,)
    catalogue.accounts.remove(nora)
    assert catalogue.shares.given(shared.cast.me) == []


def test_people_are_those_on_shared_photos_with_what_those_photos_tell(shared: Shared) -> None:
    rows = shared.cast.catalogue.shared
    people = everybody(shared)
    assert [person.name for person in people] == ["Anna", "Ben"]
    anna = people[0]
    assert (anna.face_count, anna.photo_count) == (2, 2)
    assert (anna.first_taken, anna.last_taken) == (at("2024-06-01 09:00"), at("2024-07-20 11:00"))
    assert anna.feature_face_id == shared.face("again")
    assert rows.person(shared.view, shared.anna) == anna
    assert rows.people_among(shared.view, [shared.carl, shared.ben, shared.anna]) == people[::-1]


def test_people_are_sorted_and_found_by_name(shared: Shared) -> None:
    rows = shared.cast.catalogue.shared
    assert rows.people_ids(shared.view, order=PersonOrder.NAME) == [shared.anna, shared.ben]
    assert rows.people_ids(shared.view, order=PersonOrder.RECENT) == rows.people_ids(shared.view)
    assert rows.people_ids(shared.view, search="an") == [shared.anna]
    assert rows.people_ids(shared.view, search="carl") == []
    assert rows.names(shared.view) == ["Anna", "Ben"]


def test_an_unnamed_person_is_counted_over_shared_photos_only(shared: Shared) -> None:
    (here,) = shared.cast.photo(found())
    elsewhere = [shared.cast.photo(found(), library=shared.diary)[0] for _ in range(5)]
    unnamed = shared.cast.person("", here, *elsewhere)
    assert unnamed not in shared.cast.catalogue.shared.people_ids(shared.view, minimum_faces=3)
    assert unnamed in shared.cast.catalogue.shared.people_ids(shared.view, minimum_faces=1)


def test_hidden_people_and_their_faces_stay_with_the_owner(shared: Shared) -> None:
    shared.cast.catalogue.people.set_hidden(shared.ben, shared.cast.me, hidden=True)
    rows = shared.cast.catalogue.shared
    assert [person.name for person in everybody(shared)] == ["Anna"]
    assert shared.face("two") not in [face.id for face in rows.faces_on(shared.view, shared.both)]
    with pytest.raises(NotFound):
        rows.face(shared.view, shared.face("two"))


def test_photos_of_a_person_are_shared_ones_by_month(shared: Shared) -> None:
    rows, hers = shared.cast.catalogue.shared, PhotoSearch(every=(shared.anna,))
    assert [asset.id for asset in rows.photos(shared.view, hers, 0, 9)] == [shared.both, shared.boat]
    assert rows.photo_count(shared.view, hers) == 2
    assert rows.months(shared.view, shared.anna) == [
        MonthCount(at("2024-07-01").date(), 1),
        MonthCount(at("2024-06-01").date(), 1),
    ]
    assert rows.photo_count(shared.view, PhotoSearch()) == 2
    assert rows.photo_count(shared.view, PhotoSearch(library_id=shared.diary.id)) == 0


def test_neighbours_in_time_pass_over_what_is_not_shared(shared: Shared) -> None:
    rows = shared.cast.catalogue.shared
    shared.cast.photo(found(), taken_at=at("2024-06-20 09:00"), library=shared.diary)
    both = rows.photo(shared.view, shared.both)
    assert rows.neighbours_in_time(shared.view, both) == (shared.boat, None)
    assert rows.neighbours_in_time(shared.view, rows.photo(shared.view, shared.boat)) == (None, shared.both)


def test_faces_on_a_shared_photo_are_seen_but_ignored_ones(shared: Shared) -> None:
    rows = shared.cast.catalogue.shared
    assert [face.id for face in rows.faces_on(shared.view, shared.both)] == [
        shared.face("one"), shared.face("two"), shared.face("loose")
    ]  # fmt: skip
    shared.cast.catalogue.faces.set_state([shared.face("loose")], FaceState.IGNORED)
    assert len(rows.faces_on(shared.view, shared.both)) == 2
    assert [face.id for face in rows.faces(shared.view, [shared.face("best"), shared.face("one")])] == [
        shared.face("one")
    ]


REFUSED: dict[str, Callable[[Shared], object]] = {
    "a person": lambda s: s.cast.catalogue.shared.person(s.view, s.carl),
    "months": lambda s: s.cast.catalogue.shared.months(s.view, s.carl),
    "a photo": lambda s: s.cast.catalogue.shared.photo(s.view, s.secret),
    "faces on a photo": lambda s: s.cast.catalogue.shared.faces_on(s.view, s.secret),
    "a face": lambda s: s.cast.catalogue.shared.face(s.view, s.face("best")),
    "photos of": lambda s: s.cast.catalogue.shared.photos(s.view, PhotoSearch(every=(s.carl,)), 0, 9),
    "photos of some": lambda s: s.cast.catalogue.shared.photos(s.view, PhotoSearch(some=(s.anna, s.carl)), 0, 9),
    "how many photos without": lambda s: s.cast.catalogue.shared.photo_count(s.view, PhotoSearch(none=(s.carl,))),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_shared_is_not_there(shared: Shared, what: str) -> None:
    with pytest.raises(NotFound):
        REFUSED[what](shared)


@pytest.mark.parametrize("what", REFUSED)
def test_the_same_is_there_once_the_other_library_is_shared_too(shared: Shared, what: str) -> None:
    shared.cast.catalogue.shares.grant(shared.cast.me, shared.diary.id, shared.cast.stranger().id, may_correct=False)
    REFUSED[what](shared)


def test_a_photo_the_host_lost_is_not_there(shared: Shared) -> None:
    shared.cast.catalogue.assets.mark_gone([shared.both])
    rows = shared.cast.catalogue.shared
    assert [person.name for person in everybody(shared)] == ["Anna"]
    with pytest.raises(NotFound):
        rows.photo(shared.view, shared.both)
    with pytest.raises(NotFound):
        rows.face(shared.view, shared.face("two"))


def test_the_owners_own_rows_are_not_the_visitors(shared: Shared) -> None:
    """A share opens `SharedRows` and nothing else."""
    nora, catalogue = shared.cast.stranger().id, shared.cast.catalogue
    assert catalogue.people.all(nora) == []
    assert catalogue.libraries.all(nora) == []
    with pytest.raises(NotFound):
        catalogue.assets.get(shared.both, nora)


@pytest.mark.parametrize("order", [PersonOrder.NAMED, PersonOrder.NAME, PersonOrder.FACES])
def test_who_sees_every_library_sees_people_as_their_owner_does(shared: Shared, order: PersonOrder) -> None:
    """The counts of a view are worked out in two other ways than the owner's; all three have to agree."""
    me, catalogue = shared.cast.me, shared.cast.catalogue
    unnamed = [shared.cast.photo(found(), library=shared.diary)[0] for _ in range(3)]
    shared.cast.person("", *unnamed)
    (lost,) = shared.cast.photo(found())
    shared.cast.person("Gone", lost)
    catalogue.assets.mark_gone([catalogue.faces.get(lost).asset_id, shared.boat])
    catalogue.shares.grant(me, shared.diary.id, shared.cast.stranger().id, may_correct=False)
    owners = [person for person in catalogue.people.all(me, minimum_faces=2, order=order) if person.face_count]
    ids = catalogue.shared.people_ids(shared.view, minimum_faces=2, order=order)
    assert ids == [person.id for person in owners]
    assert catalogue.shared.people_among(shared.view, ids) == owners
    for person in owners:
        assert catalogue.shared.months(shared.view, person.id) == catalogue.person_photos.months(person.id, me)


def test_a_person_may_be_corrected_where_one_of_their_photos_may(shared: Shared) -> None:
    rows, nora = shared.cast.catalogue.shared, shared.cast.stranger().id
    assert not rows.correctable(shared.view, shared.anna)
    shared.cast.catalogue.shares.grant(shared.cast.me, shared.diary.id, nora, may_correct=True)
    assert rows.correctable(shared.view, shared.anna)
    assert rows.correctable(shared.view, shared.carl)
    assert not rows.correctable(shared.view, shared.ben)
