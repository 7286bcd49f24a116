"""Groups of faces of nobody, as cards that name all of a group or those chosen, and what their forms send."""

from dataclasses import dataclass

from flask import request

from plugin.domain import FaceId
from plugin.errors import Refused
from plugin.ports.galleries import Group, NobodyCounts
from plugin.suggestions import MOST_IN_GROUP
from plugin.web.paging import Paging, asked_number, asked_page
from plugin.web.request_context import account, form_ids, form_text, parse_id, services
from plugin.web.tiles import FaceTile, face_tiles

SHOWN = 12
"""Faces shown of one group on its card."""


@dataclass(frozen=True, slots=True)
class FaceGroup:
    """Faces that look alike, and the first of them to look at. `more` are not shown."""

    group: Group
    tiles: list[FaceTile]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.group.count - len(self.tiles)

    @property
    def last_shown(self) -> FaceId:
        """The highest id among those shown; those above it are the rest."""
        return self.tiles[-1].face.id if self.tiles else 0


def largest_groups(limit: int) -> list[FaceGroup]:
    """So many groups, the largest first."""
    pack = services().preferences.current().pack
    return with_faces(services().catalogue.galleries.largest_groups(account().id, pack, 0, limit)[1])


def page_of_groups(page_size: int) -> tuple[list[FaceGroup], Paging, NobodyCounts]:
    """The groups of the page that is asked for, the largest first, and how many there are."""
    galleries, pack, owner = services().catalogue.galleries, services().preferences.current().pack, account().id
    offset = (asked_number() - 1) * page_size
    counts, groups = galleries.largest_groups(owner, pack, offset, page_size)
    paging = asked_page(counts.groups, page_size)
    if paging.offset != offset:
        _, groups = galleries.largest_groups(owner, pack, paging.offset, page_size)
    return with_faces(groups), paging, counts


def with_faces(groups: list[Group]) -> list[FaceGroup]:
    """With the first faces of each to look at."""
    galleries, pack = services().catalogue.galleries, services().preferences.current().pack
    members = galleries.members(account().id, pack, [group.key for group in groups], SHOWN)
    tiles = face_tiles([members.get(group.key, []) for group in groups])
    return [FaceGroup(group, shown) for group, shown in zip(groups, tiles, strict=True)]


def chosen_faces() -> list[FaceId]:
    """The faces a form was sent for: those ticked, and the rest of a group up to the last one there was then.

    Raises:
        Refused: none.
    """
    chosen = form_ids("face")
    if "rest" in request.form:
        key, after, up_to = (parse_id(form_text(name)) for name in ("group", "rest", "up_to"))
        rest = group_members(key, MOST_IN_GROUP, after)
        chosen += [face_id for face_id in rest if face_id <= up_to and face_id not in set(chosen)]
    if not chosen:
        raise Refused("No faces were chosen", "Choose at least one")
    return chosen


def group_members(key: FaceId, limit: int, after: FaceId = 0) -> list[FaceId]:
    """The faces of one group above an id, lowest id first; [] when there is no such group."""
    pack = services().preferences.current().pack
    return services().catalogue.galleries.members(account().id, pack, [key], limit, after).get(key, [])
