"""Static files carry the version of their content in the address, so a browser keeps them until they change."""

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path


class StaticVersions:
    """A Flask URL default: adds `v=<hash>` to the address of every static file.

    Args:
        folder: the static folder; each file is read once per process.
        made: files by name that lie in no folder, with their content.
    """

    def __init__(self, folder: Path, made: Mapping[str, bytes]) -> None:
        self._folder = folder
        self._made = made
        self._known: dict[str, str] = {}

    def __call__(self, endpoint: str, values: dict[str, object]) -> None:
        """Add the version."""
        if endpoint == "static" and isinstance(name := values.get("filename"), str):
            values.setdefault("v", self._version(name))

    def _version(self, name: str) -> str:
        if name not in self._known:
            content = self._made[name] if name in self._made else (self._folder / name).read_bytes()
            self._known[name] = blake2b(content, digest_size=5).hexdigest()
        return self._known[name]
