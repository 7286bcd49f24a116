"""PhotoPrism's API description, which is not part of this repository."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

BESIDE = "shared/recordings/photoprism/swagger-2024-12.json"


def description() -> dict[str, Any]:
    """Where it is not at hand, the test is skipped."""
    named = os.environ.get("KINFOLK_PHOTOPRISM_API")
    places = [Path(named)] if named else [Path(__file__).parents[up] / BESIDE for up in (4, 5)]
    for place in places:
        if place.is_file():
            found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
            return found
    pytest.skip("no API description beside the repository (KINFOLK_PHOTOPRISM_API names its file)")
