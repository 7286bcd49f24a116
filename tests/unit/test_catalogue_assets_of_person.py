"""Both ways to the photos of a person lead to the same ones in the same order."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from plugin.catalogue import assets_of_person
from tests.contract.catalogue_cast import Cast, found, listed, open_store

FIRST = datetime(2020, 1, 1)  # noqa: DTZ001, the camera's own time


@pytest.fixture
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    with open_store("sqlite file", tmp_path_factory.mktemp("catalogue")) as opened:
        yield opened


def test_the_shorter_way_is_another_one_and_finds_the_same(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = []
    for number in range(30):
        # Some at the same moment, some of unknown time, some that do not show her.
        taken = None if number % 7 == 0 else FIRST + timedelta(days=number // 2)
        photo = cast.photo(found(), taken_at=taken)
        faces += photo if number % 5 else []
    anna = cast.person("Anna", *faces)
    gone = cast.catalogue.assets.of_person(anna, cast.me, 3, 1)
    cast.catalogue.assets.mark_gone([gone[0].id])
    pages = [(offset, limit) for offset in range(0, 26, 3) for limit in (1, 4, 50)]
    usual = [cast.catalogue.assets.of_person(anna, cast.me, *page) for page in pages]
    ways = Counter[str]()
    for name in ("_by_time", "_by_person"):
        way = getattr(assets_of_person, name)
        monkeypatch.setattr(assets_of_person, name, lambda *of, way=way, name=name: ways.update([name]) or way(*of))
    monkeypatch.setattr(assets_of_person, "MANY", 1)
    assert [cast.catalogue.assets.of_person(anna, cast.me, *page) for page in pages] == usual
    assert set(ways) == {"_by_time", "_by_person"}
    assert usual[2]
    assert not any(gone[0].id == one.id for page in usual for one in page)


def test_nobody_has_photos_of_somebody_without_faces(cast: Cast) -> None:
    cast.add(listed("a.jpg"))
    assert cast.catalogue.assets.of_person(cast.person("Ben"), cast.me, 0, 9) == []
