"""From whatever a decoder delivers (palette, alpha, 16 bit, CMYK...) to small 8-bit RGB."""

from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from plugin.domain import Picture
from plugin.errors import PictureUnsupported

_WIDE_GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_PLAIN = ("L", "RGB", "LA", "RGBA", "La", "RGBa", "CMYK", "YCbCr", "RGBX")
_BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels: paper."""


def eight_bit(image: Image.Image) -> Image.Image:
    """The image in a mode of 8 bits per channel that can be scaled; unchanged where it already is.

    Raises:
        PictureUnsupported: a colour space without a conversion (LAB).
    """
    if image.mode in _WIDE_GREY:
        return Image.fromarray(_grey_8_bit(np.asarray(image)))
    if image.mode in {"1", "P", "PA"} or "transparency" in image.info:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode not in _PLAIN:
        raise PictureUnsupported(f"The colour space {image.mode} cannot be read", "Convert it to JPEG or PNG.")
    return image


def _grey_8_bit(values: npt.NDArray[np.generic]) -> Picture:
    """Scale by the type's range. 32-bit files rarely use theirs: the smallest of 1, 8, 16, 32 bit that fits."""
    if values.dtype.itemsize == 2:
        return cast(Picture, (values.astype(np.uint16) >> 8).astype(np.uint8))
    numbers = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    largest = float(numbers.max())
    ranges = (1.0,) * (values.dtype.kind == "f") + (255.0, 65535.0, 4294967295.0)
    white = next((top for top in ranges if largest <= top), largest)
    return cast(Picture, (np.clip(numbers / white, 0.0, 1.0) * 255).astype(np.uint8))


def shrunk(image: Image.Image, minimum_long_side: int | None) -> Image.Image:
    """The image box-averaged by the largest whole factor that keeps the long side at `minimum_long_side` or more."""
    factor = reduction(image.size, minimum_long_side)
    return image.reduce(factor) if factor > 1 else image


def reduction(size: tuple[int, int], minimum_long_side: int | None) -> int:
    """The largest whole factor by which `size` (pixels) can be divided with the long side still long enough.

    A panorama counts as 3:1: its long side says nothing about the size of faces, and detection tiles it.
    """
    if minimum_long_side is None:
        return 1
    return max(1, min(max(size), 3 * min(size)) // max(1, minimum_long_side))


def rgb(image: Image.Image) -> Picture:
    """The pixels as uint8 (h, w, 3), transparency laid on white."""
    if image.mode in {"LA", "RGBA", "La", "RGBa"}:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, _BACKGROUND)
        paper.paste(image, mask=image)
        image = paper
    return cast(Picture, np.asarray(image if image.mode == "RGB" else image.convert("RGB")))
