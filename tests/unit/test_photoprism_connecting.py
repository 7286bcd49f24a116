"""Connecting to PhotoPrism as the parts are really put together: logins, what is kept, pausing, removing."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.wrappers import Response

from plugin.assemble import open_kinfolk
from plugin.assemble.kinfolk import Kinfolk
from plugin.domain import Account
from plugin.errors import (
    CertificateRefused,
    DiskFull,
    HostError,
    HostRefused,
    HostUnreachable,
    LoginRefused,
    NotFound,
    Refused,
)
from plugin.hosts.photoprism.address import base_address
from plugin.ports.libraries import HostLogin
from plugin.settings import load_settings
from tests.fakes.nextcloud.certificate import self_signed
from tests.fakes.photoprism import FakePhotoPrism
from tests.fakes.photoprism.description import description

OWN = "the admin's own password"


@pytest.fixture
def server() -> Iterator[FakePhotoPrism]:
    with FakePhotoPrism() as running:
        running.library.put("2024/a.jpg", b"Anna laughs")
        running.library.put("2024/b.jpg", b"private")
        running.library.found("2024/b.jpg").private = True
        yield running


@pytest.fixture
def kinfolk(tmp_path: Path) -> Iterator[Kinfolk]:
    with open_kinfolk(load_settings(tmp_path / "data"), exclusive=False) as opened:
        yield opened


@pytest.fixture
def admin(kinfolk: Kinfolk) -> Account:
    return kinfolk.catalogue.accounts.all()[0]


def test_an_app_password_connects_and_photos_are_read(kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism) -> None:
    connected = kinfolk.photoprism.connect(admin, f"{server.address}/library/browse", server.library.token())
    assert (connected.edition, connected.version[:6], connected.missing) == ("ce", "241213", ())
    assert connected.library.address == server.address
    kinfolk.pipeline.sync(connected.library.id)
    assert kinfolk.catalogue.libraries.get(connected.library.id).asset_count == 1


def test_private_photos_are_read_when_asked_for(kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism) -> None:
    token = server.library.token()
    library = kinfolk.photoprism.connect(admin, server.address, token, private=True).library
    assert kinfolk.photoprism.reads_private(library)
    kinfolk.pipeline.sync(library.id)
    assert kinfolk.catalogue.libraries.get(library.id).asset_count == 2
    again = kinfolk.photoprism.connect(admin, server.address, token, library_id=library.id).library
    assert again.id == library.id
    kinfolk.pipeline.sync(library.id)
    assert kinfolk.catalogue.libraries.get(library.id).asset_count == 1


def test_a_users_password_makes_an_app_password_and_is_kept_nowhere(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism, tmp_path: Path
) -> None:
    library = kinfolk.photoprism.connect(admin, server.address, OWN, user="admin").library
    (token,) = server.library.sessions  # the session it was made with is over
    assert server.library.sessions[token].scope == "photos files videos people"
    assert kinfolk.photoprism.login_of(library).password == token
    kinfolk.host_of(library).check()
    with sqlite3.connect(kinfolk.folder.catalogue) as catalogue:
        dump = "\n".join(catalogue.iterdump())
    assert OWN not in dump
    assert token not in dump
    kinfolk.photoprism.disconnect(library)
    assert server.library.sessions == {}


FORMS = {
    ("POST", "/session"): {"username": str, "password": str},
    ("POST", "/oauth/token"): {
        "grant_type": str, "username": str, "password": str, "client_name": str, "scope": str, "expires_in": int,
    },
}  # fmt: skip
"""What PhotoPrism's sources read (`form.Login`, `form.OAuthCreateToken`): its description has no forms of these."""

UNDESCRIBED = {("GET", "/session"), ("DELETE", "/session")}
"""In its sources only (`session_get.go`, `session_delete.go`)."""


def test_what_is_asked_to_connect_is_as_described(kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism) -> None:
    paths = description()["paths"]
    library = kinfolk.photoprism.connect(admin, server.address, OWN, user="admin").library
    kinfolk.photoprism.disconnect(library)
    asked = set()
    for seen in server.seen:
        way = seen.path.removeprefix("/api/v1")
        asked.add((seen.method, "/files/{hash}" if way.startswith("/files/") else way))
        said = json.loads(seen.said) if seen.said else {}
        assert {name: type(value) for name, value in said.items()} == FORMS.get((seen.method, way), {})
    assert asked >= {*FORMS, *UNDESCRIBED, ("POST", "/oauth/revoke"), ("GET", "/files/{hash}"), ("GET", "/subjects")}
    for method, way in asked - UNDESCRIBED:
        assert method.lower() in paths[f"/api/v1{way}"], (method, way)
    (file,) = [seen for seen in server.seen if "/files/" in seen.path]
    assert str(file.status) in paths["/api/v1/files/{hash}"]["get"]["responses"]


def test_an_app_password_the_user_made_is_left_alone(kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism) -> None:
    token = server.library.token()
    library = kinfolk.photoprism.connect(admin, server.address, token).library
    kinfolk.photoprism.disconnect(library)
    assert token in server.library.sessions


@pytest.mark.parametrize(("user", "password"), [("admin", "wrong"), ("nobody", OWN), ("", "wrong")])
def test_what_is_wrong_is_refused_and_nothing_is_kept(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism, user: str, password: str
) -> None:
    with pytest.raises(LoginRefused):
        kinfolk.photoprism.connect(admin, server.address, password, user=user)
    assert kinfolk.catalogue.libraries.all() == []
    assert server.library.sessions == {}


def test_where_no_app_password_can_be_made_the_user_is_told_how(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism
) -> None:
    server.interfere = lambda request: Response(status=404) if "oauth" in request.path else None
    with pytest.raises(HostRefused, match="does not make app passwords"):
        kinfolk.photoprism.connect(admin, server.address, OWN, user="admin")
    assert server.library.sessions == {}


def test_public_mode_needs_no_password_and_others_do(kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism) -> None:
    with pytest.raises(HostRefused, match="wants a login"):
        kinfolk.photoprism.connect(admin, server.address, "")
    server.library.public = True
    library = kinfolk.photoprism.connect(admin, server.address, "").library
    kinfolk.pipeline.sync(library.id)
    assert kinfolk.catalogue.libraries.get(library.id).asset_count == 1


def test_a_photoprism_that_is_not_public_any_more_is_asked_once(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism
) -> None:
    server.library.public = True
    library = kinfolk.photoprism.connect(admin, server.address, "").library
    kinfolk.pipeline.sync(library.id)
    server.library.public, before = False, len(server.seen)
    for _ in range(3):
        with pytest.raises(LoginRefused):
            kinfolk.pipeline.sync(library.id)
    assert [(seen.path, seen.status) for seen in server.seen[before:]] == [
        ("/api/v1/config", 200),
        ("/api/v1/photos", 401),
    ]
    assert kinfolk.connections.is_paused(library)
    server.library.public = True
    kinfolk.connections.resume(library)
    kinfolk.pipeline.sync(library.id)


def test_a_scope_that_is_too_small_says_which_is_needed(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism
) -> None:
    with pytest.raises(HostRefused) as refused:
        kinfolk.photoprism.connect(admin, server.address, server.library.token(scope="metrics"))
    assert "photos and files" in refused.value.advice


@pytest.mark.parametrize(("scope", "lacking"), [("photos files", "people"), ("photos people", "files")])
def test_a_scope_that_only_names_need_is_told(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism, scope: str, lacking: str
) -> None:
    (missing,) = kinfolk.photoprism.connect(admin, server.address, server.library.token(scope=scope)).missing
    assert f"lacks the scope {lacking}" in missing


def test_what_is_missing_there_is_told(kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism) -> None:
    server.library.features |= {"people": False, "edit": False}
    server.library.version = "221118-e58fee0fb-Linux-AMD64"
    connected = kinfolk.photoprism.connect(admin, server.address, server.library.token())
    assert [str(sentence)[:20] for sentence in connected.missing] == [
        "People are switched ", "Editing is switched ", "This PhotoPrism is o",
    ]  # fmt: skip


@pytest.mark.parametrize("broken", ["/photos", "/config"])
def test_an_app_password_made_for_nothing_is_ended(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism, broken: str
) -> None:
    server.interfere = lambda request: Response("{}", 403) if request.path.endswith(broken) else None
    with pytest.raises(HostRefused):
        kinfolk.photoprism.connect(admin, server.address, OWN, user="admin")
    assert server.library.sessions == {}
    assert kinfolk.catalogue.libraries.all() == []


def test_killed_before_the_new_login_is_kept_the_former_one_still_works(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_library_id: int, _login: HostLogin) -> None:
        raise DiskFull("There is no space left")

    library = kinfolk.photoprism.connect(admin, server.address, OWN, user="admin").library
    with monkeypatch.context() as broken:
        broken.setattr(kinfolk.catalogue.host_logins, "put", killed)
        with pytest.raises(DiskFull):
            kinfolk.photoprism.connect(admin, server.address, OWN, user="admin", library_id=library.id)
    kinfolk.host_of(library).check()


@pytest.mark.parametrize("way", ["app password", "own password"])
def test_somebody_else_at_the_same_photoprism_does_not_take_the_place_of_the_first_login(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism, way: str
) -> None:
    token = server.library.token()
    library = kinfolk.photoprism.connect(admin, server.address, token).library
    server.library.passwords["ben"] = "Ben's own password"
    before = set(server.library.sessions)
    given = ("Ben's own password", "ben") if way == "own password" else (server.library.token("ben"), "")
    with pytest.raises(Refused, match="somebody else"):
        kinfolk.photoprism.connect(admin, server.address, given[0], user=given[1])
    assert kinfolk.photoprism.login_of(library).password == token
    assert set(server.library.sessions) - before <= {given[0]}, "what was made for it is ended"
    again = kinfolk.photoprism.connect(admin, server.address, given[0], user=given[1], library_id=library.id)
    assert again.library.id == library.id
    assert kinfolk.photoprism.login_of(library).password != token


def test_the_same_user_may_connect_anew_with_another_password(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism
) -> None:
    library = kinfolk.photoprism.connect(admin, server.address, server.library.token()).library
    newer = server.library.token()
    assert kinfolk.photoprism.connect(admin, server.address, newer).library.id == library.id
    assert kinfolk.photoprism.login_of(library).password == newer


def test_who_cannot_be_told_apart_has_to_be_connected_again(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism
) -> None:
    server.interfere = lambda request: (
        Response("{}", 404) if (request.method, request.path[-8:]) == ("GET", "/session") else None
    )
    library = kinfolk.photoprism.connect(admin, server.address, server.library.token()).library
    with pytest.raises(Refused, match="somebody else"):
        kinfolk.photoprism.connect(admin, server.address, server.library.token())
    kinfolk.photoprism.connect(admin, server.address, server.library.token(), library_id=library.id)


def test_a_refused_login_pauses_until_it_is_connected_again(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism
) -> None:
    library = kinfolk.photoprism.connect(admin, server.address, server.library.token()).library
    server.library.sessions.clear()
    with pytest.raises(HostError):
        kinfolk.host_of(library).check()
    assert kinfolk.connections.is_paused(library)
    asked = len(server.seen)
    with pytest.raises(LoginRefused):
        kinfolk.host_of(library).check()
    assert len(server.seen) == asked
    kinfolk.photoprism.connect(admin, server.address, server.library.token(), library_id=library.id)
    kinfolk.host_of(library).check()


def test_an_unknown_certificate_is_refused_until_it_is_confirmed(
    kinfolk: Kinfolk, admin: Account, tmp_path: Path
) -> None:
    context, _ = self_signed(tmp_path)
    with FakePhotoPrism(tls=context) as server:
        token = server.library.token()
        with pytest.raises(CertificateRefused):
            kinfolk.photoprism.connect(admin, server.address, token)
        _, fingerprint = kinfolk.photoprism.certificate(admin, server.address)
        library = kinfolk.photoprism.connect(admin, server.address, token, fingerprint=fingerprint).library
        kinfolk.host_of(library).check()
        with pytest.raises(Refused):
            kinfolk.photoprism.connect(admin, server.address, token, fingerprint="ab:cd")


def test_members_connect_only_to_servers_in_use(kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism) -> None:
    member = kinfolk.accounts.add("Ben", "a password of Ben's")
    with pytest.raises(Refused):
        kinfolk.photoprism.connect(member, server.address, server.library.token())
    assert server.seen == []
    library = kinfolk.photoprism.connect(admin, server.address, server.library.token()).library
    theirs = kinfolk.photoprism.connect(member, server.address, server.library.token()).library
    assert (theirs.id, theirs.account_id) != (library.id, admin.id)
    with pytest.raises(NotFound):
        kinfolk.photoprism.connect(member, server.address, server.library.token(), library_id=library.id)


@pytest.mark.parametrize(
    ("typed", "base"),
    [
        ("photos.example.org", "https://photos.example.org"),
        ("http://nas:2342/library/login", "http://nas:2342"),
        ("https://example.org/prism/library/browse?view=cards", "https://example.org/prism"),
        ("https://example.org/prism/api/v1", "https://example.org/prism"),
        ("HTTPS://Photos.Example.org:443/", "https://photos.example.org"),
    ],
)
def test_addresses_are_understood_as_they_are_copied(typed: str, base: str) -> None:
    assert base_address(typed) == base


@pytest.mark.parametrize("typed", ["", "ftp://x", "https://a:b@c", "javascript:alert(1)", "https://", "a b"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(HostRefused, match="PhotoPrism"):
        base_address(typed)


def test_another_program_at_the_address_is_no_photoprism(
    kinfolk: Kinfolk, admin: Account, server: FakePhotoPrism
) -> None:
    server.interfere = lambda _request: Response('{"installed": true}', content_type="application/json")
    with pytest.raises(HostUnreachable, match="not as a PhotoPrism"):
        kinfolk.photoprism.connect(admin, server.address, "token")
