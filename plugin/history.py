"""What users did to people and faces, and taking it back."""

from plugin.domain import AccountId, Event
from plugin.errors import Refused
from plugin.ports.catalogue import Catalogue
from plugin.ports.work import Nudge


class History:
    """The events behind the history and its undo.

    Args:
        catalogue: where they are recorded.
        nudge: wakes recognition, for faces that wait again.
    """

    def __init__(self, catalogue: Catalogue, nudge: Nudge) -> None:
        self._catalogue = catalogue
        self._nudge = nudge

    def latest(self, account_id: AccountId, limit: int = 50, offset: int = 0) -> list[Event]:
        """Newest first."""
        return self._catalogue.events.all(account_id, limit, offset)

    def standing(self, account_id: AccountId) -> Event | None:
        """The newest event that was not taken back: what an undo takes back next."""
        return self._catalogue.events.standing(account_id)

    def undo(self, account_id: AccountId, steps: int = 1, expected: int | None = None) -> list[Event]:
        """Take back the newest events that still stand, as many as there are up to `steps`.

        Raises:
            Refused: there is nothing to undo, or the newest one is not the `expected` one any more.
        """
        undone = [self._catalogue.events.undo(account_id, expected)]
        while len(undone) < steps and self.standing(account_id) is not None:
            undone.append(self._catalogue.events.undo(account_id))
        self._nudge.recognition()
        return undone

    def standing_since(self, account_id: AccountId, event_id: int) -> list[Event]:
        """What undoing back to this event takes back, the event itself last.

        Raises:
            NotFound: there is no such event, or it was taken back.
        """
        return self._catalogue.events.standing_since(account_id, event_id)

    def undo_back_to(self, account_id: AccountId, event_id: int, expected: int) -> list[Event]:
        """Take back everything since this event, and the event itself, the newest first.

        Each is taken back as a whole; a kill in between leaves the older ones standing.

        Raises:
            NotFound: there is no such event, or it was taken back.
            Refused: the newest one is not the `expected` one any more.
        """
        standing = self.standing_since(account_id, event_id)
        if standing[0].id != expected:
            raise Refused("Something newer has happened meanwhile", "Look at the history again and choose anew")
        undone = [self._catalogue.events.undo(account_id, event.id) for event in standing]
        self._nudge.recognition()
        return undone
