"""Looking at what users said on hosts with markers: soon after people changed there, and once a day in any case."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from plugin.domain import Asset, Library, LibraryId
from plugin.errors import HostError
from plugin.people import People
from plugin.ports.catalogue import Catalogue
from plugin.ports.host import Host
from plugin.ports.writing import MarkedPhoto, MarkerHost
from plugin.writeback.marker_words import Taken
from plugin.writeback.taking_over import TakingOver

log = logging.getLogger(__name__)

AT_ONCE = 500
"""Photos that are taken over as one event: a first look at a large library is a few of them."""

EVERYTHING = timedelta(days=1)
"""A marker that is changed without changing how many photos anybody is on shows in no number."""

WHILE_DETECTING = timedelta(minutes=10)
"""Faces that are found only now had no marker to go with when we looked."""


class NamesFromHosts:
    """Takes over names from hosts with markers.

    Args:
        catalogue: where everything is stored.
        host_of: the host of a library.
        people: carries out what was said there.
        clock: what time it is.
    """

    def __init__(
        self, catalogue: Catalogue, host_of: Callable[[Library], Host], people: People, clock: Callable[[], datetime]
    ) -> None:
        self._catalogue = catalogue
        self._host_of = host_of
        self._people = people
        self._clock = clock

    def look(self, library_id: LibraryId) -> Taken | None:
        """Take over what is new; None when nothing is to be looked at now. Raises `NotFound`."""
        library = self._catalogue.libraries.get(library_id)
        try:
            host = self._host_of(library)
            return self._look(library, host) if isinstance(host, MarkerHost) else None
        except HostError as error:  # without the right to see people, whoever connected it was told so
            log.info("%s: names are not taken over now: %s", library.name, error.explanation)
        return None

    def _look(self, library: Library, host: MarkerHost) -> Taken | None:
        mark = host.subjects_mark()
        if not self._is_due(library.id, mark):
            return None
        taking = TakingOver(self._catalogue, library, self._people)
        total = taking.subjects(host.subjects())
        busy = self._catalogue.detection.busy()
        block: list[tuple[Asset, MarkedPhoto]] = []
        for pair in self._pairs(library, host):
            block.append(pair)
            if len(block) == AT_ONCE:
                total.add(taking.all(block))
                block = []
        total.add(taking.all(block))
        self._note(library.id, mark, open_=busy)
        if total.anything:
            log.info("%s: %s", library.name, total)
        return total

    def _pairs(self, library: Library, host: MarkerHost) -> Iterator[tuple[Asset, MarkedPhoto]]:
        for photo in host.all_marked():
            asset = self._catalogue.assets.of_host_key(library.id, photo.host_key)
            if asset is not None and not asset.gone:
                yield asset, photo

    def _is_due(self, library_id: LibraryId, mark: str) -> bool:
        try:
            known, at, open_ = json.loads(self._catalogue.preferences.get(last_look(library_id)) or "")
            age = self._clock() - datetime.fromisoformat(at)
        except (ValueError, TypeError):
            return True
        return known != mark or age >= EVERYTHING or age < timedelta(0) or (bool(open_) and age >= WHILE_DETECTING)

    def _note(self, library_id: LibraryId, mark: str, *, open_: bool) -> None:
        stored = json.dumps([mark, self._clock().isoformat(), open_])
        self._catalogue.preferences.set(last_look(library_id), stored)


def last_look(library_id: LibraryId) -> str:
    """The preference that remembers the last look; without it everything is looked at."""
    return f"names_from_host.{library_id}"
