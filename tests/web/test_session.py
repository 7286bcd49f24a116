"""First start, log-in, log-out and passwords."""

import pytest
from flask import Flask

from plugin.web.app import create_app
from plugin.web.passwords import PasswordGuard
from plugin.web.security import safe_path
from tests.web.conftest import Visitor, logged_in
from tests.web.family import PASSWORD, Family, empty_family


def test_the_printed_link_sets_name_and_password_once() -> None:
    family = empty_family(password=False)
    visitor = Visitor(create_app(family.services).test_client())
    page = f"/welcome?token={family.token}"
    fields = {"token": family.token, "name": "Maria", "password": PASSWORD, "repeat": PASSWORD}
    response = visitor.post("/welcome", fields, page=page)
    assert "Welcome! Your password is set." in response.text
    assert family.catalogue.accounts.by_name("maria")
    other = Visitor(create_app(family.services).test_client())
    assert other.get(page).headers["Location"] == "/"
    family.catalogue.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"token": "wrong"}, "This link is not valid any more"),
        ({"password": "short", "repeat": "short"}, "The password needs at least 8 characters"),
        ({"repeat": "something else"}, "The two passwords are not the same"),
    ],
)
def test_a_first_start_that_is_refused_says_why_and_changes_nothing(change: dict[str, str], said: str) -> None:
    family = empty_family(password=False)
    visitor = Visitor(create_app(family.services).test_client())
    fields = {"token": family.token, "name": "Maria", "password": PASSWORD, "repeat": PASSWORD} | change
    response = visitor.post("/welcome", fields, page=f"/welcome?token={family.token}")
    assert response.status_code == 400
    assert said in response.text
    assert 'value="Maria"' in response.text
    assert family.services.first_start.pending()
    family.catalogue.close()


def test_guessing_the_token_is_slowed_down() -> None:
    family = empty_family(password=False)
    visitor = Visitor(create_app(family.services).test_client())
    fields = {"token": "guess", "name": "M", "password": PASSWORD, "repeat": PASSWORD}
    answers = [visitor.post("/welcome", fields, page="/welcome?token=guess").status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]
    family.catalogue.close()


def test_log_in_goes_to_the_page_that_was_asked_for(stranger: Visitor) -> None:
    location = stranger.get("/status?x=1").headers["Location"]
    assert location == "/login?next=/status?x%3D1"
    response = stranger.post("/login", page=location, follow=False, name="maria", password=PASSWORD, next="/status?x=1")
    assert (response.status_code, response.headers["Location"]) == (303, "/status?x=1")


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "evil", "",
     "/a\nb", "///evil.example", "http:///evil.example", "/\t/evil.example"],
)  # fmt: skip
def test_log_in_never_leads_to_another_site(stranger: Visitor, target: str) -> None:
    assert safe_path(target) is None
    response = stranger.post("/login", page="/login", follow=False, name="Maria", password=PASSWORD, next=target)
    assert response.headers["Location"] == "/"


def test_a_wrong_password_and_an_unknown_name_are_told_apart_by_nothing(stranger: Visitor) -> None:
    wrong = stranger.log_in("Maria", "wrong")
    unknown = stranger.log_in("Nobody", "wrong")
    assert wrong.status_code == unknown.status_code == 401
    assert "Name or password is not right." in wrong.text
    assert wrong.text.replace("Maria", "").split("<form")[0] == unknown.text.replace("Nobody", "").split("<form")[0]


def test_an_unknown_name_costs_a_full_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = PasswordGuard()
    compared: list[str] = []
    verify = guard._hasher.verify

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            compared.append(stored)
            return verify(stored, password)

    monkeypatch.setattr(guard, "_hasher", Counting())
    assert not guard.matches(None, "nobody has this password")
    assert len(compared) == 1


def test_an_account_without_password_cannot_log_in(family: Family, stranger: Visitor) -> None:
    family.catalogue.accounts.add("guest", None, is_admin=False)
    assert stranger.log_in("guest", "").status_code == 401


def test_guessing_passwords_is_slowed_down_but_logging_in_is_not(stranger: Visitor) -> None:
    assert [stranger.log_in("Maria", "wrong").status_code for _ in range(11)] == [401] * 10 + [429]
    assert "Too many attempts" in stranger.log_in("Maria").text


def test_successful_log_ins_are_not_counted(app: Flask) -> None:
    for _ in range(12):
        logged_in(app)


def test_the_session_cookie_is_for_the_server_only(stranger: Visitor) -> None:
    cookie = stranger.log_in().headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    fresh = stranger.client.application.test_client()
    assert "Secure" in fresh.get("/login", base_url="https://localhost").headers["Set-Cookie"]


def test_a_session_does_not_survive_the_log_in_it_started_with(stranger: Visitor) -> None:
    before = stranger.token("/login")
    stranger.log_in()
    assert stranger.client.post("/logout", data={"csrf_token": before}).status_code == 400


def test_log_out_ends_the_session(maria: Visitor) -> None:
    response = maria.post("/logout", follow=False)
    assert response.headers["Location"] == "/login"
    assert maria.get("/").headers["Location"] == "/login"


def test_a_new_password_ends_every_other_session(app: Flask, maria: Visitor) -> None:
    phone = logged_in(app)
    new = {"current": PASSWORD, "password": "a brand new sentence", "repeat": "a brand new sentence"}
    assert "Your password was changed." in maria.post("/settings/password", new).text
    assert phone.get("/").status_code == 302
    assert phone.log_in().status_code == 401
    assert phone.log_in(password="a brand new sentence").status_code == 303


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"current": "wrong"}, "The current password is not right"),
        ({"password": "short", "repeat": "short"}, "at least 8 characters"),
        ({"repeat": "different"}, "not the same"),
    ],
)
def test_a_password_change_that_is_refused_says_why(
    app: Flask, maria: Visitor, change: dict[str, str], said: str
) -> None:
    fields = {"current": PASSWORD, "password": "a brand new sentence", "repeat": "a brand new sentence"} | change
    assert said in maria.post("/settings/password", fields).text
    assert logged_in(app)


def test_guessing_the_current_password_is_slowed_down(maria: Visitor) -> None:
    answers = [maria.post("/settings/password", follow=False, current="guess").status_code for _ in range(11)]
    assert answers == [303] * 10 + [429]


def test_a_removed_account_is_logged_out(maria: Visitor, family: Family) -> None:
    family.catalogue.accounts.set_password(family.account.id, "unusable")
    assert maria.get("/").status_code == 302
