"""Names to the host: chosen, previewed, confirmed, watched and taken back, without JavaScript."""

import re

import pytest
from werkzeug.test import TestResponse

from plugin.errors import HostUnreachable, WriteLocked, WriteRefused
from plugin.ports.written import NameKind, WriteState
from tests.fakes.host import FakeHost
from tests.fakes.writing_host import raising
from tests.web.conftest import Visitor
from tests.web.family import Family


@pytest.fixture
def page(family: Family) -> str:
    assert family.library is not None
    for asset_id in family.assets:
        family.host.put(family.catalogue.assets.get(asset_id).path, b"pixels")
    return f"/libraries/{family.library.id}/names"


def run(family: Family, kind: NameKind = NameKind.TAGS) -> None:
    assert family.library is not None
    family.services.writing.run(family.library.id, kind)


def previewed(maria: Visitor, page: str, way: str = "tags") -> str:
    """What the preview has in its form."""
    found = re.search(r'name="previewed" value="([^"]+)"', maria.text(f"{page}/{way}"))
    assert found
    return found.group(1)


def confirm(maria: Visitor, page: str, way: str = "tags") -> TestResponse:
    """Look at the preview and press its button."""
    return maria.post(f"{page}/{way}/start", page=f"{page}/{way}", previewed=previewed(maria, page, way))


def state(family: Family, kind: NameKind = NameKind.TAGS) -> WriteState | None:
    assert family.library is not None
    setting = family.catalogue.written.setting(family.library.id, kind)
    return setting.state if setting else None


def test_a_library_leads_to_its_names_and_every_way_is_off_with_its_warning(maria: Visitor, page: str) -> None:
    assert f'href="{page}"' in maria.text("/libraries")
    text = maria.text(page)
    assert text.count(">Off<") == 3
    assert "Renaming a person here renames the same person there" in text
    assert "everybody who has an account there can see the names" in text
    assert "Whoever can see the folder can read the names in these files" in text


def test_a_host_that_takes_no_names_offers_none(
    maria: Visitor, page: str, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(family.services.writing, "_host_of", lambda _library: FakeHost())
    assert "Names to the host" not in maria.text("/libraries")
    assert "takes no names" in maria.text(page)
    assert maria.get(f"{page}/tags").status_code == 404


def test_a_preview_shows_who_and_writes_nothing(maria: Visitor, page: str, family: Family) -> None:
    text = maria.text(f"{page}/tags")
    assert "Person: Anna" in text
    assert f"/faces/{family.face_of('Anna')}" in text or "/faces/" in text
    assert family.host.written == []
    assert state(family) is None


def test_nothing_is_written_for_the_first_time_that_was_not_previewed(
    maria: Visitor, page: str, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = previewed(maria, page)
    for wrong in ("", "nonsense", shown[:-2], previewed(maria, page, "sidecars")):
        answer = maria.post(f"{page}/tags/start", page=page, previewed=wrong)
        assert "Look at what would be written" in answer.text
        assert "Write these names" in answer.text, "the preview itself"
    monkeypatch.setattr("plugin.web.names_on_host.SHOWN_SECONDS", -1)
    maria.post(f"{page}/tags/start", page=page, previewed=shown)
    assert state(family) is None
    assert family.host.written == []
    monkeypatch.undo()
    maria.post(f"{page}/tags/start", page=page, previewed=shown)
    assert state(family) is WriteState.ON


def test_what_was_taken_back_is_previewed_anew(maria: Visitor, page: str, family: Family) -> None:
    confirm(maria, page)
    run(family)
    maria.post(f"{page}/tags/remove", page=f"{page}/tags/remove")
    run(family)
    maria.post(f"{page}/tags/start", page=page)
    assert state(family) is None


def test_names_are_written_after_the_preview_was_confirmed(maria: Visitor, page: str, family: Family) -> None:
    text = confirm(maria, page, "tags").text
    assert "Names are being written" in text
    assert ">Being written<" in text
    assert 'hx-trigger="every 5s"' in text
    assert family.nudge.told[-1] == "writeback"
    run(family)
    text = maria.text(page)
    assert ">Up to date<" in text
    assert 'hx-trigger="every 5s"' not in text
    assert "Person: Anna" in family.host.tags.values()


def test_trouble_is_shown_with_its_reason_and_a_way_to_try_again(maria: Visitor, page: str, family: Family) -> None:
    confirm(maria, page, "tags")
    family.host.trouble = raising(HostUnreachable("The host is away", "Wait for it"))
    run(family)
    assert "The host is away. Wait for it" in maria.text(page)
    family.host.trouble = lambda what, where: (
        raising(WriteLocked("Somebody edits it", ""))(what, where)
        if where == family.host.files.keys().__iter__().__next__()
        else None
    )
    maria.post(f"{page}/tags/start", page=page)
    run(family)
    text = maria.text(page)
    assert "One photo could not be written" in text or "1 photo could not be written" in text
    assert "Somebody edits it" in text
    assert "Close the file in the program that has it open. It is tried again by itself." in text
    family.host.trouble = lambda _what, _where: None
    maria.post(f"{page}/tags/start", page=page)
    run(family)
    assert ">Up to date<" in maria.text(page)


def test_writing_can_pause_and_go_on(maria: Visitor, page: str, family: Family) -> None:
    confirm(maria, page)
    assert ">Paused<" in maria.post(f"{page}/tags/pause", page=page).text
    run(family)
    assert family.host.written == []
    maria.post(f"{page}/tags/start", page=page)
    assert state(family) is WriteState.ON


def test_names_of_somebody_forgotten_during_a_pause_are_told_of_and_go_when_it_ends(
    maria: Visitor, page: str, family: Family
) -> None:
    told = "since writing there is paused"
    confirm(maria, page, "tags")
    run(family)
    maria.post(f"{page}/tags/pause", page=page)
    assert told not in maria.text("/settings/privacy")
    family.services.privacy.forget_person(family.account.id, family.people["Anna"])
    assert told in maria.text("/settings/privacy")
    assert "since writing is paused" in maria.text(page)
    maria.post(f"{page}/tags/start", page=page)
    run(family)
    assert told not in maria.text("/settings/privacy")
    assert "Person: Anna" not in family.host.tags.values()


def test_everything_is_removed_after_a_question(maria: Visitor, page: str, family: Family) -> None:
    confirm(maria, page, "sidecars")
    run(family, NameKind.SIDECARS)
    assert family.host.sidecars
    question = maria.text(f"{page}/sidecars/remove")
    assert "What others wrote or changed there stays" in question
    assert family.host.sidecars
    text = maria.post(f"{page}/sidecars/remove", page=f"{page}/sidecars/remove").text
    assert ">Being removed<" in text
    run(family, NameKind.SIDECARS)
    assert not family.host.sidecars
    assert maria.text(page).count(">Off<") == 3


def test_photos_in_the_trash_that_carry_names_are_told_of_and_need_not_be_waited_for(
    maria: Visitor, page: str, family: Family
) -> None:
    confirm(maria, page)
    run(family)
    key = next(key for key, _ in family.host.carried)
    assert family.library is not None
    asset = family.catalogue.assets.of_host_key(family.library.id, key)
    assert asset is not None
    family.catalogue.assets.mark_gone([asset.id])
    maria.post(f"{page}/tags/remove", page=f"{page}/tags/remove")
    assert "Do not wait any longer" not in maria.text(page), "there is still something to do"
    run(family)
    text = maria.text(page)
    assert "1 photo that is away, in the trash of the host for example, still carries names" in text
    assert 'hx-trigger="every 5s"' not in text
    assert "does not wait for these photos any more" in maria.post(f"{page}/tags/end", page=page).text
    assert state(family) is None


def test_photos_that_cannot_be_changed_need_not_be_waited_for(maria: Visitor, page: str, family: Family) -> None:
    confirm(maria, page)
    run(family)
    away, locked = sorted({key for key, _ in family.host.carried})[:2]
    assert family.library is not None
    asset = family.catalogue.assets.of_host_key(family.library.id, away)
    assert asset is not None
    family.catalogue.assets.mark_gone([asset.id])

    def trouble(_what: str, where: str) -> None:
        if where == locked:
            raise WriteRefused("The share is read-only", "Ask its owner")

    family.host.trouble = trouble
    maria.post(f"{page}/tags/remove", page=f"{page}/tags/remove")
    assert "Do not wait any longer" not in maria.text(page), "there is still something to do"
    run(family)
    text = maria.text(page)
    assert "1 photo that cannot be changed there still carries names" in text
    assert "1 photo that is away" in text
    assert 'hx-trigger="every 5s"' not in text
    assert "does not wait for these photos any more" in maria.post(f"{page}/tags/end", page=page).text
    assert state(family) is None


def test_what_was_removed_on_the_host_is_written_again_only_when_asked(
    maria: Visitor, page: str, family: Family
) -> None:
    confirm(maria, page, "tags")
    run(family)
    family.host.carried.clear()
    family.catalogue.people.rename(family.people["Anna"], family.account.id, "Anna Maria")
    run(family)
    assert "Changed or removed there" in maria.text(page)
    assert not family.host.carried
    maria.post(f"{page}/tags/again", page=page)
    run(family)
    assert family.host.carried


def test_who_removes_a_library_is_told_that_names_stay_on_its_host(maria: Visitor, page: str) -> None:
    question = page.replace("/names", "/remove")
    assert "Take them back first" not in maria.text(question)
    confirm(maria, page, "tags")
    assert "Take them back first" in maria.text(question)


def test_nonsense_for_a_way_is_not_found(maria: Visitor, page: str) -> None:
    assert maria.get(f"{page}/smoke-signals").status_code == 404
    assert maria.post(f"{page}/smoke-signals/start", page=page).status_code == 404
    assert maria.post(f"{page}/tags/pause", page=page).status_code == 200, "nothing to pause is no fault"
    assert maria.get(f"{page}/tags/remove").status_code == 303
