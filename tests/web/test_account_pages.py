"""Accounts: adding, inviting, promoting, removing; and the own account."""

import re

import pytest
from flask import Flask

from plugin.domain import Account
from tests.web.conftest import Visitor, logged_in
from tests.web.family import PASSWORD, Family

PAGE = "/settings/accounts"
LINK = re.compile(r'value="http://localhost(/invitation\?token=[^"]+)"')
NEW = {"password": "another long one", "repeat": "another long one"}


def named(family: Family, name: str) -> Account:
    account = family.catalogue.accounts.by_name(name)
    assert account is not None
    return account


def test_a_member_is_added_with_a_password_and_sees_nothing_of_others(
    app: Flask, maria: Visitor, family: Family
) -> None:
    assert "Otto can log in now." in maria.post(PAGE, page=PAGE, name=" Otto ", password=PASSWORD).text
    assert not named(family, "otto").is_admin
    otto = logged_in(app, "Otto")
    assert "Anna" not in otto.text("/")
    assert otto.get(f"/people/{family.people['Anna']}").status_code == 404


def test_a_link_is_shown_once_and_sets_a_password_once(app: Flask, maria: Visitor, family: Family) -> None:
    page = maria.post(PAGE, page=PAGE, name="Otto").text
    match = LINK.search(page)
    assert match
    link = match.group(1)
    assert LINK.search(maria.text(PAGE)) is None
    assert "Link not used yet" in maria.text(PAGE)
    otto = Visitor(app.test_client())
    assert "Welcome, Otto" in otto.text(link)
    token = link.partition("token=")[2]
    different = otto.post("/invitation", {"token": token, "password": PASSWORD, "repeat": "x"}, page=link)
    assert (different.status_code, "not the same" in different.text) == (422, True)
    assert otto.post("/invitation", {"token": token} | NEW, page=link, follow=False).status_code == 303
    assert otto.get("/").status_code == 200
    late = Visitor(app.test_client())
    assert "not valid any more" in late.get(link).text
    assert late.get("/").status_code == 302


def test_links_are_not_guessed(app: Flask) -> None:
    stranger = Visitor(app.test_client())
    fields = {"token": "guess"} | NEW
    answers = [stranger.post("/invitation", fields, page="/login").status_code for _ in range(11)]
    assert answers == [404] * 10 + [429]


METHODS = ["GET", "HEAD"] * 5 + ["GET"]


def test_links_are_not_guessed_by_only_looking_either(app: Flask) -> None:
    stranger = Visitor(app.test_client())
    links = [f"/invitation?token=guess{number}" for number in range(11)]
    answers = [
        stranger.client.open(link, method=method).status_code for link, method in zip(links, METHODS, strict=True)
    ]
    assert answers == [404] * 10 + [429]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "MARIA", "password": PASSWORD}, "There is an account named MARIA already"),
        ({"name": "  "}, "The name is empty"),
        ({"name": "x" * 101}, "longer than 100 characters"),
        ({"name": "Otto", "password": "short"}, "at least 8 characters"),
    ],
)
def test_a_refused_account_gives_the_entry_back(
    maria: Visitor, family: Family, fields: dict[str, str], said: str
) -> None:
    response = maria.post(PAGE, fields, page=PAGE)
    assert (response.status_code, said in response.text) == (422, True)
    assert len(family.catalogue.accounts.all()) == 2


def test_somebody_is_made_administrator_and_member_again(maria: Visitor, family: Family) -> None:
    one = f"{PAGE}/{family.neighbour.id}"
    assert "neighbour looks after Kinfolk now." in maria.post(f"{one}/role", page=one, role="admin").text
    assert named(family, "neighbour").is_admin
    assert "neighbour is a member now." in maria.post(f"{one}/role", page=one, role="member").text
    assert not named(family, "neighbour").is_admin


def test_the_last_administrator_stays(maria: Visitor, family: Family) -> None:
    own = f"{PAGE}/{family.account.id}"
    assert "This is the last administrator" in maria.post(f"{own}/role", page=own, role="member").text
    assert named(family, "Maria").is_admin
    assert "This is your own account" in maria.post(f"{own}/remove", page=own, typed="Maria").text


def test_a_reset_password_ends_the_sessions_of_that_account(app: Flask, maria: Visitor, family: Family) -> None:
    neighbour = logged_in(app, "neighbour")
    one = f"{PAGE}/{family.neighbour.id}"
    assert "The password of neighbour was changed." in maria.post(f"{one}/password", NEW, page=one).text
    assert neighbour.get("/").status_code == 302
    assert Visitor(app.test_client()).log_in("neighbour", NEW["password"]).status_code == 303


def test_an_account_is_removed_with_everything_once_its_name_was_typed(
    app: Flask, maria: Visitor, family: Family
) -> None:
    neighbour = logged_in(app, "neighbour")
    form = f"{PAGE}/{family.neighbour.id}/remove"
    assert "<strong>1</strong> person" in maria.text(form)
    assert "Nothing was deleted" in maria.post(form, page=form, typed="Maria").text
    assert "neighbour was removed." in maria.post(form, page=form, typed="Neighbour").text
    assert neighbour.get("/").status_code == 302
    assert [library.name for library in family.catalogue.libraries.all()] == ["Family photos"]
    assert maria.get(form).status_code == 404


def test_a_folder_is_given_to_a_member(maria: Visitor, family: Family) -> None:
    one = f"{PAGE}/{family.neighbour.id}"
    assert "There is no folder /nowhere" in maria.post(f"{one}/library", page=one, path="/nowhere").text
    assert "new belongs to neighbour now" in maria.post(f"{one}/library", page=one, path="/photos/new").text
    assert [row.name for row in family.catalogue.libraries.all(family.neighbour.id)] == ["Next door", "new"]
    assert len(family.catalogue.libraries.all(family.account.id)) == 1


def test_members_do_nothing_to_accounts(app: Flask, family: Family) -> None:
    neighbour = logged_in(app, "neighbour")
    one = f"{PAGE}/{family.account.id}"
    for path in (PAGE, f"{one}/role", f"{one}/password", f"{one}/remove", f"{one}/invite", f"{one}/library"):
        assert neighbour.post(path, name="Eve", typed="Maria", role="member").status_code == 403, path
    assert len(family.catalogue.accounts.all()) == 2
    assert named(family, "Maria").is_admin


def test_the_own_name_is_changed_but_not_to_a_taken_one(maria: Visitor, family: Family) -> None:
    page = "/settings/account"
    assert "already" in maria.post("/settings/name", page=page, name="Neighbour").text
    assert "Your name was changed." in maria.post("/settings/name", page=page, name="Maria Rossi").text
    assert named(family, "maria rossi").id == family.account.id
