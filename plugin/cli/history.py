"""`kinfolk history` and `kinfolk undo`: what users did, and taking it back."""

import json
from typing import Annotated

import typer

from plugin.cli.context import AccountName, account_of, opened
from plugin.cli.output import note, say, table


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(history)
    app.command()(undo)


def history(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list.")] = False,  # noqa: FBT002  typer
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 50,
    account: AccountName = None,
) -> None:
    """List what was done to people and faces, newest first."""
    with opened(context, exclusive=False) as kinfolk:
        events = kinfolk.history.latest(account_of(kinfolk, account).id, limit)
    if as_json:
        rows = [{"at": event.at.isoformat(), "title": event.title, "undone": event.undone} for event in events]
        typer.echo(json.dumps(rows, indent=2))
    elif events:
        shown = [
            (f"{event.at.astimezone():%Y-%m-%d %H:%M}", event.title, "undone" if event.undone else "")
            for event in events
        ]
        table(("when", "what", ""), shown)
    else:
        note("Nothing was done yet; people are named and corrected on the pages of: kinfolk serve")


def undo(
    context: typer.Context,
    steps: Annotated[int, typer.Option(min=1, help="How many of the newest actions.")] = 1,
    account: AccountName = None,
) -> None:
    """Take back what was done last."""
    with opened(context, exclusive=False) as kinfolk:
        for event in kinfolk.history.undo(account_of(kinfolk, account).id, steps):
            say(f"Undone: {event.title}")
