"""A number out of what a sensor published: the number itself, or one entry of a JSON object."""

import json
import math

LONGEST = 4096


def reading(payload: bytes, key: str) -> float | None:
    """The value, or None for anything that is not one finite number. `key` may lead inwards: `sensor.battery`."""
    if len(payload) > LONGEST:
        return None
    try:
        value = json.loads(payload)
        for part in key.split(".") if key else ():
            value = value[part]
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError):
        return None
    return number if math.isfinite(number) else None
