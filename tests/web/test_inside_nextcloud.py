"""Kinfolk as an app inside Nextcloud: who is asking, whose photos they see, and how pages pass the proxy."""

import json
import logging
import re
import threading
from base64 import b64encode
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from plugin.app_identity import AppIdentity
from plugin.assemble.as_app import AppAccess
from plugin.assemble.connecting import NextcloudConnections
from plugin.catalogue.store import open_catalogue
from plugin.domain import AssetKind, HostAsset
from plugin.errors import HostUnreachable, Refused
from plugin.web.app import create_app
from plugin.web.inside_nextcloud import scoped
from tests.fakes.nextcloud.app_api import reaches
from tests.web.conftest import TOKEN, logged_in
from tests.web.family import Family, family_with_photos, vault

PROXY = "/index.php/apps/app_api/proxy/kinfolk"
IDENTITY = AppIdentity("kinfolk", "a-long-shared-secret", "0.1.0", "127.0.0.1", 23000, "https://cloud.example.org")


@dataclass
class FakeInside:
    """Obeys `InsideNextcloud`."""

    identity: AppIdentity = IDENTITY
    admins: set[str] = field(default_factory=lambda: {"admin"})
    told: list[str] = field(default_factory=list)
    failure: HostUnreachable | None = None
    recognize_on: bool = False
    recognize_trouble: str = ""

    def make_ready(self) -> None:
        self.told.append("make ready")

    def set_enabled(self, *, enabled: bool) -> None:
        if self.failure:
            raise self.failure
        self.told.append(f"enabled {enabled}")

    def switch_recognize(self, *, on: bool) -> None:
        self.recognize_on = on

    def is_nextcloud_admin(self, user: str) -> bool:
        self.told.append(f"is {user} admin")
        if self.failure:
            raise self.failure
        return user in self.admins


@pytest.fixture
def inside() -> FakeInside:
    return FakeInside()


@pytest.fixture
def app(family: Family, inside: FakeInside) -> Flask:
    family.registrar.app_of = "cloud.example.org"
    return create_app(replace(family.services, nextcloud_app=inside))


@dataclass
class Page:
    """`static/js/embedded.js` in a few lines."""

    app: Flask
    user: str
    session: str = ""

    def ask(self, path: str, method: str = "GET", **options: Any) -> TestResponse:
        headers = IDENTITY.headers(self.user) | {"X-Kinfolk-Base": PROXY, "X-Kinfolk-Session": self.session}
        headers |= options.pop("headers", {})
        answer = self.app.test_client().open(path, method=method, headers=headers, **options)
        self.session = answer.headers.get("X-Kinfolk-Session", self.session)
        assert "Set-Cookie" not in answer.headers
        return answer

    def post(self, path: str, page: str, **fields: str) -> TestResponse:
        found = TOKEN.search(self.ask(page).text)
        assert found
        return self.ask(path, "POST", data={"csrf_token": found.group(1), **fields})

    def follow_key(self, page: str) -> str:
        """Switch the engine on; what the page says."""
        return self.post(f"{page}/face-recognition/key", page).text

    def follow(self, answer: TestResponse) -> TestResponse:
        return self.ask(answer.headers["X-Kinfolk-Location"].removeprefix(PROXY).partition("#")[0])


@pytest.fixture
def maria(app: Flask, family: Family) -> Page:
    """A user of Nextcloud who has the account with the photos."""
    family.catalogue.outside_users.put(IDENTITY.nextcloud_url, "maria.nc", family.account.id)
    return Page(app, "maria.nc")


def test_pages_come_with_links_through_the_proxy_and_without_leave_or_languages(maria: Page) -> None:
    answer = maria.ask("/")
    assert answer.status_code == 200
    assert "Anna" in answer.text
    links = re.findall(r'(?:href|src|action)="([^"#]+)"', answer.text)
    assert all(link.startswith(PROXY) for link in links if not link.startswith("http"))
    assert "Log out" not in answer.text
    assert "Français" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_form_is_sent_and_its_redirect_is_followed_by_the_page(maria: Page, family: Family) -> None:
    person = family.people["Anna"]
    answer = maria.post(f"/people/{person}/rename", f"/people/{person}/rename", name="Anna Maria")
    assert answer.status_code == 200
    assert answer.data == b""
    assert answer.headers["X-Kinfolk-Location"].startswith(f"{PROXY}/people/")
    assert "Location" not in answer.headers
    assert family.catalogue.people.get(person, family.account.id).name == "Anna Maria"
    assert "Anna Maria" in maria.follow(answer).text


@pytest.mark.parametrize(
    ("page", "leads_to"),
    [("/people/{anna}", "/people/{anna}"), ("https://evil.example/", "/history"), ("//evil.example", "/history"),
     ("", "/history"), ("/\\evil", "/history")],
)  # fmt: skip
def test_an_undo_leads_back_to_the_page_inside_nextcloud_it_was_pressed_on(
    maria: Page, family: Family, page: str, leads_to: str
) -> None:
    anna = family.people["Anna"]
    family.services.people.rename(family.account.id, anna, "Anna Maria")
    event = family.catalogue.events.all(family.account.id, 1)[0].id
    token = TOKEN.search(maria.ask("/history").text)
    assert token is not None
    answer = maria.ask(
        "/history/undo",
        "POST",
        data={"csrf_token": token[1], "event": str(event)},
        headers={"X-Kinfolk-From": page.format(anna=anna), "Referer": "https://cloud.example.org/apps/x"},
    )
    assert answer.headers["X-Kinfolk-Location"] == PROXY + leads_to.format(anna=anna)


def test_a_form_without_its_token_or_with_the_session_of_another_changes_nothing(
    app: Flask, maria: Page, family: Family
) -> None:
    person = family.people["Anna"]
    path = f"/people/{person}/rename"
    assert maria.ask(path, "POST", data={"name": "Mallory"}).status_code == 400
    found = TOKEN.search(maria.ask(path).text)
    assert found
    fields = {"csrf_token": found.group(1), "name": "Mallory"}
    assert Page(app, "maria.nc").ask(path, "POST", data=fields).status_code == 400
    assert Page(app, "maria.nc", maria.session + "x").ask(path, "POST", data=fields).status_code == 400
    other = Page(app, "somebody", maria.session)
    assert other.ask(path, "POST", data=fields).status_code == 400
    crossing = maria.ask(path, "POST", data=fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossing.status_code == 403
    assert family.catalogue.people.get(person, family.account.id).name == "Anna"


def test_each_user_sees_only_their_own(app: Flask, maria: Page, family: Family) -> None:
    ben = Page(app, "ben")
    assert "Anna" not in ben.ask("/").text
    face = f"/faces/{family.face_of('Anna')}.webp"
    for path in (f"/people/{family.people['Anna']}", f"/photos/{family.assets[0]}", face):
        assert ben.ask(path).status_code == 404
    assert maria.ask(f"/people/{family.people['Anna']}").status_code == 200


def test_a_name_proves_nothing(app: Flask, family: Family) -> None:
    visitor = Page(app, "Maria")
    assert "Anna" not in visitor.ask("/").text
    names = [account.name for account in family.catalogue.accounts.all()]
    assert names == ["Maria", "neighbour", "Maria (2)"]
    visitor.ask("/")
    assert len(family.catalogue.accounts.all()) == 3
    account = family.catalogue.accounts.all()[-1]
    assert (account.password_hash, account.is_admin) == (None, False)


def test_who_looks_after_nextcloud_looks_after_kinfolk_and_is_asked_once(
    app: Flask, family: Family, inside: FakeInside
) -> None:
    visitor = Page(app, "admin")
    assert visitor.ask("/settings/recognition").status_code == 200
    visitor.ask("/")
    assert inside.told == ["is admin admin"]
    assert Page(app, "ben").ask("/settings/recognition").status_code == 403


def test_in_a_fresh_house_the_first_administrator_has_the_first_account(nobody_yet: Family, inside: FakeInside) -> None:
    account = nobody_yet.account
    nobody_yet.catalogue.accounts.remove(nobody_yet.neighbour.id)
    assert account.password_hash is not None
    app = create_app(replace(nobody_yet.services, nextcloud_app=inside))
    Page(app, "ben").ask("/")
    Page(app, "admin").ask("/")
    # This house has a password already, so nobody takes its account.
    assert [one.name for one in nobody_yet.catalogue.accounts.all()] == ["Maria", "ben", "admin"]


def test_where_nextcloud_cannot_say_who_is_an_administrator_nothing_is_made(
    app: Flask, family: Family, inside: FakeInside
) -> None:
    inside.failure = HostUnreachable("It is away")
    assert Page(app, "new").ask("/").status_code == 503
    assert len(family.catalogue.accounts.all()) == 2


@pytest.mark.parametrize("said", ["", "x", "maria.nc:wrong", "maria.nc", "maria.nc:"])
@pytest.mark.parametrize("path", ["/", "/nextcloud/style.css", "/init", "/enabled", "/api/v1/me"])
def test_a_wrong_secret_opens_nothing(maria: Page, path: str, said: str) -> None:
    answer = maria.ask(path, headers={"AUTHORIZATION-APP-API": b64encode(said.encode()).decode()})
    assert answer.status_code == 401


def test_a_wrong_secret_does_not_fall_back_to_a_cookie(app: Flask, family: Family) -> None:
    browser = logged_in(app)
    assert browser.get("/").status_code == 200
    assert browser.get("/", headers={"AUTHORIZATION-APP-API": "x"}).status_code == 401


def test_nobody_logged_in_at_nextcloud_sees_nothing(app: Flask) -> None:
    assert Page(app, "").ask("/").status_code == 401


def test_the_api_is_not_reached_through_nextcloud(maria: Page) -> None:
    assert maria.ask("/api/v1/me").status_code == 404


def test_nextcloud_makes_ready_enables_and_disables(app: Flask, inside: FakeInside) -> None:
    client = app.test_client()
    assert client.get("/heartbeat").json == {"status": "ok"}
    assert client.post("/init", headers=IDENTITY.headers()).json == {}
    assert client.put("/enabled?enabled=1", headers=IDENTITY.headers()).json == {"error": ""}
    assert client.put("/enabled?enabled=0", headers=IDENTITY.headers()).json == {"error": ""}
    assert inside.told == ["make ready", "enabled True", "enabled False"]
    inside.failure = HostUnreachable("It is away", "Wait")
    assert client.put("/enabled?enabled=1", headers=IDENTITY.headers()).json == {"error": "It is away. Wait"}


def test_users_and_browsers_cannot_do_what_nextcloud_does(app: Flask, maria: Page, inside: FakeInside) -> None:
    assert maria.ask("/init", "POST").status_code == 403
    assert maria.ask("/enabled?enabled=0", "PUT").status_code == 403
    browser = logged_in(app)
    assert browser.client.post("/init").status_code == 404
    assert browser.client.put("/enabled?enabled=0").status_code in {400, 404}
    assert inside.told == []


def test_where_kinfolk_is_no_app_there_is_nothing_of_it(family: Family) -> None:
    client = create_app(family.services).test_client()
    assert client.get("/heartbeat").status_code == 404
    for path in ("/", "/init", "/nextcloud/style.css"):
        assert client.get(path, headers=IDENTITY.headers("anna")).status_code in {302, 405}


def test_the_file_action_leads_to_the_photo(maria: Page, family: Family) -> None:
    library = family.catalogue.libraries.add(family.account.id, "nextcloud", "Cloud", "https://maria@cloud.example.org")
    sync_pass = family.catalogue.libraries.sync_started(library.id)
    (seen,) = family.catalogue.assets.seen(library.id, [HostAsset("42", "a.jpg", AssetKind.PHOTO, "x")], sync_pass)
    answer = maria.ask("/nextcloud/photo", "POST", json={"files": [{"fileId": 42, "name": "a.jpg"}]})
    assert answer.json == {"redirect_handler": "people/nextcloud/photo"}
    found = maria.ask("/nextcloud/photo?fileIds=42,43")
    assert found.headers["X-Kinfolk-Location"] == f"{PROXY}/photos/{seen.asset_id}"


def test_the_file_action_never_leads_to_a_photo_of_another_nextcloud(maria: Page, family: Family) -> None:
    for address in ("https://maria@other.example.org", "https://maria@cloud.example.org/second"):
        library = family.catalogue.libraries.add(family.account.id, "nextcloud", "Another", address)
        sync_pass = family.catalogue.libraries.sync_started(library.id)
        family.catalogue.assets.seen(library.id, [HostAsset("42", "a.jpg", AssetKind.PHOTO, "x")], sync_pass)
    assert maria.ask("/nextcloud/photo?fileIds=42").status_code == 404


@pytest.mark.parametrize(
    "query", ["", "?fileIds=", "?fileIds=999", "?fileIds=x", "?fileIds=-1", "?fileIds=" + "9" * 30]
)
def test_a_photo_that_is_not_known_is_said(maria: Page, query: str) -> None:
    answer = maria.ask(f"/nextcloud/photo{query}")
    assert answer.status_code == 404
    assert "does not know this photo yet" in answer.text


def test_the_photo_of_somebody_else_is_not_known(app: Flask, family: Family) -> None:
    library = family.catalogue.libraries.add(family.account.id, "nextcloud", "Cloud", "https://maria@cloud.example.org")
    sync_pass = family.catalogue.libraries.sync_started(library.id)
    family.catalogue.assets.seen(library.id, [HostAsset("42", "a.jpg", AssetKind.PHOTO, "x")], sync_pass)
    assert Page(app, "ben").ask("/nextcloud/photo?fileIds=42").status_code == 404


@pytest.mark.parametrize("base", ["//evil.example", "https://evil.example", "/a/../b", "/x y", "/" + "é"])
def test_a_base_that_is_no_path_makes_no_links(maria: Page, base: str) -> None:
    answer = maria.ask("/", headers={"X-Kinfolk-Base": base.encode("utf-8").decode("latin-1")})
    assert "evil" not in answer.text
    assert 'href="/libraries"' in answer.text


def test_a_user_has_their_own_photos_looked_at(app: Flask, family: Family) -> None:
    ben = Page(app, "ben nc")
    assert "Look at my photos" in ben.ask("/libraries").text
    answer = ben.post("/nextcloud/library", "/libraries")
    assert "Your photos are being read" in ben.follow(answer).text
    (library,) = family.catalogue.libraries.all(family.catalogue.accounts.all()[-1].id)
    assert (library.host, library.address) == ("nextcloud", "https://ben%20nc@cloud.example.org")
    assert "Look at my photos" not in ben.ask("/libraries").text


def test_a_browser_outside_has_no_photos_in_nextcloud_to_look_at(app: Flask) -> None:
    browser = logged_in(app)
    assert "Look at my photos" not in browser.text("/libraries")
    assert browser.post("/nextcloud/library", page="/libraries").status_code == 404


def test_an_administrator_switches_recognize_on_and_off(app: Flask, inside: FakeInside) -> None:
    admin = Page(app, "admin")
    page = "/settings/other-apps"
    assert "http://127.0.0.1:23000/engine/facerecognition" in admin.follow_key(page)
    admin.post(f"{page}/recognize/on", page)
    on = inside.recognize_on
    inside.recognize_trouble = "Nextcloud is busy"
    assert "Nextcloud is busy" in admin.ask(page).text
    admin.post(f"{page}/recognize/off", page)
    assert (on, inside.recognize_on) == (True, False)
    assert admin.post(f"{page}/recognize/else", page).status_code == 404


def test_what_recognize_needs_is_said(app: Flask, inside: FakeInside, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*, on: bool) -> None:
        raise Refused("Recognize needs a model pack with 512 numbers for each face")

    monkeypatch.setattr(inside, "switch_recognize", refuse)
    admin = Page(app, "admin")
    answer = admin.post("/settings/other-apps/recognize/on", "/settings/other-apps")
    assert "512 numbers" in admin.follow(answer).text


def test_members_do_not_switch_recognize(maria: Page, app: Flask, inside: FakeInside) -> None:
    ben = Page(app, "ben")
    assert ben.post("/settings/other-apps/recognize/on", "/libraries").status_code == 403
    assert not inside.recognize_on


def test_outside_nextcloud_there_is_no_recognize(family: Family) -> None:
    browser = logged_in(create_app(family.services))
    assert "Recognize can only use Kinfolk" in browser.text("/settings/other-apps")
    assert browser.post("/settings/other-apps/recognize/on").status_code == 404


def test_the_style_is_for_a_shadow_root(maria: Page) -> None:
    sheet = maria.ask("/nextcloud/style.css")
    assert sheet.mimetype == "text/css"
    assert ":host" in sheet.text
    assert ".kinfolk {" in sheet.text
    assert ":root" not in sheet.text
    assert re.search(r"(^|[\s,}])(body|html)\s*[{,]", sheet.text) is None
    assert scoped("html, body { x } .body a{} tbody{}") == ":host, .kinfolk { x } .body a{} tbody{}"


def test_secrets_and_passwords_of_users_are_never_logged(
    maria: Page, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hush = {"Authorization": "Basic aHVzaDpodXNo", "Cookie": "nc_session=hush-hush"}
    maria.ask("/", headers=hush)
    maria.ask("/", headers=hush | {"AUTHORIZATION-APP-API": b64encode(b"x:wrong-secret").decode()})
    maria.ask("/nothing", headers=hush)
    assert "aHVzaD" not in caplog.text
    assert "hush-hush" not in caplog.text
    assert IDENTITY.secret not in caplog.text
    assert "wrong-secret" not in caplog.text


INFO = ET.parse(Path(__file__).parents[2] / "appinfo" / "info.xml").getroot()


@pytest.mark.parametrize(
    ("path", "reached"),
    [("/", True), ("/people/3", True), ("/static/js/embedded.js", True), ("/nextcloud/photo", True), ("/init", False),
     ("/enabled", False), ("/heartbeat", False), ("/hooks/nextcloud/1", False), ("/engine/facerecognition/open", False),
     ("/api/v1/me", False), ("/login", False), ("/welcome", False), ("/INIT", False), ("//api/v1/me", False)],
)  # fmt: skip
@pytest.mark.parametrize("slash", ["", "/"], ids=["as 27 to 34 ask", "as 35 asks"])
def test_the_declared_routes_reach_pages_and_nothing_else(path: str, reached: bool, slash: str) -> None:
    (route,) = INFO.findall("./external-app/routes/route")
    assert reaches(str(route.findtext("url")), slash + path.removeprefix("/")) == reached
    assert [one.text for one in route.findall("headers_to_exclude")] == ["Authorization", "Cookie"]
    assert route.findtext("access_level") == "USER"


def test_an_app_names_the_scope_without_which_appapi_until_29_takes_no_app_and_gives_no_previews() -> None:
    scopes = INFO.findall("./external-app/scopes/value")
    assert [scope.text for scope in scopes] == ["ALL"]


def test_what_the_documentation_registers_by_hand_is_what_info_xml_says() -> None:
    text = (Path(__file__).parents[2] / "docs" / "nextcloud-app.md").read_text("utf-8")
    said = json.loads(text.partition("```json")[2].partition("```")[0])
    (route,), (by_hand,) = INFO.findall("./external-app/routes/route"), said["routes"]
    assert [by_hand["url"], by_hand["verb"]] == [route.findtext("url"), route.findtext("verb")]
    assert by_hand["headers_to_exclude"] == [one.text for one in route.findall("headers_to_exclude")]
    assert (by_hand["access_level"], route.findtext("access_level")) == (1, "USER")
    assert [said["id"], said["name"], said["version"]] == [INFO.findtext(name) for name in ("id", "name", "version")]


def test_two_first_requests_of_a_user_at_once_make_one_account(tmp_path: Path, inside: FakeInside) -> None:
    family = family_with_photos(open_catalogue(tmp_path / "catalogue.sqlite"))
    app = create_app(replace(family.services, nextcloud_app=inside))
    answers: list[int] = []

    def ask() -> None:
        answers.append(Page(app, "ben").ask("/libraries").status_code)

    first = threading.Thread(target=ask)
    asked = inside.is_nextcloud_admin

    def meanwhile(user: str) -> bool:
        if first.ident is None:
            first.start()
            first.join()
        return asked(user)

    inside.is_nextcloud_admin = meanwhile  # type: ignore[method-assign]
    ask()
    assert answers == [200, 200]
    assert [account.name for account in family.catalogue.accounts.all()].count("ben") == 1
    family.catalogue.close()


def test_a_library_an_app_may_not_read_now_says_so_without_a_login_to_give_again(family: Family) -> None:
    there = SimpleNamespace(identity=IDENTITY, enabled=False)
    reads = AppAccess(lambda: cast("Any", there), family.catalogue.outside_users)
    connections = NextcloudConnections(family.catalogue, vault(), family.nudge.sync, app=reads)
    app = create_app(replace(family.services, nextcloud=connections, nextcloud_app=FakeInside()))
    family.catalogue.outside_users.put(IDENTITY.nextcloud_url, "maria.nc", family.account.id)
    library = family.catalogue.libraries.add(
        family.account.id, "nextcloud", "Mine", "https://maria.nc@cloud.example.org"
    )
    maria, folders = Page(app, "maria.nc"), f"/libraries/nextcloud/{library.id}/folders"
    text = maria.ask("/libraries").text
    assert f"/libraries/nextcloud?library={library.id}" not in text
    assert folders not in text
    assert "does not let Kinfolk in as an app" in maria.follow(maria.ask(folders)).text
    there.enabled = True
    assert folders in maria.ask("/libraries").text
    family.catalogue.host_logins.refuse(library.id, "", "no")
    assert folders not in maria.ask("/libraries").text
