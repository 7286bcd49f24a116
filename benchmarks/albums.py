"""Albums for the benchmarks, made at run time from the sample album: nothing of it is ever committed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

NOISE = 6.0
"""Grain of a real sensor, in grey levels: without it a scaled-up portrait would decode far too easily."""


def write_album(folder: Path, portraits: Sequence[Path], count: int, size: tuple[int, int], people: int = 2) -> None:
    """Write `count` JPEGs of `size` (width, height in pixels), each with `people` portraits on a grainy background.

    Deterministic, and cheap to repeat: pictures that exist already are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    faces = [Image.open(path).convert("RGB") for path in portraits]
    random = np.random.default_rng(7)
    grain = random.normal(0, NOISE, (size[1], size[0], 1))
    for number in range(count):
        path = folder / f"{number:05d}.jpg"
        if not path.exists():
            _picture(faces, number, size, people, grain).save(path, quality=88)


def _picture(
    faces: Sequence[Image.Image],
    number: int,
    size: tuple[int, int],
    people: int,
    grain: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> Image.Image:
    random = np.random.default_rng(number)
    canvas = Image.new("RGB", size, tuple(int(c) for c in random.integers(60, 200, 3)))
    room = size[0] // people
    for place in range(people):
        face = faces[(number + place) % len(faces)].copy()
        side = int(min(room, size[1]) * random.uniform(0.55, 0.95))
        face.thumbnail((side, side))
        if face.width < side:
            face = face.resize((side, max(1, face.height * side // face.width)))
        canvas.paste(face, (place * room, int(random.integers(0, max(1, size[1] - face.height)))))
    return Image.fromarray(np.clip(np.asarray(canvas) + np.roll(grain, number * 31, axis=1), 0, 255).astype(np.uint8))
