"""The life of the app: made ready, enabled, disabled, and what it does meanwhile."""

import logging
import threading
from collections.abc import Callable, Mapping

from plugin.app_identity import AppIdentity
from plugin.domain import Preferences
from plugin.engine import FaceEngine
from plugin.errors import HostError, KinfolkError, Refused
from plugin.exapp import registration
from plugin.exapp.nextcloud import AppNextcloud
from plugin.exapp.recognize import DIMENSIONS, RecognizeProvider
from plugin.ports.accounts import PreferenceRows
from plugin.ports.vision import PackInfo

log = logging.getLogger(__name__)

ENABLED_ROW, RECOGNIZE_ROW = "exapp.enabled", "exapp.recognize_pack"

STATUS = "/ocs/v1.php/apps/app_api/ex-app/status"

Progress = Callable[[int, int | None, str], None]


class NextcloudApp:
    """Kinfolk as an app of one Nextcloud.

    Args:
        identity: who it is.
        rows: keeps whether it is enabled, and the pack Recognize's faces are from.
        engine: looks at pictures for Recognize.
        preferences: the pack in force.
        packs: every pack known.
        pull: fetches a pack and tells how far it is.
        on_enabled: told when the app may ask Nextcloud again.
    """

    def __init__(
        self,
        identity: AppIdentity,
        rows: PreferenceRows,
        engine: FaceEngine,
        preferences: Callable[[], Preferences],
        packs: Callable[[], list[PackInfo]],
        pull: Callable[[str, Progress], None],
        on_enabled: Callable[[], None] = lambda: None,
    ) -> None:
        self.identity = identity
        self.nextcloud = AppNextcloud(identity)
        self.recognize = RecognizeProvider(self.nextcloud, engine, self._recognize_pack, identity.app_id)
        self._rows = rows
        self._preferences = preferences
        self._packs = packs
        self._pull = pull
        self._on_enabled = on_enabled
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def enabled(self) -> bool:
        """Whether an administrator of Nextcloud enabled the app."""
        return self._rows.get(ENABLED_ROW) == "yes"

    @property
    def recognize_on(self) -> bool:
        """Whether Kinfolk finds faces for Recognize; off until somebody switches it on."""
        return self._rows.get(RECOGNIZE_ROW) is not None

    @property
    def recognize_trouble(self) -> str:
        """What is in the way of Recognize; empty when all is well."""
        return self.recognize.trouble

    def start(self) -> None:
        """Begin to work for Recognize, whenever that is on."""
        self._begin("recognize", lambda: self.recognize.run(self._stop, lambda: self.enabled and self.recognize_on))

    def stop(self) -> None:
        """End, after the picture that is being looked at."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def make_ready(self) -> None:
        """Fetch the model pack and report how far it is, in the background; AppAPI waits for 100."""
        self._begin("init", self._make_ready)

    def set_enabled(self, *, enabled: bool) -> None:
        """Put Kinfolk into the menus, or take it away. Raises `HostError`."""
        if enabled:
            registration.register(self.nextcloud)
            if self.recognize_on:
                self.recognize.register()
            self._rows.set(ENABLED_ROW, "yes")
            self._on_enabled()
            return
        self._rows.delete(ENABLED_ROW)
        try:
            registration.unregister(self.nextcloud)
            self.recognize.unregister()
        except HostError as error:
            # A disabled app may not ask for anything any more; AppAPI hides its entries by itself.
            log.info("The app was disabled: %s", error)

    def switch_recognize(self, *, on: bool) -> None:
        """Offer faces to Recognize, or stop.

        Raises:
            Refused: the pack in use has not the 512 numbers Recognize stores.
            HostError: Nextcloud did not take it.
        """
        if not on:
            self._rows.delete(RECOGNIZE_ROW)
            self.recognize.unregister()
            return
        pack = self._preferences().pack
        if next(one.dimension for one in self._packs() if one.name == pack) != DIMENSIONS:
            raise Refused(
                "Recognize needs a model pack with 512 numbers for each face", "Choose another one in Model packs first"
            )
        self.recognize.register()
        self._rows.set(RECOGNIZE_ROW, pack)

    def is_nextcloud_admin(self, user: str) -> bool:
        """Whether a user looks after that Nextcloud. Raises `HostError`."""
        said = self.nextcloud.ocs("GET", "/ocs/v2.php/cloud/user", user=user)
        groups = said.get("groups") if isinstance(said, Mapping) else None
        return isinstance(said, Mapping) and said.get("id") == user and isinstance(groups, list) and "admin" in groups

    def _recognize_pack(self) -> str:
        return self._rows.get(RECOGNIZE_ROW) or self._preferences().pack

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"nextcloud-{name}", daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def _make_ready(self) -> None:
        last = 0

        def tell(done: int, total: int | None, _what: str) -> None:
            nonlocal last
            percent = min(99, done * 100 // total) if total else last
            if percent > last:
                last = percent
                self._report(percent)

        try:
            self._report(1)
            self._pull(self._preferences().pack, tell)
            self._report(100)
        except KinfolkError as error:
            log.warning("The app could not be made ready: %s", error)
            self._report(last, error.explanation)

    def _report(self, progress: int, error: str = "") -> None:
        try:
            self.nextcloud.ocs("PUT", STATUS, {"progress": progress} | ({"error": error} if error else {}))
        except HostError as trouble:
            log.warning("Nextcloud was not told how far the app is: %s", trouble)
