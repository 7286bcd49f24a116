"""Which account a user of Nextcloud has."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.catalogue.store import SqlCatalogue, open_catalogue
from plugin.errors import HostUnreachable, NotFound, Refused
from plugin.hosts.nextcloud.address import Place
from plugin.outside_accounts import OutsideAccounts

CLOUD = "https://cloud.example.org"


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqlCatalogue]:
    made = open_catalogue(tmp_path / "catalogue.db")
    yield made
    made.close()


@pytest.fixture
def accounts(catalogue: SqlCatalogue) -> OutsideAccounts:
    return OutsideAccounts(
        catalogue.accounts,
        catalogue.outside_users,
        catalogue.libraries,
        lambda _library_id: None,
        lambda base, user: Place(base, user).address,
    )


def yes() -> bool:
    return True


def no() -> bool:
    return False


def test_the_first_administrator_takes_the_account_of_the_first_start(
    accounts: OutsideAccounts, catalogue: SqlCatalogue
) -> None:
    ben = accounts.find(CLOUD, "ben", no)
    admin = accounts.find(CLOUD, "root", yes)
    second = accounts.find(CLOUD, "second", yes)
    first = catalogue.accounts.all()[0]
    assert (admin.id, admin.name, admin.is_admin) == (first.id, "root", True)
    assert (ben.is_admin, second.is_admin) == (False, True)
    assert len({ben.id, admin.id, second.id}) == 3


def test_an_account_with_a_password_is_never_taken(accounts: OutsideAccounts, catalogue: SqlCatalogue) -> None:
    first = catalogue.accounts.all()[0]
    catalogue.accounts.set_password(first.id, "hash")
    taken = accounts.find(CLOUD, first.name, yes)
    assert taken.id != first.id
    assert taken.name == f"{first.name} (2)"


def test_the_same_user_has_the_same_account_and_another_cloud_another(accounts: OutsideAccounts) -> None:
    one = accounts.find(CLOUD, "ben", no)
    assert accounts.find(CLOUD, "ben", yes) == one
    assert accounts.find("https://other.example", "ben", no).id != one.id
    assert accounts.find(CLOUD, "Ben", no).id != one.id


def test_a_removed_account_is_made_anew(accounts: OutsideAccounts, catalogue: SqlCatalogue) -> None:
    accounts.find(CLOUD, "root", yes)
    gone = accounts.find(CLOUD, "ben", no)
    catalogue.accounts.remove(gone.id)
    assert catalogue.outside_users.account_of(CLOUD, "ben") is None
    assert accounts.find(CLOUD, "ben", no).name == "ben"


@pytest.mark.parametrize("user", ["\u202eevil", "   ", "x" * 300, "\x00", "=1+1", "<script>", "ü@example.org"])
def test_whatever_a_user_is_called_there_is_an_account(accounts: OutsideAccounts, user: str) -> None:
    first = accounts.find(CLOUD, user, no)
    assert first.name
    assert accounts.find(CLOUD, user, no).id == first.id


def test_nobody_has_no_account(accounts: OutsideAccounts) -> None:
    with pytest.raises(Refused):
        accounts.find(CLOUD, "", yes)


def test_when_nextcloud_cannot_say_nothing_is_made(accounts: OutsideAccounts, catalogue: SqlCatalogue) -> None:
    def away() -> bool:
        raise HostUnreachable("It is away")

    with pytest.raises(HostUnreachable):
        accounts.find(CLOUD, "ben", away)
    assert len(catalogue.accounts.all()) == 1


def test_ten_requests_of_a_new_user_at_once_make_one_account(
    accounts: OutsideAccounts, catalogue: SqlCatalogue
) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(accounts.find(CLOUD, "ben", no).id)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 10
    assert len(set(found)) == 1
    assert len(catalogue.accounts.all()) == 2


def test_a_user_has_their_own_photos_looked_at_and_nobody_elses(
    accounts: OutsideAccounts, catalogue: SqlCatalogue
) -> None:
    ben, eve = accounts.find(CLOUD, "ben", no), accounts.find(CLOUD, "eve", no)
    assert accounts.own_library(CLOUD, "ben", ben.id) is None
    library = accounts.connect(CLOUD, "ben", ben.id)
    assert accounts.connect(CLOUD, "ben", ben.id).id == library.id
    assert library.address == "https://ben@cloud.example.org"
    assert accounts.own_library(CLOUD, "ben", ben.id) is not None
    assert catalogue.libraries.get(library.id).sync_requested_at is not None
    with pytest.raises(NotFound):
        accounts.connect(CLOUD, "ben", eve.id)
    assert catalogue.libraries.all(eve.id) == []


def test_an_account_that_is_taken_over_belongs_to_the_user_and_the_empty_one_goes(
    accounts: OutsideAccounts, catalogue: SqlCatalogue
) -> None:
    first = catalogue.accounts.all()[0]
    catalogue.accounts.set_password(first.id, "hash")
    meanwhile = accounts.find(CLOUD, "ben", no)
    for _ in range(2):
        accounts.take_over(CLOUD, "ben", first)
        assert accounts.find(CLOUD, "ben", no).id == first.id
    assert catalogue.accounts.get(meanwhile.id) is None


def test_an_account_with_photos_in_it_stays_when_its_user_takes_over_another(
    accounts: OutsideAccounts, catalogue: SqlCatalogue
) -> None:
    first = catalogue.accounts.all()[0]
    meanwhile = accounts.find(CLOUD, "ben", no)
    catalogue.libraries.add(meanwhile.id, "folder", "Ben's", "/photos/ben")
    accounts.take_over(CLOUD, "ben", first)
    assert catalogue.accounts.get(meanwhile.id) == meanwhile


def test_the_last_administrator_stays_even_without_photos(accounts: OutsideAccounts, catalogue: SqlCatalogue) -> None:
    admin = accounts.find(CLOUD, "root", yes)
    member = catalogue.accounts.add("Ben", "hash", is_admin=False)
    accounts.take_over(CLOUD, "root", member)
    assert catalogue.accounts.get(admin.id) == admin
    assert accounts.find(CLOUD, "root", no).id == member.id


def test_a_first_visitor_looks_after_kinfolk_only_where_that_is_asked_for_and_once(
    accounts: OutsideAccounts, catalogue: SqlCatalogue
) -> None:
    assert not accounts.find(CLOUD, "ben", no).is_admin
    maria = accounts.find("home-assistant", "f00", no, called="María", first_looks_after=True)
    assert (maria.id, maria.name, maria.is_admin) == (catalogue.accounts.all()[0].id, "María", True)
    assert not accounts.find("home-assistant", "ba2", no, called="Eve", first_looks_after=True).is_admin
