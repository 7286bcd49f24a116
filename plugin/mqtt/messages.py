"""What is kept at the broker, as bytes by topic: devices for Home Assistant, and their states.

Names appear as JSON strings and nowhere else, never in a template: Home Assistant shows them as text.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime

from plugin import __version__
from plugin.mqtt.topics import Topics
from plugin.ports.smart_home import AccountTold, HomeTold, PersonTold, Wish

LONGEST_NAME = 80

ONLINE, OFFLINE = b"online", b"offline"

Entity = dict[str, object]


def kept(told: HomeTold, topics: Topics) -> dict[str, bytes]:
    """Every message but pictures; devices before their states. Empty when nobody allows anything."""
    if not told.accounts:
        return {}
    messages = dict(_kinfolk(told, topics))
    for account in told.accounts:
        messages.update(_account(account, topics))
        for person in account.persons:
            messages.update(_person(person, account, topics))
    return messages | {topics.available: ONLINE}


def seen(person: PersonTold) -> bytes:
    """What is told once when a new photo of somebody appears."""
    newest = person.newest
    said = {"person": shown(person.name), "taken_at": _local_time(newest.taken_at) if newest else None}
    return _json(said)


def shown(name: str) -> str:
    """A name as one line of at most 80 characters, without anything that steers a terminal or the direction of text."""
    kinds = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    plain = "".join(" " if unicodedata.category(character) in kinds else character for character in name)
    one_line = " ".join(plain.split())
    return one_line if len(one_line) <= LONGEST_NAME else one_line[: LONGEST_NAME - 1] + "…"


def _kinfolk(told: HomeTold, topics: Topics) -> Iterator[tuple[str, bytes]]:
    def button(wish: Wish, name: str, icon: str) -> Entity:
        return {"platform": "button", "name": name, "command_topic": topics.wishes, "payload_press": wish.value,
                "icon": icon}  # fmt: skip

    paused: Entity = {
        "platform": "binary_sensor", "name": "Paused", "state_topic": topics.pause, "icon": "mdi:pause-circle",
        "value_template": "{{ value_json.paused }}", "json_attributes_topic": topics.pause,
    }  # fmt: skip
    entities = {
        "scan": button(Wish.SCAN, "Scan now", "mdi:image-search"),
        "pause": button(Wish.PAUSE, "Pause", "mdi:pause"),
        "resume": button(Wish.RESUME, "Resume", "mdi:play"),
        "paused": paused,
    }
    yield topics.discovered(topics.device), _device(topics, topics.device, "Kinfolk", entities)
    yield topics.pause, _json({"paused": "ON" if told.pause else "OFF", "reason": told.pause})


def _account(account: AccountTold, topics: Topics) -> Iterator[tuple[str, bytes]]:
    device, state = f"{topics.device}_account_{account.id}", topics.account(account.id)

    def count(name: str, key: str, icon: str) -> Entity:
        return {"platform": "sensor", "name": name, "state_topic": state, "icon": icon, "state_class": "measurement",
                "value_template": f"{{{{ value_json.{key} }}}}"}  # fmt: skip

    entities = {
        "people": count("People", "people", "mdi:account-group"),
        "faces": count("Faces", "faces", "mdi:face-recognition"),
        "queue": count("Photos waiting", "queue", "mdi:tray-full"),
        "last_scan": _moment("Last scan", "last_scan", state),
    }
    values = {
        "people": account.people,
        "faces": account.faces,
        "queue": account.waiting,
        "last_scan": account.last_scan_at.isoformat() if account.last_scan_at else None,
    }
    name = f"Kinfolk {shown(account.name)}".strip()
    yield topics.discovered(device), _device(topics, device, name, entities, via=topics.device)
    yield state, _json(values)


def _person(person: PersonTold, account: AccountTold, topics: Topics) -> Iterator[tuple[str, bytes]]:
    device, state = f"{topics.device}_person_{person.id}", topics.person(person.id)
    photos: Entity = {
        "platform": "sensor", "name": "Photos", "state_topic": state, "icon": "mdi:image-multiple",
        "state_class": "measurement", "value_template": "{{ value_json.photos }}",
    }  # fmt: skip
    trigger: Entity = {
        "platform": "device_automation", "automation_type": "trigger", "type": "person_seen", "subtype": "new_photo",
        "topic": topics.person(person.id, "seen"),
    }  # fmt: skip
    entities = {"last_seen": _moment("Last seen", "last_seen", state), "photos": photos, "seen": trigger}
    via, name = f"{topics.device}_account_{account.id}", shown(person.name) or "Person"
    yield topics.discovered(device), _device(topics, device, name, entities, via=via)
    newest = person.newest
    yield state, _json({"last_seen": _local_time(newest.taken_at) if newest else None, "photos": person.photos})
    if person.with_picture and newest:
        # On its own, so that it can be taken back on its own: an empty message removes what a topic brought.
        image: Entity = {
            "name": "Newest photo", "image_topic": topics.person(person.id, "picture"), "content_type": "image/jpeg",
            "unique_id": f"{device}_picture", "availability_topic": topics.available,
            "device": {"identifiers": [device]}, "origin": _origin(),
        }  # fmt: skip
        yield topics.discovered(f"{device}_picture", "image"), _json(image)


def _moment(name: str, key: str, state: str) -> Entity:
    return {"platform": "sensor", "name": name, "state_topic": state, "device_class": "timestamp",
            "value_template": f"{{{{ value_json.{key} }}}}"}  # fmt: skip


def _device(topics: Topics, device: str, name: str, entities: Mapping[str, Entity], via: str = "") -> bytes:
    about: Entity = {
        "identifiers": [device], "name": name, "manufacturer": "Kinfolk", "sw_version": __version__,
    }  # fmt: skip
    if via:
        about["via_device"] = via
    components = {
        key: entity
        if entity["platform"] == "device_automation"
        else entity | {"unique_id": f"{device}_{key}", "availability_topic": topics.available}
        for key, entity in entities.items()
    }
    return _json({"device": about, "origin": _origin(), "components": components})


def _origin() -> dict[str, str]:
    return {"name": "Kinfolk", "sw_version": __version__}


def _local_time(taken_at: datetime) -> str:
    """The camera's wall clock, read as this machine's local time: Home Assistant wants an offset."""
    try:
        return taken_at.astimezone().isoformat()
    except (OverflowError, OSError, ValueError):  # the year 1, in some time zones
        return taken_at.isoformat() + "+00:00"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
