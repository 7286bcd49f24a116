"""Nothing is told before it is allowed, nobody before they are chosen, and news is told once."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from plugin.assemble.data_folder import DataFolder
from plugin.catalogue.store import open_catalogue, open_in_memory
from plugin.domain import HostAsset
from plugin.errors import NotFound, Refused
from plugin.pausing import PauseRules, Pausing, SensorLimit
from plugin.ports.smart_home import AccountTold, PersonTold, Wish
from plugin.smart_home import SmartHome
from tests.fakes.album import NudgeLog
from tests.web.family import Family, family_with_photos


class House:
    """Maria's album, and what a smart home would be told of it."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.maria = family.account.id
        self.anna = family.people["Anna"]
        self.nudge = NudgeLog()
        rules = PauseRules(sensors=(SensorLimit("cellar", above=40),))
        self.pausing = Pausing(family.catalogue.preferences, rules, load=lambda: 0.0)
        self.home = self.again()

    def again(self, clock: datetime | None = None) -> SmartHome:
        now = clock or datetime(2030, 1, 1, tzinfo=UTC)
        return SmartHome(
            self.family.catalogue, self.pausing, lambda: self.nudge, lambda: 1, lambda account, asset: b"", lambda: now
        )

    def star(self, *, favourite: bool = True) -> None:
        self.family.services.people.set_favourite(self.maria, self.anna, favourite=favourite)

    def account(self) -> AccountTold:
        (account,) = self.home.told().accounts
        return account

    def person(self) -> PersonTold | None:
        return next(iter(self.account().persons), None)

    def chosen(self) -> None:
        self.home.allow(self.maria)
        self.star()
        self.home.choose(self.maria, self.anna, with_picture=False)


@pytest.fixture
def house() -> Iterator[House]:
    family = family_with_photos(open_in_memory())
    yield House(family)
    family.catalogue.close()


def test_nothing_is_told_before_an_account_allows_it(house: House) -> None:
    house.star()
    assert house.home.told().accounts == ()
    assert not house.home.is_told()
    with pytest.raises(Refused, match="told nothing of your account"):
        house.home.choose(house.maria, house.anna, with_picture=False)


def test_an_account_that_allows_it_is_told_in_numbers_and_nobody_by_name(house: House) -> None:
    house.star()
    house.home.allow(house.maria)
    account = house.account()
    people = house.family.catalogue.people
    assert (account.name, account.people) == ("Maria", people.count(house.maria, include_hidden=False))
    assert account.faces > account.people > 2
    assert account.persons == ()


def test_a_chosen_favourite_is_told_about_until_the_star_is_taken_away_or_they_are_hidden(house: House) -> None:
    house.chosen()
    told = house.person()
    assert told
    assert (told.id, told.name, told.with_picture) == (house.anna, "Anna", False)
    assert told.newest
    assert not told.is_news
    house.star(favourite=False)
    assert house.person() is None
    house.star()
    assert house.person() is not None
    house.family.services.people.set_hidden(house.maria, house.anna, hidden=True)
    assert house.person() is None


def test_only_favourites_with_a_name_can_be_chosen(house: House) -> None:
    house.home.allow(house.maria)
    with pytest.raises(Refused, match="Only favourites with a name"):
        house.home.choose(house.maria, house.anna, with_picture=True)
    nobody = house.family.people[""]
    house.family.services.people.set_favourite(house.maria, nobody, favourite=True)
    with pytest.raises(Refused, match="Only favourites with a name"):
        house.home.choose(house.maria, nobody, with_picture=True)


def test_nobody_of_another_account_can_be_chosen_or_dropped(house: House) -> None:
    house.home.allow(house.maria)
    stranger = house.family.foreign_person
    with pytest.raises(NotFound):
        house.home.choose(house.maria, stranger, with_picture=True)
    with pytest.raises(NotFound):
        house.home.drop(house.maria, stranger)
    assert house.home.choice(house.maria, stranger) is None


def test_a_newer_photo_is_news_once(house: House) -> None:
    house.chosen()
    before = house.person()
    assert before
    assert before.newest
    later = before.newest.taken_at - timedelta(days=1)
    house.family.catalogue.smart_home.seen(house.anna, later)
    news = house.person()
    assert news
    assert news.newest
    assert news.is_news
    house.home.seen(house.anna, news.newest.taken_at)
    after = house.person()
    assert after
    assert not after.is_news


def test_a_photo_from_the_far_future_does_not_hide_the_later_ones(house: House) -> None:
    house.chosen()
    known = house.person()
    assert known
    assert known.newest
    believed = known.newest.taken_at
    house.home = house.again(believed.replace(tzinfo=UTC) - timedelta(days=400))
    earlier = house.person()
    assert earlier is None or earlier.newest is None or earlier.newest.taken_at < believed


def test_choosing_again_keeps_what_was_told(house: House) -> None:
    house.chosen()
    before = house.home.choice(house.maria, house.anna)
    house.home.choose(house.maria, house.anna, with_picture=True)
    after = house.home.choice(house.maria, house.anna)
    assert before
    assert after
    assert (after.with_picture, after.seen_at) == (True, before.seen_at)


def test_forbidding_forgets_every_choice(house: House) -> None:
    house.chosen()
    house.home.forbid(house.maria)
    assert house.home.told().accounts == ()
    house.home.allow(house.maria)
    assert house.person() is None


def test_a_merge_or_a_deletion_ends_it_for_that_person(house: House) -> None:
    house.chosen()
    house.family.services.people.merge(house.maria, house.family.people["Ben"], [house.anna])
    assert house.person() is None


def test_at_rest_nothing_is_worked_out_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.chosen()
    first = house.home.told()

    def too_much(*_: object, **__: object) -> list[object]:
        raise AssertionError("nothing changed")

    monkeypatch.setattr(house.family.catalogue.assets, "of_person", too_much)
    assert house.home.told() == first


def test_a_photo_that_fails_does_not_wait_for_ever(house: House) -> None:
    house.home.allow(house.maria)
    catalogue, library = house.family.catalogue, house.family.library
    assert library
    new = HostAsset("new.jpg", "new.jpg", catalogue.assets.get(house.family.assets[0]).kind, "new")
    catalogue.assets.seen(library.id, [new], catalogue.libraries.sync_started(library.id))
    waiting = house.account().waiting
    (asset,) = catalogue.detection.claim("test", 1, 60)
    catalogue.detection.fail(asset, "picture_broken", "broken", permanent=True)
    assert house.account().waiting == waiting - 1


def test_what_changes_is_seen(house: House) -> None:
    house.home.allow(house.maria)
    before = house.account()
    library = house.family.library
    assert library
    new = HostAsset("new.jpg", "new.jpg", house.family.catalogue.assets.get(house.family.assets[0]).kind, "new")
    house.family.catalogue.assets.seen(library.id, [new], house.family.catalogue.libraries.sync_started(library.id))
    house.family.catalogue.libraries.sync_finished(library.id, None)
    after = house.account()
    assert after.waiting == before.waiting + 1
    assert after.last_scan_at is not None


def test_the_buttons_scan_only_what_may_be_told_pause_and_resume(house: House) -> None:
    house.home.asked(Wish.SCAN)
    assert house.nudge.told == []
    house.home.allow(house.maria)
    house.home.asked(Wish.SCAN)
    libraries = house.family.catalogue.libraries
    assert house.nudge.told == [f"sync {library.id}" for library in libraries.all(house.maria)]
    assert all(library.sync_requested_at for library in libraries.all(house.maria))
    house.home.asked(Wish.PAUSE)
    assert house.home.told().pause == "Paused until somebody resumes"
    house.home.asked(Wish.RESUME)
    assert house.home.told().pause == ""


def test_sensors_are_passed_on_to_the_pause(house: House) -> None:
    assert house.home.sensor_topics() == [("cellar", "")]
    house.home.heard(0, 99)
    assert house.home.told().pause == "Paused while cellar says 99"


class TestAtRest:
    """`looked` counts what a look costs: the questions about an account."""

    @pytest.fixture
    def looked(self, house: House, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        looked, real = list[int](), house.family.catalogue.live.marker

        def marker(account_id: int) -> object:
            looked.append(account_id)
            return real(account_id)

        monkeypatch.setattr(house.family.catalogue.live, "marker", marker)
        house.home.allow(house.maria)
        return looked

    def home(self, house: House, state: Callable[[], object], now: list[datetime]) -> SmartHome:
        return SmartHome(
            house.family.catalogue, house.pausing, lambda: house.nudge, lambda: 1, lambda account, asset: b"",
            lambda: now[0], state,
        )  # fmt: skip

    def test_a_catalogue_that_nobody_changed_is_not_asked(self, house: House, looked: list[int]) -> None:
        state, now = ["a"], [datetime(2030, 1, 1, tzinfo=UTC)]
        home = self.home(house, lambda: state[0], now)
        first = home.told()
        for _ in range(10):
            now[0] += timedelta(seconds=5)
            assert home.told() == first
        assert len(looked) == 1
        state[0] = "b"
        home.told()
        assert len(looked) == 2
        now[0] += timedelta(minutes=1)
        home.told()
        assert len(looked) == 3, "once a minute anyway"
        now[0] -= timedelta(hours=1)
        home.told()
        assert len(looked) == 4, "a clock that was set back must not keep it from looking"

    def test_where_nobody_knows_of_changes_it_is_asked_each_time(self, house: House, looked: list[int]) -> None:
        home = self.home(house, lambda: None, [datetime(2030, 1, 1, tzinfo=UTC)])
        for _ in range(3):
            home.told()
        assert len(looked) == 3

    def test_a_pause_is_told_although_nothing_else_changed(self, house: House) -> None:
        home = self.home(house, lambda: "a", [datetime(2030, 1, 1, tzinfo=UTC)])
        assert home.told().pause == ""
        house.pausing.press()
        assert home.told().pause != ""


def test_every_change_of_a_catalogue_is_another_state(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.catalogue_state() == []
    catalogue = open_catalogue(folder.catalogue)
    states = [folder.catalogue_state()]
    for number in range(5):
        catalogue.preferences.set("a", str(number))
        states.append(folder.catalogue_state())
    assert all(one != other for one, other in pairwise(states))
    catalogue.preferences.get("a")
    with closing(sqlite3.connect(f"file:{folder.catalogue}?mode=ro", uri=True)) as reader:
        reader.execute("SELECT count(*) FROM asset").fetchone()
        assert folder.catalogue_state() == states[-1], "who reads changes nothing"
    catalogue.close()
