"""The hosts Kinfolk can read: the one place that names them. How to add one: `docs/adding-a-host.md`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from plugin.domain import Library
from plugin.hosts.folder.host import FolderHost
from plugin.hosts.folder.options import FolderOptions
from plugin.ports.host import Host


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What a user may choose, host by host; `settings` fills it."""

    folder: FolderOptions = field(default_factory=FolderOptions)


@dataclass(frozen=True, slots=True)
class HostKind:
    """One kind of host.

    Attributes:
        name: stored as `Library.host`; never change it.
        title: what people call it.
        open: the host of a library; must not touch the disk or the network.
        address: what a user typed as the one address stored for it, so that the same place is not added twice.
    """

    name: str
    title: str
    open: Callable[[Library, HostOptions], Host]
    address: Callable[[str], str]


def host_kinds() -> dict[str, HostKind]:
    """Every kind by name."""
    kinds = [
        HostKind(
            name="folder",
            title="Folder",
            open=lambda library, options: FolderHost(library.address, options.folder),
            address=lambda typed: str(Path(typed).expanduser().resolve()),
        ),
    ]
    return {kind.name: kind for kind in kinds}
