"""Files of a Team folder, which two connected users see under one id: one library of the account reads them."""

from collections.abc import Iterator

import pytest

from plugin.domain import Library
from plugin.ports.libraries import HostLogin
from plugin.ports.written import NameKey, NameKind, WrittenName, WrittenState
from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.nextcloud.cloud import Share
from tests.unit.test_nextcloud_intake import House


class TeamHouse(House):
    """Anna and Ben see the Team folder; both are read for one account."""

    def __init__(self, server: FakeNextcloud) -> None:
        super().__init__(server)
        self.cloud.add_user("team")
        self.cloud.team_folders.add("team")
        self.put("Team/a.jpg", "Team/2024/b.jpg", user="team")
        self.cloud.add_user("ben")
        self.shares = {user: self.cloud.share("team", "Team", user) for user in ("anna", "ben")}
        self.anna, self.annas_host = self.library, self.host
        self.ben = self.connect("ben")
        self.bens_host = self.host

    def sync_both(self) -> None:
        self.sync(self.annas_host, self.anna)
        self.sync(self.bens_host, self.ben)

    def seen(self) -> tuple[set[str], set[str]]:
        return self.present(self.anna), self.present(self.ben)

    def is_asked_for(self, library: Library) -> bool:
        return self.catalogue.libraries.get(library.id).sync_requested_at is not None

    def leave_team(self, user: str) -> Share:
        self.cloud.unshare(self.shares[user])
        return self.shares[user]


ALL = {"Team/a.jpg", "Team/2024/b.jpg"}


@pytest.fixture
def house() -> Iterator[TeamHouse]:
    with FakeNextcloud() as server:
        made = TeamHouse(server)
        yield made
        made.close()


def test_it_is_read_by_whoever_meets_it_first_and_by_nobody_else(house: TeamHouse) -> None:
    house.sync(house.bens_host, house.ben)
    for _ in range(2):
        house.sync_both()
        assert house.seen() == (set(), ALL)
    house.put("Team/new.jpg", user="team")
    house.sync_both()
    assert house.seen() == ({"Team/new.jpg"}, ALL)
    house.sync_both()
    assert house.seen() == ({"Team/new.jpg"}, ALL)


def test_nothing_is_left_to_a_library_that_is_shut_out(house: TeamHouse) -> None:
    logins, shut_out = house.catalogue.host_logins, "The password was changed"
    house.sync(house.bens_host, house.ben)
    logins.put(house.ben.id, HostLogin("ben", "secret"))
    logins.refuse(house.ben.id, "secret", shut_out)
    house.sync(house.annas_host, house.anna)
    assert house.present(house.anna) == ALL
    logins.put(house.ben.id, HostLogin("ben", "new secret"))
    logins.put(house.anna.id, HostLogin("anna", "secret"))
    logins.refuse(house.anna.id, "secret", shut_out)
    house.catalogue.folder_marks.clear(house.ben.id)
    house.sync(house.bens_host, house.ben)
    assert house.present(house.ben) == ALL, "although Anna's library was added first"


def test_a_photo_that_carries_names_of_a_library_stays_with_it(house: TeamHouse) -> None:
    logins = house.catalogue.host_logins
    house.sync(house.bens_host, house.ben)
    logins.put(house.ben.id, HostLogin("ben", "secret"))
    logins.refuse(house.ben.id, "secret", "The password was changed")
    house.sync(house.annas_host, house.anna)
    logins.put(house.ben.id, HostLogin("ben", "new secret"))
    key = str(house.cloud.find("ben", "Team/a.jpg").id)
    asset = house.catalogue.assets.of_host_key(house.ben.id, key)
    assert asset is not None
    row = WrittenName(NameKey(0, 1), WrittenState.WRITTEN, "Clara")
    house.catalogue.written.record(asset, NameKind.TAGS, [row])
    house.catalogue.folder_marks.clear(house.ben.id)
    house.sync(house.bens_host, house.ben)
    assert house.present(house.ben) == {"Team/a.jpg"}


def test_what_leaves_the_one_is_taken_by_the_other_although_its_folders_are_as_they_were(house: TeamHouse) -> None:
    house.sync_both()
    assert house.seen() == (ALL, set())
    house.sync_both()
    house.put("mine.jpg")
    house.leave_team("anna")
    house.sync(house.annas_host, house.anna)
    assert house.present(house.anna) == {"mine.jpg"}
    assert house.is_asked_for(house.ben)
    house.sync(house.bens_host, house.ben)
    assert house.present(house.ben) == ALL


def test_when_the_one_is_removed_the_other_takes_it(house: TeamHouse) -> None:
    house.sync_both()
    house.catalogue.libraries.remove(house.anna.id)
    assert house.is_asked_for(house.ben)
    house.sync(house.bens_host, house.ben)
    assert house.present(house.ben) == ALL


def test_what_leaves_the_one_during_a_pass_of_the_other_is_taken_by_the_next_one(house: TeamHouse) -> None:
    house.sync(house.annas_host, house.anna)
    house.put("mine.jpg")
    house.leave_team("anna")
    changes = house.bens_host.changes

    def and_meanwhile(known: object) -> Iterator[object]:
        yield from changes(known)  # type: ignore[arg-type]  # handed through
        house.sync(house.annas_host, house.anna)

    house.bens_host.changes = and_meanwhile  # type: ignore[method-assign, assignment]
    house.sync(house.bens_host, house.ben)
    house.bens_host.changes = changes  # type: ignore[method-assign]
    house.sync(house.bens_host, house.ben)
    assert house.seen() == ({"mine.jpg"}, ALL)


def test_what_both_hold_stays_with_the_one_that_was_added_first(house: TeamHouse) -> None:
    house.sync(house.bens_host, house.ben)
    with house.catalogue.libraries._transactions.write() as connection:  # as an earlier version read them
        connection.exec_driver_sql(
            "INSERT INTO asset (library_id, account_id, host_key, path, kind, content_key, change_key, size_bytes, "
            "seen_pass, gone, state, attempts) SELECT ?, account_id, host_key, path, kind, content_key, change_key, "
            "size_bytes, 0, 0, state, attempts FROM asset WHERE library_id = ?",
            (house.anna.id, house.ben.id),
        )
    house.catalogue.folder_marks.clear(house.ben.id)
    for _ in range(2):
        house.sync_both()
        assert house.seen() == (ALL, set())


def test_a_webhook_does_not_take_it_twice_either(house: TeamHouse) -> None:
    house.sync_both()
    node = house.cloud.put("team", "Team/new.jpg", b"new")
    (asset,) = house.annas_host.look_up_named([str(node.id)])
    assert [seen.outcome for seen in house.catalogue.assets.looked_up(house.anna.id, [asset])] == ["new"]
    assert house.catalogue.assets.looked_up(house.ben.id, [asset]) == []


def test_accounts_do_not_take_files_from_each_other(house: TeamHouse) -> None:
    other = house.catalogue.accounts.add("ben", None, is_admin=False)
    theirs = house.catalogue.libraries.add(other.id, "nextcloud", "ben", house.ben.address)
    house.sync(house.annas_host, house.anna)
    house.sync(house.bens_host, theirs)
    assert house.present(theirs) == ALL


def test_the_same_file_under_another_address_of_the_server_is_read_once_and_other_files_are_not_meant(
    house: TeamHouse,
) -> None:
    house.sync(house.annas_host, house.anna)
    scheme, _, rest = house.ben.address.partition("://")
    elsewhere = house.catalogue.libraries.add(house.account.id, "nextcloud", "ben", f"{scheme}://{rest}/nextcloud")
    house.sync(house.bens_host, elsewhere)
    assert house.present(elsewhere) == set()
    (node,) = [node for node in house.cloud.nodes.values() if node.name == "a.jpg"]
    node.etag = "another server has another file under this number"
    house.cloud._changed(node.parent or node)
    house.sync(house.bens_host, elsewhere)
    assert house.present(elsewhere) == {"Team/a.jpg"}
