"""Friendly drawn people for the screens: no photo of a real person ever goes into a test."""

import io
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

SKIN = ("#f1c9a5", "#8d5a3b", "#e0ac7e", "#c68a5e", "#f6d7bd", "#6f4430")
HAIR = ("#3b2a22", "#1f1a17", "#a5612a", "#d9b26a", "#8a8079", "#5a2f1d")
SHIRT = ("#b8512f", "#5d7c69", "#39648c", "#d79a2b", "#8a4f7d", "#3f4a5a")
SKIES = (("#f6c58f", "#d9735b"), ("#a9d3ea", "#e7f0dc"), ("#7fa6a0", "#e9d9a8"), ("#cfd9f2", "#8fa7cf"))


@dataclass(frozen=True)
class Figure:
    """One drawn person on a picture; `look` chooses skin, hair and clothes; the rest are fractions of the picture."""

    look: int
    x: float
    y: float
    size: float


def gradient(width: int, height: int, top: str, bottom: str) -> Image.Image:
    """A sky."""
    mask = Image.linear_gradient("L").resize((width, height))
    return Image.composite(Image.new("RGB", (width, height), bottom), Image.new("RGB", (width, height), top), mask)


def draw_figure(canvas: Image.Image, figure: Figure) -> None:
    """Head, hair, shoulders and a smile; the head fills the figure's box."""
    width, height = canvas.size
    unit = figure.size * width
    left, top = figure.x * width, figure.y * height
    pen, look = ImageDraw.Draw(canvas), figure.look

    def oval(x: float, y: float, w: float, h: float, colour: str) -> None:
        pen.ellipse((left + x * unit, top + y * unit, left + (x + w) * unit, top + (y + h) * unit), fill=colour)

    hair, skin = HAIR[look % 6], SKIN[look % 6 if look < 6 else (look * 5 + 1) % 6]
    pen.rounded_rectangle(
        (left - 0.45 * unit, top + 1.1 * unit, left + 1.45 * unit, top + 3.4 * unit), 0.6 * unit, SHIRT[(look * 5) % 6]
    )
    if look % 2:
        oval(-0.1, -0.02, 1.2, 1.5, hair)
    pen.rounded_rectangle((left + 0.34 * unit, top + 0.8 * unit, left + 0.66 * unit, top + 1.3 * unit), 9, skin)
    oval(0.08, 0.08, 0.84, 1.02, skin)
    pen.chord((left + 0.02 * unit, top - 0.06 * unit, left + 0.98 * unit, top + 0.8 * unit), 180, 360, fill=hair)
    for eye in (0.32, 0.62):
        oval(eye, 0.52, 0.075, 0.085, "#2a1f1a")
    for cheek in (0.18, 0.66):
        oval(cheek, 0.68, 0.16, 0.1, "#e58f78")
    smile = (left + 0.34 * unit, top + 0.6 * unit, left + 0.66 * unit, top + 0.92 * unit)
    pen.arc(smile, 20, 160, fill="#7a2f25", width=max(2, int(0.03 * unit)))


def photo(width: int, height: int, figures: tuple[Figure, ...], mood: int = 0) -> Image.Image:
    """People in front of hills."""
    canvas = gradient(width, height, *SKIES[mood % len(SKIES)])
    pen = ImageDraw.Draw(canvas)
    pen.ellipse((width * 0.7, height * 0.1, width * 0.7 + height * 0.16, height * 0.26), fill="#fff3d6")
    pen.ellipse((-width * 0.3, height * 0.55, width * 0.75, height * 1.6), fill="#7d9a72")
    pen.ellipse((width * 0.35, height * 0.62, width * 1.4, height * 1.7), fill="#5f8069")
    canvas = canvas.filter(ImageFilter.GaussianBlur(width / 300))
    for figure in figures:
        draw_figure(canvas, figure)
    return canvas


def webp(picture: Image.Image) -> bytes:
    """Encoded as the product serves pictures."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()
