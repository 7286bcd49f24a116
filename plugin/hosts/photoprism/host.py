"""PhotoPrism behind the host port."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO
from urllib.parse import quote

from plugin.domain import Asset, HostAsset, IntakeProblem, ListedFolder
from plugin.errors import AssetGone
from plugin.hosts.network.ahead import Ahead
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.listening import Listening
from plugin.hosts.photoprism.options import PhotoPrismOptions
from plugin.hosts.photoprism.photos import UID, Photos, RemotePhoto
from plugin.hosts.photoprism.pixels import Pixels
from plugin.hosts.photoprism.taking_names import TakesMarkers
from plugin.ports.host import KnownContent, Listed, Watch

Remembered = Callable[[str], Asset | None]
"""host_key -> what the catalogue has of it; spares asking PhotoPrism what it is."""

OVERLAP = timedelta(minutes=5)
"""What was stored while the last listing ran may carry an earlier time."""

COMPLETE_SECONDS = 24 * 3600
AFTER_COUNTS_SECONDS = 3600
"""Archiving does not touch `UpdatedAt`, but the counts PhotoPrism tells: then everything is listed, hourly at most."""

COUNTS = ("archived", "hidden", "private", "review")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the last listing stood.

    Attributes:
        generation: what was chosen.
        latest: the newest time of a photo, None in an empty library.
        complete_at: when everything was listed last, by our clock.
        counts: what PhotoPrism hid then.
        seen_at: when `latest` was met first, by our clock.
        settled: whether a pass was made long after that: then nothing earlier comes any more, and thousands of photos
            with one time, as an update of PhotoPrism leaves them, are not listed again and again.
    """

    generation: str
    latest: datetime | None
    complete_at: float
    counts: list[int]
    seen_at: float = 0.0
    settled: bool = False

    def since(self, latest: datetime) -> str:
        """From when on photos are asked for."""
        since = latest + timedelta(seconds=1) if self.settled else latest - OVERLAP
        return f"{since:%Y-%m-%dT%H:%M:%SZ}"

    def after(self, latest: datetime | None, now: float) -> "Mark":
        """After a pass that met nothing newer than this."""
        if latest is None or self.latest is None or latest > self.latest:
            return replace(self, latest=latest, seen_at=now, settled=False)
        return replace(self, settled=now - self.seen_at >= 2 * OVERLAP.total_seconds())

    def __str__(self) -> str:
        latest = self.latest.isoformat() if self.latest else ""
        return json.dumps(
            [self.generation, latest, int(self.complete_at), self.counts, int(self.seen_at), self.settled]
        )

    @staticmethod
    def of(text: str | None) -> "Mark | None":
        """What `str` wrote; None for everything else."""
        try:
            generation, latest, complete_at, counts, seen_at, settled = json.loads(text or "")
            moment = datetime.fromisoformat(latest) if latest else None
            counted = [int(count) for count in counts]
            return Mark(str(generation), moment, float(complete_at), counted, float(seen_at), settled is True)
        except (ValueError, TypeError, RecursionError):
            return None


class PhotoPrismHost(TakesMarkers):
    """The photos one login sees. `host_key` is the photo's UID, which survives renames; a stack is one photo.

    Args:
        client: logged in, or without a login at a PhotoPrism in public mode.
        options: what is chosen.
        remembered: what the catalogue has of an asset.
        now: seconds since 1970.
    """

    stable_keys = True

    def __init__(
        self,
        client: PhotoPrismClient,
        options: PhotoPrismOptions,
        remembered: Remembered = lambda _key: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.client = client
        self._options = options
        self._remembered = remembered
        self._now = now
        self._pixels = Pixels(client, options.size)
        self._ahead = Ahead(self._fetch)
        self._review: bool | None = None

    def close(self) -> None:
        """Close connections and what was fetched ahead."""
        self._ahead.close()
        self.client.close()

    def check(self) -> None:
        """Prove that the server answers and lets us search. Raises `HostUnreachable`, `HostRefused`."""
        self._config()
        self.client.get("/photos", count="1", quality="0", merged="true", primary="true")

    def listing(self, known: KnownContent) -> Iterator[HostAsset | IntakeProblem]:  # noqa: ARG002 - hashes are told
        """Every photo and video. Raises `HostUnreachable`, `HostRefused`."""
        for entry in self.changes_since(None):
            if not isinstance(entry, ListedFolder):
                yield entry

    def changes_since(self, mark: str | None) -> Iterator[Listed]:
        """What was added or updated since; see `DatedHost`. Everything once a day, and after something was hidden."""
        config, known = self._config(), Mark.of(mark)
        counts = _counts(config)
        if known is None or known.latest is None or self._is_old(known, counts):
            new = Mark(self._options.generation, None, self._now(), counts)
            searches = [""]
        else:
            new = known
            since = known.since(known.latest)
            searches = [f'added:"{since}"', f'updated:"{since}"']
        latest, given = new.latest, set[str]()
        for search in searches:
            for photo in self._photos().all(search):
                latest = max(filter(None, (latest, photo.stamp)), default=None)
                asset = None if photo.uid in given else photo.asset()
                given |= {photo.uid} if len(searches) > 1 else set()
                if asset is not None:
                    yield asset
        if latest is not None:  # a time in the future would keep everything before it from being seen
            latest = min(latest, datetime.fromtimestamp(self._now(), UTC))
        yield ListedFolder("", str(new.after(latest, self._now())), unchanged=len(searches) > 1)

    def look_up(self, host_key: str, known: KnownContent) -> HostAsset | None:  # noqa: ARG002 - hashes are told
        """The asset as it is now, None when it is not there or not read. Raises `HostUnreachable`, `HostRefused`."""
        photo = self.find(host_key)
        asset = photo.asset() if photo else None
        return asset if isinstance(asset, HostAsset) else None

    def find(self, host_key: str) -> RemotePhoto | None:
        """The photo with all its files; None when there is none that may be read."""
        if not UID.fullmatch(host_key):
            return None
        if self._review is None:
            self._config()
        return self._photos().of_uid(host_key)

    def everything(self) -> Iterator[RemotePhoto]:
        """Every photo that may be read. Raises `HostUnreachable`, `HostRefused`."""
        self._config()
        yield from self._photos().all()

    def open(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        """PhotoPrism's picture of a photo, the original of a video and of what it has no picture of.

        Raises:
            AssetGone, HostUnreachable, HostRefused.
        """
        if not UID.fullmatch(host_key):
            raise AssetGone("There is no such photo")
        return self._ahead.take(host_key)

    def open_original(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        """The file PhotoPrism was given. Raises `AssetGone`, `HostUnreachable`, `HostRefused`."""
        photo = self.find(host_key)
        if photo is None:
            raise AssetGone("The photo is no longer at PhotoPrism")
        return self._pixels.original(photo)

    def fetch_ahead(self, host_keys: Sequence[str]) -> None:
        """Fetch these in the background; `open` takes them."""
        self._ahead.begin([key for key in host_keys if UID.fullmatch(key)])

    def watch(self, on_change: Callable[[], None]) -> Watch | None:
        """Listen to PhotoPrism's websocket, where that was chosen; with a login only."""
        if not self._options.live or not self.client.login.password or self.client.is_refused:
            return None
        return Listening(self.client.login, on_change)

    def link(self, host_key: str) -> str | None:
        """The photo in PhotoPrism's own pages."""
        if not UID.fullmatch(host_key):
            return None
        return f"{self.client.login.base}/library/all?q={quote(f'uid:{host_key}')}"

    def _fetch(self, host_key: str) -> BinaryIO:
        asset = self._remembered(host_key)
        known, kind = (asset.content_key, asset.kind) if asset else ("", None)
        return self._pixels.fetch(known, kind, lambda: self.find(host_key))

    def _photos(self) -> Photos:
        return Photos(self.client, self._options, 3 if self._review else 0)

    def _config(self) -> dict[str, Any]:
        """Asked before every listing: the tokens in it are new, and settings may be."""
        config = self.client.config()
        settings = config.get("settings")
        features = settings.get("features") if isinstance(settings, dict) else None
        self._review = bool(features.get("review")) if isinstance(features, dict) else False
        return config

    def _is_old(self, mark: Mark, counts: list[int]) -> bool:
        age = self._now() - mark.complete_at
        changed = counts != mark.counts and age >= AFTER_COUNTS_SECONDS
        return changed or mark.generation != self._options.generation or not 0 <= age < COMPLETE_SECONDS


def _counts(config: dict[str, Any]) -> list[int]:
    count = config.get("count")
    values = [count.get(name) for name in COUNTS] if isinstance(count, dict) else []
    return [value for value in values if type(value) is int]
