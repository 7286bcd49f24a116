"""What goes into the API and comes out, as far as several resources share it."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from plugin.web.request_context import LARGEST_ID

MOST_AT_ONCE = 500
"""Faces or people in one request, and rows in one answer."""


class Parameters(BaseModel):
    """Base of what stands in an address; names that do not exist are refused, since they are typing errors."""

    model_config = ConfigDict(extra="forbid")


class Body(BaseModel):
    """Base of what is sent: exactly the types of the document, nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Answer(BaseModel):
    """Base of what is answered; made from the values of `plugin.domain`."""

    model_config = ConfigDict(from_attributes=True)


def whole_number(value: Any) -> Any:  # noqa: ANN401, whatever an address says
    """Digits only: "1e3", " 5" and "1_000" are typing errors."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdecimal() and len(value) < 20):
            raise ValueError("must be a whole number")
        return int(value)
    return value


def integral(value: Any) -> Any:  # noqa: ANN401, whatever was sent
    """3.0 is an integer in JSON Schema, and some languages send it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def truth(value: Any) -> Any:  # noqa: ANN401, whatever an address says
    """`true` or `false`."""
    if isinstance(value, str):
        if value not in {"true", "false"}:
            raise ValueError("must be true or false")
        return value == "true"
    return value


def calendar_day(value: Any) -> Any:  # noqa: ANN401, whatever was sent
    """YYYY-MM-DD as text."""
    if isinstance(value, str) and len(value) == 10:
        return date.fromisoformat(value)
    if value is None or isinstance(value, date):
        return value
    raise ValueError("must be a date like 1980-07-14")


def without_zone(value: Any) -> Any:  # noqa: ANN401, a value of the domain
    """The time of a camera has no zone, so it is no `date-time`."""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


Id = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(integral)]
PathId = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(whole_number)]
Flag = Annotated[bool, BeforeValidator(truth)]
Day = Annotated[date | None, BeforeValidator(calendar_day)]
LocalTime = Annotated[
    str | None,
    BeforeValidator(without_zone),
    Field(description="The camera's local time, YYYY-MM-DDTHH:MM:SS without a zone"),
]
Ids = Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]
Limit = Annotated[int, Field(ge=1, le=MOST_AT_ONCE), BeforeValidator(whole_number)]
PageNumber = Annotated[int, Field(ge=1, le=1_000_000, description="Counts from 1"), BeforeValidator(whole_number)]


class Most(Parameters):
    """How many."""

    limit: Limit = 50


class Page(Parameters):
    """Which part of a long list is asked for."""

    page: PageNumber = 1
    limit: Limit = 60

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * self.limit


class Listed(Answer):
    """Base of one page of a long list. The header `Link` leads to the other pages (`next`, `prev`, `first`, `last`)."""

    total: int = Field(description="How many there are in all")
    page: int
    limit: int
