"""The packs of this installation: fetched when first needed, prepared once, loaded once, shared."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from plugin.errors import LicenceNotAccepted, PackUnknown
from plugin.ports.vision import PackInfo
from plugin.vision.detections import Detector
from plugin.vision.downloads import GIVE_UP_SECONDS, Progress
from plugin.vision.embedder import CROP_SHAPE, Embedder
from plugin.vision.facemesh import SIZE, FaceMesh
from plugin.vision.model import OnnxFaceModel
from plugin.vision.packages import silent, write_error
from plugin.vision.packs import DetectorKind, ModelFile, Pack, known_packs
from plugin.vision.prepared import Role, is_prepared, prepare, prepared_path
from plugin.vision.runtime import Network, Runtime, Shape, Warnings, check_one_runtime
from plugin.vision.scrfd import Scrfd
from plugin.vision.sources import ModelFolder
from plugin.vision.yunet import YuNet


class OnnxFaceModels:
    """`FaceModels` on ONNX Runtime.

    Args:
        folder: holds the model files; made when first needed.
        local_folders: looked into before any download, for machines without internet.
        accepted: whether the user accepted a pack's licence.
        providers: ONNX Runtime providers to try, in this order; empty: every installed one, MIGraphX and ROCm first.
        threads: ONNX Runtime threads per call.
        progress: told about bytes while a pack is fetched.
        give_up: seconds of silence after which a source is given up.
        packs: all there are.
    """

    def __init__(
        self,
        folder: Path,
        local_folders: Sequence[Path] = (),
        accepted: Callable[[str], bool] = lambda _: False,
        *,
        providers: Sequence[str] = (),
        threads: int = 1,
        progress: Progress = silent,
        give_up: float = GIVE_UP_SECONDS,
        packs: Sequence[Pack] | None = None,
    ) -> None:
        self._files = ModelFolder(folder, local_folders, progress, give_up)
        self._accepted = accepted
        self._warnings = Warnings()
        self._runtime = Runtime(tuple(providers), threads, self._warnings)
        self._packs = {pack.info.name: pack for pack in (known_packs() if packs is None else packs)}
        self._loaded: dict[str, OnnxFaceModel] = {}
        self._lock = threading.Lock()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong without stopping anything (an accelerator that failed), for the Status page."""
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
            if name not in self._loaded:
                check_one_runtime()
                self._install(pack)
                self._loaded[name] = self._load(pack)
            return self._loaded[name]

    def loaded(self, name: str) -> OnnxFaceModel | None:
        """The pack's model when it is in memory already; never waits for a download that is under way."""
        return self._loaded.get(name)

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

    def _load(self, pack: Pack) -> OnnxFaceModel:
        finder = self._network(pack.detector, (1, 3, 640, 640))
        detector: Detector = YuNet(finder) if pack.detector_kind is DetectorKind.YUNET else Scrfd(finder)
        describer = self._network(pack.embedder, CROP_SHAPE)
        embedder = Embedder(describer, pack.embedder_kind, pack.info.dimension)
        mesh = None
        if pack.landmarks is not None:
            mesh = FaceMesh(self._network(pack.landmarks, (1, 3, SIZE, SIZE)))
        return OnnxFaceModel(pack.info, describer.provider, detector, embedder, mesh)

    def _network(self, file: ModelFile, usual_shape: Shape) -> Network:
        return self._runtime.network(prepared_path(self._files.path(file)), usual_shape)


def _roles(pack: Pack) -> list[tuple[ModelFile, Role]]:
    roles = [(pack.detector, Role.DETECTOR), (pack.embedder, Role.EMBEDDER)]
    return roles + ([(pack.landmarks, Role.LANDMARKS)] if pack.landmarks else [])
