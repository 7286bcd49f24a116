"""What a host tells: "something changed". It is never believed, only taken as a reason to look.

A hook names a library and carries its secret. Its payload says which file of which user changed. Kinfolk decides by it
whether the change concerns the library, asks the host what it has under the ids that were named, and then compares the
library with its host as it does every few minutes anyway. So no address of the payload is fetched, ids that are missing
or lie cost nothing, and whatever a hook missed is found by that comparison.
"""

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from plugin.domain import AccountId, Library, LibraryId
from plugin.errors import Refused
from plugin.ports.libraries import LibraryRows
from plugin.ports.outside import HookRegistrar, HookRows, LibraryHook
from plugin.ports.work import Nudge

PICTURES = (
    "jpg", "jpeg", "jpe", "png", "webp", "tif", "tiff", "gif", "heic", "heif", "hif", "avif", "bmp", "jp2", "j2k",
    "mp4", "m4v", "mov", "avi", "mkv", "webm", "mts", "m2ts", "3gp", "mpg", "mpeg", "wmv", "nomedia", "noimage",
)  # fmt: skip
"""Endings of what may be a photo or a video, and of the files that keep a folder out; folders mostly have none."""

WAIT_SECONDS = 2.0
"""One upload tells two or three times, a folder of photos hundreds of times: the first look waits for the others."""

GAP_SECONDS = 5.0
"""Between two looks at one library, however much is told meanwhile: a second photo is found within 10 s, too."""

MOST_NAMED = 50
"""Files that are looked up by themselves before a comparison; the comparison finds the others."""

LONGEST_SECRET = 200

TOLD_BY_USERS = frozenset({"photoprism"})
"""Hosts that tell nobody themselves: their users' scripts and Home Assistant do."""


class Hooks:
    """Lets hosts tell that libraries changed.

    Args:
        rows: secrets and when something was heard.
        libraries: which there are.
        registrar: asks hosts to tell.
        nudge: a library should be compared with its host, or some files of it looked up.
        start: runs a function after some seconds; a test does it at once.
        now: seconds that only go on.
    """

    def __init__(
        self,
        rows: HookRows,
        libraries: LibraryRows,
        registrar: HookRegistrar,
        nudge: Nudge,
        start: Callable[[float, Callable[[], None]], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows = rows
        self._libraries = libraries
        self._registrar = registrar
        self._nudge = nudge
        self._start = start or start_timer
        self._now = now
        self._lock = threading.Lock()
        self._waiting: dict[LibraryId, list[str]] = {}  # with the ids that were named
        self._users: dict[LibraryId, str | None] = {}  # of those that wait: a storm costs no look into the catalogue
        self._looked: dict[LibraryId, float] = {}

    def of(self, library: Library) -> LibraryHook | None:
        """The hook of a library, or None."""
        hook = self._rows.get(library.id)
        return hook if hook is not None and hook.secret_digest else None

    def is_left(self, library: Library) -> bool:
        """Whether it was switched off here, and the host could not be told."""
        hook = self._rows.get(library.id)
        return hook is not None and not hook.secret_digest

    def possible(self, library: Library) -> bool:
        """Whether the host of this library can tell."""
        return self._registrar.user(library) is not None

    def can_be_told(self, library: Library) -> bool:
        """Whether its host can tell, or programs of its users can in the host's place."""
        return library.host in TOLD_BY_USERS or self.possible(library)

    def needs_admin(self, library: Library) -> bool:
        """Whether an administrator of the host has to allow it."""
        return not self.in_our_nextcloud(library)

    def in_our_nextcloud(self, library: Library) -> bool:
        """Whether Kinfolk is an app of the Nextcloud this library is in."""
        return self._registrar.as_app(library)

    def register(self, account_id: AccountId, library_id: LibraryId, url: str, name: str, password: str) -> None:
        """Ask the host to tell, with a new secret; the administrator's password is used now and kept nowhere.

        Raises:
            NotFound: another account's library.
            Refused: its host cannot tell.
            HostError: the host did not take it; the former secret stays in force.
        """
        library = self._libraries.get(library_id, account_id)
        if not self.possible(library):
            raise Refused("This library cannot tell when something changes", "It is compared every few minutes")
        secret, urls = secrets.token_urlsafe(32), self._urls(library, url)
        # Stored before the host forgets the former one: killed on either side, there is one that the host has.
        keep = partial(self._rows.put, library_id, digest_of(secret), urls)
        self._registrar.register(library, urls, secret, name, password, keep)
        self._rows.told_at(library_id, urls[:1])

    def remove(self, account_id: AccountId, library_id: LibraryId, url: str, name: str, password: str) -> None:
        """Nothing is taken from the host any more, and it is asked to tell no more.

        Raises:
            NotFound: another account's library.
            HostError: the host was not told; the secret is of no use to it any more. It can be tried again.
        """
        library = self._libraries.get(library_id, account_id)
        urls = self._urls(library, url)
        self._rows.close(library_id)
        self._registrar.remove(library, urls, name, password)
        self._rows.remove(library_id)

    def _urls(self, library: Library, url: str) -> list[str]:
        """Where the host is told to tell, and wherever else it may be telling since an earlier time."""
        hook = self._rows.get(library.id)
        return list(dict.fromkeys((self._registrar.told_at(library, url), *(hook.urls if hook else ()))))

    def invite(self, account_id: AccountId, library_id: LibraryId) -> str:
        """A new secret for users' own programs, where the host cannot be asked to tell; the former one ends.

        Raises:
            NotFound: another account's library.
            Refused: its host is asked in its own way (`register`), or nothing is ever told of it.
        """
        if self._libraries.get(library_id, account_id).host not in TOLD_BY_USERS:
            raise Refused("This library cannot tell when something changes", "It is compared every few minutes")
        secret = secrets.token_urlsafe(32)
        self._rows.put(library_id, digest_of(secret))
        return secret

    def dismiss(self, account_id: AccountId, library_id: LibraryId) -> None:
        """The secret opens nothing any more. Raises `NotFound`: another account's library."""
        self._libraries.get(library_id, account_id)
        self._rows.remove(library_id)

    def hint(self, library_id: LibraryId) -> bool:
        """Who has the secret says that something changed, and not what. Returns whether it concerns the library."""
        if self._libraries.get(library_id).host not in TOLD_BY_USERS:
            return False
        self._look_soon(library_id)
        return True

    def opens(self, library_id: LibraryId, secret: str) -> bool:
        """Whether this is the secret; takes the same time wherever the two differ, and where there is no library."""
        hook = self._rows.get(library_id)
        known = hook.secret_digest if hook and hook.secret_digest else digest_of("")
        fits = hmac.compare_digest(digest_of(secret[:LONGEST_SECRET]), known)
        return fits and hook is not None and bool(secret)

    def receive(self, library_id: LibraryId, payload: bytes) -> bool:
        """Something was told by who has the secret. Returns whether it concerns the library.

        Raises:
            Refused: the payload is not what Nextcloud sends.
        """
        named = list(nodes_in(payload))
        user = self._user(library_id)
        concerning = [node for node in named if concerns(node.path, user)]
        if concerning:
            self._look_soon(library_id, [node.file_id for node in concerning if node.file_id])
        return bool(concerning)

    def _user(self, library_id: LibraryId) -> str | None:
        """Whose files the library holds."""
        with self._lock:
            if library_id in self._users:
                return self._users[library_id]
        user = self._registrar.user(self._libraries.get(library_id))
        with self._lock:
            if library_id in self._waiting:
                self._users[library_id] = user
        return user

    def _look_soon(self, library_id: LibraryId, file_ids: Sequence[str] = ()) -> None:
        with self._lock:
            waits = library_id in self._waiting
            named = self._waiting.setdefault(library_id, [])
            named += [key for key in dict.fromkeys(file_ids) if key not in named][: MOST_NAMED - len(named)]
            if waits:
                return
            ago = self._now() - self._looked.get(library_id, float("-inf"))
        try:
            # A row first: when Kinfolk is killed before it looked, it looks after the next start.
            self._libraries.request_sync(library_id)
            self._rows.heard(library_id)
        except BaseException:
            with self._lock:  # else what is told later would wait for a look that never comes
                self._waiting.pop(library_id, None)
                self._users.pop(library_id, None)
            raise
        self._start(max(WAIT_SECONDS, GAP_SECONDS - ago), lambda: self._look(library_id))

    def _look(self, library_id: LibraryId) -> None:
        with self._lock:
            # From here on what is told leads to another look: this one may already be past that folder.
            named = self._waiting.pop(library_id, [])
            self._users.pop(library_id, None)
            self._looked[library_id] = self._now()
        if named:
            self._nudge.named(library_id, named)
        self._nudge.sync(library_id)


def start_timer(seconds: float, work: Callable[[], None]) -> None:
    """Run the function in a thread of its own, later."""
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()


@dataclass(frozen=True, slots=True)
class NamedNode:
    """A file or folder an event names: its path, as `/<user>/files/...`, and its id, "" for what is gone."""

    path: str
    file_id: str


def nodes_in(payload: bytes) -> Iterator[NamedNode]:
    """What an event names. Raises `Refused`."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        raise Refused("This is not what Nextcloud sends") from None
    event = said.get("event") if isinstance(said, Mapping) else None
    if not isinstance(event, Mapping):
        raise Refused("This is not what Nextcloud sends")
    for name in ("node", "source", "target"):
        node = event.get(name)
        path, number = (node.get("path"), node.get("id")) if isinstance(node, Mapping) else (None, None)
        if isinstance(path, str):
            yield NamedNode(path, str(number) if type(number) is int and 0 < number < 2**63 else "")


def concerns(path: str, user: str | None) -> bool:
    """Whether a path is among the files of the user and may be a photo, a video or a folder."""
    if not user or not path.startswith(f"/{user}/files/"):
        return False
    name = path.rsplit("/", 1)[-1]
    ending = name.rsplit(".", 1)[-1].lower()
    # A name with spaces after its point, or a long ending, is a folder like "2024. Summer".
    return "." not in name or ending in PICTURES or " " in ending or len(ending) > 5


def digest_of(secret: str) -> str:
    """SHA-256 in hex: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
