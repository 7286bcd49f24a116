"""Whatever users do at a Nextcloud, whenever Kinfolk is killed: after a complete pass the catalogue agrees with it."""

from contextlib import suppress
from typing import cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from werkzeug.wrappers import Request, Response

from plugin.catalogue.store import open_in_memory
from plugin.errors import HostError
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.intake import Intake
from plugin.ports.catalogue import Catalogue
from tests.fakes.dying_catalogue import DyingCatalogue, Killed
from tests.fakes.nextcloud import FakeNextcloud, Node
from tests.fakes.nextcloud.cloud import CloudError

ANCHOR = "anchor.jpg"
FOLDERS = st.sampled_from(["A", "B", "A/in", "B/in", "A/in/deep"])
FILES = st.sampled_from(["a.jpg", "A/a.jpg", "A/in/b.jpg", "B/in/c.jpg", "A/in/deep/d.jpg", "B/in/.nomedia"])
NEVER = 1 << 60


class CloudLife(RuleBasedStateMachine):
    """Files and folders come, move, go to the trash and come back; passes end well, break off or are killed."""

    @initialize(infinite=st.booleans())
    def begin(self, infinite: bool) -> None:
        self.server = FakeNextcloud()
        self.server.start()
        self.server.infinite = infinite
        self.cloud = self.server.cloud
        self.cloud.add_user("anna")
        self.catalogue = open_in_memory()
        [account] = self.catalogue.accounts.all()
        place = Place(self.server.address, "anna")
        self.library = self.catalogue.libraries.add(account.id, "nextcloud", "Anna", place.address)
        client = NextcloudClient(Login(place.base, "anna", "secret"), sleep=lambda _seconds: None)
        self.host = NextcloudHost(place, client, NextcloudOptions())
        self.agrees = False
        for path in (ANCHOR, "A/a.jpg", "A/in/b.jpg", "B/in/c.jpg"):
            self.put(path)

    @rule(path=FILES)
    def put(self, path: str) -> None:
        with suppress(CloudError):
            self.cloud.put("anna", path, b"pixels", parents=True)
        self.agrees = False

    @rule(old=FOLDERS | FILES, new=FOLDERS | FILES)
    def move(self, old: str, new: str) -> None:
        if old == new or f"{new}/".startswith(f"{old}/") or f"{old}/".startswith(f"{new}/"):
            return
        with suppress(CloudError):
            self.cloud.find("anna", old)
            if not self._is_there(new):
                self.cloud.move("anna", old, new)
        self.agrees = False

    @rule(path=FOLDERS | FILES)
    def delete(self, path: str) -> None:
        with suppress(CloudError):
            self.cloud.delete("anna", path)
        self.agrees = False

    @rule(which=st.integers(0, 5))
    def restore(self, which: int) -> None:
        trash = self.cloud.users["anna"].trash
        names = sorted(trash)
        if names and not self._is_there(trash[names[which % len(names)]].location):
            with suppress(CloudError):
                self.cloud.restore("anna", names[which % len(names)])
            self.agrees = False

    @rule(calls=st.integers(0, 25))
    def killed_while_it_looks(self, calls: int) -> None:
        dying = cast("Catalogue", DyingCatalogue(self.catalogue, [calls]))
        with suppress(Killed):
            Intake(dying).sync(self.library, self.host)

    @rule(answers=st.integers(0, 6))
    def away_while_it_looks(self, answers: int) -> None:
        left = [answers]

        def interfere(_request: Request) -> Response | None:
            left[0] -= 1
            return None if left[0] >= 0 else Response("", 500)

        self.server.interfere = interfere
        with suppress(HostError):
            Intake(self.catalogue).sync(self.library, self.host)
        self.server.interfere = lambda _request: None

    @rule()
    def look(self) -> None:
        Intake(self.catalogue).sync(self.library, self.host)
        self.agrees = True

    @invariant()
    def catalogue_agrees_with_the_cloud_after_a_complete_pass(self) -> None:
        if getattr(self, "agrees", False):
            stored = {(row.host_key, row.path) for row in self.catalogue.assets.unseen(self.library.id, NEVER)}
            assert stored == set(self._photos(self.cloud.users["anna"].root))

    def teardown(self) -> None:
        if hasattr(self, "catalogue"):
            self.look()
            self.catalogue_agrees_with_the_cloud_after_a_complete_pass()
            before = len(self.server.seen)
            self.look()
            assert len(self.server.seen) == before + 1, "an unchanged library costs one request"
            self.host.close()
            self.server.stop()
            self.catalogue.close()

    def _photos(self, folder: Node) -> list[tuple[str, str]]:
        children = folder.children or {}
        if ".nomedia" in children and not children[".nomedia"].is_folder:
            return []
        found = []
        for child in children.values():
            if child.is_folder:
                found += self._photos(child)
            elif child.mime.startswith("image/"):
                found.append((str(child.id), child.path))
        return found

    def _is_there(self, path: str) -> bool:
        try:
            self.cloud.find("anna", path)
        except CloudError:
            return False
        return True


TestCloudLife = CloudLife.TestCase
TestCloudLife.settings = settings(
    max_examples=15, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
