"""Faces users draw: they stay whatever detection finds, and every change of them can be taken back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from plugin.domain import AssignedBy, Box, FaceState, VerdictKind
from plugin.errors import NotFound, Refused
from tests.contract.catalogue_cast import LEFT, MIDDLE, PACK, RIGHT, STORES, Cast, direction, found, listed, open_store


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def stored(cast: Cast, face_id: int) -> tuple[object, ...]:
    """Everything about a face, its embedding included."""
    face = cast.catalogue.faces.get(face_id)
    vector = cast.catalogue.faces.embedding(face_id).tobytes()
    return face.box, face.state, face.person_id, face.assigned_by, face.drawn, face.pack, face.score, vector


def test_a_drawn_face_waits_for_recognition_and_reaches_the_index(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    face_id = cast.catalogue.faces.draw(cast.me, asset.id, PACK, found(MIDDLE, direction(1)))
    face = cast.catalogue.faces.get(face_id, cast.me)
    assert (face.box, face.state, face.drawn) == (MIDDLE, FaceState.PENDING, True)
    assert cast.catalogue.index_state.to_add(PACK, 9)[0] == [face_id]


def test_a_face_the_machine_found_is_not_drawn_and_can_neither_be_moved_nor_erased(cast: Cast) -> None:
    (face_id,) = cast.photo(found(LEFT))
    assert not cast.catalogue.faces.get(face_id).drawn
    with pytest.raises(Refused, match="found this face itself"):
        cast.catalogue.faces.redraw(cast.me, face_id, PACK, found(RIGHT))
    with pytest.raises(Refused, match="found this face itself"):
        cast.catalogue.faces.erase(cast.me, face_id)
    assert cast.catalogue.faces.get(face_id).box == LEFT


def test_nobody_draws_on_photos_or_moves_faces_of_others(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    nora = cast.stranger().id
    face_id = cast.catalogue.faces.draw(cast.me, asset.id, PACK, found(LEFT))
    with pytest.raises(NotFound):
        cast.catalogue.faces.draw(nora, asset.id, PACK, found(RIGHT))
    with pytest.raises(NotFound):
        cast.catalogue.faces.redraw(nora, face_id, PACK, found(RIGHT))
    with pytest.raises(NotFound):
        cast.catalogue.faces.erase(nora, face_id)
    assert [face.box for face in cast.catalogue.faces.of_asset(asset.id, cast.me)] == [LEFT]


def test_a_second_box_around_a_face_is_refused(cast: Cast) -> None:
    (face_id,) = cast.photo(found(LEFT))
    asset_id = cast.catalogue.faces.get(face_id).asset_id
    nearly = Box(LEFT.x + 0.02, LEFT.y, LEFT.w, LEFT.h)
    with pytest.raises(Refused, match="There is a face in this place already"):
        cast.catalogue.faces.draw(cast.me, asset_id, PACK, found(nearly))
    drawn = cast.catalogue.faces.draw(cast.me, asset_id, PACK, found(RIGHT))
    with pytest.raises(Refused, match="There is a face in this place already"):
        cast.catalogue.faces.redraw(cast.me, drawn, PACK, found(nearly))
    cast.catalogue.faces.redraw(cast.me, drawn, PACK, found(Box(RIGHT.x + 0.02, RIGHT.y, RIGHT.w, RIGHT.h)))


@pytest.mark.parametrize("mode", ["missing", "refresh", "reset"])
def test_a_drawn_face_survives_every_mode_and_another_pack(cast: Cast, mode: str) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    cast.finish(asset, found(LEFT))
    drawn = cast.catalogue.faces.draw(cast.me, asset.id, PACK, found(RIGHT, direction(1)))
    cast.catalogue.detection.request(mode, "buffalo_s")
    cast.finish(asset, found(MIDDLE, direction(2, 8)), found(RIGHT, direction(3, 8)), pack="buffalo_s")
    face = cast.catalogue.faces.get(drawn)
    assert (face.box, face.pack, face.drawn) == (RIGHT, "buffalo_s", True)
    np.testing.assert_array_equal(cast.catalogue.faces.embedding(drawn), direction(3, 8))


def test_a_box_stays_as_drawn_when_detection_finds_the_face_too(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    drawn = cast.catalogue.faces.draw(cast.me, asset.id, PACK, found(RIGHT))
    near = Box(RIGHT.x + 0.02, RIGHT.y, RIGHT.w, RIGHT.h)
    assert cast.finish(asset, found(near)) == [drawn]
    assert cast.catalogue.faces.get(drawn).box == RIGHT


def test_undo_takes_a_drawn_face_away_with_what_was_said_about_it(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    with cast.catalogue.events.record(cast.me, "Drew a face"):
        drawn = cast.catalogue.faces.draw(cast.me, asset.id, PACK, found(RIGHT))
        anna = cast.catalogue.people.add(cast.me, "Anna", feature_face_id=drawn)
        cast.say(VerdictKind.IS_PERSON, drawn, anna)
        cast.catalogue.faces.assign([(drawn, anna)], AssignedBy.USER)
    cast.catalogue.index_state.added(PACK, [drawn])
    cast.catalogue.events.undo(cast.me)
    assert cast.catalogue.faces.of_asset(asset.id, cast.me) == []
    assert cast.said() == []
    assert cast.catalogue.people.all(cast.me) == []
    assert cast.catalogue.index_state.to_delete(9) == [(PACK, drawn)]
    assert cast.catalogue.integrity() == []


def test_undo_moves_a_box_back_with_its_embedding(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    drawn = cast.catalogue.faces.draw(cast.me, asset.id, PACK, found(RIGHT, direction(1)))
    before = stored(cast, drawn)
    with cast.catalogue.events.record(cast.me, "Moved the box of a face"):
        cast.catalogue.faces.redraw(cast.me, drawn, PACK, found(MIDDLE, direction(2)))
    assert cast.catalogue.faces.get(drawn).box == MIDDLE
    cast.catalogue.index_state.added(PACK, [drawn])
    cast.catalogue.events.undo(cast.me)
    assert stored(cast, drawn) == before
    assert cast.catalogue.index_state.to_add(PACK, 9)[0] == [drawn]


def test_undo_brings_an_erased_face_back_with_its_person_and_verdict(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    drawn = cast.catalogue.faces.draw(cast.me, asset.id, PACK, found(RIGHT, direction(1)))
    cast.person("", drawn, by=AssignedBy.USER)
    cast.say(VerdictKind.IS_PERSON, drawn, cast.catalogue.faces.get(drawn).person_id or 0)
    before, said = stored(cast, drawn), cast.said()
    with cast.catalogue.events.record(cast.me, "Deleted a drawn face"):
        cast.catalogue.faces.erase(cast.me, drawn)
        cast.catalogue.people.delete_empty()
    assert (cast.catalogue.faces.many([drawn]), cast.said()) == ([], [])
    cast.catalogue.events.undo(cast.me)
    assert (stored(cast, drawn), cast.said()) == (before, said)
    assert cast.catalogue.index_state.to_delete(9) == []
    assert cast.catalogue.index_state.to_add(PACK, 9)[0] == [drawn]
    assert cast.catalogue.integrity() == []


def test_a_face_brought_back_after_a_change_of_pack_is_looked_at_again(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    cast.finish(asset)
    drawn = cast.catalogue.faces.draw(cast.me, asset.id, PACK, found(RIGHT))
    with cast.catalogue.events.record(cast.me, "Deleted a drawn face"):
        cast.catalogue.faces.erase(cast.me, drawn)
    cast.finish(asset, pack="buffalo_s")
    assert cast.catalogue.detection.status().waiting == 0
    cast.catalogue.events.undo(cast.me)
    assert cast.catalogue.detection.status().waiting == 1


def test_undo_of_a_deletion_is_harmless_when_the_library_is_gone(cast: Cast) -> None:
    (asset,) = cast.add(listed("a.jpg"))
    drawn = cast.catalogue.faces.draw(cast.me, asset.id, PACK, found(RIGHT))
    with cast.catalogue.events.record(cast.me, "Moved the box of a face"):
        cast.catalogue.faces.redraw(cast.me, drawn, PACK, found(LEFT))
    with cast.catalogue.events.record(cast.me, "Deleted a drawn face"):
        cast.catalogue.faces.erase(cast.me, drawn)
    cast.catalogue.libraries.remove(cast.library.id)
    cast.catalogue.events.undo(cast.me)
    cast.catalogue.events.undo(cast.me)
    assert cast.catalogue.faces.many([drawn]) == []
    assert cast.catalogue.integrity() == []


def test_whom_users_recognised_last_comes_first(cast: Cast) -> None:
    one, two, three = cast.photo(found(LEFT), found(MIDDLE), found(RIGHT))
    anna, ben = cast.person("Anna"), cast.person("Ben")
    for face_id, person in ((one, anna), (two, ben), (three, anna)):
        cast.say(VerdictKind.IS_PERSON, face_id, person)
    assert cast.catalogue.verdicts.recent_persons(cast.me, 5) == [anna, ben]
    assert cast.catalogue.verdicts.recent_persons(cast.me, 1) == [anna]
    assert cast.catalogue.verdicts.recent_persons(cast.stranger().id, 5) == []
