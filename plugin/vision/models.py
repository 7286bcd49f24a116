"""The packs of this installation: fetched when first needed, prepared once, loaded once, shared."""

import gc
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from plugin.errors import AcceleratorFailed, LicenceNotAccepted, PackUnknown
from plugin.ports.vision import PackInfo
from plugin.vision.accelerator.compiled import CompiledModels, environment_of
from plugin.vision.accelerator.keeper import Accelerator, AcceleratorState, Patience
from plugin.vision.accelerator.process import AcceleratorProcess
from plugin.vision.detections import Detector
from plugin.vision.downloads import GIVE_UP_SECONDS, Progress
from plugin.vision.embedder import CROP_SHAPES, Embedder
from plugin.vision.facemesh import SIZE, FaceMesh
from plugin.vision.idle import IdleWatch
from plugin.vision.installation import EXTRAS, Machine, check_one_runtime, why_not_installed
from plugin.vision.model import OnnxFaceModel
from plugin.vision.packages import silent, write_error
from plugin.vision.packs import DetectorKind, ModelFile, Pack, known_packs
from plugin.vision.pictures import padded
from plugin.vision.prepared import Role, is_prepared, prepare, prepared_path
from plugin.vision.runtime import (
    CPU,
    CpuNetwork,
    Network,
    Shape,
    Warnings,
    available_providers,
    provider_order,
    session,
)
from plugin.vision.scrfd import Scrfd
from plugin.vision.sources import ModelFolder
from plugin.vision.yunet import YuNet

log = logging.getLogger(__name__)

CHILD = (sys.executable, "-u", "-m", "plugin.vision.accelerator.child")


Accelerators = Literal["auto", "cpu", "rocm", "migraphx"]


@dataclass(frozen=True, slots=True)
class RuntimeChoice:
    """What models run on.

    Attributes:
        accelerator: `auto` (whatever is installed), `cpu`, `rocm` or `migraphx`.
        providers: with `auto` only: these ONNX Runtime providers, in this order; empty: every installed one.
        threads: ONNX Runtime threads per call.
        long_sides: of the pictures detectors look at, in pixels; an accelerator compiles its program for these.
        unload_after: seconds without use after which models leave memory; None: never.
        gfx_override: the AMD architecture a card is to pass for (`HSA_OVERRIDE_GFX_VERSION`), such as `10.3.0`.
        low_priority: whether an accelerator's process lets everything else go first.
        compiled: where accelerators keep what they compiled; None: nowhere.
        child: command of an accelerator's process, to which priority and a socket are added.
        patience: seconds until a failed accelerator is tried again.
    """

    accelerator: Accelerators = "auto"
    providers: tuple[str, ...] = ()
    threads: int = 1
    long_sides: tuple[int, ...] = (640, 320)
    unload_after: float | None = None
    gfx_override: str | None = None
    low_priority: bool = True
    compiled: Path | None = None
    child: tuple[str, ...] = CHILD
    patience: float = 600.0


@dataclass(slots=True)
class Loaded:
    """A pack in memory: the model, what runs it, and the accelerator that may take over."""

    model: OnnxFaceModel
    accelerator: Accelerator | None = field(default=None)


class OnnxFaceModels:
    """`FaceModels` on ONNX Runtime.

    Args:
        folder: holds the model files; made when first needed.
        local_folders: looked into before any download, for machines without internet.
        accepted: whether the user accepted a pack's licence.
        choice: what models run on.
        progress: told about bytes while a pack is fetched.
        give_up: seconds of silence after which a source is given up.
        packs: all there are.
        unloaded: called after models left memory.
    """

    def __init__(
        self,
        folder: Path,
        local_folders: Sequence[Path] = (),
        accepted: Callable[[str], bool] = lambda _: False,
        *,
        choice: RuntimeChoice | None = None,
        progress: Progress = silent,
        give_up: float = GIVE_UP_SECONDS,
        packs: Sequence[Pack] | None = None,
        unloaded: Callable[[], None] = lambda: None,
    ) -> None:
        self._files = ModelFolder(folder, local_folders, progress, give_up)
        self._accepted = accepted
        self._choice = choice or RuntimeChoice()
        self._warnings = Warnings()
        self._patience: dict[str, Patience] = {}
        self._packs = {pack.info.name: pack for pack in (known_packs() if packs is None else packs)}
        self._loaded: dict[str, Loaded] = {}
        self._lock = threading.Lock()
        self._idle = IdleWatch(self._choice.unload_after, self._unload_unused)
        self._after_unloading = unloaded

    @property
    def warnings(self) -> tuple[str, ...]:
        """What goes wrong without stopping anything (an accelerator that failed), for the Status page."""
        return self._warnings.texts()

    def packs(self) -> list[PackInfo]:
        """Every pack known, the default first."""
        return [pack.info for pack in self._packs.values()]

    def installed(self, name: str) -> bool:
        """Whether every file of the pack is on this machine and was verified."""
        pack = self._packs.get(name)
        return pack is not None and all(self._files.has(file) for file in pack.files)

    def pull(self, name: str) -> None:
        """Fetch and prepare a pack without loading it, for `kinfolk models pull`. Raises like `load`."""
        pack = self._allowed(name)
        with self._lock:
            self._install(pack)

    def load(self, name: str) -> OnnxFaceModel:
        """The loaded pack, fetched first when needed; loaded once, then shared.

        Raises:
            PackUnknown, PackUnavailable, LicenceNotAccepted, RuntimeClash, DiskFull.
        """
        pack = self._allowed(name)
        with self._lock:
            self._idle.used()
            if name not in self._loaded:
                check_one_runtime()
                self._install(pack)
                self._loaded[name] = self._load(pack)
                self._idle.used()
            return self._loaded[name].model

    def loaded(self, name: str) -> OnnxFaceModel | None:
        """The pack's model when it is in memory already; never waits for a download that is under way."""
        loaded = self._loaded.get(name)
        return loaded.model if loaded else None

    def accelerator(self, name: str) -> Accelerator | None:
        """What may run the pack beside the CPU; None where there is none, or while the pack is not in memory."""
        loaded = self._loaded.get(name)
        return loaded.accelerator if loaded else None

    def unload(self) -> None:
        """Let every model leave memory; whoever still works with one keeps it to the end, on the CPU."""
        with self._lock:
            loaded, self._loaded = self._loaded, {}
        if loaded:
            _end(loaded)
            gc.collect()  # a model and its accelerator know each other
            self._after_unloading()

    def close(self) -> None:
        """End the accelerators' processes. Call once, at the end."""
        self._idle.close()
        self.unload()

    def _unload_unused(self) -> None:
        with self._lock:  # a pack that is being fetched and loaded may take longer than anything rests
            # Somebody was faster; or an accelerator compiles, which must not begin anew.
            if not self._idle.is_over() or self._compiles():
                self._idle.used()
                return
        log.info("Models leave memory until they are needed again")
        self.unload()

    def _compiles(self) -> bool:
        loaded = [one.accelerator for one in list(self._loaded.values()) if one.accelerator]
        return any(accelerator.state is AcceleratorState.STARTING for accelerator in loaded)

    def _allowed(self, name: str) -> Pack:
        pack = self._packs.get(name)
        if pack is None:
            raise PackUnknown(f"There is no model pack {name!r}", f"Choose one of: {', '.join(self._packs)}")
        if pack.info.needs_acceptance and not self._accepted(name):
            raise LicenceNotAccepted(
                f"Model pack {name!r} needs its licence accepted first: {pack.info.licence}",
                f"Read {pack.info.licence_url} and accept it on the Settings page",
            )
        return pack

    def _install(self, pack: Pack) -> None:
        """Fetch what is missing, prepare what is not prepared; an original damaged on disk is fetched again."""
        self._files.ensure(pack.files)
        unprepared = [(file, role) for file, role in _roles(pack) if not is_prepared(self._files.path(file))]
        if not unprepared:
            return
        self._files.ensure([file for file, _ in unprepared], distrust=True)
        try:
            with self._files.locked():
                for file, role in unprepared:
                    prepare(self._files.path(file), role)
        except OSError as error:
            raise write_error(error, self._files.folder) from error

    def _load(self, pack: Pack) -> Loaded:
        accelerators: list[Accelerator] = []  # filled once the networks it gets are there

        def failed(error: AcceleratorFailed) -> None:
            for accelerator in accelerators:
                accelerator.failed(error)

        finder = self._network(pack.detector, self._detector_shapes(), failed)
        detector: Detector = YuNet(finder) if pack.detector_kind is DetectorKind.YUNET else Scrfd(finder)
        describer = self._network(pack.embedder, CROP_SHAPES, failed)
        networks = [finder, describer]
        embedder = Embedder(describer, pack.embedder_kind, pack.info.dimension)
        mesh = None
        if pack.landmarks is not None:
            networks.append(self._network(pack.landmarks, [(1, 3, SIZE, SIZE)], failed))
            mesh = FaceMesh(networks[-1])
        accelerators += self._accelerators(pack.info.name, networks)
        provider = partial(_provider, accelerators)
        model = OnnxFaceModel(pack.info, provider, detector, embedder, mesh)
        return Loaded(model, accelerators[0] if accelerators else None)

    def _detector_shapes(self) -> list[Shape]:
        sides = dict.fromkeys(padded(side) for side in self._choice.long_sides)
        return [(1, 3, side, side) for side in sides]

    def _network(
        self, file: ModelFile, shapes: Sequence[Shape], failed: Callable[[AcceleratorFailed], None]
    ) -> Network:
        path = prepared_path(self._files.path(file))
        return Network(path, shapes, open_cpu=self._open_cpu, used=self._idle.used, failed=failed)

    def _open_cpu(self, path: Path) -> CpuNetwork:
        return CpuNetwork(session(path, [CPU], self._choice.threads))

    def _accelerators(self, pack: str, networks: Sequence[Network]) -> list[Accelerator]:
        """The accelerator for these networks, which begins to load them; none where the CPU is all there is."""
        providers = self._providers()
        if not providers:
            return []
        patience = self._patience.setdefault(pack, Patience(self._choice.patience))
        return [Accelerator(networks, providers, self._start, self._compiled, self._warnings, patience)]

    def _providers(self) -> list[str]:
        """The accelerators to try. A chosen one that is not installed is a warning."""
        chosen, available = self._choice.accelerator, available_providers()
        if chosen == "cpu":
            return []
        if chosen == "auto":
            return provider_order(available, self._choice.providers)[:-1]
        if EXTRAS[chosen] not in available:
            self._warnings.note(chosen, why_not_installed(chosen, Machine.here()).explanation)
            return []
        return [EXTRAS[chosen]]

    def _start(self, provider: str, compiled: CompiledModels | None) -> AcceleratorProcess:
        command = [*self._choice.child, "low" if self._choice.low_priority else "normal"]
        return AcceleratorProcess(provider, command, environment_of(compiled, self._choice.gfx_override))

    def _compiled(self, provider: str) -> CompiledModels | None:
        root, override = self._choice.compiled, self._choice.gfx_override
        return CompiledModels.here(root, provider, override) if root else None


def _end(loaded: dict[str, Loaded]) -> None:
    while loaded:
        _, one = loaded.popitem()
        if one.accelerator is not None:
            one.accelerator.close()


def _provider(accelerators: Sequence[Accelerator]) -> str:
    return next((accelerator.provider for accelerator in accelerators if accelerator.provider), CPU)


def _roles(pack: Pack) -> list[tuple[ModelFile, Role]]:
    roles = [(pack.detector, Role.DETECTOR), (pack.embedder, Role.EMBEDDER)]
    return roles + ([(pack.landmarks, Role.LANDMARKS)] if pack.landmarks else [])
