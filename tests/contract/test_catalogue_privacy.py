"""Contract of `PrivacyRows`: what is forgotten is gone from every table, and no detection brings it back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from plugin.domain import AssetKind, AssignedBy, FaceId, VerdictKind
from plugin.errors import NotFound, Refused
from plugin.history import History
from plugin.people import People
from tests.contract.catalogue_cast import LEFT, MIDDLE, PACK, RIGHT, STORES, Cast, direction, found, listed, open_store
from tests.fakes.album import NudgeLog


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def people(cast: Cast) -> People:
    return People(cast.catalogue, NudgeLog())


def gone(cast: Cast, face_id: FaceId) -> bool:
    return cast.catalogue.faces.many([face_id]) == []


def everything(cast: Cast) -> str:
    """Every value of every table, to look for traces in."""
    with cast.catalogue._transactions.read() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        return "\n".join(
            f"{name} {tuple(row)}" for name in names for row in connection.execute(text(f'SELECT * FROM "{name}"'))
        )


def test_a_forgotten_person_leaves_no_trace_in_any_table(cast: Cast) -> None:
    (anna, ben) = cast.photo(found(LEFT), found(RIGHT, direction(1)))
    person = cast.person("Annabella", anna)
    other = cast.person("Ben", ben)
    people(cast).rename(cast.me, person, "Annabella Rossi")
    people(cast).tell_apart(cast.me, person, other)
    people(cast).assign(cast.me, anna, person)
    vector = cast.catalogue.faces.embedding(anna).tobytes()
    cast.catalogue.privacy.forget_person(cast.me, person)
    left = everything(cast)
    assert "Annabella" not in left
    assert repr(vector) not in left
    assert gone(cast, anna)
    assert not gone(cast, ben)
    assert cast.said() == []
    assert [one.name for one in cast.catalogue.people.all(cast.me)] == ["Ben"]


def test_the_index_hears_that_forgotten_faces_go(cast: Cast) -> None:
    (anna,) = cast.photo(found())
    cast.catalogue.privacy.forget_person(cast.me, cast.person("Anna", anna))
    assert cast.catalogue.index_state.to_delete(10) == [(PACK, anna)]
    assert cast.catalogue.index_state.face_ids(PACK) == set()


def test_a_face_the_user_named_but_detection_moved_is_forgotten_as_well(cast: Cast) -> None:
    (anna,) = cast.photo(found())
    person = cast.person("Anna")
    cast.say(VerdictKind.IS_PERSON, anna, person)
    cast.catalogue.privacy.forget_person(cast.me, person)
    assert gone(cast, anna)


def test_looking_again_does_not_bring_a_forgotten_face_back(cast: Cast) -> None:
    (asset,) = cast.add(listed("party.jpg"))
    anna, ben = cast.finish(asset, found(LEFT), found(RIGHT, direction(1)))
    cast.catalogue.privacy.forget_person(cast.me, cast.person("Anna", anna))
    for pack in (PACK, "another"):
        assert cast.finish(asset, found(LEFT), found(RIGHT, direction(1)), pack=pack) == [0, ben]
    assert [face.id for face in cast.catalogue.faces.of_asset(asset.id, cast.me)] == [ben]


def test_a_newcomer_elsewhere_on_the_photo_is_still_found(cast: Cast) -> None:
    (asset,) = cast.add(listed("party.jpg"))
    (anna,) = cast.finish(asset, found(LEFT))
    cast.catalogue.privacy.forget_person(cast.me, cast.person("Anna", anna))
    blocked, newcomer = cast.finish(asset, found(LEFT), found(MIDDLE, direction(2)))
    assert blocked == 0
    assert not gone(cast, newcomer)


def test_a_video_with_a_forgotten_face_takes_no_new_faces_but_keeps_known_ones(cast: Cast) -> None:
    (film,) = cast.add(listed("film.mp4", kind=AssetKind.VIDEO))
    anna, ben = cast.finish(film, found(LEFT, frame_ms=0), found(RIGHT, direction(1), frame_ms=0))
    cast.catalogue.privacy.forget_person(cast.me, cast.person("Anna", anna))
    again = cast.finish(film, found(MIDDLE, frame_ms=500), found(LEFT, direction(1), frame_ms=500))
    assert again == [0, ben]


def test_a_ban_is_lifted_only_when_asked_for(cast: Cast) -> None:
    (asset,) = cast.add(listed("party.jpg"))
    (anna,) = cast.finish(asset, found(LEFT))
    cast.catalogue.privacy.forget_person(cast.me, cast.person("Anna", anna))
    assert cast.catalogue.privacy.held(cast.me).forgotten == 1
    assert cast.catalogue.privacy.let_be_found(cast.me) == [asset.id]
    assert cast.catalogue.privacy.let_be_found(cast.me) == []
    (back,) = cast.finish(asset, found(LEFT))
    assert back not in {0, anna}


def test_removing_the_library_ends_the_ban_with_it(cast: Cast) -> None:
    (anna,) = cast.photo(found())
    cast.catalogue.privacy.forget_person(cast.me, cast.person("Anna", anna))
    cast.catalogue.libraries.remove(cast.library.id)
    assert cast.catalogue.privacy.held(cast.me).forgotten == 0


def test_the_history_before_and_after_can_still_be_undone(cast: Cast) -> None:
    anna, ben = cast.photo(found(LEFT), found(RIGHT, direction(1)))
    person, other = cast.person("Anna", anna), cast.person("Ben", ben)
    people(cast).set_hidden(cast.me, other, hidden=True)
    people(cast).merge(cast.me, person, [cast.person("Annie")])
    people(cast).rename(cast.me, other, "Benno")
    cast.catalogue.privacy.forget_person(cast.me, person)
    assert [event.title for event in cast.catalogue.events.all(cast.me, 10)] == ["Named somebody Benno", "Hid Ben"]
    History(cast.catalogue, NudgeLog()).undo(cast.me)
    History(cast.catalogue, NudgeLog()).undo(cast.me)
    ben_again = cast.catalogue.people.get(other, cast.me)
    assert (ben_again.name, ben_again.hidden) == ("Ben", False)
    with pytest.raises(Refused):
        History(cast.catalogue, NudgeLog()).undo(cast.me)


def test_forgetting_all_faces_keeps_named_people_and_nothing_of_their_faces(cast: Cast) -> None:
    anna, ben, nobody = cast.photo(found(LEFT), found(MIDDLE, direction(1)), found(RIGHT, direction(2)))
    named, _unnamed = cast.person("Anna", anna), cast.person("", ben)
    cast.catalogue.people.set_feature_face(named, cast.me, anna)
    people(cast).ignore(cast.me, nobody)
    cast.catalogue.privacy.forget_faces(cast.me)
    held = cast.catalogue.privacy.held(cast.me)
    assert (held.faces, held.embeddings, held.verdicts, held.events) == (0, 0, 0, 0)
    assert (held.people, held.named_people, held.forgotten) == (1, 1, 3)
    assert cast.catalogue.people.get(named, cast.me).feature_face_id is None


def test_forgetting_everything_leaves_photos_and_no_people(cast: Cast) -> None:
    anna, ben = cast.photo(found(LEFT), found(RIGHT, direction(1)))
    people(cast).tell_apart(cast.me, cast.person("Anna", anna), cast.person("Ben", ben))
    cast.catalogue.privacy.forget_everything(cast.me)
    held = cast.catalogue.privacy.held(cast.me)
    assert (held.faces, held.people, held.verdicts, held.events) == (0, 0, 0, 0)
    assert cast.catalogue.assets.counts(cast.me) == (1, 0)


def test_nothing_of_another_account_is_forgotten_or_told(cast: Cast) -> None:
    nora = cast.stranger()
    (anna,) = cast.photo(found())
    person = cast.person("Anna", anna)
    for ask in (cast.catalogue.privacy.held, cast.catalogue.privacy.forget_person):
        with pytest.raises(NotFound):
            ask(nora.id, person)
    cast.catalogue.privacy.forget_everything(nora.id)
    cast.catalogue.privacy.forget_faces(nora.id)
    assert cast.catalogue.privacy.let_be_found(nora.id) == []
    assert list(cast.catalogue.privacy.held_faces(nora.id)) == []
    assert cast.who([anna]) == [person]


def test_a_deletion_leaves_a_note_until_its_files_are_gone(cast: Cast) -> None:
    assert cast.catalogue.privacy.leftovers() is None
    cast.catalogue.privacy.forget_faces(cast.me)
    first = cast.catalogue.privacy.leftovers()
    assert first is not None
    cast.catalogue.privacy.forget_faces(cast.me)
    cast.catalogue.privacy.cleaned(first)
    second = cast.catalogue.privacy.leftovers()
    assert second not in {None, first}
    cast.catalogue.privacy.cleaned(second or "")
    assert cast.catalogue.privacy.leftovers() is None


def test_deleted_embeddings_are_not_left_in_the_file(cast: Cast, tmp_path: Path) -> None:
    vector = np.linspace(0.1, 0.7, 128, dtype=np.float32)
    vector /= np.linalg.norm(vector)
    (anna,) = cast.photo(found(LEFT, vector))
    cast.catalogue.privacy.scrub()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    stored = vector.tobytes()
    assert not files or any(stored in path.read_bytes() for path in files)
    cast.catalogue.privacy.forget_person(cast.me, cast.person("Anna", anna))
    cast.catalogue.privacy.scrub()
    assert not any(stored in path.read_bytes() for path in files if path.exists())


def test_held_faces_carry_embeddings_and_places_also_of_photos_that_are_gone(cast: Cast) -> None:
    (asset,) = cast.add(listed("party.jpg"))
    (anna,) = cast.finish(asset, found(LEFT, direction(1)))
    cast.person("Anna", anna, by=AssignedBy.USER)
    cast.catalogue.assets.mark_gone([asset.id])
    (held,) = cast.catalogue.privacy.held_faces(cast.me)
    assert (held.exported.path, held.exported.face.id, held.exported.face.person_name) == ("party.jpg", anna, "Anna")
    assert held.embedding is not None
    assert np.array_equal(held.embedding, direction(1))
