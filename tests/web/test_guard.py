"""Nothing without log-in, nothing without a token, nothing of anybody else."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.routing import Rule

from plugin.web.app import create_app
from plugin.web.request_context import MACHINES
from plugin.web.security import CONTENT_SECURITY_POLICY
from tests.web.conftest import Visitor, logged_in
from tests.web.family import PASSWORD, Family, empty_family

OPEN = {"static", "health.healthz", "session.log_in", "session.welcome", "invitations.accept", "language.choose"}
OPEN |= {"nextcloud_app.heartbeat"}
FROM_NEXTCLOUD = {"nextcloud_app.init", "nextcloud_app.file_action"}
"""Have no form: see test_inside_nextcloud.py."""


def rules(app: Flask, method: str) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        # What programs use answers differently: see test_api_access.py, test_engine.py and test_hooks.py.
        for_programs = rule.rule.startswith(("/api/", *MACHINES)) or rule.endpoint in FROM_NEXTCLOUD
        if method in (rule.methods or set()) and not for_programs:
            yield rule


def own_ids(family: Family) -> dict[str, object]:
    return {
        "person_id": family.people["Anna"],
        "face_id": family.face_of("Anna"),
        "asset_id": family.assets[0],
        "library_id": family.library.id if family.library else 0,
        "token_id": 1,
    }


def foreign_ids(family: Family) -> dict[str, object]:
    return {
        "person_id": family.foreign_person,
        "face_id": family.foreign_face,
        "asset_id": family.foreign_asset,
        "library_id": family.foreign_library,
        "token_id": family.foreign_token,
    }


def path_of(app: Flask, rule: Rule, ids: dict[str, object]) -> str:
    others: dict[str, object] = {
        "long_side": 480,
        "name": "buffalo_s",
        "action": "detect_reset",
        "key": "face-1-1",
        "part": 1,
        "account_id": 2,
        "group_id": 1,
        "event_id": 1,
        "what": "faces",
        "owner_id": 1,
        "state": "on",
        "way": "tags",
        "flow": "unknown",
    }
    values = {name: (ids | others)[name] for name in rule.arguments}
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, values))


def test_every_page_and_picture_needs_a_log_in(app: Flask, stranger: Visitor, family: Family) -> None:
    for rule in rules(app, "GET"):
        if rule.endpoint in OPEN:
            continue
        response = stranger.get(path_of(app, rule, own_ids(family)))
        if rule.rule.endswith(".webp"):
            assert response.status_code == 401, rule
        else:
            assert response.status_code == 302, rule
            assert response.headers["Location"].startswith("/login"), rule
        assert b"Anna" not in response.data


def test_every_form_needs_a_log_in(app: Flask, stranger: Visitor, family: Family) -> None:
    token = stranger.token("/login")
    for rule in rules(app, "POST"):
        if rule.endpoint in OPEN:
            continue
        path = path_of(app, rule, own_ids(family))
        response = stranger.client.post(path, data={"csrf_token": token})
        assert (response.status_code, response.headers["Location"]) == (302, "/login"), rule


def test_an_address_that_does_not_exist_tells_a_stranger_nothing(stranger: Visitor) -> None:
    assert stranger.get("/people/99999").status_code == stranger.get("/nothing/here").status_code == 302


def test_a_fragment_reloads_the_page_when_the_session_ended(stranger: Visitor) -> None:
    response = stranger.get("/status/queues", headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Refresh"]) == (401, "true")


def test_every_form_needs_its_token(app: Flask, maria: Visitor, family: Family) -> None:
    before = len(family.catalogue.verdicts.all(family.account.id))
    for rule in rules(app, "POST"):
        response = maria.client.post(path_of(app, rule, own_ids(family)), data={"name": "Mallory"})
        assert response.status_code == 400, rule
        assert "This page has expired" in response.text
    assert len(family.catalogue.verdicts.all(family.account.id)) == before
    assert family.catalogue.people.get(family.people["Anna"], family.account.id).name == "Anna"


def test_what_belongs_to_another_account_does_not_exist(app: Flask, maria: Visitor, family: Family) -> None:
    ids = foreign_ids(family)
    token = maria.token("/settings")
    for rule in rules(app, "GET"):
        if rule.arguments & ids.keys():
            response = maria.get(path_of(app, rule, ids))
            assert response.status_code == 404, rule
            assert "Secret" not in response.text
    for rule in rules(app, "POST"):
        if rule.arguments & ids.keys():
            response = maria.client.post(path_of(app, rule, ids), data={"csrf_token": token, "name": "X"})
            assert response.status_code == 404, rule
    assert family.catalogue.people.get(family.foreign_person, family.neighbour.id).name == "Secret"
    assert family.catalogue.libraries.get(family.foreign_library)


def test_a_face_cannot_be_given_to_the_person_of_another_account(maria: Visitor, family: Family) -> None:
    face = family.face_of("Anna")
    response = maria.post(f"/faces/{face}/assign", person=str(family.foreign_person))
    assert response.status_code == 404
    response = maria.post(f"/people/{family.people['Ben']}/merge", into=str(family.foreign_person))
    assert response.status_code == 404
    assert family.catalogue.faces.get(face).person_id == family.people["Anna"]


def test_a_face_of_another_account_cannot_become_a_feature_photo(maria: Visitor, family: Family) -> None:
    maria.post(f"/people/{family.people['Ben']}/feature", face=str(family.foreign_face))
    person = family.catalogue.people.get(family.people["Ben"], family.account.id)
    assert person.feature_face_id != family.foreign_face


@pytest.mark.parametrize("text", ["0", "-1", "abc", "1e3", "99999999999999999999", "\uff11"])
def test_nonsense_for_an_id_is_not_found(maria: Visitor, family: Family, text: str) -> None:
    assert maria.get(f"/photos/{family.assets[0]}?face={text}").status_code == 404
    assert maria.post(f"/faces/{family.face_of('Anna')}/assign", person=text).status_code == 404


def test_every_answer_carries_the_security_headers(app: Flask, maria: Visitor, family: Family) -> None:
    paths = [path_of(app, rule, own_ids(family)) for rule in rules(app, "GET") if rule.endpoint != "static"]
    for path in [*paths, "/nothing", "/static/css/base.css"]:
        headers = maria.get(path).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Server" not in headers


def test_only_the_sites_that_were_named_may_frame_kinfolk(family: Family) -> None:
    sites = ("https://cloud.example.org", "http://10.0.0.2:8080")
    app = create_app(replace(family.services, framed_by=sites))
    policy = app.test_client().get("/login").headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://cloud.example.org http://10.0.0.2:8080;" in policy
    assert policy.replace(" https://cloud.example.org http://10.0.0.2:8080", "") == CONTENT_SECURITY_POLICY


def test_no_page_has_inline_script_or_style(app: Flask, maria: Visitor, family: Family) -> None:
    paths = [path_of(app, rule, own_ids(family)) for rule in rules(app, "GET") if rule.endpoint != "static"]
    photo = f"/photos/{family.assets[0]}?face={family.face_of('Anna')}"
    for path in [*paths, photo, "/?q=nobody", "/nothing"]:
        response = maria.get(path, follow_redirects=True)
        if response.mimetype != "text/html":
            continue
        assert not re.search(
            r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals|<script(?![^>]*\ssrc=)", response.text
        ), path


def test_no_link_leaves_the_site_or_names_the_host(app: Flask, maria: Visitor, family: Family) -> None:
    for rule in rules(app, "GET"):
        if rule.endpoint in {"static", "settings.pack"}:
            continue
        response = maria.get(path_of(app, rule, own_ids(family)), headers={"Host": "evil.example"})
        if response.mimetype == "text/html":
            assert "evil.example" not in response.text
            assert not re.search(r'(?:href|src|action)="(?:https?:)?//', response.text), rule


def test_pages_are_not_stored_and_pictures_are_kept_privately(maria: Visitor, family: Family) -> None:
    face = family.face_of("Anna")
    assert maria.get("/").headers["Cache-Control"] == "no-store"
    assert maria.get(f"/faces/{face}.webp?v=1").headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert maria.get(f"/faces/{face}.webp").headers["Cache-Control"] == "private, max-age=300"


def test_a_picture_sets_no_cookie(maria: Visitor, family: Family) -> None:
    assert "Set-Cookie" not in maria.get(f"/faces/{family.face_of('Anna')}.webp").headers


def test_static_files_are_open_and_kept_for_ever_under_their_version(stranger: Visitor) -> None:
    match = re.search(r'href="(/static/css/kinfolk.css\?v=[0-9a-f]+)"', stranger.text("/login"))
    assert match
    response = stranger.get(match.group(1))
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in response.headers


def test_healthz_answers_anybody_with_two_letters(stranger: Visitor) -> None:
    assert stranger.text("/healthz") == "ok\n"


def test_a_huge_form_is_refused(maria: Visitor) -> None:
    response = maria.client.post("/libraries", data={"path": "x" * 2_000_000})
    assert response.status_code == 413


def test_a_fault_of_ours_shows_none_of_its_inside(family: Family) -> None:
    def broken() -> list[object]:
        raise RuntimeError("secret detail")

    app = create_app(replace(family.services, packs=broken))  # type: ignore[arg-type]  # it never returns
    response = logged_in(app).get("/settings")
    assert response.status_code == 500
    assert "Something broke" in response.text
    assert "secret detail" not in response.text


def test_members_neither_change_settings_nor_libraries(app: Flask) -> None:
    neighbour = logged_in(app, "neighbour")
    assert neighbour.post("/libraries", path="/etc").status_code == 403
    assert neighbour.post("/settings/thresholds", minimum_faces="1").status_code == 403
    assert neighbour.post("/settings/apply/detect_missing").status_code == 403
    assert neighbour.post("/settings/pack/opencv").status_code == 403
    for path in ("/settings/recognition", "/settings/detection", "/settings/packs", "/settings/accounts", "/start"):
        assert neighbour.get(path).status_code == 403, path
    assert "Minimum detection score" not in neighbour.text("/settings")
    assert "Add a folder" not in neighbour.text("/libraries")


def test_the_pages_work_under_a_fixed_prefix_whether_or_not_the_proxy_strips_it(family: Family) -> None:
    app = create_app(replace(family.services, prefix="/kinfolk"))
    visitor = Visitor(app.test_client())
    for path in ("/login", "/kinfolk/login"):
        assert 'action="/kinfolk/login"' in visitor.text(path)
    response = visitor.post("/kinfolk/login", page="/kinfolk/login", follow=False, name="Maria", password=PASSWORD)
    assert response.headers["Location"] == "/kinfolk/"
    assert "Path=/kinfolk/" in response.headers["Set-Cookie"]


def test_forwarded_headers_count_only_from_a_trusted_proxy(family: Family) -> None:
    said = {"X-Forwarded-Prefix": "/photos-addon", "X-Forwarded-Proto": "https"}
    trusting = create_app(replace(family.services, trusted_proxies=("127.0.0.0/8",))).test_client()
    response = trusting.get("/login", headers=said)
    assert 'action="/photos-addon/login"' in response.text
    assert "Secure" in response.headers["Set-Cookie"]
    careful = create_app(family.services).test_client().get("/login", headers=said)
    assert 'action="/login"' in careful.text
    assert "Secure" not in careful.headers["Set-Cookie"]


@pytest.mark.parametrize("prefix", ["//evil.example", "/a//b", "https://evil.example", '/a"b', "/a b", "/ä", "/../x?"])
def test_a_prefix_that_would_bend_links_is_ignored(family: Family, prefix: str) -> None:
    app = create_app(replace(family.services, trusted_proxies=("127.0.0.1",)))
    encoded = prefix.encode().decode("latin-1")
    assert 'action="/login"' in app.test_client().get("/login", headers={"X-Forwarded-Prefix": encoded}).text


def test_before_the_first_password_every_page_leads_to_the_explanation() -> None:
    family = empty_family(password=False)
    visitor = Visitor(create_app(family.services).test_client())
    for path in ("/", "/login", "/settings", "/faces/1.webp", "/nothing"):
        assert visitor.get(path).headers["Location"] == "/welcome", path
    page = visitor.text("/welcome")
    assert "link that was printed when Kinfolk was started" in page
    assert 'type="password"' not in page
    assert visitor.text("/healthz") == "ok\n"
    family.catalogue.close()
