"""`kinfolk export faces`: every face as JSON, for other programs. The format is documented in `docs/export.md`."""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from plugin.cli.context import opened
from plugin.cli.output import note
from plugin.domain import ExportedFace
from plugin.errors import DiskFull

DECIMALS = 6
"""A fraction of a picture this small is far below a pixel."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    export = typer.Typer(no_args_is_help=True, help="Take results to other programs.")
    export.callback()(lambda: None)
    export.command("faces")(faces)
    app.add_typer(export, name="export")


def faces(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON array; the only format so far.")] = True,  # noqa: ARG001, FBT002  named so that another format can come
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of standard output.")] = None,
) -> None:
    """Write one row per face."""
    with opened(context, exclusive=False) as kinfolk:
        rows = (as_row(exported) for exported in kinfolk.catalogue.faces.export(None))
        if output is None or str(output) == "-":
            write_array(rows, sys.stdout)
            return
        with replacing(output) as file:
            count = write_array(rows, file)
        note(f"Wrote {count:,} faces to {output}")


def as_row(exported: ExportedFace) -> dict[str, object]:
    """One face as documented."""
    face = exported.face
    box = {key: round(float(getattr(face.box, key)), DECIMALS) for key in ("x", "y", "w", "h")}
    return {
        "library": exported.library,
        "asset_id": face.asset_id,
        "path": exported.path,
        "box": box,
        "landmarks": [[round(float(x), DECIMALS), round(float(y), DECIMALS)] for x, y in face.landmarks],
        "score": round(float(face.score), DECIMALS),
        "quality": round(float(face.quality), DECIMALS),
        "model": face.pack,
        "person_id": face.person_id,
        "person_name": face.person_name or None,
        "assigned_by": face.assigned_by and face.assigned_by.value,
        "state": face.state.value,
    }


def write_array(rows: Iterable[dict[str, object]], file: TextIO) -> int:
    """Write a JSON array, one row per line, without holding it in memory; returns the number of rows.

    Plain ASCII (other characters are escaped), so that no terminal or locale can spoil it.
    """
    count = 0
    for count, row in enumerate(rows, start=1):
        file.write("[\n" if count == 1 else ",\n")
        file.write(json.dumps(row))
    file.write("\n]\n" if count else "[]\n")
    return count


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text file that takes the place of `path` once it is complete; on any error `path` stays as it was.

    Raises:
        DiskFull: it cannot be written.
    """
    part: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.absolute().parent)
        part = Path(name)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskFull(f"{path} cannot be written: {reason}", "Name another file, or make room") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
