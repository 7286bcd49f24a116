"""`kinfolk serve` and `kinfolk worker`: the commands that stay."""

from typing import Annotated, Any

import typer

from plugin.cli.context import options
from plugin.cli.output import log_to_terminal, say
from plugin.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(serve)
    app.command()(worker)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of web.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of web.port.")] = None,
    work: Annotated[bool, typer.Option("--worker/--no-worker", help="Whether to index as well.")] = True,  # noqa: FBT002  typer
) -> None:
    """Serve the pages and index in the background, until Ctrl-C."""
    given: dict[str, Any] = {"host": host, "port": port}
    web = {key: value for key, value in given.items() if value is not None}
    settings = _prepared(context, {"web": web} if web else {})
    from plugin import assemble  # noqa: PLC0415  see plugin.cli.context.opened

    assemble.serve(settings, announce, worker=work)


def worker(context: typer.Context) -> None:
    """Index in the background without serving pages, until Ctrl-C."""
    settings = _prepared(context, {})
    from plugin import assemble  # noqa: PLC0415  see plugin.cli.context.opened

    assemble.run_worker(settings)


def announce(address: str, first_start: str | None) -> None:
    """Tell where the pages are. The first-start link is a secret: it goes to the terminal only, never into a log."""
    say(f"Kinfolk is ready: {address}  (stop it with Ctrl-C)")
    if first_start:
        say(f"First start: choose your name and password at {first_start}")


def _prepared(context: typer.Context, overrides: dict[str, Any]) -> Settings:
    shared = options(context)
    settings = shared.settings(overrides)
    log_to_terminal("debug" if shared.verbose else settings.log_level)
    return settings
