"""Who is asking: AppAPI's headers, both ways."""

from base64 import b64encode

import pytest

from plugin.app_identity import VARIABLES, AppIdentity, app_identity
from plugin.errors import SettingsError

GIVEN = {
    "APP_ID": "kinfolk", "APP_SECRET": "a-long-shared-secret", "APP_VERSION": "0.1.0", "APP_HOST": "0.0.0.0",
    "APP_PORT": "23000", "NEXTCLOUD_URL": "https://cloud.example.org/index.php/",
}  # fmt: skip


@pytest.fixture
def identity() -> AppIdentity:
    found = app_identity(GIVEN)
    assert found is not None
    return found


def caller(identity: AppIdentity, headers: dict[str, str]) -> str | None:
    return identity.caller(headers.get("EX-APP-ID", ""), headers.get("AUTHORIZATION-APP-API", ""))


def test_what_is_sent_is_recognised(identity: AppIdentity) -> None:
    assert caller(identity, identity.headers("anna")) == "anna"
    assert identity.nextcloud_url == "https://cloud.example.org"


def test_an_empty_user_is_nextcloud_itself(identity: AppIdentity) -> None:
    assert caller(identity, identity.headers()) == ""


def test_names_of_users_may_hold_anything_but_a_colon(identity: AppIdentity) -> None:
    assert caller(identity, identity.headers("jürgen müller@example.org")) == "jürgen müller@example.org"


@pytest.mark.parametrize(
    "authorization",
    ["", "anna", "!!!", b64encode(b"anna").decode(), b64encode(b"anna:").decode(), b64encode(b"anna:wrong").decode(),
     b64encode(b"anna:a-long-shared-secret2").decode(), b64encode(b"\xff\xfe:x").decode(), "A" * 100_000,
     b64encode(b"anna:a-long:shared-secret").decode(), "\u00e4"],
)  # fmt: skip
def test_what_is_not_from_this_nextcloud_is_nobody(identity: AppIdentity, authorization: str) -> None:
    assert caller(identity, identity.headers("anna") | {"AUTHORIZATION-APP-API": authorization}) is None


def test_another_app_or_no_header_is_nobody(identity: AppIdentity) -> None:
    assert caller(identity, identity.headers("anna") | {"EX-APP-ID": "other"}) is None
    assert caller(identity, {}) is None


def test_the_secret_is_never_shown(identity: AppIdentity) -> None:
    assert "a-long-shared-secret" not in repr(identity)


def test_without_the_variables_kinfolk_is_no_app() -> None:
    assert app_identity({}) is None
    assert app_identity({"APP_HOST": "x", "APP_PORT": "1"}) is None


@pytest.mark.parametrize("name", [name for name in VARIABLES if name != "APP_SECRET"])
def test_half_an_app_does_not_start(name: str) -> None:
    with pytest.raises(SettingsError):
        app_identity({key: value for key, value in GIVEN.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [("NEXTCLOUD_URL", "ftp://x"), ("NEXTCLOUD_URL", "cloud"), ("NEXTCLOUD_URL", "http://u:p@x"), ("APP_PORT", "0"),
     ("APP_PORT", "99999"), ("APP_PORT", "x"), ("APP_ID", "../x"), ("APP_SECRET", "short")],
)  # fmt: skip
def test_what_makes_no_sense_does_not_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError):
        app_identity(GIVEN | {name: value})
