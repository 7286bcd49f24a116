"""Status, Libraries and Settings."""

from dataclasses import replace

import pytest
from flask import Flask, template_rendered

from plugin.domain import WorkState
from plugin.preferences import PreferenceBook
from plugin.vision.accelerator.keeper import COMPILING
from plugin.web.app import create_app
from tests.web.conftest import Visitor, logged_in
from tests.web.family import PACKS, Family, add_stranger_faces, engine_status


@pytest.fixture
def trouble(family: Family) -> Family:
    add_stranger_faces(family)
    return family


def test_status_tells_counts_engine_and_space(maria: Visitor) -> None:
    page = maria.text("/status")
    for said in (
        "14 photos",
        "CPU · AMD Ryzen, 8 threads",
        "3.5 a second",
        "The search index is ready.",
        "41.0 GB",
        "OpenCV Zoo",
    ):
        assert said in page


def test_status_tells_what_an_accelerator_does_that_does_not_run_the_models_now(family: Family) -> None:
    compiling = replace(engine_status(()), accelerator=COMPILING)
    page = logged_in(create_app(replace(family.services, engine_status=lambda: compiling))).text("/status")
    assert "CPU · AMD Ryzen" in page
    assert "Compiling the models for this GPU, a few minutes once" in page


def test_status_without_a_loaded_model_measures_nothing(family: Family) -> None:
    resting = replace(engine_status(()), provider=None, device=None, pace=None)
    page = logged_in(create_app(replace(family.services, engine_status=lambda: resting))).text("/status")
    assert "Not loaded; it is when there is work" in page
    assert "Not measured yet" in page


def test_warnings_are_shown(family: Family) -> None:
    app = create_app(replace(family.services, engine_status=lambda: engine_status(("The disk is nearly full.",))))
    assert "The disk is nearly full." in logged_in(app).text("/status")


def test_failures_are_shown_by_reason_with_examples(maria: Visitor, trouble: Family) -> None:
    page = maria.text("/status")
    assert "The file ends too early" in page
    assert "2024/broken.jpg" in page
    assert "2024/locked: The folder may not be read" in page
    assert page.count("Try again") == 1


def test_each_failure_leads_to_its_photo_with_a_picture_where_there_is_one(maria: Visitor, trouble: Family) -> None:
    seen, broken = trouble.assets[0], trouble.catalogue.assets.failed(trouble.account.id, None, 9)[0]
    trouble.catalogue.detection.request("refresh", "opencv", [seen])
    (claimed,) = trouble.catalogue.detection.claim("test", 1, 60)
    trouble.catalogue.detection.fail(claimed, "picture_broken", "It was cut off meanwhile", permanent=True)
    page = maria.text("/status")
    for asset in (seen, broken.id):
        assert f'href="/photos/{asset}"' in page
        assert maria.get(f"/photos/{asset}").status_code == 200
    assert f'src="/photos/{seen}/480.webp' in page
    assert f'src="/photos/{broken.id}/' not in page
    assert "It was cut off meanwhile" in page or "The file ends too early" in page


def test_failures_are_tried_again_by_reason(maria: Visitor, trouble: Family) -> None:
    page = maria.post("/status/retry", page="/status", code="picture_broken").text
    assert "One photo is tried again." in page
    assert trouble.catalogue.assets.failed(trouble.account.id, None, 10) == []
    assert trouble.nudge.told[-1] == "detection"


def test_all_failures_are_tried_again(maria: Visitor, trouble: Family) -> None:
    maria.post("/status/retry", page="/status")
    assert trouble.catalogue.detection.status(trouble.account.id).waiting == 1


def test_while_work_waits_every_page_shows_it_and_status_refreshes_itself(maria: Visitor, family: Family) -> None:
    assert 'class="dot"' not in maria.text("/libraries")
    family.catalogue.detection.request("refresh", "opencv")
    for path in ("/", "/libraries", "/settings", f"/photos/{family.assets[0]}"):
        assert "Finding faces · 0%" in maria.text(path)
    page = maria.text("/status")
    assert 'hx-trigger="every 2s, ' in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert "14 to go" in page


def test_fragments_are_parts_of_a_page(maria: Visitor) -> None:
    for path in ("/status/queues", "/status/failures", "/status/indicator"):
        text = maria.text(path)
        assert "<html" not in text
        assert text.strip().startswith("<")


def test_an_idle_server_is_asked_seldom(maria: Visitor) -> None:
    assert 'hx-trigger="every 20s, ' in maria.text("/status/queues")
    assert 'hx-trigger="every 30s, ' in maria.text("/status/indicator")


def test_a_folder_is_added_and_scanned(maria: Visitor, family: Family) -> None:
    page = maria.post("/libraries", page="/libraries", path="/photos/new")
    assert "new was added and is being scanned." in page.text
    added = family.catalogue.libraries.all(family.account.id)[-1]
    assert added.sync_requested_at is not None
    assert family.nudge.told == [f"sync {added.id}"]


def test_a_folder_that_is_refused_is_given_back_with_the_reason(maria: Visitor, family: Family) -> None:
    response = maria.post("/libraries", page="/libraries", path='/nowhere/"quoted"')
    assert response.status_code == 422
    assert "There is no folder /nowhere/" in response.text
    assert "Check the spelling, or mount the disk" in response.text
    assert 'value="/nowhere/&#34;quoted&#34;"' in response.text
    assert len(family.catalogue.libraries.all(family.account.id)) == 1


def test_a_library_is_scanned_now(maria: Visitor, family: Family) -> None:
    assert family.library is not None
    page = maria.post(f"/libraries/{family.library.id}/scan", page="/libraries").text
    assert "Family photos is being scanned." in page
    assert "Being read" in page
    assert family.nudge.told == [f"sync {family.library.id}"]


def test_the_last_error_and_what_could_not_be_read_are_shown(maria: Visitor, trouble: Family) -> None:
    assert trouble.library is not None
    trouble.catalogue.libraries.sync_finished(trouble.library.id, "The folder is not there")
    page = maria.text("/libraries")
    assert "The folder is not there" in page
    assert "1 thing in this folder could not be read" in page


def test_removing_a_library_asks_first(maria: Visitor, family: Family) -> None:
    assert family.library is not None
    form = f"/libraries/{family.library.id}/remove"
    assert "The files in the folder are not touched." in maria.text(form)
    assert "Family photos was removed." in maria.post(form, page=form).text
    assert family.catalogue.libraries.all(family.account.id) == []


def test_thresholds_are_saved(maria: Visitor, family: Family) -> None:
    fields = {"minimum_score": "0,65", "maximum_distance": "0.5", "minimum_faces": "5"}
    assert "Saved." in maria.post("/settings/thresholds", fields).text
    now = family.services.preferences.current()
    assert (now.minimum_score, now.maximum_distance, now.minimum_faces) == (0.65, 0.5, 5)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("minimum_score", "2", "Minimum detection score must be between 0.1 and 1"),
        ("minimum_score", "nan", "Minimum detection score must be between 0.1 and 1"),
        ("maximum_distance", "inf", "Maximum recognition distance must be between 0.1 and 1.5"),
        ("maximum_distance", "far", "Maximum recognition distance must be a number"),
        ("minimum_faces", "0", "Minimum recognized faces must be between 1 and 100"),
        ("minimum_faces", "2.5", "Minimum recognized faces must be a whole number"),
        ("minimum_faces", "nan", "Minimum recognized faces must be a whole number"),
        ("minimum_faces", "", "Minimum recognized faces must be a number"),
    ],
)
def test_a_threshold_out_of_range_is_refused_with_its_range(
    maria: Visitor, family: Family, field: str, value: str, said: str
) -> None:
    before = family.services.preferences.current()
    assert said in maria.post("/settings/thresholds", {field: value}).text
    assert family.services.preferences.current() == before


def test_advice_stands_beside_the_thresholds(maria: Visitor) -> None:
    page = maria.text("/settings/detection") + maria.text("/settings/recognition")
    assert "Good values are 0.5 to 0.9; recommended for this model pack: 0.7" in page
    assert "Good values are 0.3 to 0.7 for most packs; recommended for this one: 0.55" in page
    assert "At least 1" in page


def test_values_fixed_by_the_configuration_are_disabled_with_the_reason(family: Family) -> None:
    book = PreferenceBook(family.catalogue.preferences, lambda: PACKS, {"minimum_faces": 2, "pack": "opencv"})
    maria = logged_in(create_app(replace(family.services, preferences=book)))
    page = maria.text("/settings") + maria.text("/settings/packs")
    assert '<input id="minimum_faces" disabled' in page
    assert page.count("in config.yaml or the environment") == 2
    assert "Use this" not in page
    assert "is set in config.yaml" in maria.post("/settings/thresholds", minimum_faces="5").text
    assert book.current().minimum_faces == 2


def test_a_pack_is_not_fetched_before_its_licence_was_accepted(maria: Visitor, family: Family) -> None:
    form = "/settings/pack/buffalo_s"
    assert "Non-commercial research use" in maria.text(form)
    assert "The licence was not accepted" in maria.post(form, page=form).text
    assert family.applied == []
    assert family.services.preferences.current().pack == "opencv"
    maria.post(form, page=form, accept="yes")
    assert family.applied == ["pull_pack"]
    assert family.services.preferences.licence_accepted("buffalo_s")
    assert family.services.preferences.current().pack == "buffalo_s"


def test_a_licence_that_may_be_passed_on_is_shown_in_full_before_the_pack_is_fetched(
    maria: Visitor, family: Family
) -> None:
    page = maria.text("/settings/pack/opencv")
    assert "Copyright (c) 2020 Shiqi Yu" in page
    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in page
    page = maria.text("/settings/pack/buffalo_s")
    assert "<pre" not in page
    assert 'href="https://example.org/buffalo"' in page
    away = replace(family.services, engine_status=lambda: replace(engine_status(()), pack_installed=False))
    packs = logged_in(create_app(away)).text("/settings/packs")
    assert 'href="/settings/pack/opencv"' in packs
    assert "/settings/apply/pull_pack" not in packs


def test_an_untested_pack_is_marked(maria: Visitor) -> None:
    assert maria.text("/settings/packs").count("Untested") == 1
    assert "This pack is untested with Kinfolk" in maria.text("/settings/pack/antelopev2")
    assert maria.get("/settings/pack/nonsense").status_code == 404


@pytest.mark.parametrize("action", ["detect_missing", "recognize_missing", "pull_pack"])
def test_small_changes_are_applied_at_once(maria: Visitor, family: Family, action: str) -> None:
    assert maria.post(f"/settings/apply/{action}").status_code == 200
    assert family.applied == [action]


@pytest.mark.parametrize("action", ["detect_refresh", "detect_reset", "recognize_reset"])
def test_large_changes_ask_first(maria: Visitor, family: Family, action: str) -> None:
    form = f"/settings/apply/{action}"
    page = "/settings/recognition" if action.startswith("recognize") else "/settings/detection"
    assert f'href="{form}"' in maria.text(page)
    assert "kept" in maria.text(form) or "stay" in maria.text(form)
    assert family.applied == []
    maria.post(form, page=form)
    assert family.applied == [action]


def test_unknown_actions_are_not_found(maria: Visitor, family: Family) -> None:
    assert maria.post("/settings/apply/format_disk").status_code == 404
    assert maria.get("/settings/apply/detect_missing").status_code == 404
    assert family.applied == []


def test_every_page_gets_exactly_what_its_template_uses(app: Flask, maria: Visitor, family: Family) -> None:
    """A template that needs more fails by itself (StrictUndefined); here nothing is passed in vain."""
    seen: dict[str, set[str]] = {}

    def record(_sender: Flask, template: object, context: dict[str, object], **_rest: object) -> None:
        from_flask = {"g", "request", "session", "current_user", "csrf_token", "csrf_meta_tag"}
        always = {
            "account",
            "asks_language",
            "embedded",
            "in_home_assistant",
            "scan",
            "section",
            "standing_event",
            "sharers",
            "view",
        } | from_flask
        seen[str(getattr(template, "name", ""))] = set(context) - always

    anna = family.people["Anna"]
    with template_rendered.connected_to(record, app):
        for path in ("/", f"/people/{anna}", f"/people/{anna}/rename", f"/people/{anna}/merge", "/settings",
                     f"/people/{anna}/birth-date", f"/people/{anna}/split", f"/photos/{family.assets[0]}",
                     "/status", "/libraries", "/review", "/unassigned", "/history",
                     "/settings/detection", "/settings/packs",
                     "/settings/privacy", "/settings/accounts", "/settings/account"):  # fmt: skip
            maria.get(path)
    assert seen == {
        "people.html": {"page"},
        "person.html": {"page"},
        "person_rename.html": {"tile", "names"},
        "person_merge.html": {"tile", "others", "search"},
        "person_birth_date.html": {"tile"},
        "person_split.html": {"tile", "groups"},
        "photo.html": {"page"},
        "status.html": {"page"},
        "libraries.html": {"page"},
        "settings_recognition.html": {"page"},
        "settings_detection.html": {"page"},
        "settings_packs.html": {"page"},
        "settings_account.html": set(),
        "settings_privacy.html": {"page"},
        "settings_accounts.html": {"accounts", "link", "name", "error"},
        "review.html": {"page"},
        "unassigned.html": {"page"},
        "history.html": {"page"},
    }


def test_a_photo_tried_again_is_pending(maria: Visitor, trouble: Family) -> None:
    (failed,) = trouble.catalogue.assets.failed(trouble.account.id, None, 10)
    maria.post("/status/retry", page="/status", code=failed.error_code or "")
    assert trouble.catalogue.assets.get(failed.id).state is WorkState.PENDING
