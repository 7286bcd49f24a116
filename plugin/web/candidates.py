"""Whom a face may be given to, in the order somebody would think of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from plugin.domain import Face, Person, PersonId
from plugin.web.request_context import account, services
from plugin.web.tiles import PersonTile, person_tiles

SHOWN = 12
LIKELY, RECENT = 5, 4
"""Of each kind offered before everybody else, so that a phone shows both without scrolling far."""

ALIKE = 1.3
"""Times the maximum recognition distance: beyond it strangers begin, and nobody should be told that they look alike."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody the face may be. `why` is `alike`, `lately` (chosen by a user) or "" for everybody else."""

    tile: PersonTile
    why: str = ""


def candidates(search: str, face: Face) -> list[Candidate]:
    """Most likely people first, then those chosen lately, then named ones with most photos; not who it is now."""
    owner, rows = account().id, services().catalogue.people
    alike = services().preferences.current().maximum_distance * ALIKE
    near = services().face_search.likely_people(owner, face.id, LIKELY)
    likely = [person.person_id for person in near if person.distance <= alike]
    lately = services().catalogue.verdicts.recent_persons(owner, RECENT)
    everybody = rows.all(owner, minimum_faces=1, search=search, limit=5 * SHOWN)
    first = [] if search else rows.many(list(dict.fromkeys([*likely, *lately])), owner)
    known = {person.id: person for person in [*first, *everybody] if person.id != face.person_id}
    chosen = sorted(known.values(), key=lambda person: place(person, likely, lately))[:SHOWN]
    tiles = person_tiles(chosen)
    return [Candidate(tile, reason(tile.person.id, likely, lately)) for tile in tiles]


def place(person: Person, likely: Sequence[PersonId], lately: Sequence[PersonId]) -> tuple[int, int]:
    """Where in the list; people of equal rank stay as they came, most photos first."""
    if person.id in likely:
        return 0, likely.index(person.id)
    if person.id in lately:
        return 1, lately.index(person.id)
    return (2, 0) if person.name else (3, 0)


def reason(person_id: PersonId, likely: Sequence[PersonId], lately: Sequence[PersonId]) -> str:
    """Why somebody is offered before the others."""
    return "alike" if person_id in likely else "lately" if person_id in lately else ""
