"""Status: what is going on, how long it takes, what went wrong."""

from pydantic import Field

from plugin.domain import TokenScope
from plugin.web.api.resource import Resource
from plugin.web.api.values import Answer, Body
from plugin.web.request_context import account, services
from plugin.web.scan_state import read_scan_state

api = Resource("status", "Status")


class Queue(Answer):
    """How one kind of long work stands."""

    waiting: int
    running: int
    done: int
    failed: int
    rate: float | None = Field(description="Items per second over the last minutes")
    seconds_left: float | None


class Failure(Answer):
    """How many photos failed for one reason."""

    code: str
    message: str
    count: int


class Engine(Answer):
    """How the machine room is doing."""

    pack: str
    pack_installed: bool
    provider: str | None = Field(description="The ONNX Runtime provider that runs; null while no model is loaded")
    device: str | None = Field(description="The processor or card it runs on; null while no model is loaded")
    pace: float | None = Field(description="Photos per second over the last stretch of work")
    accelerator: str | None = Field(description="What an accelerator is doing that does not run the models now")
    index_state: str
    warnings: list[str]
    free_bytes: int


class Status(Answer):
    """Everything at a glance."""

    active: bool = Field(description="Whether anything is left to do")
    paused: str | None = Field(description="Why nothing is done now, such as quiet hours; null while work may go on")
    syncing_library_ids: list[int]
    detection: Queue
    recognition: Queue
    asset_count: int
    gone_count: int
    failures: list[Failure]
    engine: Engine


class Reason(Body):
    """Which failures to try again."""

    code: str | None = Field(None, max_length=100, description="Those of one reason; null for all")


class Retried(Answer):
    """How many photos are tried again."""

    count: int


@api.operation("get", "/status", TokenScope.READ, Status)
def get() -> Status:
    """What is going on."""
    owner, assets = account().id, services().catalogue.assets
    scan, (present, gone) = read_scan_state(owner), assets.counts(owner)
    return Status(
        active=scan.waiting,
        paused=str(scan.pause.sentence) if scan.pause else None,
        syncing_library_ids=[library.id for library in scan.syncing],
        detection=Queue.model_validate(scan.detection),
        recognition=Queue.model_validate(scan.recognition),
        asset_count=present,
        gone_count=gone,
        failures=[Failure.model_validate(failure) for failure in assets.failures(owner)],
        engine=Engine.model_validate(services().engine_status()),
    )


@api.operation("post", "/status/retry", TokenScope.VERDICTS, Retried)
def retry(body: Reason) -> Retried:
    """Try failed photos again."""
    count = services().catalogue.detection.retry_failed(account().id, body.code)
    services().nudge.detection()
    return Retried(count=count)
