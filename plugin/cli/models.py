"""`kinfolk models`: the model packs of this installation."""

from typing import Annotated

import typer

from plugin.cli.context import opened
from plugin.cli.output import note, say, table
from plugin.cli.progress import DownloadDisplay


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    models = typer.Typer(no_args_is_help=True, help="Model packs: which there are, and fetching one.")
    models.command("list")(list_packs)
    models.command("pull")(pull)
    app.add_typer(models, name="models")


def list_packs(context: typer.Context) -> None:
    """List the model packs."""
    with opened(context, exclusive=False) as kinfolk:
        in_use = kinfolk.preferences.current().pack
        rows = [
            (
                f"{pack.name} *" if pack.name == in_use else pack.name,
                pack.title,
                f"{pack.licence} (to be accepted)" if pack.needs_acceptance else pack.licence,
                f"{pack.download_bytes / 1e6:.0f} MB",
                "yes" if kinfolk.models.installed(pack.name) else "no",
                "yes" if pack.tested else "no",
            )
            for pack in kinfolk.models.packs()
        ]
    table(("name", "title", "licence", "size", "installed", "tested"), rows, numbers=("size",))
    note("* in use")


def pull(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The pack; without it, the one in use.")] = None,
    accept_licence: Annotated[  # noqa: FBT002  typer
        bool, typer.Option("--accept-licence", help="You read the licence of this pack and accept it.")
    ] = False,
) -> None:
    """Fetch a model pack, so that everything works offline from then on."""
    with opened(context, exclusive=False) as kinfolk:
        pack = name or kinfolk.preferences.current().pack
        if accept_licence:
            kinfolk.preferences.accept_licence(pack)
        with DownloadDisplay() as display:
            kinfolk.pull_pack(pack, display)
        say(f"Model pack {pack} is installed")
