"""Still pictures: every format goes one way, through Pillow (pillow-heif for HEIF).

Measured on 12-megapixel JPEGs, half scale, two threads, CPU per picture: Pillow 48 ms, `cv2.IMREAD_REDUCED_COLOR_2`
54 ms; at 1440 px 11 and 10 ms. So OpenCV, which decodes truncated files silently and writes to stderr, is not needed.
ICC profiles are ignored: detectors do not care, and previews of wide-gamut photos come out a little pale.
"""

from datetime import datetime

from PIL import ExifTags, Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile

from plugin.domain import Picture
from plugin.media.capture_time import exif_time
from plugin.media.formats import HEAD_BYTES, PhotoFormat, photo_format, unsupported
from plugin.media.limits import DecodeLimits
from plugin.media.orientation import swaps_sides, upright
from plugin.media.pixels import eight_bit, reduction, rgb, shrunk
from plugin.media.source import Source
from plugin.ports.vision import DecodedPicture

_READERS: dict[PhotoFormat, type[ImageFile]] = {
    PhotoFormat.JPEG: JpegImageFile,
    PhotoFormat.PNG: PngImageFile,
    PhotoFormat.WEBP: WebPImageFile,
    PhotoFormat.TIFF: TiffImageFile,
    PhotoFormat.GIF: GifImageFile,
    PhotoFormat.HEIF: HeifImageFile,
    PhotoFormat.AVIF: AvifImageFile,
    PhotoFormat.BMP: BmpImageFile,
    PhotoFormat.JPEG2000: Jpeg2KImageFile,
}
"""Named classes instead of `Image.open`: no other of Pillow's forty parsers ever sees a hostile file."""

_READ_AT_ONCE = 16 * 2**20
"""Pillow's 64 KB steps cost two threads 15-35 % of a JPEG's decode time, spent on taking the GIL back."""

_TIFF_REDUCED_COPY, _TIFF_SUB_IMAGES, _TIFF_TILE_WIDTH, _TIFF_TILE_HEIGHT, _DNG_VERSION = 254, 330, 322, 323, 50706


def decode_photo(source: Source, minimum_long_side: int | None, limits: DecodeLimits, now: datetime) -> DecodedPicture:
    """Decode the (first) picture in `source`; see `Media.photo`.

    Raises:
        PictureError; and whatever a decoder raises: the caller wraps this in `decoding`.
    """
    image = _open(source, limits)
    width, height = image.size
    if isinstance(image, JpegImageFile):
        _draft(image, source.size, minimum_long_side)
    image.load()
    orientation, taken_at = _read_exif(image, now)
    pixels: Picture = upright(rgb(shrunk(eight_bit(image), minimum_long_side)), orientation)
    if swaps_sides(orientation):
        width, height = height, width
    return DecodedPicture(pixels, width, height, taken_at)


def stored_orientation(source: Source, limits: DecodeLimits) -> int:
    """The EXIF orientation (1..8) of the picture as it is stored, 1 where it says none.

    Of HEIF, too, whose decoders turn the picture themselves: programs that show regions go by the EXIF value.
    """
    image = _open(source, limits)
    try:
        found = image.info.get("original_orientation") or image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001 - as in `_read_exif`
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _open(source: Source, limits: DecodeLimits) -> ImageFile:
    """Read the header only, and refuse what is too large or not to be decoded."""
    photo = photo_format(source.read(HEAD_BYTES))
    source.seek(0)
    image = _READERS[photo](source)  # type: ignore[arg-type]  # Pillow needs read, seek and tell of IO[bytes]
    limits.check_pixels(*image.size)
    if isinstance(image, TiffImageFile):
        _check_tiff(image, limits)
    return image


def _check_tiff(image: TiffImageFile, limits: DecodeLimits) -> None:
    """Camera raw (DNG, NEF, ARW) is TIFF whose first image is a thumbnail; a tile can be larger than the picture."""
    tags = image.tag_v2
    is_thumbnail = bool(int(tags.get(_TIFF_REDUCED_COPY, 0)) & 1) and _TIFF_SUB_IMAGES in tags
    if _DNG_VERSION in tags or is_thumbnail:
        raise unsupported("camera raw (DNG, NEF, ARW)")
    limits.check_pixels(int(tags.get(_TIFF_TILE_WIDTH, 1)), int(tags.get(_TIFF_TILE_HEIGHT, 1)))


def _draft(image: JpegImageFile, size: int, minimum_long_side: int | None) -> None:
    """Let libjpeg decode at 1/2, 1/4 or 1/8: the DCT does the scaling, at half to a third of the cost."""
    image.decodermaxblock = min(size, _READ_AT_ONCE)
    factor = min(reduction(image.size, minimum_long_side), 8)
    if factor > 1:
        width, height = image.size
        image.draft(None, (max(1, width // factor), max(1, height // factor)))


def _read_exif(image: Image.Image, now: datetime) -> tuple[int, datetime | None]:
    """Orientation (1..8) still to be applied and time taken; after `load`, since PNG may keep its EXIF at the end.

    libheif turns the picture itself and Pillow's TIFF reader does in `load`, so there nothing is left to apply.
    """
    try:
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        taken_at = exif_time(exif, now)
    except Exception:  # noqa: BLE001 - damaged EXIF raises anything, and a photo without its date is still a photo
        return 1, None
    if isinstance(image, HeifImageFile) or not isinstance(orientation, int):
        orientation = 1
    return orientation, taken_at
