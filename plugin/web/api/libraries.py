"""Libraries: the folders Kinfolk looks at."""

from datetime import datetime

from pydantic import Field

from plugin import domain
from plugin.domain import LibraryId, TokenScope
from plugin.errors import HostError, Refused
from plugin.web.api.resource import Resource
from plugin.web.api.values import Answer, Body, Parameters, PathId
from plugin.web.request_context import account, services

api = Resource("libraries", "Libraries")


class Library(Answer):
    """One folder, or another host of photos."""

    id: int
    host: str
    name: str
    address: str = Field(description="The host's own; for a folder its path")
    last_sync_at: datetime | None
    last_sync_error: str | None
    sync_requested_at: datetime | None = Field(description="Set while a scan is waited for")
    asset_count: int


class LibraryList(Answer):
    """All libraries of the account."""

    libraries: list[Library]


class LibraryPath(Parameters):
    """Which library."""

    library_id: PathId


class Folder(Body):
    """A folder on the machine Kinfolk runs on."""

    path: str = Field(min_length=1, max_length=4096)


def library_of(library_id: LibraryId) -> domain.Library:
    """The library, when it belongs to this account; `NotFound` otherwise."""
    return services().catalogue.libraries.get(library_id, account().id)


@api.operation("get", "/libraries", TokenScope.READ, LibraryList)
def listed() -> LibraryList:
    """All libraries."""
    libraries = services().catalogue.libraries.all(account().id)
    return LibraryList(libraries=[Library.model_validate(library) for library in libraries])


@api.operation("get", "/libraries/<int:library_id>", TokenScope.READ, Library)
def get(path: LibraryPath) -> Library:
    """One library."""
    return Library.model_validate(library_of(path.library_id))


@api.operation("post", "/libraries", TokenScope.ADMIN, Library, status=201)
def add(body: Folder) -> Library:
    """Add a folder and scan it; the same folder twice is one library."""
    try:
        library = services().add_folder_library(account().id, body.path)
    except HostError as error:
        raise Refused(str(error), error.advice) from error
    return Library.model_validate(library_of(library.id))


@api.operation("post", "/libraries/<int:library_id>/scan", TokenScope.VERDICTS, Library, status=202)
def scan(path: LibraryPath) -> Library:
    """Compare a library with its folder now."""
    library = library_of(path.library_id)
    services().nextcloud.resume(library)
    services().catalogue.libraries.request_sync(library.id)
    services().nudge.sync(library.id)
    return Library.model_validate(library_of(library.id))


@api.operation("delete", "/libraries/<int:library_id>", TokenScope.ADMIN, status=204)
def remove(path: LibraryPath) -> None:
    """Forget a library with its faces; the photos themselves are never touched."""
    services().nextcloud.disconnect(library_of(path.library_id))
    services().photoprism.disconnect(library_of(path.library_id))
    services().privacy.remove_library(account().id, path.library_id)
