"""What a provider runs on, in words for the Status page."""

import os
from pathlib import Path

from plugin.vision.accelerator.amd import cards
from plugin.vision.installation import MIGRAPHX, ROCM
from plugin.vision.runtime import CPU

PROCESSORS = Path("/proc/cpuinfo")


def device_of(provider: str) -> str | None:
    """The processor or card of a provider, such as `AMD gfx1030`; None where nothing is known of it."""
    if provider == CPU:
        return processor()
    if provider in {ROCM, MIGRAPHX}:
        return "AMD " + ", ".join(cards() or ["GPU"])
    return None


def processor(table: Path = PROCESSORS) -> str | None:
    """Name of the processor and how many threads it has; the number alone where the system does not name it (ARM)."""
    try:
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{name}, {os.cpu_count()} threads" if name else None
