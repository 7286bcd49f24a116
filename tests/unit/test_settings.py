"""One validated configuration: where values come from, and what is said when one is wrong."""

import os
from datetime import time
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from plugin.errors import SettingsError
from plugin.pausing import QuietHours, SensorLimit
from plugin.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("KINFOLK_")]:
        monkeypatch.delenv(name)


def configured(folder: Path, text: str) -> Settings:
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return load_settings(folder)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        configured(folder, text)
    assert caught.value.advice
    return str(caught.value)


def test_without_any_file_the_documented_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert (settings.web.host, settings.web.port, settings.web.prefix) == ("127.0.0.1", 8099, "")
    assert settings.libraries.rescan_minutes == 15
    assert settings.recognition.nightly_time == time(2, 0)
    assert settings.fixed_preferences() == {}


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text("web: {port: 1001, threads: 3, host: 0.0.0.0}")
    monkeypatch.setenv("KINFOLK_WEB__PORT", "1002")
    monkeypatch.setenv("KINFOLK_WEB__THREADS", "4")
    web = load_settings(tmp_path, overrides={"web": {"port": 1003}}).web
    assert (web.port, web.threads, web.host) == (1003, 4, "0.0.0.0")


def test_the_data_folder_comes_from_the_argument_then_the_environment_then_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert load_settings().data == tmp_path / "home/.local/share/kinfolk"
    monkeypatch.setenv("KINFOLK_DATA", str(tmp_path / "from-environment"))
    assert load_settings().data == tmp_path / "from-environment"
    assert load_settings(tmp_path / "named").data == tmp_path / "named"


def test_a_configuration_file_elsewhere_can_be_named_but_must_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "mine.yaml"
    with pytest.raises(SettingsError, match=r"no configuration file .*mine\.yaml"):
        load_settings(tmp_path, elsewhere)
    elsewhere.write_text("web: {port: 1234}")
    assert load_settings(tmp_path, elsewhere).web.port == 1234
    monkeypatch.setenv("KINFOLK_CONFIG", str(elsewhere))
    assert load_settings(tmp_path).web.port == 1234


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web:\n  port: 99999", "web.port is 99999 (config.yaml, line 2); allowed: a whole number from 1 to 65535"),
        ("web: {port: true}", "allowed: a whole number from 1 to 65535"),
        ("web: {prefix: kinfolk/}", "web.prefix is 'kinfolk/' (config.yaml, line 1), not a path like /kinfolk"),
        ("web: {trusted_proxies: [router]}", "web.trusted_proxies is 'router'"),
        ("web: {framed_by: [cloud.example.org]}", "web.framed_by is 'cloud.example.org'"),
        ("web: {framed_by: ['*']}", "web.framed_by is '*'"),
        ("web: {framed_by: ['https://a.example; script-src *']}", "web.framed_by is 'https://a.example; script-src *'"),
        ("web: {framed_by: ['https://a.example/path']}", "web.framed_by is 'https://a.example/path'"),
        ("mqtt: {port: 0}", "mqtt.port is 0 (config.yaml, line 1); allowed: a whole number from 1 to 65535"),
        ("mqtt: {topic: a/+/b}", "not a topic such as zigbee2mqtt/cellar"),
        ("mqtt: {topic: /a}", "not a topic such as zigbee2mqtt/cellar"),
        ('mqtt: {discovery_prefix: ""}', "allowed: a topic without + and #"),
        ("mqtt: {discovery_prefix: 'x#'}", "not a topic"),
        ("mqtt: {tls: maybe}", "allowed: true or false"),
        ("mqtt: {password: [secret]}", "mqtt.password is not shown here"),
        ("pause: {quiet_hours: 7-23}", 'allowed: "" or two different times of day such as "07:00-23:00"'),
        ("pause: {quiet_hours: '07:00-24:00'}", 'allowed: "" or two different times'),
        ("pause: {quiet_hours: '07:00-07:00'}", "it starts and ends at the same time"),
        ("pause: {load_above: 0}", "allowed: a number from 0.1 to 1000, or null: the load does not matter"),
        ("pause: {load_above: .nan}", "allowed: a number from 0.1 to 1000"),
        ("pause: {sensors: [{topic: a}]}", "neither below nor above is given"),
        ("pause: {sensors: [{topic: a, below: 9, above: 3}]}", "every value is below or above"),
        ("pause: {sensors: [{topic: 'a/#', below: 1}]}", "not a topic"),
        ("pause: {sensors: [{topic: a, below: .inf}]}", "allowed: a list of entries with topic"),
        ("pause: {sensors: [{below: 1}]}", "allowed: a list of entries with topic"),
        ("pause: {sensors: [{topic: a, below: 1, lower: 2}]}", "allowed: a list of entries with topic"),
        ("detection: {workers: 9}", "allowed: a whole number from 1 to 8"),
        ("detection: {workers: 1.5}", "detection.workers is 1.5"),
        ("detection: {minimum_score: .nan}", "allowed: a number from 0.1 to 1, or null"),
        ("detection: {minimum_score: 0}", "detection.minimum_score is 0 "),
        ("detection: {long_side: 1000, working_long_side: 900}", "smaller than detection.long_side"),
        ("recognition: {maximum_distance: 2}", "allowed: a number from 0.1 to 1.5, or null"),
        ("recognition: {minimum_faces: 0}", "allowed: a whole number from 1 to 100, or null"),
        ("recognition: {nightly_at: '24:00'}", "allowed: a time of day from 00:00 to 23:59"),
        ("libraries: {skip: no-list}", "allowed: a list of glob patterns"),
        ("libraries: {skip: ['']}", "allowed: a list of glob patterns"),
        ("libraries: {watch: perhaps}", "libraries.watch is 'perhaps' (config.yaml, line 1); allowed: true or false"),
        ("runtime: {providers: [CUDA]}", "allowed: a list of ONNX Runtime provider names"),
        ("runtime: {accelerator: cuda}", "allowed: auto, cpu, rocm or migraphx"),
        ("runtime: {accelerator: true}", "runtime.accelerator is True"),
        (
            "runtime: {accelerator: rocm, providers: [CUDAExecutionProvider]}",
            "but runtime.accelerator is not auto; allowed: a list of ONNX Runtime provider names",
        ),
        ("runtime: {unload_minutes: 0}", "allowed: a whole number from 1 to 1440, or null: models stay in memory"),
        ("runtime: {unload_minutes: 1441}", "runtime.unload_minutes is 1441"),
        ("runtime: {gfx_override: gfx1030}", "allowed: a version such as 10.3.0, or null"),
        ("runtime: {gfx_override: 10.3}", "runtime.gfx_override is 10.3"),
        ("detection: {priority: idle}", "detection.priority is 'idle' (config.yaml, line 1); allowed: low or normal"),
        ("detection: {cpu_percent: 4}", "allowed: a whole number from 5 to 100"),
        ("detection: {cpu_percent: 101}", "detection.cpu_percent is 101"),
        ("detection: {cpu_percent: 50%}", "detection.cpu_percent is '50%'"),
        ("libraries: {watched_rescan_hours: 0}", "allowed: a whole number from 1 to 168"),
        ("libraries: {watched_rescan_hours: 169}", "libraries.watched_rescan_hours is 169"),
        ("backup: {keep: 0}", "backup.keep is 0"),
        ("log_level: loud", "allowed: debug, info, warning or error"),
        ("web: 5", "web is 5 (config.yaml, line 1); allowed: a section with keys of its own"),
    ],
)
def test_a_wrong_value_is_named_with_key_place_and_range(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web: {prot: 1}", "web.prot (config.yaml, line 1) is not a setting; did you mean web.port"),
        ("\nminimum_faces: 2", "line 2) is not a setting; did you mean recognition.minimum_faces"),
        ("detecton: {pack: opencv}", "detecton (config.yaml, line 1) is not a setting; did you mean detection"),
        ("zzz: 1", "zzz (config.yaml, line 1) is not a setting"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


@pytest.mark.parametrize("key", ["data", "config"])
def test_the_data_folder_cannot_be_named_in_a_file_that_lies_in_it(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match=f"{key} cannot be set in") as caught:
        configured(tmp_path, f"{key}: /photos")
    assert f"--{key}" in caught.value.advice


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert len(refused(tmp_path, "web: {port: 0, threads: 0}\nlog_level: loud").splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"web: [", "is not valid YAML"),
        (b"- web", "must hold sections with keys"),
        (b"web:\n  port: 1\n  port: 2", "web.port is set twice in config.yaml, in lines 2 and 3"),
        (b"web: !!python/object/apply:os.system [true]", "is not valid YAML"),
        (b"\xff\xfe\xff", "cannot be read"),
    ],
)
def test_a_file_that_is_no_safe_configuration_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        load_settings(tmp_path)


@pytest.mark.parametrize("text", ["", "# nothing\n", "web:\n  # port: 1\n", "web: {}"])
def test_empty_files_and_sections_mean_the_defaults(tmp_path: Path, text: str) -> None:
    assert configured(tmp_path, text).web.port == 8099


def test_a_wrong_environment_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINFOLK_WEB__PORT", "many")
    with pytest.raises(SettingsError, match=r"web\.port is 'many' \(from the environment variable KINFOLK_WEB__PORT\)"):
        load_settings(tmp_path)


def test_an_unknown_environment_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINFOLK_WBE__PORT", "1")
    with pytest.raises(SettingsError, match="did you mean KINFOLK_WEB__PORT"):
        load_settings(tmp_path)


def test_variables_that_kubernetes_sets_for_a_service_called_kinfolk_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINFOLK_PORT", "tcp://10.0.0.1:8099")
    monkeypatch.setenv("KINFOLK_SERVICE_HOST", "10.0.0.1")
    assert load_settings(tmp_path).web.port == 8099


def test_lists_and_null_come_from_the_environment_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINFOLK_LIBRARIES__SKIP", '["*.tmp"]')
    monkeypatch.setenv("KINFOLK_DETECTION__PACK", "null")
    settings = load_settings(tmp_path)
    assert settings.libraries.skip == ("*.tmp",)
    assert settings.detection.pack is None
    monkeypatch.setenv("KINFOLK_LIBRARIES__SKIP", "*.tmp")
    with pytest.raises(SettingsError, match="lists are written as JSON"):
        load_settings(tmp_path)


def test_a_value_from_the_command_line_is_blamed_on_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="from the command line"):
        load_settings(tmp_path, overrides={"web": {"port": 0}})


@pytest.mark.parametrize(("written", "read"), [("23:30", "23:30"), ("'02:05'", "02:05"), ("00:00", "00:00")])
def test_a_time_of_day_may_stand_without_quotes(tmp_path: Path, written: str, read: str) -> None:
    """YAML 1.1 reads 23:30 as the number 1410."""
    assert configured(tmp_path, f"recognition: {{nightly_at: {written}}}").recognition.nightly_at == read


def test_only_what_is_set_explicitly_is_fixed_for_the_settings_page(tmp_path: Path) -> None:
    text = "detection: {pack: buffalo_s, minimum_score: 0.6}\nrecognition: {minimum_faces: 3, maximum_distance: null}"
    assert dict(configured(tmp_path, text).fixed_preferences()) == {
        "pack": "buffalo_s", "minimum_score": 0.6, "minimum_faces": 3,
    }  # fmt: skip


def test_settings_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    with pytest.raises(ValidationError):
        settings.web.port = 1
    with pytest.raises(ValidationError):
        settings.log_level = "debug"


def test_a_single_processor_gets_a_single_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert load_settings(tmp_path).detection.workers == 1
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert load_settings(tmp_path).detection.workers == 2


def test_sites_that_may_frame_kinfolk_are_taken_as_browsers_write_them(tmp_path: Path) -> None:
    settings = configured(tmp_path, "web: {framed_by: ['https://Cloud.Example.org/', 'http://10.0.0.2:8080']}")
    assert settings.web.framed_by == ("https://cloud.example.org", "http://10.0.0.2:8080")


def test_models_may_stay_in_memory_for_ever(tmp_path: Path) -> None:
    assert load_settings(tmp_path).runtime.unload_minutes == 10
    assert configured(tmp_path, "runtime: {unload_minutes: null}").runtime.unload_minutes is None


def test_networks_and_folders_are_taken_in_their_full_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    settings = configured(tmp_path, "web: {trusted_proxies: [10.1.2.3/8]}\nruntime: {model_folders: [~/models]}")
    assert settings.web.trusted_proxies == ("10.0.0.0/8",)
    assert settings.runtime.model_folders == (Path("/home/anna/models"),)


def test_the_example_file_is_itself_a_valid_configuration_that_fixes_nothing(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "config.example.yaml"
    assert configured(tmp_path, example.read_text()).fixed_preferences() == {}
    assert isinstance(yaml.safe_load(example.read_text()), dict)


def test_a_pause_and_a_broker_as_they_are_written(tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        """
        pause:
          quiet_hours: 22:30-06:00
          load_above: 2.5
          sensors: [{topic: zigbee2mqtt/ups, key: battery, below: 30}, {topic: cellar, above: 40.5}]
        mqtt: {host: broker, password: 12345, password_file: ~/secret}
        """,
    )
    rules = settings.pause.rules()
    assert (rules.quiet, rules.load_above) == (QuietHours(time(22, 30), time(6, 0)), 2.5)
    assert rules.sensors == (SensorLimit("zigbee2mqtt/ups", "battery", below=30), SensorLimit("cellar", above=40.5))
    assert settings.mqtt.password.get_secret_value() == "12345"
    assert settings.mqtt.password_file == Path.home() / "secret"
    assert "12345" not in repr(settings) + str(settings.model_dump(mode="json"))


def test_a_pause_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINFOLK_PAUSE__QUIET_HOURS", "07:00-23:00")
    monkeypatch.setenv("KINFOLK_PAUSE__SENSORS", '[{"topic": "cellar", "above": 40}]')
    monkeypatch.setenv("KINFOLK_MQTT__PASSWORD", "geheim")
    settings = load_settings(tmp_path)
    assert settings.pause.rules().sensors == (SensorLimit("cellar", above=40),)
    assert settings.mqtt.password.get_secret_value() == "geheim"
