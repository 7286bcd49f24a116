"""What users do to many people at once. Each is one event of the history, so one undo takes all of it back.

People that are gone meanwhile (merged, deleted, or never this account's) are left out; the answer says how many were
left. With nobody left it is `NotFound`, as for a single person.
"""

from collections.abc import Sequence

from plugin.domain import AccountId, Person, PersonId
from plugin.errors import NotFound, Refused
from plugin.people import People, favouring, hiding
from plugin.ports.catalogue import Catalogue
from plugin.ports.work import Nudge
from plugin.sentences import Sentence


class BulkActions:
    """The actions behind the checkboxes of the People page.

    Args:
        catalogue: where everything is stored.
        people: the actions on one person.
        nudge: wakes recognition.
    """

    def __init__(self, catalogue: Catalogue, people: People, nudge: Nudge) -> None:
        self._catalogue = catalogue
        self._people = people
        self._nudge = nudge

    def chosen(self, account_id: AccountId, person_ids: Sequence[PersonId]) -> list[Person]:
        """Those among these that are still there.

        Raises:
            Refused: nobody was chosen.
            NotFound: nobody of them is there.
        """
        if not person_ids:
            raise Refused("Nobody was chosen", "Tick at least one person, then choose what to do")
        found = self._catalogue.people.existing(account_id, person_ids)
        if not found:
            raise NotFound("There are no such people")
        return found

    def merge(self, account_id: AccountId, into: PersonId, person_ids: Sequence[PersonId]) -> list[Person]:
        """Make all of these one person with `into`, who may be among them; returns who was merged.

        Raises:
            Refused: nobody besides `into` is left.
            NotFound: `into` is gone; nothing is merged then.
        """
        self._catalogue.people.get(into, account_id)
        others = [person for person in self.chosen(account_id, person_ids) if person.id != into]
        if not others:
            raise Refused("These are one person already", "Nothing was changed")
        self._people.merge(account_id, into, [person.id for person in others])
        return others

    def set_hidden(self, account_id: AccountId, person_ids: Sequence[PersonId], *, hidden: bool) -> int:
        """Hide from the People page, or show there again; returns how many people."""
        people = self.chosen(account_id, person_ids)
        ids = [person.id for person in people]
        with self._catalogue.events.record(account_id, hiding(named(people), hidden=hidden)):
            self._catalogue.people.mark(account_id, ids, hidden=hidden)
        return len(ids)

    def set_favourite(self, account_id: AccountId, person_ids: Sequence[PersonId], *, favourite: bool) -> int:
        """Make favourites, or not any more; returns how many people."""
        people = self.chosen(account_id, person_ids)
        ids = [person.id for person in people]
        with self._catalogue.events.record(account_id, favouring(named(people), favourite=favourite)):
            self._catalogue.people.mark(account_id, ids, favourite=favourite)
        return len(ids)

    def hide_unnamed(self, account_id: AccountId) -> int:
        """Hide everybody without a name; returns how many were to be seen before."""
        with self._catalogue.events.record(account_id, Sentence("Hid everybody without a name")):
            return self._catalogue.people.hide_unnamed(account_id)

    def make_strangers(self, account_id: AccountId, person_ids: Sequence[PersonId]) -> int:
        """These are nobody the family knows: all their faces are taken away and they go; returns how many people."""
        people = self.chosen(account_id, person_ids)
        ids = [person.id for person in people]
        with self._catalogue.events.record(account_id, Sentence("Called %(name)s strangers", name=named(people))):
            self._catalogue.people.make_strangers(account_id, ids)
            self._catalogue.people.delete_empty()
        self._nudge.recognition()
        return len(ids)


def named(people: Sequence[Person]) -> str:
    """People in few words for the history: "Anna", "Anna and 2 more people", "3 people"."""
    names = [person.name for person in people if person.name]
    if len(people) == 1:
        return names[0] if names else Sentence("somebody unnamed")
    if not names:
        return Sentence("%(num)s person", "%(num)s people", num=len(people))
    return Sentence("%(name)s and %(num)s more", "%(name)s and %(num)s more", name=names[0], num=len(people) - 1)
