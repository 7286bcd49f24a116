"""Forgetting for good: the whole way from photos to index and files, whenever it is cut off; and taking all out."""

import base64
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from plugin.account_export import AccountExport
from plugin.assemble import open_kinfolk
from plugin.domain import AccountId, AssetId, FaceId, PersonId
from plugin.errors import NotFound, PictureBroken
from plugin.ports.catalogue import Catalogue
from plugin.privacy import Copy, Privacy
from plugin.settings import load_settings
from plugin.thumbnails import Thumbnails
from tests.fakes.album import NudgeLog
from tests.fakes.dying_catalogue import DyingCatalogue, Killed
from tests.fakes.workshop import Workshop, photo

ANNA, BEN = 1, 2


class NoCopies:
    def all(self) -> list[Copy]:
        return []

    def renew(self) -> int:
        return 0


@dataclass
class House:
    """Two people on three photos each, recognised, with thumbnails on disk."""

    folder: Path
    workshop: Workshop = field(default_factory=Workshop)
    nudge: NudgeLog = field(default_factory=NudgeLog)

    def __post_init__(self) -> None:
        for number in range(3):
            self.workshop.host.put(f"anna {number}.jpg", photo([(ANNA, 60 + 20 * number, 80, 190)]))
            self.workshop.host.put(f"ben {number}.jpg", photo([(BEN, 60 + 20 * number, 80, 190)]))
        self.workshop.work()
        assert len(self.workshop.people()) == 2
        for face_id in self.faces():
            self.thumbnails().face_thumbnail(self.account_id, face_id)

    @property
    def account_id(self) -> AccountId:
        return self.workshop.account_id

    def thumbnails(self) -> Thumbnails:
        return Thumbnails(self.folder, self.workshop.catalogue, self.workshop.media, self.workshop.host_of)

    def faces(self) -> list[FaceId]:
        return [row.face.id for row in self.workshop.catalogue.faces.export(None)]

    def pictures(self) -> set[FaceId]:
        return {int(path.stem) for path in self.folder.glob("faces/*/*.webp")}

    def person_on(self, path: str) -> PersonId:
        rows = [row for row in self.workshop.catalogue.faces.export(None) if row.path == path]
        assert rows[0].face.person_id is not None
        return rows[0].face.person_id

    def privacy(self, catalogue: Catalogue | None = None) -> Privacy:
        keep_only = self.thumbnails().keep_only
        return Privacy(catalogue or self.workshop.catalogue, self.nudge, keep_only, NoCopies(), lambda: "fake")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "cache")


def test_a_forgotten_person_leaves_catalogue_index_and_disk_and_stays_away(house: House) -> None:
    house.privacy().forget_person(house.account_id, house.person_on("anna 0.jpg"))
    assert len(house.faces()) == 3
    assert house.pictures() == set(house.faces())
    assert house.nudge.told == ["recognition"]
    (pack,) = house.workshop.catalogue.index_state.packs()
    house.workshop.pipeline.recognise()
    assert house.workshop.index.ids(pack) == set(house.faces())
    house.workshop.catalogue.detection.request("reset", pack)
    house.workshop.work()
    assert house.workshop.people() == [{"ben 0.jpg", "ben 1.jpg", "ben 2.jpg"}]


def test_killed_at_any_moment_nothing_is_lost_halfway_and_the_rest_is_made_up_for(tmp_path: Path) -> None:
    for calls in range(20):
        house = House(tmp_path / str(calls))
        anna = house.person_on("anna 0.jpg")
        dying = cast("Catalogue", DyingCatalogue(house.workshop.catalogue, [calls]))
        try:
            house.privacy(dying).forget_person(house.account_id, anna)
        except Killed:
            finished = False
        else:
            finished = True
        assert len(house.faces()) in {3, 6}
        house.privacy().clean_up()  # the next start
        assert house.pictures() == set(house.faces())
        if finished:
            assert calls > 3
            return
    raise AssertionError("never finished")


def test_a_disk_that_refuses_does_not_stop_forgetting_and_is_cleaned_later(house: House) -> None:
    def refuse(_faces: Iterable[FaceId], _assets: Iterable[AssetId]) -> None:
        raise PermissionError

    privacy = Privacy(house.workshop.catalogue, house.nudge, refuse, NoCopies(), lambda: "fake")
    with pytest.raises(PermissionError):
        privacy.forget_faces(house.account_id)
    assert house.faces() == []
    assert house.privacy().clean_up()
    assert house.pictures() == set()
    assert not house.privacy().clean_up()


def test_asking_lets_forgotten_faces_be_found_again(house: House) -> None:
    house.privacy().forget_everything(house.account_id)
    assert house.privacy().let_be_found(house.account_id) == 6
    assert house.nudge.told[-1] == "detection"
    house.workshop.work()
    assert len(house.workshop.people()) == 2
    assert house.privacy().let_be_found(house.account_id) == 0


def test_previews_of_photos_that_are_gone_are_removed_as_well(house: House) -> None:
    catalogue = house.workshop.catalogue
    (asset_id, *_) = [asset.id for asset in catalogue.assets.recent_with_faces(house.account_id, 0, 1)]
    house.thumbnails().preview(house.account_id, asset_id, 480)
    house.privacy().forget_faces(house.account_id)
    assert len(list(house.folder.glob("previews/*/*.webp"))) == 1
    catalogue.libraries.remove(house.workshop.library.id)
    house.privacy().forget_faces(house.account_id)
    assert list(house.folder.glob("previews/*/*.webp")) == []


def test_copies_of_the_catalogue_are_replaced_by_one_without_the_forgotten(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with open_kinfolk(load_settings(data), exclusive=False) as kinfolk:
        kinfolk.upkeep()
        kinfolk.upkeep()
        (data / "backups" / "mine.zip").write_bytes(b"the user's own")
        (data / "catalogue.db.before-restore-20240101T000000000000Z").write_bytes(b"former")
        before = {copy.name for copy in kinfolk.privacy.copies()}
        assert len(before) == 3
        assert kinfolk.privacy.renew_copies() == 3
        (left,) = kinfolk.privacy.copies()
    assert left.name not in before
    assert (data / "backups" / "mine.zip").exists()
    assert not list(data.glob("*before-restore*"))


def test_a_start_finishes_what_a_kill_cut_off(tmp_path: Path) -> None:
    data = tmp_path / "data"
    stray = data / "cache" / "faces" / "07" / "7.webp"
    with open_kinfolk(load_settings(data), exclusive=False) as kinfolk:
        kinfolk.catalogue.privacy.forget_faces(1)
        stray.parent.mkdir(parents=True)
        stray.write_bytes(b"a face")
    with open_kinfolk(load_settings(data), exclusive=True) as kinfolk:
        assert kinfolk.catalogue.privacy.leftovers() is None
    assert not stray.exists()


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).decode("ascii").splitlines()]


def exported(house: House, account_id: AccountId | None = None) -> zipfile.ZipFile:
    account = house.workshop.catalogue.accounts.get(account_id or house.account_id)
    assert account is not None
    export = AccountExport(house.workshop.catalogue, house.thumbnails().face_thumbnail)
    return zipfile.ZipFile(BytesIO(b"".join(export.stream(account))))


def test_the_export_holds_people_verdicts_history_faces_embeddings_and_thumbnails(house: House) -> None:
    catalogue, anna = house.workshop.catalogue, house.person_on("anna 0.jpg")
    with catalogue.events.record(house.account_id, "Named somebody Änna"):
        catalogue.people.rename(anna, house.account_id, "Änna")
    archive = exported(house)
    assert archive.testzip() is None
    assert {row["name"] for row in rows(archive, "people.ndjson")} == {"Änna", ""}
    assert [row["title"] for row in rows(archive, "history.ndjson")] == ["Named somebody Änna"]
    faces = rows(archive, "faces.ndjson")
    assert [row["id"] for row in faces] == house.faces()
    assert {row["drawn"] for row in faces} == {False}
    vector = np.frombuffer(base64.b64decode(faces[0]["embedding"]), "<f4")
    assert np.array_equal(vector, catalogue.faces.embedding(faces[0]["id"]))
    assert archive.read(f"thumbnails/{faces[0]['id']}.webp").startswith(b"RIFF")
    assert not [name for name in archive.namelist() if name.endswith((".jpg", ".db"))]


def test_the_export_of_somebody_else_holds_nothing_of_this_account(house: House) -> None:
    nora = house.workshop.catalogue.accounts.add("Nora", "secret hash", is_admin=False)
    archive = exported(house, nora.id)
    assert [name for name in archive.namelist() if name.startswith("thumbnails/")] == []
    assert rows(archive, "faces.ndjson") == rows(archive, "people.ndjson") == rows(archive, "libraries.ndjson") == []
    assert b"secret hash" not in b"".join(archive.read(name) for name in archive.namelist())


def test_a_thumbnail_that_cannot_be_made_is_left_out_of_the_export(house: House) -> None:
    def broken(_account_id: AccountId, face_id: FaceId) -> bytes:
        raise PictureBroken("It ends too early") if face_id % 2 else NotFound("gone")

    account = house.workshop.catalogue.accounts.all()[0]
    pieces = AccountExport(house.workshop.catalogue, broken).stream(account)
    archive = zipfile.ZipFile(BytesIO(b"".join(pieces)))
    assert len(rows(archive, "faces.ndjson")) == 6
    assert [name for name in archive.namelist() if name.startswith("thumbnails/")] == []
