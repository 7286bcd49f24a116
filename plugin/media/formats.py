"""Telling the format of a photo from its first bytes; names of files are not trusted.

Signatures: https://www.garykessler.net/library/file_sigs.html; ISO media brands: https://mp4ra.org/registered-types/brands
"""

from enum import Enum, auto

from plugin.errors import PictureBroken, PictureUnsupported

HEAD_BYTES = 64
"""How many bytes `photo_format` looks at."""


class PhotoFormat(Enum):
    """The formats that are decoded."""

    JPEG = auto()
    PNG = auto()
    WEBP = auto()
    TIFF = auto()
    GIF = auto()
    HEIF = auto()
    AVIF = auto()
    BMP = auto()
    JPEG2000 = auto()


_SIGNATURES = (
    (b"\xff\xd8\xff", PhotoFormat.JPEG),
    (b"\x89PNG\r\n\x1a\n", PhotoFormat.PNG),
    (b"GIF87a", PhotoFormat.GIF),
    (b"GIF89a", PhotoFormat.GIF),
    (b"II*\0", PhotoFormat.TIFF),
    (b"MM\0*", PhotoFormat.TIFF),
    (b"II+\0", PhotoFormat.TIFF),
    (b"MM\0+", PhotoFormat.TIFF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", PhotoFormat.JPEG2000),
    (b"\xff\x4f\xff\x51", PhotoFormat.JPEG2000),
    (b"BM", PhotoFormat.BMP),
)

_UNSUPPORTED_SIGNATURES = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"FUJIFILMCCD-RAW", "camera raw (RAF)"),
    (b"IIRO", "camera raw (ORF)"),
    (b"IIRS", "camera raw (ORF)"),
    (b"MMOR", "camera raw (ORF)"),
    (b"IIU\0", "camera raw (RW2)"),
    (b"FOVb", "camera raw (X3F)"),
    (b"8BPS", "Photoshop"),
    (b"gimp xcf", "GIMP"),
    (b"%PDF", "PDF"),
)

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}


def photo_format(head: bytes) -> PhotoFormat:
    """The format of the photo that starts with `head` (at least `HEAD_BYTES`, or the whole file).

    Raises:
        PictureUnsupported: a real picture in a format that is not decoded; camera raw would else be taken for the tiny
            preview inside it.
        PictureBroken: not a picture.
    """
    if head[4:8] == b"ftyp":
        return _iso_media_format(head)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if head[:4] == b"II*\0" and head[8:10] == b"CR":
        raise unsupported("camera raw (CR2)")
    for signature, name in _UNSUPPORTED_SIGNATURES:
        if head.startswith(signature):
            raise unsupported(name)
    for signature, photo in _SIGNATURES:
        if head.startswith(signature):
            return photo
    raise PictureBroken(
        "The file is not a picture, whatever its name says", "Restore it from a backup, or exclude it by its name."
    )


def unsupported(name: str) -> PictureUnsupported:
    """The error for a format that is recognised and not decoded."""
    return PictureUnsupported(f"The format {name} cannot be read", "Keep a JPEG beside it, or convert it.")


def _iso_media_format(head: bytes) -> PhotoFormat:
    """HEIF and AVIF share their container with MP4 and CR3; the brands (major, version, compatible...) tell them."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, length - 3, 4))]
    if _AVIF_BRANDS.intersection(brands):
        return PhotoFormat.AVIF
    if _HEIF_BRANDS.intersection(brands):
        return PhotoFormat.HEIF
    if brands[0] == b"crx ":
        raise unsupported("camera raw (CR3)")
    raise PictureBroken("The file is a video, not a photo", "Rename it so that it ends like a video.")
