"""Looking at what somebody else shares: pages below `/shared/<owner>/`.

A blueprint that was given to `over_a_shoulder` answers only whom that owner shares something with at this moment, and
hands its pages the `View` to ask the catalogue with. Addresses name the owner, so two windows can show two owners, and
no page of one's own can ever show somebody else's photos.
"""

from collections.abc import Sequence
from typing import Any, cast

from flask import Blueprint, g, request, url_for

from plugin.domain import Asset, Face, Person, View
from plugin.errors import NotAllowed
from plugin.web.pictures import face_version, version
from plugin.web.request_context import account, services
from plugin.web.tiles import PersonTile, PhotoTile

PREFIX = "/shared/<int:owner_id>"
TILE = 480


def over_a_shoulder(pages: Blueprint) -> Blueprint:
    """Let the pages of this blueprint see what the owner in their address shares, and nothing else."""
    pages.url_value_preprocessor(take_owner)
    pages.url_defaults(say_owner)
    pages.before_request(look)
    return pages


def take_owner(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Out of the address, so that no page has to hand it on."""
    g.owner_id = values.pop("owner_id") if values else 0


def say_owner(_endpoint: str, values: dict[str, Any]) -> None:
    """Into every address that a page makes; the owner stays the same unless it says another one."""
    if "owner_id" in g:
        values.setdefault("owner_id", g.owner_id)


def look() -> None:
    """What is shared now, asked anew in every request: a share that was ended is over with the next click.

    Raises:
        NotFound: nothing is shared.
        NotAllowed: a form of somebody who may correct nothing.
    """
    g.view = services().sharing.view(account().id, g.owner_id)
    if request.method == "POST" and not g.view.correctable:
        raise NotAllowed(
            "You may look at these photos, not change who is on them", "Ask %(name)s", name=g.view.owner_name
        )


def view() -> View:
    """What the visitor sees."""
    return cast("View", g.view)


def person_tiles(people: Sequence[Person]) -> list[PersonTile]:
    """Tiles for one page of people, with one query for all faces."""
    featured = [person.feature_face_id for person in people if person.feature_face_id is not None]
    pictures = {face.id: face_url(face) for face in services().catalogue.shared.faces(view(), featured)}
    return [PersonTile(person, pictures.get(person.feature_face_id or 0, "")) for person in people]


def photo_tiles(assets: Sequence[Asset]) -> list[PhotoTile]:
    """Tiles for photos."""
    return [PhotoTile(asset, preview_url(asset, TILE)) for asset in assets]


def face_url(face: Face) -> str:
    """The address of a face's thumbnail."""
    return url_for("shared_photo.face", face_id=face.id, v=face_version(face))


def preview_url(asset: Asset, long_side: int) -> str:
    """The address of a preview."""
    return url_for("shared_photo.preview", asset_id=asset.id, long_side=long_side, v=version(asset.content_key))


def known_names() -> list[str]:
    """Names of people on shared photos, for completion while typing."""
    return sorted(services().catalogue.shared.names(view()), key=str.casefold)
