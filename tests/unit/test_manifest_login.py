"""A manifest behind a login: kept encrypted, sent to its server only, and with every photo."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from plugin.assemble import open_kinfolk
from plugin.assemble.kinfolk import Kinfolk
from plugin.errors import LoginRefused
from plugin.settings import load_settings
from tests.fakes.manifest import FakeManifest


@pytest.fixture
def kinfolk(tmp_path: Path) -> Iterator[Kinfolk]:
    with open_kinfolk(load_settings(tmp_path / "data"), exclusive=False) as opened:
        yield opened


@pytest.mark.parametrize(("name", "header"), [("maria", "Basic bWFyaWE6aHVzaA=="), ("", "Bearer hush")])
def test_a_manifest_behind_a_login_is_read(kinfolk: Kinfolk, tmp_path: Path, name: str, header: str) -> None:
    def guarded(request: Request) -> Response | None:
        return None if request.headers.get("Authorization") == header else Response("", 401)

    admin = kinfolk.catalogue.accounts.all()[0]
    with FakeManifest() as server:
        server.put("a.jpg", b"Anna")
        server.interfere = guarded
        for wrong in ("", "wrong"):
            with pytest.raises(LoginRefused):
                kinfolk.add_manifest(admin.id, server.manifest, name if wrong else "", wrong)
        assert kinfolk.catalogue.libraries.all() == []
        library = kinfolk.add_manifest(admin.id, server.manifest, name, "hush")
        kinfolk.pipeline.sync(library.id)
        assert kinfolk.catalogue.libraries.get(library.id).asset_count == 1
        with kinfolk.host_of(library).open("id 1") as stream:
            assert stream.read() == b"Anna"
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"hush" not in stored


def test_a_manifest_without_a_login_is_asked_without_one(kinfolk: Kinfolk) -> None:
    admin = kinfolk.catalogue.accounts.all()[0]
    with FakeManifest() as server:
        server.put("a.jpg", b"Anna")
        kinfolk.pipeline.sync(kinfolk.add_manifest(admin.id, server.manifest).id)
        assert all("Authorization" not in seen.headers for seen in server.seen)


@pytest.mark.parametrize(("name", "password"), [("maria", "hush"), ("", "hush"), ("", "")])
def test_a_refused_manifest_is_asked_once_until_somebody_scans(kinfolk: Kinfolk, name: str, password: str) -> None:
    admin = kinfolk.catalogue.accounts.all()[0]
    with FakeManifest() as server:
        server.put("a.jpg", b"Anna")
        library = kinfolk.add_manifest(admin.id, server.manifest, name, password)
        before, server.interfere = len(server.seen), lambda _request: Response("", 401)
        for _ in range(3):
            with pytest.raises(LoginRefused):
                kinfolk.pipeline.sync(library.id)
            with open_kinfolk(kinfolk.settings, exclusive=False) as restarted, pytest.raises(LoginRefused):
                restarted.pipeline.sync(library.id)
        assert len(server.seen) == before + 1
        server.interfere = lambda _request: None
        kinfolk.connections.resume(library)
        kinfolk.pipeline.sync(library.id)
        assert kinfolk.catalogue.libraries.get(library.id).asset_count == 1


def test_adding_a_refused_manifest_with_the_same_login_asks_again(kinfolk: Kinfolk) -> None:
    admin = kinfolk.catalogue.accounts.all()[0]
    with FakeManifest() as server:
        library = kinfolk.add_manifest(admin.id, server.manifest, "", "hush")
        server.interfere = lambda _request: Response("", 401)
        with pytest.raises(LoginRefused):
            kinfolk.pipeline.sync(library.id)
        server.interfere = lambda _request: None
        assert kinfolk.add_manifest(admin.id, server.manifest, "", "hush").id == library.id
        kinfolk.host_of(library).check()


def test_a_manifest_whose_password_cannot_be_read_is_not_asked_without_one(kinfolk: Kinfolk) -> None:
    admin = kinfolk.catalogue.accounts.all()[0]
    with FakeManifest() as server:
        library = kinfolk.add_manifest(admin.id, server.manifest, "maria", "hush")
        (kinfolk.folder.path / "hosts.key").unlink()
        before = len(server.seen)
        with open_kinfolk(kinfolk.settings, exclusive=False) as moved, pytest.raises(LoginRefused):
            moved.host_of(library).check()
        assert len(server.seen) == before


def test_a_manifest_that_needs_no_login_any_more_forgets_it(kinfolk: Kinfolk) -> None:
    admin = kinfolk.catalogue.accounts.all()[0]
    with FakeManifest() as server:
        library = kinfolk.add_manifest(admin.id, server.manifest, "maria", "hush")
        kinfolk.add_manifest(admin.id, server.manifest)
        kinfolk.host_of(library).check()
        assert "Authorization" not in server.seen[-1].headers
