"""An app of Nextcloud reads the photos of a user without a password, and only for that user's own account."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from plugin.assemble.kinfolk import Kinfolk, open_kinfolk
from plugin.domain import Library
from plugin.errors import LoginRefused
from plugin.exapp.app import ENABLED_ROW
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.settings import load_settings
from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.nextcloud.app_api import AppCloud, ocs

CLOUD = "https://cloud.example.org"


def as_an_app(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    given = {"APP_ID": "kinfolk", "APP_SECRET": "a-long-shared-secret", "APP_VERSION": "0.1.0", "NEXTCLOUD_URL": base}
    for name, value in (given | {"APP_HOST": "127.0.0.1", "APP_PORT": "23000"}).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def kinfolk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kinfolk]:
    as_an_app(monkeypatch, CLOUD)
    with open_kinfolk(load_settings(tmp_path), exclusive=False) as made:
        made.catalogue.preferences.set(ENABLED_ROW, "yes")
        yield made


def login_of(kinfolk: Kinfolk, account_id: int, base: str, user: str) -> dict[str, str]:
    library = kinfolk.catalogue.libraries.add(account_id, "nextcloud", "Cloud", Place(base, user).address)
    host = kinfolk.host_of(library)
    assert isinstance(host, NextcloudHost)
    return dict(host.client.login.headers)


def test_a_user_is_read_for_their_own_account_only(kinfolk: Kinfolk) -> None:
    anna = kinfolk.catalogue.accounts.all()[0].id
    eve = kinfolk.catalogue.accounts.add("eve", None, is_admin=True).id
    kinfolk.catalogue.outside_users.put(CLOUD, "anna", anna)
    assert kinfolk.nextcloud_app is not None
    headers = login_of(kinfolk, anna, CLOUD, "anna")
    assert kinfolk.nextcloud_app.identity.caller(headers["EX-APP-ID"], headers["AUTHORIZATION-APP-API"]) == "anna"
    assert login_of(kinfolk, eve, CLOUD, "anna") == {}
    assert login_of(kinfolk, anna, CLOUD, "ben") == {}
    assert login_of(kinfolk, anna, "https://elsewhere.example", "anna") == {}


@dataclass
class AtHome:
    """Kinfolk as an app of a Nextcloud that answers, where Anna is read; `asked`: what came from her library."""

    kinfolk: Kinfolk
    cloud: AppCloud
    library: Library
    refuses: bool = False
    asked: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Response | None:
        if request.path != "/ocs/v2.php/cloud/user":
            return None
        self.asked.append(request.path)
        return ocs([], 401, "AppAPI authentication failed") if self.refuses else None

    def check(self) -> None:
        self.kinfolk.host_of(self.library).check()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AtHome]:
    with AppCloud() as cloud:
        as_an_app(monkeypatch, cloud.address)
        with open_kinfolk(load_settings(tmp_path), exclusive=False) as kinfolk:
            kinfolk.catalogue.preferences.set(ENABLED_ROW, "yes")
            yield home_of(kinfolk, cloud)


def home_of(kinfolk: Kinfolk, cloud: AppCloud) -> AtHome:
    anna = kinfolk.catalogue.accounts.all()[0].id
    kinfolk.catalogue.outside_users.put(cloud.address, "anna", anna)
    library = kinfolk.catalogue.libraries.add(anna, "nextcloud", "Cloud", Place(cloud.address, "anna").address)
    home = AtHome(kinfolk, cloud, library)
    cloud.interfere = home.answer
    return home


def test_an_app_that_is_refused_pauses_and_goes_on_when_it_is_enabled_again(home: AtHome) -> None:
    home.check()
    home.refuses, home.asked = True, []
    hosts = {id(home.kinfolk.host_of(home.library))}
    for _ in range(5):
        with pytest.raises(LoginRefused) as refused:
            home.check()
        hosts.add(id(home.kinfolk.host_of(home.library)))
    assert len(home.asked) == 1
    assert len(hosts) == 1
    assert "Apps" in refused.value.advice
    assert home.kinfolk.connections.is_paused(home.library)
    home.refuses = False
    assert home.kinfolk.nextcloud_app is not None
    home.kinfolk.nextcloud_app.set_enabled(enabled=True)
    home.check()
    assert not home.kinfolk.connections.is_paused(home.library)
    assert home.kinfolk.catalogue.libraries.get(home.library.id).sync_requested_at is not None


def test_a_refused_app_stays_refused_over_restarts_until_somebody_scans(home: AtHome) -> None:
    home.refuses = True
    with pytest.raises(LoginRefused):
        home.check()
    home.refuses, home.asked = False, []
    with open_kinfolk(home.kinfolk.settings, exclusive=False) as restarted:
        with pytest.raises(LoginRefused):
            restarted.host_of(home.library).check()
        assert home.asked == []
        home.kinfolk.connections.resume(home.library)
        restarted.host_of(home.library).check()


def test_a_disabled_app_asks_nothing_until_it_is_enabled(home: AtHome) -> None:
    assert home.kinfolk.nextcloud_app is not None
    home.kinfolk.nextcloud_app.set_enabled(enabled=False)
    for _ in range(3):
        with pytest.raises(LoginRefused, match="as an app"):
            home.check()
    assert home.asked == []
    assert home.kinfolk.connections.is_paused(home.library)
    home.kinfolk.nextcloud_app.set_enabled(enabled=True)
    home.check()


def test_a_library_that_is_removed_meanwhile_has_no_refusal(home: AtHome) -> None:
    host = home.kinfolk.host_of(home.library)
    home.kinfolk.catalogue.libraries.remove(home.library.id)
    home.refuses = True
    with pytest.raises(LoginRefused):
        host.check()
    assert home.kinfolk.catalogue.host_logins.get(home.library.id) is None


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNextcloud]:
    """A Nextcloud with files, where Kinfolk is an app."""
    with FakeNextcloud() as running:
        running.app_secret = "a-long-shared-secret"
        running.cloud.add_user("anna")
        running.cloud.put("anna", "Photos/anna.jpg", b"Anna laughs", parents=True)
        running.cloud.put("anna", "Work/desk.jpg", b"A desk", parents=True)
        as_an_app(monkeypatch, running.address)
        yield running


@pytest.fixture
def with_files(cloud: FakeNextcloud, tmp_path: Path) -> Iterator[tuple[Kinfolk, Library]]:
    with open_kinfolk(load_settings(tmp_path), exclusive=False) as kinfolk:
        kinfolk.catalogue.preferences.set(ENABLED_ROW, "yes")
        anna = kinfolk.catalogue.accounts.all()[0].id
        kinfolk.catalogue.outside_users.put(cloud.address, "anna", anna)
        yield kinfolk, kinfolk.catalogue.libraries.add(anna, "nextcloud", "Mine", Place(cloud.address, "anna").address)


def test_folders_are_chosen_without_a_login(with_files: tuple[Kinfolk, Library]) -> None:
    kinfolk, library = with_files
    choice = kinfolk.connections.choice(library)
    assert (choice.offered, choice.folders) == (("Photos", "Work"), ())
    kinfolk.pipeline.sync(library.id)
    assert kinfolk.catalogue.libraries.get(library.id).asset_count == 2
    kinfolk.connections.choose(library, ("/Photos/",), ("Photos/Receipts",))
    kinfolk.pipeline.sync(library.id)
    assert kinfolk.catalogue.libraries.get(library.id).asset_count == 1
    choice = kinfolk.connections.choice(library)
    assert (choice.folders, choice.left_out) == (("Photos",), ("Photos/Receipts",))


def test_what_is_chosen_outlives_a_refusal_and_removing_needs_no_login(with_files: tuple[Kinfolk, Library]) -> None:
    kinfolk, library = with_files
    kinfolk.connections.choose(library, ("Photos",), ())
    kinfolk.catalogue.host_logins.refuse(library.id, "", "Not now")
    kinfolk.connections.resume(library)
    assert kinfolk.connections.choice(library).folders == ("Photos",)
    kinfolk.connections.disconnect(library)
    kinfolk.privacy.remove_library(library.account_id, library.id)


def test_what_is_shared_with_somebody_who_logs_in_is_read_once(
    with_files: tuple[Kinfolk, Library], cloud: FakeNextcloud
) -> None:
    kinfolk, annas = with_files
    cloud.cloud.add_user("ben")
    cloud.cloud.share("anna", "Photos", "ben")
    me = kinfolk.catalogue.accounts.all()[0]
    bens = kinfolk.connections.with_password(me, cloud.address, "ben", cloud.cloud.app_password("ben"))
    assert kinfolk.hosts.others(bens) == {"anna"}
    for library in (annas, bens):
        kinfolk.pipeline.sync(library.id)
    assert [library.asset_count for library in kinfolk.catalogue.libraries.all()] == [2, 0]
    kinfolk.connections.choose(annas, ("Work",), ())
    assert kinfolk.hosts.others(bens) == frozenset()


def test_a_login_takes_the_place_of_the_app_and_what_is_chosen_stays(
    with_files: tuple[Kinfolk, Library], cloud: FakeNextcloud
) -> None:
    kinfolk, library = with_files
    kinfolk.connections.choose(library, ("Photos",), ())
    me = kinfolk.catalogue.accounts.all()[0]
    again = kinfolk.connections.with_password(
        me, cloud.address, "anna", cloud.cloud.app_password("anna"), library_id=library.id
    )
    assert again.id == library.id
    host = kinfolk.host_of(library)
    assert isinstance(host, NextcloudHost)
    assert (host.client.login.name, dict(host.client.login.headers)) == ("anna", {})
    assert kinfolk.connections.choice(library).folders == ("Photos",)
