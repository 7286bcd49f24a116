"""What the API answers is what its document says, whatever is sent."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from plugin.domain import TokenScope
from plugin.web.app import create_app
from tests.web.family import Family, add_stranger_faces, empty_family, faces_of_nobody, family_with_photos

CONFIG = SchemathesisConfig.from_dict({
    "seed": 1,
    # 409, 412 and 422: the shape is right, but a rule of the product or a change meanwhile stands against it.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "412", "422"]}},
})  # fmt: skip

ROWS = {"library_id": 2, "token_id": 2, "face_id": 4, "event_id": 2}
"""Ids are folded onto the first rows (12 of what is not named here), so that most requests reach something."""

SELDOM_WELL = {
    "POST /api/v1/people/{person_id}/split", "POST /api/v1/unassigned/assign", "POST /api/v1/unassigned/restore",
    "DELETE /api/v1/faces/{face_id}", "PUT /api/v1/faces/{face_id}/box", "POST /api/v1/search/by-picture",
    "POST /api/v1/history/undo-back-to",
}  # fmt: skip
"""Faces found by chance hardly ever belong to one person, were all taken away, or were drawn; a person and a name at
once are one too many; chance draws no picture; and two ids seldom are the two ends of the history."""


def crowded_family() -> Family:
    family = family_with_photos()
    add_stranger_faces(family)
    faces_of_nobody(family)
    family.services.people.ignore(family.account.id, family.face_of("Anna"))
    return family


def documented() -> Any:
    """The document with schemathesis around it; an album without photos has the same."""
    family = empty_family()
    app = create_app(family.services)
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, config=CONFIG, headers=authorization(family))


def authorization(family: Family) -> dict[str, str]:
    _, secret = family.services.tokens.create(family.account, "schemathesis", TokenScope.ADMIN)
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture(scope="module")
def quiet_crowd() -> Iterator[Family]:
    """For everybody who only looks."""
    family = crowded_family()
    yield family
    family.catalogue.close()


@pytest.fixture
def crowd(label: str, quiet_crowd: Family) -> Iterator[Family]:
    """An album of its own for each operation that may delete people, libraries, everything."""
    if label.startswith("GET "):
        yield quiet_crowd
        return
    family = crowded_family()
    yield family
    family.catalogue.close()


def folded(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: folded(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [folded(inner, name) for inner in value]
    if name == "path" and len(value) % 2:
        return "/photos/new"
    is_id = (
        name.endswith(("_id", "_ids")) and isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    )
    return int(value) % ROWS.get(name, 12) + 1 if is_id and value < 2**63 else value


OPERATIONS = {operation.ok().label: operation.ok() for operation in documented().get_all_operations()}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """schemathesis tries wrong tokens and pictures, more than one address may."""
    for limit in ("FAILED_LOGINS_PER_ADDRESS", "FAILED_LOGINS_IN_ALL", "UPLOADS_PER_ACCOUNT"):
        monkeypatch.setattr(f"plugin.web.app.{limit}", "100000 per minute")


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_as_documented(label: str, crowd: Family) -> None:
    operation, headers, answered = OPERATIONS[label], authorization(crowd), set[int]()
    question = next(iter(crowd.services.suggestions.ranked(crowd.account.id))).key
    operation.app = operation.schema.app = create_app(crowd.services)
    for mode in GenerationMode:
        answered |= statuses_of_answers(operation, headers, mode, question)
    assert min(answered) < 400 or label in SELDOM_WELL


def statuses_of_answers(operation: Any, headers: dict[str, str], mode: GenerationMode, question: str) -> set[int]:
    """Send requests that fit the document, or requests that do not, and check every answer."""
    answered = set[int]()

    examples = 8 if mode is GenerationMode.POSITIVE else 6

    @settings(
        max_examples=examples, derandomize=True, deadline=None, database=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode))
    def answers(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            case.path_parameters, case.body = folded(case.path_parameters), folded(case.body)
            if "key" in case.path_parameters and question:
                case.path_parameters["key"] = question
        answered.add(case.call_and_validate(headers=headers).status_code)

    answers()
    return answered
