"""Kinfolk in the sidebar of Home Assistant (ingress): who is believed about the visitor, and who looks after Kinfolk.

Core adds `X-Ingress-Path`; the Supervisor removes the `X-Remote-User-*` a browser sent and sets its own. Neither signs
anything, so they are worth something only on a connection that comes from the Supervisor's address.
"""

from dataclasses import dataclass
from typing import Protocol

ORIGIN = "home-assistant"
"""Where these users are from, as `OutsideUserRows` keeps it: an add-on belongs to one Home Assistant."""

LONGEST_NAME = 200

SOMEBODY = "Home Assistant"
"""Called so in every language: a user of whom Home Assistant does not say a name."""

ONLY_HOOKS = "Only hooks are heard here"
NOT_THE_SUPERVISOR = "This does not come from the Supervisor of Home Assistant"
"""Said to programs, before there is a language to say it in."""


@dataclass(frozen=True, slots=True)
class HomeAssistantUser:
    """A visitor by the Supervisor's word.

    Attributes:
        id: never changes; "" when Home Assistant is too old to say it.
        login: the name to log in with, lower case; "" for users of other login providers.
        called: the name that is shown, which people choose themselves.
    """

    id: str
    login: str = ""
    called: str = ""


@dataclass(frozen=True, slots=True)
class Ingress:
    """Whom to believe.

    Attributes:
        supervisor: the address of the Supervisor.
        administrators: names with which people log in at Home Assistant; empty: whoever comes first.
    """

    supervisor: str
    administrators: tuple[str, ...] = ()

    def names_as_administrator(self, user: HomeAssistantUser) -> bool:
        """Whether the option names this user: by login or id, never by the name people choose themselves."""
        named = {name.strip().casefold() for name in self.administrators}
        return bool(named & {user.login.casefold(), user.id.casefold()} - {""})


class AddonAddresses(Protocol):
    """Where other programs reach an add-on: `plugin.supervisor`. Both raise `HostError`."""

    def for_hooks(self, host: str) -> str:
        """Of the port for hooks, without a trailing slash.

        Args:
            host: the name under which the visitor reached Home Assistant.
        """
        ...

    def for_addons(self) -> str:
        """Of the whole add-on, as other add-ons reach it."""
        ...
