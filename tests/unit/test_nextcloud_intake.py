"""Intake from a Nextcloud: how few requests, what changes, moves and trash mean, and what goes wrong half-way."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import cast

import pytest
from werkzeug.wrappers import Request, Response

from plugin.catalogue.store import SqlCatalogue, open_in_memory
from plugin.domain import AssignedBy, Library, SyncSummary
from plugin.errors import AssetGone, HostError, HostRefused, HostUnreachable, LoginRefused
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.intake import Intake
from plugin.ports.catalogue import Catalogue
from plugin.ports.host import KnownMark, Listed
from tests.fakes.album import at_degrees, found_face
from tests.fakes.dying_catalogue import DyingCatalogue, Killed
from tests.fakes.nextcloud import FakeNextcloud

SKIP = (".*", "@eaDir")


class House:
    """A Nextcloud with Anna's photos, and a Kinfolk that reads it."""

    def __init__(self, server: FakeNextcloud) -> None:
        self.server, self.cloud = server, server.cloud
        self.catalogue: SqlCatalogue = open_in_memory()
        self.account = self.catalogue.accounts.all()[0]
        self.hosts: list[NextcloudHost] = []
        self.cloud.add_user("anna")
        self.library = self.connect("anna")

    def connect(self, user: str, **options: object) -> Library:
        place = Place(self.server.address, user)
        library = self.catalogue.libraries.add(self.account.id, "nextcloud", user, place.address)
        self.reopen(library, **options)
        return library

    def reopen(self, library: Library, **options: object) -> None:
        """As a restart, or after other options were chosen."""
        place = Place.of(library.address)
        login = Login(place.base, place.user, self.cloud.app_password(place.user))
        client = NextcloudClient(login, sleep=lambda _seconds: None)
        self.host = NextcloudHost(place, client, NextcloudOptions(skip=SKIP, **options))  # type: ignore[arg-type]
        self.hosts.append(self.host)

    def put(self, *paths: str, user: str = "anna") -> None:
        for path in paths:
            self.cloud.put(user, path, path.encode(), parents=True)

    def sync(self, host: NextcloudHost | None = None, library: Library | None = None) -> SyncSummary:
        library = self.catalogue.libraries.get((library or self.library).id)
        return Intake(self.catalogue).sync(library, host or self.host)

    def present(self, library: Library | None = None) -> set[str]:
        library = library or self.library
        rows = (self.catalogue.assets.of_host_key(library.id, str(node)) for node in list(self.cloud.nodes))
        return {row.path for row in rows if row is not None and not row.gone}

    def close(self) -> None:
        for host in self.hosts:
            host.close()
        self.catalogue.close()

    def problems(self) -> dict[str, str]:
        return {problem.path: problem.code for problem in self.catalogue.libraries.problems(self.library.id)}

    def requests(self, action: Callable[[], object]) -> int:
        before = len(self.server.seen)
        action()
        return len(self.server.seen) - before


@pytest.fixture
def house() -> Iterator[House]:
    with FakeNextcloud() as server:
        house = House(server)
        yield house
        house.close()


def test_a_first_listing_takes_a_handful_of_requests(house: House) -> None:
    house.put(*(f"Photos/{album:03}/{photo}.jpg" for album in range(60) for photo in range(5)))
    assert house.requests(house.sync) <= 5
    assert len(house.present()) == 300


def test_many_folders_at_the_top_take_a_handful_of_requests_too(house: House) -> None:
    house.put(*(f"{album:03}/{photo}.jpg" for album in range(80) for photo in range(2)))
    assert house.requests(house.sync) <= 5
    assert len(house.present()) == 160


def test_an_unchanged_library_costs_one_request_and_no_write(house: House) -> None:
    house.put("a.jpg", "2024/b.jpg")
    house.sync()
    assert house.requests(house.sync) == 1
    assert house.sync().listed == 0
    assert house.present() == {"a.jpg", "2024/b.jpg"}


def test_raw_photos_nobody_can_show_are_told_of_until_a_jpeg_lies_beside_them(house: House) -> None:
    house.put("2023/lonely.nef", "2023/both.cr2", "2023/below/c.jpg", "2023/both.JPG", "2024/a.jpg", "top.dng")
    raws = {"2023/lonely.nef": "raw_without_preview", "top.dng": "raw_without_preview"}
    house.sync()
    assert house.problems() == raws
    house.put("2024/b.jpg")
    house.sync()
    assert house.problems() == raws, "2023 was not listed again, and is as it was"
    house.put("2023/lonely.jpg")
    house.sync()
    assert house.problems() == {"top.dng": "raw_without_preview"}
    assert not any(path.endswith((".nef", ".dng", ".cr2")) for path in house.present())


def named(house: House, *paths: str) -> int:
    """Look up what a hook named."""
    keys = [str(house.cloud.find("anna", path).id) for path in paths]
    return len(Intake(house.catalogue).look_up(house.catalogue.libraries.get(house.library.id), house.host, keys))


def test_a_raw_photo_beside_many_new_folders_is_told_of_once(house: House) -> None:
    house.put("top.dng", *(f"{album:03}/a.jpg" for album in range(60)))
    assert house.sync().problems == 1
    assert len(house.catalogue.libraries.problems(house.library.id)) == 1


def test_files_that_were_named_are_taken_with_two_requests_and_stay(house: House) -> None:
    house.put("Photos/a.jpg")
    house.sync()
    house.put("Photos/2024/08/new.jpg", "other.jpg", "letter.txt")
    assert house.requests(lambda: named(house, "Photos/2024/08/new.jpg", "other.jpg", "letter.txt")) == 2
    assert house.present() == {"Photos/a.jpg", "Photos/2024/08/new.jpg", "other.jpg"}
    assert house.sync().new == 0
    assert house.present() == {"Photos/a.jpg", "Photos/2024/08/new.jpg", "other.jpg"}
    assert named(house, "other.jpg") == 0


def test_a_named_file_makes_the_next_listing_read_its_own_folder_again_and_no_other(house: House) -> None:
    house.put(*(f"Photos/{album:02}/{photo}.jpg" for album in range(30) for photo in range(3)))
    house.sync()
    house.put("Photos/07/new.jpg")
    named(house, "Photos/07/new.jpg")
    assert house.sync().listed == 4


def test_a_file_named_during_the_first_listing_does_not_make_the_next_one_list_everything(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put("top.jpg", *(f"Photos/{album:02}/{photo}.jpg" for album in range(30) for photo in range(3)))
    listing = house.host.changes

    def changes(known: KnownMark) -> Iterator[Listed]:
        entries = listing(known)
        yield next(entries)
        named(house, "Photos/07/1.jpg")
        yield from entries

    with monkeypatch.context() as while_listing:
        while_listing.setattr(house.host, "changes", changes)
        house.sync()
    assert house.sync().listed == 4, "what lies in the folder, and at the top"
    assert house.requests(house.sync) == 1


def test_what_a_listing_leaves_out_is_not_taken_because_it_was_named(house: House) -> None:
    house.cloud.add_user("ben")
    house.put("hidden/.nomedia", "hidden/below/a.jpg", "out/b.jpg", "@eaDir/c.jpg", "d.jpg")
    house.put("e.jpg", user="ben")
    house.reopen(house.library, left_out=("out",))
    keys = [*(str(node) for node in house.cloud.nodes), "0", "99999", "x", "", "-1", "1 OR 1", "9" * 30]
    library = house.catalogue.libraries.get(house.library.id)
    assert len(Intake(house.catalogue).look_up(library, house.host, keys)) == 1
    assert house.present() == {"d.jpg"}


def test_a_named_file_that_is_deleted_before_the_listing_is_gone_after_it(house: House) -> None:
    house.put("a.jpg", "b.jpg")
    house.sync()
    house.put("new.jpg")
    named(house, "new.jpg")
    house.cloud.delete("anna", "new.jpg")
    house.sync()
    assert house.present() == {"a.jpg", "b.jpg"}


def test_a_file_named_during_a_pass_and_deleted_before_the_pass_comes_to_its_folder_goes_with_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put("top.jpg", "B/b.jpg", "B/below/c.jpg")
    house.sync()
    house.put("B/below/new.jpg")
    listing = house.host.changes

    def changes(known: KnownMark) -> Iterator[Listed]:
        entries = listing(known)
        yield next(entries)  # of the top; B is not listed yet
        named(house, "B/below/new.jpg")
        house.cloud.delete("anna", "B/below/new.jpg")
        yield from entries

    with monkeypatch.context() as while_listing:
        while_listing.setattr(house.host, "changes", changes)
        house.sync()
    house.sync()
    assert house.present() == {"top.jpg", "B/b.jpg", "B/below/c.jpg"}
    assert house.requests(house.sync) == 1, "from then on everything is as it was marked"


def test_one_new_photo_costs_only_the_folders_above_it(house: House) -> None:
    house.put(*(f"Photos/{year}/{month:02}/a.jpg" for year in (2022, 2023, 2024) for month in range(12)))
    house.sync()
    house.put("Photos/2023/05/new.jpg")
    assert house.requests(house.sync) == 5  # the root twice, Photos, 2023, 05
    assert "Photos/2023/05/new.jpg" in house.present()
    assert len(house.present()) == 37


def test_a_restart_knows_what_was_listed(house: House) -> None:
    house.put("2024/b.jpg")
    house.sync()
    house.reopen(house.library)
    assert house.requests(house.sync) == 1


def test_a_move_keeps_the_asset(house: House) -> None:
    house.put("2024/b.jpg", "2023/x.jpg")
    house.sync()
    key = str(house.cloud.find("anna", "2024/b.jpg").id)
    before = house.catalogue.assets.of_host_key(house.library.id, key)
    house.cloud.move("anna", "2024/b.jpg", "2023/c.jpg")
    house.sync()
    after = house.catalogue.assets.of_host_key(house.library.id, key)
    assert before is not None
    assert after is not None
    assert (after.id, after.path, after.gone) == (before.id, "2023/c.jpg", False)


def test_a_folder_that_moves_takes_its_photos_along_and_back(house: House) -> None:
    house.put("Old/in/a.jpg", "b.jpg")
    house.sync()
    house.cloud.move("anna", "Old", "New")
    house.sync()
    assert house.present() == {"New/in/a.jpg", "b.jpg"}
    house.cloud.move("anna", "New", "Old")  # its ETag is the one it had
    house.sync()
    assert house.present() == {"Old/in/a.jpg", "b.jpg"}


def test_a_pass_that_was_killed_half_way_loses_nothing(house: House) -> None:
    house.put("Old/a.jpg", "b.jpg")
    house.sync()
    house.cloud.move("anna", "Old", "New")
    killed = Intake(house.catalogue).sync(house.library, house.host, should_stop=lambda: True)
    assert killed.listed
    house.cloud.move("anna", "New", "Old")
    house.sync()
    assert house.present() == {"Old/a.jpg", "b.jpg"}


def test_a_pass_that_was_killed_before_it_hid_what_is_gone_hides_it_the_next_time(house: House) -> None:
    house.put("A/a.jpg", "b.jpg")
    house.sync()
    house.cloud.delete("anna", "A")
    for calls in range(40):
        dying = cast("Catalogue", DyingCatalogue(house.catalogue, [calls]))
        with suppress(Killed):
            Intake(dying).sync(house.library, house.host)
            break
    house.sync()
    assert house.present() == {"b.jpg"}


@pytest.mark.parametrize("calls", range(12))
def test_whenever_a_pass_is_killed_the_next_one_agrees_with_the_host(house: House, calls: int) -> None:
    house.put("A/a.jpg", "A/in/c.jpg", "b.jpg")
    house.sync()
    house.cloud.delete("anna", "A")
    dying = cast("Catalogue", DyingCatalogue(house.catalogue, [calls]))
    with suppress(Killed):
        Intake(dying).sync(house.library, house.host)
    house.sync()
    assert house.present() == {"b.jpg"}


def test_the_trash_hides_and_restoring_brings_the_same_asset_back(house: House) -> None:
    house.put("a.jpg", "b.jpg")
    house.sync()
    key = str(house.cloud.find("anna", "a.jpg").id)
    first = house.catalogue.assets.of_host_key(house.library.id, key)
    house.cloud.delete("anna", "a.jpg")
    assert house.sync().gone == 1
    assert house.present() == {"b.jpg"}
    house.cloud.restore("anna", "a.jpg")
    assert house.sync().returned == 1
    again = house.catalogue.assets.of_host_key(house.library.id, key)
    assert first is not None
    assert again is not None
    assert again.id == first.id


def test_a_photo_restored_before_anybody_noticed_is_looked_at_with_its_people_intact(house: House) -> None:
    """It was in the trash while detection came by, and back before the next comparison."""
    house.put("a.jpg", "b.jpg")
    house.sync()
    node = house.cloud.find("anna", "a.jpg")
    for asset in house.catalogue.detection.claim("test", 2, 60):
        face_ids = house.catalogue.detection.finish(asset, "opencv", [found_face(at_degrees(0))], (9, 9), None)
        if asset.host_key == str(node.id):
            anna = house.catalogue.people.add(house.account.id, "Anna")
            house.catalogue.faces.assign([(face_ids[0], anna)], AssignedBy.USER)
    (kept,) = house.catalogue.assets.of_person(anna, house.account.id, 0, 10)
    house.catalogue.detection.request("refresh", "opencv", [kept.id])
    house.cloud.delete("anna", "a.jpg")
    (claimed,) = house.catalogue.detection.claim("test", 2, 60)
    with pytest.raises(AssetGone) as raised, house.host.open(claimed.host_key):
        pass
    house.catalogue.detection.fail(claimed, raised.value.code, str(raised.value), permanent=raised.value.permanent)
    house.cloud.restore("anna", "a.jpg")
    house.sync()
    (again,) = house.catalogue.detection.claim("test", 2, 60)
    assert (again.id, again.attempts) == (kept.id, 1)
    assert [asset.id for asset in house.catalogue.assets.of_person(anna, house.account.id, 0, 10)] == [kept.id]


def test_other_pixels_are_looked_at_again(house: House) -> None:
    house.put("a.jpg")
    house.sync()
    house.cloud.put("anna", "a.jpg", b"other pixels")
    assert house.sync().changed == 1


@pytest.mark.parametrize("marker", [".nomedia", ".noimage"])
@pytest.mark.parametrize("infinite", [True, False])
def test_folders_with_a_marker_hold_no_photos(house: House, marker: str, infinite: bool) -> None:
    house.server.infinite = infinite
    house.put("Icons/a.png", "Icons/sub/b.png", "real.jpg", "2024/x/y.jpg")
    house.cloud.put("anna", f"Icons/{marker}", b"")
    house.sync()
    assert house.present() == {"real.jpg", "2024/x/y.jpg"}
    house.cloud.delete("anna", f"Icons/{marker}")
    house.sync()
    assert house.present() == {"real.jpg", "2024/x/y.jpg", "Icons/a.png", "Icons/sub/b.png"}
    house.cloud.put("anna", f"Icons/{marker}", b"")
    house.sync()
    assert house.present() == {"real.jpg", "2024/x/y.jpg"}


def test_only_photos_and_videos_that_are_wanted_are_listed(house: House) -> None:
    house.put("a.jpg", "b.mp4", "c.txt", "d.svg", ".hidden/e.jpg", "f/@eaDir/g.jpg", "h.dng", "i.heic")
    house.sync()
    assert house.present() == {"a.jpg", "b.mp4", "i.heic"}
    house.reopen(house.library, videos=False)
    house.sync()
    assert house.present() == {"a.jpg", "i.heic"}


def test_chosen_folders_are_read_and_others_are_not(house: House) -> None:
    house.put("Photos/a.jpg", "Photos/Private/b.jpg", "Work/c.jpg", "Camera/d.jpg")
    house.reopen(house.library, folders=("Photos", "Camera"), left_out=("Photos/Private",))
    house.sync()
    assert house.present() == {"Photos/a.jpg", "Camera/d.jpg"}
    assert house.requests(house.sync) == 1
    house.reopen(house.library)
    house.sync()
    assert house.present() == {"Photos/a.jpg", "Photos/Private/b.jpg", "Work/c.jpg", "Camera/d.jpg"}
    house.reopen(house.library, folders=("Photos",))
    house.sync()
    assert house.present() == {"Photos/a.jpg", "Photos/Private/b.jpg"}


def test_a_chosen_folder_that_is_away_hides_nothing(house: House) -> None:
    house.put("Photos/a.jpg", "Camera/d.jpg")
    house.reopen(house.library, folders=("Photos", "Camera"))
    house.sync()
    house.cloud.move("anna", "Camera", "Phone")
    house.sync()
    assert house.present() == {"Photos/a.jpg", "Camera/d.jpg"}
    assert house.problems() == {"Camera": "folder_missing"}


def test_what_is_shared_is_read_too_and_follows_its_owner(house: House) -> None:
    house.cloud.add_user("ben")
    house.put("Party/p.jpg", user="ben")
    house.put("a.jpg")
    share = house.cloud.share("ben", "Party", "anna")
    house.sync()
    assert house.present() == {"a.jpg", "Party/p.jpg"}
    house.cloud.put("ben", "Party/q.jpg", b"new")
    house.sync()
    assert house.present() == {"a.jpg", "Party/p.jpg", "Party/q.jpg"}
    house.cloud.unshare(share)
    house.sync()
    assert house.present() == {"a.jpg"}


def test_what_two_connected_users_share_is_read_once_by_its_owner(house: House) -> None:
    house.cloud.add_user("ben")
    house.put("Party/p.jpg", user="ben")
    house.put("a.jpg")
    house.cloud.share("ben", "Party", "anna")
    bens = house.connect("ben")
    bens_host = house.host
    house.reopen(house.library, others=frozenset({"ben"}))
    house.sync()
    house.sync(bens_host, bens)
    assert house.present() == {"a.jpg"}
    assert house.present(bens) == {"Party/p.jpg"}
    assert house.host.look_up(str(house.cloud.find("ben", "Party/p.jpg").id), lambda _key, _change: None) is None


def test_a_server_that_answers_one_level_only_is_listed_folder_by_folder(house: House) -> None:
    house.server.infinite = False
    house.put(*(f"Photos/{year}/{month}/a.jpg" for year in (2023, 2024) for month in range(4)), "b.jpg")
    house.sync()
    assert len(house.present()) == 9
    assert house.requests(house.sync) == 1


def refusing(method: str, depth: str | None, answer: Response) -> Callable[[Request], Response | None]:
    def interfere(request: Request) -> Response | None:
        fits = request.method == method and (depth is None or request.headers.get("Depth") == depth)
        return answer if fits else None

    return interfere


@pytest.mark.parametrize(
    "answer",
    [
        Response("", 403),
        Response("", 500),
        Response("<html>Proxy error</html>", 207),
        Response('<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"><d:response>', 207),
    ],
)
def test_a_server_that_cannot_list_everything_at_once_is_asked_for_less(house: House, answer: Response) -> None:
    house.put(*(f"{album:03}/in/{album}.jpg" for album in range(60)))
    house.server.interfere = refusing("PROPFIND", "infinity", answer)
    house.sync()
    assert len(house.present()) == 60


def test_a_server_without_search_is_listed_folder_by_folder(house: House) -> None:
    house.put("Photos/2024/a.jpg", "Photos/2024/sub/.nomedia", "Photos/2024/sub/b.jpg")
    house.server.interfere = refusing("SEARCH", None, Response("", 501))
    house.sync()
    assert house.present() == {"Photos/2024/a.jpg"}


def test_a_folder_that_cannot_be_read_costs_only_itself_and_loses_nothing(house: House) -> None:
    house.put("External/a.jpg", "Photos/b.jpg")
    house.sync()
    away = Response("<s:exception>OCP\\Files\\StorageNotAvailableException</s:exception>", 503)
    house.server.interfere = lambda request: away if "/External" in request.path else None
    house.put("Photos/c.jpg", "External/x.jpg")
    house.sync()
    assert house.present() == {"External/a.jpg", "Photos/b.jpg", "Photos/c.jpg"}
    assert house.problems() == {"External": "folder_unreadable"}
    house.server.interfere = lambda _request: None
    house.sync()
    assert house.present() == {"External/a.jpg", "External/x.jpg", "Photos/b.jpg", "Photos/c.jpg"}
    assert house.problems() == {}


def test_a_server_that_goes_away_for_a_day_in_the_middle_loses_nothing_and_goes_on_where_it_was(house: House) -> None:
    house.put(*(f"{album:02}/in/{album}.jpg" for album in range(20)))

    def dies(request: Request) -> Response | None:
        return Response("", 503) if request.path.rstrip("/").endswith("/12") else None

    house.server.interfere = dies
    with pytest.raises(HostUnreachable):
        house.sync()
    seen = len(house.present())
    assert 10 <= seen < 20
    house.server.interfere = lambda _request: None
    house.server.stop()
    house.reopen(house.library)
    for _ in range(3):
        with pytest.raises(HostUnreachable):
            house.sync()
    assert len(house.present()) == seen
    assert house.catalogue.libraries.get(house.library.id).last_sync_error
    house.server.start()
    house.reopen(house.library)
    assert house.requests(house.sync) < 15  # the first twelve folders are known
    assert len(house.present()) == 20


def test_photos_given_up_while_the_server_was_away_are_looked_at_when_it_is_back(house: House) -> None:
    house.put("a.jpg")
    house.sync()
    (asset,) = house.catalogue.detection.claim("test", 1, 60)
    house.catalogue.detection.fail(asset, "host_unreachable", "away", permanent=True)
    house.server.stop()
    with pytest.raises(HostError):
        house.sync()
    house.server.start()
    house.reopen(house.library)
    house.sync()
    assert [again.id for again in house.catalogue.detection.claim("test", 1, 60)] == [asset.id]


def test_a_revoked_password_hides_nothing_and_does_not_hammer(house: House) -> None:
    house.put("a.jpg")
    house.sync()
    house.cloud.revoke("anna")
    before = len(house.server.seen)
    for _ in range(5):
        with pytest.raises(LoginRefused):
            house.sync()
    assert len(house.server.seen) == before + 1
    assert house.present() == {"a.jpg"}


def test_a_user_without_files_is_refused_with_advice(house: House) -> None:
    house.server.interfere = refusing("PROPFIND", None, Response("", 404))
    with pytest.raises(HostRefused) as raised:
        house.sync()
    assert raised.value.advice


def test_a_listing_with_files_of_somebody_else_is_not_taken(house: House) -> None:
    body = (
        '<d:multistatus xmlns:d="DAV:"><d:response><d:href>/remote.php/dav/files/eve/a.jpg</d:href>'
        "<d:propstat><d:prop/><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"
    )
    house.server.interfere = refusing("PROPFIND", None, Response(body, 207))
    with pytest.raises(HostUnreachable, match="somebody else"):
        house.sync()


@pytest.mark.parametrize(
    ("size", "taken"), [("1" * 5000, "1" * 5000), ("9" * 30, "9" * 30), ("--5", "--5"), ("-5", "-5"), ("1.5", "\u0664")]
)
def test_numbers_that_cannot_be_are_no_numbers(house: House, size: str, taken: str) -> None:
    """Of a server that is broken, or means harm; the photo is there all the same."""
    row = (
        "<d:response><d:href>/remote.php/dav/files/anna/{path}</d:href><d:propstat><d:prop><d:getetag>e</d:getetag>"
        "<oc:fileid>{number}</oc:fileid>{more}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )
    photo = (
        f"<d:getcontenttype>image/jpeg</d:getcontenttype><d:getcontentlength>{size}</d:getcontentlength>"
        f"<nc:metadata-photos-original_date_time>{taken}</nc:metadata-photos-original_date_time>"
        "<d:getlastmodified>Thu, 01 Jan 1970 00:00:00 GMT</d:getlastmodified>"
    )
    folder = "<d:resourcetype><d:collection/></d:resourcetype>"
    spaces = 'xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns"'
    rows = [row.format(path="", number=1, more=folder), row.format(path="a.jpg", number=7, more=photo)]
    house.server.interfere = refusing(
        "PROPFIND", None, Response(f"<d:multistatus {spaces}>{''.join(rows)}</d:multistatus>", 207)
    )
    assert house.sync().listed == 1
    asset = house.catalogue.assets.of_host_key(house.library.id, "7")
    assert asset is not None
    assert asset.taken_at is None


def test_the_time_of_a_file_may_be_a_little_ahead_since_telephones_clocks_are(house: House) -> None:
    house.put("ahead.jpg", "wrong.jpg")
    house.cloud.find("anna", "ahead.jpg").mtime = int(time.time()) + 900
    house.cloud.find("anna", "wrong.jpg").mtime = int(time.time()) + 10 * 86_400
    house.sync()
    times = {}
    for path in ("ahead.jpg", "wrong.jpg"):
        asset = house.catalogue.assets.of_host_key(house.library.id, str(house.cloud.find("anna", path).id))
        assert asset is not None
        times[path] = asset.taken_at
    assert times["ahead.jpg"] is not None
    assert times["wrong.jpg"] is None


def test_two_kinfolks_on_one_nextcloud_do_not_disturb_each_other(house: House) -> None:
    house.put("a.jpg", "2024/b.jpg")
    other = House.__new__(House)
    other.server, other.cloud, other.hosts = house.server, house.cloud, []
    other.catalogue = open_in_memory()
    other.account = other.catalogue.accounts.all()[0]
    other.library = other.connect("anna")
    house.sync()
    other.sync()
    house.cloud.delete("anna", "a.jpg")
    house.sync()
    other.sync()
    assert house.present() == other.present() == {"2024/b.jpg"}
    other.host.close()
    other.catalogue.close()


@pytest.mark.parametrize("skew", [-86_400 * 400, 86_400 * 400])
def test_a_server_whose_clock_is_wrong_is_read_all_the_same(house: House, skew: int) -> None:
    house.cloud.clock += skew
    house.put("a.jpg")
    house.sync()
    house.put("b.jpg")
    house.sync()
    assert house.present() == {"a.jpg", "b.jpg"}
