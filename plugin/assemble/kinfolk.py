"""The parts of a running Kinfolk, put together once."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from plugin.account_export import AccountExport
from plugin.accounts import Accounts
from plugin.app_identity import app_identity
from plugin.assemble.as_app import AppAccess
from plugin.assemble.connecting import NextcloudConnections
from plugin.assemble.connecting_photoprism import PhotoPrismConnections
from plugin.assemble.copies import KeptCopies
from plugin.assemble.data_folder import DataFolder
from plugin.assemble.fetching import FetchWatch
from plugin.assemble.manifests import Manifests
from plugin.assemble.opening import OpenHosts
from plugin.assemble.smart_home import broker_login
from plugin.assemble.snapshot import drop_snapshot, forget_killed_copies, leave_snapshot, make_whole
from plugin.assemble.vault import Vault
from plugin.catalogue.backup import restore_backup, write_backup
from plugin.catalogue.backup_files import backup_name, prune_backups
from plugin.catalogue.store import SqlCatalogue, open_catalogue
from plugin.detection import RETRY_LONG_SIDE, DetectionLimits, FaceDetection
from plugin.domain import (
    AccountId,
    Asset,
    AssetId,
    Box,
    CheckReport,
    FoundFace,
    Library,
    LibraryId,
    ScanProgress,
    ScanSummary,
)
from plugin.drawing import Drawing
from plugin.engine import MAXIMUM_AREA, EngineSwitch, FaceEngine
from plugin.errors import KinfolkError, ModelError
from plugin.exapp.app import NextcloudApp
from plugin.face_search import FaceSearch
from plugin.foreground import ForegroundScan
from plugin.history import History
from plugin.hosts.registry import host_kinds
from plugin.index.exact import ExactIndex
from plugin.index.guarded import GuardedIndex
from plugin.index.loading import ExactLoader
from plugin.indexing import Indexing
from plugin.intake import Intake
from plugin.media import DecodeLimits, StandardMedia
from plugin.media.thumbnails import small_jpeg
from plugin.mqtt.left import LeftAtBroker
from plugin.mqtt.link import LARGEST_PICTURE_BYTES, SmartHomeLink
from plugin.mqtt.topics import Topics
from plugin.pausing import Pausing
from plugin.people import People
from plugin.pipeline import Pipeline, give_back_memory
from plugin.ports.host import Host
from plugin.ports.index import ELSEWHERE, EmbeddingIndex
from plugin.ports.vision import PackInfo
from plugin.ports.work import Nudge
from plugin.preferences import PreferenceBook
from plugin.privacy import Privacy
from plugin.recognition import Recognition
from plugin.restraint import CpuShare
from plugin.settings import Settings
from plugin.smart_home import SmartHome
from plugin.suggestions import Suggestions
from plugin.thumbnails import Thumbnails
from plugin.vision.accelerator.amd import cards, override_for
from plugin.vision.downloads import Progress
from plugin.vision.installation import check_one_runtime
from plugin.vision.models import Accelerators, OnnxFaceModels, RuntimeChoice
from plugin.vision.trial import Trial, try_accelerator
from plugin.web.passwords import password_guard
from plugin.writeback import WriteBack

log = logging.getLogger(__name__)

WORKER = "local"
"""One worker process per data folder (its lock sees to it), so a fixed name finds the leases of a killed run."""

PREVIEW_CACHE_BYTES = 1_000_000_000
"""About 20,000 previews; the oldest go first."""

HOME_PICTURE_PX = 1024
"""Long side of the pictures a smart home is given."""

SEARCH_BLOCK = 5000
"""Embeddings read at once, about 10 MB."""

STOP_THE_OTHER = "Stop it first, or use its pages: whatever this command does can be done there"


class NoNudge:
    """The nudge of a process without workers: the rows are there, and whoever works looks at them every minute."""

    def sync(self, library_id: LibraryId) -> None:
        """Nobody to wake."""

    def named(self, library_id: LibraryId, host_keys: Sequence[str]) -> None:
        """Nobody to wake."""

    def detection(self) -> None:
        """Nobody to wake."""

    def recognition(self) -> None:
        """Nobody to wake."""

    def model(self) -> None:
        """Nobody to wake."""

    def writeback(self) -> None:
        """Nobody to wake."""


class Kinfolk:
    """Everything one process needs. Parts that cost time or memory are made when they are first used.

    Args:
        settings: validated.
        folder: the data folder, created.
        catalogue: open.
        stack: what has to be closed at the end.
        stays: whether this process works until it is told to stop, and so keeps the index on disk.
    """

    def __init__(
        self, settings: Settings, folder: DataFolder, catalogue: SqlCatalogue, stack: ExitStack, *, stays: bool
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.catalogue = catalogue
        self.nudge: Nudge = NoNudge()
        self.stopping = False
        self.stays = stays
        self._stack = stack
        self.fetch_watch = FetchWatch()
        self.vault = Vault(folder)
        self._search_loader: tuple[str, ExactLoader] | None = None

    @cached_property
    def models(self) -> OnnxFaceModels:
        """The model packs of this installation."""
        models = self._models(self.fetch_watch.note)
        self._stack.callback(models.close)
        return models

    def _models(self, progress: Progress, accelerator: Accelerators | None = None) -> OnnxFaceModels:
        return OnnxFaceModels(
            self.folder.models,
            local_folders=self.settings.runtime.model_folders,
            accepted=self._licence_accepted,
            choice=self._runtime_choice(accelerator or self.settings.runtime.accelerator),
            progress=progress,
            unloaded=give_back_memory,
        )

    def try_accelerator(self, told: Callable[[str], None]) -> Trial:
        """Try what is to run the models, and measure it; see `plugin.vision.trial`."""
        on_cpu = self._models(self.fetch_watch.note, "cpu")
        return try_accelerator(self.models, on_cpu, self.preferences.current().pack, told)

    def card_hint(self) -> str:
        """The HSA_OVERRIDE_GFX_VERSION the card probably needs; "" for none."""
        return "" if self.settings.runtime.gfx_override else override_for(cards(), os.environ)

    def _runtime_choice(self, accelerator: Accelerators) -> RuntimeChoice:
        runtime, detection = self.settings.runtime, self.settings.detection
        return RuntimeChoice(
            accelerator=accelerator,
            providers=runtime.providers,
            long_sides=(detection.long_side, RETRY_LONG_SIDE),
            unload_after=None if runtime.unload_minutes is None else 60.0 * runtime.unload_minutes,
            low_priority=detection.priority == "low",
            gfx_override=runtime.gfx_override,
            compiled=self.folder.compiled,
        )

    def _licence_accepted(self, pack: str) -> bool:
        return self.preferences.licence_accepted(pack)

    def _packs(self) -> list[PackInfo]:
        return self.models.packs()

    @cached_property
    def preferences(self) -> PreferenceBook:
        """Thresholds and the chosen pack."""
        return PreferenceBook(self.catalogue.preferences, self._packs, self.settings.fixed_preferences())

    @cached_property
    def people(self) -> People:
        """What users do to people and faces."""
        return People(self.catalogue, self.nudge, self.recognition.spread)

    @cached_property
    def history(self) -> History:
        """What users did, and undo."""
        return History(self.catalogue, self.nudge)

    @cached_property
    def privacy(self) -> Privacy:
        """Forgetting for good."""
        return self.make_privacy()

    def make_privacy(self) -> Privacy:
        """As `privacy`, for the start: what is made before the workers are there wakes nobody."""
        return Privacy(
            self.catalogue,
            self.nudge,
            self.thumbnails.keep_only,
            KeptCopies(self.folder),
            lambda: self.preferences.current().pack,
        )

    @cached_property
    def accounts(self) -> Accounts:
        """Who may log in."""
        return Accounts(self.catalogue, password_guard().hash, self.privacy.clean_up)

    @cached_property
    def account_export(self) -> AccountExport:
        """All that is held of an account."""
        return AccountExport(self.catalogue, self.thumbnails.face_thumbnail)

    @cached_property
    def suggestions(self) -> Suggestions:
        """Questions to users."""
        suggestions = Suggestions(self.catalogue, self.people, self.preferences.current)
        self._stack.callback(suggestions.close)
        return suggestions

    @cached_property
    def drawing(self) -> Drawing:
        """Faces that users draw."""
        return Drawing(self.catalogue, self.people, self.nudge, self._look)

    def _look(self, asset: Asset, box: Box) -> tuple[str, FoundFace]:
        model = self.models.load(self.preferences.current().pack)
        return model.pack.name, self.detection.face_in(asset, box, model)

    @cached_property
    def face_search(self) -> FaceSearch:
        """Searches by face."""
        return FaceSearch(
            self.catalogue, self._searched, self.preferences.current, self.models, self.media, self._detection_limits()
        )

    @cached_property
    def engine(self) -> FaceEngine:
        """Faces for other programs."""
        limits = DecodeLimits(MAXIMUM_AREA, self.settings.detection.maximum_photo_megabytes * 2**20)
        return FaceEngine(self.models, StandardMedia(limits), self.preferences.current, self._detection_limits())

    @cached_property
    def engine_switch(self) -> EngineSwitch:
        """Whether other programs may use it."""
        return EngineSwitch(self.catalogue.preferences, self.preferences.current)

    @cached_property
    def nextcloud_app(self) -> NextcloudApp | None:
        """Kinfolk as an app of a Nextcloud, where AppAPI started it. Raises `SettingsError`."""
        identity = app_identity(os.environ)
        if identity is None:
            return None
        return NextcloudApp(
            identity,
            self.catalogue.preferences,
            self.engine,
            self.preferences.current,
            self._packs,
            self.pull_pack,
            self._let_in_again,
        )

    def _let_in_again(self) -> None:
        """The app was enabled: what Nextcloud refused to it before may be asked again."""
        for library in self.catalogue.libraries.all():
            if self.app_access.reads(library):
                self.connections.resume(library)
                self._scan_soon(library.id)

    def _searched(self) -> EmbeddingIndex:
        """The index on disk where this process keeps it; else what is in the catalogue is read, new faces each time."""
        if self.stays:
            return self.index
        pack = self.preferences.current().pack
        if self._search_loader is None or self._search_loader[0] != pack:
            self._search_loader = (pack, self._loader())
        while self._search_loader[1].catch_up(SEARCH_BLOCK):
            pass
        return self._exact

    @cached_property
    def writing(self) -> WriteBack:
        """Tells hosts who is on their photos, where that is turned on."""
        return WriteBack(
            self.catalogue,
            self.host_of,
            self.media.orientation,
            self._wake_writing,
            people=self.people,
            should_stop=lambda: self.stopping,
        )

    def _wake_writing(self) -> None:
        self.nudge.writeback()  # whoever that is by then

    def host_link(self, asset: Asset) -> str | None:
        """Where a person sees the asset in the host's own interface, or None."""
        return self.host_of(self.catalogue.libraries.get(asset.library_id)).link(asset.host_key)

    @cached_property
    def media(self) -> StandardMedia:
        """Decoding and encoding of pictures."""
        detection = self.settings.detection
        return StandardMedia(
            DecodeLimits(
                maximum_pixels=detection.maximum_megapixels * 1_000_000,
                maximum_photo_bytes=detection.maximum_photo_megabytes * 2**20,
            )
        )

    @cached_property
    def thumbnails(self) -> Thumbnails:
        """Pictures for the screens."""
        return Thumbnails(self.folder.cache, self.catalogue, self.media, self.host_of)

    @cached_property
    def index(self) -> GuardedIndex:
        """The embedding index on disk. Only the process that holds the worker's lock may open it."""
        index = GuardedIndex(self.folder.index, self.catalogue.index_state, self.catalogue.faces)
        self._stack.callback(index.close)
        return index

    @cached_property
    def indexing(self) -> Indexing:
        """Keeps the index on disk in step with the catalogue."""
        return Indexing(self.catalogue, self.index)

    @cached_property
    def _exact(self) -> ExactIndex:
        """What a command that ends soon searches in, instead of the index on disk."""
        return ExactIndex()

    def index_words(self) -> str:
        """How the index stands, as one sentence."""
        if not self.stays:
            return ELSEWHERE
        return self.index.status.sentence

    @cached_property
    def recognition(self) -> Recognition:
        """Faces to people."""
        return Recognition(self.catalogue, self.index if self.stays else self._exact, self.preferences.current)

    def _detection_limits(self) -> DetectionLimits:
        detection = self.settings.detection
        return DetectionLimits(detection.long_side, detection.working_long_side, detection.video_frames)

    @cached_property
    def detection(self) -> FaceDetection:
        """Asset to faces."""
        return FaceDetection(self.catalogue, self.media, self.host_of, self.thumbnails.keep, self._detection_limits())

    @cached_property
    def pipeline(self) -> Pipeline:
        """What follows what."""
        return Pipeline(
            catalogue=self.catalogue,
            intake=Intake(self.catalogue),
            detection=self.detection,
            recognition=self.recognition,
            indexing=self.indexing if self.stays else self._loader(),
            models=self.models,
            preferences=self.preferences.current,
            host_of=self.host_of,
            worker=WORKER,
            should_stop=lambda: self.stopping,
            share=CpuShare(self.settings.detection.cpu_percent, self.settings.detection.workers),
            # A command somebody typed does what it says, whatever the hour.
            held=self.pausing.holds if self.stays else lambda: False,
        )

    @cached_property
    def pausing(self) -> Pausing:
        """Whether work in the background rests."""
        return Pausing(self.catalogue.preferences, self.settings.pause.rules())

    @cached_property
    def smart_home(self) -> SmartHome:
        """What Home Assistant is told and may ask."""
        return SmartHome(
            self.catalogue,
            self.pausing,
            lambda: self.nudge,
            lambda: self.preferences.current().minimum_faces,
            self._home_picture,
            state=self.folder.catalogue_state,
        )

    def _home_picture(self, account_id: AccountId, asset_id: AssetId) -> bytes:
        return small_jpeg(self.thumbnails.preview(account_id, asset_id, HOME_PICTURE_PX), LARGEST_PICTURE_BYTES)

    @cached_property
    def home_link(self) -> SmartHomeLink | None:
        """The way to Home Assistant; None where there is no broker. Raises `SettingsError`."""
        mqtt = self.settings.mqtt
        login = broker_login(mqtt, self.settings.config, os.environ)
        if login is None:
            return None
        left = LeftAtBroker(self.folder.path)
        topics = Topics(left.name(self.catalogue.written.installation), mqtt.topic, mqtt.discovery_prefix)
        return SmartHomeLink(self.smart_home, self.catalogue.smart_home, topics, login, look=left)

    def _loader(self) -> ExactLoader:
        return ExactLoader(self.catalogue.faces, self.preferences.current().pack, self._exact)

    @cached_property
    def foreground(self) -> ForegroundScan:
        """Scans while a person waits."""
        return ForegroundScan(
            self.pipeline,
            self.catalogue,
            self.settings.detection.workers,
            lambda: self.preferences.current().minimum_faces,
        )

    def host_of(self, library: Library) -> Host:
        """The host of a library; see `OpenHosts`."""
        return self.hosts.host_of(library)

    @cached_property
    def hosts(self) -> OpenHosts:
        """The hosts of all libraries."""
        hosts = OpenHosts(
            self.catalogue,
            self.settings.libraries,
            self.connections,
            self.photoprism,
            self.manifests,
            self.app_access,
        )
        self._stack.callback(hosts.close)
        return hosts

    @cached_property
    def app_access(self) -> AppAccess:
        """Libraries of the Nextcloud this is an app of."""
        return AppAccess(lambda: self.nextcloud_app, self.catalogue.outside_users)

    @cached_property
    def connections(self) -> NextcloudConnections:
        """Connecting to Nextcloud."""
        return NextcloudConnections(self.catalogue, self.vault, self._scan_soon, app=self.app_access)

    @cached_property
    def photoprism(self) -> PhotoPrismConnections:
        """Connecting to PhotoPrism."""
        return PhotoPrismConnections(self.catalogue, self.vault, self._scan_soon)

    def _scan_soon(self, library_id: LibraryId) -> None:
        self.catalogue.libraries.request_sync(library_id)
        self.nudge.sync(library_id)

    def check_folder(self, path: str) -> str:
        """The address of a folder of photos that can be read.

        Raises:
            HostUnreachable, HostRefused: it is not there, no folder, or may not be read.
        """
        address = host_kinds()["folder"].address(path)
        self.host_of(Library(0, 0, "folder", Path(address).name, address)).check()
        return address

    def add_folder(self, account_id: AccountId, path: str) -> Library:
        """Add a folder of photos; the same folder twice is one library. Raises like `check_folder`."""
        address = self.check_folder(path)
        library = self.catalogue.libraries.add(account_id, "folder", Path(address).name or address, address)
        self.catalogue.libraries.request_sync(library.id)
        self.nudge.sync(library.id)
        return library

    def add_manifest(self, account_id: AccountId, address: str, name: str = "", password: str = "") -> Library:
        """Add the photos of a manifest (`plugin.hosts.manifest`). Raises `HostError`."""
        library = self.manifests.add(account_id, address, name, password)
        self._scan_soon(library.id)
        return library

    @cached_property
    def manifests(self) -> Manifests:
        """Manifests and their logins."""
        return Manifests(self.catalogue, self.vault)

    def scan(self, progress: Callable[[ScanProgress], None]) -> ScanSummary:
        """Sync, detect and recognise to the end; see `ForegroundScan.run`."""
        return self.foreground.run(progress)

    def run_detection(self, progress: Callable[[ScanProgress], None]) -> None:
        """Work the detection queue off; see `ForegroundScan.detect`."""
        self.foreground.detect(progress)

    def run_recognition(self, progress: Callable[[ScanProgress], None]) -> None:
        """Group every waiting face; see `ForegroundScan.recognise`."""
        self.foreground.recognise(progress)

    def check(self, *, repair: bool) -> CheckReport:
        """Whether the catalogue is sound and the index holds exactly its faces; `repair` heals the index."""
        findings = [*self.catalogue.integrity(), *self._runtime_findings()]
        self.index.wait_until_settled()
        index = self.indexing.check(repair=repair)
        findings += index.findings
        return CheckReport(not findings, tuple(findings), repaired=repair and bool(index.findings))

    def check_runtime(self) -> None:
        """Say on the Status page, before there is any work, when no or several ONNX Runtimes are installed."""
        try:
            check_one_runtime()
        except ModelError as error:
            self.pipeline.troubles.note("model", error)

    def _runtime_findings(self) -> list[str]:
        """What is wrong with the ONNX Runtime that is installed."""
        try:
            check_one_runtime()
        except ModelError as error:
            return [error.explanation]
        return []

    def pull_pack(self, pack: str, progress: Progress) -> None:
        """Fetch and prepare a pack with progress; see `OnnxFaceModels.pull`."""
        self._models(progress).pull(pack)

    def backup(self, path: Path) -> None:
        """Write a backup of the catalogue to a new file."""
        write_backup(self.folder.catalogue, path)

    def apply(self, action: str) -> None:
        """What the buttons of the Settings page do; each only marks rows and wakes the workers."""
        pack = self.preferences.current().pack
        match action:
            case "detect_missing" | "detect_refresh" | "detect_reset":
                self.catalogue.detection.request(action.removeprefix("detect_"), pack)
                self.nudge.detection()
            case "recognize_missing":
                self.recognition.missing()
                self.nudge.recognition()
            case "recognize_reset":
                self.recognition.reset()
                self.nudge.recognition()
            case "pull_pack":
                self.nudge.model()

    def upkeep(self) -> None:
        """Once a night: a backup, and a cache that does not grow for ever."""
        try:
            if self.settings.backup.daily:
                self.folder.backups.mkdir(exist_ok=True, mode=0o700)
                with self.folder.copying():
                    self.backup(self.folder.backups / backup_name(datetime.now(UTC)))
                prune_backups(self.folder.backups, self.settings.backup.keep)
        except KinfolkError as error:
            self.pipeline.troubles.note("backup", error)
        else:
            self.pipeline.troubles.over("backup")
        alive = (
            face for pack in self.catalogue.index_state.packs() for face in self.catalogue.index_state.face_ids(pack)
        )
        self.thumbnails.forget(alive, PREVIEW_CACHE_BYTES)
        self.privacy.clean_up()

    def free_bytes(self) -> int:
        """Space left where Kinfolk writes."""
        return shutil.disk_usage(self.folder.path).free


@contextmanager
def open_kinfolk(settings: Settings, *, exclusive: bool, stays: bool = False) -> Iterator[Kinfolk]:
    """Open the data folder.

    Args:
        settings: validated.
        exclusive: for commands that run models or use the index; they cannot share the folder with a running worker.
        stays: whether the process works until it is told to stop; needs `exclusive`.

    Raises:
        AlreadyRunning, SettingsError, CatalogueCorrupt, CatalogueNewer, DiskFull.
    """
    folder = DataFolder(settings.data)
    folder.create()
    with ExitStack() as stack:
        if exclusive:
            stack.enter_context(folder.held("worker", STOP_THE_OTHER))
        stack.enter_context(folder.temporary_files())
        make_whole(folder)
        if stays:
            forget_killed_copies(folder)
        if stays and not settings.ingress.supervisor:  # the add-on keeps one, and renews it
            drop_snapshot(folder)
        catalogue = open_catalogue(folder.catalogue)
        if stays and settings.ingress.supervisor:
            # The Supervisor asks for it only while Kinfolk runs, and leaves the catalogue out of every backup.
            stack.callback(leave_snapshot, folder)
        stack.callback(catalogue.close)
        kinfolk = Kinfolk(settings, folder, catalogue, stack, stays=stays)
        if exclusive:
            kinfolk.pipeline.begin()
            kinfolk.make_privacy().clean_up()
            stack.callback(kinfolk.pipeline.end)
        yield kinfolk


def restore(settings: Settings, backup: Path) -> None:
    """Put a backup in the place of the catalogue; the former one is kept beside it.

    Raises:
        AlreadyRunning, CatalogueError, DiskFull.
    """
    folder = DataFolder(settings.data)
    folder.create()
    with folder.held("web", STOP_THE_OTHER), folder.held("worker", STOP_THE_OTHER):
        LeftAtBroker(folder.path).look_again()
        restore_backup(backup, folder.catalogue)
