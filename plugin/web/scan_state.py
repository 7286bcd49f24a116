"""How the scan of one account stands: for the Status page, the sign in the header and the empty People page."""

from dataclasses import dataclass
from typing import cast

from flask import g
from flask_babel import gettext as _

from plugin.domain import AccountId, Library, QueueStatus
from plugin.pausing import Pause
from plugin.web.language import translated
from plugin.web.request_context import services
from plugin.web.wording import percent as in_percent


@dataclass(frozen=True, slots=True)
class ScanState:
    """The three stages of a scan.

    Attributes:
        syncing: libraries that wait for, or are in, their comparison with the host.
        library_count: all libraries of the account.
        detection: assets on their way through detection.
        recognition: faces on their way to a person.
        pause: why nothing of this goes on now; None when it does.
    """

    syncing: tuple[Library, ...]
    library_count: int
    detection: QueueStatus
    recognition: QueueStatus
    pause: Pause | None = None

    @property
    def active(self) -> bool:
        """Whether something is left to do, and done now."""
        return self.pause is None and self.waiting

    @property
    def waiting(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.syncing) or any(waits(queue) for queue in (self.detection, self.recognition))

    @property
    def queue(self) -> QueueStatus:
        """The queue that is being worked on: detection before recognition."""
        return self.detection if waits(self.detection) else self.recognition

    @property
    def percent(self) -> int:
        """How much of that queue is finished."""
        return percent(self.queue)

    @property
    def seconds_left(self) -> float | None:
        """How long that queue still takes, when that can be told."""
        return self.queue.seconds_left

    @property
    def headline(self) -> str:
        """What is going on, in few words."""
        if self.pause:
            return translated(self.pause.sentence)
        if waits(self.detection):
            return str(_("Finding faces · %(percent)s", percent=in_percent(self.percent)))
        if self.syncing:
            return str(_("Reading your folders"))
        if waits(self.recognition):
            return str(_("Recognising people · %(percent)s", percent=in_percent(self.percent)))
        return str(_("All done"))


def waits(queue: QueueStatus) -> bool:
    """Whether the queue has work."""
    return queue.waiting + queue.running > 0


def percent(queue: QueueStatus) -> int:
    """How much of a queue is finished, rounded down so that 100 means all."""
    total = queue.waiting + queue.running + queue.done + queue.failed
    return 100 * (queue.done + queue.failed) // total if total else 100


def scan_state(account_id: AccountId) -> ScanState:
    """The state at the first time it is asked for in a request; the frame and the page share it."""
    if "scan_state" not in g:
        g.scan_state = read_scan_state(account_id)
    return cast("ScanState", g.scan_state)


def read_scan_state(account_id: AccountId) -> ScanState:
    """The state now."""
    catalogue = services().catalogue
    libraries = catalogue.libraries.all(account_id)
    return ScanState(
        tuple(library for library in libraries if library.sync_requested_at is not None),
        len(libraries),
        catalogue.detection.status(account_id),
        catalogue.faces.recognition_status(account_id),
        services().pausing.now(),
    )
