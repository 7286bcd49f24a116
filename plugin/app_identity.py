"""Who Kinfolk is inside a Nextcloud (AppAPI): the shared secret, and how each side proves that it has it.

Both ways carry the same four headers; `AUTHORIZATION-APP-API` is base64 of `user:secret`. There is no signature, so the
connection has to be trusted: AppAPI keeps it inside one machine or network. An empty user is Nextcloud itself, never
somebody.
"""

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from plugin.errors import SettingsError

VARIABLES = ("APP_ID", "APP_SECRET", "APP_VERSION", "APP_HOST", "APP_PORT", "NEXTCLOUD_URL")
"""What AppAPI gives to the container of an app; all of them make Kinfolk one."""

AA_VERSION = "4.0.0"
"""The version of AppAPI's protocol this was written for; a server does not refuse others."""

SHORTEST_SECRET = 8
LONGEST_HEADER = 2000

ADVICE = f"AppAPI sets all of {', '.join(VARIABLES)}; see docs/nextcloud-app.md"


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """Kinfolk as an app of one Nextcloud.

    Attributes:
        app_id: as in `appinfo/info.xml`.
        secret: shared with AppAPI; never shown.
        version: of the app.
        host, port: where AppAPI expects the app to listen.
        nextcloud_url: without a trailing slash; nothing is sent anywhere else.
    """

    app_id: str
    secret: str = field(repr=False)
    version: str
    host: str
    port: int
    nextcloud_url: str

    def headers(self, user: str = "") -> dict[str, str]:
        """What a request to Nextcloud carries; with a user it acts as that user."""
        authorization = b64encode(f"{user}:{self.secret}".encode()).decode()
        return {
            "AA-VERSION": AA_VERSION,
            "EX-APP-ID": self.app_id,
            "EX-APP-VERSION": self.version,
            "AUTHORIZATION-APP-API": authorization,
        }

    def caller(self, app_id: str, authorization: str) -> str | None:
        """The Nextcloud user a request comes for, "" for Nextcloud itself; None: it is not from this Nextcloud.

        Takes the same time wherever the secret differs.

        Args:
            app_id: the header `EX-APP-ID`.
            authorization: the header `AUTHORIZATION-APP-API`.
        """
        try:
            text = b64decode(authorization[:LONGEST_HEADER], validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return None
        user, colon, secret = text.partition(":")
        right_secret = hmac.compare_digest(secret.encode(), self.secret.encode())
        right_app = hmac.compare_digest(app_id.encode(), self.app_id.encode())
        return user if right_secret and right_app and colon else None


def app_identity(environment: Mapping[str, str]) -> AppIdentity | None:
    """The identity AppAPI gave, or None where Kinfolk is not started by it.

    Raises:
        SettingsError: only some of it is there, or it makes no sense. Half an app would be an open door.
    """
    if not environment.get("APP_ID") or not environment.get("APP_SECRET"):
        if environment.get("APP_SECRET") and environment.get("NEXTCLOUD_URL"):
            raise SettingsError("APP_ID is missing in the environment", ADVICE)
        return None
    missing = [name for name in VARIABLES if not environment.get(name)]
    if missing:
        raise SettingsError(f"{', '.join(missing)} is missing in the environment", ADVICE)
    url = environment["NEXTCLOUD_URL"].strip().rstrip("/").removesuffix("/index.php")
    parts, port = urlsplit(url), environment["APP_PORT"]
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise SettingsError("NEXTCLOUD_URL is not an address like https://cloud.example.org", ADVICE)
    if not re.fullmatch(r"\d{1,5}", port) or not 0 < int(port) < 65536:
        raise SettingsError("APP_PORT is not a port", ADVICE)
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", environment["APP_ID"]):
        raise SettingsError("APP_ID is not the name of an app", ADVICE)
    if len(environment["APP_SECRET"]) < SHORTEST_SECRET:
        raise SettingsError("APP_SECRET is too short to be a secret", ADVICE)
    return AppIdentity(
        environment["APP_ID"], environment["APP_SECRET"], environment["APP_VERSION"], environment["APP_HOST"],
        int(port), url,
    )  # fmt: skip
