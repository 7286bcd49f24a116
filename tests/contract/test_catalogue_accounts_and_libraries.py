"""Contract of `AccountRows`, `LibraryRows` and `PreferenceRows`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from plugin.domain import AssignedBy, IntakeProblem, VerdictKind
from plugin.errors import NotFound, Refused
from tests.contract.catalogue_cast import STORES, Cast, found, listed, open_store


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def test_a_fresh_catalogue_has_an_admin_without_a_password(cast: Cast) -> None:
    (admin,) = cast.catalogue.accounts.all()
    assert (admin.name, admin.is_admin, admin.password_hash) == ("admin", True, None)


def test_accounts_are_found_by_name_without_regard_to_case(cast: Cast) -> None:
    nora = cast.catalogue.accounts.add(" Nora ", "hash", is_admin=False)
    assert nora.name == "Nora"
    assert cast.catalogue.accounts.by_name("nORA") == nora == cast.catalogue.accounts.get(nora.id)
    assert cast.catalogue.accounts.by_name("Norbert") is None
    assert cast.catalogue.accounts.get(999) is None


@pytest.mark.parametrize("name", ["", "  ", "ADMIN"])
def test_an_account_needs_a_name_of_its_own(cast: Cast, name: str) -> None:
    with pytest.raises(Refused):
        cast.catalogue.accounts.add(name, None, is_admin=False)


def test_a_new_password_ends_every_session(cast: Cast) -> None:
    cast.catalogue.accounts.set_password(cast.me, "hash")
    changed = cast.catalogue.accounts.get(cast.me)
    assert changed is not None
    assert (changed.password_hash, changed.session_epoch) == ("hash", cast.account.session_epoch + 1)


def test_an_account_can_be_renamed_but_not_to_a_taken_name(cast: Cast) -> None:
    cast.stranger()
    cast.catalogue.accounts.rename(cast.me, "Admin")
    cast.catalogue.accounts.rename(cast.me, "Otto")
    with pytest.raises(Refused):
        cast.catalogue.accounts.rename(cast.me, "NORA")
    assert [account.name for account in cast.catalogue.accounts.all()] == ["Otto", "Nora"]


def test_accounts_that_do_not_exist_are_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        cast.catalogue.accounts.set_password(999, "hash")
    with pytest.raises(NotFound):
        cast.catalogue.accounts.rename(999, "Nobody")
    with pytest.raises(NotFound):
        cast.catalogue.libraries.add(999, "folder", "x", "/x")


def test_adding_a_library_again_returns_the_one_that_is_there(cast: Cast) -> None:
    again = cast.catalogue.libraries.add(cast.me, "folder", "Other name", cast.library.address)
    assert again == cast.library
    elsewhere = cast.catalogue.libraries.add(cast.me, "folder", "", "/elsewhere")
    assert elsewhere.name == "/elsewhere"
    assert cast.catalogue.libraries.all() == [cast.library, elsewhere]


def test_two_accounts_may_share_an_address(cast: Cast) -> None:
    theirs = cast.catalogue.libraries.add(cast.stranger().id, "folder", "Theirs", cast.library.address)
    assert theirs.id != cast.library.id


def test_a_library_needs_an_address(cast: Cast) -> None:
    with pytest.raises(Refused):
        cast.catalogue.libraries.add(cast.me, "folder", "x", "")


def test_every_pass_gets_a_larger_number(cast: Cast) -> None:
    numbers = [cast.catalogue.libraries.sync_started(cast.library.id) for _ in range(3)]
    assert numbers == sorted(set(numbers))


def test_a_finished_sync_clears_the_request_and_keeps_its_error(cast: Cast) -> None:
    libraries, library_id = cast.catalogue.libraries, cast.library.id
    libraries.request_sync(library_id)
    assert libraries.get(library_id).sync_requested_at == cast.clock()
    cast.clock.forward(seconds=1)
    libraries.sync_started(library_id)
    cast.clock.forward(seconds=1)
    libraries.sync_finished(library_id, "The folder is away")
    library = libraries.get(library_id)
    assert (library.sync_requested_at, library.last_sync_at, library.last_sync_error) == (
        None,
        cast.clock(),
        "The folder is away",
    )
    libraries.sync_finished(library_id, None)
    assert libraries.get(library_id).last_sync_error is None


def test_a_request_made_while_a_sync_runs_is_not_lost(cast: Cast) -> None:
    libraries, library_id = cast.catalogue.libraries, cast.library.id
    libraries.sync_started(library_id)
    cast.clock.forward(seconds=1)
    libraries.request_sync(library_id)
    libraries.sync_finished(library_id, None)
    assert libraries.get(library_id).sync_requested_at is not None


def test_problems_of_a_pass_replace_those_of_the_one_before(cast: Cast) -> None:
    libraries, library_id = cast.catalogue.libraries, cast.library.id
    first = [IntakeProblem("a", "loop", "A link loop"), IntakeProblem("b", "unreadable", "No rights", hides_below=True)]
    libraries.replace_problems(library_id, first)
    assert libraries.problems(library_id) == first
    libraries.replace_problems(library_id, first[1:])
    assert libraries.problems(library_id) == first[1:]
    libraries.replace_problems(library_id, [])
    assert libraries.problems(library_id) == []


def test_of_each_kind_of_problem_a_few_are_read_as_examples(cast: Cast) -> None:
    libraries = cast.catalogue.libraries
    other = libraries.add(cast.me, "folder", "Other", "/other").id
    loops = [IntakeProblem(f"loop{i}", "loop", "A link loop") for i in range(3)]
    names = [IntakeProblem(f"name{i}", "name", "A name that is no text") for i in range(2)]
    libraries.replace_problems(cast.library.id, [*loops, names[0]])
    libraries.replace_problems(other, [names[1]])
    assert libraries.example_problems(cast.me, 2) == [*loops[:2], *names]
    assert libraries.example_problems(cast.me, 1) == [loops[0], names[0]]
    assert libraries.example_problems(cast.stranger().id, 9) == []


def test_a_library_counts_its_present_assets(cast: Cast) -> None:
    cast.sync(listed("a.jpg"), listed("b.jpg"))
    cast.sync(listed("a.jpg"))
    assert cast.catalogue.libraries.get(cast.library.id).asset_count == 1
    assert cast.catalogue.libraries.all(cast.me)[0].asset_count == 1


def test_removing_a_library_takes_all_that_came_from_it_and_nothing_else(cast: Cast) -> None:
    catalogue = cast.catalogue
    other = catalogue.libraries.add(cast.me, "folder", "Other", "/other")
    here, also_here = cast.photo(found()), cast.photo(found())
    there = cast.photo(found(), library=other)
    only_here, named, both = cast.person("", *here), cast.person("Anna"), cast.person("", *also_here, *there)
    cast.say(VerdictKind.IS_NOT_PERSON, here[0], named)
    catalogue.libraries.replace_problems(cast.library.id, [IntakeProblem("a", "loop", "A link loop")])

    catalogue.libraries.remove(cast.library.id)

    assert [library.id for library in catalogue.libraries.all()] == [other.id]
    assert [face.id for face in catalogue.faces.many([*here, *also_here, *there])] == there
    assert {person.id for person in catalogue.people.all(cast.me)} == {named, both}
    with pytest.raises(NotFound):
        catalogue.people.get(only_here, cast.me)
    assert cast.said() == []
    assert catalogue.assets.counts(None) == (1, 0)
    assert {face for _, face in catalogue.index_state.to_delete(10)} == {*here, *also_here}
    assert catalogue.integrity() == []


def test_libraries_that_do_not_exist_are_not_found(cast: Cast) -> None:
    libraries = cast.catalogue.libraries
    for call in (libraries.get, libraries.remove, libraries.request_sync, libraries.sync_started):
        with pytest.raises(NotFound):
            call(999)
    with pytest.raises(NotFound):
        libraries.sync_finished(999, None)
    with pytest.raises(NotFound):
        libraries.replace_problems(999, [])
    with pytest.raises(NotFound):
        cast.catalogue.assets.seen(999, [listed("a.jpg")], 1)


def test_preferences_are_kept_replaced_and_forgotten(cast: Cast) -> None:
    preferences = cast.catalogue.preferences
    assert preferences.get("pack") is None
    preferences.set("pack", "opencv")
    preferences.set("pack", "buffalo_s")
    assert preferences.get("pack") == "buffalo_s"
    preferences.delete("pack")
    preferences.delete("pack")
    assert preferences.get("pack") is None


def test_the_last_administrator_who_can_log_in_can_neither_step_down_nor_go(cast: Cast) -> None:
    accounts, nora = cast.catalogue.accounts, cast.stranger()
    accounts.set_password(cast.me, "hash")
    accounts.set_admin(nora.id, is_admin=True)
    with pytest.raises(Refused):  # Nora is one as well, but has no password
        accounts.set_admin(cast.me, is_admin=False)
    with pytest.raises(Refused):
        accounts.remove(cast.me)
    accounts.set_password(nora.id, "hash")
    accounts.set_admin(cast.me, is_admin=False)
    assert [account.is_admin for account in accounts.all()] == [False, True]
    accounts.remove(cast.me)
    assert [account.name for account in accounts.all()] == ["Nora"]


def test_a_removed_account_takes_everything_of_its_own_along_and_nothing_else(cast: Cast) -> None:
    nora = cast.stranger()
    hers = cast.catalogue.libraries.add(nora.id, "folder", "Nora's", "/nora")
    mine = cast.photo(found())
    (face,) = cast.photo(found(), library=hers)
    person = cast.catalogue.people.add(nora.id, "Nora's mother")
    with cast.catalogue.events.record(nora.id, "Named somebody"):
        cast.catalogue.verdicts.add(nora.id, VerdictKind.IS_PERSON, face_id=face, person_id=person)
    cast.catalogue.faces.assign([(face, person)], AssignedBy.USER)
    cast.catalogue.verdicts.skip(nora.id, "a question", 0.5)
    cast.catalogue.libraries.replace_problems(hers.id, [IntakeProblem("x", "y", "z")])
    cast.catalogue.accounts.invite(nora.id, "token", cast.clock() + timedelta(days=1))
    cast.catalogue.accounts.remove(nora.id)
    assert cast.catalogue.accounts.get(nora.id) is None
    assert [library.id for library in cast.catalogue.libraries.all()] == [cast.library.id]
    assert [known.id for known in cast.catalogue.faces.many([*mine, face])] == mine
    assert cast.catalogue.index_state.to_delete(10) == [("opencv", face)]
    assert cast.catalogue.integrity() == []


def test_an_invitation_sets_a_password_once(cast: Cast) -> None:
    accounts, nora = cast.catalogue.accounts, cast.stranger()
    accounts.invite(nora.id, "first", cast.clock() + timedelta(days=1))
    accounts.invite(nora.id, "second", cast.clock() + timedelta(days=1))
    assert accounts.invited("first") is None
    assert accounts.invited("second") == nora
    assert list(accounts.open_invitations()) == [nora.id]
    accepted = accounts.accept_invitation("second", "hash")
    assert (accepted.password_hash, accepted.session_epoch) == ("hash", nora.session_epoch + 1)
    with pytest.raises(Refused):
        accounts.accept_invitation("second", "other")
    assert accounts.get(nora.id) == accepted
    assert accounts.open_invitations() == {}


def test_an_invitation_ends_with_time_and_with_a_password_set_otherwise(cast: Cast) -> None:
    accounts, nora = cast.catalogue.accounts, cast.stranger()
    accounts.invite(nora.id, "late", cast.clock() + timedelta(hours=1))
    cast.clock.forward(hours=1)
    assert accounts.invited("late") is None
    with pytest.raises(Refused):
        accounts.accept_invitation("late", "hash")
    accounts.invite(nora.id, "fresh", cast.clock() + timedelta(hours=1))
    accounts.set_password(nora.id, "hash")
    assert accounts.invited("fresh") is None


def test_accounts_that_do_not_exist_can_be_neither_changed_nor_invited_nor_removed(cast: Cast) -> None:
    accounts = cast.catalogue.accounts
    with pytest.raises(NotFound):
        accounts.set_admin(999, is_admin=True)
    with pytest.raises(NotFound):
        accounts.remove(999)
    with pytest.raises(NotFound):
        accounts.invite(999, "token", cast.clock())
