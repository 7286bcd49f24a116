"""Names on real files and on a served Nextcloud: written, followed, taken back, and nothing else changed."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from plugin.catalogue.store import open_in_memory
from plugin.domain import AssetKind, AssignedBy, Box, FaceId, FoundFace, HostAsset
from plugin.hosts.folder.host import FolderHost
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.intake import Intake
from plugin.media import StandardMedia
from plugin.people import People
from plugin.ports.host import Host
from plugin.ports.written import NameKind
from plugin.sidecars import read_sidecar
from plugin.writeback import WriteBack
from tests.fakes.album import NudgeLog
from tests.fakes.nextcloud import FakeNextcloud

UPRIGHT = Box(0.1, 0.2, 0.2, 0.4)
PATHS = ("2024/anna.jpg", "2024/anna und ben.jpg")


def sideways_photo() -> bytes:
    """40 by 30 pixels as stored, 30 by 40 upright: a telephone held upright."""
    stream, exif = BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


class Written:
    """A library on a host with Anna on both photos."""

    def __init__(self, host: Host) -> None:
        self.host, self.catalogue = host, open_in_memory()
        self.account = self.catalogue.accounts.all()[0]
        self.library = self.catalogue.libraries.add(self.account.id, "host", "Photos", "somewhere")
        rows, listed = self.catalogue.assets, list(host.listing(lambda _key, _change: None))
        assets = [asset for asset in listed if isinstance(asset, HostAsset)]
        rows.seen(self.library.id, assets, self.catalogue.libraries.sync_started(self.library.id))
        self.anna = self.catalogue.people.add(self.account.id, "Anna")
        self.faces: dict[str, FaceId] = {}
        for asset in self.catalogue.detection.claim("test", 10, 60):
            assert asset.kind is AssetKind.PHOTO
            (face_id,) = self.catalogue.detection.finish(asset, "opencv", [found_face()], (30, 40), None)
            self.catalogue.faces.assign([(face_id, self.anna)], AssignedBy.USER)
            self.faces[asset.path] = face_id
        self.step = WriteBack(
            self.catalogue,
            lambda _library: host,
            StandardMedia().orientation,
            lambda: None,
            people=People(self.catalogue, NudgeLog()),
        )

    def run(self, kind: NameKind) -> None:
        done = self.step.run(self.library.id, kind)
        assert done.troubles == 0, self.catalogue.written.counts(self.library.id, kind).problems


def found_face() -> FoundFace:
    return FoundFace(
        box=UPRIGHT,
        landmarks=np.zeros((5, 2), dtype=np.float32),
        score=0.9,
        quality=0.5,
        embedding=np.array([1, 0], dtype=np.float32),
        norm=10.0,
        sharpness=100.0,
        pose=0.9,
        width_px=100.0,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in PATHS:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(sideways_photo())
    return tmp_path


@pytest.fixture
def server() -> Iterator[FakeNextcloud]:
    with FakeNextcloud() as running:
        running.cloud.add_user("anna", is_admin=True)
        running.version = 31
        for path in PATHS:
            running.cloud.put("anna", path, sideways_photo(), parents=True)
        yield running


@pytest.fixture
def cloud(server: FakeNextcloud) -> Iterator[NextcloudHost]:
    login = Login(server.address, "anna", server.cloud.app_password("anna"))
    client = NextcloudClient(login, sleep=lambda _seconds: None)
    host = NextcloudHost(Place(server.address, "anna"), client, NextcloudOptions())
    yield host
    host.close()


def check_region(content: bytes, name: str) -> None:
    (region,) = read_sidecar(content).regions
    assert region.name == name
    assert region.box is not None
    assert (region.box.x, region.box.y) == pytest.approx((0.2, 0.7), abs=1e-4)
    assert (region.box.w, region.box.h) == pytest.approx((0.4, 0.2), abs=1e-4)
    assert read_sidecar(content).size == (40, 30)


def test_sidecars_lie_beside_photos_in_a_folder_follow_and_go(folder: Path) -> None:
    before = {file: file.read_bytes() for file in folder.rglob("*.*")}
    host = FolderHost(str(folder), FolderOptions())
    written = Written(host)
    assert written.step.kinds(written.library) == (NameKind.SIDECARS,)
    written.step.start(written.library, NameKind.SIDECARS)
    written.run(NameKind.SIDECARS)
    for path in PATHS:
        check_region((folder / f"{path}.xmp").read_bytes(), "Anna")
    assert len(list(host.listing(lambda _key, _change: None))) == 2, "sidecars are no photos"
    written.catalogue.people.rename(written.anna, written.account.id, "Anna Maria")
    written.run(NameKind.SIDECARS)
    check_region((folder / f"{PATHS[1]}.xmp").read_bytes(), "Anna Maria")
    written.step.remove(written.library, NameKind.SIDECARS)
    written.run(NameKind.SIDECARS)
    assert {file: file.read_bytes() for file in folder.rglob("*.*")} == before


def test_a_folder_that_may_not_be_written_to_is_counted_photo_by_photo(folder: Path) -> None:
    written = Written(FolderHost(str(folder), FolderOptions()))
    (folder / f"{PATHS[0]}.xmp").mkdir()  # root may write everywhere, but not over a folder
    written.step.start(written.library, NameKind.SIDECARS)
    done = written.step.run(written.library.id, NameKind.SIDECARS)
    assert (done.photos, done.troubles) == (1, 1)
    check_region((folder / f"{PATHS[1]}.xmp").read_bytes(), "Anna")


@pytest.mark.parametrize("kind", [NameKind.TAGS, NameKind.SIDECARS])
def test_names_reach_a_nextcloud_follow_and_go(server: FakeNextcloud, cloud: NextcloudHost, kind: NameKind) -> None:
    def names() -> set[str]:
        if kind is NameKind.TAGS:
            return {server.cloud.tags[tag].name for _, tag in server.cloud.assigned}
        contents = [server.cloud.find("anna", f"{path}.xmp").data for path in PATHS]
        return {region.name for content in contents for region in read_sidecar(content).regions}

    written = Written(cloud)
    assert set(written.step.kinds(written.library)) == {NameKind.TAGS, NameKind.SIDECARS}
    written.step.start(written.library, kind)
    written.run(kind)
    assert names() == {"Person: Anna" if kind is NameKind.TAGS else "Anna"}
    if kind is NameKind.SIDECARS:
        check_region(server.cloud.find("anna", f"{PATHS[0]}.xmp").data, "Anna")
    written.catalogue.people.rename(written.anna, written.account.id, "Anna Maria")
    written.run(kind)
    assert names() == {"Person: Anna Maria" if kind is NameKind.TAGS else "Anna Maria"}
    asked = len(server.seen)
    written.run(kind)
    assert len(server.seen) == asked, "nothing to do asks nothing"
    written.step.remove(written.library, kind)
    written.run(kind)
    assert server.cloud.assigned == set()
    assert server.cloud.tags == {}
    assert len(list(cloud.listing(lambda _key, _change: None))) == 2
    folder = server.cloud.children("anna", server.cloud.find("anna", "2024"))
    assert sorted(folder) == sorted(path.removeprefix("2024/") for path in PATHS)


@pytest.mark.parametrize("kind", [NameKind.TAGS, NameKind.SIDECARS])
def test_names_on_a_photo_in_the_trash_of_a_nextcloud_go_when_it_is_restored(
    server: FakeNextcloud, cloud: NextcloudHost, kind: NameKind
) -> None:
    written = Written(cloud)
    sync = Intake(written.catalogue)

    def compare() -> None:
        sync.sync(written.catalogue.libraries.get(written.library.id), cloud)

    compare()
    written.step.start(written.library, kind)
    written.run(kind)
    server.cloud.delete("anna", PATHS[0])
    compare()
    written.step.remove(written.library, kind)
    written.run(kind)
    compare()
    written.run(kind)
    assert written.catalogue.written.setting(written.library.id, kind) is not None, "one photo is in the trash"
    server.cloud.restore("anna", PATHS[0].removeprefix("2024/"))
    compare()
    assert written.step.due() == [(written.library.id, kind)]
    written.run(kind)
    assert written.catalogue.written.settings() == []
    assert server.cloud.assigned == set()
    folder = server.cloud.children("anna", server.cloud.find("anna", "2024"))
    assert sorted(folder) == sorted(path.removeprefix("2024/") for path in PATHS)


@pytest.mark.parametrize("kind", [NameKind.TAGS, NameKind.SIDECARS])
def test_two_kinfolks_at_one_nextcloud_leave_each_others_names_alone(
    server: FakeNextcloud, cloud: NextcloudHost, kind: NameKind
) -> None:
    def names(path: str) -> set[str]:
        file = server.cloud.find("anna", path)
        if kind is NameKind.TAGS:
            return {server.cloud.tags[tag].name for node, tag in server.cloud.assigned if node == file.id}
        beside = server.cloud.children("anna", server.cloud.find("anna", "2024"))
        if f"{path}.xmp".removeprefix("2024/") not in beside:
            return set()
        return {region.name for region in read_sidecar(server.cloud.find("anna", f"{path}.xmp").data).regions}

    said = "Person: %s" if kind is NameKind.TAGS else "%s"
    ours, theirs = Written(cloud), Written(cloud)
    theirs.catalogue.people.rename(theirs.anna, theirs.account.id, "Oma")
    ours.catalogue.faces.assign([(ours.faces[PATHS[1]], None)], AssignedBy.USER)
    for one in (ours, theirs):
        one.step.start(one.library, kind)
        one.run(kind)
    # A region says who one face is, and whoever said it first is right; of labels a photo carries many.
    both = {said % "Anna"} if kind is NameKind.SIDECARS else {said % "Anna", said % "Oma"}
    assert [names(path) for path in PATHS] == [both, {said % "Oma"}]
    ours.catalogue.people.rename(ours.anna, ours.account.id, "Anna Maria")
    ours.run(kind)
    theirs.step.remove(theirs.library, kind)
    theirs.run(kind)
    assert [names(path) for path in PATHS] == [{said % "Anna Maria"}, set()]
    ours.step.remove(ours.library, kind)
    ours.run(kind)
    assert [names(path) for path in PATHS] == [set(), set()]
    assert server.cloud.tags == {}


def test_a_nextcloud_under_maintenance_is_left_in_peace(server: FakeNextcloud, cloud: NextcloudHost) -> None:
    written = Written(cloud)
    written.step.start(written.library, NameKind.TAGS)
    server.maintenance = True
    asked = len(server.seen)
    done = written.step.run(written.library.id, NameKind.TAGS)
    assert (done.photos, done.more) == (0, False)
    assert len(server.seen) - asked == 1
    setting = written.catalogue.written.setting(written.library.id, NameKind.TAGS)
    assert setting is not None
    assert "maintenance" in setting.error
    assert written.step.due() == []
