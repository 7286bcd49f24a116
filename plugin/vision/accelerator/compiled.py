"""Where accelerators keep what they compiled, so that it takes minutes once and not at every start."""

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plugin.vision.accelerator.amd import OVERRIDE, cards
from plugin.vision.installation import runtime_version

log = logging.getLogger(__name__)

ROCM_VERSION = Path("/opt/rocm/.info/version")

VARIABLES = {
    "ORT_MIGRAPHX_MODEL_CACHE_PATH": "migraphx",
    "ORT_MIGRAPHX_CACHE_PATH": "migraphx",  # how earlier builds call it
    "MIOPEN_USER_DB_PATH": "miopen",
    "MIOPEN_CUSTOM_CACHE_DIR": "miopen",
}
"""By environment, not by the option `migraphx_model_cache_dir`: builds that do not know an option refuse to start."""


@dataclass(frozen=True, slots=True)
class CompiledModels:
    """The folder of what one accelerator compiled; another card, runtime or ROCm gets another one.

    Args:
        root: holds these folders.
        provider: ONNX Runtime's name of the accelerator.
        tag: what else decides whether compiled models still fit.
    """

    root: Path
    provider: str
    tag: str

    @classmethod
    def here(cls, root: Path, provider: str, override: str | None = None) -> "CompiledModels":
        """The folder for this machine as it is; `override` is what its card passes for."""
        parts = [runtime_version(), *cards(), override or os.environ.get(OVERRIDE, ""), _rocm_version()]
        return cls(root, provider, "-".join(part for part in parts if part))

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.root / re.sub(r"[^A-Za-z0-9.]+", "-", f"{self.provider}-{self.tag}")[:120]

    def has(self, programs: Sequence[str]) -> bool:
        """Whether these (models and their shapes) were all compiled once, so that the next start is fast."""
        return self._mark(programs).exists()

    def prepare(self) -> dict[str, str]:
        """Make the folder; the environment that makes accelerators use it, empty where it cannot be made."""
        found = {}
        try:
            for variable, name in VARIABLES.items():
                (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
                found[variable] = str(self.folder / name)
        except OSError as error:
            log.warning("Compiled models cannot be kept in %s: %s", self.folder, error.strerror)
            return {}
        return found

    def completed(self, programs: Sequence[str]) -> None:
        """These are compiled: their next start need not say so, and folders of other cards or versions go."""
        try:
            self._mark(programs).touch(mode=0o600)
            for other in self.root.iterdir():
                if other.is_dir() and other != self.folder:
                    shutil.rmtree(other, ignore_errors=True)
        except OSError as error:
            log.info("Compiled models are not marked as complete: %s", error.strerror)

    def _mark(self, programs: Sequence[str]) -> Path:
        fingerprint = hashlib.blake2b("\n".join(sorted(programs)).encode(), digest_size=8).hexdigest()
        return self.folder / f"complete-{fingerprint}"


def environment_of(compiled: CompiledModels | None, override: str | None = None) -> Mapping[str, str]:
    """The environment of an accelerator's process; what somebody set outside stays, but for the `override`."""
    chosen = {OVERRIDE: override} if override else {}
    return {**(compiled.prepare() if compiled else {}), **os.environ, **chosen}


def _rocm_version() -> str:
    try:
        return ROCM_VERSION.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
