"""Photos, their files, and who may see them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.fakes.photoprism.people import FakeMarker, FakePeople

VIDEOS = ("mp4", "mov")
CONVERTED = ("heic", "mp4", "mov")
"""PhotoPrism makes a JPEG beside these and calls that the primary file."""


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class FakeFile:
    uid: str
    name: str
    data: bytes
    root: str = "/"
    primary: bool = False
    sidecar: bool = False
    video: bool = False
    unhashed: bool = False

    @property
    def hash(self) -> str:
        return "" if self.unhashed else hashlib.sha1(self.data).hexdigest()


@dataclass
class FakePhoto:
    number: int
    uid: str
    kind: str
    files: list[FakeFile]
    created: datetime
    updated: datetime
    private: bool = False
    quality: int = 4
    deleted: datetime | None = None

    @property
    def path(self) -> str:
        """Of the original."""
        return next(file.name for file in self.files if file.root == "/")


@dataclass
class FakeSession:
    """A token: of a user who logged in, or of an app (`scope` says what for)."""

    user: str
    scope: str = "*"
    is_app: bool = True


@dataclass
class FakeLibrary:
    """What users do at PhotoPrism, beside Kinfolk. Dates are in whole seconds, as PhotoPrism's are."""

    photos: dict[str, FakePhoto] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=lambda: {"admin": "the admin's own password"})
    sessions: dict[str, FakeSession] = field(default_factory=dict)
    public: bool = False
    edition: str = "ce"
    version: str = "241213-382ffa899-Linux-AMD64"
    features: dict[str, bool] = field(
        default_factory=lambda: dict.fromkeys(("people", "edit", "download", "private", "review", "archive"), True)
    )
    clock: Callable[[], datetime] = now
    preview_token: str = "preview1"
    download_token: str = "download1"
    made: int = 0
    people: FakePeople = field(default_factory=FakePeople)

    def next_number(self) -> int:
        self.made += 1
        return self.made

    def token(self, user: str = "admin", scope: str = "*") -> str:
        """An app password as made under Settings > Account > Apps and Devices."""
        token = f"app-{self.next_number():06}-{user}"
        self.sessions[token] = FakeSession(user, scope)
        return token

    def new_tokens(self) -> None:
        """The tokens for pictures are others now, as after a restart."""
        self.preview_token = f"preview{self.next_number()}"
        self.download_token = f"download{self.next_number()}"

    def put(self, path: str, data: bytes) -> FakePhoto:
        """A file is put into the originals and indexed; at a known place it is another version of it."""
        known = self.at(path)
        number = known.number if known else self.next_number()
        files = self._files(number, path, data)
        if known is not None:
            known.files, known.updated = files, self.clock()
            return known
        kind = "video" if path.rpartition(".")[2] in VIDEOS else "image"
        photo = FakePhoto(number, f"pq{number:014}", kind, files, self.clock(), self.clock())
        self.photos[photo.uid] = photo
        return photo

    def _files(self, number: int, path: str, data: bytes) -> list[FakeFile]:
        ending = path.rpartition(".")[2]
        converted, video = ending in CONVERTED, ending in VIDEOS
        files = [FakeFile(f"fq{number:013}0", path, data, primary=not converted, video=video)]
        if converted:
            made = b"cover of " + data if video else data
            files.append(FakeFile(f"fq{number:013}1", f"{path}.jpg", made, root="sidecar", primary=True))
        return files

    def stack(
        self,
        photo: FakePhoto,
        path: str,
        data: bytes,
        *,
        primary: bool = False,
        sidecar: bool = False,
        video: bool = False,
    ) -> FakeFile:
        """Another file of the same photo: a raw, an edit, the video of a live photo."""
        file = FakeFile(f"fq{photo.number:013}{len(photo.files)}", path, data, "/", primary, sidecar, video)
        photo.files.append(file)
        photo.updated = self.clock()
        return file

    def at(self, path: str) -> FakePhoto | None:
        return next((photo for photo in self.photos.values() if photo.path == path), None)

    def found(self, path: str) -> FakePhoto:
        photo = self.at(path)
        assert photo is not None, path
        return photo

    def primary(self, path: str) -> FakeFile:
        """The file whose picture is shown, which markers are on."""
        return next(file for file in self.found(path).files if file.primary)

    def markers(self, path: str) -> list[FakeMarker]:
        """Every marker on a photo."""
        return self.people.of_file(self.primary(path).uid)

    def names(self, path: str) -> list[str]:
        """Who is shown on a photo."""
        return self.people.named(self.primary(path).uid)

    def move(self, old: str, new: str) -> None:
        photo = self.found(old)
        for file in photo.files:
            file.name = file.name.replace(old, new)
        photo.updated = self.clock()

    def remove(self, path: str) -> None:
        """Deleted for good."""
        del self.photos[self.found(path).uid]

    def archive(self, path: str, *, archived: bool = True) -> None:
        """As `entity.Photo.Archive`: `UpdatedAt` stays."""
        self.found(path).deleted = self.clock() if archived else None

    def of_hash(self, file_hash: str) -> FakeFile | None:
        files = (file for photo in self.photos.values() for file in photo.files)
        return next((file for file in files if file.hash == file_hash), None)
