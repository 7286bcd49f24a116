"""Who may use the API: tokens, scopes, browsers, and nobody else; nothing of another account, ever."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from plugin.api_tokens import ApiTokens, digest_of
from plugin.domain import TokenScope
from plugin.web.app import create_app
from tests.web.api_client import Program, assert_problem, program
from tests.web.conftest import Visitor, logged_in
from tests.web.family import Family, empty_family, family_with_photos

BODIES: dict[str, Any] = {
    "patch /people/{person_id}": {"name": "Mallory"},
    "post /people/bulk": {"action": "hide", "person_ids": [1]},
    "post /assets/{asset_id}/faces": {"box": {"x": 0.02, "y": 0.02, "w": 0.1, "h": 0.1}, "name": "Mallory"},
    "post /people/{person_id}/merge": {"person_ids": [1]},
    "post /people/{person_id}/split": {"face_ids": [1]},
    "post /faces/{face_id}/assign": {"name": "Mallory"},
    "put /faces/{face_id}/box": {"x": 0.02, "y": 0.02, "w": 0.1, "h": 0.1},
    "post /search/by-picture": {"picture": "R0lGODlh"},
    "post /suggestions/{key}/answer": {"answer": "yes"},
    "post /unassigned/assign": {"face_ids": [1], "name": "Mallory"},
    "post /unassigned/ignore": {"face_ids": [1]},
    "post /unassigned/restore": {"face_ids": [1]},
    "post /history/undo": {"event_id": 1},
    "post /history/undo-back-to": {"event_id": 1, "standing_id": 1},
    "post /libraries": {"path": "/photos/new"},
    "post /status/retry": {},
    "patch /preferences": {"minimum_faces": 4},
    "post /preferences/apply": {"action": "detect_reset"},
    "post /tokens": {"name": "More", "scope": "read"},
}


def document() -> dict[str, Any]:
    family = empty_family()
    return dict(program(family).get("/openapi.json"))


DOCUMENT = document()
OPERATIONS = [
    f"{method} {path.removeprefix('/api/v1')}" for path, methods in DOCUMENT["paths"].items() for method in methods
]
ONLY_LOOKS = {"post /search/by-picture"}
"""Sent like a change, as a picture has no place in an address."""
WITH_IDS = [operation for operation in OPERATIONS if re.search(r"{\w+_id}", operation)]
ADMINS = {
    "post /libraries", "delete /libraries/{library_id}", "patch /preferences", "post /preferences/apply",
    "post /tokens", "delete /tokens/{token_id}",
}  # fmt: skip


def documented(operation: str) -> dict[str, Any]:
    method, path = operation.split()
    described: dict[str, Any] = DOCUMENT["paths"][f"/api/v1{path}"][method]
    return described


def own(family: Family) -> dict[str, object]:
    assert family.library
    if not (tokens := family.services.tokens.all(family.account)):
        tokens = [family.services.tokens.create(family.account, "Other", TokenScope.READ)[0]]
    return {
        "person_id": family.people["Anna"], "face_id": family.face_of("Anna"), "asset_id": family.assets[0],
        "library_id": family.library.id, "token_id": tokens[-1].id, "key": "face-1-1",
    }  # fmt: skip


def foreign(family: Family) -> dict[str, object]:
    return {
        "person_id": family.foreign_person, "face_id": family.foreign_face, "asset_id": family.foreign_asset,
        "library_id": family.foreign_library, "token_id": family.foreign_token, "key": "face-1-1",
    }  # fmt: skip


def split(operation: str, ids: dict[str, object]) -> tuple[str, str]:
    method, path = operation.split()
    return method.upper(), path.format(**ids)


def state(family: Family) -> object:
    owners = (family.account.id, family.neighbour.id)
    catalogue = family.catalogue
    return [
        (
            catalogue.people.all(owner, include_hidden=True), catalogue.verdicts.all(owner),
            catalogue.libraries.all(owner), [token.id for token in catalogue.tokens.all(owner)],
            catalogue.events.all(owner, 10),
        )
        for owner in owners
    ]  # fmt: skip


@pytest.fixture(scope="module")
def quiet() -> Iterator[Family]:
    """An album that nobody changes: every request is refused."""
    made = family_with_photos()
    yield made
    made.catalogue.close()


@pytest.fixture(scope="module")
def quiet_app(quiet: Family) -> Flask:
    return create_app(quiet.services)


def documented_path(rule: str) -> str:
    return re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule).removeprefix("/api/v1")


def test_every_route_below_api_is_in_the_document(app: Flask) -> None:
    routes = {
        f"{method.lower()} {documented_path(rule.rule)}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(OPERATIONS)
    assert len(routes) > 30


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_documents_its_errors_and_its_scope(operation: str) -> None:
    described = documented(operation)
    errors = {status for status in described["responses"] if int(status) >= 400}
    assert errors >= {"400", "401", "403", "429"}
    if operation in WITH_IDS:
        assert "404" in errors
    if "requestBody" in described:
        assert errors >= {"413", "415", "422"}
    for status in errors:
        assert list(described["responses"][status]["content"]) == ["application/problem+json"]
    assert described["summary"]
    assert described["security"][0]["token"][0] in list(TokenScope)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_opens_without_a_token(operation: str, quiet: Family, quiet_app: Flask) -> None:
    method, path = split(operation, own(quiet))
    before = state(quiet)
    answer = quiet_app.test_client().open(f"/api/v1{path}", method=method, json=BODIES.get(operation))
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert state(quiet) == before


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if not one.startswith("get ") and one not in ONLY_LOOKS]
)
def test_a_token_that_may_only_look_changes_nothing(operation: str, quiet: Family, quiet_app: Flask) -> None:
    reader = program(quiet, TokenScope.READ, quiet_app)
    method, path = split(operation, own(quiet))
    before = state(quiet)
    assert_problem(reader.call(method, path, BODIES.get(operation)), 403, "forbidden")
    assert state(quiet) == before


@pytest.mark.parametrize("operation", sorted(ADMINS))
def test_a_token_for_verdicts_does_not_look_after_kinfolk(operation: str, quiet: Family, quiet_app: Flask) -> None:
    corrector = program(quiet, TokenScope.VERDICTS, quiet_app)
    method, path = split(operation, own(quiet))
    before = state(quiet)
    assert_problem(corrector.call(method, path, BODIES.get(operation)), 403, "forbidden")
    assert state(quiet) == before


def test_exactly_the_operations_of_admins_are_left_out_for_verdicts() -> None:
    admin = {one for one in OPERATIONS if documented(one)["security"][0]["token"] == ["admin"]}
    assert admin | {"post /tokens", "delete /tokens/{token_id}"} == ADMINS


@pytest.mark.parametrize("operation", WITH_IDS)
def test_what_belongs_to_another_account_does_not_exist(operation: str, quiet: Family, quiet_app: Flask) -> None:
    admin = program(quiet, TokenScope.ADMIN, quiet_app)
    method, path = split(operation, foreign(quiet))
    before = state(quiet)
    theirs = admin.call(method, path, BODIES.get(operation))
    nowhere = admin.call(method, path.replace(re.findall(r"\d+", path)[0], "987654"), BODIES.get(operation))
    assert assert_problem(theirs, 404, "not_found") == assert_problem(nowhere, 404, "not_found")
    assert state(quiet) == before


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("post /people/{person_id}/merge", {"person_ids": ["person"]}),
        ("post /people/{person_id}/split", {"face_ids": ["face"]}),
        ("patch /people/{person_id}", {"feature_face_id": "face"}),
        ("post /faces/{face_id}/assign", {"person_id": "person"}),
        ("post /unassigned/assign", {"face_ids": ["own face", "face"], "name": "Mallory"}),
        ("post /unassigned/ignore", {"face_ids": ["own face", "face"]}),
        ("post /unassigned/restore", {"face_ids": ["own face", "face"]}),
        ("post /people/bulk", {"action": "strangers", "person_ids": ["person"]}),
    ],
)
def test_ids_of_another_account_inside_a_body_do_not_exist_either(
    operation: str, body: dict[str, Any], quiet: Family, quiet_app: Flask
) -> None:
    ids = {"person": quiet.foreign_person, "face": quiet.foreign_face, "own face": quiet.face_of("Anna")}

    def filled(value: Any) -> Any:
        return [filled(one) for one in value] if isinstance(value, list) else ids.get(value, value)

    admin = program(quiet, TokenScope.ADMIN, quiet_app)
    method, path = split(operation, own(quiet))
    before = state(quiet)
    answer = admin.call(method, path, {key: filled(value) for key, value in body.items()})
    assert answer.status_code in {404, 422}
    assert "Secret" not in answer.text
    assert state(quiet) == before


def test_only_the_digest_of_a_secret_is_stored(family: Family) -> None:
    token, secret = family.services.tokens.create(family.account, "Dashboard", TokenScope.READ)
    assert re.fullmatch(r"kinfolk_[\w-]{43}", secret)
    assert family.catalogue.tokens.by_digest(digest_of(secret)) == token
    assert len(digest_of(secret)) == 32


def test_a_revoked_token_opens_nothing(family: Family) -> None:
    admin = program(family)
    (mine,) = admin.get("/tokens")["tokens"]
    assert admin.call("DELETE", f"/tokens/{mine['id']}").status_code == 204
    assert_problem(admin.call("GET", "/me"), 401, "token")


def test_a_token_of_an_account_that_lost_its_rights_loses_them_too(family: Family) -> None:
    digest = digest_of("kinfolk_x")
    family.catalogue.tokens.add(family.neighbour.id, "Once an admin", TokenScope.ADMIN, digest)
    member = Program(create_app(family.services).test_client(), "kinfolk_x")
    assert member.get("/me") == {"account": "neighbour", "is_admin": False, "scope": "verdicts"}
    assert_problem(member.call("POST", "/libraries", {"path": "/photos/new"}), 403, "forbidden")


def test_the_secret_is_answered_once_and_opens_the_api(family: Family) -> None:
    admin = program(family)
    made = admin.well("POST", "/tokens", {"name": "Dashboard", "scope": "read"})
    assert Program(admin.client, made["secret"]).get("/me")["scope"] == "read"
    assert made["secret"] not in admin.call("GET", "/tokens").text


def test_members_cannot_make_tokens_for_admins(family: Family) -> None:
    member = logged_in(create_app(family.services), "neighbour")
    headers = {"X-CSRFToken": member.token("/settings")}
    answer = member.client.post("/api/v1/tokens", json={"name": "More", "scope": "admin"}, headers=headers)
    assert_problem(answer, 422, "refused")
    assert (
        member.client.post("/api/v1/tokens", json={"name": "Less", "scope": "read"}, headers=headers).status_code == 201
    )


def test_a_use_is_noted_once_a_minute(family: Family) -> None:
    now = datetime.now(UTC)
    times = iter([now, now + timedelta(seconds=5), now + timedelta(seconds=120)])
    tokens = ApiTokens(family.catalogue.tokens, lambda: next(times, now))
    _, secret = tokens.create(family.account, "Dashboard", TokenScope.READ)
    seen = []
    for _ in range(5):
        token = tokens.recognise(secret)
        assert token
        seen.append(token.last_used_at)
    assert seen[0] is None
    assert seen[1] == seen[2] == seen[3] != seen[4]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer kinfolk_wrong",
        "Basic bWFyaWE6eA==",
        "Bearer \xe9",
        "Bearer kinfolk_" + "x" * 5000,
    ],
)
def test_other_authorizations_open_nothing(app: Flask, header: str) -> None:
    answer = app.test_client().get("/api/v1/me", headers={"Authorization": header})
    assert_problem(answer, 401, "token")


def test_a_wrong_token_does_not_fall_back_to_the_browser(maria: Visitor) -> None:
    answer = maria.get("/api/v1/me", headers={"Authorization": "Bearer kinfolk_wrong"})
    assert_problem(answer, 401, "token")


def test_wrong_tokens_are_slowed_down_like_wrong_passwords(family: Family) -> None:
    good = program(family)
    wrong = Program(good.client, "kinfolk_wrong")
    for _ in range(10):
        assert wrong.call("GET", "/me").status_code == 401
    assert_problem(wrong.call("GET", "/nothing"), 429, "too_many_attempts")
    assert_problem(good.call("GET", "/me"), 429, "too_many_attempts")


def test_good_tokens_are_never_counted(family: Family) -> None:
    good = program(family)
    for _ in range(30):
        assert good.call("GET", "/me").status_code == 200


def test_a_browser_that_is_logged_in_may_read(maria: Visitor) -> None:
    answer = maria.get("/api/v1/me").json
    assert answer == {"account": "Maria", "is_admin": True, "scope": "admin"}


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if not one.startswith("get ")])
def test_a_browser_needs_the_token_against_forged_forms_to_write(
    operation: str, quiet: Family, quiet_app: Flask
) -> None:
    visitor = logged_in(quiet_app)
    method, path = split(operation, own(quiet))
    before = state(quiet)
    assert_problem(visitor.client.open(f"/api/v1{path}", method=method, json=BODIES.get(operation)), 403, "csrf")
    assert state(quiet) == before


def test_a_browser_with_that_token_may_write(maria: Visitor, family: Family) -> None:
    headers = {"X-CSRFToken": maria.token("/settings")}
    anna = family.people["Anna"]
    answer = maria.client.patch(f"/api/v1/people/{anna}", json={"hidden": True}, headers=headers)
    assert answer.status_code == 200
    assert family.catalogue.people.get(anna, family.account.id).hidden


def test_before_the_first_start_nothing_opens() -> None:
    family = empty_family(password=False)
    answer = create_app(family.services).test_client().get("/api/v1/people")
    assert "set up" in assert_problem(answer, 401, "unauthenticated")["detail"]
