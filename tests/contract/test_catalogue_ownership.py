"""Nothing that takes an account ever gives or takes what is another account's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugin.domain import AccountId, AssetId, AssignedBy, FaceId, FaceState, Library, PersonId, VerdictKind
from plugin.errors import NotFound
from tests.contract.catalogue_cast import LEFT, PACK, RIGHT, STORES, Cast, found, listed, open_store


@dataclass
class Household:
    """What I have: a photo with a face that is Anna, and one that failed. And what a stranger has: Ben, on a photo."""

    cast: Cast
    stranger: AccountId
    library: Library
    asset: AssetId
    face: FaceId
    anna: PersonId
    ben: PersonId
    their_face: FaceId


@pytest.fixture(params=STORES)
def household(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Household]:
    with open_store(request.param, tmp_path) as cast:
        face, other = cast.photo(found(LEFT), found(RIGHT))
        anna = cast.person("Anna", face)
        cast.say(VerdictKind.IS_PERSON, face, anna)
        cast.catalogue.faces.set_state([other], FaceState.UNASSIGNED)
        cast.add(listed("broken.jpg"))
        (broken,) = cast.catalogue.detection.claim("worker", 1, 60)
        cast.catalogue.detection.fail(broken, "broken", "broken", permanent=True)
        stranger = cast.stranger().id
        theirs = cast.catalogue.libraries.add(stranger, "folder", "Theirs", "/theirs")
        (their_face,) = cast.photo(found(), library=theirs)
        ben = cast.catalogue.people.add(stranger, "Ben")
        cast.catalogue.faces.assign([(their_face, ben)], AssignedBy.USER)
        asset = cast.catalogue.faces.get(face).asset_id
        yield Household(cast, stranger, cast.library, asset, face, anna, ben, their_face)


Call = Callable[[Household], object]

REFUSED: dict[str, Call] = {
    "libraries.get": lambda h: h.cast.catalogue.libraries.get(h.library.id, h.stranger),
    "libraries.remove": lambda h: h.cast.catalogue.libraries.remove(h.library.id, h.stranger),
    "assets.get": lambda h: h.cast.catalogue.assets.get(h.asset, h.stranger),
    "assets.of_person": lambda h: h.cast.catalogue.assets.of_person(h.anna, h.stranger, 0, 9),
    "faces.get": lambda h: h.cast.catalogue.faces.get(h.face, h.stranger),
    "faces.of_asset": lambda h: h.cast.catalogue.faces.of_asset(h.asset, h.stranger),
    "faces.of_person": lambda h: h.cast.catalogue.faces.of_person(h.anna, h.stranger, 9),
    "faces.assign": lambda h: h.cast.catalogue.faces.assign([(h.face, h.ben)], AssignedBy.USER),
    "people.get": lambda h: h.cast.catalogue.people.get(h.anna, h.stranger),
    "people.add": lambda h: h.cast.catalogue.people.add(h.stranger, "x", h.face),
    "people.rename": lambda h: h.cast.catalogue.people.rename(h.anna, h.stranger, "x"),
    "people.set_hidden": lambda h: h.cast.catalogue.people.set_hidden(h.anna, h.stranger, hidden=True),
    "people.set_birth_date": lambda h: h.cast.catalogue.people.set_birth_date(h.anna, h.stranger, None),
    "people.set_feature_face": lambda h: h.cast.catalogue.people.set_feature_face(h.anna, h.stranger, h.face),
    "people.set_feature_face, my face": lambda h: h.cast.catalogue.people.set_feature_face(h.ben, h.stranger, h.face),
    "people.merge": lambda h: h.cast.catalogue.people.merge(h.anna, [], h.stranger),
    "people.merge, mine into theirs": lambda h: h.cast.catalogue.people.merge(h.ben, [h.anna], h.stranger),
    "people.delete": lambda h: h.cast.catalogue.people.delete(h.anna, h.stranger),
    "verdicts.add, my face": lambda h: h.cast.catalogue.verdicts.add(h.stranger, VerdictKind.IS_NOBODY, face_id=h.face),
    "verdicts.add, my person": lambda h: h.cast.catalogue.verdicts.add(
        h.stranger, VerdictKind.IS_PERSON, face_id=h.their_face, person_id=h.anna
    ),
    "verdicts.add, my other person": lambda h: h.cast.catalogue.verdicts.add(
        h.stranger, VerdictKind.PERSONS_DIFFER, person_id=h.ben, other_person_id=h.anna
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_another_accounts_is_not_found_and_stays_as_it_was(household: Household, name: str) -> None:
    before = _everything(household)
    with pytest.raises(NotFound):
        REFUSED[name](household)
    assert _everything(household) == before


ONLY_THEIRS: dict[str, Call] = {
    "libraries.all": lambda h: [library.name for library in h.cast.catalogue.libraries.all(h.stranger)] == ["Theirs"],
    "assets.recent_with_faces": lambda h: (
        [a.account_id for a in h.cast.catalogue.assets.recent_with_faces(h.stranger, 0, 9)] == [h.stranger]
    ),
    "assets.neighbours_in_time": lambda h: (
        h.cast.catalogue.assets.neighbours_in_time(h.cast.catalogue.assets.get(h.asset)) == (None, None)
    ),
    "assets.failed": lambda h: h.cast.catalogue.assets.failed(h.stranger, None, 9) == [],
    "assets.failures": lambda h: h.cast.catalogue.assets.failures(h.stranger) == [],
    "assets.counts": lambda h: h.cast.catalogue.assets.counts(h.stranger) == (1, 0),
    "detection.retry_failed": lambda h: h.cast.catalogue.detection.retry_failed(h.stranger, None) == 0,
    "detection.status": lambda h: h.cast.catalogue.detection.status(h.stranger).failed == 0,
    "faces.recognition_rows": lambda h: (
        h.cast.catalogue.faces.recognition_rows(h.stranger, PACK).face_id.tolist() == [h.their_face]
    ),
    "faces.requeue_unassigned": lambda h: h.cast.catalogue.faces.requeue_unassigned(h.stranger) == 0,
    "faces.recognition_status": lambda h: h.cast.catalogue.faces.recognition_status(h.stranger).done == 1,
    "faces.state_counts": lambda h: sum(h.cast.catalogue.faces.state_counts(h.stranger).values()) == 1,
    "faces.export": lambda h: [row.face.id for row in h.cast.catalogue.faces.export(h.stranger)] == [h.their_face],
    "people.all": lambda h: [p.name for p in h.cast.catalogue.people.all(h.stranger, include_hidden=True)] == ["Ben"],
    "people.all, search": lambda h: h.cast.catalogue.people.all(h.stranger, search="anna") == [],
    "people.count": lambda h: h.cast.catalogue.people.count(h.stranger) == 1,
    "people.by_name": lambda h: h.cast.catalogue.people.by_name(h.stranger, "Anna") == [],
    "people.birth_dates": lambda h: h.cast.catalogue.people.birth_dates(h.stranger) == {},
    "verdicts.all": lambda h: h.cast.catalogue.verdicts.all(h.stranger) == [],
}


@pytest.mark.parametrize("name", ONLY_THEIRS)
def test_an_account_sees_and_changes_only_what_is_its_own(household: Household, name: str) -> None:
    before = _everything(household)
    assert ONLY_THEIRS[name](household)
    assert _everything(household) == before


LEFT_ALONE: dict[str, Call] = {
    "faces.unassign_machine": lambda h: h.cast.catalogue.faces.unassign_machine(h.stranger),
    "faces.assign, machine": lambda h: h.cast.catalogue.faces.assign([(h.face, h.ben)], AssignedBy.MACHINE),
    "verdicts.withdraw": lambda h: h.cast.catalogue.verdicts.withdraw(
        h.stranger, VerdictKind.IS_PERSON, face_id=h.face
    ),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_changes_many_rows_leaves_those_of_another_account_alone(household: Household, name: str) -> None:
    before = _everything(household)
    LEFT_ALONE[name](household)
    assert _everything(household) == before


def _everything(household: Household) -> list[object]:
    """What is mine, as far as anybody could spoil it."""
    cast = household.cast
    faces = cast.catalogue.faces.of_asset(household.asset, cast.me)
    return [
        cast.catalogue.libraries.all(cast.me),
        cast.catalogue.people.all(cast.me, include_hidden=True),
        [(face.id, face.state, face.person_id, face.assigned_by) for face in faces],
        cast.catalogue.verdicts.all(cast.me),
        cast.catalogue.assets.failed(cast.me, None, 9),
    ]
