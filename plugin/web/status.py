"""Status: what is going on, how long it takes, what went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from plugin.domain import Asset, FailureCount, IntakeProblem
from plugin.errors import Refused
from plugin.pausing import Reading
from plugin.ports.smart_home import LinkStatus
from plugin.web.hooks import Telling, tellings
from plugin.web.language import ngettext
from plugin.web.pictures import TILE, preview_url
from plugin.web.request_context import account, form_text, require_admin, see_other, services
from plugin.web.scan_state import ScanState, scan_state
from plugin.web.services import EngineStatus
from plugin.web.smart_home import link_status
from plugin.web.throughput import Throughput, throughput

pages = Blueprint("status", __name__)

EXAMPLES = 12
"""Of each reason, so that a page of failures stays one to look through."""


@dataclass(frozen=True, slots=True)
class FailedPhoto:
    """A photo or video that failed. `picture` is "" for one that could never be decoded, so that has none."""

    asset: Asset
    picture: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason why assets failed, with a few of them."""

    reason: FailureCount
    examples: list[FailedPhoto]
    listed: list[IntakeProblem]

    @property
    def can_retry(self) -> bool:
        """Whether it concerns assets; what a listing could not take is tried again with every scan."""
        return bool(self.examples)


@dataclass(frozen=True, slots=True)
class StatusPage:
    """What the Status page shows.

    Attributes:
        photos, gone: counts of assets.
        tellings: what hosts tell by themselves.
        readings: what sensors said that may make work rest.
        home: how the connection to Home Assistant stands; None where there is none.
    """

    scan: ScanState
    failures: list[Failure]
    engine: EngineStatus
    photos: int
    gone: int
    plot: Throughput
    tellings: list[Telling]
    readings: Sequence[Reading]
    home: LinkStatus | None


@pages.get("/status")
def show() -> str:
    """The whole page."""
    photos, gone = services().catalogue.assets.counts(account().id)
    page = StatusPage(
        scan_state(account().id), failure_list(), services().engine_status(), photos, gone, throughput(),
        tellings(), services().pausing.readings(), link_status(),
    )  # fmt: skip
    return render_template("status.html", page=page)


@pages.get("/status/queues")
def queues() -> str:
    """The progress bars alone; the page asks for them every two seconds while there is work."""
    return render_template("_queues.html", scan=scan_state(account().id))


@pages.get("/status/throughput")
def plot() -> str:
    """The plot of the last day alone."""
    return render_template("_throughput.html", plot=throughput(), active=scan_state(account().id).active)


@pages.get("/status/failures")
def failures() -> str:
    """The failures alone."""
    return render_template("_failures.html", failures=failure_list(), active=scan_state(account().id).active)


@pages.get("/status/indicator")
def indicator() -> str:
    """The small sign in the header of every page."""
    return render_template("_scan_indicator.html", scan=scan_state(account().id))


def failure_list() -> list[Failure]:
    """Every reason, most frequent first, with examples."""
    catalogue, owner = services().catalogue, account().id
    problems = catalogue.libraries.example_problems(owner, EXAMPLES)
    return [
        Failure(
            reason,
            [failed_photo(asset) for asset in catalogue.assets.failed(owner, reason.code, EXAMPLES)],
            [problem for problem in problems if problem.code == reason.code],
        )
        for reason in catalogue.assets.failures(owner)
    ]


def failed_photo(asset: Asset) -> FailedPhoto:
    """Its size is known when it was decoded once: then there is a picture of it, or was."""
    return FailedPhoto(asset, preview_url(asset, TILE) if asset.width and asset.height else "")


@pages.post("/status/pause")
def pause() -> Response:
    """Let all work in the background rest, for some minutes or until somebody resumes."""
    require_admin()
    minutes = form_text("minutes", 10)
    if minutes and not minutes.isdecimal():
        raise Refused(_("A pause lasts a number of minutes"))
    services().pausing.press(int(minutes) if minutes else None)
    flash(_("Paused. Nothing is lost."), "good")
    return see_other(url_for("status.show"))


@pages.post("/status/resume")
def resume() -> Response:
    """Take the pause back; other reasons to rest stand."""
    require_admin()
    services().pausing.resume()
    services().nudge.detection()
    flash(_("Work goes on."), "good")
    return see_other(url_for("status.show"))


@pages.post("/status/retry")
def retry() -> Response:
    """Try failed assets again: those of one reason, or all."""
    count = services().catalogue.detection.retry_failed(account().id, form_text("code", 100) or None)
    services().nudge.detection()
    flash(ngettext("One photo is tried again.", "%(num)s photos are tried again.", count), "good")
    return see_other(url_for("status.show"))
