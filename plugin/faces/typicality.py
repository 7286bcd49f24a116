"""Which face stands for a person: a good picture that looks like the person usually does."""

import numpy as np

from plugin.domain import Float32Array
from plugin.faces.neighbours import IntArray


def by_typicality(embedding: Float32Array, quality: Float32Array) -> IntArray:
    """Rows of one person's faces, the best to stand for the person first: int64 (n,).

    Quality times likeness to the person's mean, weighted by quality. So neither a sharp face of somebody else that got
    among them nor a typical but blurred one is first. The same faces give the same order.

    Args:
        embedding: float32 (n, d), unit length.
        quality: float32 (n,), 0..1.
    """
    if not len(embedding):
        return np.empty(0, dtype=np.int64)
    mean = (embedding * quality[:, None]).sum(axis=0)
    length = float(np.linalg.norm(mean))
    likeness = np.clip(embedding @ (mean / length), 0, 1) if length else np.zeros(len(embedding), dtype=np.float32)
    return np.lexsort((np.arange(len(embedding)), -(quality * likeness))).astype(np.int64)
