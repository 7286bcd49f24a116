"""Albums for the benchmarks, made at run time from the sample album: nothing of it is ever committed."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

NOISE = 6.0
"""Grain of a real sensor, in grey levels: without it a scaled-up portrait would decode far too easily."""


DIFFERENT = 48
"""So many pictures are composed; the rest are copies with other bytes at the end, which decode at the same cost."""


def write_album(folder: Path, portraits: Sequence[Path], count: int, size: tuple[int, int], people: int = 2) -> None:
    """Write `count` JPEGs of `size` (width, height in pixels), each with `people` portraits on a grainy background."""
    folder.mkdir(parents=True, exist_ok=True)
    faces = [Image.open(path).convert("RGB") for path in portraits]
    grain = np.random.default_rng(7).normal(0, NOISE, (size[1], size[0], 1))
    composed = []
    for number in range(min(count, DIFFERENT)):
        stream = BytesIO()
        _picture(faces, number, size, people, grain).save(stream, "JPEG", quality=88)
        composed.append(stream.getvalue())
    for number in range(count):
        copy = number // DIFFERENT
        (folder / f"{number:05d}.jpg").write_bytes(composed[number % DIFFERENT] + copy.to_bytes(4, "big") * bool(copy))


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
