"""Is one person really two? A proposal to split, for a user to decide."""

import numpy as np

from plugin.domain import Float32Array
from plugin.faces.grouping import CORE, group_faces
from plugin.faces.immich import NOBODY
from plugin.faces.known import BoolArray
from plugin.faces.linkage import Constraints
from plugin.faces.neighbours import IntArray

STRICTER = 0.9
"""Times the maximum recognition distance. Measured on people with at least six faces, both albums, buffalo_s and
opencv_mesh: of two random people put together 97 to 99.5 % are proposed to be split, of each person with the one most
like them 86 to 99 %, 98.7 % of the faces into the right part; of real people 3 % (friends) and 7 % (families, many of
them with photos from childhood to old age) are. At 1.0 and above twins-like pairs are missed more and more."""

MOST_FACES = 3000
"""Compared with each other; the others of a larger person go to the part they resemble most. Takes a second or two."""


def split_proposal(
    embedding: Float32Array, picture: IntArray, trusted: BoolArray, maximum_distance: float
) -> list[IntArray]:
    """The parts that one person's faces fall into when looked at more strictly: rows, the largest part first.

    Every face is in exactly one part. Empty when there is nothing to split.

    Args:
        embedding: float32 (n, d), unit length, all of one person.
        picture: int64 (n,), faces with the same number are in one picture.
        trusted: bool (n,), whether a face may found a part.
        maximum_distance: *maximum recognition distance*.
    """
    rows = np.linspace(0, len(embedding) - 1, min(len(embedding), MOST_FACES)).astype(np.int64)
    if len(rows) < 2 * CORE:
        return []
    nobody = np.full(len(rows), NOBODY, dtype=np.int64)
    groups = group_faces(
        embedding[rows],
        Constraints(picture[rows], nobody),
        maximum_distance=STRICTER * maximum_distance,
        trusted=trusted[rows],
    )
    labels = groups.labels()
    labels = labels[(groups.size[labels] >= CORE) & groups.trusted[labels]]
    if len(labels) < 2:
        return []
    part = np.argmax(embedding @ groups.means(labels).T, axis=1)
    grouped = np.isin(groups.label, labels)
    part[rows[grouped]] = np.searchsorted(labels, groups.label[grouped])
    parts = [np.flatnonzero(part == number).astype(np.int64) for number in range(len(labels))]
    return sorted(parts, key=lambda found: (-len(found), int(found[0])))
