"""`kinfolk scan`, `detect` and `recognize`: the long work, in the foreground."""

from typing import Annotated

import typer

from plugin.cli.context import opened
from plugin.cli.output import duration, note, printable, say, table
from plugin.cli.progress import ScanDisplay
from plugin.domain import ScanSummary


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(scan)
    app.command()(detect)
    app.command()(recognize)


def scan(context: typer.Context) -> None:
    """Compare every library with its host, find faces, recognise people; to the end, then a summary."""
    with opened(context, exclusive=True) as kinfolk:
        if not kinfolk.catalogue.libraries.all():
            note("There is no library yet; add one with: kinfolk library add folder PATH")
        with ScanDisplay() as display:
            summary = kinfolk.scan(display)
        show(summary)


def detect(
    context: typer.Context,
    missing: Annotated[bool, typer.Option("--missing", help="Photos without a result.")] = False,  # noqa: FBT002  typer
    refresh: Annotated[bool, typer.Option("--refresh", help="All photos; known faces stay known.")] = False,  # noqa: FBT002
    reset: Annotated[bool, typer.Option("--reset", help="From scratch; what you said is kept.")] = False,  # noqa: FBT002
    asset: Annotated[int | None, typer.Option(help="Only the asset with this id.")] = None,
) -> None:
    """Find faces, then recognise those that are new."""
    mode = _one_of(missing=missing, refresh=refresh, reset=reset)
    with opened(context, exclusive=True) as kinfolk:
        if asset is not None:
            kinfolk.catalogue.assets.get(asset)
        pack = kinfolk.preferences.current().pack
        waiting = kinfolk.catalogue.detection.request(mode, pack, None if asset is None else [asset])
        say(f"{waiting:,} photos and videos to look at")
        with ScanDisplay() as display:
            kinfolk.run_detection(display)
            kinfolk.run_recognition(display)


def recognize(
    context: typer.Context,
    missing: Annotated[bool, typer.Option("--missing", help="Faces that belong to nobody yet.")] = False,  # noqa: FBT002  typer
    reset: Annotated[bool, typer.Option("--reset", help="From scratch; what you said is kept.")] = False,  # noqa: FBT002
) -> None:
    """Group faces into people."""
    mode = _one_of(missing=missing, reset=reset)
    with opened(context, exclusive=True) as kinfolk:
        if mode == "reset":
            kinfolk.recognition.reset()
        else:
            kinfolk.recognition.missing()
        with ScanDisplay() as display:
            kinfolk.run_recognition(display)


def show(summary: ScanSummary) -> None:
    """Print what the catalogue holds after a scan."""
    counts = [
        ("Assets", summary.assets),
        ("Faces", summary.faces),
        ("People", summary.people),
        ("Unassigned faces", summary.unassigned),
        ("Failures", sum(failure.count for failure in summary.failures)),
    ]
    say(f"Done in {duration(summary.seconds)}")
    table(("", ""), counts, numbers=("",))
    if summary.failures:
        rows = [(failure.count, failure.code, printable(failure.message)) for failure in summary.failures]
        table(("count", "reason", "explanation"), rows, numbers=("count",))


def _one_of(**modes: bool) -> str:
    chosen = [name for name, wanted in modes.items() if wanted]
    if len(chosen) != 1:
        raise typer.BadParameter(f"name exactly one of {', '.join(f'--{name}' for name in modes)}")
    return chosen[0]
