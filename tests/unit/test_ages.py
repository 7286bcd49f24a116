"""Children are compared with themselves at the same age."""

from datetime import date

import numpy as np

from plugin.faces.ages import UNKNOWN, age_bands
from plugin.faces.immich import NOBODY
from plugin.faces.known import KnownFaces, KnownPeople
from plugin.faces.regrouping import regroup

CARLA = 7
BORN = date(2010, 1, 1)


def dates(*texts: str) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    return np.array(texts, dtype="datetime64[s]")


def test_a_year_is_long_for_a_baby_and_short_for_an_adult() -> None:
    bands = age_bands(dates("2010-02-01", "2010-09-01", "2011-09-01", "2031-01-01", "2039-01-01"), BORN)
    assert len(set(bands.tolist())) == 4
    assert bands[3] == bands[4]
    assert bands.tolist() == sorted(bands.tolist())


def test_without_a_date_and_before_birth_there_is_no_age() -> None:
    assert age_bands(dates("NaT", "2009-12-31", "2010-01-01"), BORN).tolist() == [UNKNOWN, UNKNOWN, 0]


def grown_up(new_degrees: float, new_date: str) -> KnownFaces:
    """Carla from birth to 2026, turning away from the baby by 14 degrees a year, and one new face of nobody."""
    years = np.repeat(np.arange(16), 4)
    degrees = np.append(14.0 * years, new_degrees)
    angle = np.radians(degrees)
    embedding = np.zeros((len(degrees), 128), dtype=np.float32)
    embedding[:, 0], embedding[:, 1] = np.cos(angle), np.sin(angle)
    taken = np.append(np.array([f"{2010 + year}-06-01" for year in years], dtype="datetime64[s]"), dates(new_date))
    person = np.append(np.full(len(years), CARLA), NOBODY).astype(np.int64)
    nobody = np.full(len(degrees), NOBODY, dtype=np.int64)
    trusted = np.ones(len(degrees), dtype=np.bool_)
    return KnownFaces(embedding, np.arange(len(degrees)), person, nobody, nobody, taken, trusted)


def who_is_new(faces: KnownFaces, birth_dates: dict[int, date]) -> int:
    people = KnownPeople(kept={CARLA}, birth_dates=birth_dates)
    return int(regroup(faces, people, maximum_distance=0.4, minimum_faces=3).person[-1])


def test_a_face_has_to_resemble_a_child_at_the_same_age_not_over_a_lifetime() -> None:
    baby = grown_up(2, "2010-03-01")
    assert who_is_new(baby, {}) == NOBODY
    assert who_is_new(baby, {CARLA: BORN}) == CARLA
    teenager = grown_up(14 * 15 + 3, "2025-09-01")
    assert who_is_new(teenager, {CARLA: BORN}) == CARLA


def test_nobody_is_recognised_before_birth() -> None:
    assert who_is_new(grown_up(2, "2009-03-01"), {CARLA: BORN}) == NOBODY
