"""Previews, as the core makes them: JPEG of the upright picture, 404 where there is none."""

import io
import secrets

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
    try:
        picture = ImageOps.exif_transpose(Image.open(io.BytesIO(node.data))).convert("RGB")
    except OSError:
        return json_answer("[]", 404)
    picture.thumbnail((int(request.args.get("x", "32")), int(request.args.get("y", "32"))))
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=80)
    answer = Response(encoded.getvalue(), content_type="image/jpeg")
    answer.headers["ETag"] = f'"{secrets.token_hex(16)}"'
    answer.headers["Last-Modified"] = http_date(node.mtime)
    answer.headers["Cache-Control"] = "private, max-age=86400, immutable"
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


PARTS = [Part("/index.php/core/preview", preview)]
