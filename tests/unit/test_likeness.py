"""Who and what looks like a person."""

from collections.abc import Iterator

import pytest

from plugin.domain import AssignedBy, VerdictKind
from plugin.errors import NotFound
from plugin.likeness import Likeness
from tests.fakes.album import Album


@pytest.fixture
def album() -> Iterator[Album]:
    made = Album()
    yield made
    made.catalogue.close()


@pytest.fixture
def likeness(album: Album) -> Likeness:
    return Likeness(album.catalogue, lambda: album.preferences)


def person(album: Album, name: str, *degrees: int) -> int:
    """Somebody with one face on a photo each, so many degrees from the first axis."""
    person_id = album.catalogue.people.add(album.account.id, name)
    faces = album.add(*degrees) if degrees else []
    album.catalogue.faces.assign([(face, person_id) for face in faces], AssignedBy.MACHINE)
    return person_id


def test_people_come_most_alike_first_and_those_without_faces_last(album: Album, likeness: Likeness) -> None:
    anna = person(album, "Anna", 0, 2)
    empty, far, near = person(album, "Empty"), person(album, "Far", 120), person(album, "Near", 10)
    found = likeness.people(album.account.id, anna)
    assert [one.person.id for one in found] == [near, far, empty]
    assert [one.very_alike for one in found] == [True, False, False]
    assert found[2].distance is None


def test_likeness_is_of_the_mean_and_not_of_one_face(album: Album, likeness: Likeness) -> None:
    anna = person(album, "Anna", 0)
    mixed, near = person(album, "Mixed", 5, 90, 90, 90), person(album, "Near", 40)
    assert [one.person.id for one in likeness.people(album.account.id, anna)] == [near, mixed]


def test_people_found_by_name_are_sorted_the_same_way(album: Album, likeness: Likeness) -> None:
    anna = person(album, "Anna", 0)
    far, near = person(album, "Ben One", 90), person(album, "Ben Two", 10)
    person(album, "Clara", 1)
    assert [one.person.id for one in likeness.people(album.account.id, anna, "ben")] == [near, far]
    assert likeness.people(album.account.id, anna, "anna") == [], "nobody is offered themselves"


def test_somebody_without_faces_is_offered_everybody(album: Album, likeness: Likeness) -> None:
    empty, anna = person(album, "Empty"), person(album, "Anna", 0)
    (offered,) = likeness.people(album.account.id, empty)
    assert (offered.person.id, offered.distance, offered.very_alike) == (anna, None, False)


def test_faces_of_nobody_come_nearest_first_as_far_as_they_look_alike(album: Album, likeness: Likeness) -> None:
    anna = person(album, "Anna", 0, 0)
    far, nearer, nearest = (album.add(degrees)[0] for degrees in (150, 30, 5))
    found = [one.face_id for one in likeness.faces(album.account.id, anna)]
    assert found == [nearest, nearer]
    assert far not in found
    assert [one.face_id for one in likeness.faces(album.account.id, anna, limit=1)] == [nearest]


def test_a_face_that_was_refused_is_not_offered(album: Album, likeness: Likeness) -> None:
    anna, (face,) = person(album, "Anna", 0), album.add(3)
    album.catalogue.verdicts.add(album.account.id, VerdictKind.IS_NOT_PERSON, face_id=face, person_id=anna)
    assert likeness.faces(album.account.id, anna) == []


def test_nobody_is_looked_for_without_faces_or_for_another_account(album: Album, likeness: Likeness) -> None:
    empty = person(album, "Empty")
    album.add(3)
    assert likeness.faces(album.account.id, empty) == []
    stranger = album.catalogue.accounts.add("stranger", None, is_admin=False)
    with pytest.raises(NotFound):
        likeness.faces(stranger.id, empty)
    with pytest.raises(NotFound):
        likeness.people(stranger.id, empty)
