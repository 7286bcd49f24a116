"""Asking hosts to tell, without a host, and a clock that a test moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from plugin.domain import Library
from plugin.errors import HostError

Asked = tuple[str, int, str, str, str, str]


@dataclass
class FakeRegistrar:
    """Obeys `HookRegistrar`: libraries of the host `nextcloud` belong to the user before the @ of their address."""

    asked: list[Asked] = field(default_factory=list)
    failure: HostError | None = None
    app_of: str | None = None

    def user(self, library: Library) -> str | None:
        if library.host != "nextcloud":
            return None
        return library.address.partition("://")[2].partition("@")[0]

    def as_app(self, library: Library) -> bool:
        return self.app_of is not None and library.address.rpartition("@")[2] == self.app_of

    def told_at(self, library: Library, url: str) -> str:
        return url

    def register(
        self,
        library: Library,
        urls: Sequence[str],
        secret: str,
        name: str,
        password: str,
        registered: Callable[[], None],
    ) -> None:
        self._ask(("register", library.id, " ".join(urls), secret, name, password))
        registered()

    def remove(self, library: Library, urls: Sequence[str], name: str, password: str) -> None:
        self._ask(("remove", library.id, " ".join(urls), "", name, password))

    def _ask(self, asked: Asked) -> None:
        if self.failure:
            raise self.failure
        self.asked.append(asked)


@dataclass
class HandMovedTime:
    """Timers and a clock."""

    now: float = 1000.0
    due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def start(self, seconds: float, work: Callable[[], None]) -> None:
        self.due.append((self.now + seconds, work))

    def move(self, seconds: float) -> None:
        """Let time pass; what is due runs at its time."""
        end = self.now + seconds
        while ready := sorted((one for one in self.due if one[0] <= end), key=lambda one: one[0]):
            self.due.remove(ready[0])
            self.now = ready[0][0]
            ready[0][1]()
        self.now = end
