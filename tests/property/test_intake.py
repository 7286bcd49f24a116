"""Whatever happens on a host, whenever Kinfolk is killed: after a complete pass the catalogue agrees with the host."""

import hashlib
from contextlib import suppress
from typing import cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from plugin.catalogue.store import open_in_memory
from plugin.domain import AssetId
from plugin.errors import HostUnreachable
from plugin.intake import Intake
from plugin.ports.catalogue import Catalogue
from tests.fakes.dying_catalogue import DyingCatalogue, Killed
from tests.fakes.host import FakeHost

ANCHOR = "anchor.jpg"
"""Always there: an empty host is a different story (an unmounted disk)."""

START = ["a.jpg", "b.jpg", "x/a.jpg"]
PATHS = st.sampled_from(["a.jpg", "b.jpg", "x/a.jpg", "x/b.jpg", "z.jpg"])
EXISTING = st.integers(0, 4)
"""Which of the paths that exist, counted from the first and around."""
NEVER = 1 << 60


class AlbumLife(RuleBasedStateMachine):
    """A user at work on a host, and passes that end well, break off or are killed.

    Every new picture has bytes of its own, so that which asset it should be is never in doubt; a picture that was
    copied once is left out of that question, for any of its copies may be the one that moved.
    """

    @initialize(stable_keys=st.booleans())
    def begin(self, stable_keys: bool) -> None:
        self.catalogue = open_in_memory()
        self.host = FakeHost(stable_keys=stable_keys)
        [account] = self.catalogue.accounts.all()
        self.library = self.catalogue.libraries.add(account.id, "fake", "Album", "fake://album")
        self.pictures = 0
        self.copied: set[bytes] = set()
        self.asset_of: dict[bytes, AssetId] = {}
        """Of pictures that were on the host all the time since the last complete pass."""
        self.agrees = False
        for path in (ANCHOR, *START):
            self._new_picture(path)
        self.look()

    @rule(path=PATHS)
    def create_or_overwrite(self, path: str) -> None:
        self._forget(path)
        self._new_picture(path)

    @rule(which=EXISTING)
    def touch(self, which: int) -> None:
        path = self._existing(which)
        self.host.put(path, self.host.files[path].data)
        self.agrees = False

    @rule(which=EXISTING, new=PATHS)
    def move(self, which: int, new: str) -> None:
        old = self._existing(which)
        if old not in {new, ANCHOR}:
            self._forget(new)
            self.host.move(old, new)
            self.agrees = False

    @rule(which=EXISTING, new=PATHS)
    def move_and_put_another_in_its_place(self, which: int, new: str) -> None:
        old = self._existing(which)
        if old not in {new, ANCHOR}:
            self._forget(new)
            self.host.move(old, new)
            self._new_picture(old)

    @rule(one=EXISTING, other=EXISTING)
    def swap(self, one: int, other: int) -> None:
        if self._existing(one) != self._existing(other):
            self.host.swap(self._existing(one), self._existing(other))
            self.agrees = False

    @rule(which=EXISTING, new=PATHS)
    def copy(self, which: int, new: str) -> None:
        old = self._existing(which)
        if old != new:
            self._forget(new)
            self._forget(old)
            self.copied.add(self.host.files[old].data)
            self.host.put(new, self.host.files[old].data)
            self.agrees = False

    @rule(which=EXISTING)
    def delete(self, which: int) -> None:
        path = self._existing(which)
        if path != ANCHOR:
            self._forget(path)
            self.host.remove(path)
            self.agrees = False

    @rule(calls=st.integers(0, 25))
    def killed_while_it_looks(self, calls: int) -> None:
        dying = cast("Catalogue", DyingCatalogue(self.catalogue, [calls]))
        with suppress(Killed):
            Intake(dying).sync(self.library, self.host)

    @rule(entries=st.integers(0, 6))
    def host_away_while_it_looks(self, entries: int) -> None:
        self.host.fails_after = entries
        with suppress(HostUnreachable):
            Intake(self.catalogue).sync(self.library, self.host)
        self.host.fails_after = None

    @rule()
    def look(self) -> None:
        Intake(self.catalogue).sync(self.library, self.host)
        self.agrees = True
        now = self._present()
        for data, asset_id in self.asset_of.items():
            [path] = [path for path, file in self.host.files.items() if file.data == data]
            assert now[path][0] == asset_id, f"{path} was asset {asset_id}"
        self.asset_of = {
            file.data: now[path][0] for path, file in self.host.files.items() if file.data not in self.copied
        }

    @invariant()
    def catalogue_agrees_with_host_after_a_complete_pass(self) -> None:
        if getattr(self, "agrees", False):
            contents = {path: content for path, (_, content) in self._present().items()}
            assert contents == {path: hashlib.sha256(file.data).hexdigest() for path, file in self.host.files.items()}

    def teardown(self) -> None:
        if hasattr(self, "catalogue"):
            self.look()
            self.catalogue_agrees_with_host_after_a_complete_pass()
            self.catalogue.close()

    def _new_picture(self, path: str) -> None:
        self.pictures += 1
        self.host.put(path, b"picture %d" % self.pictures)
        self.agrees = False

    def _existing(self, which: int) -> str:
        paths = sorted(self.host.files)
        return paths[which % len(paths)]

    def _forget(self, path: str) -> None:
        if path in self.host.files:
            self.asset_of.pop(self.host.files[path].data, None)

    def _present(self) -> dict[str, tuple[AssetId, str]]:
        assets = list(self.catalogue.assets.unseen(self.library.id, NEVER))
        present = {asset.path: (asset.id, asset.content_key) for asset in assets}
        assert len(present) == len(assets), "a path was stored twice"
        return present


TestAlbumLife = AlbumLife.TestCase
TestAlbumLife.settings = settings(
    max_examples=60, stateful_step_count=16, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
