"""Photos by who is on them: the search of the Explore page."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from plugin.domain import PhotoSearch, TokenScope
from plugin.errors import NotFound, Refused
from plugin.web.api.assets import Asset
from plugin.web.api.resource import Resource, listed_at
from plugin.web.api.values import Day, Flag, Listed, Page, PathId, whole_number
from plugin.web.request_context import account, services

api = Resource("photos", "Photos by people")

MOST_PEOPLE = 30
"""Of each kind, as on the Explore page."""

MOST_FACES = 50

PathIds = Annotated[list[PathId], Field(max_length=MOST_PEOPLE)]
FaceCount = Annotated[int, Field(ge=1, le=MOST_FACES), BeforeValidator(whole_number)]


class FoundPhotos(Listed):
    """Photos and videos that fit, newest first."""

    assets: list[Asset]


class PhotosQuery(Page):
    """Who is on the photos; what is left out does not matter. Faces taken away do not count."""

    all: PathIds = Field([], description="Ids of people: all of them are on the photo; repeat `all=` for each")
    any: PathIds = Field([], description="Ids of people: at least one of them is on it")
    none: PathIds = Field([], description="Ids of people: none of them is on it")
    only: Flag = Field(default=False, description="Nobody besides the people of `all` and `any` is on it")
    first_day: Day = Field(None, alias="from", description="Taken on this day or later, YYYY-MM-DD")
    last_day: Day = Field(None, alias="to", description="Taken on this day or earlier, YYYY-MM-DD")
    library: PathId | None = Field(None, description="Id of the library")
    least: FaceCount = Field(1, description="So many faces at least")


@api.operation(
    "get",
    "/photos",
    TokenScope.READ,
    FoundPhotos,
    problems={404: "One of the people, or the library, is not there or not yours", 422: "`only` needs `all` or `any`"},
)
def search(query: PhotosQuery) -> FoundPhotos:
    """Photos and videos by who is on them, newest first."""
    owner, wanted = account().id, wanted_photos(query)
    assets = services().catalogue.assets
    found = assets.search(owner, wanted, query.offset, query.limit)
    return FoundPhotos(
        total=assets.search_count(owner, wanted),
        **listed_at(query),
        assets=[Asset.model_validate(asset) for asset in found],
    )


def wanted_photos(query: PhotosQuery) -> PhotoSearch:
    """The search; raises `NotFound` for what is another account's, and `Refused` for `only` without anybody."""
    everybody = list(dict.fromkeys([*query.all, *query.any, *query.none]))
    if len(services().catalogue.people.many(everybody, account().id)) < len(everybody):
        raise NotFound("There is no such person")
    if query.library is not None:
        services().catalogue.libraries.get(query.library, account().id)
    if query.only and not (query.all or query.any):
        raise Refused("Nobody else than whom?", "Send `all` or `any` with `only`")
    return PhotoSearch(
        every=tuple(query.all),
        some=tuple(query.any),
        none=tuple(query.none),
        alone=query.only,
        first_day=query.first_day,
        last_day=query.last_day,
        library_id=query.library,
        at_least=query.least,
    )
