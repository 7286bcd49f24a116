"""`kinfolk writeback`: tell the hosts who is on their photos, now and in the foreground."""

from typing import TYPE_CHECKING, Annotated

import typer

from plugin.cli.context import opened
from plugin.cli.output import note, printable, say, table
from plugin.domain import Library

if TYPE_CHECKING:
    from plugin.assemble import Kinfolk
    from plugin.ports.written import NameKind


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(writeback)


def writeback(
    context: typer.Context,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would be written.")] = False,  # noqa: FBT002  typer
) -> None:
    """Write names to hosts, for each library where that was turned on (Libraries, Names to the host)."""
    with opened(context, exclusive=not preview) as kinfolk:
        if preview:
            _show(kinfolk)
            return
        for library in kinfolk.catalogue.libraries.all():
            taken = kinfolk.writing.take_over(library.id)
            if taken is not None and taken.anything:
                say(f"Library {library.id} ({printable(library.address)}): {taken.named:,} names taken over from there")
        settings = kinfolk.catalogue.written.settings()
        if not settings:
            note("Names are written to no host; turn it on under Libraries, Names to the host")
        for setting in settings:
            library = kinfolk.catalogue.libraries.get(setting.library_id)
            done = kinfolk.writing.run(library.id, setting.kind)
            say(f"{_title(library, setting.kind)}: {done.photos:,} photos written, {done.troubles:,} in trouble")
            after = kinfolk.catalogue.written.setting(library.id, setting.kind)
            if after is not None and after.error:
                note(after.error)


def _show(kinfolk: "Kinfolk") -> None:
    rows: list[tuple[object, ...]] = []
    for library in kinfolk.catalogue.libraries.all():
        for status in kinfolk.writing.status(library):
            plan = kinfolk.catalogue.written.plan(library.id, status.kind)
            state = status.setting.state.value if status.setting else "off"
            rows.append(
                (library.id, printable(library.address), status.kind.value, state, plan.photos, plan.put, plan.take)
            )
    if rows:
        columns = ("id", "address", "way", "state", "photos", "to write", "to remove")
        table(columns, rows, numbers=("id", "photos", "to write", "to remove"))
    else:
        note("There is no library whose host takes names")


def _title(library: Library, kind: "NameKind") -> str:
    return f"Library {library.id} ({printable(library.address)}), {kind.value}"
