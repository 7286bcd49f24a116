"""Getting a login: Login flow v2, or a user name with a password; and giving it back.

https://docs.nextcloud.com/server/latest/developer_manual/client_apis/LoginFlow/index.html
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from plugin.errors import AssetGone, HostError, HostUnreachable, LoginRefused
from plugin.hosts.nextcloud.client import NextcloudClient

START = "/index.php/login/v2"
POLL = "/index.php/login/v2/poll"
PAGE = "/login/v2/flow/"
USER = "/ocs/v2.php/cloud/user"
NEW_APP_PASSWORD = "/ocs/v2.php/core/getapppassword"  # noqa: S105 - an address
APP_PASSWORD = "/ocs/v2.php/core/apppassword"  # noqa: S105 - an address


@dataclass(frozen=True, slots=True)
class StartedFlow:
    """A login the user still has to grant. `page`: where they do that; `token`: what we ask with."""

    page: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """What the user granted."""

    name: str
    password: str = field(repr=False)


def check_server(client: NextcloudClient) -> None:
    """Prove that there is a Nextcloud that is installed and not under maintenance. Raises `HostError`."""
    try:
        status = client.json("GET", "/status.php")
    except AssetGone:
        raise client.strange_answer() from None
    if not isinstance(status, dict) or "version" not in status or not status.get("installed"):
        raise client.strange_answer()
    if status.get("maintenance"):
        raise HostUnreachable("Nextcloud is under maintenance", "Try again when it is back")


def start(client: NextcloudClient) -> StartedFlow:
    """Begin Login flow v2. Raises `HostError`."""
    answer = client.json("POST", START)
    token, page = _text(answer, "poll", "token"), _text(answer, "login")
    # Only the path is taken: a server that knows itself by another name (or is not what it seems) sends nobody away.
    _, found, key = urlsplit(page).path.partition(PAGE)
    if not (token and found and key.isalnum()):
        raise client.strange_answer()
    return StartedFlow(f"{client.login.base}/index.php{PAGE}{key}", token)


def poll(client: NextcloudClient, token: str) -> Granted | None:
    """What the user granted; None while they have not. Raises `HostError`."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = client.json("POST", POLL, body=f"token={token}", headers=headers)
    except AssetGone:
        return None
    name, password = _text(answer, "loginName"), _text(answer, "appPassword")
    if not (name and password):
        raise client.strange_answer()
    return Granted(name, password)


def user_id(client: NextcloudClient) -> str:
    """Who logged in, which is not always the name they typed. Raises `HostError`."""
    found = _text(client.ocs("GET", USER), "id")
    if not found:
        raise client.strange_answer()
    return found


def app_password(client: NextcloudClient) -> str:
    """A new app password in place of a password that was typed; the same one when it is an app password already."""
    try:
        return _text(client.ocs("GET", NEW_APP_PASSWORD), "apppassword") or client.login.password
    except LoginRefused:
        raise
    except HostError:
        return client.login.password  # 403: it is one


def revoke(client: NextcloudClient) -> bool:
    """End the app password the client logs in with; whether that worked."""
    try:
        client.ocs("DELETE", APP_PASSWORD)
    except HostError:
        return False
    return True


def _text(answer: Any, *names: str) -> str:  # noqa: ANN401  whatever the server says
    for name in names:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if isinstance(answer, str) else ""
