"""Which files are photos and videos, told from their names alone: opening every file on a share would take hours."""

from plugin.domain import AssetKind


def _suffixes(names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names.split())


PHOTO_SUFFIXES = _suffixes("jpg jpeg jpe jfif mpo png apng webp tif tiff gif heic heif hif avif bmp")
VIDEO_SUFFIXES = _suffixes("mp4 m4v mov mkv avi webm 3gp 3g2 mts m2ts mpg mpeg wmv")
RAW_SUFFIXES = _suffixes(
    "3fr arw cr2 cr3 crw dng erf iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
)
UNCOMPRESSED_SUFFIXES = frozenset({".tif", ".tiff", ".bmp"})
"""Formats in which two pictures may share size, beginning and end (white margins of a scan)."""


def suffix_of(name: str) -> str:
    """The lower-case suffix with its dot; "" without one."""
    # Not pathlib: it interns every name, millions in a big library, and is several times slower.
    stem, _, suffix = name.rpartition("/")[2].rpartition(".")
    return f".{suffix.lower()}" if stem else ""


def kind_of(name: str, *, videos: bool) -> AssetKind | None:
    """Photo, video, or None for everything that is not listed."""
    suffix = suffix_of(name)
    if suffix in PHOTO_SUFFIXES:
        return AssetKind.PHOTO
    if videos and suffix in VIDEO_SUFFIXES:
        return AssetKind.VIDEO
    return None


def printable(path: bytes) -> str:
    r"""A path for people: UTF-8, with bytes that are none written as `\xe9`."""
    return path.decode("utf-8", "backslashreplace")


def is_utf8(path: bytes) -> bool:
    """Whether the path can be a key: other encodings cannot be stored or shown without loss."""
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
