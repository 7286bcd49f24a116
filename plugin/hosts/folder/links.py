# Paths on disk are bytes, which pathlib does not take.
# ruff: noqa: PTH112, PTH118, PTH120
"""Symbolic links: which are followed, and which are problems to show.

* A link is followed only where it stays inside the library's folder. What lies outside is shown as a problem: serving
  it would let anyone who can write a link into an album read any file of the server.
* What a link leads to is listed once: at its real place when that is listed anyway (so results do not depend on the
  order of names), through the link when its real place is left out (git-annex keeps the files in `.git`).
* A link to a folder above itself is a loop, a problem to show.
"""

import errno
import os

from plugin.domain import IntakeProblem
from plugin.hosts.folder import problems
from plugin.hosts.folder.names import is_utf8, kind_of, suffix_of
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.folder.root import VANISHED, Root
from plugin.hosts.folder.skipping import NO_MEDIA, SkipRules


class Links:
    """The links of one library.

    Args:
        root: the library's folder.
        rules: what is left out.
        options: whether links are followed, whether videos are listed.
    """

    def __init__(self, root: Root, rules: SkipRules, options: FolderOptions) -> None:
        self._root = root
        self._rules = rules
        self._options = options

    def follow(self, parent: bytes, link: bytes, key: str) -> bytes | IntakeProblem | None:
        """Where a link leads, if it is to be followed; the problem to show; or None when there is nothing to say.

        Args:
            parent: real path of the folder the link lies in.
            link: path of the link.
            key: the link's key.

        Raises:
            OSError: it could not be looked at (rights, disk).
        """
        if not self._options.follow_symlinks:
            return None
        matters = not suffix_of(key) or kind_of(key, videos=self._options.videos) is not None
        try:
            real = os.path.realpath(link, strict=True)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return problems.link_loop(key)
            if error.errno in VANISHED:
                return problems.link_broken(key) if matters else None
            raise
        if real == parent or parent.startswith(real.rstrip(b"/") + b"/"):
            return problems.link_loop(key)
        relative = self._root.relative(real)
        if relative is None:
            return problems.outside_root(key) if matters or os.path.isdir(real) else None
        return None if self.listed_at(relative) else real

    def listed_at(self, relative: bytes) -> bool:
        """Whether the walk lists the file or folder at this real place, seen from the root, without any link."""
        if not is_utf8(relative) or self._rules.skips_on_the_way(relative.decode()):
            return False
        folder = os.path.join(self._root.path, relative)
        if not os.path.isdir(folder):
            if kind_of(relative.decode(), videos=self._options.videos) is None:
                return False
            folder = os.path.dirname(folder)
        while folder != self._root.path:
            if os.path.lexists(os.path.join(folder, NO_MEDIA)):
                return False
            folder = os.path.dirname(folder)
        return True
