"""Which AMD cards there are, what is in their way, and which package fits the machine."""

import os
import tomllib
from pathlib import Path

import pytest

from plugin.vision.accelerator.amd import cards, known_trouble, override_for, why_not
from plugin.vision.devices import device_of, processor
from plugin.vision.installation import MIGRAPHX, PACKAGES, ROCM, Machine, why_not_installed
from plugin.vision.runtime import CPU

DEBIAN = Machine("Linux", "x86_64", (2, 36), (3, 11))


def node(folder: Path, number: int, version: int) -> None:
    (folder / str(number)).mkdir()
    (folder / str(number) / "properties").write_text(f"cpu_cores_count 8\ngfx_target_version {version}\nvendor_id 1\n")


def test_cards_are_named_by_their_architecture_and_processors_are_none(tmp_path: Path) -> None:
    for number, version in enumerate([0, 100300, 90010, 110002, 120001]):
        node(tmp_path, number, version)
    assert cards(tmp_path) == ["gfx1030", "gfx90a", "gfx1102", "gfx1201"]


def test_nodes_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    node(tmp_path, 0, 100300)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "properties").write_text("gfx_target_version\n\n")
    (tmp_path / "2").mkdir()
    assert cards(tmp_path) == ["gfx1030"]
    assert cards(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("card", "environment", "override"),
    [
        ("gfx1030", {}, ""),
        ("gfx1032", {}, "10.3.0"),
        ("gfx1102", {}, "11.0.0"),
        ("gfx1032", {"HSA_OVERRIDE_GFX_VERSION": "10.3.0"}, ""),
        ("gfx900", {}, ""),
    ],
)
def test_the_override_is_named_where_one_is_known(card: str, environment: dict[str, str], override: str) -> None:
    assert override_for([card], environment) == override
    assert override_for([], environment) == ""


def test_a_missing_device_is_told_before_anything_is_started(tmp_path: Path) -> None:
    missing = why_not(ROCM, tmp_path / "kfd")
    assert missing is not None
    assert "found no card" in str(missing)
    assert "/dev/kfd" in missing.advice


def test_a_device_this_user_may_not_use_is_told_with_the_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kfd").touch()
    assert why_not(MIGRAPHX, tmp_path / "kfd") is None
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, who may everything
    forbidden = why_not(MIGRAPHX, tmp_path / "kfd")
    assert forbidden is not None
    assert "render and video" in forbidden.advice


def test_other_accelerators_need_no_amd_device(tmp_path: Path) -> None:
    assert why_not("CUDAExecutionProvider", tmp_path / "kfd") is None


def test_words_of_no_known_trouble_mean_nothing() -> None:
    assert known_trouble("everything is fine") is None


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (Machine("Linux", "aarch64", (2, 36), (3, 11)), "Linux on x86-64 only, this is Linux on aarch64"),
        (Machine("Darwin", "x86_64", None, (3, 11)), "Linux on x86-64 only"),
        (Machine("Linux", "x86_64", None, (3, 11)), "need glibc, which this system"),
        (Machine("Linux", "x86_64", (2, 31), (3, 11)), "need glibc 2.34 (Debian 12, Ubuntu 22.04 or later)"),
        (Machine("Linux", "x86_64", (2, 36), (3, 15)), "Python 3.11 to 3.14, this is 3.15"),
    ],
)
def test_a_machine_no_amd_package_fits_is_told_why(machine: Machine, said: str) -> None:
    failure = why_not_installed("rocm", machine)
    assert said in str(failure)
    assert "The CPU is used instead" in failure.advice


@pytest.mark.parametrize("extra", ["rocm", "migraphx"])
def test_a_machine_one_fits_is_told_how_to_install_it(extra: str) -> None:
    failure = why_not_installed(extra, DEBIAN)
    assert f"without the accelerator `{extra}`" in str(failure)
    assert f'pip install --no-deps "{PACKAGES[extra]}"' in failure.advice


def test_the_packages_named_are_those_of_the_extras() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for extra, package in PACKAGES.items():
        assert [one.partition(";")[0] for one in project["optional-dependencies"][extra]] == [package]


def test_this_machine_is_described() -> None:
    here = Machine.here()
    assert here.python >= (3, 11)
    assert here.system


def test_devices_are_named(tmp_path: Path) -> None:
    table = tmp_path / "cpuinfo"
    table.write_text("processor : 0\nmodel name : AMD EPYC 7B13\nmodel name : AMD EPYC 7B13\n")
    assert processor(table) == f"AMD EPYC 7B13, {os.cpu_count()} threads"
    assert processor(tmp_path / "nothing") is None
    assert device_of("CUDAExecutionProvider") is None
    assert device_of(CPU) == processor()
    assert str(device_of(ROCM)).startswith("AMD ")
