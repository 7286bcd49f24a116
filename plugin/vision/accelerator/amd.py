"""AMD cards: which there are, whether this user may use them, and what their drivers' messages mean.

The kernel lists what can compute under /sys/class/kfd/kfd/topology/nodes (one folder each; processors are among them,
with `gfx_target_version 0`), and gives it out as /dev/kfd. See docs/amd.md.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plugin.errors import AcceleratorFailed
from plugin.sentences import Sentence
from plugin.vision.installation import MIGRAPHX, ROCM, named

NODES = Path("/sys/class/kfd/kfd/topology/nodes")
DEVICE = Path("/dev/kfd")
OVERRIDE = "HSA_OVERRIDE_GFX_VERSION"

BUILT_FOR = ("gfx908", "gfx90a", "gfx942", "gfx1030", "gfx1100", "gfx1101", "gfx1200", "gfx1201")
"""What onnxruntime-rocm 1.22.2 has kernels for, read from the wheel."""

STAND_INS = {"gfx103": "10.3.0", "gfx110": "11.0.0"}
"""Cards of one family run each other's kernels: by the first letters, the version whose kernels there are."""

ROOM = Sentence("Close what else uses the card; the CPU is used meanwhile")
PERMISSION = Sentence("Add this user to the groups of /dev/kfd and /dev/dri (often render and video); see docs/amd.md")
NO_DEVICE = Sentence("Pass /dev/kfd and /dev/dri into the container, or load the amdgpu driver; see docs/amd.md")
NO_KERNELS = Sentence(
    "Set runtime.gfx_override (10.3.0 for RDNA 2, 11.0.0 for RDNA 3) and start again; see docs/amd.md"
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What drivers say in many words: one sentence, with a `%(provider)s` in it, and an advice."""

    happened: Sentence
    advice: Sentence

    def as_failure(self, provider: str) -> AcceleratorFailed:
        """The error to show."""
        return AcceleratorFailed(self.happened, self.advice, provider=named(provider))


NEEDS_OVERRIDE = Trouble(Sentence("%(provider)s has no kernels for this card"), NO_KERNELS)
OUT_OF_MEMORY = Trouble(Sentence("%(provider)s ran out of memory on the card"), ROOM)
DEVICE_GONE = Trouble(Sentence("%(provider)s found no card"), NO_DEVICE)
FORBIDDEN = Trouble(Sentence("%(provider)s may not use the card"), PERMISSION)

SAID = (
    ("hiperrornobinaryforgpu", NEEDS_OVERRIDE),
    ("no kernel image is available", NEEDS_OVERRIDE),
    ("invalid device function", NEEDS_OVERRIDE),
    ("tensilelibrary", NEEDS_OVERRIDE),
    ("hiperroroutofmemory", OUT_OF_MEMORY),
    ("out of memory", OUT_OF_MEMORY),
    ("memoryerror", OUT_OF_MEMORY),
    ("bad_alloc", OUT_OF_MEMORY),
    ("failed to allocate memory", OUT_OF_MEMORY),
    ("hiperrornodevice", DEVICE_GONE),
    ("no rocm-capable device", DEVICE_GONE),
    ("no hip gpus", DEVICE_GONE),
    ("unable to open /dev/kfd", FORBIDDEN),
)
"""What stands in the messages of HIP, rocBLAS and ONNX Runtime, in small letters."""


def known_trouble(words: str) -> Trouble | None:
    """What these words of a driver mean, or None."""
    small = words.lower()
    return next((trouble for part, trouble in SAID if part in small), None)


def cards(nodes: Path = NODES) -> list[str]:
    """The architectures of the cards that can compute, such as `gfx1030`; empty where there is none or no driver."""
    found = []
    for properties in sorted(nodes.glob("*/properties")):
        try:
            lines = (line.split() for line in properties.read_text().splitlines())
            version = next((int(line[1]) for line in lines if line[0] == "gfx_target_version"), 0)
        except (OSError, ValueError, IndexError):
            continue
        if version:
            found.append(f"gfx{version // 10_000}{version // 100 % 100:x}{version % 100:x}")
    return found


def why_not(provider: str, device: Path = DEVICE) -> AcceleratorFailed | None:
    """What keeps an AMD provider from a card, found without starting anything; None: nothing, or it is no AMD one."""
    if provider not in {ROCM, MIGRAPHX}:
        return None
    if not device.exists():
        return DEVICE_GONE.as_failure(provider)
    return None if os.access(device, os.R_OK | os.W_OK) else FORBIDDEN.as_failure(provider)


def override_for(found: Sequence[str], environment: Mapping[str, str]) -> str:
    """The HSA_OVERRIDE_GFX_VERSION that would let ROCm use the first card; "" where none is needed or known."""
    if not found or found[0] in BUILT_FOR or environment.get(OVERRIDE):
        return ""
    return next((version for family, version in STAND_INS.items() if found[0].startswith(family)), "")
