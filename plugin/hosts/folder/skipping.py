"""What is left out of a folder: globs as in `.gitignore`, and folders with a `.nomedia` file (Android's custom)."""

import fnmatch
import re
from collections.abc import Iterable

NO_MEDIA = b".nomedia"


class SkipRules:
    """Globs that decide which files and folders are left out.

    A glob without `/` (`*.gif`, `@eaDir`) is compared with every name on the way; one with `/` (`2019/raw/*`) with the
    path from the library's folder, where `**` stands for any number of folders. `**/name/**` means the same as `name`.
    A folder that is left out takes everything below with it. Upper and lower case differ, as they do on the disk.
    """

    def __init__(self, globs: Iterable[str]) -> None:
        plain = [_without_wildcard_folders(glob) for glob in globs if glob.strip("/")]
        names = [fnmatch.translate(glob) for glob in plain if "/" not in glob]
        self._name = re.compile("|".join(names) or r"(?!)")
        self._paths = [glob.split("/") for glob in plain if "/" in glob]

    def skips(self, path: str) -> bool:
        """Whether a file or folder is left out by itself; its parents are taken to be listed."""
        if self._name.match(path.rpartition("/")[2]):
            return True
        return bool(self._paths) and any(_matches(path.split("/"), glob) for glob in self._paths)

    def skips_on_the_way(self, path: str) -> bool:
        """Whether a file or folder, or any folder above it, is left out."""
        parts = path.split("/")
        return any(self.skips("/".join(parts[: depth + 1])) for depth in range(len(parts)))


def _without_wildcard_folders(glob: str) -> str:
    glob = glob.strip("/").removesuffix("/**")
    rest = glob.removeprefix("**/")
    return glob if "/" in rest else rest


def _matches(parts: list[str], glob: list[str]) -> bool:
    if not glob:
        return not parts
    if glob[0] == "**":
        return any(_matches(parts[start:], glob[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], glob[0]) and _matches(parts[1:], glob[1:])
