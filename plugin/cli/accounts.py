"""`kinfolk user`: who may log in."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from plugin.cli.context import account_of, opened
from plugin.cli.output import printable, say
from plugin.domain import Account
from plugin.web.passwords import check_length, password_guard

if TYPE_CHECKING:
    from plugin.assemble import Kinfolk

FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    user = typer.Typer(no_args_is_help=True, help="Accounts: who may log in.")
    user.command("add")(add)
    user.command("passwd")(passwd)
    app.add_typer(user, name="user")


def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    admin: Annotated[bool, typer.Option("--admin", help="May change settings and libraries.")] = False,  # noqa: FBT002  typer
    password_stdin: FromStdin = False,  # noqa: FBT002  typer
) -> None:
    """Add an account. The first one is the administrator and owns the libraries added before."""
    with opened(context, exclusive=False) as kinfolk:
        password = ask_password(from_stdin=password_stdin)
        account = _take_first(kinfolk, name) or kinfolk.catalogue.accounts.add(name, None, is_admin=admin)
        _set(kinfolk, account, password)
        say(f"{printable(name)} can log in now")


def passwd(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The account.")],
    password_stdin: FromStdin = False,  # noqa: FBT002  typer
) -> None:
    """Set a new password; ends every session of the account."""
    with opened(context, exclusive=False) as kinfolk:
        account = account_of(kinfolk, name)
        _set(kinfolk, account, ask_password(from_stdin=password_stdin))
        say(f"The password of {printable(account.name)} was changed")


def ask_password(*, from_stdin: bool) -> str:
    """Ask for a new password twice without showing it, or read one line.

    Raises:
        Refused: too short or too long.
    """
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    check_length(password)
    return password


def _take_first(kinfolk: "Kinfolk", name: str) -> Account | None:
    """The account every installation begins with, while nobody has set its password: it already owns libraries."""
    accounts = kinfolk.catalogue.accounts
    everybody = accounts.all()
    if not everybody or any(account.password_hash for account in everybody):
        return None
    accounts.rename(everybody[0].id, name)
    return everybody[0]


def _set(kinfolk: "Kinfolk", account: Account, password: str) -> None:
    kinfolk.catalogue.accounts.set_password(account.id, password_guard().hash(password))
