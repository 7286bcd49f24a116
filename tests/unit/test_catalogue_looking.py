"""A page sees one state of the catalogue, by one connection, and what it writes itself."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.contract.catalogue_cast import Cast, open_store


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    with open_store("sqlite file", tmp_path) as opened:
        yield opened


def elsewhere(cast: Cast, name: str) -> None:
    thread = threading.Thread(target=cast.catalogue.people.add, args=(cast.me, name))
    thread.start()
    thread.join()


def names(cast: Cast) -> list[str]:
    return sorted(cast.catalogue.people.names(cast.me))


def test_what_others_write_is_seen_after_one_has_looked(cast: Cast) -> None:
    cast.person("Anna")
    with cast.catalogue.looking():
        assert names(cast) == ["Anna"]
        elsewhere(cast, "Ben")
        assert names(cast) == ["Anna"]
    assert names(cast) == ["Anna", "Ben"]


def test_what_one_writes_while_looking_is_seen_at_once(cast: Cast) -> None:
    with cast.catalogue.looking():
        assert names(cast) == []
        with cast.catalogue.events.record(cast.me, "Added Anna"):
            cast.person("Anna")
            assert names(cast) == ["Anna"]
        assert cast.catalogue.events.count(cast.me) == 1
        cast.catalogue.events.undo(cast.me)
        assert names(cast) == []


def test_looking_takes_one_connection_and_gives_it_back(cast: Cast) -> None:
    engine, taken, back = cast.catalogue._transactions._engine, list[object](), list[object]()
    event.listen(engine, "checkout", lambda connection, *_: taken.append(connection))
    event.listen(engine, "checkin", lambda connection, *_: back.append(connection))
    with cast.catalogue.looking(), cast.catalogue.looking():
        names(cast)
        cast.catalogue.accounts.all()
        assert (len(taken), len(back)) == (1, 0)
    assert (len(taken), len(back)) == (1, 1)
    names(cast)
    assert (len(taken), len(back)) == (2, 2)


def test_an_error_while_looking_leaves_nothing_open(cast: Cast) -> None:
    def fail() -> None:
        with cast.catalogue.looking():
            names(cast)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    elsewhere(cast, "Ben")
    assert names(cast) == ["Ben"]
