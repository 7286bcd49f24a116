"""The ports to what a host offers for telling it who is on a photo.

`LabelHost`, `SidecarHost` and `MarkerHost` are what a host's adapter may offer; `NameKeeper` is what `plugin.writeback`
works with.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol, runtime_checkable

from plugin.domain import Asset, Box
from plugin.ports.written import NameKey, NameKind


@dataclass(frozen=True, slots=True)
class Label:
    """A label (Nextcloud: a system tag) as the host has it."""

    id: str
    name: str


@runtime_checkable
class LabelHost(Protocol):
    """A host whose assets can carry labels that have names.

    Every method raises `HostUnreachable`, `HostRefused`, and those that take a key `AssetGone`.
    """

    def labels(self) -> list[Label]:
        """Every label this user can see."""
        ...

    def labels_of(self, host_key: str) -> list[Label]:
        """Those an asset carries."""
        ...

    def make_label(self, name: str) -> Label | None:
        """A new label; None when there is one of this name already. Raises `WriteRefused` where nobody may."""
        ...

    def assign(self, host_key: str, label_id: str) -> None:
        """Nothing happens when the asset carries it already. Raises `WriteRefused`."""
        ...

    def unassign(self, host_key: str, label_id: str) -> None:
        """Nothing happens when the asset does not carry it. Raises `WriteRefused`."""
        ...

    def remove_label(self, label_id: str) -> bool:
        """Delete a label if the host can prove that no asset of anybody carries it; whether it is gone now."""
        ...


@dataclass(frozen=True, slots=True)
class StoredSidecar:
    """A sidecar file and the version it has, whatever the host calls that (an ETag, a digest)."""

    content: bytes
    version: str


@runtime_checkable
class SidecarHost(Protocol):
    """A host with room for a sidecar file beside each asset, named by the asset's path and `.xmp`.

    Every method raises `HostUnreachable`, `HostRefused`; `WriteLocked`, `HostFull` and `WriteRefused` where it writes.
    """

    def read_sidecar(self, path: str) -> StoredSidecar | None:
        """The sidecar beside the asset of this path, None when there is none.

        Raises `SidecarUnusable` when it is larger than can be read, or when the asset has one of another name, which a
        new one would put out of sight.
        """
        ...

    def write_sidecar(self, path: str, content: bytes, version: str | None) -> None:
        """Replace the sidecar of this version, or make one where there was none (None).

        Raises:
            ChangedMeanwhile: it is not of this version any more; nothing was written.
            AssetGone: there is no asset of this path to make one for.
        """
        ...

    def remove_sidecar(self, path: str, version: str) -> None:
        """Delete the sidecar of this version. Raises `ChangedMeanwhile`."""
        ...

    def stored_picture(self, path: str) -> AbstractContextManager[BinaryIO]:
        """The asset as it is stored, not a preview; may end early once its header is there. Raises `AssetGone`."""
        ...


@dataclass(frozen=True, slots=True)
class Marker:
    """A face as a host has marked it on a photo.

    Attributes:
        id: the host's.
        box: in the upright picture.
        subject: the host's id of who it is, "" for nobody.
        name: of the subject, where the host says it with the marker.
        by_hand: somebody said (or took back) who it is; else the host guesses.
        drawn: made by hand or by a program; else the host found the face itself.
        invalid: somebody said that it is no face, or it was removed.
    """

    id: str
    box: Box
    subject: str = ""
    name: str = ""
    by_hand: bool = False
    drawn: bool = False
    invalid: bool = False


@dataclass(frozen=True, slots=True)
class MarkedPhoto:
    """The markers of one photo.

    Attributes:
        file: what new ones are put on.
        unusable: how many lie outside the picture.
        elsewhere: on other files of the photo, whose pictures are not shown (any more).
    """

    host_key: str
    file: str
    markers: tuple[Marker, ...]
    unusable: int = 0
    elsewhere: tuple[Marker, ...] = ()


Check = Callable[[], None]
"""Raises when something is not as it was read any more."""


@runtime_checkable
class MarkerHost(Protocol):
    """A host that marks faces on its photos and knows people ("subjects") by name, no two by the same.

    Every method raises `HostUnreachable`, `HostRefused`; those that change something also `WriteRefused`, and
    `AssetGone` when the marker is no longer there. Each is safe to repeat, but for `add_marker`. Those that change a
    marker call `check` directly before each time they send something; what it raises keeps it from being sent.
    """

    def subjects(self) -> dict[str, str]:
        """The name of every person by id."""
        ...

    def subjects_mark(self) -> str:
        """Changes when people were named or renamed, or their markers became more or fewer."""
        ...

    def marked(self, host_key: str) -> MarkedPhoto:
        """The markers of one photo. Raises `AssetGone`."""
        ...

    def all_marked(self) -> Iterator[MarkedPhoto]:
        """Every photo that has markers. Raises `HostUnreachable` when it is not complete."""
        ...

    def add_marker(self, file: str, box: Box, name: str, check: Check) -> Marker:
        """A new marker with this name, as somebody's word; not sent again when nobody knows whether it was done."""
        ...

    def name_marker(self, marker_id: str, name: str, check: Check) -> Marker:
        """Say who a marker is that has no name (with one, the host would rename the person)."""
        ...

    def clear_marker(self, marker_id: str, check: Check) -> None:
        """Take the name off; the host forgets people who have no marker any more."""
        ...

    def reject_marker(self, marker_id: str, check: Check, *, rejected: bool) -> None:
        """Say that it is no face, or that it is one after all."""
        ...

    def rename_subject(self, subject: str, name: str) -> str:
        """Rename a person; returns the name as the host keeps it."""
        ...


class Standing(StrEnum):
    """What is behind an entry. Only hosts with markers have others than `said`.

    `said`: somebody's word. `guessed`: the host's own guess, which a word outweighs. `open`: a face without a name.
    `denied`: somebody there says that it is no face. `going`: an entry of ours whose removal was begun.
    """

    SAID = "said"
    GUESSED = "guessed"
    OPEN = "open"
    DENIED = "denied"
    GOING = "going"


@dataclass(frozen=True, slots=True)
class NameThere:
    """A name an asset carries on its host.

    Attributes:
        name: as `NameKeeper.said` gives it.
        box: where in the upright picture, None where the host knows no places, or cannot say.
        mark: by which it is found again; "" where the name is all there is.
        ours: it says itself that this Kinfolk wrote it.
        standing: what is behind it.
        found: the host found this face itself, so that saying it is none means something.
    """

    name: str
    box: Box | None = None
    mark: str = ""
    ours: bool = False
    standing: Standing = Standing.SAID
    found: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class NamesThere:
    """All names an asset carries. `seal` is the keeper's own: proof of what was read, for writing."""

    names: tuple[NameThere, ...]
    seal: object = None


@dataclass(frozen=True, slots=True)
class PutName:
    """A name to be put on an asset, in place of what carries `mark` if something does; "": say that it is no face."""

    key: NameKey
    name: str
    box: Box | None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class NameChanges:
    """What is to change on one asset; `take`: entries as they were read."""

    put: Sequence[PutName] = ()
    take: Sequence[NameThere] = ()

    def __bool__(self) -> bool:
        return bool(self.put or self.take)


class NameKeeper(Protocol):
    """One way of keeping names on one host."""

    @property
    def kind(self) -> NameKind:
        """Which way."""
        ...

    @property
    def overlap(self) -> float | None:
        """IoU from which two boxes are one face, where the host keeps a box of its own; None where it keeps ours."""
        ...

    def begin(self, *, removing: bool) -> None:
        """A run begins: bring names up to date that are kept once for all assets. Raises `HostError`."""
        ...

    def said(self, name: str) -> str:
        """A name as the host keeps it (shortened, without characters it cannot keep)."""
        ...

    def mark(self, key: NameKey) -> str:
        """By what a name that is put will be found again; "" when only the host knows, or by name alone."""
        ...

    def refuses(self, name: str) -> bool:
        """Whether somebody on the host did away with this name altogether (renamed or deleted the label)."""
        ...

    def read(self, asset: Asset, path: str) -> NamesThere:
        """What the asset carries now.

        Args:
            asset: whose names.
            path: where it is, or was when its names were written (only where names lie beside it).

        Raises:
            HostError: with `WriteError` about this one asset only.
        """
        ...

    def write(self, asset: Asset, path: str, there: NamesThere, changes: NameChanges) -> Mapping[NameKey, str]:
        """Change what was read. What is put comes before what is taken. Returns marks that only the host knew.

        Raises:
            ChangedMeanwhile: read again.
            HostError: with `WriteError` about this one asset only.
        """
        ...

    def finish(self, in_use: Collection[str]) -> None:
        """Everything is written: clear away what is left of ours for names not in use (labels nobody carries)."""
        ...
