"""What detection gets to see: previews, originals where there is none, and what servers send instead."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from werkzeug.wrappers import Request, Response

from plugin.domain import Asset, AssetKind, WorkState
from plugin.errors import AssetGone, HostBusy, HostRefused, HostUnreachable
from plugin.hosts.network.limits import Limits
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.hosts.nextcloud.options import NextcloudOptions
from tests.fakes.nextcloud import FakeNextcloud


def picture(width: int = 2000, height: int = 1500) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(encoded, "JPEG")
    return encoded.getvalue()


@pytest.fixture
def server() -> Iterator[FakeNextcloud]:
    with FakeNextcloud() as running:
        running.cloud.add_user("anna")
        yield running


class Reader:
    """A host, and what the catalogue remembers of its photos."""

    def __init__(self, server: FakeNextcloud, limits: Limits | None = None) -> None:
        self.server = server
        self.kinds: dict[str, AssetKind] = {}
        client = NextcloudClient(Login(server.address, "anna", "secret"), limits, sleep=lambda _seconds: None)
        self.host = NextcloudHost(Place(server.address, "anna"), client, NextcloudOptions(), self.remembered)

    def remembered(self, key: str) -> Asset | None:
        kind = self.kinds.get(key)
        if kind is None:
            return None
        return Asset(
            1, 1, 1, key, "old path", kind, "e", None, None, None, WorkState.PENDING, 0, None, None, gone=False
        )

    def put(self, path: str, data: bytes, kind: AssetKind | None = AssetKind.PHOTO) -> str:
        key = str(self.server.cloud.put("anna", path, data, parents=True).id)
        if kind is not None:
            self.kinds[key] = kind
        return key

    def read(self, key: str) -> bytes:
        with self.host.open(key) as stream:
            return stream.read()


@pytest.fixture
def reader(server: FakeNextcloud) -> Iterator[Reader]:
    made = Reader(server)
    yield made
    made.host.close()


def test_a_photo_comes_as_one_preview_in_one_request(reader: Reader) -> None:
    key = reader.put("a.jpg", picture())
    assert Image.open(io.BytesIO(reader.read(key))).size == (1024, 768)
    assert [seen.path for seen in reader.server.seen] == ["/index.php/core/preview"]


def test_what_is_not_remembered_is_looked_up(reader: Reader) -> None:
    key = reader.put("a.jpg", picture(), kind=None)
    assert Image.open(io.BytesIO(reader.read(key))).size == (1024, 768)
    assert reader.server.asked == {"SEARCH": 1, "GET": 1}


@pytest.mark.parametrize("name", ["a.heic", "über 100 %#?&;.heic", "a\nb.heic", "Ordner & mehr/zwei <2> + ü.heic"])
def test_a_photo_without_preview_comes_as_the_original(reader: Reader, name: str) -> None:
    assert reader.read(reader.put(name, b"heic pixels")) == b"heic pixels"


def test_a_video_comes_as_the_original_without_asking_for_a_preview(reader: Reader) -> None:
    assert reader.read(reader.put("a.mp4", b"frames", AssetKind.VIDEO)) == b"frames"
    assert not any("preview" in seen.path for seen in reader.server.seen)


def test_an_original_is_found_after_it_moved(reader: Reader) -> None:
    key = reader.put("a.heic", b"heic pixels")
    reader.server.cloud.mkdir("anna", "2024")
    reader.server.cloud.move("anna", "a.heic", "2024/b.heic")
    assert reader.read(key) == b"heic pixels"


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>Log in</html>", 200, content_type="text/html"),
        Response("<html>Log in</html>", 200, content_type="image/jpeg"),
        Response("", 200, content_type="image/jpeg"),
        Response("", 403),
        Response("<svg/>", 200, content_type="image/svg+xml"),
    ],
)
def test_a_preview_that_is_no_picture_is_not_taken(reader: Reader, answer: Response) -> None:
    key = reader.put("a.jpg", picture(10, 10))
    reader.server.interfere = lambda request: answer if "preview" in request.path else None
    assert reader.read(key) == picture(10, 10)


def test_a_page_instead_of_the_original_is_an_error_that_passes(reader: Reader) -> None:
    key = reader.put("a.heic", b"heic pixels")
    page = Response("<html>Proxy</html>", 200, content_type="text/html")
    reader.server.interfere = lambda request: page if request.method == "GET" and "/dav/" in request.path else None
    with pytest.raises(HostUnreachable) as raised:
        reader.read(key)
    assert not raised.value.permanent


def test_a_download_that_breaks_off_is_an_error_that_passes(reader: Reader) -> None:
    key = reader.put("a.heic", b"x" * 500_000)

    def broken(request: Request) -> Response | None:
        if request.method != "GET" or "/dav/" not in request.path:
            return None
        return Response(iter([b"x" * 100]), 200, headers={"Content-Length": "500000", "Connection": "close"})

    reader.server.interfere = broken
    with pytest.raises(HostUnreachable):
        reader.read(key)


def test_what_is_too_large_is_not_downloaded(server: FakeNextcloud) -> None:
    reader = Reader(server, Limits(original_bytes=1000))
    key = reader.put("a.mp4", b"x" * 2000, AssetKind.VIDEO)
    with pytest.raises(HostRefused, match="larger"):
        reader.read(key)
    assert server.asked["GET"] == 0
    reader.host.close()


def test_a_busy_server_does_not_turn_into_a_download_of_the_original(reader: Reader) -> None:
    key = reader.put("a.jpg", picture(10, 10))
    reader.server.interfere = lambda _request: Response("", 503, headers={"Retry-After": "60"})
    with pytest.raises(HostBusy):
        reader.read(key)
    assert len(reader.server.seen) == 1


def test_what_was_fetched_ahead_is_not_fetched_again(reader: Reader) -> None:
    keys = [reader.put(f"{number}.heic", f"pixels {number}".encode()) for number in range(5)]
    reader.host.fetch_ahead(keys)
    assert [reader.read(key) for key in keys] == [f"pixels {number}".encode() for number in range(5)]
    assert sum(seen.method == "GET" and "/dav/" in seen.path for seen in reader.server.seen) == 5


def test_fetching_ahead_never_raises_and_says_it_when_it_is_opened(reader: Reader) -> None:
    key = reader.put("a.heic", b"x")
    reader.server.cloud.delete("anna", "a.heic")
    reader.host.fetch_ahead([key, "no key"])
    with pytest.raises(AssetGone):
        reader.read(key)


def test_nobody_reads_what_is_not_theirs(reader: Reader) -> None:
    reader.server.cloud.add_user("ben")
    key = str(reader.server.cloud.put("ben", "secret.jpg", picture()).id)
    with pytest.raises(AssetGone):
        reader.read(key)


def test_a_download_gets_the_original_and_not_the_preview(reader: Reader) -> None:
    key = reader.put("a.jpg", picture())
    with reader.host.open_original(key) as stream:
        assert stream.read() == picture()
    with pytest.raises(AssetGone):
        reader.host.open_original("4711")
