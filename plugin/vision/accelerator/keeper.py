"""Brings an accelerator up in the background and hands a pack's models to it; gives way to the CPU when it fails."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum

from plugin.errors import AcceleratorFailed
from plugin.sentences import Sentence
from plugin.vision.accelerator.amd import why_not
from plugin.vision.accelerator.compiled import CompiledModels
from plugin.vision.accelerator.process import CPU_INSTEAD, AcceleratorProcess
from plugin.vision.installation import named
from plugin.vision.runtime import Network, Tensor, Warnings, agree, noise

log = logging.getLogger(__name__)

COMPILE_SECONDS = 1800.0
"""For one model and one shape. 90 s are usual; users of Immich needed half an hour."""

RUN_SECONDS = 30.0
"""For one run of what is compiled, which takes milliseconds: longer means that the card hangs."""

FIRST_PATIENCE, LONGEST_PATIENCE = 600.0, 6 * 3600.0


class AcceleratorState(StrEnum):
    """How an accelerator stands."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


COMPILING = Sentence("Compiling the models for this GPU, a few minutes once; the CPU works meanwhile")
LOADING = Sentence("The models are being loaded onto the GPU; the CPU works meanwhile")
RESTING = Sentence("The CPU; the accelerator is tried again later and at the next start")


class Patience:
    """How long to leave a failed accelerator alone: ten minutes, then twice as long each time, up to six hours."""

    def __init__(self, first: float = FIRST_PATIENCE, now: Callable[[], float] = time.monotonic) -> None:
        self._first = first
        self._now = now
        self._again_at = 0.0
        self._pause = first

    def left(self) -> float:
        """Seconds until it may be tried."""
        return max(0.0, self._again_at - self._now())

    def failed(self) -> None:
        """It failed just now."""
        self._again_at = self._now() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PATIENCE)

    def worked(self) -> None:
        """It was brought up."""
        self._again_at = 0.0


class RemoteNetwork:
    """One model in the process of an accelerator.

    Args:
        process: the process.
        session: its number there.
    """

    def __init__(self, process: AcceleratorProcess, session: int) -> None:
        self._process = process
        self._session = session

    def run(self, batch: Tensor) -> list[Tensor]:
        """All outputs, at once. Raises AcceleratorFailed."""
        return self._ask(batch, RUN_SECONDS)

    def compile(self, batch: Tensor) -> list[Tensor]:
        """All outputs for an input of a new shape, which may take very long. Raises AcceleratorFailed."""
        return self._ask(batch, COMPILE_SECONDS)

    def _ask(self, batch: Tensor, seconds: float) -> list[Tensor]:
        _, results = self._process.ask({"do": "run", "session": self._session}, [batch], seconds=seconds)
        return results


Start = Callable[[str, CompiledModels | None], AcceleratorProcess]
"""(provider, where it keeps what it compiles) -> its process."""


class Accelerator:
    """One pack's models on an accelerator, as long as that works. A thread of its own does all that takes time.

    Args:
        networks: the models; they run on the CPU until they are handed over.
        providers: accelerators to try, best first.
        start: starts a process.
        compiled: where a provider keeps what it compiles.
        warnings: where failures are shown.
        patience: how long a failed one is left alone.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        providers: Sequence[str],
        start: Start,
        compiled: Callable[[str], CompiledModels | None],
        warnings: Warnings,
        patience: Patience,
    ) -> None:
        self._networks = networks
        self._providers = providers
        self._start = start
        self._compiled = compiled
        self._warnings = warnings
        self._patience = patience
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._process: AcceleratorProcess | None = None
        self._starting: AcceleratorProcess | None = None
        # One that failed a moment ago, with models that left memory since, is not starting: it rests.
        self.state = AcceleratorState.FAILED if patience.left() else AcceleratorState.STARTING
        self.is_first_time = False
        self._thread = threading.Thread(target=self._keep, name="accelerator", daemon=True)
        self._thread.start()

    @property
    def provider(self) -> str | None:
        """What runs the models now; None: the CPU."""
        process = self._process
        return process.provider if process else None

    @property
    def sentence(self) -> Sentence | None:
        """What is going on, for the Status page; None when it simply works."""
        match self.state:
            case AcceleratorState.READY:
                return None
            case AcceleratorState.FAILED:
                return RESTING
        return COMPILING if self.is_first_time else LOADING

    def failed(self, failure: AcceleratorFailed) -> None:
        """The CPU takes over at once, and the accelerator is tried again later."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        for network in self._networks:
            network.take_back()
        self._give_up(process.provider, failure)
        self._wake.set()

    def close(self) -> None:
        """End it; the models go on on the CPU. Safe to call twice."""
        with self._lock:
            self._closed = True
            self.state = AcceleratorState.FAILED  # nobody waits for what does not come
            processes = [process for process in (self._process, self._starting) if process]
            self._process = None
        for network in self._networks:
            network.take_back()
        self._wake.set()
        for process in processes:
            process.close()

    @property
    def _programs(self) -> list[str]:
        """What is compiled: each model for each shape."""
        return [f"{network.path.name} {shape}" for network in self._networks for shape in network.shapes]

    def _keep(self) -> None:
        while not self._closed:
            if self._process is None and not self._patience.left():
                self._bring_up()
            # Nothing wakes this thread while the accelerator works.
            self._wake.wait(None if self._process else max(self._patience.left(), 0.01))
            self._wake.clear()

    def _now(self, state: AcceleratorState) -> None:
        with self._lock:
            if not self._closed:
                self.state = state

    def _bring_up(self) -> None:
        for provider in self._providers:
            # Also after one that failed: what compiles must not leave memory as unused.
            self._now(AcceleratorState.STARTING)
            try:
                self._try(provider)
            except AcceleratorFailed as failure:
                self._give_up(provider, failure)
            except Exception as error:  # a thread that died would never try again
                log.exception("%s could not be started", provider)
                self._give_up(
                    provider,
                    AcceleratorFailed(
                        "%(provider)s failed (%(reason)s)",
                        CPU_INSTEAD,
                        provider=named(provider),
                        reason=repr(error)[:200],
                    ),
                )
            else:
                return

    def _try(self, provider: str) -> None:
        trouble = why_not(provider)
        if trouble is not None:
            raise trouble
        compiled = self._compiled(provider)
        self.is_first_time = compiled is not None and not compiled.has(self._programs)
        process = self._start(provider, compiled)
        with self._lock:
            self._starting = process
        try:
            remotes = [load(process, network) for network in self._networks]
        except BaseException:
            process.close()
            raise
        finally:
            with self._lock:
                self._starting = None
        if compiled is not None:
            compiled.completed(self._programs)
        self._hand_over(process, remotes)

    def _hand_over(self, process: AcceleratorProcess, remotes: Sequence[RemoteNetwork]) -> None:
        with self._lock:
            if not self._closed:
                self._process = process
        if self._process is None:
            process.close()
            return
        self._now(AcceleratorState.READY)
        self._patience.worked()
        self._warnings.over(process.provider)
        for network, remote in zip(self._networks, remotes, strict=True):
            network.hand_over(remote)
        log.info("%s runs the models", process.provider)

    def _give_up(self, provider: str, failure: AcceleratorFailed) -> None:
        if self._closed:  # ended on purpose
            return
        self._warnings.note(provider, failure.explanation)
        self._now(AcceleratorState.FAILED)
        self._patience.failed()


def load(process: AcceleratorProcess, network: Network) -> RemoteNetwork:
    """Load a model there, compile it for every shape, and compare what it computes with the CPU.

    Raises:
        AcceleratorFailed: it does not load or run, leaves the work to the CPU, or computes wrongly.
    """
    answer, _ = process.ask(
        {"do": "load", "path": str(network.path), "provider": process.provider}, seconds=COMPILE_SECONDS
    )
    if answer["provider"] != process.provider:
        raise process.not_here()
    remote = RemoteNetwork(process, int(answer["session"]))
    for shape in network.shapes:
        results, truth = remote.compile(noise(shape)), network.on_cpu().run(noise(shape))
        if len(results) != len(truth) or not all(map(agree, results, truth)):
            raise AcceleratorFailed(
                "%(provider)s computes other numbers than the CPU", CPU_INSTEAD, provider=named(process.provider)
            )
    return remote
