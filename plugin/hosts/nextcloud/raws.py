"""Raw photos nobody can show: Nextcloud makes no preview, and no JPEG or HEIC of the same name lies beside them."""

from dataclasses import dataclass, field

from plugin.domain import AssetKind, IntakeProblem
from plugin.hosts.nextcloud.files import RemoteFile
from plugin.sentences import Sentence


@dataclass(slots=True)
class _Folder:
    path: str
    raws: list[RemoteFile] = field(default_factory=list)
    photos: set[str] = field(default_factory=set)


class LonelyRaws:
    """Finds them while a listing goes by; keeps the names of the folders on the way to the present one only.

    A listing goes through a folder with all below it before it goes on beside it. Where one does not, a raw photo may
    be told of although its JPEG is there: nothing worse.
    """

    def __init__(self) -> None:
        self._open: list[_Folder] = []
        self._found: list[IntakeProblem] = []

    def meet(self, file: RemoteFile) -> None:
        """The next entry of the listing."""
        path = file.path if file.is_folder else file.folder
        while self._open and not _within(path, self._open[-1].path):
            self._close()
        if not self._open or self._open[-1].path != path:
            self._open.append(_Folder(path))
        if file.is_raw_without_preview:
            self._open[-1].raws.append(file)
        elif file.kind is AssetKind.PHOTO:
            self._open[-1].photos.add(_stem(file))

    def problems(self) -> list[IntakeProblem]:
        """All of the listing, which is over."""
        while self._open:
            self._close()
        return self._found

    def _close(self) -> None:
        folder = self._open.pop()
        self._found += [_problem(raw.path) for raw in folder.raws if _stem(raw) not in folder.photos]


def _problem(path: str) -> IntakeProblem:
    message = Sentence("Nextcloud makes no preview of these raw photos; put a JPEG of the same name beside each")
    return IntakeProblem(path, "raw_without_preview", message)


def _stem(file: RemoteFile) -> str:
    return file.name.rpartition(".")[0].casefold()


def _within(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
