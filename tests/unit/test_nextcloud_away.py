"""A Nextcloud that goes away while its photos are looked at: it is left alone, and no photo is given up for that."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.wrappers import Request, Response

from plugin.catalogue.store import open_in_memory
from plugin.detection import DetectionLimits, FaceDetection
from plugin.domain import QueueStatus
from plugin.errors import HostError
from plugin.hosts.network.limits import Limits
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.index.exact import ExactIndex
from plugin.indexing import Indexing
from plugin.intake import Intake
from plugin.media import StandardMedia
from plugin.pipeline import Pipeline
from plugin.preferences import PreferenceBook
from plugin.recognition import Recognition
from plugin.resting import RestingLibraries
from tests.fakes.dying_catalogue import DyingCatalogue, Killed
from tests.fakes.face_models import FakeFaceModels
from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.workshop import photo

PICTURE = photo([(1, 60, 48, 160)], 320, 240)


class Watch:
    """One clock for everything."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def utc(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class House:
    """A Nextcloud with photos, and a Kinfolk that lists and looks at them."""

    def __init__(self, server: FakeNextcloud) -> None:
        self.server, self.clock = server, Watch()
        self.catalogue = open_in_memory(self.clock.utc)
        server.cloud.add_user("anna")
        account = self.catalogue.accounts.all()[0]
        place = Place(server.address, "anna")
        self.library = self.catalogue.libraries.add(account.id, "nextcloud", "anna", place.address)
        login = Login(place.base, place.user, server.cloud.app_password("anna"))
        client = NextcloudClient(login, Limits(tries=1), now=self.clock.monotonic, sleep=self.clock.sleep)
        self.host = NextcloudHost(place, client, NextcloudOptions())
        models = FakeFaceModels()
        preferences = PreferenceBook(self.catalogue.preferences, models.packs, {"minimum_faces": 2})
        index = ExactIndex()
        self.pipeline = Pipeline(
            catalogue=self.catalogue,
            intake=Intake(self.catalogue),
            detection=FaceDetection(
                self.catalogue,
                StandardMedia(),
                lambda _library: self.host,
                lambda _face, _thumbnail: None,
                DetectionLimits(),
                RestingLibraries(self.clock.monotonic),
            ),
            recognition=Recognition(self.catalogue, index, preferences.current),
            indexing=Indexing(self.catalogue, index),
            models=models,
            preferences=preferences.current,
            host_of=lambda _library: self.host,
            worker="test",
            should_stop=lambda: False,
        )

    def put(self, count: int) -> None:
        for number in range(count):
            self.server.cloud.put("anna", f"2024/{number}.jpg", PICTURE, parents=True)

    def sync(self) -> None:
        self.pipeline.sync(self.library.id)

    def detect(self) -> int:
        """Returns how many photos were tried."""
        return self.pipeline.detect(60).assets

    def attempts(self) -> int:
        """How many were counted, over all photos."""
        rows = (self.catalogue.assets.of_host_key(self.library.id, str(node)) for node in self.server.cloud.nodes)
        return sum(row.attempts for row in rows if row is not None)

    def previews(self) -> int:
        """How many were asked for."""
        return sum(seen.path.startswith("/index.php/core/preview") for seen in self.server.seen)

    @property
    def status(self) -> QueueStatus:
        return self.catalogue.detection.status()


@pytest.fixture
def house() -> Iterator[House]:
    with FakeNextcloud() as server:
        house = House(server)
        yield house
        house.host.close()
        house.catalogue.close()


def without_previews(status: int) -> Callable[[Request], Response | None]:
    """The listing works, what makes previews does not."""
    return lambda request: Response("", status) if request.path.startswith("/index.php/core/preview") else None


@pytest.mark.parametrize("status", [429, 504])
def test_no_photo_is_lost_while_previews_cannot_be_made_for_hours(house: House, status: int) -> None:
    house.put(6)
    house.sync()
    house.server.interfere = without_previews(status)
    for minutes in range(0, 180, 3):
        house.clock.seconds += 180
        house.detect()
        if minutes % 15 == 0:
            with suppress(HostError):
                house.sync()
    house.server.interfere = lambda _request: None
    house.clock.seconds += 60
    house.sync()
    house.detect()
    assert (house.status.done, house.status.waiting, house.status.failed) == (6, 0, 0)


def test_a_photo_the_server_was_not_asked_for_counts_no_attempt(house: House) -> None:
    house.put(30)
    house.sync()
    house.server.interfere = without_previews(503)
    for _ in range(4):
        house.detect()
        assert house.attempts() == house.previews()
        house.clock.seconds += 61
    assert house.attempts() > 0


def test_while_the_server_is_to_be_left_alone_its_photos_wait_and_nothing_spins(house: House) -> None:
    house.put(30)
    house.sync()
    house.server.interfere = without_previews(503)
    assert house.detect() <= 8, "what was claimed already, and nothing else"
    claims: list[int] = []
    house.pipeline.detect(60, lambda asset, _faces: claims.append(asset.id))
    assert claims == []
    assert not house.pipeline.detect(60).more
    assert house.pipeline.recognise() is None, "it goes on in a minute: nobody is founded from a part of the photos"
    house.server.interfere = lambda _request: None
    house.clock.seconds += 61
    house.detect()
    assert house.status.done >= 22


def test_a_photo_whose_preview_takes_too_long_holds_up_no_other_for_good(house: House) -> None:
    house.put(10)
    house.sync()
    slow = str(max(node for node in house.server.cloud.nodes))  # the newest, which is looked at first
    house.server.interfere = lambda request: Response("", 504) if request.args.get("fileId") == slow else None
    for _ in range(4):
        house.detect()
        house.clock.seconds += 61
    assert (house.status.done, house.status.waiting) == (9, 1)


def test_one_photo_a_gateway_gives_up_on_neither_stops_the_others_nor_a_pass(house: House) -> None:
    house.put(20)
    house.sync()
    slow = str(max(node for node in house.server.cloud.nodes))
    house.server.interfere = lambda request: Response("", 504) if request.args.get("fileId") == slow else None
    house.detect()
    assert (house.status.done, house.status.waiting) == (19, 1)
    for _ in range(3):
        house.sync()  # a moment after the gateway gave up
        house.clock.seconds += 61
        house.detect()
    assert house.status.waiting == 1


def test_a_server_that_is_off_for_a_day_while_photos_are_looked_at_costs_none(house: House) -> None:
    house.put(12)
    house.sync()
    looked_at: list[int] = []

    def lost(asset: object, _faces: int) -> None:
        looked_at.append(1)
        if len(looked_at) == 4:
            house.server.stop()

    house.pipeline.detect(60, lost)
    for hour in range(24 * 6):
        house.clock.seconds += 600
        house.detect()
        if hour % 6 == 0:
            with pytest.raises(HostError):
                house.sync()
    assert house.status.failed > 0, "after a day they were given up"
    house.server.start()
    house.sync()
    house.detect()
    assert (house.status.done, house.status.failed) == (12, 0)


def test_whenever_the_pass_after_it_is_killed_no_photo_stays_given_up(house: House) -> None:
    house.put(2)
    house.sync()
    for calls in range(100):
        for asset in house.catalogue.detection.claim("test", 2, 60):
            house.catalogue.detection.fail(asset, "answer_failed", "away", permanent=True)
        house.catalogue.libraries.sync_finished(house.library.id, "away")
        library = house.catalogue.libraries.get(house.library.id)
        try:
            Intake(DyingCatalogue(house.catalogue, [calls])).sync(library, house.host)  # type: ignore[arg-type]
        except Killed:
            house.sync()
            over = False
        else:
            over = True
        assert house.status.failed == 0, f"killed after {calls} calls"
        house.clock.seconds += 61
        if over:
            break
    assert calls > 3
