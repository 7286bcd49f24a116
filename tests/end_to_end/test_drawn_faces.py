"""Drawn boxes and search by face over the sample album, with the real model."""

from pathlib import Path

import numpy as np
import pytest

from plugin.assemble import open_kinfolk
from plugin.domain import Box, Face
from plugin.settings import load_settings
from tests.end_to_end.conftest import Kinfolk

pytestmark = pytest.mark.models


def loosely(box: Box) -> Box:
    """As people draw: with hair and chin."""
    return Box(max(0.0, box.x - 0.1 * box.w), max(0.0, box.y - 0.25 * box.h), box.w * 1.2, box.h * 1.35)


def test_a_loosely_drawn_face_is_embedded_as_detection_would_and_finds_its_person(
    kinfolk: Kinfolk, album: Path
) -> None:
    kinfolk.run("library", "add", "folder", str(album))
    kinfolk.run("scan")
    with open_kinfolk(load_settings(kinfolk.data, None, None), exclusive=True) as running:
        owner = running.catalogue.accounts.all()[0].id
        faces: dict[str, Face] = {row.path: row.face for row in running.catalogue.faces.export(owner)}
        obama, other = faces["obama.jpg"], faces["obama2.jpg"]
        asset = running.catalogue.assets.get(obama.asset_id, owner)
        pack, drawn = running._look(asset, loosely(obama.box))
        assert pack == obama.pack
        assert float(drawn.embedding @ running.catalogue.faces.embedding(obama.id)) > 0.9
        nearest = running.face_search.like(owner, drawn.embedding, 3)
        assert nearest[0].face.id == obama.id
        likely = running.face_search.likely_people(owner, faces["obama3.jpg"].id, 3)
        assert likely[0].person_id == other.person_id
        with (album / "obama2.jpg").open("rb") as picture:
            (seen,) = running.face_search.faces_in(picture)
        assert running.face_search.like(owner, seen.embedding, 1)[0].face.id == other.id
        # Nothing to hold on to: the middle of a face without any surroundings still gives a vector of length one.
        _, blind = running._look(asset, Box(0.0, 0.0, 0.05, 0.05))
        assert np.linalg.norm(blind.embedding) == pytest.approx(1, abs=1e-5)
        assert blind.quality < drawn.quality
