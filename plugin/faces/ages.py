"""A child's face changes within a year or two: people whose birth date is known are compared age by age.

Faces of one person fall into bands of ages within which a face stays alike; each band takes part in grouping by itself
(`plugin.faces.linkage` lets a person be several groups). So a photo of a five-year-old has to resemble the person at
four to six, not the mean of a lifetime, and a chain of neighbouring bands links the baby to the adult.
"""

from datetime import date

import numpy as np
import numpy.typing as npt

from plugin.faces.neighbours import IntArray

BANDS = (0.5, 1, 2, 4, 6, 9, 12, 15, 18, 30, 50)
"""Where a new band begins, in years. Children double the age at which they still look alike; adults change slowly."""

UNKNOWN = -1
"""The band of a picture without a date."""

DAYS_PER_YEAR = 365.25


def age_bands(taken_at: npt.NDArray[np.datetime64], birth_date: date) -> IntArray:
    """Which band of `BANDS` each picture falls into: int64 (n,), `UNKNOWN` without a date or before birth.

    Args:
        taken_at: datetime64[s] (n,), NaT when unknown.
        birth_date: of the person.
    """
    born = np.datetime64(birth_date, "s")
    years = (taken_at - born) / np.timedelta64(1, "s") / (DAYS_PER_YEAR * 86400)
    known = ~np.isnat(taken_at) & (years >= 0)
    return np.where(known, np.searchsorted(BANDS, np.where(known, years, 0), side="right"), UNKNOWN).astype(np.int64)
