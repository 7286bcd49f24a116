"""Preferences: what detection and recognition run with, and the model packs."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from plugin.domain import TokenScope
from plugin.errors import LicenceNotAccepted
from plugin.ports.vision import PackInfo
from plugin.web.api.resource import Resource
from plugin.web.api.values import Answer, Body, integral
from plugin.web.preferences_page import find_pack
from plugin.web.request_context import services

api = Resource("preferences", "Preferences")


class Preferences(Answer):
    """The values in force."""

    pack: str
    minimum_score: float
    maximum_distance: float
    minimum_faces: int
    method: str
    fixed: list[str] = Field(description="What config.yaml or the environment sets, so that it cannot be changed here")


class PreferenceChanges(Body):
    """What shall be different; what is not sent stays."""

    pack: str | None = Field(None, max_length=100)
    minimum_score: float | None = Field(None, ge=0.1, le=1)
    maximum_distance: float | None = Field(None, ge=0.1, le=1.5)
    minimum_faces: Annotated[int | None, BeforeValidator(integral)] = Field(None, ge=1, le=100)
    accept_licence: bool = Field(
        default=False, description="Whether you accept the licence of the pack; see GET /packs"
    )


class Pack(Answer):
    """A model pack."""

    name: str
    title: str
    licence: str
    licence_url: str
    needs_acceptance: bool
    accepted: bool
    default_score: float
    default_distance: float


class PackList(Answer):
    """All packs, the default first."""

    packs: list[Pack]


class Action(Body):
    """What to do with what is there already: `missing` what has no result, `refresh` all, `reset` from scratch."""

    action: Literal[
        "detect_missing", "detect_refresh", "detect_reset", "recognize_missing", "recognize_reset", "pull_pack"
    ]


def present() -> Preferences:
    """The values in force now."""
    values = services().preferences.current()
    return Preferences(
        pack=values.pack,
        minimum_score=values.minimum_score,
        maximum_distance=values.maximum_distance,
        minimum_faces=values.minimum_faces,
        method=values.method,
        fixed=sorted(values.fixed),
    )


@api.operation("get", "/preferences", TokenScope.READ, Preferences)
def get() -> Preferences:
    """The values in force."""
    return present()


@api.operation("patch", "/preferences", TokenScope.ADMIN, Preferences, problems={404: "There is no such pack"})
def change(body: PreferenceChanges) -> Preferences:
    """Change thresholds or the model pack; a new pack is fetched."""
    book = services().preferences
    if body.pack is not None:
        accept(find_pack(body.pack), accepted=body.accept_licence)
    book.save(
        pack=body.pack,
        minimum_score=body.minimum_score,
        maximum_distance=body.maximum_distance,
        minimum_faces=body.minimum_faces,
    )
    if body.pack is not None:
        services().apply("pull_pack")
    return present()


def accept(pack: PackInfo, *, accepted: bool) -> None:
    """Remember that its licence was accepted. Raises `LicenceNotAccepted` where that is asked and was not done."""
    if not pack.needs_acceptance or services().preferences.licence_accepted(pack.name):
        return
    if not accepted:
        raise LicenceNotAccepted(f"The licence of {pack.title} was not accepted", "Read it, then send accept_licence")
    services().preferences.accept_licence(pack.name)


@api.operation("get", "/packs", TokenScope.READ, PackList)
def packs() -> PackList:
    """All model packs with their licences."""
    accepted = services().preferences.licence_accepted
    return PackList(
        packs=[
            Pack(
                name=pack.name,
                title=pack.title,
                licence=pack.licence,
                licence_url=pack.licence_url,
                needs_acceptance=pack.needs_acceptance,
                accepted=not pack.needs_acceptance or accepted(pack.name),
                default_score=pack.default_score,
                default_distance=pack.default_distance,
            )
            for pack in services().packs()
        ]
    )


@api.operation("post", "/preferences/apply", TokenScope.ADMIN, Preferences, status=202)
def apply(body: Action) -> Preferences:
    """Apply the preferences to what is there already."""
    services().apply(body.action)
    return present()
