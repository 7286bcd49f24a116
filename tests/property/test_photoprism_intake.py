"""Whatever users do at PhotoPrism, also while it is listed: after a complete pass Kinfolk has what PhotoPrism shows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.wrappers import Request

from plugin.catalogue.store import SqlCatalogue, open_in_memory
from plugin.domain import Library
from plugin.errors import BadListing
from plugin.hosts.network.login import Login
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.options import PhotoPrismOptions
from plugin.intake import Intake
from tests.fakes.photoprism import FakeLibrary, FakePhotoPrism

Act = tuple[str, int]

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["put", "move", "remove", "archive", "restore", "private", "public", "pass", "hours"]),
        st.integers(0, 11),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def server() -> Iterator[FakePhotoPrism]:
    with FakePhotoPrism() as running:
        yield running


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 7, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def seconds(self) -> float:
        return self.time.timestamp()


def do(photos: FakeLibrary, act: str, number: int, clock: Clock) -> None:
    """One thing a user does; what is not possible is not done."""
    path = f"{number}.jpg"
    there = photos.at(path)
    if act == "put":
        photos.put(path, f"{number} at {clock.time}".encode())
    elif act == "hours":
        clock.time += timedelta(hours=number)
    elif there is not None:
        match act:
            case "move" if photos.at(f"moved {path}") is None:
                photos.move(path, f"moved {path}")
            case "remove":
                photos.remove(path)
            case "archive" | "restore":
                photos.archive(path, archived=act == "archive")
            case "private" | "public":
                there.private = act == "private"


def shown(photos: FakeLibrary) -> set[tuple[str, str, str]]:
    visible = (photo for photo in photos.photos.values() if photo.deleted is None and not photo.private)
    return {(photo.uid, photo.path, photo.files[0].hash) for photo in visible}


def known(catalogue: SqlCatalogue, library: Library, made: int) -> set[tuple[str, str, str]]:
    rows = (catalogue.assets.of_host_key(library.id, f"pq{number:014}") for number in range(1, made + 1))
    return {(row.host_key, row.path, row.content_key) for row in rows if row is not None and not row.gone}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, meanwhile=ACTS)
def test_after_a_complete_pass_kinfolk_has_what_photoprism_shows(
    server: FakePhotoPrism, acts: list[Act], meanwhile: list[Act]
) -> None:
    clock, photos = Clock(), FakeLibrary()
    photos.clock = clock.now
    server.library = photos
    for number in range(8):
        do(photos, "put", number, clock)
    catalogue = open_in_memory()
    library = catalogue.libraries.add(catalogue.accounts.all()[0].id, "photoprism", "photos", server.address)
    client = PhotoPrismClient(Login(server.address, "admin", photos.token()), sleep=lambda _seconds: None)
    host = PhotoPrismHost(client, PhotoPrismOptions(page=3), now=clock.seconds)
    waiting = iter(meanwhile)

    def while_listed(request: Request) -> None:
        act = next(waiting, None) if request.path.endswith("/photos") else None
        if act is not None and act[0] != "hours":
            do(photos, *act, clock)

    def sync() -> None:
        try:
            Intake(catalogue).sync(catalogue.libraries.get(library.id), host)
        except BadListing:
            return

    sync()
    clock.time += timedelta(days=2)
    touched = {f"{number}.jpg" for _, number in meanwhile}
    untouched = {photo.uid for photo in photos.photos.values() if photo.path not in touched}
    server.interfere = while_listed
    sync()
    assert untouched <= {uid for uid, _, _ in known(catalogue, library, photos.made)}, "taken for deleted"
    for act, number in acts:
        if act == "pass":
            sync()
        else:
            do(photos, act, number, clock)
    server.interfere = lambda _request: None
    if shown(photos):  # an empty listing is never believed
        clock.time += timedelta(days=2)
        Intake(catalogue).sync(catalogue.libraries.get(library.id), host)
        assert known(catalogue, library, photos.made) == shown(photos)
    host.close()
    catalogue.close()
