"""Who is seen with whom: a face in a picture with Anna is likelier one of those who are in other pictures with her.

Source of the idea: Gallagher & Chen, Using group prior to identify people in consumer images, CVPR workshops 2007.
"""

from collections import defaultdict
from collections.abc import Set as AbstractSet

import numpy as np

from plugin.faces.neighbours import IntArray


class Company:
    """The pictures with several faces, and the people in them.

    Args:
        label: int64 (n,), the group of each face.
        picture: int64 (n,), faces with the same number are in one picture.
        people: int64 (k,), labels of the groups that count as people; the others are only asked about.
    """

    def __init__(self, label: IntArray, picture: IntArray, people: IntArray) -> None:
        _, inverse, counts = np.unique(picture, return_inverse=True, return_counts=True)
        shared = np.flatnonzero(counts[inverse] > 1)
        self._pictures: dict[int, set[int]] = defaultdict(set)
        self._people: dict[int, set[int]] = defaultdict(set)
        for who, where, counted in zip(
            label[shared].tolist(), picture[shared].tolist(), np.isin(label[shared], people).tolist(), strict=True
        ):
            self._pictures[who].add(where)
            if counted:
                self._people[where].add(who)
        self._known: dict[int, AbstractSet[int]] = {}
        self._total = len(people)

    def expected(self, label: int) -> tuple[AbstractSet[int], float]:
        """The people who were elsewhere seen with those in this group's pictures, and how much that tells, 0..1.

        In a household where everybody was seen with everybody it tells nothing (0).
        """
        present = {who for where in self._pictures.get(label, ()) for who in self._people.get(where, ())} - {label}
        expected = {other for who in present for other in self._seen_with(who)}
        return expected, 1 - len(expected) / max(self._total, 1)

    def _seen_with(self, who: int) -> AbstractSet[int]:
        """Kept, because everybody in pictures with one person asks for it: their pictures are looked through once."""
        if who not in self._known:
            self._known[who] = {other for where in self._pictures[who] for other in self._people[where]} - {who}
        return self._known[who]
