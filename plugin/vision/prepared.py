"""Prepared models: the verified originals, rewritten once into what ONNX Runtime runs fastest, beside them on disk."""

import hashlib
from enum import StrEnum
from pathlib import Path

from plugin.vision.archives import sha256_of

PREPARATION = 1
"""Counts up whenever `graph.py` or `tflite.py` would give another result, so that old prepared files are rebuilt."""


class Role(StrEnum):
    """What a model file is for, which decides how it is prepared."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"
    LANDMARKS = "landmarks"


def prepared_path(original: Path) -> Path:
    """Where the prepared form of a model file lies."""
    return original.with_name(f"{original.stem}.prepared-{PREPARATION}.onnx")


def is_prepared(original: Path) -> bool:
    """Whether the prepared form is there and undamaged (its SHA-256 was written down when it was made)."""
    prepared = prepared_path(original)
    try:
        return _checksum_path(prepared).read_text() == sha256_of(prepared)
    except OSError:
        return False


def prepare(original: Path, role: Role) -> Path:
    """Make the prepared form of a verified original; complete or not at all.

    Raises:
        OSError: it cannot be written.
    """
    # Here, not above: `onnx` costs 40 MB of memory that a normal start, with everything prepared, never needs.
    from plugin.vision import graph, tflite  # noqa: PLC0415

    prepared = prepared_path(original)
    work = prepared.with_suffix(".partial")  # the caller holds the folder's lock; a leftover is simply overwritten
    try:
        match role:
            case Role.LANDMARKS:
                tflite.convert(original, work)
            case Role.DETECTOR:
                graph.prepare(original, work, steps=graph.detector_steps())
            case Role.EMBEDDER:
                graph.prepare(original, work, steps=graph.embedder_steps())
        _checksum_path(prepared).write_text(hashlib.sha256(work.read_bytes()).hexdigest())
        work.replace(prepared)
    finally:
        work.unlink(missing_ok=True)
    return prepared


def _checksum_path(prepared: Path) -> Path:
    return prepared.with_suffix(".sha256")
