"""Pictures per second, folder to stored faces, against a plain loop over insightface with the same model files.

Both see the same files in one run; the ratio counts, not the seconds. Kinfolk lists the folder, detects on its worker
threads and stores faces, embeddings and thumbnails in a new catalogue. The loop is what its documentation shows: one
process, the picture decoded by OpenCV, its own thread settings (ONNX Runtime spreads each call over all cores); it
stores nothing. Models are loaded, and warm, before either is timed.

    python -m benchmarks.throughput [--pictures 24]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import insightface.model_zoo
import numpy as np
from insightface.app.common import Face

from benchmarks.albums import write_album
from benchmarks.serving import cache, sample_portraits
from plugin.assemble import open_kinfolk
from plugin.detection import DetectionLimits
from plugin.media.standard import StandardMedia
from plugin.settings import load_settings
from plugin.vision.model import OnnxFaceModel
from plugin.vision.models import OnnxFaceModels
from plugin.vision.packs import known_packs

PACK = "buffalo_s"
MINIMUM_SCORE = 0.6
LONG_SIDE = 640
KINDS = {"12 megapixels": ((4000, 3000), 2.0), "1440 px previews": ((1440, 1080), 1.5)}
"""Size and the ratio asked for."""


@dataclass(frozen=True)
class Timed:
    """How long one run over a folder took, and how many faces it found."""

    seconds: float
    faces: int


Run = Callable[[Path], Timed]


def main() -> None:
    """Print a ratio for each kind of picture, and where the CPU time of one picture goes."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pictures", type=int, default=24)
    given = arguments.parse_args()
    portraits = sample_portraits()
    models = cache() / "models"
    model = OnnxFaceModels(models, accepted=lambda _: True).load("buffalo_s")
    reference = insightface_loop(models)
    with tempfile.TemporaryDirectory() as work:
        for kind, (size, wanted) in KINDS.items():
            folder = Path(work) / str(size[0])
            write_album(folder, portraits, given.pictures, size)
            compare(kind, wanted, folder, models, reference)
            steps(min(folder.iterdir()), model)


def compare(kind: str, wanted: float, folder: Path, models: Path, reference: Run) -> None:
    """Run both three times, taking turns, so that a noisy neighbour meets both."""
    runs: dict[str, Run] = {"kinfolk": lambda folder: kinfolk(folder, models), "insightface": reference}
    results: dict[str, list[Timed]] = {name: [] for name in runs}
    for _ in range(3):
        for name, run in runs.items():
            results[name].append(run(folder))
    seconds = {name: statistics.median(timed.seconds for timed in timings) for name, timings in results.items()}
    pictures = len(list(folder.iterdir()))
    each = [f"{name} {pictures / seconds[name]:.1f}/s ({results[name][0].faces} faces)" for name in runs]
    ratio = seconds["insightface"] / seconds["kinfolk"]
    print(f"{kind}: {', '.join(each)}, ratio {ratio:.2f} (wanted {wanted})")


def kinfolk(folder: Path, models: Path) -> Timed:
    """The product itself on an empty data folder: sync and detection, to the last stored face."""
    with tempfile.TemporaryDirectory() as data:
        (Path(data) / "models").symlink_to(models)
        settings = load_settings(
            data=Path(data), overrides={"detection": {"pack": PACK, "minimum_score": MINIMUM_SCORE}}
        )
        with open_kinfolk(settings, exclusive=True) as parts:
            parts.preferences.accept_licence(PACK)
            parts.models.load(PACK)
            parts.add_folder(parts.catalogue.accounts.all()[0].id, str(folder))
            started = time.perf_counter()
            parts.foreground.sync(lambda _: None)
            parts.run_detection(lambda _: None)
            seconds = time.perf_counter() - started
            return Timed(seconds, sum(parts.catalogue.faces.state_counts(None).values()))


def insightface_loop(models: Path) -> Run:
    """The loop of its documentation, with exactly our detector and embedder files."""
    pack = next(pack for pack in known_packs() if pack.info.name == PACK)
    detector = insightface.model_zoo.get_model(str(models / pack.detector.name), providers=["CPUExecutionProvider"])
    embedder = insightface.model_zoo.get_model(str(models / pack.embedder.name), providers=["CPUExecutionProvider"])
    detector.prepare(-1, input_size=(LONG_SIDE, LONG_SIDE), det_thresh=MINIMUM_SCORE)

    def run(folder: Path) -> Timed:
        count, started = 0, time.perf_counter()
        for path in sorted(folder.iterdir()):
            picture = cv2.imread(str(path))
            boxes, points = detector.detect(picture)
            for box, five in zip(boxes, points, strict=True):
                embedder.get(picture, Face(bbox=box[:4], kps=five, det_score=box[4]))
                count += 1
        return Timed(time.perf_counter() - started, count)

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
