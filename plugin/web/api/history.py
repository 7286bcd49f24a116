"""History: what was done to people and faces, and taking it back."""

from datetime import datetime

from pydantic import Field

from plugin.domain import TokenScope
from plugin.web.api.resource import Resource
from plugin.web.api.values import Answer, Body, Id, Most
from plugin.web.request_context import account, services

api = Resource("history", "History")


class Event(Answer):
    """One thing that was done."""

    id: int
    title: str
    at: datetime
    undone: bool


class EventList(Answer):
    """What was done, newest first."""

    events: list[Event]
    standing_id: int | None = Field(description="The event that an undo takes back next")


class ToUndo(Body):
    """The event to take back: the newest that stands, so that a repeated request takes back nothing else."""

    event_id: Id


class ToUndoBackTo(Body):
    """How far to go back."""

    event_id: Id = Field(description="The oldest event to take back")
    standing_id: Id = Field(description="The newest that stands (`standing_id` of the history)")


class Undone(Answer):
    """What was taken back, the newest first."""

    events: list[Event]


@api.operation("get", "/history", TokenScope.READ, EventList)
def listed(query: Most) -> EventList:
    """What was done, newest first."""
    history, owner = services().history, account().id
    standing = history.standing(owner)
    events = [Event.model_validate(event) for event in history.latest(owner, query.limit)]
    return EventList(events=events, standing_id=standing.id if standing else None)


@api.operation(
    "post", "/history/undo", TokenScope.VERDICTS, Event, problems={409: "It is not the newest that stands any more"}
)
def undo(body: ToUndo) -> Event:
    """Take back the newest thing that stands."""
    (undone,) = services().history.undo(account().id, expected=body.event_id)
    return Event.model_validate(undone)


@api.operation(
    "post",
    "/history/undo-back-to",
    TokenScope.VERDICTS,
    Undone,
    problems={409: "Something newer happened while it was taken back"},
)
def undo_back_to(body: ToUndoBackTo) -> Undone:
    """Take back an event and everything since."""
    undone = services().history.undo_back_to(account().id, body.event_id, body.standing_id)
    return Undone(events=[Event.model_validate(event) for event in undone])
