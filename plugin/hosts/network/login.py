"""Who Kinfolk is at a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are at a server.

    Attributes:
        base: the server, without a slash at the end.
        name: what the user logs in with; "" for requests that need no login.
        password: an app password or a token, usually.
        fingerprint: SHA-256 of the server's certificate (hex) when the user confirmed a self-signed one.
        headers: sent with every request: how an app of the server says who it is and whom it acts for.
    """

    base: str
    name: str = ""
    password: str = field(default="", repr=False)
    fingerprint: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def credentials(self) -> str:
        """Changes with who we are."""
        return f"{self.name}\n{self.password}"
