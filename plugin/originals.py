"""The originals of a person's photos: as one zip, streamed, and as links to the host's own pages."""

import logging
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import BinaryIO

from zipstream import ZipStream

from plugin.domain import AccountId, Asset, Library, LibraryId, PersonId
from plugin.errors import HostError, NotFound, Refused
from plugin.ports.catalogue import Catalogue
from plugin.ports.host import Host, PreviewingHost

log = logging.getLogger(__name__)

MOST_PHOTOS = 1000
"""In one zip; what a person has more comes in further parts, so a broken connection costs one part."""

AT_ONCE = 2
"""A download holds one thread of the web server as long as it runs; the others must go on answering."""

CHUNK = 256 * 1024
LONGEST_FILE_NAME = 120
"""Characters; at most 480 bytes in UTF-8 would break file systems (255), so bytes are limited, too."""
MOST_BYTES = 200

FORBIDDEN = frozenset('<>:"/\\|?*')
"""Characters that Windows refuses in file names, or that lead out of a folder."""

RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
"""Names that are devices on Windows, whatever their ending."""

MISSING = "missing photos.txt"


class Originals:
    """Reads originals from their hosts.

    Args:
        catalogue: whose photos are whose.
        host_of: the host of a library.
    """

    def __init__(self, catalogue: Catalogue, host_of: Callable[[Library], Host]) -> None:
        self._catalogue = catalogue
        self._host_of = host_of
        self._running = threading.BoundedSemaphore(AT_ONCE)

    def links(self, account_id: AccountId, assets: Sequence[Asset]) -> dict[int, str]:
        """Where the host shows these photos itself, by asset id; those without such a place are left out."""
        libraries = {library.id: library for library in self._catalogue.libraries.all(account_id)}
        found: dict[int, str] = {}
        for asset in assets:
            with suppress(HostError, KeyError):
                link = self._host_of(libraries[asset.library_id]).link(asset.host_key)
                if link is not None and link.startswith(("http://", "https://")):
                    found[asset.id] = link
        return found

    def zip_of_person(self, account_id: AccountId, person_id: PersonId, part: int) -> "ZipDownload":
        """The photos of one part (from 1), newest first.

        Raises:
            NotFound: no such person, or part.
            Refused: enough downloads run already.
        """
        assets = self._catalogue.assets.of_person(person_id, account_id, (part - 1) * MOST_PHOTOS, MOST_PHOTOS)
        if not assets:
            raise NotFound("There are no such photos")
        hosts = {library.id: self._host_of(library) for library in self._catalogue.libraries.all(account_id)}
        if not self._running.acquire(blocking=False):
            raise Refused("Other downloads are running", "Wait until one of them has ended, then try again")
        return ZipDownload(assets, hosts, self._running.release)


class ZipDownload:
    """One zip while it is made; `close` has to be called, also when nobody reads it to its end."""

    def __init__(self, assets: Sequence[Asset], hosts: dict[LibraryId, Host], ended: Callable[[], None]) -> None:
        self._assets = assets
        self._hosts = hosts
        self._ended: Callable[[], None] | None = ended
        self._missing: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        """The bytes of the zip. Not compressed: photos do not get smaller."""
        archive = ZipStream()
        taken: set[str] = {MISSING}
        for asset in self._assets:
            with ExitStack() as stack:
                stream = self._opened(asset, stack)
                if stream is not None:
                    archive.add(self._content(asset, stream), unused_name(file_name(asset.path), taken))
                    yield from archive.all_files()
        if self._missing:
            lines = ["These photos could not be read completely:", *self._missing, ""]
            archive.add("\r\n".join(lines).encode("utf-8", "replace"), MISSING)
        yield from archive.finalize()

    def close(self) -> None:
        """Let the next download in. Safe to call twice."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def _opened(self, asset: Asset, stack: ExitStack) -> BinaryIO | None:
        """The photo, open until the stack ends, or None when it cannot be had: that must not cost all the others."""
        try:
            host = self._hosts[asset.library_id]
            opened = host.open_original if isinstance(host, PreviewingHost) else host.open
            return stack.enter_context(opened(asset.host_key))
        except (HostError, OSError, KeyError) as error:
            self._note(asset, error)
            return None

    def _content(self, asset: Asset, stream: BinaryIO) -> Iterator[bytes]:
        """The bytes of one photo, as far as they can be read."""
        try:
            while chunk := stream.read(CHUNK):
                yield chunk
        except (HostError, OSError) as error:
            self._note(asset, error)

    def _note(self, asset: Asset, error: Exception) -> None:
        log.info("Not (all) in the zip: %s: %s", asset.path, error)
        self._missing.append(f"{printable(asset.path)}: {printable(str(error))}")


def file_name(path: str) -> str:
    """A name any system takes, that stays in the folder where the zip is unpacked, made from the end of a path."""
    base = path.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join("_" if letter in FORBIDDEN else letter for letter in printable(base))
    stem, dot, ending = kept.strip(" .").rpartition(".")
    if not dot:
        stem, ending = ending, ""
    stem = stem.strip(" .") or "photo"
    if stem.partition(".")[0].strip().casefold() in RESERVED:
        stem = f"_{stem}"
    ending = ending[:10]
    return f"{shortened(stem)}.{ending}" if ending else shortened(stem)


def shortened(text: str) -> str:
    """At most `LONGEST_FILE_NAME` characters and `MOST_BYTES` bytes."""
    return text[:LONGEST_FILE_NAME].encode()[:MOST_BYTES].decode(errors="ignore")


def unused_name(name: str, taken: set[str]) -> str:
    """The name, with a number when an equal one (for Windows: but for case) is taken; it is taken from now on."""
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    number, candidate = 1, name
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{stem} ({number}){dot}{ending}"
    taken.add(candidate.casefold())
    return candidate


def printable(text: str) -> str:
    """Without control, direction and half characters."""
    return "".join(
        letter if unicodedata.category(letter) not in {"Cc", "Cs", "Cf", "Zl", "Zp", "Cn"} else "_" for letter in text
    )
