"""One family album for all tests of the pages: a real in-memory catalogue, drawn pictures, the real steps.

Anna is on most photos, then Ben, then Clara; two unnamed groups and one hidden man follow. A neighbour's account owns
one photo of its own, which nobody else may ever see.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from plugin.account_export import AccountExport
from plugin.accounts import Accounts
from plugin.api_tokens import ApiTokens
from plugin.assemble.connecting import NextcloudConnections
from plugin.assemble.connecting_photoprism import PhotoPrismConnections
from plugin.assemble.data_folder import DataFolder
from plugin.assemble.vault import KEYS, Vault
from plugin.bulk import BulkActions
from plugin.catalogue.store import SqlCatalogue, open_in_memory
from plugin.detection import DetectionLimits
from plugin.domain import (
    Account,
    AccountId,
    Asset,
    AssetId,
    AssetKind,
    AssignedBy,
    Box,
    FaceId,
    FaceState,
    FoundFace,
    HostAsset,
    IntakeProblem,
    Library,
    PersonId,
    TokenScope,
)
from plugin.drawing import Drawing
from plugin.engine import MAXIMUM_AREA, EngineSwitch, FaceEngine
from plugin.errors import HostUnreachable, Refused
from plugin.face_search import FaceSearch
from plugin.first_start import FirstStart
from plugin.history import History
from plugin.hooks import Hooks
from plugin.hosts.nextcloud.address import Place
from plugin.index.exact import ExactIndex
from plugin.index.loading import ExactLoader
from plugin.likeness import Likeness
from plugin.media import DecodeLimits, StandardMedia
from plugin.originals import Originals
from plugin.outside_accounts import OutsideAccounts
from plugin.pausing import PauseRules, Pausing
from plugin.people import People
from plugin.ports.vision import PackInfo
from plugin.preferences import PreferenceBook
from plugin.privacy import Copy, Privacy
from plugin.sharing import Sharing
from plugin.smart_home import SmartHome
from plugin.suggestions import Suggestions
from plugin.vision.licences import licence_texts
from plugin.web.passwords import password_guard
from plugin.web.services import EngineStatus, WebServices
from plugin.writeback import WriteBack
from tests.fakes.album import NudgeLog
from tests.fakes.face_models import FakeFaceModels
from tests.fakes.hooks import FakeRegistrar, HandMovedTime
from tests.fakes.smart_home import FakeLink
from tests.fakes.writing_host import FakeWritingHost
from tests.web.portraits import Figure, photo, webp

PASSWORD = "correct horse battery"
PACKS = [
    PackInfo("opencv", "OpenCV Zoo (YuNet + SFace)", "MIT and Apache-2.0", "https://example.org/opencv", False, 128,
             0.7, 0.55, 1.03, True, 38_000_000),
    PackInfo("buffalo_s", "InsightFace buffalo_s", "Non-commercial research use", "https://example.org/buffalo", True,
             512, 0.6, 0.5, 1.08, True, 16_000_000),
    PackInfo("antelopev2", "InsightFace antelopev2", "Non-commercial research use", "https://example.org/antelope",
             True, 512, 0.6, 0.5, 1.08, False, 400_000_000),
]  # fmt: skip
CAST = {"Anna": 0, "Ben": 1, "Clara": 2, "": 3, "Oma Lotte": 5, "Herr Krause": 4}


@dataclass
class DrawnPictures:
    """Pictures drawn on demand from what was put on them."""

    catalogue: SqlCatalogue
    scenes: dict[str, tuple[tuple[int, int], tuple[Figure, ...], int]]
    unreachable: set[AssetId] = field(default_factory=set)
    drawn: dict[AssetId, Image.Image] = field(default_factory=dict)

    def picture(self, asset: Asset) -> Image.Image:
        if asset.id in self.unreachable:
            raise HostUnreachable("The disk is away")
        if asset.id not in self.drawn:
            (width, height), figures, mood = self.scenes[asset.content_key]
            self.drawn[asset.id] = photo(width, height, figures, mood)
        return self.drawn[asset.id]

    def face_thumbnail(self, account_id: AccountId, face_id: FaceId) -> bytes:
        face = self.catalogue.faces.get(face_id, account_id)
        picture = self.picture(self.catalogue.assets.get(face.asset_id, account_id))
        width, height = picture.size
        side = max(face.box.w * width, face.box.h * height) * 1.5
        left, top = (face.box.x + face.box.w / 2) * width, (face.box.y + face.box.h / 2) * height
        crop = (int(left - side / 2), int(top - side / 2), int(left + side / 2), int(top + side / 2))
        return webp(picture.crop(crop).resize((240, 240)))

    def preview(self, account_id: AccountId, asset_id: AssetId, long_side: int) -> bytes:
        picture = self.picture(self.catalogue.assets.get(asset_id, account_id)).copy()
        picture.thumbnail((long_side, long_side))
        return webp(picture)


@dataclass
class DrawerOfCopies:
    """Two backups of last nights, until they are renewed."""

    kept: list[Copy] = field(
        default_factory=lambda: [
            Copy("kinfolk-20240721T020000Z.zip", 4_200_000, datetime(2024, 7, 21, 2, tzinfo=UTC)),
            Copy("kinfolk-20240722T020000Z.zip", 4_300_000, datetime(2024, 7, 22, 2, tzinfo=UTC)),
        ]
    )

    def all(self) -> list[Copy]:
        return self.kept

    def renew(self) -> int:
        earlier = len(self.kept)
        self.kept = [Copy("kinfolk-20240723T120000Z.zip", 1_000_000, datetime(2024, 7, 23, 12, tzinfo=UTC))]
        return earlier


@dataclass
class Family:
    """The album, its services and what the tests want to look at."""

    catalogue: SqlCatalogue
    services: WebServices
    account: Account
    neighbour: Account
    nudge: NudgeLog
    pictures: DrawnPictures
    applied: list[str]
    token: str
    host: FakeWritingHost
    library: Library | None = None
    people: dict[str, PersonId] = field(default_factory=dict)
    assets: list[AssetId] = field(default_factory=list)
    foreign_asset: AssetId = 0
    foreign_face: FaceId = 0
    foreign_person: PersonId = 0
    foreign_library: int = 0
    links: dict[AssetId, str] = field(default_factory=dict)
    foreign_token: int = 0
    registrar: FakeRegistrar = field(default_factory=FakeRegistrar)
    time: HandMovedTime = field(default_factory=HandMovedTime)

    def faces_of(self, asset_id: AssetId) -> list[FaceId]:
        return [face.id for face in self.catalogue.faces.of_asset(asset_id, self.account.id)]

    def face_of(self, name: str, index: int = 0) -> FaceId:
        return self.catalogue.faces.of_person(self.people[name], self.account.id, 50)[index].id


@cache
def password_hash() -> str:
    """Of `PASSWORD`, computed once for all tests."""
    return password_guard().hash(PASSWORD)


def at(text: str) -> datetime:
    """The camera's local time, naive as everywhere in the product."""
    return datetime.fromisoformat(text)


def empty_family(*, password: bool = True, catalogue: SqlCatalogue | None = None) -> Family:
    """Accounts and services, no photo yet. A server with threads needs a catalogue in a file."""
    catalogue = catalogue or open_in_memory()
    account = catalogue.accounts.all()[0]
    neighbour = catalogue.accounts.add("neighbour", password_hash() if password else None, is_admin=False)
    if password:
        catalogue.accounts.rename(account.id, "Maria")
        catalogue.accounts.set_password(account.id, password_hash())
    account = catalogue.accounts.all()[0]
    nudge, applied = NudgeLog(), list[str]()
    first_start = FirstStart(catalogue.accounts, password_guard().hash)
    pictures = DrawnPictures(catalogue, {})

    def check_folder(path: str) -> str:
        if path != "/photos/new":
            raise Refused(f"There is no folder {path}", "Check the spelling, or mount the disk")
        return path

    def add_folder(account_id: AccountId, path: str) -> Library:
        check_folder(path)
        library = catalogue.libraries.add(account_id, "folder", "new", path)
        catalogue.libraries.request_sync(library.id)
        nudge.sync(library.id)
        return library

    people, host = People(catalogue, nudge), FakeWritingHost()
    pausing = Pausing(catalogue.preferences, PauseRules(), load=lambda: 0.0)

    def look(asset: Asset, box: Box) -> tuple[str, FoundFace]:
        """What a model would see: the figure that was drawn nearest to the middle of the box, if it has a model."""
        pictures.picture(asset)
        _, figures, _ = pictures.scenes[asset.content_key]
        middle = box.x + box.w / 2
        nearest = min(figures, key=lambda figure: abs(figure.x + figure.size / 2 - middle), default=Figure(7, 0, 0, 1))
        return "opencv", replace(found(nearest, 1.0), box=box)

    registrar, time = FakeRegistrar(), HandMovedTime()
    models, links = FakeFaceModels(), dict[AssetId, str]()
    models.load("opencv")
    preferences = PreferenceBook(catalogue.preferences, lambda: PACKS, {})
    copies = DrawerOfCopies()
    privacy = Privacy(catalogue, nudge, lambda _faces, _assets: None, copies, lambda: preferences.current().pack)
    services = WebServices(
        catalogue=catalogue,
        people=people,
        suggestions=Suggestions(catalogue, people, preferences.current, patience=60),
        bulk=BulkActions(catalogue, people, nudge),
        likeness=Likeness(catalogue, preferences.current),
        originals=Originals(catalogue, lambda _library: host),
        history=History(catalogue, nudge),
        drawing=Drawing(catalogue, people, nudge, look),
        face_search=FaceSearch(
            catalogue, lambda: searched(catalogue), preferences.current, models, StandardMedia(), DetectionLimits()
        ),
        host_link=lambda asset: links.get(asset.id),
        nudge=nudge,
        pictures=pictures,
        preferences=preferences,
        packs=lambda: PACKS,
        licence_texts=licence_texts,
        add_folder_library=add_folder,
        check_folder=check_folder,
        nextcloud=NextcloudConnections(catalogue, vault(), nudge.sync),
        photoprism=PhotoPrismConnections(catalogue, vault(), nudge.sync),
        privacy=privacy,
        sharing=Sharing(catalogue, people),
        accounts=Accounts(catalogue, password_guard().hash),
        account_export=AccountExport(catalogue, pictures.face_thumbnail),
        fetching=lambda: None,
        engine_status=lambda: engine_status(()),
        apply=applied.append,
        first_start=first_start,
        tokens=ApiTokens(catalogue.tokens),
        engine=FaceEngine(models, StandardMedia(DecodeLimits(MAXIMUM_AREA)), preferences.current, DetectionLimits()),
        engine_switch=EngineSwitch(catalogue.preferences, preferences.current),
        outside_accounts=OutsideAccounts(
            catalogue.accounts,
            catalogue.outside_users,
            catalogue.libraries,
            nudge.sync,
            lambda base, user: Place(base, user).address,
        ),
        pausing=pausing,
        home_link=FakeLink(),
        smart_home=SmartHome(catalogue, pausing, lambda: nudge, lambda: 3, lambda account_id, asset_id: b"jpeg"),
        hooks=Hooks(catalogue.hooks, catalogue.libraries, registrar, nudge, time.start, lambda: time.now),
        writing=WriteBack(catalogue, lambda _library: host, lambda _stream: 1, nudge.writeback, people=people),
        secret_key=b"k" * 32,
    )
    made = Family(catalogue, services, account, neighbour, nudge, pictures, applied, first_start.token, host)
    made.links = links
    made.registrar, made.time = registrar, time
    return made


def vault() -> Vault:
    """With a key of its own, and so without a file."""
    return Vault(DataFolder(Path("/nowhere")), {KEYS: "5a" * 32})


def searched(catalogue: SqlCatalogue) -> ExactIndex:
    """Every embedding of the catalogue, as the index would hold them."""
    index = ExactIndex()
    loader = ExactLoader(catalogue.faces, "opencv", index)
    while loader.catch_up(500):
        pass
    return index


def engine_status(warnings: tuple[str, ...]) -> EngineStatus:
    return EngineStatus(
        PACKS[0].title, True, "CPUExecutionProvider", "The search index is ready.", warnings, "/data", 41_000_000_000,
        "AMD Ryzen, 8 threads", 3.5,
    )  # fmt: skip


def found(figure: Figure, ratio: float, score: float = 0.93) -> FoundFace:
    """What detection would say of a drawn figure; all faces of one look have the same embedding."""
    embedding = np.zeros(128, np.float32)
    embedding[figure.look] = 1
    box = Box(figure.x, figure.y, figure.size, figure.size * ratio * 1.12)
    landmarks = np.array([[0.3, 0.5], [0.7, 0.5], [0.5, 0.7], [0.35, 0.85], [0.65, 0.85]], np.float32)
    return FoundFace(box, landmarks, score, 0.8, embedding, 20.0, 300.0, 0.9, figure.size * 1600)


def add_photo(
    family: Family, library: Library, path: str, taken: datetime | None, size: tuple[int, int],
    figures: tuple[Figure, ...], sync_pass: int,
) -> list[FaceId]:  # fmt: skip
    """One photo, looked at; its faces in the order of the figures."""
    family.pictures.scenes[path] = (size, figures, len(family.pictures.scenes))
    family.host.put(path, f"pixels of {path}".encode())
    kind = AssetKind.VIDEO if path.endswith(".mp4") else AssetKind.PHOTO
    seen = family.catalogue.assets.seen(library.id, [HostAsset(path, path, kind, path)], sync_pass)
    asset = family.catalogue.assets.get(seen[0].asset_id)
    if library.account_id == family.account.id:
        family.assets.append(asset.id)
    faces = [found(figure, size[0] / size[1]) for figure in figures]
    return family.catalogue.detection.finish(asset, "opencv", faces, size, taken)


def scenes() -> list[tuple[str, datetime | None, tuple[int, int], tuple[Figure, ...]]]:
    """Fourteen photos over three months, alone and together, wide and tall."""
    wide, tall = (1200, 800), (800, 1100)
    anna, ben, clara, baby, krause, lotte = 0, 1, 2, 3, 4, 5
    rows: list[tuple[str, datetime | None, tuple[int, int], tuple[Figure, ...]]] = [
        ("2024/Lake/boat.jpg", at("2024-07-21 16:05"), wide,
         (Figure(anna, 0.12, 0.32, 0.17), Figure(ben, 0.42, 0.26, 0.17), Figure(clara, 0.72, 0.38, 0.15))),
        ("2024/Lake/anna swims.jpg", at("2024-07-20 11:00"), tall, (Figure(anna, 0.3, 0.3, 0.36),)),
        ("2024/Lake/ben and anna.jpg", at("2024-07-19 18:30"), wide,
         (Figure(ben, 0.2, 0.3, 0.2), Figure(anna, 0.55, 0.3, 0.2))),
        ("2024/Lake/clara.jpg", at("2024-07-18 09:12"), tall, (Figure(clara, 0.28, 0.28, 0.4),)),
        ("2024/Garden/lotte.jpg", at("2024-06-02 15:00"), wide,
         (Figure(lotte, 0.18, 0.3, 0.2), Figure(anna, 0.58, 0.28, 0.2))),
        ("2024/Garden/lotte and ben.jpg", at("2024-06-02 15:20"), wide,
         (Figure(ben, 0.18, 0.3, 0.22), Figure(lotte, 0.58, 0.3, 0.2))),
        ("2024/Garden/lotte laughs.jpg", at("2024-06-01 12:00"), tall, (Figure(lotte, 0.3, 0.3, 0.4),)),
        ("2024/Garden/baby.jpg", at("2024-06-01 11:00"), wide, (Figure(baby, 0.4, 0.3, 0.22),)),
        ("2024/Garden/baby and anna.jpg", at("2024-06-01 10:00"), wide,
         (Figure(baby, 0.22, 0.4, 0.18), Figure(anna, 0.55, 0.26, 0.22))),
        ("2024/Garden/baby sleeps.jpg", at("2024-06-01 09:00"), wide, (Figure(baby, 0.38, 0.28, 0.26),)),
        ("2023/office.jpg", at("2023-12-24 18:00"), wide,
         (Figure(krause, 0.2, 0.3, 0.2), Figure(ben, 0.6, 0.3, 0.2))),
        ("2023/tree.jpg", at("2023-12-24 19:00"), tall, (Figure(anna, 0.34, 0.3, 0.36),)),
        ("2023/birthday.mp4", at("2023-12-03 19:00"), wide, (Figure(anna, 0.4, 0.3, 0.24),)),
        ("scan0001.jpg", None, tall, (Figure(anna, 0.32, 0.32, 0.38),)),
    ]  # fmt: skip
    return rows


def family_with_photos(catalogue: SqlCatalogue | None = None) -> Family:
    """The whole album, recognised and named."""
    family = empty_family(catalogue=catalogue)
    owner = family.account.id
    rows = family.catalogue.libraries
    family.library = library = rows.add(owner, "folder", "Family photos", "/photos/family")
    sync_pass = rows.sync_started(library.id)
    by_look: dict[int, list[FaceId]] = {}
    for path, taken, size, figures in scenes():
        for figure, face_id in zip(
            figures, add_photo(family, library, path, taken, size, figures, sync_pass), strict=True
        ):
            by_look.setdefault(figure.look, []).append(face_id)
    rows.sync_finished(library.id, None)
    for name, look in CAST.items():
        faces = by_look[look]
        family.people[name] = family.catalogue.people.add(owner, name, faces[0])
        family.catalogue.faces.assign([(face, family.people[name]) for face in faces], AssignedBy.MACHINE)
    family.catalogue.people.set_hidden(family.people["Herr Krause"], owner, hidden=True)
    add_neighbour(family)
    return family


def add_neighbour(family: Family) -> None:
    """One photo of somebody else."""
    rows = family.catalogue.libraries
    library = rows.add(family.neighbour.id, "folder", "Next door", "/photos/next-door")
    figure = Figure(1, 0.3, 0.3, 0.3)
    faces = add_photo(family, library, "private.jpg", None, (900, 700), (figure,), rows.sync_started(library.id))
    rows.sync_finished(library.id, None)
    family.foreign_face, family.foreign_library = faces[0], library.id
    family.foreign_token = family.services.tokens.create(family.neighbour, "Secret", TokenScope.READ)[0].id
    family.foreign_asset = family.catalogue.faces.get(faces[0]).asset_id
    family.foreign_person = family.catalogue.people.add(family.neighbour.id, "Secret", faces[0])
    family.catalogue.faces.assign([(faces[0], family.foreign_person)], AssignedBy.USER)


def add_stranger_faces(family: Family) -> AssetId:
    """A photo of somebody recognition gave to nobody, and one that cannot be read; a folder that was refused."""
    assert family.library is not None
    rows, library = family.catalogue.libraries, family.library
    sync_pass = rows.sync_started(library.id)
    figures = (Figure(3, 0.05, 0.35, 0.13), Figure(0, 0.38, 0.3, 0.2), Figure(2, 0.84, 0.36, 0.14))
    faces = add_photo(family, library, "2024/Lake/beach.jpg", at("2024-07-22 12:00"), (1600, 1000), figures, sync_pass)
    family.catalogue.faces.assign([(faces[1], family.people["Anna"])], AssignedBy.MACHINE)
    family.catalogue.faces.assign([(faces[0], None), (faces[2], None)], AssignedBy.MACHINE)
    broken = HostAsset("2024/broken.jpg", "2024/broken.jpg", AssetKind.PHOTO, "broken")
    family.catalogue.assets.seen(library.id, [broken], sync_pass)
    (claimed,) = family.catalogue.detection.claim("test", 1, 60)
    family.catalogue.detection.fail(claimed, "picture_broken", "The file ends too early", permanent=True)
    problem = IntakeProblem("2024/locked", "folder_unreadable", "The folder may not be read", hides_below=True)
    rows.replace_problems(library.id, [problem])
    rows.sync_finished(library.id, None)
    return family.catalogue.faces.get(faces[0]).asset_id


def faces_of_nobody(family: Family, name: str = "Ben") -> list[FaceId]:
    """Take two faces from a person, as a group of nobody that looks like them."""
    loose = sorted(face.id for face in family.catalogue.faces.of_person(family.people[name], family.account.id, 100))[
        :2
    ]
    family.catalogue.faces.assign([(face, None) for face in loose], AssignedBy.USER, FaceState.PENDING)
    family.catalogue.faces.regroup(family.account.id, np.array(loose), np.array([-1, -1]), np.array([loose[0]] * 2))
    return loose
