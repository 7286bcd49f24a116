"""The options every command shares, and the door from a command to the running parts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plugin.cli.output import log_to_terminal, note
from plugin.domain import Account
from plugin.errors import NotFound
from plugin.settings import Settings, load_settings

if TYPE_CHECKING:
    from plugin.assemble import Kinfolk

AccountName = Annotated[str | None, typer.Option("--account", help="Whose: the name of an account.")]


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What stands before the command: `kinfolk --data DIR --config FILE --verbose COMMAND`."""

    data: Path | None
    config: Path | None
    verbose: bool

    def settings(self, overrides: Mapping[str, Any] | None = None) -> Settings:
        """The validated configuration. Raises `SettingsError`."""
        return load_settings(self.data, self.config, overrides)


def options(context: typer.Context) -> GlobalOptions:
    """The shared options of this call."""
    found = context.find_object(GlobalOptions)
    if found is None:
        raise RuntimeError("a command was called without the main callback")
    return found


@contextmanager
def opened(context: typer.Context, *, exclusive: bool) -> Iterator["Kinfolk"]:
    """The parts, for the length of one command.

    Args:
        context: of the command.
        exclusive: the command runs models or uses the index, so no `serve` may work on the folder at the same time.
    """
    # Everything else Kinfolk needs is imported here and not at the top: `--help` and `--version` answer at once.
    from plugin import assemble  # noqa: PLC0415

    shared = options(context)
    log_to_terminal("debug" if shared.verbose else "warning")
    with assemble.open_kinfolk(shared.settings(), exclusive=exclusive) as kinfolk:
        yield kinfolk


def account_of(kinfolk: "Kinfolk", name: str | None) -> Account:
    """The account a command acts for: the named one, else the first administrator.

    Raises:
        NotFound: no account of that name.
    """
    accounts = kinfolk.catalogue.accounts
    if name is None:
        everybody = accounts.all() or [accounts.add("admin", None, is_admin=True)]
        return next((account for account in everybody if account.is_admin), everybody[0])
    account = accounts.by_name(name)
    if account is None:
        known = ", ".join(other.name for other in accounts.all())
        raise NotFound(f"There is no account {name!r}", f"Choose one of: {known}")
    return account


def sure(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone, unless `--yes` was given; ends the command on "no"."""
    if not yes and not typer.confirm(question, err=True):
        note("Nothing was changed.")
        raise typer.Exit(1)
