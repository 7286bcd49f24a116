"""Suggestions: questions to the user, the most useful first, and what an answer does.

They are worked out from the catalogue when somebody asks, so there is nothing to keep true in between. A yes and a no
are verdicts, made through `plugin.people`; only what was skipped is remembered here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from plugin.domain import (
    AccountId,
    AssetId,
    FaceId,
    Float32Array,
    PersonId,
    Preferences,
    SplitProposal,
    Suggestion,
    VerdictKind,
)
from plugin.errors import NotFound, Refused
from plugin.faces.grouping import TRUSTED_QUALITY
from plugin.faces.splitting import split_proposal
from plugin.faces.suggesting import Question, who_is_there_twice, who_may_it_be, worth_asking_again
from plugin.open_questions import PATIENCE, OpenQuestions, Pace
from plugin.people import People
from plugin.ports.catalogue import Catalogue
from plugin.ports.faces import FacePlaces, IntArray

SAMPLE = 16
"""Faces whose mean stands for a person or a group."""

MOST_SINGLES = 4000
"""Faces that are alike to no other are asked about, too, but only the best of them: 8 MB of embeddings."""

MOST_IN_GROUP = 1_000_000
"""No limit: all faces of a group."""

GUESSED_LIKELIHOOD = 0.5
"""Of a yes when a host's own recognition takes a face for somebody: not measured, between a coin and a sure thing."""

SHOWN = 3
"""Faces shown on each side of a question."""


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Faces that stand for one person, or one group of nobody."""

    key: int
    faces: int
    sample: Sequence[FaceId]
    assets: frozenset[AssetId]


class Suggestions:
    """Asks users what the machine cannot decide.

    Args:
        catalogue: where everything is.
        people: carries out the answers.
        preferences: the pack and the distance in force.
        patience: seconds a page waits for questions, see `plugin.open_questions`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        people: People,
        preferences: Callable[[], Preferences],
        patience: float = PATIENCE,
    ) -> None:
        self._catalogue = catalogue
        self._people = people
        self._preferences = preferences
        self._questions = OpenQuestions(self._work_out, self._marker, patience)
        self.pace = Pace()

    def ranked(self, account_id: AccountId, limit: int = 50) -> list[Suggestion]:
        """The questions worth asking now, those first whose answer is expected to bring most faces to their person."""
        return self._questions.now(account_id)[:limit]

    def next_ones(self, account_id: AccountId, count: int = 2) -> tuple[list[Suggestion], int] | None:
        """The next few questions that are open, soon, and how many are left with them.

        In a large library they may be a little older than the last change; each of those given was looked at. None
        while they are worked out for the first time.
        """
        known = self._questions.known(account_id)
        if known is None:
            return None
        skipped = self._catalogue.verdicts.skipped(account_id)
        found: list[Suggestion] = []
        left = len(known)
        for suggestion in known:
            if len(found) == count:
                break
            if _worth_asking(suggestion, skipped) and self._still_open(account_id, suggestion):
                found.append(suggestion)
            else:
                self._questions.drop(account_id, suggestion.key)
                left -= 1
        return found, left

    def seconds_left(self, account_id: AccountId, questions: int) -> float:
        """About how long somebody takes for so many questions, by their own pace."""
        return questions * self.pace.seconds(account_id)

    def close(self) -> None:
        """Wait for what is being worked out behind the pages, before the catalogue is closed."""
        self._questions.close()

    def answer(self, account_id: AccountId, key: str, given: str) -> None:
        """Answer the open question with this key: yes, no or skip.

        Raises:
            Refused: another answer.
            NotFound: see `find`, `accept` and `reject`.
        """
        answers = {"yes": self.accept, "no": self.reject, "skip": self.skip}
        if given not in answers:
            raise Refused("The answer has to be yes, no or skip")
        answers[given](account_id, self.find(account_id, key))

    def accept(self, account_id: AccountId, suggestion: Suggestion) -> None:
        """Yes: the faces are this person, or the two people are one.

        Raises:
            NotFound: somebody or something it is about is gone.
        """
        self._answered(account_id, suggestion)
        if suggestion.other_person_id is None:
            self._people.assign_all(account_id, self._faces(account_id, suggestion), suggestion.person_id)
        else:
            self._people.merge(account_id, suggestion.person_id, [suggestion.other_person_id])

    def reject(self, account_id: AccountId, suggestion: Suggestion) -> None:
        """No: none of the faces is this person, or the two people differ. Never asked again.

        Raises:
            NotFound: somebody or something it is about is gone.
        """
        self._answered(account_id, suggestion)
        if suggestion.other_person_id is None:
            self._people.reject_all(account_id, self._faces(account_id, suggestion), suggestion.person_id)
        else:
            self._people.tell_apart(account_id, suggestion.person_id, suggestion.other_person_id)

    def skip(self, account_id: AccountId, suggestion: Suggestion) -> None:
        """Not now: asked again when a yes has become clearly likelier."""
        self._answered(account_id, suggestion)
        self._catalogue.verdicts.skip(account_id, suggestion.key, suggestion.likelihood)

    def unskip(self, account_id: AccountId, key: str) -> None:
        """Take a skip back: the question is open again. Safe to repeat; nothing happens when it was not skipped."""
        if key in self._catalogue.verdicts.skipped(account_id):
            self._catalogue.verdicts.unskip(account_id, key)
            self._questions.bring_back(account_id, key)

    def find(self, account_id: AccountId, key: str) -> Suggestion:
        """The open question with this key, to answer it.

        Working the questions out takes seconds in a large library, so one that was asked may be answered. An answer
        looks by itself what is still true of it.

        Raises:
            NotFound: it was answered, or things have changed since it was asked.
        """
        suggestion = self._questions.find(account_id, key)
        if suggestion is None:
            self.ranked(account_id)
            suggestion = self._questions.find(account_id, key)
        if suggestion is None:
            raise NotFound("This question is not open any more", "Reload the page to see the current ones")
        return suggestion

    def split(self, account_id: AccountId, person_id: PersonId) -> SplitProposal:
        """Whether this person looks like several, and which faces are whose; `People.split` carries it out.

        Raises:
            NotFound: there is no such person.
        """
        self._catalogue.people.get(person_id, account_id)
        preferences = self._preferences()
        theirs = self._catalogue.faces.places(account_id, preferences.pack, person_ids=[person_id])
        rows = self._catalogue.faces.recognition_rows(account_id, preferences.pack, theirs.face_id.tolist())
        trusted = rows.quality >= TRUSTED_QUALITY
        parts = split_proposal(rows.embedding, rows.asset_id, trusted, preferences.maximum_distance)
        return SplitProposal(person_id, tuple(tuple(rows.face_id[part].tolist()) for part in parts))

    def unassigned_groups(self, account_id: AccountId, offset: int = 0, limit: int = 50) -> list[tuple[FaceId, ...]]:
        """Faces of nobody that are alike, to be named in one go; the largest groups first, single faces last."""
        galleries, pack = self._catalogue.galleries, self._preferences().pack
        groups = galleries.groups(account_id, pack, offset, limit)
        members = galleries.members(account_id, pack, [group.key for group in groups], MOST_IN_GROUP)
        return [tuple(members.get(group.key, ())) for group in groups]

    def _answered(self, account_id: AccountId, suggestion: Suggestion) -> None:
        self._questions.drop(account_id, suggestion.key)
        self.pace.answered(account_id)

    def _work_out(self, account_id: AccountId) -> list[Suggestion]:
        board = _Board(self._catalogue, account_id, self._preferences())
        found = [board.about_group(question) for question in board.groups_asked()]
        found += [board.about_person(question) for question in board.persons_asked()]
        found = _likeliest([*found, *board.about_guesses(self._catalogue.host_people.guesses(account_id))])
        skipped = self._catalogue.verdicts.skipped(account_id)
        best_first = sorted(found, key=lambda one: (-one.likelihood * one.decides, one.key))
        return [suggestion for suggestion in best_first if _worth_asking(suggestion, skipped)]

    def _marker(self, account_id: AccountId) -> str:
        preferences = self._preferences()
        changed = self._catalogue.live.marker(account_id)
        return f"{changed} {preferences.pack} {preferences.maximum_distance}"

    def _still_open(self, account_id: AccountId, suggestion: Suggestion) -> bool:
        """Whether nobody answered it in another way meanwhile. By its evidence only: that is cheap for any group."""
        if suggestion.other_person_id is not None:
            return self._still_two(account_id, suggestion.person_id, suggestion.other_person_id)
        if not self._exist(account_id, suggestion.person_id):
            return False
        places = self._catalogue.faces.places(account_id, self._preferences().pack, face_ids=suggestion.shown)
        said = (self._catalogue.verdicts.rejected_persons(face) for face in suggestion.shown)
        all_nobodys = len(places.face_id) == len(suggestion.shown) and bool((places.person_id < 0).all())
        return all_nobodys and not any(suggestion.person_id in persons for persons in said)

    def _still_two(self, account_id: AccountId, one: PersonId, other: PersonId) -> bool:
        """Whether both are there, not both named by now, and nobody said that they differ."""
        if not self._exist(account_id, one, other):
            return False
        names = [self._catalogue.people.get(person_id, account_id).name for person_id in (one, other)]
        return not all(names) and not self._catalogue.verdicts.differ(account_id, one, other)

    def _exist(self, account_id: AccountId, *person_ids: PersonId) -> bool:
        try:
            people = [self._catalogue.people.get(person_id, account_id) for person_id in person_ids]
        except NotFound:
            return False
        return all(person.face_count for person in people)

    def _faces(self, account_id: AccountId, suggestion: Suggestion) -> list[FaceId]:
        """The faces asked about that still belong to nobody."""
        places = self._catalogue.faces.places(account_id, self._preferences().pack, face_ids=suggestion.face_ids)
        nobodys = sorted(places.face_id[places.person_id < 0].tolist())
        if not nobodys:
            raise NotFound("These faces belong to somebody by now", "Reload the page to see the current questions")
        return nobodys


def _likeliest(suggestions: Sequence[Suggestion]) -> list[Suggestion]:
    """Each question once."""
    found: dict[str, Suggestion] = {}
    for suggestion in suggestions:
        known = found.get(suggestion.key)
        if known is None or known.likelihood < suggestion.likelihood:
            found[suggestion.key] = suggestion
    return list(found.values())


def _worth_asking(suggestion: Suggestion, skipped: Mapping[str, float]) -> bool:
    """Whether it was not skipped, or is clearly likelier by now."""
    return suggestion.key not in skipped or worth_asking_again(skipped[suggestion.key], suggestion.likelihood)


@dataclass(eq=False)
class _Board:
    """Everything the questions of one account are made from, read once."""

    catalogue: Catalogue
    account_id: AccountId
    preferences: Preferences
    people: list[_Side] = field(init=False)
    groups: list[_Side] = field(init=False)

    def __post_init__(self) -> None:
        places = self.catalogue.faces.all_places(self.account_id, self.preferences.pack)
        somebody = places.person_id >= 0
        self.people = _sides(places, places.person_id, somebody)
        in_group = ~somebody & (places.group_id >= 0)
        self.groups = _sides(places, places.group_id, in_group)
        single = np.flatnonzero(~somebody & ~in_group & (places.quality >= TRUSTED_QUALITY))
        best = np.zeros(len(places.face_id), dtype=np.bool_)
        best[single[np.argsort(-places.quality[single], kind="stable")[:MOST_SINGLES]]] = True
        self.groups += _sides(places, places.face_id, best)
        self._members = _members(places, in_group)
        self._vectors = self._read([*self.people, *self.groups])
        self._people_means = self._means(self.people)
        self._read_verdicts()

    def groups_asked(self) -> list[Question]:
        counts = np.array([side.faces for side in self.groups], dtype=np.int64)
        distance = self.preferences.maximum_distance
        return who_may_it_be(self._means(self.groups), counts, self._people_means, self._may_be, distance)

    def persons_asked(self) -> list[Question]:
        counts = np.array([side.faces for side in self.people], dtype=np.int64)
        return who_is_there_twice(self._people_means, counts, self._may_be_one, self.preferences.maximum_distance)

    def about_group(self, question: Question) -> Suggestion:
        asked, person = self.groups[question.asked], self.people[question.person]
        face_ids = self._members.get(asked.key) or tuple(asked.sample)
        return self._suggestion(f"face-{min(face_ids)}-{person.key}", question, asked, person, face_ids, None)

    def about_guesses(self, guesses: Mapping[FaceId, PersonId]) -> Iterator[Suggestion]:
        """Whom a host takes faces of nobody for (`plugin.writeback.taking_over`): asked, and no more."""
        people = {side.key: number for number, side in enumerate(self.people)}
        groups = {face: n for n, side in enumerate(self.groups) for face in self._members.get(side.key) or (side.key,)}
        means, people_means = self._means(self.groups), self._people_means
        pairs = {(groups.get(face_id), people.get(person_id)) for face_id, person_id in guesses.items()}
        for group, person in pairs:
            if group is not None and person is not None and self._may_be(group, person):
                distance = 1 - float(means[group] @ people_means[person])
                faces = self.groups[group].faces
                yield self.about_group(Question(group, person, distance, 0.0, GUESSED_LIKELIHOOD, faces))

    def about_person(self, question: Question) -> Suggestion:
        asked, person = self.people[question.asked], self.people[question.person]
        low, high = sorted((asked.key, person.key))
        return self._suggestion(f"person-{low}-{high}", question, asked, person, (), asked.key)

    def _suggestion(
        self,
        key: str,
        question: Question,
        asked: _Side,
        person: _Side,
        face_ids: tuple[FaceId, ...],
        other: PersonId | None,
    ) -> Suggestion:
        return Suggestion(
            key=key,
            person_id=person.key,
            face_ids=face_ids,
            other_person_id=other,
            distance=question.distance,
            gap=question.gap,
            likelihood=question.likelihood,
            decides=question.decides,
            shown=self._nearest(asked, person),
            shown_of_person=self._nearest(person, asked),
        )

    def _nearest(self, side: _Side, other: _Side) -> tuple[FaceId, ...]:
        """The faces of one side that are most like the other: the evidence."""
        toward = np.mean([self._vectors[face] for face in other.sample], axis=0)
        return tuple(sorted(side.sample, key=lambda face: -float(self._vectors[face] @ toward))[:SHOWN])

    def _read(self, sides: Sequence[_Side]) -> dict[FaceId, Float32Array]:
        wanted = [face for side in sides for face in side.sample]
        rows = self.catalogue.faces.recognition_rows(self.account_id, self.preferences.pack, wanted)
        self._taken = dict(zip(rows.face_id.tolist(), rows.taken_at.astype("datetime64[D]").tolist(), strict=True))
        return dict(zip(rows.face_id.tolist(), rows.embedding, strict=True))

    def _means(self, sides: Sequence[_Side]) -> Float32Array:
        width = len(next(iter(self._vectors.values()))) if self._vectors else 0
        means = [np.mean([self._vectors[face] for face in side.sample], axis=0) for side in sides]
        return np.array(means, dtype=np.float32).reshape(len(sides), width)

    def _read_verdicts(self) -> None:
        self._born: dict[PersonId, date] = self.catalogue.people.birth_dates(self.account_id)
        self._named = self.catalogue.people.named(self.account_id)
        self._rejected: set[tuple[FaceId, PersonId]] = set()
        self._apart: set[tuple[PersonId, PersonId]] = set()
        for verdict in self.catalogue.verdicts.all(self.account_id):
            if verdict.kind is VerdictKind.IS_NOT_PERSON and verdict.face_id and verdict.person_id:
                self._rejected.add((verdict.face_id, verdict.person_id))
            elif verdict.kind is VerdictKind.PERSONS_DIFFER and verdict.person_id and verdict.other_person_id:
                self._apart.add((verdict.person_id, verdict.other_person_id))

    def _may_be(self, group: int, person: int) -> bool:
        asked, who = self.groups[group], self.people[person]
        if any((face, who.key) in self._rejected for face in asked.sample) or asked.assets & who.assets:
            return False
        born = self._born.get(who.key)
        taken = [day for face in asked.sample if (day := self._taken.get(face)) is not None]
        return born is None or all(day >= born for day in taken)

    def _may_be_one(self, one: int, other: int) -> bool:
        first, second = self.people[one], self.people[other]
        low, high = sorted((first.key, second.key))
        both_named = {low, high} <= self._named
        return not both_named and (low, high) not in self._apart and not first.assets & second.assets


def _members(places: FacePlaces, which: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> dict[FaceId, tuple[FaceId, ...]]:
    """The faces of every group, lowest id first."""
    rows = np.flatnonzero(which)
    rows = rows[np.lexsort((places.face_id[rows], places.group_id[rows]))]
    keys, starts = np.unique(places.group_id[rows], return_index=True)
    parts = np.split(places.face_id[rows], starts[1:])
    return {key: tuple(part.tolist()) for key, part in zip(keys.tolist(), parts, strict=False)}


def _sides(places: FacePlaces, key: IntArray, which: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[_Side]:
    rows = np.flatnonzero(which)
    rows = rows[np.lexsort((places.face_id[rows], key[rows]))]
    keys, starts, counts = np.unique(key[rows], return_index=True, return_counts=True)
    sides: list[_Side] = []
    for number, start, count in zip(keys.tolist(), starts.tolist(), counts.tolist(), strict=True):
        mine = rows[start : start + count]
        trusted = mine[places.quality[mine] >= TRUSTED_QUALITY]
        sample = trusted if len(trusted) else mine
        sample = sample[np.linspace(0, len(sample) - 1, min(SAMPLE, len(sample))).astype(np.int64)]
        assets = frozenset(places.asset_id[mine].tolist())
        sides.append(_Side(number, count, places.face_id[sample].tolist(), assets))
    return sides
