"""Suggestions: the questions the machine cannot answer."""

from typing import Literal

from pydantic import Field

from plugin.domain import TokenScope
from plugin.web.api.resource import Resource
from plugin.web.api.values import Answer, Body, Most, Parameters
from plugin.web.request_context import account, services

api = Resource("suggestions", "Suggestions")


class Suggestion(Answer):
    """Are these faces of nobody this person, or are two people one?"""

    key: str = Field(description="Names the question as long as it is the same question")
    person_id: int = Field(description="Who it may be")
    face_ids: list[int] = Field(description="The faces asked about; none when two people are compared")
    other_person_id: int | None = Field(description="The smaller one of the two people")
    distance: float = Field(description="Mean cosine distance between the two sides, 0..2")
    gap: float = Field(description="How much farther away the next likely person is")
    likelihood: float = Field(description="Of a yes, 0..1")
    decides: int = Field(description="How many faces an answer decides")
    shown: list[int] = Field(description="Faces asked about that are most like the person")
    shown_of_person: list[int] = Field(description="Faces of the person that are most like them")


class SuggestionList(Answer):
    """The questions worth asking now, best first. In a large library they may lag a little behind the last change."""

    suggestions: list[Suggestion]
    total: int = Field(description="About how many questions there are in all")


class SuggestionPath(Parameters):
    """Which question."""

    key: str = Field(min_length=1, max_length=100)


class YesNoSkip(Body):
    """The answer to a question."""

    answer: Literal["yes", "no", "skip"]


@api.operation("get", "/suggestions", TokenScope.READ, SuggestionList)
def listed(query: Most) -> SuggestionList:
    """The questions worth asking now, best first."""
    book, owner = services().suggestions, account().id
    if (known := book.next_ones(owner, query.limit)) is None:
        # The first time they are waited for; a program would only ask again.
        book.ranked(owner)
        known = book.next_ones(owner, query.limit) or ([], 0)
    found, total = known
    return SuggestionList(suggestions=[Suggestion.model_validate(suggestion) for suggestion in found], total=total)


@api.operation("post", "/suggestions/<key>/answer", TokenScope.VERDICTS, status=204)
def answer(path: SuggestionPath, body: YesNoSkip) -> None:
    """Answer a question: yes, no (never asked again) or skip."""
    services().suggestions.answer(account().id, path.key, body.answer)
