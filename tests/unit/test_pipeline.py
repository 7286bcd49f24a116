"""What follows what: sync, detection, index, recognition; each part safe to cut off and to repeat."""

from typing import Any

import pytest

from plugin import pipeline, recognition
from plugin.domain import HostAsset, ScanProgress, ScanStage
from plugin.errors import HostBusy, HostUnreachable, SearchIndexError
from plugin.foreground import ForegroundScan
from plugin.recognition.regrouping import Regrouping
from plugin.resting import RestingLibraries
from plugin.restraint import CpuShare
from tests.fakes.workshop import Workshop, photo

ANNA, BEN, CARLA = 1, 9, 17


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


def fill(workshop: Workshop) -> None:
    for number in range(3):
        workshop.host.put(f"anna{number}.jpg", photo([(ANNA, 60 + 10 * number, 48, 160)]))
        workshop.host.put(f"both{number}.jpg", photo([(ANNA, 60, 48, 160), (BEN, 400, 240, 160)]))
    workshop.host.put("carla.jpg", photo([(CARLA, 200, 100, 200)]))


EXPECTED = [
    {"anna0.jpg", "anna1.jpg", "anna2.jpg", "both0.jpg", "both1.jpg", "both2.jpg"},
    {"both0.jpg", "both1.jpg", "both2.jpg"},
]


def test_a_folder_of_photos_becomes_people(workshop: Workshop) -> None:
    fill(workshop)
    workshop.work()
    assert workshop.people() == EXPECTED


def test_recognition_waits_until_detection_has_nothing_left(workshop: Workshop) -> None:
    fill(workshop)
    workshop.pipeline.sync(workshop.library.id)
    assert workshop.pipeline.recognise() is None
    workshop.pipeline.detect(60)
    assert workshop.pipeline.recognise() is not None


@pytest.mark.parametrize(("in_memory_from", "searched_first"), [(2000, True), (5, False)])
def test_many_faces_are_grouped_before_the_index_is_filled(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, in_memory_from: int, searched_first: bool
) -> None:
    monkeypatch.setattr(recognition, "IN_MEMORY_FROM", in_memory_from)
    fill(workshop)
    workshop.pipeline.sync(workshop.library.id)
    workshop.pipeline.detect(60)
    indexed: list[int] = []
    run = recognition.Recognition.run

    def watched(self: recognition.Recognition, *given: Any) -> recognition.RecognitionSummary:
        indexed.append(len(workshop.index.ids("opencv")))
        return run(self, *given)

    monkeypatch.setattr(recognition.Recognition, "run", watched)
    workshop.pipeline.recognise()
    assert [bool(count) for count in indexed] == [searched_first]
    assert len(workshop.index.ids("opencv")) == 10
    assert workshop.people() == EXPECTED


def test_photos_are_fetched_ahead_and_videos_are_not(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(workshop.host, "fetch_ahead", fetched.extend, raising=False)
    workshop.host.put("a.jpg", photo([]))
    workshop.host.put("b.mp4", b"a video of two gigabytes")
    workshop.pipeline.sync(workshop.library.id)
    workshop.pipeline.detect(60)
    assert set(workshop.failures()) == {"b.mp4"}, "it was looked at"
    assert fetched == ["a.jpg"]


@pytest.mark.parametrize(("blocks", "met"), [(4, 1), (1, 0)])
def test_a_named_photo_meets_people_once_all_faces_there_are_can_be_found(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, blocks: int, met: int
) -> None:
    fill(workshop)
    workshop.work()
    for number in range(5):
        workshop.host.put(f"later{number}.jpg", photo([(CARLA, 200 + number, 100, 200)]))
    workshop.pipeline.sync(workshop.library.id)
    workshop.pipeline.detect(60)
    workshop.host.put("waits.jpg", photo([(CARLA, 200, 100, 200)]))
    workshop.pipeline.sync(workshop.library.id)
    workshop.host.put("named.jpg", photo([(BEN, 200, 100, 200)]))
    listed = workshop.host.listing(lambda _key, _change: None)
    named = [entry for entry in listed if isinstance(entry, HostAsset) and entry.path == "named.jpg"]
    monkeypatch.setattr(workshop.host, "look_up_named", lambda _keys: named, raising=False)
    monkeypatch.setattr(pipeline, "INDEX_BLOCK", 3)
    monkeypatch.setattr(pipeline, "FEW_BLOCKS", blocks)
    asked: list[set[int]] = []
    meet = recognition.Recognition.meet

    def watched(self: recognition.Recognition, account_id: int, asset_ids: list[int]) -> int:
        asked.append(workshop.index.ids("opencv"))
        return meet(self, account_id, asset_ids)

    monkeypatch.setattr(recognition.Recognition, "meet", watched)
    assert workshop.pipeline.take_named(workshop.library.id, ["named.jpg"]) == 1
    assert [len(ids) for ids in asked] == [16] * met
    assert sum("named.jpg" in paths for paths in workshop.people()) == met


def test_a_named_photo_is_looked_at_although_the_index_is_broken(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object) -> None:
        raise SearchIndexError("The index cannot be read")

    fill(workshop)
    workshop.pipeline.sync(workshop.library.id)
    workshop.host.put("named.jpg", photo([(BEN, 200, 100, 200)]))
    listed = workshop.host.listing(lambda _key, _change: None)
    named = [entry for entry in listed if isinstance(entry, HostAsset) and entry.path == "named.jpg"]
    monkeypatch.setattr(workshop.host, "look_up_named", lambda _keys: named, raising=False)
    monkeypatch.setattr(workshop.index, "add", broken)
    assert workshop.pipeline.take_named(workshop.library.id, ["named.jpg"]) == 1
    assert workshop.catalogue.detection.status().done == 1


def test_doing_everything_twice_changes_nothing(workshop: Workshop) -> None:
    fill(workshop)
    workshop.work()
    before = [(row.face.id, row.face.person_id) for row in workshop.catalogue.faces.export(None)]
    workshop.work()
    assert [(row.face.id, row.face.person_id) for row in workshop.catalogue.faces.export(None)] == before


def test_an_asset_that_rests_before_another_try_does_not_hold_up_recognition(workshop: Workshop) -> None:
    fill(workshop)
    workshop.work()
    for path in ("more1.jpg", "more2.jpg"):
        workshop.host.put(path, photo([(CARLA, 210, 100, 200)]))
    workshop.pipeline.sync(workshop.library.id)
    (resting,) = workshop.catalogue.detection.claim("test", 1, 60)
    workshop.catalogue.detection.fail(resting, "host_unreachable", "away", permanent=False)
    workshop.pipeline.detect(60)
    assert workshop.pipeline.recognise() is not None
    assert len(workshop.people()) == 3


@pytest.mark.parametrize(("seconds", "waits"), [(60, True), (3600, False)])
def test_a_short_rest_of_a_host_in_mid_backlog_starts_no_recognition_and_a_long_one_does(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, seconds: float, waits: bool
) -> None:
    fill(workshop)
    for number in range(20):
        workshop.host.put(f"more{number}.jpg", photo([]))
    opened, given = [], workshop.host.open

    def busy_at_the_third(host_key: str) -> Any:
        opened.append(host_key)
        if len(opened) == 3:
            raise HostBusy("It is overloaded", "Wait", seconds)
        return given(host_key)

    monkeypatch.setattr(workshop.host, "open", busy_at_the_third)
    workshop.pipeline.sync(workshop.library.id)
    workshop.pipeline.detect(60)
    assert len(opened) < 20, "it rests"
    assert (workshop.pipeline.recognise() is None) == waits
    assert workshop.pipeline.recognise(as_it_is=True) is not None, "in the foreground nobody comes back"


def test_short_rests_one_after_the_other_become_a_long_one_unless_something_is_given_in_between() -> None:
    now = 0.0
    resting = RestingLibraries(lambda: now)
    for minute in range(10):
        now = minute * 61.0
        resting.rest(1, 60)
        resting.rest(2, 60)
        resting.answered(2)
    assert resting.now() == {1, 2}
    assert resting.long() == {1}
    now += 61
    assert not resting.long(), "it is asked again"


def test_stopping_in_the_middle_leaves_the_rest_for_the_next_start(workshop: Workshop) -> None:
    fill(workshop)
    workshop.pipeline.sync(workshop.library.id)
    workshop.stop = True
    workshop.pipeline.detect(60)
    assert workshop.catalogue.detection.status().done == 0
    workshop.stop = False
    workshop.work()
    assert workshop.people() == EXPECTED


def test_the_leases_of_a_killed_run_are_given_back_at_the_next_start(workshop: Workshop) -> None:
    fill(workshop)
    workshop.pipeline.sync(workshop.library.id)
    assert workshop.catalogue.detection.claim("test", 100, 3600)
    assert workshop.pipeline.detect(60).assets == 0
    workshop.pipeline.begin()
    workshop.work()
    assert workshop.people() == EXPECTED


def test_a_photo_that_kills_the_process_every_time_is_given_up(workshop: Workshop) -> None:
    workshop.host.put("poison.jpg", photo([(ANNA, 60, 48, 160)]))
    workshop.pipeline.sync(workshop.library.id)
    for _ in range(10):
        workshop.catalogue.detection.claim("test", 1, 3600)
        workshop.pipeline.begin()
    status = workshop.catalogue.detection.status()
    assert (status.waiting, status.running, status.failed) == (0, 0, 1)


def test_without_a_model_no_asset_is_at_fault(workshop: Workshop) -> None:
    fill(workshop)
    workshop.pipeline.sync(workshop.library.id)
    workshop.preferences.save(pack="buffalo_s")
    assert workshop.pipeline.detect(60).assets == 0
    assert "licence" in workshop.pipeline.troubles.now["model"]
    assert workshop.catalogue.detection.status().failed == 0
    workshop.preferences.save(pack="opencv")
    workshop.work()
    assert workshop.pipeline.troubles.now == {}


def test_no_model_is_fetched_before_there_is_work(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop.models, "load", lambda name: pytest.fail(f"{name} was loaded"))
    assert workshop.pipeline.detect(60).assets == 0
    assert workshop.pipeline.troubles.now == {}


def test_a_host_that_is_away_stops_only_its_own_library(workshop: Workshop) -> None:
    fill(workshop)
    workshop.work()
    workshop.host.unreachable = True
    with pytest.raises(HostUnreachable):
        workshop.pipeline.sync(workshop.library.id)
    workshop.pipeline.sync_all(lambda library, seen: None)
    assert "Album" in workshop.pipeline.troubles.now
    assert workshop.people() == EXPECTED


def test_a_foreground_scan_tells_how_far_it_is_and_counts_at_the_end(workshop: Workshop) -> None:
    fill(workshop)
    workshop.host.put("broken.jpg", b"no picture")
    told: list[ScanProgress] = []
    summary = ForegroundScan(workshop.pipeline, workshop.catalogue, 2, lambda: 2).run(told.append)
    assert (summary.assets, summary.faces, summary.people, summary.unassigned) == (8, 10, 2, 1)
    assert [(failure.code, failure.count) for failure in summary.failures] == [("picture_broken", 1)]
    assert list(dict.fromkeys(progress.stage for progress in told)) == list(ScanStage)
    last = [progress for progress in told if progress.stage is ScanStage.DETECT][-1]
    assert (last.done, last.total, last.failed, last.faces) == (8, 8, 1, 10)


class TestAPause:
    def test_while_work_rests_nothing_is_claimed_loaded_or_recognised(
        self, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(workshop)
        workshop.pipeline.sync(workshop.library.id)
        workshop.pipeline.held = lambda: True
        loaded = list[str]()
        monkeypatch.setattr(workshop.models, "load", loaded.append)
        assert workshop.pipeline.detect(60).assets == 0
        assert not workshop.pipeline.detect(60).more
        assert loaded == []
        status = workshop.catalogue.detection.status()
        assert (status.running, status.waiting) == (0, 7)

    def test_what_was_begun_is_finished_and_nothing_stays_leased(self, workshop: Workshop) -> None:
        fill(workshop)
        workshop.pipeline.sync(workshop.library.id)
        looked_at = list[int]()
        workshop.pipeline.held = lambda: len(looked_at) >= 1
        done = workshop.pipeline.detect(60, lambda asset, faces: looked_at.append(asset.id))
        status = workshop.catalogue.detection.status()
        assert not done.more
        assert 1 <= done.assets < 7 or status.waiting == 0
        assert status.running == 0

    def test_after_it_everything_goes_on_as_if_nothing_had_been(self, workshop: Workshop) -> None:
        fill(workshop)
        workshop.pipeline.held = lambda: True
        workshop.work()
        assert workshop.people() == []
        workshop.pipeline.held = lambda: False
        workshop.work()
        assert workshop.people() == EXPECTED

    def test_recognition_waits_too(self, workshop: Workshop) -> None:
        fill(workshop)
        workshop.pipeline.sync(workshop.library.id)
        workshop.pipeline.detect(60)
        workshop.pipeline.held = lambda: True
        assert workshop.pipeline.recognise() is None
        assert workshop.pipeline.nightly() is None
        assert workshop.people() == []
        workshop.pipeline.held = lambda: False
        workshop.pipeline.recognise()
        assert workshop.people() == EXPECTED

    def test_the_second_look_of_the_night_is_made_after_it(
        self, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(workshop)
        workshop.work()
        looks = spy_on_second_looks(monkeypatch)
        workshop.pipeline.held = lambda: True
        assert not workshop.pipeline.owes_second_look()
        assert workshop.pipeline.nightly() is None
        assert looks == []
        assert not workshop.pipeline.owes_second_look(), "not while the pause lasts"
        workshop.pipeline.held = lambda: False
        assert workshop.pipeline.owes_second_look()
        assert workshop.pipeline.nightly() is not None
        assert looks == [1]
        assert not workshop.pipeline.owes_second_look()

    def test_a_second_look_that_it_cuts_off_is_owed(self, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
        """Between one account and the next."""
        workshop.catalogue.accounts.add("ben", None, is_admin=False)
        looks = spy_on_second_looks(monkeypatch)
        workshop.pipeline.held = lambda: bool(looks)
        assert workshop.pipeline.nightly() is None
        assert looks == [1]
        workshop.pipeline.held = lambda: False
        assert workshop.pipeline.owes_second_look()
        workshop.pipeline.nightly()
        assert looks == [1, 1, 2]


def spy_on_second_looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The accounts whose faces are looked at once more."""
    looks = list[int]()
    look_again = Regrouping.look_again

    def watched(self: Regrouping, account_id: int) -> int:
        looks.append(account_id)
        return look_again(self, account_id)

    monkeypatch.setattr(Regrouping, "look_again", watched)
    return looks


def test_a_limited_share_of_the_processors_changes_nothing_but_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr("plugin.restraint.time.sleep", rests.append)
    workshop = Workshop(share=CpuShare(5, 1, 1))
    for number in range(2):
        workshop.host.put(f"anna{number}.jpg", photo([(ANNA, 60 + 10 * number, 48, 160)]))
    workshop.work()
    assert rests
    assert workshop.people() == [{"anna0.jpg", "anna1.jpg"}]
