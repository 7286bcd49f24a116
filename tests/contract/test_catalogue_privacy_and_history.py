"""Contract of `PrivacyRows` with drawn faces: the history holds pictures of them, which have to go as well."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from plugin.domain import AssetId, AssignedBy, FaceId, Float32Array
from plugin.history import History
from plugin.people import People
from tests.contract.catalogue_cast import LEFT, MIDDLE, PACK, RIGHT, STORES, Cast, direction, found, listed, open_store
from tests.contract.test_catalogue_privacy import everything
from tests.fakes.album import NudgeLog
from tests.property.test_kept_counts import assert_counts_are_true

DRAWN: Float32Array = np.array([0.1, 0.3, 0.5, 0.8], dtype=np.float32)


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def photo(cast: Cast) -> AssetId:
    (asset,) = cast.add(listed("party.jpg"))
    return asset.id


def draw(cast: Cast, asset_id: AssetId, embedding: Float32Array = DRAWN) -> FaceId:
    with cast.catalogue.events.record(cast.me, "Drew a face"):
        return cast.catalogue.faces.draw(cast.me, asset_id, PACK, found(MIDDLE, embedding))


def erase(cast: Cast, face_id: FaceId) -> None:
    with cast.catalogue.events.record(cast.me, "Deleted a drawn face"):
        cast.catalogue.faces.erase(cast.me, face_id)


def people(cast: Cast) -> People:
    return People(cast.catalogue, NudgeLog())


def holds(cast: Cast, embedding: Float32Array = DRAWN) -> bool:
    """Whether an embedding is to be found in any table, as bytes or as text."""
    return embedding.tobytes().hex() in everything(cast) or repr(embedding.tobytes()) in everything(cast)


def test_a_forgotten_person_is_forgotten_with_the_faces_that_were_drawn(cast: Cast) -> None:
    face_id = draw(cast, photo(cast))
    person = cast.person("Anna", face_id)
    assert holds(cast)
    cast.catalogue.privacy.forget_person(cast.me, person)
    assert not holds(cast)
    assert cast.catalogue.integrity() == []


def test_somebody_else_is_forgotten_while_faces_were_drawn(cast: Cast) -> None:
    asset_id = photo(cast)
    draw(cast, asset_id)
    (ben,) = cast.photo(found(LEFT, direction(1)))
    cast.catalogue.privacy.forget_person(cast.me, cast.person("Ben", ben))
    assert [event.title for event in cast.catalogue.events.all(cast.me, 9)] == ["Drew a face"]
    History(cast.catalogue, NudgeLog()).undo(cast.me)
    assert cast.catalogue.faces.of_asset(asset_id, cast.me) == []


@pytest.mark.parametrize("by", list(AssignedBy))
def test_a_drawn_face_that_was_deleted_since_is_forgotten_with_its_person(cast: Cast, by: AssignedBy) -> None:
    face_id, person = draw(cast, photo(cast)), cast.person("Anna")
    if by is AssignedBy.USER:
        people(cast).assign(cast.me, face_id, person)
    else:
        cast.catalogue.faces.assign([(face_id, person)], by)
    erase(cast, face_id)
    cast.catalogue.privacy.forget_person(cast.me, person)
    assert not holds(cast)
    assert cast.catalogue.events.all(cast.me, 9) == []


def test_a_drawn_face_that_was_taken_from_the_person_and_deleted_is_forgotten_as_well(cast: Cast) -> None:
    face_id, person = draw(cast, photo(cast)), cast.person("Anna")
    people(cast).assign(cast.me, face_id, person)
    people(cast).ignore(cast.me, face_id)
    erase(cast, face_id)
    cast.catalogue.privacy.forget_person(cast.me, person)
    assert not holds(cast)


def test_what_was_drawn_of_somebody_else_stays_and_can_be_taken_back(cast: Cast) -> None:
    face_id, person, other = draw(cast, photo(cast)), cast.person("Anna"), cast.person("Ben")
    people(cast).assign(cast.me, face_id, other)
    erase(cast, face_id)
    cast.catalogue.privacy.forget_person(cast.me, person)
    assert cast.catalogue.events.all(cast.me, 9)[0].title == "Deleted a drawn face"
    cast.catalogue.events.undo(cast.me)
    assert cast.who([face_id]) == [other]


def test_an_undone_drawing_leaves_nothing_of_the_face(cast: Cast) -> None:
    draw(cast, photo(cast))
    cast.catalogue.events.undo(cast.me)
    assert not holds(cast)
    assert [event.undone for event in cast.catalogue.events.all(cast.me, 9)] == [True]


def test_a_drawn_face_stands_for_its_event_in_the_history(cast: Cast) -> None:
    face_id = draw(cast, photo(cast))
    (event,) = cast.catalogue.events.all(cast.me, 9)
    assert [touched.face_id for touched in cast.catalogue.events.touched([event.id], 3)] == [face_id]


@pytest.mark.parametrize("forget", ["forget_faces", "forget_everything"])
def test_forgetting_all_faces_forgets_those_that_were_drawn_and_deleted(cast: Cast, forget: str) -> None:
    asset_id = photo(cast)
    erase(cast, draw(cast, asset_id))
    draw(cast, asset_id, direction(3))
    getattr(cast.catalogue.privacy, forget)(cast.me)
    assert not holds(cast)
    assert not holds(cast, direction(3))


def test_a_question_that_was_skipped_does_not_tell_of_a_forgotten_person(cast: Cast) -> None:
    (face_id,) = cast.photo(found())
    person, ben, carl = cast.person("Anna", face_id), cast.person("Ben"), cast.person("Carl")
    about = [f"face-{face_id}-{ben}", f"face-999-{person}", f"person-{person}-{ben}", f"person-{ben}-{person}"]
    for key in (*about, f"person-{ben}-{carl}", "face-999-998"):
        cast.catalogue.verdicts.skip(cast.me, key, 0.5)
    cast.catalogue.verdicts.skip(cast.stranger().id, about[0], 0.5)
    cast.catalogue.privacy.forget_person(cast.me, person)
    assert set(cast.catalogue.verdicts.skipped(cast.me)) == {f"person-{ben}-{carl}", "face-999-998"}
    assert set(cast.catalogue.verdicts.skipped(cast.stranger().id)) == {about[0]}


def test_removing_a_library_leaves_nothing_of_its_drawn_faces(cast: Cast) -> None:
    other = cast.catalogue.libraries.add(cast.me, "folder", "Other", "/other")
    (elsewhere,) = cast.add(listed("kept.jpg"), library=other)
    asset_id = photo(cast)
    erase(cast, draw(cast, asset_id))
    draw(cast, asset_id, direction(3))
    kept = draw(cast, elsewhere.id, direction(2))
    cast.catalogue.libraries.remove(cast.library.id)
    assert not holds(cast)
    assert not holds(cast, direction(3))
    assert cast.catalogue.privacy.leftovers() is not None
    cast.catalogue.events.undo(cast.me)
    assert cast.catalogue.faces.many([kept]) == []
    assert cast.catalogue.integrity() == []


def test_counts_are_true_after_everything_that_forgets(cast: Cast) -> None:
    asset_id = photo(cast)
    drawn = draw(cast, asset_id)
    left, right = cast.photo(found(LEFT), found(RIGHT, direction(1)))
    anna, ben = cast.person("Anna", left, drawn), cast.person("Ben", right)
    cast.catalogue.privacy.forget_person(cast.me, anna)
    assert_counts_are_true(cast.catalogue)
    assert cast.catalogue.people.get(ben, cast.me).face_count == 1
    cast.catalogue.privacy.forget_faces(cast.me)
    assert_counts_are_true(cast.catalogue)
    assert cast.catalogue.people.get(ben, cast.me).face_count == 0
    cast.catalogue.libraries.remove(cast.library.id)
    assert_counts_are_true(cast.catalogue)


def test_an_account_goes_with_everything_every_track_added(cast: Cast) -> None:
    nora = cast.stranger()
    library = cast.catalogue.libraries.add(nora.id, "folder", "Next door", "/next-door")
    (asset,) = cast.add(listed("nora.jpg"), library=library)
    cast.finish(asset, found(LEFT))
    with cast.catalogue.events.record(nora.id, "Drew a face"):
        drawn = cast.catalogue.faces.draw(nora.id, asset.id, PACK, found(RIGHT, DRAWN))
    person = cast.catalogue.people.add(nora.id, "Nora herself", feature_face_id=drawn)
    cast.catalogue.faces.assign([(drawn, person)], AssignedBy.USER)
    cast.catalogue.privacy.forget_person(nora.id, person)
    with cast.catalogue.events.record(nora.id, "Drew a face"):
        cast.catalogue.faces.draw(nora.id, asset.id, PACK, found(RIGHT, DRAWN))
    cast.catalogue.verdicts.skip(nora.id, "face-1-1", 0.5)
    cast.catalogue.accounts.invite(nora.id, "hash of a token", cast.clock())
    cast.catalogue.accounts.remove(nora.id)
    assert not holds(cast)
    assert rows_of(cast, nora.id) == []
    assert_counts_are_true(cast.catalogue)
    assert cast.catalogue.integrity() == []


def rows_of(cast: Cast, account_id: int) -> list[str]:
    """Tables that still name the account, by `account_id`."""
    with cast.catalogue._transactions.read() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        with_account = [
            name
            for name in names
            if "account_id" in {row.name for row in connection.execute(text(f'PRAGMA table_info("{name}")'))}
        ]
        assert len(with_account) >= 10
        return [
            name
            for name in with_account
            if connection.execute(text(f'SELECT 1 FROM "{name}" WHERE account_id = {account_id}')).first()
        ]
