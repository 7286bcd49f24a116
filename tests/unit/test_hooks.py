"""Hooks: what a host tells is a reason to look, and nothing more."""

import json
import threading
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from plugin.assemble.hooks import NextcloudHooks
from plugin.catalogue.store import SqlCatalogue, open_in_memory
from plugin.domain import Library, LibraryId
from plugin.errors import (
    CertificateRefused,
    DiskFull,
    HostBusy,
    HostError,
    HostRefused,
    HostUnreachable,
    NotFound,
    Refused,
)
from plugin.hooks import GAP_SECONDS, MOST_NAMED, WAIT_SECONDS, Hooks, concerns
from plugin.hosts.nextcloud.address import Place
from tests.fakes.album import NudgeLog
from tests.fakes.hooks import FakeRegistrar, HandMovedTime
from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.nextcloud import webhooks as told
from tests.fakes.nextcloud.app_api import AppCloud
from tests.fakes.nextcloud.certificate import self_signed

URL = "http://kinfolk:8087/hooks/nextcloud/1"


@dataclass
class Setting:
    """Hooks of one library of Anna's, and one of her neighbour."""

    catalogue: SqlCatalogue
    library: Library
    foreign: Library
    registrar: FakeRegistrar = field(default_factory=FakeRegistrar)
    time: HandMovedTime = field(default_factory=HandMovedTime)
    synced: list[tuple[float, LibraryId]] = field(default_factory=list)

    named_files: list[str] = field(default_factory=list)

    def hooks(self) -> Hooks:
        rows = self.catalogue
        return Hooks(rows.hooks, rows.libraries, self.registrar, Told(self), self.time.start, lambda: self.time.now)


class Told(NudgeLog):
    """Remembers when a library was to be compared, and which files were named."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self._setting = setting

    def sync(self, library_id: LibraryId) -> None:
        self._setting.synced.append((self._setting.time.now - 1000, library_id))

    def named(self, library_id: LibraryId, host_keys: Sequence[str]) -> None:
        assert library_id == self._setting.library.id
        self._setting.named_files += host_keys


@pytest.fixture
def setting() -> Iterator[Setting]:
    catalogue = open_in_memory()
    owner = catalogue.accounts.all()[0].id
    neighbour = catalogue.accounts.add("neighbour", None, is_admin=False).id
    library = catalogue.libraries.add(owner, "nextcloud", "Anna", "https://anna@cloud.example.org")
    foreign = catalogue.libraries.add(neighbour, "nextcloud", "Ben", "https://ben@cloud.example.org")
    yield Setting(catalogue, library, foreign)
    catalogue.close()


@pytest.fixture
def hooks(setting: Setting) -> Hooks:
    return setting.hooks()


def test_one_upload_is_one_look_two_seconds_later(setting: Setting, hooks: Hooks) -> None:
    for payload in told.upload("/anna/files/Photos/new.jpg"):
        assert hooks.receive(setting.library.id, payload)
    assert setting.synced == []
    # Should Kinfolk be killed now, it looks after the next start.
    assert setting.catalogue.libraries.get(setting.library.id).sync_requested_at is not None
    setting.time.move(60)
    assert setting.synced == [(WAIT_SECONDS, setting.library.id)]


def test_what_comes_during_a_look_leads_to_another(setting: Setting, hooks: Hooks) -> None:
    (first, *_) = told.upload("/anna/files/a.jpg")
    hooks.receive(setting.library.id, first)
    setting.time.move(WAIT_SECONDS)
    hooks.receive(setting.library.id, first)
    setting.time.move(60)
    assert [at for at, _ in setting.synced] == [WAIT_SECONDS, WAIT_SECONDS + GAP_SECONDS]


def test_what_is_told_after_a_full_disk_is_heard_again(
    setting: Setting, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_library: LibraryId) -> None:
        raise DiskFull("There is no space left")

    (first, *_) = told.upload("/anna/files/a.jpg")
    with monkeypatch.context() as broken:
        broken.setattr(setting.catalogue.libraries, "request_sync", full)
        with pytest.raises(DiskFull):
            hooks.receive(setting.library.id, first)
    assert hooks.receive(setting.library.id, first)
    setting.time.move(60)
    assert setting.synced == [(WAIT_SECONDS, setting.library.id)]


def test_ten_thousand_events_in_a_minute_cost_six_looks_and_no_memory(setting: Setting, hooks: Hooks) -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(10_000):
        hooks.receive(setting.library.id, told.payload("NodeCreatedEvent", f"/anna/files/burst/{number}.jpg"))
        assert len(setting.time.due) <= 1
        setting.time.move(0.006)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    setting.time.move(60)
    assert len(setting.synced) <= 60 / GAP_SECONDS + 1
    assert setting.synced[-1][0] >= 60
    assert grown < 1_000_000


def test_the_file_that_was_named_is_looked_up_once_before_the_library_is_compared(
    setting: Setting, hooks: Hooks
) -> None:
    for payload in told.upload("/anna/files/Photos/new.jpg"):
        hooks.receive(setting.library.id, payload)
    hooks.receive(setting.library.id, told.rename("/anna/files/a.jpg", "/anna/files/b.jpg", node_id=438))
    hooks.receive(setting.library.id, told.payload("NodeDeletedEvent", "/anna/files/gone.jpg", node_id=None))
    setting.time.move(60)
    assert setting.named_files == ["437", "438"]
    assert len(setting.synced) == 1


def test_of_a_burst_only_so_many_files_are_looked_up_by_themselves(setting: Setting, hooks: Hooks) -> None:
    for number in range(1, 200):
        hooks.receive(setting.library.id, told.payload("NodeCreatedEvent", f"/anna/files/{number}.jpg", node_id=number))
    setting.time.move(WAIT_SECONDS)
    assert setting.named_files == [str(number) for number in range(1, MOST_NAMED + 1)]
    assert len(setting.synced) == 1


@pytest.mark.parametrize("number", [0, -1, 2**63, 1.5, True, "437", None, [437], {"id": 437}])
def test_an_id_that_is_none_is_not_asked_for(setting: Setting, hooks: Hooks, number: object) -> None:
    payload = told.payload("NodeCreatedEvent", node={"id": number, "path": "/anna/files/a.jpg"})
    assert hooks.receive(setting.library.id, payload)
    setting.time.move(60)
    assert setting.named_files == []
    assert len(setting.synced) == 1


def test_many_threads_at_once_are_one_look(setting: Setting, hooks: Hooks) -> None:
    payload = told.payload("NodeCreatedEvent", "/anna/files/a.jpg")
    threads = [threading.Thread(target=hooks.receive, args=(setting.library.id, payload)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(setting.time.due) == 1


@pytest.mark.parametrize(
    "payload",
    [
        told.payload("NodeDeletedEvent", "/anna/files/gone.jpg", node_id=None),
        told.rename("/anna/files/a.jpg", "/anna/files/b.jpg"),
        told.rename("/anna/files_trashbin/files/a.jpg.d1", "/anna/files/a.jpg"),
        told.payload("NodeCreatedEvent", "/anna/files/a folder"),
        told.payload("NodeDeletedEvent", "/anna/files/2024. Summer at the sea", node_id=None),
        told.payload("NodeWrittenEvent", "/anna/files/Photos/.nomedia"),
        told.payload("NodeWrittenEvent", "/anna/files/IMG.HEIC", user="ben"),
        told.payload("NodeWrittenEvent", "/anna/files/ä/日本.jpg"),
    ],
)
def test_what_concerns_the_library_is_a_reason_to_look(setting: Setting, hooks: Hooks, payload: bytes) -> None:
    assert hooks.receive(setting.library.id, payload)


@pytest.mark.parametrize(
    "payload",
    [
        told.payload("NodeCreatedEvent", "/ben/files/a.jpg"),
        told.payload("NodeCreatedEvent", "/annabel/files/a.jpg"),
        told.payload("NodeCreatedEvent", "/anna/files_versions/a.jpg"),
        told.payload("NodeCreatedEvent", "/anna/files_trashbin/files/a.jpg"),
        told.payload("NodeCreatedEvent", "/anna/files/letter.odt"),
        told.payload("NodeCreatedEvent", "http://169.254.169.254/latest/meta-data"),
        told.payload("NodeCreatedEvent", "../../etc/passwd"),
        told.payload("NodeCreatedEvent", ""),
        json.dumps({"event": {"class": "OCP\\SystemTag\\TagAssignedEvent", "objectIds": ["1"]}}).encode(),
        json.dumps({"event": {"node": {"id": 7}}}).encode(),
        json.dumps({"event": {"node": {"path": ["/anna/files/a.jpg"]}, "source": 7, "target": None}}).encode(),
    ],
)
def test_what_is_of_somebody_else_or_no_picture_is_ignored(setting: Setting, hooks: Hooks, payload: bytes) -> None:
    assert not hooks.receive(setting.library.id, payload)
    assert setting.time.due == []
    assert setting.catalogue.libraries.get(setting.library.id).sync_requested_at is None


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"{", b"[" * 60_000, b"\xff", b'{"event": 7}', b'{"event": null}']
)
def test_what_nextcloud_never_sends_is_refused(setting: Setting, hooks: Hooks, payload: bytes) -> None:
    with pytest.raises(Refused):
        hooks.receive(setting.library.id, payload)


def test_without_a_user_nothing_concerns_a_library() -> None:
    assert not concerns("//files/a.jpg", "")
    assert not concerns("/None/files/a.jpg", None)


def test_a_secret_opens_only_its_library_and_only_until_the_next(setting: Setting, hooks: Hooks) -> None:
    owner = setting.library.account_id
    hooks.register(owner, setting.library.id, URL, "admin", "secret password")
    (first,) = setting.registrar.asked
    assert hooks.opens(setting.library.id, first[3])
    assert not hooks.opens(setting.foreign.id, first[3])
    assert not hooks.opens(999, first[3])
    for wrong in ("", first[3][:-1], first[3] + "x", "x" * 100_000, "\udcff"):
        assert not hooks.opens(setting.library.id, wrong)
    hooks.register(owner, setting.library.id, URL, "admin", "secret password")
    assert not hooks.opens(setting.library.id, first[3])
    hook = hooks.of(setting.library)
    assert hook is not None
    assert setting.registrar.asked[-1][3] not in hook.secret_digest


def test_what_the_host_refused_leaves_the_former_secret_in_force(setting: Setting, hooks: Hooks) -> None:
    owner = setting.library.account_id
    hooks.register(owner, setting.library.id, URL, "admin", "x")
    setting.registrar.failure = HostUnreachable("It is away")
    with pytest.raises(HostUnreachable):
        hooks.register(owner, setting.library.id, URL, "admin", "x")
    assert hooks.opens(setting.library.id, setting.registrar.asked[0][3])


def test_removed_it_opens_nothing_even_when_the_host_is_away(setting: Setting, hooks: Hooks) -> None:
    owner = setting.library.account_id
    hooks.register(owner, setting.library.id, URL, "admin", "x")
    setting.registrar.failure = HostUnreachable("It is away")
    with pytest.raises(HostUnreachable):
        hooks.remove(owner, setting.library.id, URL, "admin", "x")
    assert not hooks.opens(setting.library.id, setting.registrar.asked[0][3])


def test_a_library_of_somebody_else_does_not_exist(setting: Setting, hooks: Hooks) -> None:
    with pytest.raises(NotFound):
        hooks.register(setting.library.account_id, setting.foreign.id, URL, "admin", "x")
    with pytest.raises(NotFound):
        hooks.remove(setting.library.account_id, setting.foreign.id, URL, "admin", "x")
    assert setting.registrar.asked == []


def test_a_folder_cannot_tell(setting: Setting, hooks: Hooks) -> None:
    owner = setting.library.account_id
    folder = setting.catalogue.libraries.add(owner, "folder", "Folder", "/photos")
    with pytest.raises(Refused):
        hooks.register(owner, folder.id, URL, "admin", "x")


def test_a_hook_goes_with_its_library(setting: Setting, hooks: Hooks) -> None:
    hooks.register(setting.library.account_id, setting.library.id, URL, "admin", "x")
    setting.catalogue.libraries.remove(setting.library.id, setting.library.account_id)
    assert setting.catalogue.hooks.get(setting.library.id) is None


@pytest.fixture
def cloud() -> Iterator[FakeNextcloud]:
    with FakeNextcloud() as running:
        running.cloud.add_user("admin", "admin-password")
        running.cloud.add_user("anna", "anna-password")
        yield running


@pytest.fixture
def listeners(cloud: FakeNextcloud) -> AppCloud:
    known = AppCloud()
    cloud.parts.append(told.part(known, {"admin"}))
    return known


def library_at(cloud: FakeNextcloud) -> Library:
    return Library(1, 1, "nextcloud", "Anna", Place(cloud.address, "anna").address)


def nothing() -> None:
    """When the host has the secret."""


@pytest.mark.parametrize("answered", range(15))
def test_a_registration_that_breaks_off_anywhere_leaves_a_secret_the_host_has(
    cloud: FakeNextcloud, listeners: AppCloud, answered: int
) -> None:
    with closing(open_in_memory()) as rows:
        owner = rows.accounts.all()[0].id
        library = rows.libraries.add(owner, "nextcloud", "Anna", library_at(cloud).address)
        hooks = Hooks(rows.hooks, rows.libraries, NextcloudHooks(None), NudgeLog())
        hooks.register(owner, library.id, URL, "admin", "admin-password")
        left = iter(range(answered))
        cloud.interfere = lambda _request: None if next(left, None) is not None else Response("", 500)
        with suppress(HostError):
            hooks.register(owner, library.id, URL, "admin", "admin-password")
        for kind in {row["event"] for row in listeners.hooks.values()}:
            told = [row["authData"] for row in listeners.hooks.values() if row["event"] == kind]
            assert any(hooks.opens(library.id, one["X-Kinfolk-Hook"]) for one in told), kind
        cloud.interfere = lambda _request: None
        hooks.register(owner, library.id, URL, "admin", "admin-password")
        assert len(listeners.hooks) == 6


def test_an_administrator_registers_six_kinds_of_events_and_twice_is_once(
    cloud: FakeNextcloud, listeners: AppCloud
) -> None:
    registrar = NextcloudHooks(None)
    registrar.register(library_at(cloud), [URL], "first", "admin", "admin-password", nothing)
    registrar.register(library_at(cloud), [URL], "second", "admin", "admin-password", nothing)
    rows = list(listeners.hooks.values())
    assert len(rows) == len({row["event"] for row in rows}) == 6
    assert {row["authData"]["X-Kinfolk-Hook"] for row in rows} == {"second"}
    assert {row["uri"] for row in rows} == {URL}
    assert {row["authMethod"] for row in rows} == {"header"}
    created = next(row for row in rows if row["event"].endswith("NodeCreatedEvent"))
    assert created["eventFilter"] == {"event.node.path": "/^\\/anna\\/files\\//"}


def test_a_kind_of_event_this_version_does_not_know_is_left_out(cloud: FakeNextcloud, listeners: AppCloud) -> None:
    def refuse(request: Request) -> Response | None:
        return Response("{}", 400) if b"NodeRestoredEvent" in request.get_data() else None

    cloud.interfere = refuse
    NextcloudHooks(None).register(library_at(cloud), [URL], "first", "admin", "admin-password", nothing)
    assert len(listeners.hooks) == 5


def test_what_others_registered_stays(cloud: FakeNextcloud, listeners: AppCloud) -> None:
    listeners.hooks[1] = {"id": 1, "uri": "https://elsewhere.example", "event": "x"}
    registrar = NextcloudHooks(None)
    registrar.register(library_at(cloud), [URL], "first", "admin", "admin-password", nothing)
    registrar.remove(library_at(cloud), [URL], "admin", "admin-password")
    registrar.remove(library_at(cloud), [URL], "admin", "admin-password")
    assert list(listeners.hooks) == [1]


def test_who_is_no_administrator_is_told_so(cloud: FakeNextcloud, listeners: AppCloud) -> None:
    with pytest.raises(HostRefused):
        NextcloudHooks(None).register(library_at(cloud), [URL], "s", "anna", "anna-password", nothing)
    with pytest.raises(HostRefused):
        NextcloudHooks(None).register(library_at(cloud), [URL], "s", "admin", "wrong", nothing)


def test_a_nextcloud_before_30_says_what_it_needs(cloud: FakeNextcloud) -> None:
    with pytest.raises(HostRefused, match="no webhooks"):
        NextcloudHooks(None).register(library_at(cloud), [URL], "s", "admin", "admin-password", nothing)


OTHER = "https://kinfolk.example.org/hooks/nextcloud/1"


@dataclass
class AtCloud:
    """Hooks of a library at a Nextcloud that answers."""

    hooks: Hooks
    owner: int
    library: Library

    def register(self, url: str) -> None:
        self.hooks.register(self.owner, self.library.id, url, "admin", "admin-password")

    def remove(self, url: str) -> None:
        self.hooks.remove(self.owner, self.library.id, url, "admin", "admin-password")


@pytest.fixture
def at_cloud(cloud: FakeNextcloud, listeners: AppCloud) -> Iterator[AtCloud]:
    with closing(open_in_memory()) as rows:
        owner = rows.accounts.all()[0].id
        library = rows.libraries.add(owner, "nextcloud", "Anna", library_at(cloud).address)
        yield AtCloud(Hooks(rows.hooks, rows.libraries, NextcloudHooks(None), NudgeLog()), owner, library)


def test_what_was_set_up_at_one_address_is_replaced_and_switched_off_at_another(
    at_cloud: AtCloud, listeners: AppCloud
) -> None:
    at_cloud.register(URL)
    at_cloud.register(OTHER)
    assert {row["uri"] for row in listeners.hooks.values()} == {OTHER}
    at_cloud.remove(URL)
    assert listeners.hooks == {}


def test_switching_off_can_be_tried_again_when_the_host_was_away(
    at_cloud: AtCloud, cloud: FakeNextcloud, listeners: AppCloud
) -> None:
    at_cloud.register(URL)
    cloud.interfere = lambda _request: Response("", 503)
    with pytest.raises(HostError):
        at_cloud.remove(OTHER)
    secret = next(iter(listeners.hooks.values()))["authData"]["X-Kinfolk-Hook"]
    assert not at_cloud.hooks.opens(at_cloud.library.id, secret)
    assert at_cloud.hooks.of(at_cloud.library) is None
    assert at_cloud.hooks.is_left(at_cloud.library)
    cloud.interfere = lambda _request: None
    at_cloud.remove(OTHER)
    assert listeners.hooks == {}
    assert not at_cloud.hooks.is_left(at_cloud.library)


def test_broken_off_while_it_moves_to_another_address_nothing_is_forgotten(
    at_cloud: AtCloud, cloud: FakeNextcloud, listeners: AppCloud
) -> None:
    at_cloud.register(URL)
    cloud.interfere = lambda request: Response("", 500) if request.method == "DELETE" else None
    with pytest.raises(HostError):
        at_cloud.register(OTHER)
    assert {row["uri"] for row in listeners.hooks.values()} == {URL, OTHER}
    cloud.interfere = lambda _request: None
    at_cloud.remove("http://kinfolk.local/hooks/nextcloud/1")
    assert listeners.hooks == {}


def test_a_confirmed_certificate_counts_for_webhooks_too(tmp_path: Path) -> None:
    context, fingerprint = self_signed(tmp_path)
    with FakeNextcloud(tls=context) as secured:
        secured.cloud.add_user("admin", "admin-password")
        known = AppCloud()
        secured.parts.append(told.part(known, {"admin"}))
        with pytest.raises(CertificateRefused):
            NextcloudHooks(None).register(library_at(secured), [URL], "s", "admin", "admin-password", nothing)
        registrar = NextcloudHooks(None, {1: fingerprint}.get)
        registrar.register(library_at(secured), [URL], "s", "admin", "admin-password", nothing)
        assert len(known.hooks) == 6


def test_while_somebody_waits_nothing_is_asked_twice(cloud: FakeNextcloud, listeners: AppCloud) -> None:
    cloud.interfere = lambda request: Response("", 504) if request.method == "POST" else None
    with pytest.raises(HostBusy):
        NextcloudHooks(None).register(library_at(cloud), [URL], "s", "admin", "admin-password", nothing)
    assert cloud.asked["POST"] == 1
