"""Fixtures every part shares: the cache of real models and sample pictures, fetched once through the product's code."""

import os
from pathlib import Path

import pytest

from plugin.cli.sample import fetch_sample_album
from plugin.vision.models import OnnxFaceModels

# For tests that import ONNX Runtime themselves; `plugin.vision.runtime.quiet_runtime` sees to it in the program.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


@pytest.fixture(scope="session")
def test_cache() -> Path:
    """Where models and sample pictures stay between runs; `KINFOLK_TEST_CACHE` moves it."""
    default = Path(__file__).parents[1] / ".cache" / "kinfolk"
    folder = Path(os.environ.get("KINFOLK_TEST_CACHE", default))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def sample_album(test_cache: Path) -> Path:
    """A folder with the seven pictures of Barack Obama and Joe Biden."""
    album = test_cache / "sample-album"
    fetch_sample_album(album)
    return album


@pytest.fixture(scope="session")
def model_folder(test_cache: Path) -> Path:
    """A models folder in which the default pack is installed."""
    folder = test_cache / "models"
    OnnxFaceModels(folder).load("opencv")
    return folder
