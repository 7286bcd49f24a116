"""Licences of model packs in full, where they may be passed on."""

from plugin.vision.licences import FOLDER, TEXTS, licence_texts
from plugin.vision.packs import known_packs


def test_a_pack_without_a_question_comes_with_the_licence_of_each_of_its_models() -> None:
    for pack in known_packs():
        texts = licence_texts(pack.info)
        assert bool(texts) is not pack.info.needs_acceptance, pack.info.name
        for licence in texts:
            assert all(model in pack.info.licence for model in licence.what.split(", "))
            assert len(licence.text) > 1000


def test_every_licence_that_is_kept_is_shown() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {name for files in TEXTS.values() for _, name in files}
