"""Face thumbnails and photo previews: private, and kept by the browser as long as their address stays the same."""

from hashlib import blake2b

from flask import Blueprint, Response, abort, current_app, request, send_from_directory

from plugin.domain import Asset, Face
from plugin.errors import HostError, PictureError
from plugin.web.request_context import account, services
from plugin.web.security import FOREVER

pages = Blueprint("pictures", __name__)

TILE, LARGE = 480, 1600
"""Long sides offered, in pixels: tiles on a dense screen, and one photo on a full one. Only these, since every size is
cached on disk and a visitor must not be able to fill it."""


@pages.get("/faces/<int:face_id>.webp")
def face(face_id: int) -> Response:
    """The square thumbnail of a face."""
    try:
        return picture(services().pictures.face_thumbnail(account().id, face_id))
    except (HostError, PictureError) as error:
        return no_picture(str(error))


@pages.get("/photos/<int:asset_id>/<int:long_side>.webp")
def preview(asset_id: int, long_side: int) -> Response:
    """A photo, or a frame of a video, at one of the sizes offered."""
    if long_side not in {TILE, LARGE}:
        abort(404)
    try:
        return picture(services().pictures.preview(account().id, asset_id, long_side))
    except (HostError, PictureError) as error:
        return no_picture(str(error))


def picture(webp: bytes) -> Response:
    """A picture for this visitor's browser only; forever when its address carries the version of its content."""
    response = Response(webp, mimetype="image/webp")
    response.headers["Cache-Control"] = f"private, {FOREVER}" if "v" in request.args else "private, max-age=300"
    return response


def no_picture(reason: str) -> Response:
    """A calm drawing instead of the browser's broken-picture sign; asked for again next time."""
    current_app.logger.info("No picture for %s: %s", request.path, reason)
    response = send_from_directory(current_app.static_folder or "", "img/no-picture.svg", max_age=0)
    response.status_code = 404
    response.headers["Cache-Control"] = "no-store"
    return response


def face_url(shown: Face) -> str:
    """The address of a face's thumbnail; changes when the face is cut differently."""
    # Of the application, not `flask.url_for`, which tells it four more things that are not meant: a page has hundreds.
    return current_app.url_for("pictures.face", face_id=shown.id, v=face_version(shown))


def face_version(shown: Face) -> str:
    """A short name for what its thumbnail shows."""
    box = shown.box
    return version(f"{shown.pack} {box.x:.5f} {box.y:.5f} {box.w:.5f} {box.h:.5f}")


def preview_url(asset: Asset, long_side: int) -> str:
    """The address of a preview; changes when the photo's content does."""
    return current_app.url_for("pictures.preview", asset_id=asset.id, long_side=long_side, v=version(asset.content_key))


def version(content: str) -> str:
    """A short name for some content."""
    return blake2b(content.encode("utf-8", "surrogateescape"), digest_size=5).hexdigest()
