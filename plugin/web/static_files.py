"""Static files carry the version of their content in the address, so a browser keeps them until they change."""

from hashlib import blake2b
from pathlib import Path


class StaticVersions:
    """A Flask URL default: adds `v=<hash>` to the address of every static file.

    Args:
        folder: the static folder; each file is read once per process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}

    def __call__(self, endpoint: str, values: dict[str, object]) -> None:
        """Add the version."""
        if endpoint == "static" and isinstance(name := values.get("filename"), str):
            values.setdefault("v", self._version(name))

    def _version(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = blake2b((self._folder / name).read_bytes(), digest_size=5).hexdigest()
        return self._known[name]
