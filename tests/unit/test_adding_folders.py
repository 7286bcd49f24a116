"""Adding a folder, by the page or the command line: the parts as they are really put together."""

from pathlib import Path

import pytest

from plugin.assemble import open_kinfolk
from plugin.errors import HostUnreachable
from plugin.settings import load_settings
from tests.fakes.album import NudgeLog


def test_a_folder_that_is_added_is_scanned_soon_and_twice_is_one_library(tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    with open_kinfolk(load_settings(tmp_path / "data"), exclusive=False) as kinfolk:
        kinfolk.nudge = nudge = NudgeLog()
        owner = kinfolk.catalogue.accounts.all()[0].id
        library = kinfolk.add_folder(owner, str(album))
        assert kinfolk.catalogue.libraries.get(library.id).sync_requested_at is not None
        assert nudge.told == [f"sync {library.id}"]
        assert kinfolk.add_folder(owner, f"{album}/").id == library.id


def test_a_folder_that_is_not_there_is_not_added(tmp_path: Path) -> None:
    with open_kinfolk(load_settings(tmp_path / "data"), exclusive=False) as kinfolk:
        with pytest.raises(HostUnreachable, match="is not there"):
            kinfolk.add_folder(kinfolk.catalogue.accounts.all()[0].id, str(tmp_path / "nowhere"))
        assert kinfolk.catalogue.libraries.all() == []
