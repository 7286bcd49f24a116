"""Several steps back at once, pictures of the past, and the plot of the last day."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from plugin.web import history
from plugin.web.throughput import HEIGHT, drawn
from tests.web.conftest import Visitor
from tests.web.family import Family

BACK = re.compile(r'href="/history/(\d+)/undo"')
EVENT = re.compile(r'name="event" value="(\d+)"')


@pytest.fixture
def renamed(family: Family) -> Family:
    """Ben was renamed three times."""
    for name in ("One", "Two", "Three"):
        family.services.people.rename(family.account.id, family.people["Ben"], name)
    return family


def ben(family: Family) -> str:
    return family.catalogue.people.get(family.people["Ben"], family.account.id).name


def test_the_history_speaks_the_language_of_its_reader(maria: Visitor, renamed: Family) -> None:
    unnamed = renamed.services.people.assign_new(renamed.account.id, renamed.face_of("Ben"))
    renamed.services.people.set_hidden(renamed.account.id, unnamed, hidden=True)
    page = maria.client.get("/history", headers={"Accept-Language": "de"}).text
    assert "Jemanden Three genannt" in page
    assert "Gesagt, dass ein Gesicht jemand Neues zeigt: jemand ohne Namen" in page
    assert "jemand ohne Namen ausgeblendet" in page
    assert "Named somebody" in maria.text("/history")


def test_several_steps_are_taken_back_after_a_question(maria: Visitor, renamed: Family) -> None:
    two, one = BACK.findall(maria.text("/history"))
    question = maria.text(f"/history/{two}/undo")
    assert "Take back 2 steps?" in question
    assert "Named somebody Three" in question
    assert "Named somebody One" not in question
    (event,) = EVENT.findall(question)
    done = maria.post(f"/history/{two}/undo", page=f"/history/{two}/undo", event=event)
    assert "2 steps taken back." in done.text
    assert ben(renamed) == "One"
    assert maria.get(f"/history/{two}/undo").status_code == 404
    assert maria.get(f"/history/{one}/undo").status_code == 200


def test_several_steps_are_not_taken_back_when_something_happened_meanwhile(maria: Visitor, renamed: Family) -> None:
    two, _ = BACK.findall(maria.text("/history"))
    (event,) = EVENT.findall(maria.text(f"/history/{two}/undo"))
    renamed.services.people.rename(renamed.account.id, renamed.people["Ben"], "Four")
    refused = maria.post(f"/history/{two}/undo", page=f"/history/{two}/undo", event=event)
    assert "Something newer has happened meanwhile" in html.unescape(refused.text)
    assert ben(renamed) == "Four"


def test_the_history_of_another_account_is_not_found(maria: Visitor, family: Family) -> None:
    family.services.people.rename(family.neighbour.id, family.foreign_person, "Somebody else")
    (theirs,) = family.catalogue.events.all(family.neighbour.id, 9)
    assert maria.get(f"/history/{theirs.id}/undo").status_code == 404
    sent = maria.post(f"/history/{theirs.id}/undo", page="/history", event=str(theirs.id))
    assert sent.status_code == 404
    assert not family.catalogue.events.all(family.neighbour.id, 9)[0].undone


def test_the_history_comes_in_pages(maria: Visitor, renamed: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE_SIZE", 2)
    assert "Named somebody One" not in maria.text("/history")
    assert "Named somebody One" in maria.text("/history?page=2")


def test_events_show_faces_they_were_about(maria: Visitor, family: Family) -> None:
    face = family.face_of("Anna")
    family.services.people.assign(family.account.id, face, family.people["Ben"])
    assert f'src="/faces/{face}.webp' in maria.text("/history")


def test_the_plot_and_its_table_tell_the_last_day(maria: Visitor) -> None:
    page = maria.text("/status")
    assert '<span class="figure">14</span> <span class="soft">photos looked at</span>' in page
    assert page.count("<rect x=") >= 1
    assert re.search(r'role="img" aria-label="At most \d+ photos? in half an hour"', page)
    assert '<th scope="col">Photos</th>' in page
    assert "<html" not in maria.text("/status/throughput")


def test_a_day_without_work_says_so(enter: Callable[[Family], Visitor], nobody_yet: Family) -> None:
    page = enter(nobody_yet).text("/status")
    assert "Nothing was looked at since yesterday" in page
    assert 'aria-label="At most' not in page


def test_bars_are_as_high_as_their_share_and_never_too_low_to_see() -> None:
    plot = drawn(datetime(2024, 5, 1, tzinfo=UTC), [0, 1, 1000, 500])
    assert [bar.height for bar in plot.bars] == [0, 2, HEIGHT, HEIGHT / 2]
    assert [bar.left for bar in plot.bars] == [0, 10, 20, 30]
    assert (plot.total, plot.most, plot.width) == (1501, 1000, 40)
    assert [count for _, count in plot.hours] == [1, 1500]


def test_a_plot_of_nothing_has_no_height() -> None:
    plot = drawn(datetime(2024, 5, 1, tzinfo=UTC), [0, 0])
    assert [bar.height for bar in plot.bars] == [0, 0]
    assert plot.hours == []
