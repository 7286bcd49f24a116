"""`kinfolk library`: where the photos are."""

from pathlib import Path
from typing import Annotated

import typer

from plugin.cli.context import AccountName, account_of, opened, sure
from plugin.cli.output import note, printable, say, table
from plugin.domain import Library
from plugin.errors import NotFound


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    library = typer.Typer(no_args_is_help=True, help="Where the photos are: add, list and remove libraries.")
    add = typer.Typer(no_args_is_help=True, help="Add a library.")
    add.command("folder")(add_folder)
    add.command("nextcloud")(add_nextcloud)
    add.command("photoprism")(add_photoprism)
    add.command("manifest")(add_manifest)
    library.add_typer(add, name="add")
    library.command("list")(list_libraries)
    library.command("remove")(remove)
    app.add_typer(library, name="library")


def add_folder(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A folder with photos; everything below it belongs to the library.")],
    account: AccountName = None,
) -> None:
    """Add a folder of photos. The photos are only ever read."""
    with opened(context, exclusive=False) as kinfolk:
        library = kinfolk.add_folder(account_of(kinfolk, account).id, str(path.expanduser().absolute()))
        say(f"Library {library.id} is the folder {printable(library.address)}")


def add_nextcloud(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="Of the server, as in the browser: https://cloud.example.org")],
    user: Annotated[str, typer.Option(help="The name you log in with at Nextcloud.")],
    account: AccountName = None,
    fingerprint: Annotated[
        str, typer.Option(help="SHA-256 fingerprint of the server's certificate when nobody vouches for it.")
    ] = "",
) -> None:
    """Add a user's photos at a Nextcloud. The password is asked for; an app password is enough, and what is kept."""
    password = typer.prompt("App password", hide_input=True, err=True)
    with opened(context, exclusive=False) as kinfolk:
        owner = account_of(kinfolk, account)
        library = kinfolk.connections.with_password(owner, address, user, password, fingerprint=fingerprint)
        say(f"Library {library.id} is {printable(library.address)}")


def add_photoprism(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="Of the server, as in the browser: https://photos.example.org")],
    user: Annotated[
        str, typer.Option(help="Your name there, to have an app password made with your own password.")
    ] = "",
    private: Annotated[bool, typer.Option("--private", help="Read private photos, too.")] = False,  # noqa: FBT002  typer
    live: Annotated[bool, typer.Option("--live", help="Listen for new photos (websocket).")] = False,  # noqa: FBT002  typer
    account: AccountName = None,
    fingerprint: Annotated[
        str, typer.Option(help="SHA-256 fingerprint of the server's certificate when nobody vouches for it.")
    ] = "",
) -> None:
    """Add the photos of a PhotoPrism. An app password is asked for, and kept; enter none for public mode."""
    asked = "Your password, used once" if user else "App password or access token"
    password = typer.prompt(asked, hide_input=True, err=True, default="", show_default=False)
    with opened(context, exclusive=False) as kinfolk:
        connected = kinfolk.photoprism.connect(
            account_of(kinfolk, account),
            address,
            password,
            user=user,
            fingerprint=fingerprint,
            private=private,
            live=live,
        )
        library = connected.library
        what = f"PhotoPrism {connected.edition_name} {connected.version}"
        say(f"Library {library.id} is {printable(what)} at {printable(library.address)}")
        for sentence in connected.missing:
            note(f"{sentence}.")


def add_manifest(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="Of a JSON document that lists photos; see docs/adding-a-host.md.")],
    user: Annotated[str, typer.Option(help="Your name, where the server wants one; the password is asked.")] = "",
    token: Annotated[bool, typer.Option("--token", help="Ask for a token the server wants.")] = False,  # noqa: FBT002  typer
    account: AccountName = None,
) -> None:
    """Add the photos a program lists in a JSON document on a web server. Only that server is asked."""
    asked = "Password" if user else "Token"
    secret = typer.prompt(asked, hide_input=True, err=True) if user or token else ""
    with opened(context, exclusive=False) as kinfolk:
        library = kinfolk.add_manifest(account_of(kinfolk, account).id, address, user, secret)
        say(f"Library {library.id} is the manifest {printable(library.address)}")


def list_libraries(context: typer.Context) -> None:
    """List the libraries of every account."""
    with opened(context, exclusive=False) as kinfolk:
        names = {account.id: account.name for account in kinfolk.catalogue.accounts.all()}
        libraries = kinfolk.catalogue.libraries.all()
        if not libraries:
            note("There is no library yet; add one with: kinfolk library add folder PATH")
            return
        rows = [
            (entry.id, entry.host, entry.address, names.get(entry.account_id, ""), entry.asset_count, _last_sync(entry))
            for entry in libraries
        ]
        table(("id", "host", "address", "account", "assets", "last compared"), rows, numbers=("id", "assets"))


def remove(
    context: typer.Context,
    library: Annotated[str, typer.Argument(help="Its id, or its address as `kinfolk library list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002  typer
) -> None:
    """Forget a library with its faces and corrections. The photos stay where they are."""
    with opened(context, exclusive=False) as kinfolk:
        found = _find(kinfolk.catalogue.libraries.all(), library)
        sure(f"Forget the library {printable(found.address)}, its faces, and what was said about them?", yes=yes)
        kinfolk.connections.disconnect(found)
        kinfolk.photoprism.disconnect(found)
        kinfolk.catalogue.libraries.remove(found.id)
        kinfolk.make_privacy().clean_up()
        say(f"Library {found.id} was removed; its photos were not touched")


def _find(libraries: list[Library], wanted: str) -> Library:
    addresses = {wanted, str(Path(wanted).expanduser().absolute())}
    for library in libraries:
        if str(library.id) == wanted or library.address in addresses:
            return library
    raise NotFound(f"There is no library {wanted!r}", "See `kinfolk library list`")


def _last_sync(library: Library) -> str:
    if library.last_sync_error:
        return library.last_sync_error
    return f"{library.last_sync_at:%Y-%m-%d %H:%M} UTC" if library.last_sync_at else "never"
