"""`kinfolk accelerator`: what runs the models on this machine, and how fast."""

import typer

from plugin.cli.context import opened
from plugin.cli.output import note, printable, say


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(accelerator)


def accelerator(context: typer.Context) -> None:
    """Try the accelerator (see docs/amd.md) and compare it with the processor; compiling may take minutes, once."""
    with opened(context, exclusive=False) as kinfolk:
        trial = kinfolk.try_accelerator(note)
        hint = kinfolk.card_hint()
    say(f"ONNX Runtime: {trial.runtime}")
    say(f"AMD packages: {trial.no_package or 'fit this machine (kinfolk[migraphx], kinfolk[rocm])'}")
    say(f"AMD cards: {', '.join(trial.cards) or 'none'}")
    if hint:
        say(f"This card probably needs runtime.gfx_override: {hint}")
    say(f"Runs on: {trial.provider.removesuffix('ExecutionProvider')}" + (f" ({trial.device})" if trial.device else ""))
    say(f"Pictures a second, one thread: {trial.pace:.1f} (on the processor {trial.cpu_pace:.1f})")
    for warning in trial.warnings:
        note(printable(warning), "yellow")
