"""Contract of `SmartHomeRows`: choices belong to accounts, go with people, and no topic is forgotten."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from plugin.errors import NotFound
from plugin.ports.smart_home import PersonChoice
from tests.contract.catalogue_cast import STORES, Cast, found, open_store

NOON = datetime(2026, 5, 4, 12)  # noqa: DTZ001  a camera's wall clock


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as cast:
        yield cast


def favourite(cast: Cast, name: str = "Anna") -> int:
    (face,) = cast.photo(found(), taken_at=NOON)
    person = cast.person(name, face)
    cast.catalogue.people.mark(cast.me, [person], favourite=True)
    return person


def test_nobody_is_told_about_at_first_and_allowing_twice_is_once(cast: Cast) -> None:
    rows = cast.catalogue.smart_home
    assert rows.accounts() == []
    rows.allow(cast.me)
    rows.allow(cast.me)
    assert rows.accounts() == [cast.me]
    with pytest.raises(NotFound):
        rows.allow(999)


def test_a_choice_counts_only_while_the_account_allows_it(cast: Cast) -> None:
    rows, anna = cast.catalogue.smart_home, favourite(cast)
    rows.choose(cast.me, PersonChoice(anna, with_picture=True, seen_at=NOON))
    assert rows.chosen(cast.me) == []
    rows.allow(cast.me)
    (chosen,) = rows.chosen(cast.me)
    assert (chosen.name, chosen.photo_count, chosen.last_taken) == ("Anna", 1, NOON)
    assert chosen.choice == PersonChoice(anna, with_picture=True, seen_at=NOON) == rows.choice(cast.me, anna)
    rows.seen(anna, datetime(2026, 6, 1))  # noqa: DTZ001
    seen = rows.choice(cast.me, anna)
    assert seen
    assert seen.seen_at == datetime(2026, 6, 1)  # noqa: DTZ001
    rows.forbid(cast.me)
    assert rows.choice(cast.me, anna) is None


def test_choices_are_neither_seen_nor_changed_by_another_account(cast: Cast) -> None:
    rows, anna, nora = cast.catalogue.smart_home, favourite(cast), cast.stranger().id
    rows.allow(cast.me)
    rows.allow(nora)
    rows.choose(cast.me, PersonChoice(anna, with_picture=False))
    assert rows.choice(nora, anna) is None
    assert rows.chosen(nora) == []
    with pytest.raises(NotFound):
        rows.choose(nora, PersonChoice(anna, with_picture=True))
    rows.drop(nora, anna)
    rows.forbid(nora)
    assert rows.choice(cast.me, anna) == PersonChoice(anna, with_picture=False)


def test_choices_go_with_the_person_and_the_account(cast: Cast) -> None:
    rows, anna, nora = cast.catalogue.smart_home, favourite(cast), cast.stranger()
    rows.allow(cast.me)
    rows.allow(nora.id)
    rows.choose(cast.me, PersonChoice(anna, with_picture=False))
    cast.catalogue.privacy.forget_person(cast.me, anna)
    assert rows.choice(cast.me, anna) is None
    cast.catalogue.accounts.remove(nora.id)
    assert rows.accounts() == [cast.me]


def test_topics_are_remembered_until_they_are_forgotten(cast: Cast) -> None:
    rows = cast.catalogue.smart_home
    rows.note_topics({"a", "b"})
    rows.note_topics({"b", "c"})
    rows.note_topics(set())
    assert rows.topics() == {"a", "b", "c"}
    rows.forget_topics({"a", "x"})
    rows.forget_topics(set())
    assert rows.topics() == {"b", "c"}
