"""A stand-in for PhotoPrism on loopback, with its state in memory.

Written from `internal/api` and `internal/entity/search` of PhotoPrism (December 2024); its answers are validated
against its API description by `tests/unit/test_fake_photoprism.py`.
"""

from tests.fakes.photoprism.library import FakeLibrary
from tests.fakes.photoprism.server import FakePhotoPrism

__all__ = ["FakeLibrary", "FakePhotoPrism"]
