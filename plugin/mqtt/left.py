"""What a broker may keep of ours although the catalogue knows nothing of it: an older one was brought back.

Two small files beside the catalogue say so, since whatever is in it goes back in time with it.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from plugin.errors import DiskFull

NAME = re.compile(r"[0-9a-f]{12}")


class Look(Protocol):
    """Whether the broker has to be looked at once."""

    def is_due(self) -> bool:
        """Whether it may keep what the catalogue does not know."""
        ...

    def done(self) -> None:
        """What was found is in the catalogue now. Safe to call often."""
        ...


class NothingToLookFor:
    """A catalogue that knows everything."""

    def is_due(self) -> bool:
        """Never."""
        return False

    def done(self) -> None:
        """Nothing was due."""


@dataclass(frozen=True, slots=True)
class LeftAtBroker:
    """The files.

    Attributes:
        folder: the data folder.
    """

    folder: Path

    def name(self, otherwise: Callable[[], str]) -> str:
        """Under which name everything is kept there, from now on and whatever catalogue comes back.

        Args:
            otherwise: the name where none was ever used: the one in the catalogue.

        Raises:
            DiskFull: it cannot be written down.
        """
        path = self.folder / "broker.id"
        with suppress(OSError, UnicodeDecodeError):
            found = path.read_text(encoding="ascii").strip()
            if NAME.fullmatch(found):
                return found
        name = otherwise()
        part = path.with_name(".broker.id.part")
        try:
            part.write_text(name, encoding="ascii")
            part.chmod(0o600)
            part.replace(path)
        except OSError as error:
            raise DiskFull(f"{path} cannot be written: {error.strerror}", "Make room in the data folder") from error
        return name

    def is_due(self) -> bool:
        """Whether a catalogue came back since the broker was looked at."""
        return self._mark.exists()

    def look_again(self) -> None:
        """Before a catalogue is brought back: an older one may know less than the broker keeps."""
        with suppress(OSError):  # a full disk must not keep anybody from restoring
            self._mark.touch(mode=0o600)

    def done(self) -> None:
        """The broker was looked at."""
        with suppress(OSError):
            self._mark.unlink(missing_ok=True)

    @property
    def _mark(self) -> Path:
        return self.folder / "broker.look"
