"""Contract of `GalleryRows` and `LiveRows`."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from plugin.domain import AssignedBy, FaceId, FaceState, VerdictKind
from plugin.errors import NotFound
from plugin.ports.galleries import Group, NobodyCounts
from tests.contract.catalogue_cast import PACK, STORES, Cast, found, listed, open_store


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def nobodys(cast: Cast, count: int, *, alike: bool = True) -> list[FaceId]:
    """Faces of nobody on a photo each."""
    ids = [cast.photo(found())[0] for _ in range(count)]
    group = ids[0] if alike else -1
    cast.catalogue.faces.regroup(cast.me, np.array(ids), np.full(count, -1), np.full(count, group))
    return ids


def test_groups_come_the_largest_first_and_page_by_page(cast: Cast) -> None:
    pair, four, three = nobodys(cast, 2), nobodys(cast, 4), nobodys(cast, 3)
    galleries = cast.catalogue.galleries
    assert galleries.largest_groups(cast.me, PACK, 0, 2)[1] == [
        Group(four[0], 4, four[-1]),
        Group(three[0], 3, three[-1]),
    ]
    assert galleries.largest_groups(cast.me, PACK, 2, 2)[1] == [Group(pair[0], 2, pair[-1])]
    assert galleries.largest_groups(cast.me, PACK, 4, 2)[1] == []


def test_members_of_a_group_are_read_in_parts(cast: Cast) -> None:
    four, pair = nobodys(cast, 4), nobodys(cast, 2)
    members = cast.catalogue.galleries.members
    assert members(cast.me, PACK, [four[0], pair[0]], 3) == {four[0]: four[:3], pair[0]: pair}
    assert members(cast.me, PACK, [four[0]], 3, after=four[1]) == {four[0]: four[2:]}
    assert members(cast.me, PACK, [], 3) == {}


def test_a_group_whose_first_face_left_it_keeps_its_key(cast: Cast) -> None:
    four = nobodys(cast, 4)
    cast.person("Anna", four[0], by=AssignedBy.USER)
    assert cast.catalogue.galleries.largest_groups(cast.me, PACK, 0, 9)[1] == [Group(four[0], 3, four[-1])]
    assert cast.catalogue.galleries.members(cast.me, PACK, [four[0]], 9) == {four[0]: four[1:]}


def test_single_faces_come_best_first(cast: Cast) -> None:
    blurred = cast.photo(found(quality=0.2))[0]
    sharp = cast.photo(found(quality=0.9))[0]
    nobodys(cast, 2)
    assert cast.catalogue.galleries.singles(cast.me, PACK, 0, 9) == [sharp, blurred]
    assert cast.catalogue.galleries.singles(cast.me, PACK, 1, 9) == [blurred]


def test_counts_are_of_present_faces_of_nobody_by_this_pack(cast: Cast) -> None:
    three, pair, (single,) = nobodys(cast, 3), nobodys(cast, 2), nobodys(cast, 1, alike=False)
    counts = cast.catalogue.galleries.nobody_counts
    assert counts(cast.me, PACK) == NobodyCounts(2, 5, 1)
    assert counts(cast.me, PACK).faces == 6
    cast.catalogue.faces.set_state([three[0]], FaceState.IGNORED)
    cast.person("Anna", pair[0])
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(single).asset_id])
    assert counts(cast.me, PACK) == NobodyCounts(1, 2, 1)
    assert counts(cast.me, "another pack") == counts(cast.stranger().id, PACK) == NobodyCounts(0, 0, 0)


def test_the_largest_groups_come_with_the_counts_of_all_also_beyond_the_last(cast: Cast) -> None:
    three, pair = nobodys(cast, 3), nobodys(cast, 2)
    nobodys(cast, 1, alike=False)
    cast.photo(found())
    largest = cast.catalogue.galleries.largest_groups
    counts = NobodyCounts(2, 5, 2)
    assert largest(cast.me, PACK, 0, 1) == (counts, [Group(three[0], 3, three[-1])])
    assert largest(cast.me, PACK, 1, 5) == (counts, [Group(pair[0], 2, pair[-1])])
    assert largest(cast.me, PACK, 9, 5) == (counts, [])
    assert largest(cast.stranger().id, PACK, 0, 5) == (NobodyCounts(0, 0, 0), [])


def test_ignored_faces_come_the_last_one_first(cast: Cast) -> None:
    one, two, three = nobodys(cast, 3)
    for face in (two, one, three):
        cast.say(VerdictKind.IS_NOBODY, face)
        cast.catalogue.faces.set_state([face], FaceState.IGNORED)
    galleries = cast.catalogue.galleries
    assert galleries.ignored(cast.me, 0, 2) == [three, one]
    assert galleries.ignored(cast.me, 2, 2) == [two]
    assert galleries.ignored_count(cast.me) == 3
    cast.catalogue.assets.mark_gone([cast.catalogue.faces.get(one).asset_id])
    assert galleries.ignored(cast.me, 0, 9) == [three, two]
    assert galleries.ignored_count(cast.me) == 2


def test_another_account_sees_none_of_it(cast: Cast) -> None:
    group = nobodys(cast, 3)
    nobodys(cast, 1, alike=False)
    cast.catalogue.faces.set_state([group[2]], FaceState.IGNORED)
    galleries, nora = cast.catalogue.galleries, cast.stranger().id
    assert galleries.largest_groups(nora, PACK, 0, 9)[1] == []
    assert galleries.members(nora, PACK, [group[0]], 9) == {}
    assert galleries.singles(nora, PACK, 0, 9) == []
    assert galleries.ignored(nora, 0, 9) == []
    assert galleries.ignored_count(nora) == 0


CHANGES: dict[str, Callable[[Cast], object]] = {
    "a new face": lambda c: c.photo(found()),
    "recognition": lambda c: nobodys(c, 1),
    "a photo that is gone": lambda c: c.sync(),
    "a photo looked at again without a face": lambda c: c.finish(c.add(listed("photo 1.jpg", "new content"))[0]),
    "a person": lambda c: c.catalogue.people.add(c.me, "Ben"),
    "a name": lambda c: _said(c, lambda: c.catalogue.people.rename(_anna(c), c.me, "Anna Maria")),
    "a face assigned": lambda c: _said(
        c, lambda: c.catalogue.faces.assign([(_face(c), _anna(c))], AssignedBy.USER)
    ),
    "a face ignored": lambda c: _said(c, lambda: c.catalogue.faces.set_state([_face(c)], FaceState.IGNORED)),
    "a verdict": lambda c: c.say(VerdictKind.IS_NOT_PERSON, _face(c), _anna(c)),
    "an undo": lambda c: c.catalogue.events.undo(c.me),
}  # fmt: skip


def _said(cast: Cast, action: Callable[[], object]) -> None:
    with cast.catalogue.events.record(cast.me, "Said something"):
        action()


def _anna(cast: Cast) -> int:
    return cast.catalogue.people.by_name(cast.me, "Anna")[0].id


def _face(cast: Cast) -> FaceId:
    return cast.catalogue.faces.recognition_rows(cast.me, PACK).face_id.tolist()[0]  # type: ignore[no-any-return]  # numpy's


@pytest.mark.parametrize("change", CHANGES)
def test_the_marker_changes_with_whatever_matters_to_a_question(cast: Cast, change: str) -> None:
    cast.photo(found())
    cast.person("Anna")
    _said(cast, lambda: cast.catalogue.people.set_hidden(_anna(cast), cast.me, hidden=True))
    marker = cast.catalogue.live.marker(cast.me)
    assert cast.catalogue.live.marker(cast.me) == marker
    cast.clock.forward(seconds=1)
    CHANGES[change](cast)
    assert cast.catalogue.live.marker(cast.me) != marker


def test_an_undo_right_after_an_undo_changes_the_marker(cast: Cast) -> None:
    anna = cast.person("Anna")
    for name in ("Anni", "Annika"):
        _said(cast, lambda name=name: cast.catalogue.people.rename(anna, cast.me, name))  # type: ignore[misc]  # a default that binds
    markers = {cast.catalogue.live.marker(cast.me)}
    for _ in range(2):
        cast.catalogue.events.undo(cast.me)
        markers.add(cast.catalogue.live.marker(cast.me))
    assert len(markers) == 3


def test_the_newest_person_is_one_with_a_face(cast: Cast) -> None:
    live = cast.catalogue.live
    assert live.newest_person(cast.me) == 0
    anna = cast.person("Anna", cast.photo(found())[0])
    cast.person("Nobody yet")
    assert live.newest_person(cast.me) == anna
    assert live.newest_person(cast.stranger().id) == 0


def test_throughput_counts_photos_by_when_they_were_looked_at(cast: Cast) -> None:
    since = cast.clock.time
    for minutes in (0, 29, 1, 60):
        cast.clock.forward(minutes=minutes)
        cast.photo(found())
    live = cast.catalogue.live
    assert live.throughput(cast.me, since, 1800, 4) == [2, 1, 0, 1]
    assert live.throughput(cast.me, since + timedelta(minutes=30), 1800, 2) == [1, 0]
    assert live.throughput(cast.stranger().id, since, 1800, 4) == [0, 0, 0, 0]


def test_events_are_paged_and_counted(cast: Cast) -> None:
    anna = cast.person("Anna")
    for name in ("A", "B", "C"):
        with cast.catalogue.events.record(cast.me, name):
            cast.catalogue.people.rename(anna, cast.me, name)
    events = cast.catalogue.events
    assert [event.title for event in events.all(cast.me, 2, 1)] == ["B", "A"]
    assert (events.count(cast.me), events.count(cast.stranger().id)) == (3, 0)


def test_what_stands_since_an_event_is_told_without_what_was_taken_back(cast: Cast) -> None:
    anna, events = cast.person("Anna"), cast.catalogue.events
    for name in ("A", "B", "C"):
        with events.record(cast.me, name):
            cast.catalogue.people.rename(anna, cast.me, name)
    newest, middle, oldest = events.all(cast.me, 9)
    events.undo(cast.me)
    assert [event.title for event in events.standing_since(cast.me, oldest.id)] == ["B", "A"]
    for account, event_id in ((cast.me, newest.id), (cast.stranger().id, middle.id), (cast.me, 10**9)):
        with pytest.raises(NotFound):
            events.standing_since(account, event_id)


def test_an_event_tells_the_faces_it_touched(cast: Cast) -> None:
    faces = nobodys(cast, 4)
    anna = cast.person("Anna", faces[0])
    cast.catalogue.people.set_feature_face(anna, cast.me, faces[0])
    events = cast.catalogue.events
    _said(cast, lambda: cast.catalogue.faces.assign([(face, anna) for face in faces[1:]], AssignedBy.USER))
    _said(cast, lambda: cast.catalogue.people.rename(anna, cast.me, "Anni"))
    renamed, assigned = events.all(cast.me, 9)
    touched = events.touched([renamed.id, assigned.id], 2)
    assert [each.face_id for each in touched if each.event_id == renamed.id] == [faces[0]]
    assert [each.face_id for each in touched if each.event_id == assigned.id] == faces[1:3]
    assert events.touched([], 2) == []


def test_two_people_differ_only_when_it_was_said(cast: Cast) -> None:
    anna, ben, clara = cast.person("Anna"), cast.person("Ben"), cast.person("Clara")
    cast.say(VerdictKind.PERSONS_DIFFER, None, ben, anna)
    differ = cast.catalogue.verdicts.differ
    assert differ(cast.me, anna, ben)
    assert differ(cast.me, ben, anna)
    assert not differ(cast.me, anna, clara)
    assert not differ(cast.stranger().id, anna, ben)
