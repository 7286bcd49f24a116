"""What users do to people and faces: name, merge, hide, delete, assign, reject, ignore, restore.

Every method takes the account first and touches nothing of another account (`NotFound`). What a user says about a face
is a verdict. It is stored before the face is changed, and every recognition run starts by applying verdicts, so a kill
between the two loses nothing.
"""

import unicodedata
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

from plugin.domain import AccountId, AssignedBy, FaceId, FaceState, Person, PersonId, VerdictKind
from plugin.errors import NotFound, Refused
from plugin.ports.catalogue import Catalogue
from plugin.ports.work import Nudge
from plugin.sentences import Sentence

LONGEST_NAME = 200
"""Characters: room for any full name, little enough for every screen."""

REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the writing direction: a name with one could rearrange the sentence it stands in."""

UNSEEN = frozenset(
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060\u2061\u2062\u2063\u2064\u3164\ufeff\uffa0"
)
"""Characters of no width and no effect inside a name: left out, or two names could look the same and differ. Joiners
(U+200C, U+200D) stay where they join: Persian names and emoji need them."""

JOINERS = "\u200c\u200d"


class PersonChanges(TypedDict, total=False):
    """What may be changed about a person at once; what is not given stays."""

    name: str
    birth_date: date | None
    hidden: bool
    favourite: bool
    feature_face_id: FaceId


Spread = Callable[[AccountId, Sequence[FaceId]], object]


def local_today() -> date:
    """Today where the server stands."""
    return datetime.now().astimezone().date()


def clean_name(text: str) -> str:
    """The name as it is stored: no spaces around it, single spaces inside, nothing of no width.

    Raises:
        Refused: nothing is left, it is too long, or it has characters that cannot be shown.
    """
    unseen = [c for c in text if unicodedata.category(c) in {"Cc", "Cs"} and not c.isspace()]
    if unseen or REORDERING.intersection(text):
        raise Refused("The name contains characters that cannot be shown", "Type the name instead of pasting it")
    seen = "".join(c for c in text if c not in UNSEEN)
    name = " ".join(" ".join(seen.split()).strip(JOINERS).split())
    if not name.replace("\u2800", "").strip():
        raise Refused("The name is empty", "Type a name, for example Anna")
    if len(name) > LONGEST_NAME:
        raise Refused("The name is longer than %(most)s characters", "Choose a shorter one", most=LONGEST_NAME)
    return name


def hiding(name: str, *, hidden: bool) -> Sentence:
    """The title of hiding one or several people, or showing them again."""
    return Sentence("Hid %(name)s", name=name) if hidden else Sentence("Showed %(name)s", name=name)


def favouring(name: str, *, favourite: bool) -> Sentence:
    """The title of making one or several people favourites, or not any more."""
    if favourite:
        return Sentence("Made %(name)s a favourite", name=name)
    return Sentence("Made %(name)s no favourite any more", name=name)


@dataclass(frozen=True, slots=True)
class BirthDateDoubts:
    """What speaks against a date of birth: it is still to come, or the person is on photos from before."""

    in_future: bool
    faces_before: tuple[FaceId, ...]

    def __bool__(self) -> bool:
        return self.in_future or bool(self.faces_before)


class People:
    """The actions behind the screens. Each is an event of the history.

    Args:
        catalogue: where everything is stored.
        nudge: wakes recognition, so that the consequence of an action shows soon.
        spread: decides at once what a word about these faces decides about others (`Recognition.spread`); without it
            they wait for the night.
        today: for birth dates.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        nudge: Nudge,
        spread: Spread | None = None,
        today: Callable[[], date] = local_today,
    ) -> None:
        self._catalogue = catalogue
        self._nudge = nudge
        self._spread = spread
        self._today = today

    def rename(self, account_id: AccountId, person_id: PersonId, name: str) -> None:
        """Give a person a name; two people may have the same one (see `same_name`).

        Raises:
            Refused: see `clean_name`.
        """
        name = clean_name(name)
        with self._event(account_id, Sentence("Named somebody %(name)s", name=name)):
            self._catalogue.people.rename(person_id, account_id, name)

    def same_name(self, account_id: AccountId, name: str, except_person: PersonId | None = None) -> list[Person]:
        """Others who have this name already, for the question "is this the same person?"."""
        people = self._catalogue.people.by_name(account_id, clean_name(name))
        return [person for person in people if person.id != except_person]

    def merge(self, account_id: AccountId, into: PersonId, others: Sequence[PersonId]) -> None:
        """Make `others` one person with `into`, who keeps name and birth date or takes the first set among them.

        Raises:
            Refused: nobody to merge, or a person with themselves.
        """
        if not others:
            raise Refused("Nobody was chosen to merge", "Choose at least one other person")
        if into in others:
            raise Refused("A person cannot be merged with themselves", "Choose somebody else")
        title = Sentence(
            "Merged a person into %(name)s",
            "Merged %(num)s people into %(name)s",
            num=len(set(others)),
            name=self._called(account_id, into),
        )
        with self._event(account_id, title):
            self._catalogue.people.merge(into, list(dict.fromkeys(others)), account_id)
        self._nudge.recognition()

    def set_hidden(self, account_id: AccountId, person_id: PersonId, *, hidden: bool) -> None:
        """Hide from the People page, or show there again. New faces of a hidden person still go to that person."""
        with self._event(account_id, hiding(self._called(account_id, person_id), hidden=hidden)):
            self._catalogue.people.set_hidden(person_id, account_id, hidden=hidden)

    def set_favourite(self, account_id: AccountId, person_id: PersonId, *, favourite: bool) -> None:
        """Favourites come first on the People page."""
        with self._event(account_id, favouring(self._called(account_id, person_id), favourite=favourite)):
            self._catalogue.people.mark(account_id, [person_id], favourite=favourite)

    def change(self, account_id: AccountId, person_id: PersonId, changes: PersonChanges) -> None:
        """Several changes as one event: all of them, or none when one is refused.

        Raises:
            Refused: see `rename`, `set_birth_date` and `set_feature_face`.
        """
        if "name" in changes:
            clean_name(changes["name"])
        self._check_birth_date(changes.get("birth_date"))
        if "feature_face_id" in changes:
            face = self._catalogue.faces.get(changes["feature_face_id"], account_id)
            if face.person_id != person_id:
                raise Refused("This face does not belong to this person")
        with self._event(account_id, Sentence("Changed %(name)s", name=self._called(account_id, person_id))):
            self._change(account_id, person_id, changes)

    def _change(self, account_id: AccountId, person_id: PersonId, changes: PersonChanges) -> None:
        if "name" in changes:
            self.rename(account_id, person_id, changes["name"])
        if "birth_date" in changes:
            self.set_birth_date(account_id, person_id, changes["birth_date"])
        if "hidden" in changes:
            self.set_hidden(account_id, person_id, hidden=changes["hidden"])
        if "favourite" in changes:
            self.set_favourite(account_id, person_id, favourite=changes["favourite"])
        if "feature_face_id" in changes:
            self.set_feature_face(account_id, person_id, changes["feature_face_id"])

    def birth_date_doubts(self, account_id: AccountId, person_id: PersonId, birth_date: date) -> BirthDateDoubts:
        """What speaks against a date of birth, to ask about before it is set."""
        before = self._catalogue.person_photos.faces_before(person_id, account_id, birth_date)
        return BirthDateDoubts(birth_date > self._today(), tuple(before))

    def set_birth_date(
        self,
        account_id: AccountId,
        person_id: PersonId,
        birth_date: date | None,
        *,
        sure: bool = False,
        without: Sequence[FaceId] = (),
    ) -> None:
        """Faces on pictures taken before this day are not taken for the person any more; None forgets it.

        Args:
            account_id: whose person it is.
            person_id: who.
            birth_date: the day, or None.
            sure: the user was asked, and wants a day that is still to come (a child that is expected).
            without: faces that are not this person then, said in the same event.

        Raises:
            Refused: a day still to come, unless the user is sure.
        """
        if not sure:
            self._check_birth_date(birth_date)
        with self._event(
            account_id, Sentence("Set the date of birth of %(name)s", name=self._called(account_id, person_id))
        ):
            self._catalogue.people.set_birth_date(person_id, account_id, birth_date)
            if without:
                self.reject_all(account_id, without, person_id)
        self._nudge.recognition()

    def set_feature_face(self, account_id: AccountId, person_id: PersonId, face_id: FaceId) -> None:
        """Choose the face that stands for the person.

        Raises:
            Refused: the face belongs to somebody else.
        """
        with self._event(
            account_id, Sentence("Chose the feature photo of %(name)s", name=self._called(account_id, person_id))
        ):
            self._catalogue.people.set_feature_face(person_id, account_id, face_id)

    def delete(self, account_id: AccountId, person_id: PersonId) -> None:
        """Forget a person. The faces stay, unassigned; as in Immich a nightly run may find the person anew."""
        with self._event(account_id, Sentence("Deleted %(name)s", name=self._called(account_id, person_id))):
            self._catalogue.people.delete(person_id, account_id)

    def assign(self, account_id: AccountId, face_id: FaceId, person_id: PersonId) -> None:
        """The user says: this face is that person. No run moves it any more."""
        self.assign_all(account_id, [face_id], person_id)

    def assign_all(self, account_id: AccountId, face_ids: Sequence[FaceId], person_id: PersonId) -> None:
        """The user says: all of these faces are that person."""
        title = Sentence(
            "Said that a face shows %(name)s",
            "Said that %(num)s faces show %(name)s",
            num=len(face_ids),
            name=self._called(account_id, person_id),
        )
        with self._event(account_id, title):
            for face_id in face_ids:
                self._say(account_id, VerdictKind.IS_PERSON, face_id, person_id)
            self._catalogue.faces.assign([(face_id, person_id) for face_id in face_ids], AssignedBy.USER)
            if self._spread is not None:
                self._spread(account_id, face_ids)
            self._finish()

    def assign_new(self, account_id: AccountId, face_id: FaceId, name: str = "") -> PersonId:
        """The user says: this face is somebody new, with this name or without one.

        Raises:
            Refused: see `clean_name`.
        """
        return self.assign_all_new(account_id, [face_id], name)

    def assign_all_new(self, account_id: AccountId, face_ids: Sequence[FaceId], name: str = "") -> PersonId:
        """The user says: all of these faces are somebody new, with this name or without one.

        Raises:
            Refused: see `clean_name`.
        """
        name = clean_name(name) if name.strip() else ""
        title = Sentence(
            "Said that a face shows somebody new: %(name)s",
            "Said that %(num)s faces show somebody new: %(name)s",
            num=len(face_ids),
            name=name or Sentence("somebody unnamed"),
        )
        with self._event(account_id, title):
            self._catalogue.faces.get(face_ids[0], account_id)
            for last_try in (False, True):
                person_id = self._catalogue.people.add(account_id, name, feature_face_id=face_ids[0])
                try:
                    self.assign_all(account_id, face_ids, person_id)
                except NotFound:
                    # A recognition run that begins just now sweeps unnamed people without faces, this one too.
                    if last_try:
                        raise
                else:
                    break
            return person_id

    def assign_all_named(self, account_id: AccountId, face_ids: Sequence[FaceId], name: str) -> PersonId:
        """The user says: all of these faces are the person with this name, the one who has it already or somebody new.

        Raises:
            Refused: several people have this name; see `clean_name`.
        """
        known = self.same_name(account_id, name)
        if len(known) > 1:
            raise Refused("Several people are called %(name)s", "Say which of them it is", name=name.strip())
        if not known:
            return self.assign_all_new(account_id, face_ids, name)
        self.assign_all(account_id, face_ids, known[0].id)
        return known[0].id

    def reject(self, account_id: AccountId, face_id: FaceId) -> None:
        """The user says: this face is not the person it was given to. No run will say so again.

        Raises:
            Refused: it belongs to nobody.
        """
        with self._event(account_id, Sentence("Said that a face is not who it was taken for")):
            person_id = self._catalogue.faces.get(face_id, account_id).person_id
            if person_id is None:
                raise Refused("This face belongs to nobody yet", "Choose who it is instead")
            self.reject_all(account_id, [face_id], person_id)

    def reject_all(self, account_id: AccountId, face_ids: Sequence[FaceId], person_id: PersonId) -> None:
        """The user says: none of these faces is that person. Those that belong to the person are taken away."""
        title = Sentence(
            "Said that a face does not show %(name)s",
            "Said that %(num)s faces do not show %(name)s",
            num=len(face_ids),
            name=self._called(account_id, person_id),
        )
        with self._event(account_id, title):
            for face_id in face_ids:
                self._say(account_id, VerdictKind.IS_NOT_PERSON, face_id, person_id)
            theirs = [face.id for face in self._catalogue.faces.many(face_ids) if face.person_id == person_id]
            self._catalogue.faces.assign([(face_id, None) for face_id in theirs], AssignedBy.USER, FaceState.UNASSIGNED)
            self._finish()

    def tell_apart(self, account_id: AccountId, one: PersonId, other: PersonId) -> None:
        """The user says: these are two people, however alike they look. No run makes them one.

        Raises:
            Refused: a person with themselves.
        """
        if one == other:
            raise Refused("A person cannot differ from themselves", "Choose somebody else")
        title = Sentence(
            "Said that %(one)s and %(other)s are two people",
            one=self._called(account_id, one),
            other=self._called(account_id, other),
        )
        with self._event(account_id, title):
            kind = VerdictKind.PERSONS_DIFFER
            self._catalogue.verdicts.add(account_id, kind, person_id=one, other_person_id=other)

    def split(self, account_id: AccountId, person_id: PersonId, face_ids: Sequence[FaceId]) -> PersonId:
        """Make some faces of a person somebody else, for good; returns the new person.

        Raises:
            Refused: no faces, faces of somebody else, or all of them.
        """
        title = Sentence(
            "Split a face off %(name)s",
            "Split %(num)s faces off %(name)s",
            num=len(face_ids),
            name=self._called(account_id, person_id),
        )
        with self._event(account_id, title):
            moved = set(face_ids)
            person = self._catalogue.people.get(person_id, account_id)
            theirs = {face.id for face in self._catalogue.faces.many(list(moved)) if face.person_id == person_id}
            if not moved or theirs != moved:
                raise Refused("Only faces of this person can be split off", "Reload the page and choose again")
            if len(moved) >= person.face_count:
                raise Refused("All faces of this person were chosen", "Leave at least one, or rename the person")
            new = self._catalogue.people.add(account_id)
            self.tell_apart(account_id, person_id, new)
            self.assign_all(account_id, sorted(moved), new)
            return new

    def ignore(self, account_id: AccountId, face_id: FaceId) -> None:
        """The user says: this is nobody (a statue, a poster, a stranger, no face at all)."""
        self.ignore_all(account_id, [face_id])

    def ignore_all(self, account_id: AccountId, face_ids: Sequence[FaceId]) -> None:
        """The user says: all of these are nobody."""
        title = Sentence("Took a face away", "Took %(num)s faces away", num=len(face_ids))
        with self._event(account_id, title):
            for face_id in face_ids:
                self._say(account_id, VerdictKind.IS_NOBODY, face_id)
            self._catalogue.faces.set_state(face_ids, FaceState.IGNORED)
            self._finish()

    def restore(self, account_id: AccountId, face_id: FaceId) -> None:
        """Take back `ignore`: the face waits for recognition again.

        Raises:
            Refused: it was not ignored.
        """
        self.restore_all(account_id, [face_id])

    def restore_all(self, account_id: AccountId, face_ids: Sequence[FaceId]) -> None:
        """Take back `ignore` for all of these, as one event: they wait for recognition again.

        Raises:
            Refused: one of them was not ignored; nothing is changed.
        """
        title = Sentence("Brought a face back", "Brought %(num)s faces back", num=len(face_ids))
        with self._event(account_id, title):
            states = {self._catalogue.faces.get(face_id, account_id).state for face_id in face_ids}
            if states != {FaceState.IGNORED}:
                raise Refused("This face was not taken away", "There is nothing to bring back")
            for face_id in face_ids:
                self._catalogue.verdicts.withdraw(account_id, VerdictKind.IS_NOBODY, face_id=face_id)
            self._catalogue.faces.set_state(face_ids, FaceState.PENDING)
            self._nudge.recognition()

    def _check_birth_date(self, birth_date: date | None) -> None:
        if birth_date is not None and birth_date > self._today():
            raise Refused("The date of birth is in the future", "Check the year")

    def _event(self, account_id: AccountId, title: str) -> AbstractContextManager[None]:
        """Everything done inside is one event of the history, and can be undone."""
        return self._catalogue.events.record(account_id, title)

    def _called(self, account_id: AccountId, person_id: PersonId) -> str:
        return self._catalogue.people.get(person_id, account_id).name or Sentence("somebody unnamed")

    def _say(
        self, account_id: AccountId, kind: VerdictKind, face_id: FaceId, person_id: PersonId | None = None
    ) -> None:
        self._catalogue.verdicts.add(account_id, kind, face_id=face_id, person_id=person_id)

    def _finish(self) -> None:
        """A face moved: whom it left may be empty now, and others may follow it."""
        self._catalogue.people.delete_empty()
        self._nudge.recognition()
