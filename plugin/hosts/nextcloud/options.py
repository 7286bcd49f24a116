"""What is read of a Nextcloud user's files."""

import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class NextcloudOptions:
    """What a user may choose.

    Attributes:
        folders: paths from the user's root that are read; empty: everything.
        left_out: paths that are not read, although they lie in one that is.
        skip: globs; a file or folder one of whose names fits is left out.
        videos: whether videos are listed too.
        preview_pixels: long side of the previews that are looked at. Nextcloud keeps 256, 1024 and 4096; anything
            between is made from the next larger one at every request.
        others: user ids whose own libraries belong to the same account: what they share is read in theirs.
    """

    folders: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    videos: bool = True
    preview_pixels: int = 1024
    others: frozenset[str] = frozenset()

    @property
    def generation(self) -> str:
        """Changes with what is chosen, and so makes every folder be listed again."""
        chosen = (self.folders, self.left_out, self.skip, self.videos, sorted(self.others))
        return hashlib.blake2b(repr(chosen).encode(), digest_size=6).hexdigest()

    def starts(self) -> tuple[str, ...]:
        """Where listings begin: the chosen folders that lie in no other chosen one; the root is ""."""
        chosen = sorted({path.strip("/") for path in self.folders})
        return tuple(
            path for path in chosen if not any(_within(path, other) and path != other for other in chosen)
        ) or ("",)

    def takes_folder(self, path: str) -> bool:
        """Whether what lies in this folder (or below) may be read."""
        return not self._is_left_out(path) and any(_within(path, start) for start in self.starts())

    def takes(self, path: str) -> bool:
        """Whether this file is read."""
        return self.takes_folder(path) and path not in self.starts()

    def cuts_into(self, folder: str) -> bool:
        """Whether something below the folder was left out by the user, so that it is better not read as a whole."""
        return any(_within(path.strip("/"), folder) for path in self.left_out)

    def _is_left_out(self, path: str) -> bool:
        if any(_within(path, out.strip("/")) for out in self.left_out):
            return True
        return any(fnmatchcase(name, pattern) for name in PurePosixPath(path).parts for pattern in self.skip)


def _within(path: str, folder: str) -> bool:
    """Whether the path is the folder or lies below it."""
    return not folder or path == folder or path.startswith(f"{folder}/")
