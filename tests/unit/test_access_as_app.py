"""An app of Nextcloud reads the photos of a user without a password, and only for that user's own account."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.assemble.kinfolk import Kinfolk, open_kinfolk
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.settings import load_settings

CLOUD = "https://cloud.example.org"


@pytest.fixture
def kinfolk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kinfolk]:
    given = {"APP_ID": "kinfolk", "APP_SECRET": "a-long-shared-secret", "APP_VERSION": "0.1.0", "NEXTCLOUD_URL": CLOUD}
    for name, value in (given | {"APP_HOST": "127.0.0.1", "APP_PORT": "23000"}).items():
        monkeypatch.setenv(name, value)
    with open_kinfolk(load_settings(tmp_path), exclusive=False) as made:
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
