"""The parts as they are really put together, told through a real broker; and Home Assistant's folders as libraries."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from plugin.assemble import Kinfolk, open_kinfolk
from plugin.assemble.serving import working
from plugin.cli.app import app
from plugin.domain import Box, FoundFace
from plugin.errors import BrokerRefused
from plugin.hosts.folder.host import FolderHost
from plugin.hosts.registry import host_kinds
from plugin.mqtt.broker import BrokerLogin
from plugin.ports.smart_home import LinkState
from plugin.settings import Settings, load_settings
from tests.fakes.mosquitto import PASSWORD, USER, Mosquitto, eventually, kept_at, running


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with running(tmp_path_factory.mktemp("mosquitto")) as mosquitto:
        yield mosquitto


def ours(mosquitto: Mosquitto) -> dict[str, bytes]:
    return {topic: payload for topic, payload in kept_at(mosquitto).items() if not topic.startswith("$")}


def put_photo(folder: Path, name: str, day: int) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = f"2026:05:{day:02} 10:30:00"
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (3000, 2000), (200, 120, 60 + day)).save(folder / name, "JPEG", exif=exif)


def one_face() -> FoundFace:
    vector = np.zeros(128, np.float32)
    vector[0] = 1
    return FoundFace(
        box=Box(0.2, 0.2, 0.2, 0.2), landmarks=np.full((5, 2), 0.3, np.float32), score=0.9, quality=0.9,
        embedding=vector, norm=10, sharpness=100, pose=1, width_px=300,
    )  # fmt: skip


class House:
    """A Kinfolk with the folder `/media` of Home Assistant, and Anna on every photo there."""

    def __init__(self, kinfolk: Kinfolk, media: Path) -> None:
        self.kinfolk, self.media = kinfolk, media
        self.owner = kinfolk.catalogue.accounts.all()[0].id
        media.mkdir()
        self.library = kinfolk.add_folder(self.owner, str(media))
        self.anna = 0

    def photo(self, name: str, day: int) -> None:
        """A new photo comes, is looked at, and Anna is on it."""
        put_photo(self.media, name, day)
        self.kinfolk.pipeline.sync(self.library.id)
        catalogue = self.kinfolk.catalogue
        (asset,) = catalogue.detection.claim("test", 10, 60)
        taken = datetime(2026, 5, day, 10, 30)  # noqa: DTZ001  a camera's wall clock
        (face,) = catalogue.detection.finish(asset, "opencv", [one_face()], (3000, 2000), taken)
        people = self.kinfolk.people
        if self.anna:
            people.assign(self.owner, face, self.anna)
        else:
            self.anna = people.assign_new(self.owner, face, "Anna / <b>#+</b>")
            people.set_favourite(self.owner, self.anna, favourite=True)

    @property
    def state(self) -> str:
        return f"kinfolk/{self.kinfolk.catalogue.written.installation()}/person/{self.anna}"


def settings(tmp_path: Path, mosquitto: Mosquitto, **mqtt: object) -> Settings:
    broker = {"host": "127.0.0.1", "port": mosquitto.port, "user": USER, "password": PASSWORD}
    return load_settings(tmp_path / "data", overrides={"mqtt": broker | mqtt})


def test_from_a_new_photo_to_home_assistant_and_away_again(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with open_kinfolk(settings(tmp_path, mosquitto), exclusive=True, stays=True) as kinfolk:
        house, link = House(kinfolk, tmp_path / "media"), kinfolk.home_link
        assert link is not None
        house.photo("first.jpg", 1)
        link.start()
        try:
            assert ours(mosquitto) == {}
            kinfolk.smart_home.allow(house.owner)
            kinfolk.smart_home.choose(house.owner, house.anna, with_picture=True)
            link.wake()
            eventually(lambda: f"{house.state}/picture" in ours(mosquitto))
            picture = Image.open(BytesIO(ours(mosquitto)[f"{house.state}/picture"]))
            assert (picture.format, picture.size) == ("JPEG", (1024, 683))
            assert not picture.getexif()
            assert not any("Anna" in topic or "<b>" in topic for topic in ours(mosquitto))

            house.photo("second.jpg", 2)
            link.wake()
            eventually(lambda: json.loads(ours(mosquitto)[f"{house.state}/state"])["photos"] == 2)
            assert json.loads(ours(mosquitto)[f"{house.state}/state"])["last_seen"].startswith("2026-05-02T10:30:00")
            choice = kinfolk.smart_home.choice(house.owner, house.anna)
            assert choice
            eventually(lambda: kinfolk.smart_home.choice(house.owner, house.anna) != choice)

            kinfolk.people.set_favourite(house.owner, house.anna, favourite=False)
            link.wake()
            eventually(lambda: not any("/person/" in topic or "_person_" in topic for topic in ours(mosquitto)))
            kinfolk.smart_home.forbid(house.owner)
            link.wake()
            eventually(lambda: ours(mosquitto) == {})
        finally:
            link.stop()


def test_a_broker_that_is_away_at_the_start_stops_neither_start_nor_work(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = settings(tmp_path, mosquitto, host="nowhere.invalid")
    with open_kinfolk(away, exclusive=True, stays=True) as kinfolk:
        house = House(kinfolk, tmp_path / "media")
        kinfolk.smart_home.allow(house.owner)
        monkeypatch.setattr(kinfolk.pipeline, "model", lambda preferences: None)  # none has to be fetched for this
        with working(kinfolk):
            put_photo(tmp_path / "media", "new.jpg", 3)
            kinfolk.nudge.sync(house.library.id)
            eventually(lambda: kinfolk.catalogue.assets.counts(house.owner)[0] == 1)
            link = kinfolk.home_link
            assert link
            eventually(lambda: link.status.state is LinkState.AWAY)
            assert "nowhere.invalid" in link.status.trouble


def test_the_command_before_a_removal_empties_every_topic(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_kinfolk(settings(tmp_path, mosquitto), exclusive=True, stays=True) as kinfolk:
        kinfolk.smart_home.allow(kinfolk.catalogue.accounts.all()[0].id)
        link = kinfolk.home_link
        assert link
        link.start()
        eventually(lambda: len(ours(mosquitto)) > 3)
        link.stop()
    for name, value in {"HOST": "127.0.0.1", "PORT": str(mosquitto.port), "USER": USER, "PASSWORD": "wrong"}.items():
        monkeypatch.setenv(f"KINFOLK_MQTT__{name}", value)
    command = ["--data", str(tmp_path / "data"), "home", "clear"]
    refused = CliRunner().invoke(app, command)
    assert (refused.exit_code, len(ours(mosquitto)) > 3) == (1, True)
    assert "refused user and password" in refused.stderr
    monkeypatch.setenv("KINFOLK_MQTT__PASSWORD", PASSWORD)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert ours(mosquitto) == {}
    assert "0 topics" in CliRunner().invoke(app, command).stdout
    monkeypatch.setenv("KINFOLK_MQTT__PASSWORD", "wrong")
    unasked = CliRunner().invoke(app, command)
    assert unasked.exit_code == 0, "nothing was ever told, so nothing has to be taken back"
    assert "the broker could not be asked" in " ".join(unasked.stdout.split())


@pytest.mark.parametrize("folder", ["media", "share"])
def test_the_folders_of_home_assistant_are_libraries_and_are_only_read(tmp_path: Path, folder: str) -> None:
    """As in the container: a root that may not be written, with network storage mounted below, perhaps away."""
    mounted, root = tmp_path / "elsewhere", tmp_path / folder
    put_photo(mounted, "nas.jpg", 1)
    put_photo(root / "Camera Uploads", "phone.jpg", 2)
    (root / "nas").symlink_to(mounted)
    (root / "away").symlink_to(tmp_path / "not mounted")
    before = sorted(path.stat().st_mtime_ns for path in root.rglob("*") if path.exists())
    root.chmod(0o555)
    try:
        with open_kinfolk(load_settings(tmp_path / "data"), exclusive=True) as kinfolk:
            owner = kinfolk.catalogue.accounts.all()[0].id
            library = kinfolk.add_folder(owner, f"{root}/")
            kinfolk.pipeline.sync(library.id)
            host = kinfolk.host_of(library)
            assert isinstance(host, FolderHost)
            paths = {asset.path for asset in kinfolk.catalogue.detection.claim("test", 10, 60)}
        assert {"Camera Uploads/phone.jpg"} <= paths
        assert before == sorted(path.stat().st_mtime_ns for path in root.rglob("*") if path.exists())
    finally:
        root.chmod(0o755)


@pytest.mark.parametrize("path", ["/media", "/media/", "/share/photos", "/media/My Photos/2026"])
def test_paths_of_the_container_are_addresses_of_libraries(path: str) -> None:
    assert host_kinds()["folder"].address(path) == path.rstrip("/")


def test_as_an_add_on_home_assistant_names_the_broker_and_may_change_the_password(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, changed = list[str](), replace(mosquitto.login, password="old")
    answers: list[BrokerLogin | BrokerRefused] = [BrokerRefused("no"), changed, mosquitto.login]

    def supervisor(token: str) -> BrokerLogin:
        asked.append(token)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BrokerRefused):
            raise answer
        return answer

    monkeypatch.setenv("SUPERVISOR_TOKEN", "token")
    monkeypatch.setattr("plugin.assemble.smart_home.broker_of_home_assistant", supervisor)
    monkeypatch.setattr("plugin.mqtt.link.FIRST_WAIT", 0.05)
    with open_kinfolk(load_settings(tmp_path / "data"), exclusive=True, stays=True) as kinfolk:
        link = kinfolk.home_link
        assert link
        link.start()
        try:
            assert asked == []
            kinfolk.smart_home.allow(kinfolk.catalogue.accounts.all()[0].id)
            link.wake()
            eventually(lambda: link.status.state is LinkState.CONNECTED)
            assert asked == ["token"] * 3
            assert (link.status.failures, link.status.trouble) == (2, "")
            kinfolk.smart_home.forbid_all()
            link.wake()
            eventually(lambda: ours(mosquitto) == {})
        finally:
            link.stop()
