"""Photos of every format, colour mode and orientation come out as upright 8-bit RGB."""

import struct
import zlib
from datetime import datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from plugin.domain import Picture
from plugin.errors import PictureBroken, PictureTooLarge, PictureUnsupported
from plugin.media import DecodeLimits, StandardMedia
from plugin.ports.vision import DecodedPicture
from tests.fakes.media import CORNERS, STORED, clock_video, corners, encoded, exif, is_upright, marker_picture


def decode(raw: bytes, minimum_long_side: int | None = None) -> DecodedPicture:
    return StandardMedia().photo(BytesIO(raw), minimum_long_side)


def grey_of(picture: Picture) -> Image.Image:
    return Image.fromarray(picture).convert("L")


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
@pytest.mark.parametrize("minimum", [None, 100], ids=["full", "reduced"])
def test_all_eight_orientations_give_the_same_upright_picture(file_format: str, minimum: int | None) -> None:
    for orientation, store in STORED.items():
        raw = encoded(store(marker_picture()), file_format, exif=exif(orientation))
        decoded = decode(raw, minimum)
        assert is_upright(decoded.pixels), orientation
        assert (decoded.full_width, decoded.full_height) == (300, 200)
        assert decoded.pixels.shape[1] in ({300} if minimum is None else {100, 150})  # JPEG: powers of two


def test_a_compressed_tiff_is_turned_upright_once() -> None:
    tags = ImageFileDirectory_v2()
    tags[0x0112] = 6
    raw = encoded(STORED[6](marker_picture()), "TIFF", tiffinfo=tags, compression="tiff_lzw")
    assert is_upright(decode(raw).pixels)
    assert (decode(raw).full_width, decode(raw).full_height) == (300, 200)


@pytest.mark.parametrize("orientation", [0, 9, 200])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int) -> None:
    assert is_upright(decode(encoded(marker_picture(), "JPEG", exif=exif(orientation))).pixels)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {"quality": 90}),
        ("JPEG", {"progressive": True, "quality": 90}),
        ("MPO", {"save_all": True, "append_images": [Image.new("RGB", (300, 200))], "quality": 90}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 90}),
        ("TIFF", {"compression": "tiff_deflate"}),
        ("TIFF", {"save_all": True, "append_images": [Image.new("RGB", (30, 20))]}),
        ("GIF", {}),
        ("HEIF", {"quality": 90}),
        ("AVIF", {"quality": 90}),
        ("BMP", {}),
        ("JPEG2000", {}),
    ],
)
def test_every_format_is_read(file_format: str, options: dict[str, object]) -> None:
    assert is_upright(decode(encoded(marker_picture(), file_format, **options)).pixels)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_grey_pictures_become_rgb(file_format: str) -> None:
    decoded = decode(encoded(grey_of(marker_picture()), file_format))
    expected = np.asarray(grey_of(marker_picture()).convert("RGB"))
    assert np.abs(np.array(corners(decoded.pixels)) - np.array(corners(expected))).max() <= 4


def test_a_cmyk_jpeg_is_not_inverted() -> None:
    """Pillow writes CMYK JPEGs the way Adobe does, inverted and marked so."""
    raw = encoded(Image.fromarray(marker_picture()).convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in raw
    assert is_upright(decode(raw).pixels)
    assert is_upright(decode(raw, 75).pixels)


def test_a_palette_picture_with_transparency_lies_on_white() -> None:
    image = Image.fromarray(marker_picture()).quantize(4)
    red = image.getpixel((10, 10))
    decoded = decode(encoded(image, "PNG", transparency=red))
    assert corners(decoded.pixels)[0] == [255, 255, 255]
    assert corners(decoded.pixels)[1:] == [list(colour) for colour in CORNERS[1:]]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_transparent_pixels_lie_on_white(mode: str, file_format: str) -> None:
    if (mode, file_format) == ("LA", "WEBP"):
        mode = "RGBA"  # WebP has no grey
    image = Image.new(mode, (40, 40), 0)
    image.paste((0, 0, 0, 255) if mode == "RGBA" else (0, 255), (0, 0, 20, 40))
    pixels = decode(encoded(image, file_format)).pixels
    assert pixels[20, 5].max() <= 3
    assert pixels[20, 35].min() >= 252


def test_a_reduced_transparent_picture_has_no_dark_fringe() -> None:
    image = Image.new("RGBA", (400, 400), (255, 255, 255, 255))
    image.paste((0, 0, 0, 0), (0, 0, 199, 400))
    assert decode(encoded(image, "PNG"), 100).pixels.min() == 255


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_to_8_bit(file_format: str) -> None:
    values = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    pixels = decode(encoded(Image.fromarray(values), file_format)).pixels
    assert np.abs(pixels[..., 0].astype(int).ravel() - np.arange(256)).max() <= 1


def test_16_bit_colour_png_is_scaled_to_8_bit() -> None:
    picture = marker_picture(30, 20).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    assert is_upright(decode(png(30, 20, 16, 2, zlib.compress(rows))).pixels, tolerance=1)


@pytest.mark.parametrize(
    ("values", "white"), [(np.float32, 1.0), (np.float32, 255.0), (np.int32, 255), (np.int32, 65535)]
)
def test_32_bit_tiffs_are_scaled_by_the_range_they_use(values: type, white: float) -> None:
    data = np.linspace(0, 1, 256).reshape(16, 16) * white
    pixels = decode(encoded(Image.fromarray(data.astype(values)), "TIFF")).pixels
    assert np.abs(pixels[..., 0].astype(int).ravel() - np.arange(256)).max() <= 1


def test_a_float_tiff_with_holes_is_read() -> None:
    data = np.full((4, 4), 0.5, np.float32)
    data[0] = (np.nan, np.inf, -np.inf, -3.0)
    assert decode(encoded(Image.fromarray(data), "TIFF")).pixels[3, 3, 0] == 127


def test_a_black_and_white_fax_is_read() -> None:
    raw = encoded(Image.new("1", (64, 64), 1), "TIFF", compression="group4")
    assert decode(raw, 16).pixels.min() == 255


def test_one_pixel_is_a_picture() -> None:
    for file_format in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        decoded = decode(encoded(Image.new("RGB", (1, 1), "red"), file_format), 1440)
        assert (decoded.pixels.shape, decoded.full_width, decoded.full_height) == ((1, 1, 3), 1, 1)


def test_a_panorama_is_reduced_less_so_that_its_short_side_still_shows_faces() -> None:
    decoded = decode(encoded(Image.new("L", (8000, 1000)), "JPEG"), 700)
    assert decoded.pixels.shape == (250, 2000, 3)


def test_the_file_name_is_not_needed_and_the_content_decides() -> None:
    with pytest.raises(PictureBroken, match="not a picture"):
        decode(b"Dear diary, this is called holiday.jpg\n" * 50)
    with pytest.raises(PictureBroken, match="video"):
        decode(clock_video(0.2))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF", "AVIF"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_broken_and_never_half_a_picture(file_format: str, part: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    raw = encoded(noise, file_format)
    for minimum in (None, 40):
        with pytest.raises(PictureBroken):
            decode(raw[: int(len(raw) * part)], minimum)


def test_a_truncated_jpeg_says_so() -> None:
    raw = encoded(marker_picture(), "JPEG")
    with pytest.raises(PictureBroken, match="incomplete"):
        decode(raw[: len(raw) * 2 // 3])


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"II*\0\x10\0\0\0CR\x02\0", "CR2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "CR3"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"8BPS\0\x01", "Photoshop"),
    ],
)
def test_formats_that_cannot_be_read_are_named(head: bytes, name: str) -> None:
    with pytest.raises(PictureUnsupported, match=name) as caught:
        decode(head + bytes(200))
    assert caught.value.advice


def test_camera_raw_inside_a_tiff_is_not_taken_for_its_tiny_preview() -> None:
    dng = ImageFileDirectory_v2()
    dng[50706] = b"\x01\x04\0\0"
    with pytest.raises(PictureUnsupported, match="DNG"):
        decode(encoded(Image.new("RGB", (256, 171)), "TIFF", tiffinfo=dng))


def test_a_tiff_that_begins_with_a_thumbnail_of_something_else_is_camera_raw() -> None:
    """NEF and ARW: the first image is marked as a reduced copy, the real one is a sub-image in a raw format."""
    nef = ImageFileDirectory_v2()
    nef[254] = 1
    nef[330] = 8
    with pytest.raises(PictureUnsupported, match="NEF"):
        decode(encoded(Image.new("RGB", (160, 120)), "TIFF", tiffinfo=nef))
    del nef[330]
    assert decode(encoded(Image.new("RGB", (160, 120)), "TIFF", tiffinfo=nef)).full_width == 160


def test_a_colour_space_without_a_conversion_is_unsupported() -> None:
    with pytest.raises(PictureUnsupported, match="LAB"):
        decode(encoded(Image.new("LAB", (20, 20)), "TIFF"))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int, colour: int, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_from_its_header_alone() -> None:
    """The picture data are garbage: had anything been decoded, the file would be broken and not too large."""
    with pytest.raises(PictureTooLarge, match="30000 x 30000") as caught:
        decode(png(30_000, 30_000, 8, 2, b"garbage"), 640)
    assert "limit" in caught.value.advice


def test_a_gif_frame_larger_than_its_canvas_is_a_bomb_too() -> None:
    raw = bytearray(encoded(Image.new("P", (10, 10)), "GIF"))
    frame = raw.index(b",\0\0\0\0\x0a\0\x0a\0")
    raw[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(PictureTooLarge, match="60000 x 60000"):
        decode(bytes(raw))


def test_a_huge_tile_in_a_small_tiff_is_refused() -> None:
    """A tile must be allocated whole, however small the picture is."""
    tags = {256: 16, 257: 16, 258: 8, 259: 5, 262: 1, 277: 1, 322: 60_000, 323: 60_000, 324: 8, 325: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    raw = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    with pytest.raises(PictureTooLarge, match="60000 x 60000"):
        decode(raw)


@pytest.mark.parametrize(("width", "height"), [(12_000, 9_000), (24_000, 3_000)])
def test_large_phone_photos_and_panoramas_pass(width: int, height: int) -> None:
    decoded = decode(encoded(Image.new("L", (width, height), 99), "JPEG"), 1440)
    assert (decoded.full_width, decoded.full_height) == (width, height)
    assert 1440 <= max(decoded.pixels.shape) <= 6000


def test_a_file_over_the_byte_limit_is_refused_unread() -> None:
    raw = encoded(marker_picture(), "PNG")
    with pytest.raises(PictureTooLarge, match="MB"):
        StandardMedia(DecodeLimits(maximum_photo_bytes=len(raw) - 1)).photo(BytesIO(raw), None)
    assert StandardMedia(DecodeLimits(maximum_photo_bytes=len(raw))).photo(BytesIO(raw), None).full_width == 300


def test_the_time_taken_comes_from_exif() -> None:
    data = exif(DateTimeOriginal="2011:02:03 04:05:06", DateTime="2019:01:01 00:00:00")
    for file_format in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF"):
        raw = encoded(marker_picture(), file_format, exif=data)
        assert decode(raw).taken_at == datetime.fromisoformat("2011-02-03 04:05:06"), file_format


def test_the_time_taken_of_a_tiff_comes_from_its_tags() -> None:
    tags = ImageFileDirectory_v2()
    tags[0x0132] = "2019:01:01 00:00:00"
    tags[0x8769] = {0x9003: "2011:02:03 04:05:06"}
    tags[0x0112] = 6
    assert decode(encoded(STORED[6](marker_picture()), "TIFF", tiffinfo=tags)).taken_at == datetime.fromisoformat(
        "2011-02-03 04:05:06"
    )


def test_damaged_exif_costs_the_date_and_not_the_photo() -> None:
    good = exif(6, DateTimeOriginal="2011:02:03 04:05:06")
    for end in range(6, len(good)):
        decoded = decode(encoded(marker_picture(), "JPEG", exif=good[:end]))
        assert {decoded.full_width, decoded.full_height} == {300, 200}
