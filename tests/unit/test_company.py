"""Who is seen with whom."""

import numpy as np

from plugin.faces.company import Company

ANNA, BEN, CARA, ODD = 0, 1, 2, 9


def company(*faces: tuple[int, int], people: tuple[int, ...] = (ANNA, BEN, CARA)) -> Company:
    label, picture = np.array(faces, dtype=np.int64).T
    return Company(label, picture, np.array(people, dtype=np.int64))


def test_a_face_beside_anna_is_expected_to_be_who_is_elsewhere_with_her() -> None:
    album = company((ANNA, 1), (BEN, 1), (CARA, 2), (ANNA, 3), (ODD, 3))
    assert album.expected(ODD) == ({BEN}, 1 - 1 / 3)


def test_a_face_alone_in_its_picture_or_among_strangers_is_expected_to_be_nobody() -> None:
    assert company((ANNA, 1), (BEN, 1), (ODD, 2)).expected(ODD) == (set(), 1.0)
    assert company((ANNA, 1), (BEN, 1), (ODD, 2), (8, 2)).expected(ODD) == (set(), 1.0)


def test_where_everybody_is_seen_with_everybody_company_tells_nothing() -> None:
    album = company((ANNA, 1), (BEN, 1), (ANNA, 2), (BEN, 2), (ODD, 2), people=(ANNA, BEN))
    assert album.expected(ODD) == ({ANNA, BEN}, 0.0)
