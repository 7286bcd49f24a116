"""Previews, as the core makes them: JPEG of the upright picture, 404 where there is none."""

import hashlib
import io

from PIL import Image, ImageOps
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from tests.fakes.nextcloud.answers import Part, Serving, json_answer

WITH_PREVIEW = {"image/jpeg", "image/png", "image/gif", "image/bmp", "image/webp", "text/plain"}
"""What Nextcloud makes previews of unless an administrator enables more (no HEIC, no video, no raw)."""


def preview(server: Serving, request: Request, user: str) -> Response:
    """`fileId`, `x`, `y`, `a=1` (keep the aspect)."""
    node = server.cloud.sees(user, int(request.args.get("fileId", "0") or 0))
    if node is None or node.mime not in WITH_PREVIEW:
        return json_answer("[]", 404)
    size = (int(request.args.get("x", "32")), int(request.args.get("y", "32")))
    key = f"{node.id}-{node.etag}-{size}"
    kept = server.cloud.previews.get(key) or made(node.data, size)
    if kept is None:
        return json_answer("[]", 404)
    server.cloud.previews[key] = kept  # as Nextcloud keeps them
    answer = Response(kept, content_type="image/jpeg")
    answer.headers["ETag"] = f'"{hashlib.md5(key.encode()).hexdigest()}"'
    answer.headers["Last-Modified"] = http_date(node.mtime)
    answer.headers["Cache-Control"] = "private, max-age=86400, immutable"
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def made(data: bytes, size: tuple[int, int]) -> bytes | None:
    """A JPEG of at most this size, None of what is no picture."""
    try:
        picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    except OSError:
        return None
    picture.thumbnail(size)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=80)
    return encoded.getvalue()


PARTS = [Part("/index.php/core/preview", preview)]
