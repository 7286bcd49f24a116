"""Which ONNX Runtime is installed, and which package with an accelerator would fit this machine."""

import platform
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata

from plugin.errors import AcceleratorFailed, RuntimeClash
from plugin.sentences import Sentence

ROCM, MIGRAPHX = "ROCMExecutionProvider", "MIGraphXExecutionProvider"

EXTRAS = {"rocm": ROCM, "migraphx": MIGRAPHX}
"""Extra of this package, and the provider it brings."""

PACKAGES = {"rocm": "onnxruntime-rocm==1.22.2.post3", "migraphx": "onnxruntime-migraphx>=1.27,<2"}
"""As in pyproject.toml, which a test compares."""

OLDEST_GLIBC = (2, 34)
"""Their wheels are manylinux_2_34: Debian 12, Ubuntu 22.04, RHEL 9 and later."""

PYTHONS = ((3, 11), (3, 14))
"""Oldest and newest Python both exist for."""

INSTEAD = Sentence("The CPU is used instead; see docs/amd.md")


def check_one_runtime(installed: Callable[[], Sequence[str]] | None = None) -> None:
    """Make sure exactly one ONNX Runtime distribution is installed: two share one folder and silently break each other.

    Raises:
        RuntimeClash: none or several; the advice holds the line that repairs it.
    """
    found = sorted(set((installed or runtime_distributions)()))
    if len(found) == 1:
        return
    if not found:
        raise RuntimeClash("No ONNX Runtime is installed", "Run: pip install onnxruntime")
    keep = next((name for name in found if name != "onnxruntime"), found[0])
    raise RuntimeClash(
        "%(count)s ONNX Runtimes are installed and disable each other: %(names)s",
        "Run: pip uninstall -y %(all)s && pip install --no-deps %(keep)s",
        count=len(found),
        names=", ".join(found),
        all=" ".join(found),
        keep=_with_version(keep),
    )


def runtime_distributions() -> list[str]:
    """Names of the installed distributions that bring an `onnxruntime` module (not the add-on providers `-ep-`)."""
    names = (
        str(distribution.metadata["Name"] or "").lower().replace("_", "-") for distribution in metadata.distributions()
    )
    beside = ("onnxruntime-ep-", "onnxruntime-extensions", "onnxruntime-genai", "onnxruntime-tools")
    return [name for name in names if re.match(r"onnxruntime(-|$)", name) and not name.startswith(beside)]


def runtime_version() -> str:
    """Name and version of the installed ONNX Runtime, such as `onnxruntime-rocm 1.22.2.post3`; "" where none is."""
    names = runtime_distributions()
    return f"{names[0]} {metadata.version(names[0])}" if names else ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides which wheels can be installed.

    Attributes:
        system: `Linux`, ...
        architecture: `x86_64`, `aarch64`, ...
        glibc: its version, None where the C library is another one (Alpine's musl).
        python: version of the interpreter.
    """

    system: str
    architecture: str
    glibc: tuple[int, int] | None
    python: tuple[int, int]

    @classmethod
    def here(cls) -> "Machine":
        """The machine this runs on."""
        name, version = platform.libc_ver()
        numbers = [int(number) for number in re.findall(r"\d+", version)[:2]]
        glibc = (numbers[0], numbers[1]) if name == "glibc" and len(numbers) == 2 else None
        return cls(platform.system(), platform.machine(), glibc, sys.version_info[:2])


def why_no_package(machine: Machine) -> str:
    """Why no AMD package can be installed here, in English; "" where they can."""
    failure = _unfit(machine)
    return str(failure) if failure else ""


def why_not_installed(extra: str, machine: Machine) -> AcceleratorFailed:
    """Why the provider of an extra (`rocm`, `migraphx`) is not there, and what to do about it."""
    return _unfit(machine) or AcceleratorFailed(
        "Kinfolk was installed without the accelerator `%(extra)s`",
        'Run: pip uninstall -y onnxruntime && pip install --no-deps "%(package)s"',
        extra=extra, package=PACKAGES[extra],
    )  # fmt: skip


def _unfit(machine: Machine) -> AcceleratorFailed | None:
    if machine.system != "Linux" or machine.architecture != "x86_64":
        return AcceleratorFailed(
            "The AMD packages exist for Linux on x86-64 only, this is %(system)s on %(architecture)s",
            INSTEAD, system=machine.system, architecture=machine.architecture,
        )  # fmt: skip
    if machine.glibc is None:
        return AcceleratorFailed("The AMD packages need glibc, which this system (Alpine?) does not have", INSTEAD)
    if machine.glibc < OLDEST_GLIBC:
        return AcceleratorFailed(
            "The AMD packages need glibc %(needed)s (Debian 12, Ubuntu 22.04 or later), this system has %(found)s",
            INSTEAD, needed=_dotted(OLDEST_GLIBC), found=_dotted(machine.glibc),
        )  # fmt: skip
    if not PYTHONS[0] <= machine.python <= PYTHONS[1]:
        return AcceleratorFailed(
            "The AMD packages exist for Python %(oldest)s to %(newest)s, this is %(found)s",
            INSTEAD, oldest=_dotted(PYTHONS[0]), newest=_dotted(PYTHONS[1]), found=_dotted(machine.python),
        )  # fmt: skip
    return None


def named(provider: str) -> str:
    """What people call a provider: `ROCm`, `MIGraphX`, `CUDA`."""
    return "ROCm" if provider == ROCM else provider.removesuffix("ExecutionProvider")


def _with_version(name: str) -> str:
    return next((f'"{package}"' for package in PACKAGES.values() if re.split(r"[=<>]", package)[0] == name), name)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
