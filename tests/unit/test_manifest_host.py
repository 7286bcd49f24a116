"""A manifest of photos: nothing but its own server is asked, and what is no manifest removes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from plugin.catalogue.store import open_in_memory
from plugin.domain import HostAsset, IntakeProblem
from plugin.errors import AnswerFailed, BadListing, HostRefused, LoginRefused
from plugin.hosts import manifest
from plugin.hosts.manifest import ManifestHost
from plugin.intake import Intake
from tests.fakes.manifest import FakeManifest


@pytest.fixture
def server() -> Iterator[FakeManifest]:
    with FakeManifest() as running:
        running.put("a.jpg", b"Anna")
        yield running


@pytest.fixture
def host(server: FakeManifest) -> Iterator[ManifestHost]:
    opened = ManifestHost(server.manifest)
    yield opened
    opened.close()


def nothing_known(_key: str, _change: str) -> None:
    return None


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/a.jpg", "//elsewhere.example/a.jpg", "http://127.0.0.1:1/a.jpg", "file:///etc/passwd",
        "http://u:p@127.0.0.1/a.jpg", "", None, 7, "http://[", "a\r\nHost: x",
    ],
)  # fmt: skip
def test_no_other_server_is_asked(server: FakeManifest, host: ManifestHost, url: object) -> None:
    server.rows = [{"id": "evil", "path": "evil.jpg", "url": url, "hash": "1"}]
    entries = list(host.listing(nothing_known))
    if url == "":  # the manifest itself: harmless, and no picture
        return
    assert [entry.path for entry in entries if isinstance(entry, IntakeProblem)] == ["evil.jpg"]
    before = len(server.seen)
    with pytest.raises(HostRefused), host.open("evil"):
        pass
    assert {seen.path for seen in server.seen[before:]} <= {"/shared/photos.json"}


@pytest.mark.parametrize(
    "row",
    [
        {"id": "x", "url": "files/x"}, {"id": "x", "url": "files/x", "hash": ""},
        {"id": "x", "url": "files/x", "hash": 5},
        {"id": "x", "url": "files/x", "hash": "1", "type": "sound"}, {"id": "x\n", "url": "files/x", "hash": "1"},
        {"id": "x", "url": "files/x", "hash": "1", "path": 5}, {"id": "x\ud800", "url": "files/x", "hash": "1"},
        {"id": "x\ud800", "url": "files/x", "hash": "1", "path": "x.jpg"},
        {"id": "x", "url": "files/\ud800", "hash": "1"},
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_taken_is_told(server: FakeManifest, host: ManifestHost, row: dict[str, Any]) -> None:
    server.rows = [row]
    entries = list(host.listing(nothing_known))
    assert [type(entry).__name__ for entry in entries] == ["HostAsset", "IntakeProblem"]


@pytest.mark.parametrize(
    "row",
    [
        {"id": "x", "url": "files/x", "hash": "\ud800"},
        {"id": "x", "url": "files/x", "hash": "1", "path": "\udfff.jpg"},
        {"id": "x\ud800", "url": "files/x", "hash": "1"}, {"id": 5, "url": "files/x", "hash": "1", "path": None},
        {"id": "x", "url": "files/x", "hash": "1", "type": ["photo"]},
        {"id": "x", "url": "files/x", "hash": "1" * 9999},
        {"id": "x" * 9999, "url": "files/x", "hash": "1"},
    ],
)  # fmt: skip
def test_an_odd_entry_stops_no_comparison(server: FakeManifest, host: ManifestHost, row: dict[str, Any]) -> None:
    server.rows = [row]
    catalogue = open_in_memory()
    account = catalogue.accounts.all()[0]
    library = catalogue.libraries.add(account.id, "manifest", "Photos", server.manifest)
    for _ in range(2):
        Intake(catalogue).sync(library, host)
        assert catalogue.assets.of_host_key(library.id, "id 1") is not None
    catalogue.close()


@pytest.mark.parametrize(
    "body", ["<html>", "[]", "{}", '{"photos": 5}', '{"photos": [1]}', '{"photos": [{}]}', "[" * 99_999]
)
def test_what_is_no_manifest_is_not_taken_for_an_empty_one(server: FakeManifest, host: ManifestHost, body: str) -> None:
    server.body = body
    with pytest.raises(BadListing):
        list(host.listing(nothing_known))


def test_an_id_that_is_there_twice_is_refused(server: FakeManifest, host: ManifestHost) -> None:
    server.rows = [{"id": "id 1", "path": "b.jpg", "url": "files/b", "hash": "1"}]
    with pytest.raises(BadListing):
        list(host.listing(nothing_known))


@pytest.mark.parametrize(
    "address",
    ["", "ftp://x/m.json", "https://a:b@c/m.json", "https://:b@c/m.json", "https://a@c/m", "https://@c/m", "m.json"],
)
def test_an_address_of_no_web_server_is_refused(address: str) -> None:
    with pytest.raises(HostRefused):
        ManifestHost(address)


def test_the_manifest_is_not_read_again_for_every_photo(server: FakeManifest, host: ManifestHost) -> None:
    server.put("b.jpg", b"Ben")
    assets = [entry for entry in host.listing(nothing_known) if isinstance(entry, HostAsset)]
    before = len(server.seen)
    host.fetch_ahead([asset.host_key for asset in assets])
    for asset, content in zip(assets, (b"Anna", b"Ben"), strict=True):
        with host.open(asset.host_key) as stream:
            assert stream.read() == content
    asked = [seen.path for seen in server.seen[before:]]
    assert sorted(asked) == ["/shared/files/id 1", "/shared/files/id 2"]
    server.put("c.jpg", b"Clara")
    with host.open("id 3") as stream:
        assert stream.read() == b"Clara"


def test_what_is_no_manifest_is_told_in_words_of_no_other_host(server: FakeManifest, host: ManifestHost) -> None:
    server.interfere = lambda _request: Response("", 500)
    with pytest.raises(AnswerFailed, match="The server answered with an error"):
        host.check()
    server.interfere = lambda _request: Response("", 401)
    with pytest.raises(LoginRefused, match="The server does not accept the login"):
        host.check()


def test_it_stays_small_enough_to_be_copied_from() -> None:
    assert len(Path(manifest.__file__).read_text(encoding="utf-8").splitlines()) < 120
