"""`kinfolk home`: take back what Home Assistant was told, and `kinfolk snapshot`, for its backups."""

import typer

from plugin.cli.context import opened, options
from plugin.cli.output import say
from plugin.errors import BrokerAway, BrokerError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    home = typer.Typer(no_args_is_help=True, help="What Home Assistant is told through MQTT.")
    home.callback()(lambda: None)
    home.command("clear")(clear)
    app.add_typer(home, name="home")
    snapshot = typer.Typer(no_args_is_help=True, help="Before and after somebody copies the whole data folder.")
    snapshot.command("take")(take)
    snapshot.command("drop")(drop)
    app.add_typer(snapshot, name="snapshot")


def clear(context: typer.Context) -> None:
    """Tell Home Assistant nothing more, for any account, and empty every topic at the broker: before a removal."""
    with opened(context, exclusive=True) as kinfolk:
        kinfolk.smart_home.forbid_all()
        link, known = kinfolk.home_link, len(kinfolk.catalogue.smart_home.topics())
        if link is None and known:
            raise BrokerAway(f"{known} topics are left, but no MQTT broker is known", "Name it in mqtt.host")
        try:
            emptied = link.clear() if link else 0
        except BrokerError as error:
            if known:
                raise
            emptied = 0
            say(f"Nothing is known to be left; the broker could not be asked. {error.explanation}")
    say(f"Home Assistant is told nothing more; {emptied} topics were emptied")


def take(context: typer.Context) -> None:
    """Put a consistent copy of the catalogue into the data folder; `serve` may go on meanwhile."""
    from plugin.assemble.data_folder import DataFolder  # noqa: PLC0415  see plugin.cli.context.opened
    from plugin.assemble.snapshot import take_snapshot  # noqa: PLC0415

    folder = DataFolder(options(context).settings().data)
    if not folder.catalogue.exists():
        say("There is no catalogue yet, so nothing to copy")
        return
    say(f"Wrote {take_snapshot(folder)}; copy the folder without catalogue.db*, then run: kinfolk snapshot drop")


def drop(context: typer.Context) -> None:
    """Remove that copy again."""
    from plugin.assemble.data_folder import DataFolder  # noqa: PLC0415
    from plugin.assemble.snapshot import drop_snapshot  # noqa: PLC0415

    drop_snapshot(DataFolder(options(context).settings().data))
    say("The copy is gone")
