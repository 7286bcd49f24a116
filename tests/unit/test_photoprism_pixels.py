"""Pictures and originals of a PhotoPrism: tokens that change, icons instead of pictures, pages instead of files."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from werkzeug.wrappers import Request, Response

from plugin.domain import Asset, AssetKind, WorkState
from plugin.errors import AssetGone, HostBusy, HostRefused, HostUnreachable, LoginRefused
from plugin.hosts.network.limits import Limits
from plugin.hosts.network.login import Login
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.options import PhotoPrismOptions
from tests.fakes.photoprism import FakePhotoPrism
from tests.fakes.workshop import Workshop


def photo(width: int = 3000, height: int = 2000, colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def server() -> Iterator[FakePhotoPrism]:
    with FakePhotoPrism() as running:
        running.library.put("a.jpg", photo())
        yield running


@pytest.fixture
def host(server: FakePhotoPrism) -> Iterator[PhotoPrismHost]:
    opened = host_at(server)
    yield opened
    opened.close()


def host_at(server: FakePhotoPrism, limits: Limits | None = None) -> PhotoPrismHost:
    login = Login(server.address, "admin", server.library.token())
    client = PhotoPrismClient(login, limits, sleep=lambda _seconds: None)

    def remembered(key: str) -> Asset | None:
        found = server.library.photos.get(key)
        if found is None:
            return None
        primary = next(file for file in found.files if file.primary)
        kind = AssetKind.VIDEO if found.kind == "video" else AssetKind.PHOTO
        return Asset(
            1, 1, 1, key, found.path, kind, primary.hash, None, None, None, WorkState.PENDING, 0, None, None, gone=False
        )

    return PhotoPrismHost(client, PhotoPrismOptions(), remembered)


def side(host: PhotoPrismHost, uid: str) -> tuple[int, int]:
    with host.open(uid) as stream:
        return Image.open(stream).size


def test_photos_come_as_the_pictures_photoprism_keeps(server: FakePhotoPrism, host: PhotoPrismHost) -> None:
    uid = server.library.found("a.jpg").uid
    assert side(host, uid) == (1920, 1280)
    assert side(host, uid) == (1920, 1280)
    assert [seen.path.split("/")[3] for seen in server.seen] == ["config", "t", "t"]


def test_a_token_that_changed_is_asked_for_again(server: FakePhotoPrism, host: PhotoPrismHost) -> None:
    uid, film = server.library.found("a.jpg").uid, server.library.put("b.mp4", b"film").uid
    side(host, uid)
    server.library.new_tokens()
    assert side(host, uid) == (1920, 1280)
    server.library.new_tokens()
    with host.open(film) as stream:
        assert stream.read() == b"film"


def test_tokens_that_change_again_and_again_while_faces_are_looked_for_lose_no_photo(server: FakePhotoPrism) -> None:
    for number in range(6):
        server.library.put(f"{number}.jpg", photo(320, 240, ["red", "blue", "green"][number % 3]))
    workshop, asked = Workshop(), iter(range(10**6))
    client = PhotoPrismClient(Login(server.address, "admin", server.library.token()), sleep=lambda _seconds: None)

    def remembered(key: str) -> Asset | None:
        return workshop.catalogue.assets.of_host_key(workshop.library.id, key)

    workshop.host = PhotoPrismHost(client, PhotoPrismOptions(), remembered)  # type: ignore[assignment]
    refused: list[int] = []

    def expire(request: Request) -> None:
        if "/t/" in request.path and next(asked) in {1, 4, 5}:
            server.library.new_tokens()
            refused.append(1)

    server.interfere = expire
    workshop.pipeline.sync(workshop.library.id)
    workshop.pipeline.detect(60)
    workshop.host.close()  # type: ignore[attr-defined]
    assert workshop.failures() == {}
    states = [asset.state for asset in map(remembered, server.library.photos) if asset is not None]
    assert states == [WorkState.DONE] * 7
    assert len(refused) == 3
    assert not client.is_refused


def test_a_token_that_stays_refused_says_so(server: FakePhotoPrism, host: PhotoPrismHost) -> None:
    server.interfere = lambda request: Response(status=403) if "/t/" in request.path else None
    with pytest.raises(HostRefused), host.open(server.library.found("a.jpg").uid):
        pass


def test_an_icon_instead_of_a_picture_leads_to_the_original(server: FakePhotoPrism, host: PhotoPrismHost) -> None:
    odd = server.library.put("odd.jpg", b"not decodable there")
    with host.open(odd.uid) as stream:
        assert stream.read() == b"not decodable there"


def test_a_picture_with_another_hash_by_now_is_found(server: FakePhotoPrism, host: PhotoPrismHost) -> None:
    uid = server.library.found("a.jpg").uid
    side(host, uid)
    old = host._remembered(uid)
    host._remembered = lambda _key: old
    server.library.put("a.jpg", photo(900, 600, "blue"))
    assert side(host, uid) == (900, 600)


def test_a_photo_that_is_gone_is_gone(server: FakePhotoPrism, host: PhotoPrismHost) -> None:
    uid = server.library.found("a.jpg").uid
    old = host._remembered(uid)
    host._remembered = lambda _key: old
    server.library.remove("a.jpg")
    with pytest.raises(AssetGone), host.open(uid):
        pass
    with pytest.raises(AssetGone), host.open("no-such-uid"):
        pass


@pytest.mark.parametrize(
    ("status", "raised"),
    [(500, HostUnreachable), (503, HostBusy), (429, HostBusy), (401, LoginRefused), (302, HostRefused)],
)
def test_what_goes_wrong_is_told(
    server: FakePhotoPrism, host: PhotoPrismHost, status: int, raised: type[Exception]
) -> None:
    server.interfere = lambda request: Response(status=status) if "/t/" in request.path else None
    with pytest.raises(raised), host.open(server.library.found("a.jpg").uid):
        pass


def test_a_page_instead_of_a_photo_is_no_photo(server: FakePhotoPrism, host: PhotoPrismHost) -> None:
    def page(request: Request) -> Response | None:
        wanted = "/t/" in request.path or "/dl/" in request.path
        return Response("<html>Log in</html>", content_type="text/html") if wanted else None

    server.interfere = page
    with pytest.raises(HostUnreachable), host.open(server.library.found("a.jpg").uid):
        pass


def test_an_endless_original_is_not_taken(server: FakePhotoPrism) -> None:
    host = host_at(server, Limits(original_bytes=1000, preview_bytes=1000))
    film = server.library.put("b.mp4", b"f" * 5000)
    with pytest.raises(HostUnreachable), host.open(film.uid):
        pass
    host.close()


def test_what_was_fetched_ahead_is_not_fetched_again(server: FakePhotoPrism, host: PhotoPrismHost) -> None:
    uid = server.library.found("a.jpg").uid
    host.fetch_ahead([uid, "../x"])
    assert side(host, uid) == (1920, 1280)
    assert sum("/t/" in seen.path for seen in server.seen) == 1


def test_the_password_goes_into_a_header_and_to_no_other_host(server: FakePhotoPrism, host: PhotoPrismHost) -> None:
    host.check()
    assert all("app-" not in f"{seen.path} {seen.query}" for seen in server.seen)
    assert all(seen.headers["X-Auth-Token"].startswith("app-") for seen in server.seen)
    with FakePhotoPrism() as elsewhere:
        server.interfere = lambda _request: Response(status=302, headers={"Location": elsewhere.address})
        with pytest.raises(HostRefused):
            host.check()
        assert elsewhere.seen == []
