"""The options of the add-on: what the Supervisor writes becomes settings, and what is wrong is named as it is there."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from plugin.errors import SettingsError
from plugin.settings import Settings, load_settings
from plugin.settings.addon_options import FIXED, OPTIONS_FILE, SUPERVISOR, option_keys, option_name
from plugin.settings.explaining import allowed_values

ROOT = Path(__file__).parents[2]
MANIFEST_FOR_AMD = "".join(
    (ROOT / part).read_text(encoding="utf-8") for part in ("addon.yaml", "deploy/addon-rocm.yaml")
)
"""It has every option there is (scripts/local-addon.sh)."""
SCHEMA: dict[str, Any] = yaml.safe_load(MANIFEST_FOR_AMD)["schema"]
OPTIONS = option_keys(allowed_values())

FITTING: dict[str, list[Any]] = {
    "bool": [True, False],
    "str": ["something"],
    "match(^([01]\\d|2[0-3]):[0-5]\\d$)": ["23:30"],
    "match(^\\w+ExecutionProvider$)": ["CPUExecutionProvider"],
    "match(^\\d{1,2}\\.\\d{1,2}\\.\\d{1,2}$)": ["10.3.0"],
    "match(^$|^([01]\\d|2[0-3]):[0-5]\\d-([01]\\d|2[0-3]):[0-5]\\d$)": ["07:00-23:00"],
    "password": ["hush", "0000"],
    "fields": [{"topic": "cellar/battery", "key": "percent", "below": 20, "above": None}],
}
UNFITTING: dict[str, list[Any]] = {
    "bool": ["perhaps", 7, []],
    "list": ["zzz", 5, [], True],
    "str": [5, ["a"], True],
    "password": [["a"], {}],
    "match": ["zzz", -5, [], "24:00"],
    "int": ["many", 1.5, True, [], "1; rm -rf /"],
    "float": ["many", True, [], "nan"],
}


@pytest.fixture(autouse=True)
def _inside_home_assistant(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("KINFOLK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SUPERVISOR_TOKEN", "a" * 64)


def chosen(folder: Path, options: object) -> Settings:
    (folder / OPTIONS_FILE).write_text(json.dumps(options), encoding="utf-8")
    return load_settings(folder)


def refused(folder: Path, options: object) -> str:
    with pytest.raises(SettingsError) as caught:
        chosen(folder, options)
    assert "Configuration tab of the add-on" in caught.value.advice
    return str(caught.value)


def element(option: str) -> tuple[str, bool]:
    """The element of the schema without its question mark, and whether it is of a list."""
    found = SCHEMA[option]
    listed = isinstance(found, list)
    one = found[0] if listed else found
    return "fields" if isinstance(one, dict) else one.removesuffix("?"), listed


def bounds(option: str) -> tuple[str, float, float]:
    kind, _, rest = element(option)[0].partition("(")
    low, high = rest.removesuffix(")").split(",")
    return kind, float(low), float(high)


def unfitting(option: str) -> Iterator[Any]:
    """Values the option must not take."""
    wanted, listed = element(option)
    kind = wanted.partition("(")[0]
    if kind in {"int", "float"}:
        _, low, high = bounds(option)
        step = 1 if kind == "int" else 0.05
        yield from (type(step)(low - step), type(step)(high + step), -(10**30), 10**30)
    if listed:
        yield from ("no list", 5, {"a": 1}, [5], [None], [[]], [""])
    else:
        yield from UNFITTING[kind]


def fitting(option: str) -> Iterator[Any]:
    """Values at the edges of what the option takes."""
    wanted, listed = element(option)
    kind, _, rest = wanted.partition("(")
    if kind in {"int", "float"}:
        _, low, high = bounds(option)
        yield from [int(low), int(high)] if kind == "int" else [low, high]
    elif kind == "list":
        yield from rest.removesuffix(")").split("|")
    else:
        values = FITTING[wanted]
        yield from ([values, []] if listed else values)


def as_chosen(found: Any) -> Any:
    """A setting as the Supervisor writes it."""
    if isinstance(found, tuple):
        return [as_chosen(one) for one in found]
    if isinstance(found, BaseModel):
        return found.model_dump()
    if isinstance(found, SecretStr):
        return found.get_secret_value()
    return str(found) if isinstance(found, Path) else found


def value_of(settings: Settings, key: str) -> Any:
    found: Any = settings
    for part in key.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_reaches_its_setting_at_the_edges_of_its_range(tmp_path: Path, option: str) -> None:
    for value in fitting(option):
        # The one pair of settings that limit each other.
        others = {"detection_working_long_side": 8192} if option == "detection_long_side" else {}
        others |= {"detection_long_side": 320} if option == "detection_working_long_side" else {}
        found = value_of(chosen(tmp_path, others | {option: value}), OPTIONS[option])
        assert as_chosen(found) == value


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_out_of_its_range_is_refused_by_name_with_what_is_allowed(tmp_path: Path, option: str) -> None:
    for value in unfitting(option):
        said = refused(tmp_path, {option: value})
        assert f"(the option {option} of the add-on)" in said, value
        assert f"allowed: {allowed_values()[OPTIONS[option]]}" in said, value


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_left_empty_is_decided_by_kinfolk(tmp_path: Path, option: str) -> None:
    without = value_of(chosen(tmp_path, {}), OPTIONS[option])
    for value in ("", None):
        assert value_of(chosen(tmp_path, {option: value}), OPTIONS[option]) == without


def test_what_the_add_on_decides_stands_whatever_a_file_says(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("web: {host: 127.0.0.1, port: 1, trusted_proxies: [0.0.0.0/0]}")
    settings = chosen(tmp_path, {})
    for key, value in FIXED.items():
        assert value_of(settings, key) == value
    assert settings.ingress.supervisor == SUPERVISOR


@pytest.mark.parametrize("key", FIXED)
def test_what_the_add_on_decides_is_no_option(tmp_path: Path, key: str) -> None:
    assert f"{option_name(key)} is not an option of the add-on" in refused(tmp_path, {option_name(key): 1})


def test_options_come_before_the_file_and_after_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text("backup: {keep: 5}\nlog_level: debug\nweb: {threads: 3}")
    monkeypatch.setenv("KINFOLK_LOG_LEVEL", "error")
    settings = chosen(tmp_path, {"backup_keep": 7, "log_level": "warning"})
    assert (settings.backup.keep, settings.log_level, settings.web.threads) == (7, "error", 3)


def test_all_wrong_options_are_told_at_once(tmp_path: Path) -> None:
    said = refused(tmp_path, {"backup_keep": 0, "log_level": "loud", "web_threads": 65})
    assert len(said.splitlines()) == 3


def test_an_unknown_option_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    assert "did you mean backup_keep" in refused(tmp_path, {"backup_kep": 1})


@pytest.mark.parametrize("content", [b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_holds_no_options_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / OPTIONS_FILE).write_bytes(content)
    with pytest.raises(SettingsError, match="options of the add-on"):
        load_settings(tmp_path)


def test_without_a_file_of_options_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path).backup.keep == 3


def test_outside_home_assistant_nobody_reads_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUPERVISOR_TOKEN")
    settings = chosen(tmp_path, {"backup_keep": 0, "nonsense": 1})
    assert (settings.backup.keep, settings.ingress.supervisor, settings.web.host) == (3, "", "127.0.0.1")
