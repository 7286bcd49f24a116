"""`webhook_listeners` of Nextcloud (30 and later): asking it to tell when files of a user change.

Follows the OCS API of the app (`/ocs/v2.php/apps/webhook_listeners/api/v1/webhooks`). It needs an administrator of
Nextcloud, or Kinfolk as an app. There is one registration for each kind of event; all carry the same address, by which
they are found again.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from plugin.errors import AnswerFailed, AssetGone, HostRefused

log = logging.getLogger(__name__)

API = "/ocs/v2.php/apps/webhook_listeners/api/v1/webhooks"

SECRET_HEADER = "X-Kinfolk-Hook"  # noqa: S105 - the name of a header

EVENTS = "OCP\\Files\\Events\\Node\\"
ONE_NODE = tuple(EVENTS + name for name in ("NodeCreatedEvent", "NodeWrittenEvent", "NodeDeletedEvent"))
TWO_NODES = (EVENTS + "NodeRenamedEvent", EVENTS + "NodeCopiedEvent", "OCA\\Files_Trashbin\\Events\\NodeRestoredEvent")
"""Classes of PHP; Nextcloud refuses names of others. The last one is there while the app of the trash is."""

Ask = Callable[[str, str, Mapping[str, object] | None, Mapping[str, str]], Any]
"""(method, path, JSON body, query) to the data of the OCS answer. Raises `HostError`."""


def register(ask: Ask, urls: Sequence[str], secret: str, user: str, registered: Callable[[], None]) -> None:
    """Ask to be told about the files of one user at the first address; what was asked with any of them before goes.

    `registered` is called when Nextcloud has the new secret, before it forgets the former one.

    Raises:
        HostRefused: not an administrator, or the app is not there (Nextcloud before 30, or switched off).
        HostError: no answer.
    """
    url, former = urls[0], [number for url in urls for number in listeners(ask, url)]
    for kind in ONE_NODE:
        ask("POST", API, listener(kind, url, secret, user), {})
    for kind in TWO_NODES:
        try:
            ask("POST", API, listener(kind, url, secret, user), {})
        except (AnswerFailed, HostRefused) as error:
            if isinstance(error, AnswerFailed) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            # The others were taken, so this version does not know the event; the comparison finds what it would tell.
            log.info("Nextcloud does not tell %s: %s", kind, error)
    # The former ones last: when this is interrupted, there are too many of them and never too few.
    registered()
    for number in former:
        forget(ask, number)


def remove(ask: Ask, urls: Sequence[str]) -> None:
    """Ask not to be told at these addresses any more; what is not there is no error. Raises `HostError`."""
    for url in urls:
        for number in listeners(ask, url):
            forget(ask, number)


def listeners(ask: Ask, url: str) -> list[int]:
    """The numbers of what was registered with this address."""
    try:
        known = ask("GET", API, None, {"uri": url})
    except AssetGone:
        raise HostRefused(
            "This Nextcloud has no webhooks",
            "They need Nextcloud 30 and `occ app:enable webhook_listeners`; the library is compared every few minutes",
        ) from None
    rows = known if isinstance(known, list) else []
    return [row["id"] for row in rows if isinstance(row, dict) and row.get("uri") == url and type(row.get("id")) is int]


def forget(ask: Ask, number: int) -> None:
    """Delete one registration."""
    try:
        ask("DELETE", f"{API}/{number}", None, {})
    except AssetGone:
        return


def listener(kind: str, url: str, secret: str, user: str) -> dict[str, object]:
    """One registration. The secret goes into `authData`, which Nextcloud stores encrypted."""
    pattern = "/^\\/" + re.escape(user).replace("/", "\\/") + "\\/files\\//"
    if kind in ONE_NODE:
        event_filter: dict[str, object] = {"event.node.path": pattern}
    else:
        event_filter = {"$or": [{"event.source.path": pattern}, {"event.target.path": pattern}]}
    return {
        "httpMethod": "POST",
        "uri": url,
        "event": kind,
        "eventFilter": event_filter,
        "userIdFilter": None,
        "headers": None,
        "authMethod": "header",
        "authData": {SECRET_HEADER: secret},
    }
