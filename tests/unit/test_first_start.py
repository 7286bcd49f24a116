"""The first start: one link, used once, then never again."""

import pytest

from plugin.catalogue.store import SqlCatalogue, open_in_memory
from plugin.errors import Refused
from plugin.first_start import FirstStart


@pytest.fixture
def catalogue() -> SqlCatalogue:
    return open_in_memory()


def begin(catalogue: SqlCatalogue) -> FirstStart:
    return FirstStart(catalogue.accounts, lambda password: f"hash of {password}")


def test_the_link_sets_name_and_password_once(catalogue: SqlCatalogue) -> None:
    first = begin(catalogue)
    assert first.pending()
    account = first.accept(first.token, " Maria ", "a long sentence")
    assert (account.name, account.password_hash, account.is_admin) == ("Maria", "hash of a long sentence", True)
    assert not first.pending()
    with pytest.raises(Refused):
        first.accept(first.token, "Mallory", "another sentence")
    assert [account.name for account in catalogue.accounts.all()] == ["Maria"]


@pytest.mark.parametrize("token", ["", "wrong", "Ω"])
def test_a_wrong_token_changes_nothing(catalogue: SqlCatalogue, token: str) -> None:
    first = begin(catalogue)
    with pytest.raises(Refused):
        first.accept(token, "Mallory", "a long sentence")
    assert first.pending()


def test_every_start_has_a_token_of_its_own(catalogue: SqlCatalogue) -> None:
    old, new = begin(catalogue), begin(catalogue)
    assert old.token != new.token
    with pytest.raises(Refused):
        new.accept(old.token, "Mallory", "a long sentence")


def test_a_refused_password_leaves_the_link_valid(catalogue: SqlCatalogue) -> None:
    def refuse_short(password: str) -> str:
        if len(password) < 8:
            raise Refused("The password is too short")
        return "hash"

    first = FirstStart(catalogue.accounts, refuse_short)
    with pytest.raises(Refused, match="short"):
        first.accept(first.token, "Maria", "no")
    assert first.accept(first.token, "", "long enough").name == "admin"
