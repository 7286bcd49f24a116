"""Sharing a library: who may look at it, and what a visitor who may correct does to its people and faces.

The rows stay the owner's. A visitor's correction is written by the same steps as the owner's own and stands in the
owner's history, under the visitor's name, where the owner can take it back. Only what says who is on a shared photo is
offered: merging, hiding, deleting and all that reaches beyond the shared photos stays with the owner.
"""

from plugin.domain import AccountId, Face, FaceId, LibraryId, Person, PersonId, Share, View
from plugin.errors import NotAllowed, Refused, Stale
from plugin.people import People, clean_name
from plugin.ports.catalogue import Catalogue
from plugin.sentences import Sentence


class Sharing:
    """The actions behind the screens of shared libraries.

    Args:
        catalogue: where everything is stored.
        people: writes corrections.
    """

    def __init__(self, catalogue: Catalogue, people: People) -> None:
        self._catalogue = catalogue
        self._people = people

    def share(self, owner_id: AccountId, library_id: LibraryId, visitor_id: AccountId, *, may_correct: bool) -> None:
        """Let somebody look at a library; said again, it changes whether they may correct.

        Raises:
            Refused: with oneself.
            NotFound: no such library of the owner, or no such account.
        """
        self._catalogue.shares.grant(owner_id, library_id, visitor_id, may_correct=may_correct)

    def end(self, owner_id: AccountId, library_id: LibraryId, visitor_id: AccountId) -> None:
        """From now on the visitor sees nothing of the library any more; safe to repeat."""
        self._catalogue.shares.end(owner_id, library_id, visitor_id)

    def shares(self, owner_id: AccountId) -> list[Share]:
        """Everything this account shares."""
        return self._catalogue.shares.given(owner_id)

    def view(self, visitor_id: AccountId, owner_id: AccountId) -> View:
        """What the visitor sees of the owner at this moment. Raises `NotFound` when nothing is shared."""
        return self._catalogue.shares.view(visitor_id, owner_id)

    def may_rename(self, view: View, person_id: PersonId) -> bool:
        """Whether the person is on a photo whose faces the visitor may correct."""
        return self._catalogue.shared.correctable(view, person_id)

    def may_correct(self, view: View, face: Face) -> bool:
        """Whether the face is on such a photo."""
        return self._catalogue.shared.photo(view, face.asset_id).library_id in view.correctable

    def rename(self, view: View, person_id: PersonId, name: str, was: str) -> Person:
        """Give a person a name; `was` is the name the visitor saw.

        Raises:
            NotFound: nobody of that id is on a shared photo.
            NotAllowed: the visitor may only look.
            Stale: the person has another name by now.
            Refused: see `clean_name`.
        """
        person, name = self._catalogue.shared.person(view, person_id), clean_name(name)
        if not self.may_rename(view, person_id):
            raise _look_only(view)
        if person.name not in {was, name}:
            raise Stale("Meanwhile this person was given another name", "Look at the name, and change it once more")
        title = Sentence("%(visitor)s named somebody %(name)s", visitor=view.visitor_name, name=name)
        with self._catalogue.events.record(view.owner_id, title):
            self._people.rename(view.owner_id, person_id, name)
        return self._catalogue.shared.person(view, person_id)

    def assign(self, view: View, face_id: FaceId, person_id: PersonId) -> Person:
        """The face is somebody who is on a shared photo. Raises `NotFound`, `NotAllowed`."""
        person = self._catalogue.shared.person(view, person_id)
        self._correctable(view, face_id)
        called = person.name or Sentence("somebody unnamed")
        title = Sentence("%(visitor)s said that a face is %(name)s", visitor=view.visitor_name, name=called)
        with self._catalogue.events.record(view.owner_id, title):
            self._people.assign(view.owner_id, face_id, person_id)
        return person

    def assign_name(self, view: View, face_id: FaceId, name: str) -> None:
        """The face is the one person with this name on shared photos, or somebody new.

        A person of that name who is on no shared photo stays unknown to the visitor: there are two of that name then,
        and the owner can merge them.

        Raises:
            NotFound, NotAllowed: see `assign`.
            Refused: several have that name, or see `clean_name`.
        """
        self._correctable(view, face_id)
        name = clean_name(name)
        owners = {person.id for person in self._catalogue.people.by_name(view.owner_id, name)}
        known = self._catalogue.shared.people_among(view, sorted(owners))
        if len(known) > 1:
            raise Refused("Several people are called %(name)s", "Choose which of them it is from the list", name=name)
        if known:
            self.assign(view, face_id, known[0].id)
            return
        title = Sentence("%(visitor)s said that a face is %(name)s", visitor=view.visitor_name, name=name)
        with self._catalogue.events.record(view.owner_id, title):
            self._people.assign_new(view.owner_id, face_id, name)

    def reject(self, view: View, face_id: FaceId, was: PersonId) -> Face:
        """The face is not who it is said to be, which was `was` when the visitor looked.

        Raises:
            NotFound, NotAllowed: see `assign`.
            Stale: it was given to somebody else meanwhile.
        """
        face = self._correctable(view, face_id)
        if face.person_id != was:
            raise Stale("Meanwhile this face was given to somebody else, so nothing was changed", "Look who it is now")
        called = face.person_name or Sentence("somebody unnamed")
        title = Sentence("%(visitor)s said that a face is not %(name)s", visitor=view.visitor_name, name=called)
        with self._catalogue.events.record(view.owner_id, title):
            self._people.reject(view.owner_id, face_id)
        return face

    def _correctable(self, view: View, face_id: FaceId) -> Face:
        face = self._catalogue.shared.face(view, face_id)
        if not self.may_correct(view, face):
            raise _look_only(view)
        return face


def _look_only(view: View) -> NotAllowed:
    return NotAllowed("You may look at these photos, not change who is on them", "Ask %(name)s", name=view.owner_name)
