"""What the running parts say of the models: what they run on, how fast, and what is wrong with the installation."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from plugin.assemble.kinfolk import Kinfolk, open_kinfolk
from plugin.assemble.serving import engine_status, working
from plugin.jobs import Jobs
from plugin.mqtt.broker import PahoConnection
from plugin.ports.smart_home import LinkState
from plugin.settings import load_settings
from plugin.vision.accelerator.keeper import COMPILING
from plugin.vision.devices import processor
from plugin.vision.runtime import CPU
from tests.fakes.mosquitto import PASSWORD, USER, eventually, running


@pytest.fixture
def kinfolk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kinfolk]:
    monkeypatch.setenv("KINFOLK_RUNTIME__UNLOAD_MINUTES", "3")
    monkeypatch.setenv("KINFOLK_DETECTION__LONG_SIDE", "960")
    monkeypatch.setenv("KINFOLK_DETECTION__PRIORITY", "normal")
    with open_kinfolk(load_settings(tmp_path / "data"), exclusive=True, stays=True) as opened:
        yield opened


def two_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin.vision.installation.runtime_distributions", lambda: ["onnxruntime", "onnxruntime-rocm"])


def test_two_runtimes_are_told_at_the_start_with_the_line_that_repairs_it(
    kinfolk: Kinfolk, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_runtimes(monkeypatch)
    kinfolk.check_runtime()
    (warning,) = engine_status(kinfolk).warnings
    assert "2 ONNX Runtimes are installed and disable each other: onnxruntime, onnxruntime-rocm" in warning
    assert "pip uninstall -y onnxruntime onnxruntime-rocm && pip install --no-deps" in warning


def test_check_finds_two_runtimes_and_no_repair_hides_them(kinfolk: Kinfolk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kinfolk.check(repair=False).healthy
    two_runtimes(monkeypatch)
    report = kinfolk.check(repair=True)
    assert not report.healthy
    assert any("disable each other" in finding for finding in report.findings)


def test_no_model_is_loaded_for_the_status_page(kinfolk: Kinfolk) -> None:
    status = engine_status(kinfolk)
    assert (status.provider, status.device, status.pace, status.accelerator) == (None, None, None, None)
    assert status.warnings == ()


def test_a_loaded_model_is_told_with_its_device_its_pace_and_what_is_being_compiled(
    kinfolk: Kinfolk, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: Any = SimpleNamespace(
        packs=kinfolk.models.packs, installed=lambda name: True, warnings=(),
        loaded=lambda name: SimpleNamespace(provider=CPU), accelerator=lambda name: SimpleNamespace(sentence=COMPILING),
    )  # fmt: skip
    monkeypatch.setitem(kinfolk.__dict__, "models", models)
    monkeypatch.setattr(kinfolk.pipeline.pace, "per_second", lambda: 4.5)
    status = engine_status(kinfolk)
    assert (status.provider, status.device, status.pace) == (CPU, processor(), 4.5)
    assert status.accelerator == COMPILING


def test_settings_reach_the_models(kinfolk: Kinfolk) -> None:
    choice = kinfolk.models._choice
    assert choice.unload_after == 180
    assert choice.long_sides == (960, 320)
    assert not choice.low_priority
    assert choice.compiled == kinfolk.folder.compiled


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    found = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {str(path): (stat.st_mtime_ns, stat.st_size) for path, stat in found.items()}


def swept(kinfolk: Kinfolk) -> None:
    """One of the sweeps that come every minute, to its end."""
    jobs = kinfolk.nudge
    assert isinstance(jobs, Jobs)
    jobs.sweep()
    queue, deadline, quiet = jobs._huey, time.monotonic() + 30, 0
    while quiet < 5:  # a task is in neither for a moment
        assert time.monotonic() < deadline, "the sweep never ended"
        time.sleep(0.01)
        quiet = 0 if queue.pending_count() or queue._tasks_in_flight else quiet + 1


def test_minutes_without_work_write_nothing_to_the_data_folder(kinfolk: Kinfolk, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    kinfolk.add_folder(kinfolk.catalogue.accounts.all()[0].id, str(tmp_path / "album"))
    with working(kinfolk):
        swept(kinfolk)
        (library,) = kinfolk.catalogue.libraries.all()
        assert library.last_sync_at is not None
        swept(kinfolk)
        before = files_of(kinfolk.folder.path)
        for _ in range(3):
            swept(kinfolk)
        assert files_of(kinfolk.folder.path) == before


@pytest.mark.parametrize("supervisor", ["172.30.32.2", ""], ids=["the add-on", "others"])
def test_the_add_on_alone_keeps_a_fresh_copy_for_backups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, supervisor: str
) -> None:
    monkeypatch.setattr("plugin.assemble.snapshot.FIRST_AFTER_SECONDS", 0.0)
    settings = load_settings(tmp_path / "data", overrides={"ingress": {"supervisor": supervisor}})
    with open_kinfolk(settings, exclusive=True, stays=True) as kinfolk, working(kinfolk):
        swept(kinfolk)
        assert kinfolk.folder.snapshot.exists() == bool(supervisor)
        swept(kinfolk)
        before = files_of(kinfolk.folder.path)
        swept(kinfolk)
        assert files_of(kinfolk.folder.path) == before


def test_a_broker_that_is_connected_and_a_sensor_that_chats_write_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin.mqtt.link.LOOK_SECONDS", 0.02)
    for folder in ("album", "broker"):
        (tmp_path / folder).mkdir()
    with running(tmp_path / "broker") as broker:
        sensor = PahoConnection(broker.login, "sensor", None, lambda _: None)
        for name, value in {"HOST": "127.0.0.1", "PORT": broker.port, "USER": USER, "PASSWORD": PASSWORD}.items():
            monkeypatch.setenv(f"KINFOLK_MQTT__{name}", str(value))
        monkeypatch.setenv("KINFOLK_PAUSE__SENSORS", '[{"topic": "cellar", "above": 40}]')
        settings = load_settings(tmp_path / "data")
        with open_kinfolk(settings, exclusive=True, stays=True) as kinfolk, working_with_broker(kinfolk, sensor):
            (account,) = kinfolk.catalogue.accounts.all()
            kinfolk.add_folder(account.id, str(tmp_path / "album"))
            swept(kinfolk)
            swept(kinfolk)
            looks, told = list[int](), kinfolk.smart_home.told
            monkeypatch.setattr(kinfolk.smart_home, "told", lambda: (looks.append(1), told())[1])  # type: ignore[func-returns-value]
            before = files_of(kinfolk.folder.path)
            for value in range(30):
                sensor.publish("cellar", b"%d" % (20 + value % 5), keep=True)
                swept(kinfolk)
            eventually(lambda: len(looks) >= 20)
            eventually(lambda: readings(kinfolk) == [24])  # shown, and not written down
            assert files_of(kinfolk.folder.path) == before
            sensor.publish("cellar", b"41", keep=True)
            eventually(kinfolk.pausing.holds)
        sensor.close()


@contextmanager
def working_with_broker(kinfolk: Kinfolk, sensor: PahoConnection) -> Iterator[None]:
    """Until everything is told and the sensor was heard once."""
    kinfolk.smart_home.allow(kinfolk.catalogue.accounts.all()[0].id)
    sensor.publish("cellar", b"20", keep=True)
    link = kinfolk.home_link
    assert link is not None
    with working(kinfolk):
        eventually(lambda: link.status.state is LinkState.CONNECTED and readings(kinfolk) == [20])
        yield


def readings(kinfolk: Kinfolk) -> list[float | None]:
    return [reading.value for reading in kinfolk.pausing.readings()]


def test_the_queue_of_earlier_versions_is_removed(kinfolk: Kinfolk) -> None:
    for name in ("queue.db", "queue.db-wal", "queue.key"):
        (kinfolk.folder.path / name).touch()
    with working(kinfolk):
        pass
    assert not list(kinfolk.folder.path.glob("queue*"))
