"""Assets: photos and videos with their faces."""

from typing import Literal

from flask import Response
from pydantic import Field

from plugin import domain
from plugin.domain import AssetId, TokenScope
from plugin.web.api.faces import DrawnBox, Face, face_of
from plugin.web.api.resource import LATER, PICTURE, Resource
from plugin.web.api.values import Answer, Body, LocalTime, Parameters, PathId
from plugin.web.pictures import LARGE, TILE, picture
from plugin.web.request_context import account, services

api = Resource("assets", "Assets (photos and videos)")


class Asset(Answer):
    """One photo or video of a library."""

    id: int
    library_id: int
    path: str = Field(description="As the host shows it")
    kind: Literal["photo", "video"]
    taken_at: LocalTime
    width: int | None = Field(description="Pixels of the upright picture, known once it was looked at")
    height: int | None
    state: Literal["pending", "done", "failed"]
    error_code: str | None
    error_message: str | None


class AssetWithFaces(Asset):
    """One photo or video, and every face on it from left to right, ignored ones included."""

    faces: list[Face]


class AssetPath(Parameters):
    """Which photo or video."""

    asset_id: PathId


class DrawnFace(Body):
    """A face that detection missed."""

    box: DrawnBox
    name: str = Field(
        "", max_length=10_000, description="Who it is: somebody known or new; left out: whoever it is like"
    )


class PreviewSize(Parameters):
    """How large the picture shall be."""

    size: Literal["small", "large"] = Field("large", description=f"Long side: small {TILE}, large {LARGE} pixels")


def asset_of(asset_id: AssetId) -> domain.Asset:
    """The asset, when it belongs to this account; `NotFound` otherwise."""
    return services().catalogue.assets.get(asset_id, account().id)


@api.operation("get", "/assets/<int:asset_id>", TokenScope.READ, AssetWithFaces)
def get(path: AssetPath) -> AssetWithFaces:
    """One photo or video with its faces."""
    asset = asset_of(path.asset_id)
    faces = [Face.model_validate(face) for face in services().catalogue.faces.of_asset(asset.id, account().id)]
    return AssetWithFaces(**Asset.model_validate(asset).model_dump(), faces=faces)


@api.operation("get", "/assets/<int:asset_id>/preview", TokenScope.READ, PICTURE, problems=LATER)
def preview(path: AssetPath, query: PreviewSize) -> Response:
    """The photo, or a frame of the video, as WebP."""
    side = LARGE if query.size == "large" else TILE
    return picture(services().pictures.preview(account().id, path.asset_id, side))


@api.operation("post", "/assets/<int:asset_id>/refresh", TokenScope.VERDICTS, Asset, status=202)
def refresh(path: AssetPath) -> Asset:
    """Look at a photo again soon; faces keep what was said about them."""
    asset = asset_of(path.asset_id)
    services().catalogue.detection.request("refresh", services().preferences.current().pack, [asset.id])
    services().nudge.detection()
    return Asset.model_validate(asset_of(asset.id))


@api.operation("post", "/assets/<int:asset_id>/faces", TokenScope.VERDICTS, Face, status=201, problems=LATER)
def draw(path: AssetPath, body: DrawnFace) -> Face:
    """Draw a face that detection missed; it stays whatever detection finds later."""
    return face_of(services().drawing.draw(account().id, path.asset_id, body.box.box, body.name))
