"""How the connection of the worker stands, for pages that another process serves (`serve --no-worker`)."""

import json
from contextlib import suppress
from datetime import datetime

from plugin.errors import KinfolkError
from plugin.ports.accounts import PreferenceRows
from plugin.ports.smart_home import LinkState, LinkStatus

STATUS = "smart_home.status"


class SharedStatus:
    """Kept in the catalogue, and written when something else is to be said only: a poll must not wake a disk.

    After a worker was killed it says what was true before, until the next one starts.

    Args:
        rows: where it is kept.
    """

    def __init__(self, rows: PreferenceRows) -> None:
        self._rows = rows
        self._said: object = None

    def note(self, status: LinkStatus) -> None:
        """In the worker: this is how it stands now. A full disk or a busy catalogue is no reason to fail."""
        says = (status.state, status.where, status.trouble)
        if says == self._said:
            return
        with suppress(KinfolkError):
            self._rows.set(STATUS, _to_text(status))
            self._said = says

    @property
    def status(self) -> LinkStatus:
        """For the pages: what the worker said last."""
        text = self._rows.get(STATUS)
        return _from_text(text) if text else LinkStatus(LinkState.RESTING)

    def wake(self) -> None:
        """The worker looks by itself every few seconds."""


def _to_text(status: LinkStatus) -> str:
    since = status.since.isoformat() if status.since else None
    return json.dumps([status.state, status.where, status.trouble, status.connections, status.failures, since])


def _from_text(text: str) -> LinkStatus:
    state, where, trouble, connections, failures, since = json.loads(text)
    at = datetime.fromisoformat(since) if since else None
    return LinkStatus(LinkState(state), where, trouble, connections, failures, at)
