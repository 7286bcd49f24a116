"""`kinfolk user`: who may log in."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from plugin.accounts import Accounts
from plugin.cli.context import account_of, opened, sure
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
    user.command("list")(show_all)
    user.command("role")(role)
    user.command("invite")(invite)
    user.command("remove")(remove)
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
        account = _take_first(kinfolk, name) or accounts_of(kinfolk).add(name, None, is_admin=admin)
        accounts_of(kinfolk).set_password(account.id, password)
        say(f"{printable(name)} can log in now")


def passwd(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The account.")],
    password_stdin: FromStdin = False,  # noqa: FBT002  typer
) -> None:
    """Set a new password; ends every session of the account."""
    with opened(context, exclusive=False) as kinfolk:
        account = account_of(kinfolk, name)
        accounts_of(kinfolk).set_password(account.id, ask_password(from_stdin=password_stdin))
        say(f"The password of {printable(account.name)} was changed")


def show_all(context: typer.Context) -> None:
    """List all accounts."""
    with opened(context, exclusive=False) as kinfolk:
        for account in accounts_of(kinfolk).all():
            role = "administrator" if account.is_admin else "member"
            say(f"{printable(account.name)}  {role}{'' if account.password_hash else ', no password yet'}")


def role(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The account.")],
    admin: Annotated[bool, typer.Option("--admin/--member", help="What it shall be.")],
) -> None:
    """Make an account administrator or member; one administrator always stays."""
    with opened(context, exclusive=False) as kinfolk:
        account = account_of(kinfolk, name)
        accounts_of(kinfolk).set_admin(account.id, is_admin=admin)
        say(f"{printable(account.name)} is {'an administrator' if admin else 'a member'} now")


def invite(context: typer.Context, name: Annotated[str, typer.Argument(help="The account.")]) -> None:
    """Print the end of a link with which the account's password is set, once, within a week."""
    with opened(context, exclusive=False) as kinfolk:
        token = accounts_of(kinfolk).invite(account_of(kinfolk, name).id)
        say(f"Add this to the address of Kinfolk: /invitation?token={token}")


def remove(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The account.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002  typer
) -> None:
    """Remove an account with its libraries, people and faces, for good. Photos are not touched."""
    with opened(context, exclusive=False) as kinfolk:
        account = account_of(kinfolk, name)
        sure(f"Remove {printable(account.name)} with all libraries, people and faces, for good?", yes=yes)
        accounts_of(kinfolk).remove(account.id)
        kinfolk.make_privacy().clean_up()
        say(f"{printable(account.name)} was removed")


def accounts_of(kinfolk: "Kinfolk") -> Accounts:
    """The functions that the Accounts page uses as well."""
    return Accounts(kinfolk.catalogue, password_guard().hash)


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
    accounts_of(kinfolk).rename(everybody[0].id, name)
    return everybody[0]
