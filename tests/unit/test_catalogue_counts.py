"""Counts that are kept: after a migration, a kill, a change with other tools, and an undo of a large merge."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import NullPool

from plugin.catalogue.opening import MIGRATIONS
from plugin.catalogue.store import SqlCatalogue, open_catalogue
from tests.contract.catalogue_cast import LEFT, RIGHT, Cast, found, open_store
from tests.property.test_kept_counts import assert_counts_are_true

NOON, EVENING = datetime(2020, 5, 1, 12), datetime(2021, 5, 1, 20)  # noqa: DTZ001, the camera's own time


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    with open_store("sqlite file", tmp_path) as opened:
        yield opened


def album(cast: Cast) -> int:
    """Anna, twice on one photo and once on another."""
    left, right = cast.photo(found(LEFT), found(RIGHT), taken_at=NOON)
    (later,) = cast.photo(found(), taken_at=EVENING)
    return cast.person("Anna", left, right, later)


def test_a_person_knows_how_many_faces_and_photos_there_are_and_from_when(cast: Cast) -> None:
    anna = cast.catalogue.people.get(album(cast), cast.me)
    assert (anna.face_count, anna.photo_count, anna.first_taken, anna.last_taken) == (3, 2, NOON, EVENING)
    nobody = cast.catalogue.people.get(cast.person("Ben"), cast.me)
    assert (nobody.face_count, nobody.photo_count, nobody.first_taken, nobody.last_taken) == (0, 0, None, None)


def test_a_photo_that_goes_takes_its_faces_and_its_time_along(cast: Cast) -> None:
    anna = album(cast)
    newest = cast.catalogue.assets.of_person(anna, cast.me, 0, 1)[0]
    cast.catalogue.assets.mark_gone([newest.id])
    left = cast.catalogue.people.get(anna, cast.me)
    assert (left.face_count, left.photo_count, left.last_taken) == (2, 1, NOON)


def test_names_are_offered_once_with_the_most_frequent_first(cast: Cast) -> None:
    cast.person("Ben")
    cast.person("Ben")
    album(cast)
    cast.person("")
    assert cast.catalogue.people.names(cast.me, limit=10) == ["Anna", "Ben"]
    assert cast.catalogue.people.names(cast.me, limit=1) == ["Anna"]
    assert cast.catalogue.people.names(cast.stranger().id, limit=10) == []


def test_undoing_a_merge_brings_both_counts_back(cast: Cast) -> None:
    anna, ben = album(cast), cast.person("Ben", *cast.photo(found()))
    with cast.catalogue.events.record(cast.me, "Merged"):
        cast.catalogue.people.merge(anna, [ben], cast.me)
    assert cast.catalogue.people.get(anna, cast.me).face_count == 4
    cast.catalogue.events.undo(cast.me)
    counts = [cast.catalogue.people.get(person, cast.me).face_count for person in (anna, ben)]
    assert counts == [3, 1]
    assert_counts_are_true(cast.catalogue)


def test_a_transaction_that_fails_leaves_the_counts_as_they_were(cast: Cast) -> None:
    anna = album(cast)
    with suppress(ZeroDivisionError), cast.catalogue._transactions.write() as connection:
        connection.execute(text("UPDATE face SET person_id = NULL, state = 'unassigned'"))
        raise ZeroDivisionError
    assert cast.catalogue.people.get(anna, cast.me).face_count == 3
    assert_counts_are_true(cast.catalogue)


def filled(path: Path) -> SqlCatalogue:
    catalogue = open_catalogue(path)
    with catalogue._transactions.write() as connection:
        for statement in ROWS:
            connection.execute(text(statement))
    return catalogue


ROWS = (
    "INSERT INTO library (id, account_id, host, name, address, sync_pass) VALUES (1, 1, 'folder', 'P', '/p', 1)",
    """INSERT INTO asset (id, library_id, account_id, host_key, path, kind, content_key, change_key, taken_at, gone,
         seen_pass, state, attempts) VALUES
       (1, 1, 1, 'a', 'a', 'photo', 'a', 'a', '2020-05-01 12:00:00.000000', 0, 1, 'done', 0),
       (2, 1, 1, 'b', 'b', 'photo', 'b', 'b', NULL, 0, 1, 'pending', 0),
       (3, 1, 1, 'c', 'c', 'photo', 'c', 'c', '2022-05-01 12:00:00.000000', 1, 1, 'done', 0)""",
    """INSERT INTO person (id, account_id, name, name_key, search_words, hidden, favourite) VALUES
       (1, 1, 'Anna', 'anna', ' anna', 0, 0), (2, 1, '', '', '', 0, 0)""",
    """INSERT INTO face (id, asset_id, account_id, source, x, y, w, h, landmarks, score, quality, norm, sharpness, pose,
         width_px, pack, state, person_id, assigned_by)
       SELECT id, 1 + id % 3, 1, 'machine', 0, 0, 1, 1, x'00', 1, 1, 1, 1, 1, 1, 'opencv',
         CASE WHEN id < 6 THEN 'assigned' ELSE 'unassigned' END, CASE WHEN id < 6 THEN 1 END,
         CASE WHEN id < 6 THEN 'machine' END
       FROM (SELECT 1 AS id UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6)""",
)


def test_a_catalogue_of_the_former_version_is_counted_when_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        account = "INSERT INTO account (id, name, name_key, is_admin, session_epoch) VALUES (1, 'admin', 'admin', 1, 0)"
        for statement in (account, *ROWS):
            connection.execute(text(statement))
    catalogue = open_catalogue(path)
    anna = catalogue.people.get(1, 1)
    assert (anna.face_count, anna.photo_count) == (3, 2)
    assert (anna.first_taken, anna.last_taken) == (datetime(2020, 5, 1, 12), datetime(2020, 5, 1, 12))  # noqa: DTZ001
    assert catalogue.assets.counts(1) == (2, 1)
    assert catalogue.libraries.get(1).asset_count == 2
    assert_counts_are_true(catalogue)
    catalogue.close()


def test_what_other_tools_changed_is_counted_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    filled(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE face SET person_id = 2 WHERE id = 1")
    catalogue = open_catalogue(path)
    assert_counts_are_true(catalogue)
    catalogue.close()


def test_taking_back_what_changed_many_faces_takes_as_many_statements_as_few(cast: Cast) -> None:
    asked, counts = list[str](), []
    engine = cast.catalogue._transactions._engine
    event.listen(engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    for faces in (2, 40):
        anna = cast.person("", *(cast.photo(found())[0] for _ in range(faces)))
        with cast.catalogue.events.record(cast.me, "Made a stranger"):
            cast.catalogue.people.make_strangers(cast.me, [anna])
        asked.clear()
        cast.catalogue.events.undo(cast.me)
        counts.append(len(asked))
        assert cast.catalogue.people.get(anna, cast.me).face_count == faces
    assert counts[0] == counts[1]
