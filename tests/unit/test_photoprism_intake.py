"""Intake from a PhotoPrism: how few requests, what is read and what not, and what goes wrong half-way."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.wrappers import Request, Response

from plugin.catalogue.store import SqlCatalogue, open_in_memory
from plugin.domain import SyncSummary
from plugin.errors import BadListing, HostBusy, HostError, HostRefused, HostUnreachable, LoginRefused
from plugin.hosts.network.login import Login
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.options import PhotoPrismOptions
from plugin.intake import Intake
from tests.fakes.photoprism import FakePhotoPrism


class House:
    """A PhotoPrism with photos, a Kinfolk that reads it, and a clock both look at."""

    def __init__(self, server: FakePhotoPrism) -> None:
        self.server, self.photos = server, server.library
        self.time = datetime(2026, 7, 1, 12, tzinfo=UTC)
        self.photos.clock = lambda: self.time
        self.catalogue: SqlCatalogue = open_in_memory()
        account = self.catalogue.accounts.all()[0]
        self.library = self.catalogue.libraries.add(account.id, "photoprism", "photos", server.address)
        self.refused: list[LoginRefused] = []
        self.hosts: list[PhotoPrismHost] = []
        self.token = self.photos.token()
        self.reopen()

    def reopen(self, **options: object) -> None:
        """As a restart, or after other options were chosen."""
        client = PhotoPrismClient(
            Login(self.server.address, "admin", self.token), on_refused=self.refused.append, sleep=lambda _seconds: None
        )
        chosen = PhotoPrismOptions(**{"page": 10, **options})  # type: ignore[arg-type]
        self.host = PhotoPrismHost(client, chosen, now=self.seconds)
        self.hosts.append(self.host)

    def seconds(self) -> float:
        return self.time.timestamp()

    def put(self, *paths: str) -> None:
        for path in paths:
            self.photos.put(path, path.encode())

    def later(self, **more: float) -> None:
        self.time += timedelta(**more)

    def sync(self) -> SyncSummary:
        return Intake(self.catalogue).sync(self.catalogue.libraries.get(self.library.id), self.host)

    def present(self) -> set[str]:
        assets = self.catalogue.assets
        rows = (assets.of_host_key(self.library.id, f"pq{number:014}") for number in range(1, self.photos.made + 1))
        return {row.path for row in rows if row is not None and not row.gone}

    def problems(self) -> dict[str, str]:
        return {problem.path: problem.code for problem in self.catalogue.libraries.problems(self.library.id)}

    def requests(self, action: Callable[[], object]) -> int:
        before = len(self.server.seen)
        action()
        return len(self.server.seen) - before


@pytest.fixture
def house() -> Iterator[House]:
    with FakePhotoPrism() as server:
        house = House(server)
        yield house
        for host in house.hosts:
            host.close()
        house.catalogue.close()


def many(number: int) -> list[str]:
    return [f"2026/{photo:03}.jpg" for photo in range(number)]


def test_a_first_listing_asks_page_by_page_and_has_everything(house: House) -> None:
    house.put(*many(35))
    assert house.requests(house.sync) == 1 + 4
    assert house.present() == set(many(35))


@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 19, 20])
def test_no_photo_is_passed_over_at_the_edge_of_a_page(house: House, number: int) -> None:
    house.put(*many(number))
    assert house.sync().listed == number
    assert house.present() == set(many(number))


def test_an_unchanged_library_costs_three_requests_whatever_its_size(house: House) -> None:
    house.put(*many(35))
    house.later(hours=1)
    house.put("new.jpg")
    house.sync()
    assert house.requests(house.sync) == 3
    house.later(minutes=30)
    assert house.requests(house.sync) == 3


def test_many_photos_with_one_time_are_not_listed_for_ever(house: House) -> None:
    house.put(*many(35))
    house.sync()
    assert house.requests(house.sync) > 3
    house.later(minutes=30)
    house.sync()
    assert house.requests(house.sync) == 3
    house.put("new.jpg")
    house.sync()
    assert "new.jpg" in house.present()


def test_new_and_updated_photos_come_with_the_next_pass(house: House) -> None:
    house.put("a.jpg", "b.jpg")
    house.sync()
    house.later(minutes=20)
    house.put("c.jpg")
    house.photos.put("a.jpg", b"rotated")
    summary = house.sync()
    assert (summary.new, summary.changed, summary.gone) == (1, 1, 0)
    assert house.present() == {"a.jpg", "b.jpg", "c.jpg"}


def test_a_photo_stored_while_the_last_listing_ran_is_not_missed(house: House) -> None:
    house.put("a.jpg")
    house.sync()
    late = house.photos.put("late.jpg", b"late")
    late.created = late.updated = house.time - timedelta(minutes=3)
    house.sync()
    assert house.present() == {"a.jpg", "late.jpg"}


@pytest.mark.parametrize("field", ["created", "updated"])
def test_either_of_both_times_makes_a_photo_new(house: House, field: str) -> None:
    """An import keeps the times of a sidecar, and an edit does not touch when a photo was added."""
    house.put("a.jpg")
    house.sync()
    house.later(minutes=30)
    photo = house.photos.put("b.jpg", b"b")
    setattr(photo, {"created": "updated", "updated": "created"}[field], house.time - timedelta(days=400))
    house.sync()
    assert house.present() == {"a.jpg", "b.jpg"}


def test_what_was_deleted_is_found_by_the_daily_complete_listing(house: House) -> None:
    house.put("a.jpg", "b.jpg")
    house.sync()
    house.photos.remove("b.jpg")
    house.later(hours=2)
    assert house.sync().gone == 0
    house.later(hours=23)
    assert house.sync().gone == 1
    assert house.present() == {"a.jpg"}


@pytest.mark.parametrize("hide", ["archived", "private", "review", "hidden"])
def test_what_photoprism_hides_goes_within_the_hour_and_comes_back(house: House, hide: str) -> None:
    house.put("a.jpg", "b.jpg")
    house.sync()
    photo = house.photos.found("b.jpg")
    match hide:
        case "archived":
            house.photos.archive("b.jpg")
        case "private":
            photo.private = True
        case "review":
            photo.quality = 1
        case "hidden":
            photo.quality = -1
    house.later(minutes=70)
    house.sync()
    assert house.present() == {"a.jpg"}
    photo.deleted, photo.private, photo.quality = None, False, 4
    house.later(minutes=70)
    house.sync()
    assert house.present() == {"a.jpg", "b.jpg"}


def test_private_photos_are_read_when_they_are_chosen(house: House) -> None:
    house.put("a.jpg", "b.jpg")
    house.photos.found("b.jpg").private = True
    house.sync()
    assert house.present() == {"a.jpg"}
    house.reopen(private=True)
    house.sync()
    assert house.present() == {"a.jpg", "b.jpg"}


def test_photos_to_review_are_read_where_that_is_switched_off(house: House) -> None:
    house.photos.features["review"] = False
    house.put("a.jpg", "broken.jpg")
    house.photos.found("a.jpg").quality = 1
    house.photos.found("broken.jpg").quality = -1
    house.sync()
    assert house.present() == {"a.jpg"}


def test_a_stack_and_a_live_photo_are_one_photo_each_with_the_primary_file(house: House) -> None:
    house.put("stack.jpg", "live.jpg")
    house.photos.stack(house.photos.found("stack.jpg"), "stack.dng", b"raw")
    house.photos.stack(house.photos.found("stack.jpg"), "stack.xmp", b"sidecar", sidecar=True)
    live = house.photos.found("live.jpg")
    live.kind = "live"
    house.photos.stack(live, "live.mov", b"film", video=True)
    assert house.sync().listed == 2
    asset = house.catalogue.assets.of_host_key(house.library.id, house.photos.found("stack.jpg").uid)
    assert asset is not None
    assert asset.content_key == house.photos.found("stack.jpg").files[0].hash
    with house.host.open(live.uid) as stream:
        assert stream.read() == b"live.jpg"


def test_another_primary_file_is_looked_at_again_and_stays_the_same_photo(house: House) -> None:
    house.put("a.jpg")
    photo = house.photos.found("a.jpg")
    other = house.photos.stack(photo, "a edited.jpg", b"edited")
    house.sync()
    photo.files[0].primary, other.primary = False, True
    house.later(minutes=1)
    photo.updated = house.time
    assert house.sync().changed == 1


@pytest.mark.parametrize("kind", ["vector", "document", "audio", "sidecar", "", "something new"])
def test_what_has_no_faces_is_not_listed(house: House, kind: str) -> None:
    house.put("a.jpg", "b.pdf")
    house.photos.found("b.pdf").kind = kind
    house.sync()
    assert house.present() == {"a.jpg"}


def test_videos_can_be_left_out(house: House) -> None:
    house.put("a.jpg", "b.mp4")
    house.reopen(videos=False)
    house.sync()
    assert house.present() == {"a.jpg"}


def between_pages(house: House, happens: Callable[[], None], after: int = 2) -> None:
    """Something changes after so many pages were given."""
    pages = 0

    def interfere(request: Request) -> None:
        nonlocal pages
        if request.path.endswith("/photos"):
            pages += 1
            if pages == after + 1:
                happens()

    house.server.interfere = interfere


def test_photos_that_go_while_it_is_listed_let_no_other_be_passed_over(house: House) -> None:
    house.put(*many(40))
    house.sync()
    house.later(days=2)

    def happens() -> None:
        for path in many(40)[25:]:  # newest first: all that was given already, and more
            house.photos.archive(path)

    between_pages(house, happens, after=1)
    house.sync()
    assert set(many(25)) <= house.present()
    house.later(days=2)
    house.sync()
    assert house.present() == set(many(25))


def test_photos_that_come_while_it_is_listed_make_none_come_twice(house: House) -> None:
    house.put(*many(30))
    between_pages(house, lambda: house.put(*(f"new {number}.jpg" for number in range(12))))
    assert house.sync().listed == 30
    house.later(minutes=1)
    house.sync()
    assert len(house.present()) == 42


def test_a_library_that_never_stands_still_is_left_for_the_next_time(house: House) -> None:
    house.put(*many(40))
    house.sync()
    house.later(days=2)
    uids = iter(range(10**6))

    def shuffled(request: Request) -> Response | None:
        """Every page has other photos than the last one."""
        if not request.path.endswith("/photos"):
            return None
        rows = [{"UID": f"px{next(uids):014}", "Type": "image"} for _ in range(10)]
        return Response(json.dumps(rows), content_type="application/json", headers={"X-Count": "10"})

    house.server.interfere = shuffled
    with pytest.raises(BadListing):
        house.sync()
    assert house.present() == set(many(40))


def test_a_photo_that_is_listed_twice_is_taken_once(house: House) -> None:
    house.put(*many(12))
    twin = house.photos.found(many(12)[3])
    house.photos.stack(twin, "twin.jpg", b"twin", primary=True)
    assert house.sync().listed == 12


def test_a_photo_without_a_hash_is_told_and_not_taken_for_deleted(house: House) -> None:
    house.put("a.jpg", "b.jpg")
    house.sync()
    file = house.photos.found("b.jpg").files[0]
    file.unhashed = True
    house.later(days=2)
    house.sync()
    assert house.problems() == {"b.jpg": "no_picture"}
    assert house.present() == {"a.jpg", "b.jpg"}
    file.unhashed = False
    house.later(days=2)
    house.sync()
    assert house.problems() == {}


@pytest.mark.parametrize(
    "odd", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-12:00", "0002-01-01T00:00:00+23:59", "x", 5, None, []]
)
@pytest.mark.parametrize("field", ["TakenAt", "CreatedAt", "UpdatedAt"])
def test_a_photo_with_an_odd_time_does_not_keep_the_others_back(house: House, field: str, odd: object) -> None:
    house.put("a.jpg", "b.jpg")

    def odd_time(request: Request) -> Response | None:
        if not request.path.endswith("/photos"):
            return None
        given = house.server.answer(request)
        rows = json.loads(given.get_data())
        rows[0][field] = odd
        given.set_data(json.dumps(rows))
        return given

    house.server.interfere = odd_time
    for _ in range(2):
        house.sync()
        assert house.present() == {"a.jpg", "b.jpg"}
        house.later(minutes=20)


def test_a_problem_of_a_later_pass_is_told_too(house: House) -> None:
    house.put("a.jpg")
    house.sync()
    house.put("b.jpg")
    house.photos.found("b.jpg").files[0].unhashed = True
    house.sync()
    assert house.problems() == {"b.jpg": "no_picture"}


def answer(status: int, text: str = "", content_type: str = "application/json", **headers: str) -> Response:
    return Response(text, status, content_type=content_type, headers=headers)


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        (answer(500), HostUnreachable),
        (answer(502), HostBusy),
        (answer(503), HostBusy),
        (answer(429), HostBusy),
        (answer(401), LoginRefused),
        (answer(403), HostRefused),
        (answer(302, Location="https://elsewhere.example/"), HostRefused),
        (answer(200, "<html>Log in here</html>", "text/html"), HostUnreachable),
        (answer(200, "[{"), HostUnreachable),
        (answer(200, '{"error": "no"}'), BadListing),
        (answer(200, "[1, 2]"), BadListing),
        (answer(200, "null"), BadListing),
        (answer(200, '[{"UID": "../../etc/passwd"}]'), BadListing),
        (answer(200, "[" * 100_000), HostUnreachable),
    ],
)
@pytest.mark.parametrize("after", [0, 1])
def test_an_answer_that_is_no_listing_removes_nothing(
    house: House, given: Response, raised: type[HostError], after: int
) -> None:
    house.put(*many(30))
    house.sync()
    house.later(days=2)
    pages = 0

    def interfere(request: Request) -> Response | None:
        nonlocal pages
        pages += request.path.endswith("/photos")
        return given if pages > after else None

    house.server.interfere = interfere
    with pytest.raises(raised) as error:
        house.sync()
    assert error.value.explanation
    assert house.present() == set(many(30))
    house.server.interfere = lambda _request: None
    if raised is not LoginRefused:
        house.reopen()
        assert house.sync().gone == 0


def test_a_refused_password_is_told_once_and_nothing_is_asked_any_more(house: House) -> None:
    house.put("a.jpg")
    house.sync()
    house.photos.sessions.clear()
    for _ in range(3):
        with pytest.raises(LoginRefused):
            house.sync()
    assert len(house.refused) == 1
    before = len(house.server.seen)
    with pytest.raises(LoginRefused):
        house.sync()
    assert len(house.server.seen) == before


def test_a_short_pause_is_waited_for(house: House) -> None:
    house.put("a.jpg")
    waits = iter([answer(429, **{"Retry-After": "2"}), answer(503, **{"Retry-After": "1"})])
    house.server.interfere = lambda _request: next(waits, None)
    house.sync()
    assert house.present() == {"a.jpg"}


def test_public_mode_needs_no_login(house: House) -> None:
    house.photos.public = True
    house.photos.sessions.clear()
    house.token = ""
    house.reopen()
    house.put("a.jpg", "b.mp4")
    house.sync()
    assert house.present() == {"a.jpg", "b.mp4"}
    with house.host.open(house.photos.found("b.mp4").uid) as stream:
        assert stream.read() == b"b.mp4"


def test_a_time_in_the_future_does_not_hide_what_comes_before_it(house: House) -> None:
    house.put("a.jpg")
    house.photos.found("a.jpg").updated = house.time + timedelta(days=900)
    house.sync()
    house.later(minutes=10)
    house.put("b.jpg")
    house.sync()
    assert house.present() == {"a.jpg", "b.jpg"}


@pytest.mark.parametrize("mark", ["", "nonsense", "[]", '["00", "yesterday", 1, []]', "[" * 5000, '[1, 2, 3, "x"]'])
def test_a_mark_nobody_wrote_makes_everything_be_listed(house: House, mark: str) -> None:
    house.put("a.jpg")
    house.catalogue.folder_marks.put(house.library.id, {"": mark})
    house.sync()
    assert house.present() == {"a.jpg"}


def test_a_renamed_photo_stays_the_same_and_the_next_pass_still_asks_little(house: House) -> None:
    house.put("a.jpg", *many(25))
    house.sync()
    house.later(minutes=30)
    house.photos.move("a.jpg", "album/b.jpg")
    summary = house.sync()
    assert (summary.new, summary.changed, summary.gone) == (0, 0, 0)
    assert "album/b.jpg" in house.present()
    assert house.requests(house.sync) == 3


def test_the_link_leads_to_the_photo(house: House) -> None:
    house.put("a.jpg")
    uid = house.photos.found("a.jpg").uid
    assert house.host.link(uid) == f"{house.server.address}/library/all?q=uid%3A{uid}"
    assert house.host.link("../../evil") is None
