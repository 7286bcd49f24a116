"""Names and a served PhotoPrism: written as markers, changed there, taken over, undone, and nothing left behind."""

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import schemathesis
import urllib3
from PIL import Image
from werkzeug.wrappers import Request, Response

from plugin.catalogue.store import open_in_memory
from plugin.domain import AssignedBy, FaceState, HostAsset
from plugin.hosts.network.limits import Limits
from plugin.hosts.network.login import Login
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.options import PhotoPrismOptions
from plugin.intake import Intake
from plugin.people import People
from plugin.ports.written import NameKind, WriteState
from plugin.writeback import Taken, WriteBack
from plugin.writeback.from_hosts import last_look
from tests.fakes.album import NudgeLog, at_degrees, found_face
from tests.fakes.photoprism import FakePhotoPrism
from tests.fakes.photoprism.description import description
from tests.fakes.photoprism.people import MANUAL, FakeMarker

ANNA, SWIM = "2024/anna.jpg", "2024/anna swims.heic"


class Home:
    """Anna's face was found on two photos of a PhotoPrism, and Kinfolk's user named it."""

    def __init__(self, server: FakePhotoPrism) -> None:
        self.server, self.library_there = server, server.library
        out = io.BytesIO()
        Image.new("RGB", (900, 600), "red").save(out, "JPEG")
        for path in (ANNA, SWIM):
            server.library.put(path, out.getvalue())
        login = Login(server.address, "app", server.library.token())
        self.waited: list[float] = []
        client = PhotoPrismClient(login, Limits(pause_seconds=30), sleep=self.waited.append)
        self.host = PhotoPrismHost(client, PhotoPrismOptions())
        self.catalogue = open_in_memory()
        self.account = self.catalogue.accounts.all()[0]
        self.library = self.catalogue.libraries.add(self.account.id, "photoprism", "Photos", server.address)
        listed = [entry for entry in self.host.listing(lambda _key, _change: None) if isinstance(entry, HostAsset)]
        self.catalogue.assets.seen(self.library.id, listed, self.catalogue.libraries.sync_started(self.library.id))
        self.people = People(self.catalogue, NudgeLog())
        self.anna = self.catalogue.people.add(self.account.id, "Anna")
        self.faces: dict[str, int] = {}
        for asset in self.catalogue.detection.claim("test", 10, 60):
            (face_id,) = self.catalogue.detection.finish(asset, "opencv", [found_face(at_degrees(0))], (900, 600), None)
            self.faces[asset.path] = face_id
            self.catalogue.faces.assign([(face_id, self.anna)], AssignedBy.MACHINE)
        self.writing = WriteBack(
            self.catalogue, lambda _library: self.host, lambda _stream: 1, lambda: None, people=self.people
        )

    def write(self) -> None:
        self.writing.run(self.library.id, NameKind.MARKERS)

    def start(self) -> None:
        self.writing.start(self.library, NameKind.MARKERS)
        self.write()

    def take(self) -> Taken:
        self.catalogue.preferences.delete(last_look(self.library.id))
        taken = self.writing.take_over(self.library.id)
        assert taken is not None
        return taken

    def here(self) -> str:
        return self.catalogue.people.get(self.anna, self.account.id).name

    def there(self) -> list[list[str]]:
        return [self.library_there.names(path) for path in (ANNA, SWIM)]

    def error(self) -> str:
        setting = self.catalogue.written.setting(self.library.id, NameKind.MARKERS)
        assert setting is not None
        return setting.error


@pytest.fixture
def home() -> Iterator[Home]:
    with FakePhotoPrism() as server:
        made = Home(server)
        yield made
        made.host.close()
        made.catalogue.close()


@pytest.mark.parametrize("lingers", [False, True])
def test_the_round_trip(home: Home, lingers: bool) -> None:
    home.library_there.people.lingers = lingers
    assert home.writing.preview(home.library, NameKind.MARKERS).put == 2
    assert home.there() == [[], []], "a preview writes nothing"
    home.start()
    assert home.there() == [["Anna"], ["Anna"]]
    (marker,) = home.library_there.markers(ANNA)
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    assert marker.box == pytest.approx((box.x, box.y, box.w, box.h))
    assert (marker.src, marker.subj_src) == (MANUAL, MANUAL)

    home.library_there.people.rename(marker.subj_uid, "Anna Maria")
    assert home.take() == Taken(renamed=1)
    assert home.here() == "Anna Maria"
    home.write()
    assert home.there() == [["Anna Maria"], ["Anna Maria"]]

    home.catalogue.events.undo(home.account.id)
    assert home.here() == "Anna"
    home.write()
    assert home.there() == [["Anna"], ["Anna"]]
    assert home.catalogue.verdicts.all(home.account.id) == [], "what we wrote never came back as somebody's word"

    home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    assert home.there() == [[], []]
    home.library_there.people.purge()
    assert home.library_there.people.subjects == {}
    assert [found for found in home.library_there.people.markers.values() if found.is_shown] == []
    assert home.catalogue.written.setting(home.library.id, NameKind.MARKERS) is None
    assert home.here() == "Anna"


def writes(home: Home) -> int:
    return sum(number for method, number in home.server.asked.items() if method != "GET")


def test_a_rename_here_is_one_request_there(home: Home) -> None:
    home.start()
    before = len(home.server.seen)
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    home.write()
    assert home.there() == [["Anna Maria"], ["Anna Maria"]]
    written = [(seen.method, seen.path.split("/")[3]) for seen in home.server.seen[before:] if seen.method != "GET"]
    assert written == [("PUT", "subjects")]


def test_a_name_that_is_spelled_otherwise_there_is_the_same_name(home: Home) -> None:
    home.catalogue.people.rename(home.anna, home.account.id, 'Anna "Anni" B.')
    home.start()
    assert home.there() == [["Anna Anni B."], ["Anna Anni B."]]
    before = writes(home)
    assert home.take() == Taken()
    home.write()
    assert writes(home) == before
    assert home.here() == 'Anna "Anni" B.'


def test_a_name_given_by_hand_there_is_never_overwritten(home: Home) -> None:
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    marker = home.library_there.people.detect(
        home.library_there.primary(ANNA).uid, (box.x, box.y, box.w, box.h), guess="Somebody"
    )
    home.library_there.people.update(marker.uid, {"Name": "Berta", "SubjSrc": MANUAL})
    home.start()
    assert home.there() == [["Berta"], ["Anna"]]
    assert home.catalogue.faces.get(home.faces[ANNA]).person_name == "Berta", "it was taken over instead"
    home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    assert home.there() == [["Berta"], []]


def test_a_guess_gives_way_to_a_name_and_no_second_marker_is_made(home: Home) -> None:
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    file = home.library_there.primary(ANNA).uid
    home.library_there.people.detect(file, (box.x, box.y, box.w * 1.3, box.h), guess="Somebody")
    home.start()
    assert home.there() == [["Anna"], ["Anna"]]
    assert len(home.library_there.markers(ANNA)) == 1
    home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    (marker,) = home.library_there.markers(ANNA)
    assert (marker.is_shown, marker.name) == (True, ""), "the face PhotoPrism found is still there"


@pytest.mark.parametrize("lingers", [False, True])
def test_a_face_taken_away_here_is_no_face_there_and_one_again_when_it_is_brought_back(
    home: Home, lingers: bool
) -> None:
    home.library_there.people.lingers = lingers
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    home.library_there.people.detect(home.library_there.primary(ANNA).uid, (box.x, box.y, box.w, box.h))
    home.start()
    home.people.ignore(home.account.id, home.faces[ANNA])
    home.write()
    assert [found.invalid for found in home.library_there.markers(ANNA)] == [True]
    assert home.take() == Taken()
    home.catalogue.events.undo(home.account.id)
    home.write()
    assert [found.invalid for found in home.library_there.markers(ANNA)] == [False]
    assert home.there()[0] == ["Anna"]


def was_there_before(home: Home) -> None:
    """Somebody had named Anna on one photo, and that was taken over."""
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    file = home.library_there.primary(ANNA).uid
    old = home.library_there.people.detect(file, (box.x, box.y, box.w, box.h))
    home.library_there.people.update(old.uid, {"Name": "Anna", "SubjSrc": MANUAL})
    home.take()


@pytest.mark.parametrize("lingers", [False, True])
def test_a_person_who_was_there_before_gets_the_old_name_back(home: Home, lingers: bool) -> None:
    home.library_there.people.lingers = lingers
    was_there_before(home)
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    home.write()
    assert home.there() == [["Anna Maria"], ["Anna Maria"]]
    home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    assert home.there() == [["Anna"], []]


@pytest.mark.parametrize("lingers", [False, True])
def test_who_got_the_old_name_back_and_is_written_again_stays_one_person_there(home: Home, lingers: bool) -> None:
    home.library_there.people.lingers = lingers
    was_there_before(home)
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    home.write()
    home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    assert home.there() == [["Anna"], []]
    assert home.take() == Taken()
    home.start()
    assert home.there() == [["Anna Maria"], ["Anna Maria"]]
    assert list(home.library_there.people.subjects.values()) == ["Anna Maria"]


def lost(home: Home, method: str, path: str, status: int = 504) -> None:
    """What is asked this way is done, but nobody hears of it. Then the answers come again."""

    def unheard(request: Request) -> Response | None:
        if request.method != method or path not in request.path:
            return None
        home.server.answer(request)
        return Response("<html>", status, content_type="text/html")

    home.server.interfere = unheard
    home.write()
    home.server.interfere = lambda _request: None
    home.host.client._busy = None


def test_an_old_name_given_back_by_a_request_nobody_heard_of_renames_nobody_here(home: Home) -> None:
    was_there_before(home)
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    home.write()
    home.writing.remove(home.library, NameKind.MARKERS)
    lost(home, "PUT", "/subjects/")
    assert home.there()[0] == ["Anna"]
    assert home.take() == Taken()
    home.write()
    assert (home.here(), home.there()) == ("Anna Maria", [["Anna"], []])


def test_a_rename_nobody_heard_of_is_not_taken_for_somebodys_word(home: Home) -> None:
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, 'Anna "Mia" Maria')
    lost(home, "PUT", "/subjects/")
    home.catalogue.people.rename(home.anna, home.account.id, "Annika")
    assert home.take() == Taken()
    home.write()
    assert (home.here(), home.there()) == ("Annika", [["Annika"], ["Annika"]])


def test_a_rename_nobody_heard_of_does_not_lose_the_name_from_before(home: Home) -> None:
    was_there_before(home)
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    lost(home, "PUT", "/subjects/")
    home.write()
    home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    assert (home.here(), home.there()) == ("Anna Maria", [["Anna"], []])


@pytest.mark.parametrize("name", ["Anna", 'Anna "Anni" B.'])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_who_was_named_by_a_request_nobody_heard_of_is_known_there(home: Home, method: str, name: str) -> None:
    home.catalogue.people.rename(home.anna, home.account.id, name)
    home.catalogue.faces.assign([(home.faces[SWIM], None)], AssignedBy.USER, FaceState.UNASSIGNED)
    if method == "PUT":
        box = home.catalogue.faces.get(home.faces[ANNA]).box
        home.library_there.people.detect(home.library_there.primary(ANNA).uid, (box.x, box.y, box.w, box.h))
    home.writing.start(home.library, NameKind.MARKERS)
    lost(home, method, "/markers", 503)
    home.write()
    home.library_there.people.rename(next(iter(home.library_there.people.subjects)), "Anna Maria")
    assert home.take() == Taken(renamed=1)
    assert home.here() == "Anna Maria"
    home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    assert home.there() == [[], []]
    assert home.library_there.people.subjects == {}


def test_a_name_somebody_gives_there_after_a_rename_that_was_never_done_is_taken_over(home: Home) -> None:
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    refused = Response("{}", 500, content_type="application/json")
    home.server.interfere = lambda request: refused if "/subjects/" in request.path else None
    home.write()
    home.server.interfere = lambda _request: None
    home.catalogue.people.rename(home.anna, home.account.id, "Anna")
    home.write()
    home.library_there.people.rename(next(iter(home.library_there.people.subjects)), "Anna Maria")
    assert home.take() == Taken(renamed=1)
    assert home.here() == "Anna Maria"


def uid_of(home: Home, name: str) -> str:
    uid = home.library_there.people.find(name)
    assert uid is not None
    return uid


def another_primary(home: Home, path: str) -> None:
    """A stack shows another of its files from now on."""
    photo = home.library_there.found(path)
    other = home.library_there.stack(photo, "2024/edited.jpg", b"edited")
    for file in photo.files:
        file.primary = file is other
    Intake(home.catalogue).sync(home.catalogue.libraries.get(home.library.id), home.host)


@pytest.mark.parametrize("removing", [False, True])
def test_markers_of_ours_go_from_a_file_that_is_not_shown_any_more(home: Home, removing: bool) -> None:
    home.start()
    photo = home.library_there.found(ANNA)
    another_primary(home, ANNA)
    by_hand = home.library_there.people.detect(photo.files[0].uid, (0.8, 0.8, 0.1, 0.1))
    home.library_there.people.update(by_hand.uid, BERTA)
    if removing:
        home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    names = [home.library_there.people.named(file.uid) for file in photo.files]
    assert names == [["Berta"], [] if removing else ["Anna"]]
    assert len(home.library_there.people.of_file(photo.files[0].uid)) == 2
    if not removing:
        home.writing.remove(home.library, NameKind.MARKERS)
        home.write()
        assert [home.library_there.people.named(file.uid) for file in photo.files] == [["Berta"], []]


@pytest.mark.parametrize("lingers", [False, True])
def test_a_merge_here_moves_markers_and_its_undo_moves_them_back(home: Home, lingers: bool) -> None:
    home.library_there.people.lingers = lingers
    ben = home.catalogue.people.add(home.account.id, "Ben")
    home.catalogue.faces.assign([(home.faces[SWIM], ben)], AssignedBy.USER)
    home.start()
    assert home.there() == [["Anna"], ["Ben"]]
    home.people.merge(home.account.id, home.anna, [ben])
    home.write()
    assert home.there() == [["Anna"], ["Anna"]]
    assert sorted(home.library_there.people.subjects.values()) == (["Anna", "Ben"] if lingers else ["Anna"])
    assert home.take() == Taken()
    home.catalogue.events.undo(home.account.id)
    home.write()
    assert home.there() == [["Anna"], ["Ben"]]
    home.library_there.people.rename(uid_of(home, "Ben"), "Benjamin")
    assert home.take() == Taken(renamed=1)
    assert [home.here(), home.catalogue.people.get(ben, home.account.id).name] == ["Anna", "Benjamin"]
    home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    assert home.there() == [[], []]
    home.library_there.people.purge()
    assert home.library_there.people.subjects == {}


def test_a_busy_photoprism_is_asked_again_soon(home: Home) -> None:
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    home.server.busy = 2
    home.write()
    assert home.there() == [["Anna Maria"], ["Anna Maria"]]
    assert home.waited == [2.0, 2.0]
    assert home.error() == ""


def test_a_photoprism_that_stays_busy_ends_the_run_with_the_reason(home: Home) -> None:
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    home.server.busy = 99
    home.write()
    assert "PhotoPrism slows Kinfolk down" in home.error()
    setting = home.catalogue.written.setting(home.library.id, NameKind.MARKERS)
    assert setting is not None
    assert setting.due_at is not None
    assert setting.state is WriteState.ON


@pytest.mark.parametrize(
    ("cause", "said"),
    [("wakeup", "PHOTOPRISM_WAKEUP_INTERVAL"), ("people", "switched off"), ("scope", "scopes files and people")],
)
def test_a_refusal_says_what_to_change_there(home: Home, cause: str, said: str) -> None:
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    home.library_there.people.detect(home.library_there.primary(ANNA).uid, (box.x, box.y, box.w, box.h))
    if cause == "wakeup":
        home.server.wakeup = 24
    elif cause == "people":
        home.library_there.features["people"] = False
    else:
        for session in home.library_there.sessions.values():
            session.scope = "photos people"
    home.start()
    assert said in home.error()
    assert home.there()[0] == []


@pytest.mark.parametrize("sides", [(1.5, 0.2, 0.1, 0.1), (0.9, 0.9, 0.5, 0.5), (0.4, 0.4, 0, 0.2), (-3, -3, 1, 1)])
def test_a_marker_outside_the_picture_is_counted_and_nobodys(home: Home, sides: tuple[float, ...]) -> None:
    marker = home.library_there.people.detect(home.library_there.primary(ANNA).uid, (0.4, 0.4, 0.2, 0.2))
    home.library_there.people.update(marker.uid, {"Name": "Berta", "SubjSrc": MANUAL})
    marker.box = (sides[0], sides[1], sides[2], sides[3])
    assert home.take() == Taken(unusable=1)
    assert home.catalogue.faces.get(home.faces[ANNA]).person_name == "Anna"


def test_a_marker_that_reaches_over_the_edge_is_cut_to_the_picture(home: Home) -> None:
    marker = home.library_there.people.detect(home.library_there.primary(ANNA).uid, (0.4, 0.4, 0.2, 0.2))
    home.library_there.people.update(marker.uid, {"Name": "Berta", "SubjSrc": MANUAL})
    marker.box = (-0.01, 0.4, 0.2, 0.2)
    (found,) = home.host.marked(home.library_there.found(ANNA).uid).markers
    assert found.box.x == 0.0
    assert found.box.w == pytest.approx(0.19)


def test_a_marker_that_goes_between_reading_and_writing_is_read_again_later(home: Home) -> None:
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    file = home.library_there.primary(ANNA).uid
    marker = home.library_there.people.detect(file, (box.x, box.y, box.w, box.h))
    home.server.interfere = lambda request: gone(home, marker.uid) if request.method == "PUT" else None
    home.start()
    assert home.there() == [[], ["Anna"]]
    (problem,) = home.catalogue.written.counts(home.library.id, NameKind.MARKERS).problems
    assert problem.code == "asset_gone"
    home.server.interfere = lambda _request: None
    home.writing.start(home.library, NameKind.MARKERS)
    home.write()
    assert home.there() == [["Anna"], ["Anna"]]


@pytest.mark.parametrize("guess", ["", "Somebody"])
@pytest.mark.parametrize("moment", ["before it is written", "during a wait", "after an answer nobody heard"])
def test_a_name_given_by_hand_between_reading_and_writing_stays(home: Home, moment: str, guess: str) -> None:
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    people = home.library_there.people
    detected = (box.x, box.y, box.w, box.h)
    marker = people.detect(home.library_there.primary(ANNA).uid, detected, guess)
    people.update(people.detect(home.library_there.primary(SWIM).uid, (0.8, 0.8, 0.1, 0.1)).uid, BERTA)
    home.server.interfere = lambda request: named_by_hand(home, marker.uid, moment, request)
    home.start()
    home.server.interfere = lambda _request: None
    home.host.client._busy = None
    home.take()
    home.write()
    assert home.there() == [["Berta"], ["Anna", "Berta"]]
    assert home.error() == ""


BERTA = {"Name": "Berta", "SubjSrc": MANUAL}


def named_by_hand(home: Home, marker_id: str, moment: str, request: Request) -> Response | None:
    """Somebody there is faster than the request that names this marker."""
    if home.library_there.people.markers[marker_id].name == "Berta":
        return None
    if moment == "before it is written":
        # The photos are listed once by their key before each write.
        if request.method == "GET" and home.library_there.found(ANNA).uid in request.args.get("q", ""):
            answer = home.server.answer(request)
            home.library_there.people.clear(marker_id)
            home.library_there.people.update(marker_id, BERTA)
            return answer
    elif request.method == "PUT" and marker_id in request.path:
        home.library_there.people.update(marker_id, BERTA)
        status = 429 if moment == "during a wait" else 503
        return Response("{}", status, headers={"Retry-After": "1"}, content_type="application/json")
    return None


def taken_off(home: Home) -> None:
    home.people.reject_all(home.account.id, [home.faces[ANNA]], home.anna)


def denied(home: Home) -> None:
    home.people.ignore(home.account.id, home.faces[ANNA])


def given_to_ben(home: Home) -> None:
    ben = home.catalogue.people.add(home.account.id, "Ben")
    home.catalogue.faces.assign([(home.faces[ANNA], ben)], AssignedBy.USER)


def brought_back(home: Home) -> None:
    denied(home)
    home.write()
    home.catalogue.events.undo(home.account.id)


CHANGES = [taken_off, denied, given_to_ben, brought_back]


def there_already(home: Home, *, found: bool) -> FakeMarker:
    """Anna's marker on her first photo: PhotoPrism found the face, or we drew it."""
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    if found:
        home.library_there.people.detect(home.library_there.primary(ANNA).uid, (box.x, box.y, box.w, box.h))
    home.start()
    (marker,) = home.library_there.markers(ANNA)
    return marker


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_marker_waits_while_photoprism_is_busy(
    home: Home, change: Callable[[Home], None], found: bool
) -> None:
    there_already(home, found=found)
    change(home)
    home.server.interfere = busy_twice(2)
    home.write()
    home.server.interfere = lambda _request: None
    assert home.error() == ""
    assert home.there() == [["Ben"] if change is given_to_ben else ["Anna"] if change is brought_back else [], ["Anna"]]
    assert home.waited[:2] == [2.0, 2.0]


def busy_twice(times: int) -> Callable[[Request], Response | None]:
    """Each change is put off so often before it is done."""
    asked = Counter[tuple[str, str]]()

    def interfere(request: Request) -> Response | None:
        if request.method in {"GET", "POST"}:
            return None
        asked[request.method, request.path] += 1
        busy = asked[request.method, request.path] <= times
        return Response("{}", 429, content_type="application/json") if busy else None

    return interfere


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize("moment", ["before it is written", "during a wait"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_name_given_by_hand_while_ours_is_changed_stays(
    home: Home, change: Callable[[Home], None], moment: str, found: bool
) -> None:
    people = home.library_there.people
    marker = there_already(home, found=found)
    change(home)
    uid, asked = home.library_there.found(ANNA).uid, []

    def faster(request: Request) -> Response | None:
        if people.markers[marker.uid].name == "Berta":
            return None
        if moment == "before it is written":
            asked.append(request.method == "GET" and uid in request.args.get("q", ""))
            if not asked[-1] or sum(asked) > 1:
                return None
            answer = home.server.answer(request)
            by_hand(home, marker)
            return answer
        if marker.uid not in request.path:
            return None
        by_hand(home, marker)
        return Response("{}", 429, headers={"Retry-After": "1"}, content_type="application/json")

    home.server.interfere = faster
    home.write()
    home.server.interfere = lambda _request: None
    home.host.client._busy = None
    home.take()
    home.write()
    assert home.there() == [["Berta"], ["Anna"]]
    assert home.error() == ""


def by_hand(home: Home, marker: FakeMarker) -> None:
    home.library_there.people.clear(marker.uid)
    home.library_there.people.update(marker.uid, BERTA | {"Invalid": False})


def test_a_face_somebody_marks_during_a_wait_gets_no_second_marker(home: Home) -> None:
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    file = home.library_there.primary(ANNA).uid

    def faster(request: Request) -> Response | None:
        if request.method != "POST" or home.library_there.markers(ANNA):
            return None
        sides = {"X": box.x, "Y": box.y, "W": box.w, "H": box.h}
        home.library_there.people.create({"FileUID": file, **sides, **BERTA})
        return Response("{}", 429, headers={"Retry-After": "1"}, content_type="application/json")

    home.server.interfere = faster
    home.start()
    assert home.there() == [["Berta"], ["Anna"]]
    assert len(home.library_there.markers(ANNA)) == 1


def gone(home: Home, marker_id: str) -> None:
    """Somebody there is faster."""
    home.library_there.people.markers.pop(marker_id, None)


@pytest.mark.parametrize("status", [200, 201, 500, 502, 503])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_page_or_an_error_instead_of_an_answer_ends_the_run_and_the_next_one_makes_no_second_marker(
    home: Home, method: str, status: int
) -> None:
    def page(request: Request) -> Response | None:
        if request.method != method:
            return None
        if method == "POST":
            home.server.answer(request)  # it was done, but nobody hears of it
        return Response("<!doctype html><title>Sign in</title>", status, content_type="text/html")

    home.server.interfere = page
    home.start()
    assert home.error() or home.catalogue.written.counts(home.library.id, NameKind.MARKERS).problems
    home.server.interfere = lambda _request: None
    home.host.client._busy = None
    home.start()
    assert home.there() == [["Anna"], ["Anna"]]
    assert [len(home.library_there.markers(path)) for path in (ANNA, SWIM)] == [1, 1]
    assert home.error() == ""


def test_a_marker_is_not_asked_for_twice_when_the_connection_breaks(home: Home) -> None:
    sent: list[str] = []
    session, request = home.host.client._session, home.host.client._session.request

    def breaks(method: str, url: str, **more: Any) -> requests.Response:
        sent.append(method)
        if method == "POST":
            request(method, url, **more).close()
            raise requests.ConnectionError
        return request(method, url, **more)

    session.request = breaks  # type: ignore[method-assign, assignment]
    home.start()
    session.request = request  # type: ignore[method-assign]
    assert sent.count("POST") == 1
    home.write()
    assert [len(home.library_there.markers(path)) for path in (ANNA, SWIM)] == [1, 1]
    assert home.there() == [["Anna"], ["Anna"]]


def test_everything_asked_and_answered_is_as_described(home: Home) -> None:
    described = description()
    schema: Any = schemathesis.openapi.from_dict(described)
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    home.write()
    home.people.ignore(home.account.id, home.faces[ANNA])
    home.write()
    home.writing.remove(home.library, NameKind.MARKERS)
    home.write()
    forms = {"/markers": "form.Marker", "/subjects": "form.Subject"}
    validated = 0
    for seen in home.server.seen:
        way = seen.path.removeprefix("/api/v1")
        path = re.sub(r"/(markers|subjects)/[^/]+", r"/\1/{uid}", f"/api/v1{way}")
        assert seen.method.lower() in described["paths"][path], (seen.method, path)
        if seen.said:
            form = described["definitions"][forms[re.sub(r"(?<=.)/.*", "", way)]]["properties"]
            asked = json.loads(seen.said)
            kinds = {"string": str, "number": int | float, "boolean": bool}
            assert all(isinstance(value, kinds[form[name]["type"]]) for name, value in asked.items()), asked
        if described["paths"][path][seen.method.lower()]["responses"]:
            answer = requests.Response()
            answer.status_code, answer._content = seen.status, seen.answer
            kind = {"Content-Type": "application/json; charset=utf-8"}
            answer.raw = urllib3.HTTPResponse(seen.answer, kind, seen.status)
            answer.headers.update(kind)
            answer.request = requests.Request(seen.method, f"{home.server.address}{seen.path}").prepare()
            schema[path][seen.method].validate_response(answer)
            validated += 1
    assert validated > 10


@pytest.mark.parametrize("verb", ["GET", "PUT"])
def test_one_marker_photoprism_cannot_save_keeps_no_other_photo_back(home: Home, verb: str) -> None:
    """It answers 500 to whatever is said about a marker that lies outside its picture."""
    box = home.catalogue.faces.get(home.faces[ANNA]).box
    files = [home.library_there.primary(path).uid for path in (ANNA, SWIM)]
    markers = [home.library_there.people.detect(file, (box.x, box.y, box.w, box.h)) for file in files]
    failed = Response("{}", 500, content_type="application/json")

    def interfere(request: Request) -> Response | None:
        about = request.path.endswith(markers[0].uid) or home.library_there.found(ANNA).uid in request.full_path
        return failed if request.method == verb and about else None

    home.server.interfere = interfere
    home.start()
    assert home.there() == [[], ["Anna"]]
    assert home.error() == ""
    (problem,) = home.catalogue.written.counts(home.library.id, NameKind.MARKERS).problems
    assert (problem.code, problem.count) == ("answer_failed", 1)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_rename_photoprism_does_not_take_keeps_nothing_else_back(home: Home, status: int) -> None:
    home.start()
    home.catalogue.people.rename(home.anna, home.account.id, "Anna Maria")
    ben = home.catalogue.people.add(home.account.id, "Ben")
    home.catalogue.faces.assign([(home.faces[SWIM], ben)], AssignedBy.USER)
    refused = Response("{}", status, content_type="application/json")
    home.server.interfere = lambda request: refused if "/subjects/" in request.path else None
    home.write()
    assert home.there()[1] == ["Ben"]
    home.server.interfere = lambda _request: None
    home.catalogue.people.rename(ben, home.account.id, "Benjamin")
    home.write()
    assert home.there() == [["Anna Maria"], ["Benjamin"]]


def test_a_name_photoprism_cannot_keep_is_counted_and_keeps_nothing_else_back(home: Home) -> None:
    odd = home.catalogue.people.add(home.account.id, "???")
    home.catalogue.faces.assign([(home.faces[SWIM], odd)], AssignedBy.USER)
    home.start()
    assert home.there() == [["Anna"], []]
    (problem,) = home.catalogue.written.counts(home.library.id, NameKind.MARKERS).problems
    assert (problem.code, problem.count) == ("write_refused", 1)
    assert [found for found in home.library_there.markers(SWIM) if found.is_shown] == []


def test_a_long_name_is_shortened_to_what_photoprism_takes(home: Home) -> None:
    home.catalogue.people.rename(home.anna, home.account.id, "Anna " * 39)
    home.start()
    ((name,), _) = home.there()
    assert len(name) <= 160
    before = writes(home)
    home.write()
    assert home.take() == Taken()
    assert writes(home) == before
