"""Pictures per second, file to faces, against a plain loop over the PyPI package insightface with the same model files.

Both see the same files in one run; the ratio counts, not the seconds. The loop is what its documentation shows: one
process, the picture decoded by OpenCV, its own thread settings (ONNX Runtime spreads each call over all cores).

    python benchmarks/throughput.py --models DIR --album DIR [--pictures 24]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

import cv2
import insightface.model_zoo
import numpy as np
from albums import write_album
from insightface.app.common import Face

from plugin.detection import DetectionLimits, find_faces
from plugin.media.standard import StandardMedia
from plugin.vision.model import OnnxFaceModel
from plugin.vision.models import OnnxFaceModels
from plugin.vision.packs import known_packs

MINIMUM_SCORE = 0.6
LONG_SIDE = 640
KINDS = {"12 megapixels": ((4000, 3000), 2.0), "1440 px previews": ((1440, 1080), 1.5)}
"""Size and the ratio asked for."""


def main() -> None:
    """Print a ratio for each kind of picture, and where the CPU time of one picture goes."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--models", type=Path, required=True, help="a models folder; buffalo_s is fetched into it")
    arguments.add_argument("--album", type=Path, required=True, help="the sample album")
    arguments.add_argument("--pictures", type=int, default=24)
    given = arguments.parse_args()
    model = OnnxFaceModels(given.models, accepted=lambda _: True).load("buffalo_s")
    reference = insightface_loop(given.models)
    portraits = sorted(given.album.glob("*.jpg"))
    with tempfile.TemporaryDirectory() as work:
        for kind, (size, wanted) in KINDS.items():
            folder = Path(work) / str(size[0])
            write_album(folder, portraits, given.pictures, size)
            compare(kind, wanted, sorted(folder.iterdir()), model, reference)


def compare(
    kind: str, wanted: float, files: list[Path], model: OnnxFaceModel, reference: Callable[[list[Path]], int]
) -> None:
    """Run both three times, taking turns, so that a noisy neighbour meets both."""

    def ours(paths: list[Path]) -> int:
        return kinfolk(paths, model)

    for warm_up in (ours, reference):
        warm_up(files[:2])
    seconds: dict[str, list[float]] = {"kinfolk": [], "insightface": []}
    faces: dict[str, int] = {}
    for _ in range(3):
        for name, run in (("kinfolk", ours), ("insightface", reference)):
            started = time.perf_counter()
            faces[name] = run(files)
            seconds[name].append(time.perf_counter() - started)
    middle = {name: statistics.median(times) for name, times in seconds.items()}
    ratio = middle["insightface"] / middle["kinfolk"]
    print(
        f"{kind}: kinfolk {len(files) / middle['kinfolk']:.1f}/s ({faces['kinfolk']} faces), "
        f"insightface {len(files) / middle['insightface']:.1f}/s ({faces['insightface']} faces), "
        f"ratio {ratio:.2f} (wanted {wanted})"
    )
    steps(files[0], model)


def kinfolk(files: list[Path], model: OnnxFaceModel) -> int:
    """File to faces ready to be stored, one picture per worker thread; returns how many faces."""
    media, limits = StandardMedia(), DetectionLimits()

    def one(path: Path) -> int:
        with path.open("rb") as stream:
            decoded = media.photo(stream, limits.working_long_side)
        return len(find_faces(decoded, model, media, MINIMUM_SCORE, limits.long_side))

    with ThreadPoolExecutor(cpu_count()) as workers:
        return sum(workers.map(one, files))


def insightface_loop(models: Path) -> Callable[[list[Path]], int]:
    """The loop of its documentation, with exactly our detector and embedder files."""
    pack = next(pack for pack in known_packs() if pack.info.name == "buffalo_s")
    detector = insightface.model_zoo.get_model(str(models / pack.detector.name), providers=["CPUExecutionProvider"])
    embedder = insightface.model_zoo.get_model(str(models / pack.embedder.name), providers=["CPUExecutionProvider"])
    detector.prepare(-1, input_size=(LONG_SIDE, LONG_SIDE), det_thresh=MINIMUM_SCORE)

    def run(files: list[Path]) -> int:
        count = 0
        for path in files:
            picture = cv2.imread(str(path))
            boxes, points = detector.detect(picture)
            for box, five in zip(boxes, points, strict=True):
                embedder.get(picture, Face(bbox=box[:4], kps=five, det_score=box[4]))
                count += 1
        return count

    return run


def steps(path: Path, model: OnnxFaceModel) -> None:
    """CPU milliseconds of each step for one picture, one thread, best of eight."""
    media, limits = StandardMedia(), DetectionLimits()
    with path.open("rb") as stream:
        pixels = media.photo(stream, limits.working_long_side).pixels
    found = model.detect(pixels, limits.long_side, MINIMUM_SCORE)
    crops = [model.align(pixels, one.landmarks_px) for one in found]

    def decode() -> object:
        with path.open("rb") as stream:
            return media.photo(stream, limits.working_long_side)

    timed = {
        "decode": cpu_ms(decode),
        "detect": cpu_ms(lambda: model.detect(pixels, limits.long_side, MINIMUM_SCORE)),
        "align a face": cpu_ms(lambda: model.align(pixels, found[0].landmarks_px)) if found else np.nan,
        "embed a face": cpu_ms(lambda: model.embed(crops)) / max(len(crops), 1),
    }
    print("  CPU ms: " + ", ".join(f"{name} {value:.1f}" for name, value in timed.items()))


def cpu_ms(step: Callable[[], object]) -> float:
    """The least CPU time of eight runs."""
    times = []
    for _ in range(8):
        started = time.process_time()
        step()
        times.append(time.process_time() - started)
    return 1000 * min(times)


if __name__ == "__main__":
    main()
