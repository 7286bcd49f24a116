"""A Kinfolk without stores and models, for the command line: it remembers what it was asked to do."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

from plugin.domain import (
    Account,
    CheckReport,
    Event,
    ExportedFace,
    Library,
    Person,
    Preferences,
    ScanProgress,
    ScanStage,
    ScanSummary,
)
from plugin.errors import KinfolkError, NotFound, Refused
from plugin.ports.vision import PackInfo
from plugin.settings import Settings
from plugin.vision.trial import Trial

Call = tuple[object, ...]

PACKS = (
    PackInfo("opencv", "YuNet and SFace", "MIT", "https://example.org", False, 128, 0.7, 0.5, 1.03, True, 40_000_000),
    PackInfo(
        "buffalo_s", "SCRFD", "research only", "https://example.org", True, 512, 0.7, 0.5, 1.08, False, 16_000_000
    ),
)


NO_CARD = Trial("onnxruntime 1.32.0", "", (), "AMD EPYC", "CPUExecutionProvider", 12.3, 12.3, ())


class FakeAccounts:
    """Accounts in a list; a fresh one holds the administrator that has no password yet."""

    def __init__(self) -> None:
        self.rows = [Account(1, "admin", None, is_admin=True, session_epoch=0)]

    def all(self) -> list[Account]:
        return list(self.rows)

    def by_name(self, name: str) -> Account | None:
        return next((account for account in self.rows if account.name.lower() == name.lower()), None)

    def add(self, name: str, password_hash: str | None, *, is_admin: bool) -> Account:
        self.rows.append(Account(len(self.rows) + 1, name, password_hash, is_admin, 0))
        return self.rows[-1]

    def rename(self, account_id: int, name: str) -> None:
        self._change(account_id, name=name)

    def set_password(self, account_id: int, password_hash: str) -> None:
        self._change(account_id, password_hash=password_hash)

    def _change(self, account_id: int, **values: str) -> None:
        self.rows = [replace(row, **values) if row.id == account_id else row for row in self.rows]  # type: ignore[arg-type]  # by name


@dataclass
class FakeKinfolk:
    """What `plugin.assemble.open_kinfolk` yields, as far as commands use it."""

    calls: list[Call] = field(default_factory=list)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    libraries: list[Library] = field(default_factory=list)
    persons: list[Person] = field(default_factory=list)
    exported: list[ExportedFace] = field(default_factory=list)
    assets: set[int] = field(default_factory=lambda: {7})
    reports: list[CheckReport] = field(default_factory=list)
    summary: ScanSummary = field(default_factory=lambda: ScanSummary(7, 7, 1, 1, (), 2.5))
    progress: Sequence[ScanProgress] = (ScanProgress(ScanStage.DETECT, 3, 7, failed=1, faces=4, rate=1.5),)
    events: list[Event] = field(default_factory=list)
    failure: BaseException | None = None
    settings: Settings | None = None
    trial: Trial = NO_CARD
    hint: str = ""

    @property
    def catalogue(self) -> SimpleNamespace:
        return SimpleNamespace(
            accounts=self.accounts,
            libraries=SimpleNamespace(all=lambda: list(self.libraries), remove=self._noting("remove")),
            people=SimpleNamespace(all=self._people),
            faces=SimpleNamespace(export=lambda _account_id: iter(self.exported)),
            assets=SimpleNamespace(get=self._asset),
            detection=SimpleNamespace(request=self._request),
        )

    @property
    def preferences(self) -> SimpleNamespace:
        values = Preferences(pack="opencv", minimum_score=0.7, maximum_distance=0.5, minimum_faces=3, linking=1.03)
        return SimpleNamespace(current=lambda: values, accept_licence=self._noting("accept"))

    @property
    def history(self) -> SimpleNamespace:
        return SimpleNamespace(latest=lambda _account_id, limit: self.events[:limit], undo=self._undo)

    @property
    def models(self) -> SimpleNamespace:
        return SimpleNamespace(packs=lambda: list(PACKS), installed=lambda name: name == "opencv")

    @property
    def recognition(self) -> SimpleNamespace:
        return SimpleNamespace(missing=self._noting("missing"), reset=self._noting("reset"))

    @property
    def connections(self) -> SimpleNamespace:
        return SimpleNamespace(disconnect=lambda library: None, with_password=self._connected)

    def _connected(self, account: Account, address: str, user: str, password: str, *, fingerprint: str) -> Library:
        self.calls.append(("connect", account.id, address, user, password, fingerprint))
        return Library(1, account.id, "nextcloud", user, f"https://{user}@cloud.example")

    @property
    def photoprism(self) -> SimpleNamespace:
        return SimpleNamespace(disconnect=lambda library: None, connect=self._connected_prism)

    def _connected_prism(self, account: Account, address: str, password: str, **chosen: object) -> SimpleNamespace:
        self.calls.append(("connect", account.id, address, password, *sorted(chosen.items())))
        library = Library(1, account.id, "photoprism", "PhotoPrism", f"https://{address}")
        return SimpleNamespace(
            library=library, edition_name="Community Edition", version="241213", missing=("People are switched off",)
        )

    def make_privacy(self) -> SimpleNamespace:
        return SimpleNamespace(clean_up=self._noting("clean up"))

    @property
    def indexing(self) -> SimpleNamespace:
        return SimpleNamespace(rebuild=lambda: 12)

    def _undo(self, _account_id: int, steps: int) -> list[Event]:
        standing = [event for event in self.events if not event.undone][:steps]
        if not standing:
            raise Refused("There is nothing to undo", "Only what you did yourself can be taken back")
        return standing

    def add_folder(self, account_id: int, path: str) -> Library:
        self.calls.append(("add_folder", account_id, path))
        return Library(1, account_id, "folder", Path(path).name, path)

    def scan(self, progress: Callable[[ScanProgress], None]) -> ScanSummary:
        for state in self.progress:
            progress(state)
        if self.failure:
            raise self.failure
        return self.summary

    def run_detection(self, progress: Callable[[ScanProgress], None]) -> None:
        self.calls.append(("run_detection",))

    def run_recognition(self, progress: Callable[[ScanProgress], None]) -> None:
        self.calls.append(("run_recognition",))

    def check(self, *, repair: bool) -> CheckReport:
        self.calls.append(("check", repair))
        return self.reports.pop(0)

    def backup(self, path: Path) -> None:
        path.write_bytes(b"backup")

    def try_accelerator(self, told: Callable[[str], None]) -> Trial:
        told("Compiling the models")
        return self.trial

    def card_hint(self) -> str:
        return self.hint

    def pull_pack(self, pack: str, progress: Callable[[int, int | None, str], None]) -> None:
        self.calls.append(("pull", pack))
        for done in (1, 2):
            progress(done, 2, "sface.onnx")

    @contextmanager
    def open(self, settings: Settings, *, exclusive: bool) -> Iterator["FakeKinfolk"]:
        """Stands in for `plugin.assemble.open_kinfolk`."""
        self.settings = settings
        self.calls.append(("open", "exclusive" if exclusive else "shared"))
        yield self

    def _people(
        self, account_id: int, *, minimum_faces: int, include_hidden: bool, offset: int, limit: int
    ) -> list[Person]:
        shown = [
            person
            for person in self.persons
            if person.face_count >= minimum_faces and (include_hidden or not person.hidden)
        ]
        return shown[offset : offset + limit]

    def _request(self, mode: str, pack: str, asset_ids: Sequence[int] | None) -> int:
        self.calls.append(("request", mode, pack, asset_ids))
        return 5

    def _asset(self, asset_id: int) -> None:
        if asset_id not in self.assets:
            raise NotFound(f"There is no asset {asset_id}")

    def _noting(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, *arguments))


class Broken(KinfolkError):
    """An error with an advice."""

    def __init__(self) -> None:
        super().__init__("The disk is full", "Make room")
