"""No page asks the catalogue more often because there is more in it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, text

from benchmarks.libraries import Size, fill
from plugin.catalogue.transactions import WRITES
from plugin.domain import Library
from plugin.errors import HostUnreachable
from plugin.media import DecodeLimits, StandardMedia
from plugin.ports.host import Host
from plugin.ports.people import PersonRows
from plugin.thumbnails import Thumbnails
from plugin.web.app import create_app
from tests.web.conftest import logged_in
from tests.web.family import Family, empty_family, searched

SMALL = Size(assets=500, faces=1500, people=130)

VALUES: dict[str, object] = {
    "way": "tags",
    "person_id": 1,
    "library_id": 1,
    "long_side": 480,
    "name": "buffalo_s",
    "action": "detect_reset",
    "account_id": 2,
    "part": 1,
    "what": "faces",
}
"""What stands for the parts of addresses; those of faces, photos, groups and events are looked up in the album."""

BESIDES = (
    "/?page=2&hidden=1&small=1",
    "/?q=a",
    "/people/1?page=2",
    "/people/2",
    "/people/1/merge?q=a",
    "/photos/{asset_id}?face={face_id}",
    "/shared/{owner_id}?q=a",
    "/shared/{owner_id}/photos/{asset_id}?face={face_id}",
)
"""More ways to look at these pages."""

WORKED_OUT_FROM_ALL = {
    "/review",
    "/unassigned",
    "/api/v1/suggestions",
    "/people/<int:person_id>/split",
    "/api/v1/people/<int:person_id>/split",
    "/settings/privacy/export",
}
"""Read in blocks of some hundred what they compare or copy, or look at each question: the count grows, if slowly."""

NOT_ASKED = {
    "/static/<path:filename>",
    "/invitation",
    # For programs and for Nextcloud, where the album has none: they ask for one row, or for nothing.
    "/engine/facerecognition/open",
    "/heartbeat",
    "/nextcloud/photo",
    "/nextcloud/style.css",
    # Of libraries of a Nextcloud or PhotoPrism, which the album has none of.
    "/libraries/<int:library_id>/hook",
    "/libraries/nextcloud/<int:library_id>/folders",
    "/libraries/nextcloud/login/<flow>",
    "/libraries/photoprism/<int:library_id>/trigger",
}

WITH_PICTURES = (".webp", "/thumbnail", "/preview")
"""They cannot be had: the host is away."""


def pages() -> list[str]:
    """The rule of every page there is."""
    family = empty_family()
    rules = create_app(family.services).url_map.iter_rules()
    found = {rule.rule for rule in rules if "GET" in (rule.methods or ())}
    family.catalogue.close()
    return [*sorted(found - NOT_ASKED - WORKED_OUT_FROM_ALL), *BESIDES]


class Album:
    """A generated album, a visitor who sees it, and how many statements a page takes."""

    def __init__(self, size: Size, libraries: int, cache: Path) -> None:
        self.family: Family = empty_family()
        owner = self.family.account.id
        self._engine = self.family.catalogue._transactions._engine
        with self._engine.connect() as connection:
            connection.execution_options(**{WRITES: True})
            with connection.begin():
                fill(connection, size, np.random.default_rng(5), owner)
                face_id, asset_id = connection.execute(text(ONE_FACE)).one()
                group_id = connection.execute(text(ONE_GROUP)).scalar_one()
        for number in range(libraries):
            self.family.catalogue.libraries.add(owner, "folder", "More", f"/more/{number}")
        self.family.services.people.rename(owner, 1, "Somebody else")
        event_id = self.family.catalogue.events.all(owner, 1)[0].id
        for library in self.family.catalogue.libraries.all(owner):
            self.family.services.sharing.share(owner, library.id, self.family.neighbour.id, may_correct=True)
        self._values = VALUES | {
            "owner_id": owner,
            "face_id": face_id, "asset_id": asset_id, "group_id": group_id, "event_id": event_id
        }  # fmt: skip
        pictures = Thumbnails(cache, self.family.catalogue, StandardMedia(DecodeLimits()), away)
        search, index = self.family.services.face_search, searched(self.family.catalogue)
        search._index = lambda: index
        # So that everybody looks like everybody: what is asked about those found is asked in both albums.
        self.family.services.preferences.save(maximum_distance=1.5)
        services = replace(self.family.services, pictures=pictures)
        self.app = create_app(services)
        self._visitor, self._shared_with = logged_in(self.app), logged_in(self.app, "neighbour")

    def statements(self, page: str) -> list[str]:
        """What the second visit of the page asks."""
        rule = page.replace("<int:", "{").replace("<", "{").replace(">", "}")
        address, asked = rule.format(**self._values), list[str]()

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            asked.append(statement)

        client = (self._shared_with if page.startswith("/shared/") else self._visitor).client
        client.get(address).close()
        event.listen(self._engine, "before_cursor_execute", note)
        response = client.get(address)
        event.remove(self._engine, "before_cursor_execute", note)
        unseen = {404, 503} if page.endswith(WITH_PICTURES) else set()
        assert response.status_code in {200, 302, 303} | unseen, (address, response.status)
        response.close()
        return asked


def away(_library: Library) -> Host:
    """Nothing is drawn; the questions to the catalogue are the same."""
    raise HostUnreachable("The disk is away")


ONE_FACE = """
  SELECT face.id, face.asset_id FROM face JOIN asset ON asset.id = face.asset_id
  WHERE face.state = 'assigned' AND NOT asset.gone AND asset.taken_at BETWEEN '2012-01-01' AND '2018-01-01'
  ORDER BY face.id LIMIT 1
"""


ONE_GROUP = "SELECT min(group_id) FROM face WHERE group_id IS NOT NULL AND state NOT IN ('assigned', 'ignored')"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Album]:
    album = Album(SMALL, 0, tmp_path_factory.mktemp("small"))
    yield album
    album.family.catalogue.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Album]:
    album = Album(SMALL.times(4), 3, tmp_path_factory.mktemp("large"))
    yield album
    album.family.catalogue.close()


@pytest.mark.parametrize("page", pages())
def test_a_page_asks_as_often_in_a_large_album_as_in_a_small_one(page: str, small: Album, large: Album) -> None:
    one, other = small.statements(page), large.statements(page)
    assert len(other) == len(one), sorted(set(other) ^ set(one))


def test_a_page_that_asks_for_each_person_would_be_found_out(small: Album, large: Album) -> None:
    counts = []
    for album in (small, large):
        people, owner = album.family.catalogue.people, album.family.account.id

        def each(people: PersonRows = people, owner: int = owner) -> str:
            return "".join(people.get(person.id, owner).name for person in people.all(owner, limit=60, offset=100))

        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(album.app.view_functions, "status.indicator", each)
            counts.append(len(album.statements("/status/indicator")))
    assert counts[0] < counts[1]
