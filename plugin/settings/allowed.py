"""Fields that carry their allowed range as text, so that errors, the example file and the docs say the same."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field


def no_truth_value(value: object) -> object:
    """Refuse `true` where a number is meant; pydantic alone would read it as 1."""
    if isinstance(value, bool):
        raise ValueError("a number is needed")  # noqa: TRY004  pydantic only turns ValueError into a validation error
    return value


Whole = Annotated[int, BeforeValidator(no_truth_value)]
Number = Annotated[float, BeforeValidator(no_truth_value)]


def whole(default: int | None, low: int, high: int, *, unset: str = "", **more: Any) -> Any:  # noqa: ANN401
    """A whole number from `low` to `high`; `unset` says what null means. Returns a pydantic field (typed Any there)."""
    text = f"a whole number from {low} to {high}" + (f", or null: {unset}" if unset else "")
    if "default_factory" not in more:
        more["default"] = default
    return Field(ge=low, le=high, description=text, **more)


def number(default: float | None, low: float, high: float, *, unset: str = "") -> Any:  # noqa: ANN401
    """A number from `low` to `high`; `unset` says what null means. Returns a pydantic field (typed Any there)."""
    text = f"a number from {low:g} to {high:g}" + (f", or null: {unset}" if unset else "")
    return Field(default=default, ge=low, le=high, allow_inf_nan=False, description=text)


def switch(default: bool) -> Any:  # noqa: ANN401, FBT001  the field is the default
    """A truth value. Returns a pydantic field (typed Any there)."""
    return Field(default=default, description="true or false")
