"""How large a file may be before it is refused unread."""

from dataclasses import dataclass

from plugin.errors import PictureTooLarge


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Checked from the file's header, before anything is decoded.

    Attributes:
        maximum_pixels: width x height of a photo or video frame. 200 megapixels let a 108-megapixel phone photo and a
            24,000 x 3,000 panorama pass and stop decompression bombs.
        maximum_photo_bytes: a photo is read into memory by some decoders, so this bounds memory.
        maximum_video_bytes: a video is streamed, so this only bounds time.
    """

    maximum_pixels: int = 200_000_000
    maximum_photo_bytes: int = 512 * 2**20
    maximum_video_bytes: int = 32 * 2**30

    def check_pixels(self, width: int, height: int) -> None:
        """Refuse a picture of this size when it is over the limit.

        Raises:
            PictureTooLarge.
        """
        if width * height > self.maximum_pixels:
            raise PictureTooLarge(
                f"The picture has {width} x {height} pixels; at most {self.maximum_pixels // 1_000_000} megapixels are"
                " decoded",
                "Raise the limit in the configuration if this is a real photo and there is memory for it.",
            )


def check_bytes(size: int, maximum: int) -> None:
    """Refuse a file of `size` bytes when that is over `maximum`.

    Raises:
        PictureTooLarge.
    """
    if size > maximum:
        raise PictureTooLarge(
            f"The file has {size / 2**20:,.0f} MB; at most {maximum / 2**20:,.0f} MB are read",
            "Raise the limit in the configuration if this is a real photo or video.",
        )
