"""API tokens in Settings."""

import re

import pytest
from flask import Flask

from plugin.domain import TokenScope
from tests.web.conftest import Visitor, logged_in
from tests.web.family import Family


def test_a_token_is_made_shown_once_and_works(maria: Visitor, app: Flask) -> None:
    page = maria.post("/settings/tokens", page="/settings/tokens", name="Dashboard", scope="read")
    assert page.status_code == 200
    (secret,) = re.findall(r">(kinfolk_[\w-]+)</textarea>", page.text)
    assert "Set-Cookie" not in page.headers
    assert secret not in maria.text("/settings/tokens")
    answer = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json == {"account": "Maria", "is_admin": True, "scope": "read"}
    assert "used just now" in maria.text("/settings/tokens")


def test_a_token_is_revoked(maria: Visitor, family: Family) -> None:
    token, secret = family.services.tokens.create(family.account, "Dashboard", TokenScope.READ)
    page = maria.post(f"/settings/tokens/{token.id}/revoke", page="/settings/tokens")
    assert "Dashboard was revoked" in page.text
    assert family.services.tokens.recognise(secret) is None


def test_settings_lead_to_the_tokens(maria: Visitor) -> None:
    assert 'href="/settings/tokens"' in maria.text("/settings")
    assert "No program has a token yet" in maria.text("/settings/tokens")


@pytest.mark.parametrize(
    "fields", [{"name": "", "scope": "read"}, {"name": "Dashboard", "scope": "all"}, {"name": "x"}]
)
def test_a_refused_entry_comes_back_with_the_reason(maria: Visitor, family: Family, fields: dict[str, str]) -> None:
    page = maria.post("/settings/tokens", fields, page="/settings/tokens")
    assert page.status_code == 422
    assert f'value="{fields["name"]}"' in page.text
    assert family.services.tokens.all(family.account) == []


def test_names_are_shown_as_text(maria: Visitor, family: Family) -> None:
    family.services.tokens.create(family.account, "<script>x</script>", TokenScope.READ)
    assert "<script>x" not in maria.text("/settings/tokens")


def test_members_make_tokens_without_the_rights_of_admins(app: Flask, family: Family) -> None:
    member = logged_in(app, "neighbour")
    assert 'value="admin"' not in member.text("/settings/tokens")
    page = member.post("/settings/tokens", page="/settings/tokens", name="More", scope="admin")
    assert page.status_code == 422
    assert "Only an admin" in page.text
    assert [token.name for token in family.services.tokens.all(family.neighbour)] == ["Secret"]


def test_nobody_can_make_tokens_without_end(maria: Visitor, family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin.api_tokens.MOST_TOKENS", 1)
    family.services.tokens.create(family.account, "First", TokenScope.READ)
    page = maria.post("/settings/tokens", page="/settings/tokens", name="Second", scope="read")
    assert page.status_code == 422
    assert "Revoke those" in page.text
