"""The whole pipeline over an in-memory catalogue, a host in memory and painted people: no model, no disk."""

from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from plugin.catalogue.store import open_in_memory
from plugin.detection import DetectionLimits, FaceDetection
from plugin.domain import AssetKind, FaceId, Library, WorkState
from plugin.index.exact import ExactIndex
from plugin.indexing import Indexing
from plugin.intake import Intake
from plugin.media import StandardMedia
from plugin.pipeline import Pipeline
from plugin.preferences import PreferenceBook
from plugin.recognition import Recognition
from plugin.restraint import CpuShare
from tests.fakes.face_models import FakeFaceModels, blank_picture, paint_person
from tests.fakes.host import FakeHost

Painted = Sequence[tuple[int, int, int, int]]
"""(person, x, y, size) for each face of a picture."""


def photo(faces: Painted, width: int = 640, height: int = 480, file_format: str = "JPEG") -> bytes:
    """An encoded picture with these people painted on it."""
    picture = blank_picture(width, height)
    for person, x, y, size in faces:
        paint_person(picture, person, x, y, size)
    stream = BytesIO()
    Image.fromarray(picture).save(stream, file_format, quality=92)
    return stream.getvalue()


class Workshop:
    """Everything put together; `stop` ends long steps early."""

    def __init__(self, share: CpuShare | None = None) -> None:
        self.catalogue = open_in_memory()
        self.host = FakeHost()
        self.models = FakeFaceModels()
        self.media = StandardMedia()
        self.thumbnails: dict[FaceId, bytes | None] = {}
        self.index = ExactIndex()
        self.stop = False
        account = self.catalogue.accounts.all()[0]
        self.account_id = account.id
        self.library = self.catalogue.libraries.add(account.id, "fake", "Album", "memory")
        self.preferences = PreferenceBook(self.catalogue.preferences, self.models.packs, {"minimum_faces": 2})
        self.recognition = Recognition(self.catalogue, self.index, self.preferences.current)
        self.detection = FaceDetection(
            self.catalogue, self.media, self.host_of, self.thumbnails.__setitem__, DetectionLimits(video_frames=4)
        )
        self.pipeline = Pipeline(
            catalogue=self.catalogue,
            intake=Intake(self.catalogue),
            detection=self.detection,
            recognition=self.recognition,
            indexing=Indexing(self.catalogue, self.index),
            models=self.models,
            preferences=self.preferences.current,
            host_of=self.host_of,
            worker="test",
            should_stop=lambda: self.stop,
            share=share,
        )

    def host_of(self, library: Library) -> FakeHost:
        """The only host there is."""
        assert library.host == "fake"
        return self.host

    def work(self) -> None:
        """Sync, detect and recognise to the end."""
        self.pipeline.sync(self.library.id)
        self.pipeline.detect(60)
        self.pipeline.recognise()

    def people(self) -> list[set[str]]:
        """Which pictures each person is in, most first."""
        found: dict[int, set[str]] = {}
        for row in self.catalogue.faces.export(self.account_id):
            if row.face.person_id is not None:
                found.setdefault(row.face.person_id, set()).add(row.path)
        return sorted(found.values(), key=lambda paths: (-len(paths), sorted(paths)))

    def failures(self) -> dict[str, str]:
        """Failed assets: path -> code."""
        failed = self.catalogue.assets.failed(self.account_id, None, 100)
        assert all(asset.state is WorkState.FAILED and asset.kind in AssetKind for asset in failed)
        return {asset.path: asset.error_code or "" for asset in failed}
