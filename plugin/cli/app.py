"""The list of commands, and what happens when one fails."""

import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from plugin import __version__
from plugin.cli import (
    accelerator,
    accounts,
    export,
    history,
    libraries,
    models,
    people,
    sample,
    scanning,
    serving,
    smart_home,
    upkeep,
    writeback,
)
from plugin.cli.context import GlobalOptions
from plugin.cli.output import note, say
from plugin.errors import KinfolkError, SettingsError

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


class KinfolkGroup(TyperGroup):
    """Turns errors that are part of the design into a message, an advice and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  click's own types moved between versions of typer
        """Run the command; 1 on an error, 2 on a wrong setting, 130 on Ctrl-C."""
        try:
            return super().invoke(ctx)
        except KinfolkError as error:
            if ctx.params.get("verbose"):
                note(traceback.format_exc())
            note(error.explanation, "red")
            raise typer.Exit(2 if isinstance(error, SettingsError) else 1) from error
        except (KeyboardInterrupt, typer.Abort) as error:
            note("\nStopped; the next run goes on where this one ended.")
            raise typer.Exit(INTERRUPTED) from error


app = typer.Typer(
    name="kinfolk",
    cls=KinfolkGroup,
    help="People for the photo library you already run: finds faces, groups them into persons, keeps what you say.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def show_version(wanted: bool) -> None:  # noqa: FBT001  typer passes the option's value
    """Print the version and end."""
    if wanted:
        say(f"kinfolk {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(envvar="KINFOLK_DATA", help="The data folder.  [default: ~/.local/share/kinfolk]"),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(envvar="KINFOLK_CONFIG", help="The configuration.  [default: config.yaml in the data folder]"),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show everything that is logged, and tracebacks.")] = False,  # noqa: FBT002  typer
    version: Annotated[  # noqa: ARG001, FBT002  handled by its callback
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Remember the options every command shares."""
    context.obj = GlobalOptions(data, config, verbose)


serving.register(app)
libraries.register(app)
scanning.register(app)
people.register(app)
history.register(app)
export.register(app)
models.register(app)
accelerator.register(app)
accounts.register(app)
upkeep.register(app)
sample.register(app)
writeback.register(app)
smart_home.register(app)
