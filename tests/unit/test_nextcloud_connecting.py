"""Connecting to Nextcloud as the parts are really put together: logins, secrets, certificates, pausing, removing."""

import sqlite3
import stat
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from werkzeug.wrappers import Request, Response

from plugin.assemble import open_kinfolk
from plugin.assemble.connecting import NextcloudConnections
from plugin.assemble.data_folder import DataFolder
from plugin.assemble.kinfolk import Kinfolk
from plugin.assemble.vault import KEYS, Vault
from plugin.domain import Account, Library
from plugin.errors import (
    CertificateRefused,
    DiskFull,
    HostError,
    HostRefused,
    HostUnreachable,
    LoginRefused,
    NotFound,
    Refused,
    SettingsError,
)
from plugin.hosts.nextcloud.address import Place, base_address
from plugin.ports.libraries import HostLogin
from plugin.settings import load_settings
from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.nextcloud.certificate import self_signed


@pytest.fixture
def server() -> Iterator[FakeNextcloud]:
    with FakeNextcloud() as running:
        running.cloud.add_user("anna", "Anna's own password")
        running.cloud.put("anna", "Photos/anna.jpg", b"Anna laughs", parents=True)
        yield running


@pytest.fixture
def kinfolk(tmp_path: Path) -> Iterator[Kinfolk]:
    with open_kinfolk(load_settings(tmp_path / "data"), exclusive=False) as opened:
        yield opened


@pytest.fixture
def admin(kinfolk: Kinfolk) -> Account:
    return kinfolk.catalogue.accounts.all()[0]


def connected(kinfolk: Kinfolk, server: FakeNextcloud, user: str = "anna") -> Library:
    password = server.cloud.app_password(user)
    return kinfolk.connections.with_password(kinfolk.catalogue.accounts.all()[0], server.address, user, password)


def grant(server: FakeNextcloud, page: str, user: str) -> None:
    """The user opens the page and grants the login."""
    answer = requests.post(page, data={"user": user}, timeout=10)
    assert "Account connected" in answer.text


def test_a_login_that_is_granted_becomes_a_library(kinfolk: Kinfolk, admin: Account, server: FakeNextcloud) -> None:
    times = iter(range(0, 1000, 10))
    connections = NextcloudConnections(kinfolk.catalogue, kinfolk.vault, lambda _id: None, lambda: float(next(times)))
    flow = connections.begin(admin, f"{server.address}/index.php/apps/files/")
    assert connections.poll(admin.id, flow) is None
    grant(server, connections.page(admin.id, flow), "anna")
    library = connections.poll(admin.id, flow)
    assert library is not None
    assert Place.of(library.address) == Place(server.address, "anna")
    kinfolk.host_of(library).check()
    with pytest.raises(NotFound):
        connections.poll(admin.id, flow)


def test_a_login_belongs_to_who_began_it_and_ends(kinfolk: Kinfolk, admin: Account, server: FakeNextcloud) -> None:
    clock = [0.0]
    connections = NextcloudConnections(kinfolk.catalogue, kinfolk.vault, lambda _id: None, lambda: clock[0])
    flow = connections.begin(admin, server.address)
    with pytest.raises(NotFound):
        connections.page(admin.id + 1, flow)
    for _ in range(10):
        connections.begin(admin, server.address)
    with pytest.raises(NotFound):  # the oldest made room
        connections.page(admin.id, flow)
    flow = connections.begin(admin, server.address)
    clock[0] = 20 * 60 + 1
    with pytest.raises(NotFound):
        connections.page(admin.id, flow)


def test_a_page_that_is_reloaded_often_asks_seldom(kinfolk: Kinfolk, admin: Account, server: FakeNextcloud) -> None:
    connections = NextcloudConnections(kinfolk.catalogue, kinfolk.vault, lambda _id: None, lambda: 100.0)
    flow = connections.begin(admin, server.address)
    before = len(server.seen)
    for _ in range(20):
        assert connections.poll(admin.id, flow) is None
    assert len(server.seen) == before + 1


def test_a_server_that_calls_itself_otherwise_sends_nobody_away(
    kinfolk: Kinfolk, admin: Account, server: FakeNextcloud
) -> None:
    body = (
        '{"poll":{"token":"t","endpoint":"https://evil.example/poll"},'
        '"login":"https://evil.example/index.php/login/v2/flow/abc"}'
    )
    server.interfere = lambda request: Response(body, 200) if request.path.endswith("/login/v2") else None
    flow = kinfolk.connections.begin(admin, server.address)
    assert kinfolk.connections.page(admin.id, flow) == f"{server.address}/index.php/login/v2/flow/abc"
    server.interfere = lambda request: Response('{"login": "javascript:alert(1)", "poll": {"token": "t"}}', 200)
    with pytest.raises(HostUnreachable, match="not as a Nextcloud"):
        kinfolk.connections.begin(admin, server.address)


def test_only_an_app_password_is_kept_of_a_password_that_was_typed(
    kinfolk: Kinfolk, admin: Account, server: FakeNextcloud
) -> None:
    library = kinfolk.connections.with_password(admin, server.address, "anna", "Anna's own password")
    kept = kinfolk.connections.login_of(library).password
    assert kept in server.cloud.users["anna"].app_passwords
    assert kept != "Anna's own password"


def test_connecting_twice_is_one_library_and_one_app_password(kinfolk: Kinfolk, server: FakeNextcloud) -> None:
    assert connected(kinfolk, server).id == connected(kinfolk, server).id
    assert len(server.cloud.users["anna"].app_passwords) == 1


def test_killed_before_the_new_login_is_kept_the_former_one_still_works(
    kinfolk: Kinfolk, server: FakeNextcloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_library_id: int, _login: HostLogin) -> None:
        raise DiskFull("There is no space left")

    library = connected(kinfolk, server)
    with monkeypatch.context() as broken:
        broken.setattr(kinfolk.catalogue.host_logins, "put", killed)
        with pytest.raises(DiskFull):
            connected(kinfolk, server)
    kinfolk.host_of(library).check()


def test_folders_chosen_while_it_is_connected_again_stay(kinfolk: Kinfolk, server: FakeNextcloud) -> None:
    library = connected(kinfolk, server)

    def choosing(request: Request) -> Response | None:
        if request.method == "DELETE":
            kinfolk.connections.choose(library, ("Photos",), ())
        return None

    server.interfere = choosing
    connected(kinfolk, server)
    assert kinfolk.connections.choice(library).folders == ("Photos",)


def test_a_login_that_was_refused_is_not_sent_once_more(
    kinfolk: Kinfolk, admin: Account, server: FakeNextcloud
) -> None:
    library = connected(kinfolk, server)
    dead = kinfolk.connections.login_of(library).password
    server.cloud.revoke("anna")
    with pytest.raises(LoginRefused):
        kinfolk.host_of(library).check()
    before = len(server.seen)
    connected(kinfolk, server)
    sent = "Basic " + b64encode(f"anna:{dead}".encode()).decode()
    assert sent not in [seen.headers.get("Authorization") for seen in server.seen[before:]]


def test_a_library_whose_password_cannot_be_read_can_be_removed(kinfolk: Kinfolk, server: FakeNextcloud) -> None:
    library = connected(kinfolk, server)
    (kinfolk.folder.path / "hosts.key").unlink()
    with open_kinfolk(kinfolk.settings, exclusive=False) as moved:
        moved.connections.disconnect(library)


def test_one_account_holds_several_users(kinfolk: Kinfolk, server: FakeNextcloud) -> None:
    server.cloud.add_user("ben")
    server.cloud.put("ben", "Party/p.jpg", b"p", parents=True)
    server.cloud.share("ben", "Party", "anna")
    annas, bens = connected(kinfolk, server), connected(kinfolk, server, "ben")
    for library in (annas, bens):
        kinfolk.pipeline.sync(library.id)
    counts = {library.name[:4]: library.asset_count for library in kinfolk.catalogue.libraries.all()}
    assert counts == {"anna": 1, "ben ": 1}


def test_a_password_is_nowhere_in_clear(kinfolk: Kinfolk, server: FakeNextcloud, tmp_path: Path) -> None:
    library = connected(kinfolk, server)
    password = kinfolk.connections.login_of(library).password.encode()
    kinfolk.backup(tmp_path / "backup.zip")
    kinfolk.pipeline.sync(library.id)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or password not in path.read_bytes(), path
    key = kinfolk.folder.path / "hosts.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_without_its_key_a_login_asks_to_be_connected_again(
    kinfolk: Kinfolk, server: FakeNextcloud, tmp_path: Path
) -> None:
    library = connected(kinfolk, server)
    (kinfolk.folder.path / "hosts.key").unlink()
    before = len(server.seen)
    with open_kinfolk(kinfolk.settings, exclusive=False) as moved, pytest.raises(LoginRefused) as raised:
        moved.host_of(library).check()
    assert "again" in raised.value.advice
    assert len(server.seen) == before


def test_keys_of_the_environment_are_used_and_can_be_changed(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    old, new = "aa" * 32, "bb" * 32
    locked = Vault(folder, {KEYS: old}).lock("secret")
    assert Vault(folder, {KEYS: f"{new}, {old}"}).unlock(locked) == "secret"
    assert Vault(folder, {KEYS: new}).unlock(locked) is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SettingsError):
        Vault(folder, {KEYS: "short"}).lock("secret")


def test_a_refused_login_pauses_the_library_over_restarts_until_it_is_connected_again(
    kinfolk: Kinfolk, admin: Account, server: FakeNextcloud
) -> None:
    library = connected(kinfolk, server)
    kinfolk.pipeline.sync(library.id)
    server.cloud.revoke("anna")
    with pytest.raises(LoginRefused):
        kinfolk.pipeline.sync(library.id)
    before = len(server.seen)
    for _ in range(3):
        with open_kinfolk(kinfolk.settings, exclusive=False) as restarted, pytest.raises(LoginRefused):
            restarted.pipeline.sync(library.id)
    assert len(server.seen) == before
    assert kinfolk.connections.is_paused(library)
    with pytest.raises(LoginRefused):
        kinfolk.connections.choice(library)
    assert len(server.seen) == before
    again = kinfolk.connections.with_password(
        admin, server.address, "anna", "Anna's own password", library_id=library.id
    )
    assert again.id == library.id
    kinfolk.pipeline.sync(library.id)
    assert kinfolk.catalogue.libraries.get(library.id).last_sync_error is None


def test_asking_once_more_is_one_request(kinfolk: Kinfolk, server: FakeNextcloud) -> None:
    library = connected(kinfolk, server)
    server.cloud.revoke("anna")
    with pytest.raises(LoginRefused):
        kinfolk.host_of(library).check()
    kinfolk.connections.resume(library)
    before = len(server.seen)
    for _ in range(3):
        with pytest.raises(LoginRefused):
            kinfolk.host_of(library).check()
    assert len(server.seen) == before + 1


def test_connecting_again_as_somebody_else_changes_nothing(
    kinfolk: Kinfolk, admin: Account, server: FakeNextcloud
) -> None:
    library = connected(kinfolk, server)
    server.cloud.add_user("ben", "Ben's password")
    with pytest.raises(Refused, match="somebody else"):
        kinfolk.connections.with_password(admin, server.address, "ben", "Ben's password", library_id=library.id)
    assert server.cloud.users["ben"].app_passwords == {}
    kinfolk.host_of(library).check()


def test_removing_ends_the_app_password_and_forgets_it(kinfolk: Kinfolk, server: FakeNextcloud) -> None:
    library = connected(kinfolk, server)
    kinfolk.connections.disconnect(library)
    kinfolk.privacy.remove_library(library.account_id, library.id)
    assert server.cloud.users["anna"].app_passwords == {}
    with sqlite3.connect(kinfolk.folder.catalogue) as connection:
        assert connection.execute("SELECT count(*) FROM host_login").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM folder_mark").fetchone() == (0,)
    connection.close()


def test_a_library_can_be_removed_while_its_server_is_away(kinfolk: Kinfolk, server: FakeNextcloud) -> None:
    library = connected(kinfolk, server)
    server.stop()
    kinfolk.connections.disconnect(library)
    kinfolk.privacy.remove_library(library.account_id, library.id)
    assert kinfolk.catalogue.libraries.all() == []


def test_members_connect_to_servers_in_use_only(kinfolk: Kinfolk, admin: Account, server: FakeNextcloud) -> None:
    member = replace(kinfolk.catalogue.accounts.add("ben", None, is_admin=False))
    with pytest.raises(Refused, match="administrator"):
        kinfolk.connections.begin(member, server.address)
    assert server.seen == []
    connected(kinfolk, server)
    assert kinfolk.connections.servers(member) == [server.address]
    assert kinfolk.connections.begin(member, server.address)


def test_what_is_chosen_is_kept_and_read(kinfolk: Kinfolk, server: FakeNextcloud) -> None:
    server.cloud.put("anna", "Work/b.jpg", b"b", parents=True)
    library = connected(kinfolk, server)
    assert kinfolk.connections.choice(library).offered == ("Photos", "Work")
    kinfolk.connections.choose(library, ("/Photos/",), ("Photos/Receipts", ""))
    kinfolk.pipeline.sync(library.id)
    assert kinfolk.catalogue.libraries.get(library.id).asset_count == 1
    choice = kinfolk.connections.choice(library)
    assert (choice.folders, choice.left_out) == (("Photos",), ("Photos/Receipts",))


def test_the_link_of_a_photo_is_nextclouds_own(kinfolk: Kinfolk, server: FakeNextcloud) -> None:
    library = connected(kinfolk, server)
    assert kinfolk.host_of(library).link("5") == f"{server.address}/index.php/f/5"


def test_a_certificate_nobody_vouches_for_is_refused_until_it_is_confirmed(
    kinfolk: Kinfolk, admin: Account, tmp_path: Path
) -> None:
    context, fingerprint = self_signed(tmp_path)
    with FakeNextcloud(tls=context) as server:
        server.cloud.add_user("anna", "Anna's own password")
        with pytest.raises(CertificateRefused):
            kinfolk.connections.begin(admin, server.address)
        assert server.seen == []
        base, shown = kinfolk.connections.certificate(admin, server.address)
        assert (base, shown.replace(":", "").lower()) == (server.address, fingerprint)
        library = kinfolk.connections.with_password(
            admin, server.address, "anna", "Anna's own password", fingerprint=shown
        )
        kinfolk.host_of(library).check()
        # Somebody in between with a certificate of their own gets nothing.
        server.stop()
        other, _ = self_signed(tmp_path)
        server._tls = other
        server.start()
        before = len(server.seen)
        kinfolk.hosts.close()
        with pytest.raises(CertificateRefused, match="not the one"):
            kinfolk.host_of(library).check()
        assert len(server.seen) == before


@pytest.mark.parametrize(
    ("typed", "base"),
    [
        ("cloud.example.org", "https://cloud.example.org"),
        (" https://Cloud.Example.org/ ", "https://cloud.example.org"),
        ("http://192.168.1.5:8080/nextcloud/index.php/apps/files/?dir=/Photos", "http://192.168.1.5:8080/nextcloud"),
        ("https://example.org/cloud/remote.php/dav/files/anna/", "https://example.org/cloud"),
        ("https://example.org:443/s/abc", "https://example.org"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
    ],
)
def test_addresses_are_taken_as_people_copy_them(typed: str, base: str) -> None:
    assert base_address(typed) == base


@pytest.mark.parametrize(
    "typed",
    ["", "ftp://cloud.example",
     "file:///etc/passwd", "https://anna:pw@cloud.example", "https://", "https://a b", "javascript:x",
     "https://host:99999", "https://cloud\r\nX: y"],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(HostRefused):
        base_address(typed)


@pytest.mark.parametrize("user", ["anna", "anna@example.org", "Ann Ä/ö", "a%b"])
def test_a_place_survives_being_stored(user: str) -> None:
    place = Place("https://cloud.example:8443/nc", user)
    assert Place.of(place.address) == place


@pytest.mark.parametrize("body", ["<html>router</html>", '{"installed": false, "version": "1"}', "[]"])
def test_another_program_at_that_address_is_no_nextcloud(
    kinfolk: Kinfolk, admin: Account, server: FakeNextcloud, body: str
) -> None:
    server.interfere = lambda _request: Response(body, 200)
    with pytest.raises(HostError):
        kinfolk.connections.begin(admin, server.address)
    assert kinfolk.catalogue.libraries.all() == []
