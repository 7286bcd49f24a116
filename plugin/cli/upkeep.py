"""`kinfolk check`, `index rebuild`, `backup` and `restore`."""

from pathlib import Path
from typing import Annotated

import typer

from plugin.cli.context import opened, options, sure
from plugin.cli.output import note, printable, say

UNHEALTHY = 3


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    index = typer.Typer(no_args_is_help=True, help="The embedding index, a disposable copy of the catalogue.")
    index.callback()(lambda: None)
    index.command("rebuild")(rebuild)
    app.command()(check)
    app.add_typer(index, name="index")
    app.command()(backup)
    app.command()(restore)


def check(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Heal what can be healed.")] = False,  # noqa: FBT002  typer
) -> None:
    """Prove that the catalogue is sound and the index holds exactly its faces. Exit code 3: they do not."""
    with opened(context, exclusive=True) as kinfolk:
        found = kinfolk.check(repair=repair)
        # A repair is only believed when a second look finds nothing.
        left = kinfolk.check(repair=False) if repair and not found.healthy else found
    for finding in found.findings:
        say(printable(finding))
    if left.healthy:
        say("Healthy: the catalogue is sound and the index agrees with it" if found.healthy else "Repaired")
    else:
        note("Not healthy" + ("" if repair else "; heal it with: kinfolk check --repair"), "red")
        raise typer.Exit(UNHEALTHY)


def rebuild(context: typer.Context) -> None:
    """Throw the embedding index away and build it anew from the catalogue. No name can be lost."""
    with opened(context, exclusive=True) as kinfolk:
        faces = kinfolk.indexing.rebuild()
    say(f"The index was rebuilt from {faces:,} faces")


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file, such as kinfolk-backup.zip.")],
) -> None:
    """Write everything worth keeping into one file; `serve` may go on meanwhile."""
    with opened(context, exclusive=False) as kinfolk:
        kinfolk.backup(file.expanduser().absolute())
    say(f"Wrote {file} ({file.expanduser().stat().st_size / 1e6:.1f} MB)")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `kinfolk backup` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002  typer
) -> None:
    """Put a backup in the place of the catalogue."""
    settings = options(context).settings()
    sure(f"Replace the catalogue in {settings.data} by {file}?", yes=yes)
    from plugin import assemble  # noqa: PLC0415  see plugin.cli.context.opened

    assemble.restore(settings, file.expanduser().absolute())
    say(f"Restored {settings.data} from {file}")
