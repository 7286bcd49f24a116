"""Names kept as labels (`Person: Anna`), on any host whose assets can carry labels. Everybody there sees them."""

from collections.abc import Collection, Mapping

from plugin.domain import Asset, LibraryId
from plugin.errors import WriteRefused
from plugin.ports.writing import Label, LabelHost, NameChanges, NamesThere, NameThere
from plugin.ports.written import KnownLabel, NameKey, NameKind, WrittenRows

PREFIX = "Person: "

LONGEST_LABEL = 64
"""What Nextcloud keeps of a system tag's name (its column in the database)."""


class LabelNames:
    """A `NameKeeper` on labels. Made anew for each run: it asks once which labels there are.

    Args:
        host: of the library.
        rows: remember which labels we made; those alone may be deleted.
        library_id: the library.
    """

    kind = NameKind.TAGS
    overlap = None

    def __init__(self, host: LabelHost, rows: WrittenRows, library_id: LibraryId) -> None:
        self._host = host
        self._rows = rows
        self._library_id = library_id
        self._all: dict[str, str] | None = None
        self._known: dict[str, KnownLabel] = {}

    def begin(self, *, removing: bool) -> None:
        """Every name is kept with its asset."""

    def said(self, name: str) -> str:
        """As the host keeps it, so that a long name is found again."""
        return f"{PREFIX}{name}"[:LONGEST_LABEL].strip().removeprefix(PREFIX)

    def mark(self, key: NameKey) -> str:  # noqa: ARG002  the port's signature
        """A label is found by its name."""
        return ""

    def refuses(self, name: str) -> bool:
        """Whether a label we used was renamed or deleted there. Remembered until the user wants it again."""
        everything, known = self._labels(), self._known.get(self.said(name))
        if known is None or not known.id:
            return False
        if not known.refused and everything.get(known.name) != known.id:
            known = KnownLabel(known.name, known.id, known.made, refused=True)
            self._remember(known)
        return known.refused

    def read(self, asset: Asset, path: str) -> NamesThere:  # noqa: ARG002  labels lie on the asset itself
        """See `NameKeeper.read`."""
        labels = [label for label in self._host.labels_of(asset.host_key) if label.name.startswith(PREFIX)]
        ids = {label.name.removeprefix(PREFIX): label.id for label in labels}
        return NamesThere(tuple(NameThere(name) for name in ids), ids)

    def write(
        self,
        asset: Asset,
        path: str,  # noqa: ARG002  as above
        there: NamesThere,
        changes: NameChanges,
    ) -> Mapping[NameKey, str]:
        """See `NameKeeper.write`. Each label is one call; what a kill leaves undone is found by reading again."""
        for put in changes.put:
            self._host.assign(asset.host_key, self._label(put.name))
        ids = there.seal if isinstance(there.seal, dict) else {}
        for taken in changes.take:
            self._host.unassign(asset.host_key, ids[taken.name])
        return {}

    def finish(self, in_use: Collection[str]) -> None:
        """Delete the labels we made that nobody carries any more; the host refuses what it cannot prove.

        They are forgotten here in any case: a name that was to be forgotten must not stay because of its label.
        """
        said = {self.said(name) for name in in_use}
        for known in self._rows.labels(self._library_id):
            if known.name in said:
                continue
            if known.made and known.id and not known.refused:
                self._host.remove_label(known.id)
            self._rows.forget_label(self._library_id, known.name)

    def _labels(self) -> dict[str, str]:
        """Ids by name (without the prefix) of every label for a person, as they were when this run began."""
        if self._all is None:
            found = self._host.labels()
            self._all = {label.name.removeprefix(PREFIX): label.id for label in found if label.name.startswith(PREFIX)}
            self._known = {label.name: label for label in self._rows.labels(self._library_id)}
        return self._all

    def _label(self, name: str) -> str:
        everything, known = self._labels(), self._known.get(name)
        if name in everything:
            if known is None or known.id != everything[name]:
                # An intended one that is there now was made by the run that was cut off.
                made = known is not None and known.made and not known.id
                self._remember(KnownLabel(name, everything[name], made))
            return everything[name]
        self._remember(KnownLabel(name, "", made=True))
        return self._made(name)

    def _made(self, name: str) -> str:
        label = self._host.make_label(f"{PREFIX}{name}")
        found = label or self._found(name)
        if self._all is not None:
            self._all[name] = found.id
        self._remember(KnownLabel(name, found.id, made=label is not None))
        return found.id

    def _found(self, name: str) -> Label:
        """The label somebody made in between."""
        for label in self._host.labels():
            if label.name == f"{PREFIX}{name}":
                return label
        raise WriteRefused(f"The tag {PREFIX}{name} exists but cannot be seen", "Ask the administrator of the host")

    def _remember(self, label: KnownLabel) -> None:
        self._known[label.name] = label
        self._rows.note_label(self._library_id, label)
