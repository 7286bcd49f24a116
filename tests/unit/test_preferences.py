"""The values in force: what config.yaml fixes, else what was saved, else the pack's own."""

import math

import pytest

from plugin.catalogue.store import open_in_memory
from plugin.errors import PackUnknown, Refused
from plugin.preferences import PreferenceBook
from tests.fakes.face_models import FakeFaceModels


def book(**fixed: str | float) -> PreferenceBook:
    return PreferenceBook(open_in_memory().preferences, FakeFaceModels().packs, fixed)


def test_without_any_choice_the_packs_own_values_apply() -> None:
    pack = FakeFaceModels().packs()[0]
    current = book().current()
    assert (current.pack, current.minimum_score, current.maximum_distance, current.minimum_faces) == (
        pack.name,
        pack.default_score,
        pack.default_distance,
        3,
    )


def test_saved_values_apply_and_what_is_not_given_stays() -> None:
    preferences = book()
    preferences.save(minimum_score=0.8, minimum_faces=5)
    preferences.save(maximum_distance=0.4)
    current = preferences.current()
    assert (current.minimum_score, current.maximum_distance, current.minimum_faces) == (0.8, 0.4, 5)


def test_a_distance_saved_for_one_pack_does_not_apply_to_another() -> None:
    preferences = book()
    preferences.save(maximum_distance=0.4)
    preferences.save(pack="buffalo_s")
    assert preferences.current().maximum_distance != 0.4
    preferences.save(pack="opencv")
    assert preferences.current().maximum_distance == 0.4


def test_what_config_yaml_fixes_wins_and_cannot_be_saved() -> None:
    preferences = book(minimum_faces=7)
    assert preferences.current().minimum_faces == 7
    assert preferences.current().fixed == {"minimum_faces"}
    with pytest.raises(Refused, match=r"config\.yaml"):
        preferences.save(minimum_faces=3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minimum_score": 1.1},
        {"minimum_score": math.nan},
        {"maximum_distance": 0.0},
        {"minimum_faces": 0},
        {"minimum_faces": 101},
    ],
)
def test_values_out_of_range_are_refused_and_nothing_is_saved(wrong: dict[str, float]) -> None:
    preferences = book()
    before = preferences.current()
    with pytest.raises(Refused, match="between"):
        preferences.save(**({"minimum_score": 0.6, "minimum_faces": 4} | wrong))  # type: ignore[arg-type]
    assert preferences.current() == before


def test_a_pack_nobody_knows_is_refused() -> None:
    with pytest.raises(PackUnknown, match="nonesuch"):
        book().save(pack="nonesuch")


def test_an_accepted_licence_is_remembered_for_its_pack_only() -> None:
    preferences = book()
    preferences.accept_licence("buffalo_s")
    assert preferences.licence_accepted("buffalo_s")
    assert not preferences.licence_accepted("opencv")
