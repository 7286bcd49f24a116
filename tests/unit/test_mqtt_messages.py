"""What Home Assistant finds at the broker: devices by ids, names as text, nothing of anybody who is not told about."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.mqtt.messages import LONGEST_NAME, kept, seen, shown
from plugin.mqtt.readings import reading
from plugin.mqtt.topics import Topics
from plugin.ports.smart_home import AccountTold, HomeTold, NewestPhoto, PersonTold

TOPICS = Topics("abc123")
NEWEST = NewestPhoto(70, "key", datetime(2026, 5, 4, 10, 30))  # noqa: DTZ001  a camera's wall clock
ANNA = PersonTold(7, "Anna", 12, NEWEST, with_picture=True, is_news=True)
MARIA = AccountTold(2, "Maria", 5, 40, 3, datetime(2026, 5, 4, tzinfo=UTC), (ANNA,))
HOME = HomeTold((MARIA,))


def found(told: HomeTold = HOME) -> dict[str, Any]:
    said = {topic: payload for topic, payload in kept(told, TOPICS).items() if payload != b"online"}
    return {topic: json.loads(payload) for topic, payload in said.items()}


def test_nothing_at_all_is_said_before_somebody_allows_it() -> None:
    assert kept(HomeTold((), "Paused"), TOPICS) == {}


def test_an_account_without_chosen_people_is_told_in_numbers_only() -> None:
    said = found(HomeTold((replace(MARIA, persons=()),)))
    assert said["kinfolk/abc123/account/2"] == {
        "people": 5, "faces": 40, "queue": 3, "last_scan": "2026-05-04T00:00:00+00:00"
    }  # fmt: skip
    assert not any("person" in topic for topic in said)
    assert "Anna" not in json.dumps(said)


def test_each_account_and_person_is_a_device_below_the_one_of_kinfolk() -> None:
    said = found()
    kinfolk = said["homeassistant/device/kinfolk_abc123/config"]
    maria = said["homeassistant/device/kinfolk_abc123_account_2/config"]
    anna = said["homeassistant/device/kinfolk_abc123_person_7/config"]
    assert kinfolk["device"]["identifiers"] == ["kinfolk_abc123"]
    assert (maria["device"]["name"], maria["device"]["via_device"]) == ("Kinfolk Maria", "kinfolk_abc123")
    assert (anna["device"]["name"], anna["device"]["via_device"]) == ("Anna", "kinfolk_abc123_account_2")
    assert set(kinfolk["components"]) == {"scan", "pause", "resume", "paused"}
    assert set(maria["components"]) == {"people", "faces", "queue", "last_scan"}
    assert set(anna["components"]) == {"last_seen", "photos", "seen"}
    for device in (kinfolk, maria, anna):
        assert device["origin"]["name"] == "Kinfolk"
        for entity in device["components"].values():
            if entity["platform"] != "device_automation":
                assert entity["availability_topic"] == "kinfolk/abc123/available"
                assert entity["unique_id"].startswith("kinfolk_abc123")


def test_what_home_assistant_reads_is_where_the_devices_say() -> None:
    said = found()
    for config in [payload for topic, payload in said.items() if topic.endswith("/config") and "components" in payload]:
        for entity in config["components"].values():
            if "state_topic" in entity:
                (key,) = entity["value_template"].removeprefix("{{ value_json.").removesuffix(" }}").split()
                assert key in said[entity["state_topic"]]


def test_a_new_photo_is_a_device_trigger_that_says_who_and_when() -> None:
    trigger = found()["homeassistant/device/kinfolk_abc123_person_7/config"]["components"]["seen"]
    assert (trigger["automation_type"], trigger["type"]) == ("trigger", "person_seen")
    assert trigger["topic"] == "kinfolk/abc123/person/7/seen"
    said = json.loads(seen(ANNA))
    assert said["person"] == "Anna"
    assert datetime.fromisoformat(said["taken_at"]).replace(tzinfo=None) == NEWEST.taken_at
    assert datetime.fromisoformat(said["taken_at"]).tzinfo is not None


def test_the_picture_is_an_entity_of_its_own_and_only_there_when_it_was_chosen() -> None:
    topic = "homeassistant/image/kinfolk_abc123_person_7_picture/config"
    image = found()[topic]
    assert image["image_topic"] == "kinfolk/abc123/person/7/picture"
    assert image["device"] == {"identifiers": ["kinfolk_abc123_person_7"]}
    without = replace(ANNA, with_picture=False)
    assert topic not in found(HomeTold((replace(MARIA, persons=(without,)),)))


def test_a_pause_is_told_with_its_reason() -> None:
    assert found(replace(HOME, pause="Paused until 23:00"))["kinfolk/abc123/pause"] == {
        "paused": "ON", "reason": "Paused until 23:00"
    }  # fmt: skip
    assert found()["kinfolk/abc123/pause"]["paused"] == "OFF"


@pytest.mark.parametrize("name", ["a/b/+/#", "{{ states('x') }}", "<b>x</b>", 'x"}', "a\nb\0c\x1b[2J", "\u202egnp.exe"])
def test_a_hostile_name_is_text_and_in_no_topic(name: str) -> None:
    hostile = HomeTold((replace(MARIA, name=name, persons=(replace(ANNA, name=name),)),))
    assert set(kept(hostile, TOPICS)) == set(kept(HOME, TOPICS))
    said = found(hostile)
    for topic, payload in said.items():
        for entity in payload.get("components", {}).values() if topic.endswith("/config") else ():
            assert name not in json.dumps(entity)
    assert said["homeassistant/device/kinfolk_abc123_person_7/config"]["device"]["name"] == shown(name)


@given(st.text(max_size=400))
def test_a_shown_name_is_one_short_line(name: str) -> None:
    line = shown(name)
    assert len(line) <= LONGEST_NAME
    assert line == line.strip()
    assert not any(ord(character) < 32 or character in "\u202e\u2066\u2028" for character in line)
    line.encode()


@pytest.mark.parametrize(
    ("payload", "key", "value"),
    [
        (b"21.5", "", 21.5),
        (b'"21.5"', "", 21.5),
        (b'{"battery": 88, "voltage": 3100}', "battery", 88),
        (b'{"ups": {"battery": "17"}}', "ups.battery", 17),
        (b"unavailable", "", None),
        (b"true", "", None),
        (b"NaN", "", None),
        (b"1e999", "", None),
        (b"[1]", "", None),
        (b"[1]", "0", None),
        (b"", "", None),
        (b"\xff\xfe", "", None),
        (b'{"battery": null}', "battery", None),
        (b"[" * 4000, "", None),
        (b"1" * 5000, "", None),
    ],
)
def test_a_sensor_is_a_number_or_nothing(payload: bytes, key: str, value: float | None) -> None:
    assert reading(payload, key) == value
