"""Where everything is told. They are made of ids only: a name with `/`, `+` or `#` never becomes a part of one."""

from dataclasses import dataclass

from plugin.domain import AccountId, PersonId


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one installation.

    Attributes:
        installation: its own name, of letters and digits.
        prefix: below which Kinfolk tells.
        discovery: below which Home Assistant looks for devices.
    """

    installation: str
    prefix: str = "kinfolk"
    discovery: str = "homeassistant"

    @property
    def root(self) -> str:
        """Below which this installation tells."""
        return f"{self.prefix}/{self.installation}"

    @property
    def device(self) -> str:
        """Name of this installation among all devices; those of accounts and people begin with it."""
        return f"kinfolk_{self.installation}"

    @property
    def available(self) -> str:
        """`online` or `offline`."""
        return f"{self.root}/available"

    @property
    def wishes(self) -> str:
        """Where the buttons are heard."""
        return f"{self.root}/do"

    @property
    def pause(self) -> str:
        """Whether work rests, and why."""
        return f"{self.root}/pause"

    @property
    def everywhere(self) -> list[str]:
        """What to listen to for the buttons, and for everything of ours that may be kept."""
        devices = [self.discovered("+", component) for component in ("device", "image")]
        return [f"{self.root}/#", *devices]

    def ours(self, topic: str) -> set[str]:
        """The topic, when it is one of ours; that of a person with the one of their picture, too large to be heard."""
        if topic.startswith(f"{self.root}/"):
            person = topic.endswith("/state")
            return {topic, f"{topic.removesuffix('state')}picture"} if person else {topic}
        device = topic.removeprefix(f"{self.discovery}/").partition("/")[2].removesuffix("/config")
        mine = device == self.device or device.startswith(f"{self.device}_")
        return {topic} if mine else set()

    def account(self, account_id: AccountId) -> str:
        """The counts of an account."""
        return f"{self.root}/account/{account_id}"

    def person(self, person_id: PersonId, part: str = "state") -> str:
        """One of `state`, `seen` and `picture` of a person."""
        return f"{self.root}/person/{person_id}/{part}"

    def discovered(self, device: str, component: str = "device") -> str:
        """Where Home Assistant finds a device, or a single entity of one."""
        return f"{self.discovery}/{component}/{device}/config"
