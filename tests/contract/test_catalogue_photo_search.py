"""Photos by who is on them."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from plugin.domain import FaceState, PersonId, PhotoSearch
from tests.contract.catalogue_cast import LEFT, MIDDLE, RIGHT, STORES, Cast, found, open_store


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


class Scene:
    """Photos of Anna alone, of Anna and Ben, of both with a stranger, of Ben; one photo without anybody."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        (anna1,) = cast.photo(found(LEFT), taken_at=datetime.fromisoformat("2020-01-01 23:59:59"))
        anna2, ben2 = cast.photo(found(LEFT), found(MIDDLE), taken_at=datetime.fromisoformat("2021-01-01"))
        anna3, ben3, self.stranger = cast.photo(
            found(LEFT), found(MIDDLE), found(RIGHT), taken_at=datetime.fromisoformat("2022-01-01 08:00")
        )
        (ben4,) = cast.photo(found(LEFT))
        cast.photo()
        self.anna, self.ben = cast.person("Anna", anna1, anna2, anna3), cast.person("Ben", ben2, ben3, ben4)
        assets = [cast.catalogue.faces.get(face).asset_id for face in (anna1, anna2, anna3, ben4)]
        self.names = dict(zip(assets, ("anna", "both", "crowd", "ben"), strict=True))

    def finds(self, search: PhotoSearch) -> list[str]:
        assets = self.cast.catalogue.assets.search(self.cast.me, search, 0, 99)
        assert self.cast.catalogue.assets.search_count(self.cast.me, search) == len(assets)
        return [self.names[asset.id] for asset in assets]


def test_every_some_none_and_alone(cast: Cast) -> None:
    scene = Scene(cast)
    anna, ben = scene.anna, scene.ben
    assert scene.finds(PhotoSearch()) == ["crowd", "both", "anna", "ben"]
    assert scene.finds(PhotoSearch(every=(anna,))) == ["crowd", "both", "anna"]
    assert scene.finds(PhotoSearch(every=(anna, ben))) == ["crowd", "both"]
    assert scene.finds(PhotoSearch(some=(anna, ben))) == ["crowd", "both", "anna", "ben"]
    assert scene.finds(PhotoSearch(every=(anna,), none=(ben,))) == ["anna"]
    assert scene.finds(PhotoSearch(none=(anna,))) == ["ben"]
    assert scene.finds(PhotoSearch(every=(anna,), alone=True)) == ["anna"]
    assert scene.finds(PhotoSearch(some=(anna, ben), alone=True)) == ["both", "anna", "ben"]
    assert scene.finds(PhotoSearch(every=(anna,), some=(ben,), alone=True)) == ["both"]
    assert scene.finds(PhotoSearch(every=(anna,), none=(anna,))) == []


def test_faces_taken_away_neither_count_nor_disturb(cast: Cast) -> None:
    scene = Scene(cast)
    cast.catalogue.faces.set_state([scene.stranger], FaceState.IGNORED)
    assert scene.finds(PhotoSearch(every=(scene.anna, scene.ben), alone=True)) == ["crowd", "both"]
    assert scene.finds(PhotoSearch(at_least=3)) == []


def test_days_are_whole_and_photos_without_a_date_have_none(cast: Cast) -> None:
    scene = Scene(cast)
    assert scene.finds(PhotoSearch(first_day=date(2020, 1, 1), last_day=date(2020, 1, 1))) == ["anna"]
    assert scene.finds(PhotoSearch(first_day=date(2020, 1, 2))) == ["crowd", "both"]
    assert scene.finds(PhotoSearch(last_day=date(2021, 1, 1))) == ["both", "anna"]


def test_by_number_of_faces_and_library(cast: Cast) -> None:
    scene = Scene(cast)
    assert scene.finds(PhotoSearch(at_least=2)) == ["crowd", "both"]
    assert scene.finds(PhotoSearch(every=(scene.ben,), at_least=3)) == ["crowd"]
    assert len(scene.finds(PhotoSearch(library_id=cast.library.id))) == 4
    other = cast.catalogue.libraries.add(cast.me, "folder", "Other", "/other")
    assert scene.finds(PhotoSearch(library_id=other.id)) == []


def test_gone_photos_and_photos_of_others_are_never_found(cast: Cast) -> None:
    scene = Scene(cast)
    gone = next(asset for asset, name in scene.names.items() if name == "crowd")
    cast.catalogue.assets.mark_gone([gone])
    assert scene.finds(PhotoSearch(every=(scene.anna,))) == ["both", "anna"]
    nora = cast.stranger().id
    for search in (PhotoSearch(), PhotoSearch(every=(scene.anna,)), PhotoSearch(library_id=cast.library.id)):
        assert cast.catalogue.assets.search(nora, search, 0, 99) == []
        assert cast.catalogue.assets.search_count(nora, search) == 0


def test_pages_follow_each_other(cast: Cast) -> None:
    scene = Scene(cast)
    pages = [cast.catalogue.assets.search(cast.me, PhotoSearch(), offset, 2) for offset in (0, 2, 4)]
    assert [[scene.names[asset.id] for asset in page] for page in pages] == [["crowd", "both"], ["anna", "ben"], []]


def test_one_statement_however_many_people_are_asked_for(cast: Cast) -> None:
    scene = Scene(cast)
    many: tuple[PersonId, ...] = tuple(cast.catalogue.people.add(cast.me, f"Person {i}") for i in range(30))
    engine, sent = cast.catalogue._transactions._engine, list[str]()

    def heard(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", heard)
    cast.catalogue.assets.search(cast.me, PhotoSearch(every=many, some=many, none=(scene.anna,), at_least=3), 0, 9)
    event.remove(engine, "before_cursor_execute", heard)
    assert len([statement for statement in sent if not statement.startswith("BEGIN")]) == 1


def test_many_people_are_read_in_the_order_given_and_only_ones_own(cast: Cast) -> None:
    scene = Scene(cast)
    nora = cast.stranger().id
    theirs = cast.catalogue.people.add(nora, "Nora's")
    found_people = cast.catalogue.people.many([scene.ben, theirs, 999, scene.anna], cast.me)
    assert [(person.name, person.photo_count) for person in found_people] == [("Ben", 3), ("Anna", 3)]
    assert cast.catalogue.people.many([], cast.me) == []
