"""`kinfolk people`: who was found."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from plugin.cli.context import AccountName, account_of, opened
from plugin.cli.output import note, table
from plugin.domain import AccountId, Person

if TYPE_CHECKING:
    from plugin.assemble import Kinfolk

PAGE = 1000


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(people)


def people(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list.")] = False,  # noqa: FBT002  typer
    everybody: Annotated[bool, typer.Option("--all", help="Hidden people and those with few faces, too.")] = False,  # noqa: FBT002
    account: AccountName = None,
) -> None:
    """List the people, most faces first."""
    with opened(context, exclusive=False) as kinfolk:
        found = list(every_person(kinfolk, account_of(kinfolk, account).id, everybody=everybody))
    if as_json:
        typer.echo(json.dumps([as_row(person) for person in found], indent=2))
    elif found:
        rows = [(person.name or "(no name yet)", person.face_count, person.photo_count, person.id) for person in found]
        table(("name", "faces", "photos", "id"), rows, numbers=("faces", "photos", "id"))
    else:
        note("Nobody was found yet; look for people with: kinfolk scan")


def every_person(kinfolk: "Kinfolk", account_id: AccountId, *, everybody: bool) -> Iterator[Person]:
    """The people of an account as the People page shows them, or with `everybody` all of them."""
    minimum = 1 if everybody else kinfolk.preferences.current().minimum_faces
    offset = 0
    while page := kinfolk.catalogue.people.all(
        account_id, minimum_faces=minimum, include_hidden=everybody, offset=offset, limit=PAGE
    ):
        yield from page
        offset += len(page)


def as_row(person: Person) -> dict[str, object]:
    """One entry of `kinfolk people --json`, see `docs/export.md`."""
    return {
        "id": person.id,
        "name": person.name or None,
        "faces": person.face_count,
        "photos": person.photo_count,
        "hidden": person.hidden,
    }
