"""The blueprints in the docs fit what Kinfolk tells."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugin.mqtt.messages import kept, seen
from tests.unit.test_mqtt_messages import ANNA, HOME, TOPICS

FOLDER = Path(__file__).parents[2] / "docs" / "blueprints"
FILES = sorted(FOLDER.glob("*.yaml"))


class Blueprint(yaml.SafeLoader):
    """YAML with Home Assistant's `!input`."""


def _input(loader: Blueprint, node: yaml.ScalarNode) -> dict[str, str]:
    return {"input": str(loader.construct_scalar(node))}


Blueprint.add_constructor("!input", _input)


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Blueprint)
    return loaded


def inputs_used(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["input"]} if set(value) == {"input"} and isinstance(value["input"], str) else set()
        return own.union(*(inputs_used(each) for each in value.values()))
    return set().union(*(inputs_used(each) for each in value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_blueprint_is_an_automation_that_uses_exactly_its_inputs(path: Path) -> None:
    blueprint = read(path)
    about = blueprint.pop("blueprint")
    assert about["domain"] == "automation"
    assert about["name"].startswith("Kinfolk: ")
    assert blueprint["triggers"]
    assert inputs_used(blueprint) == set(about["input"])


def test_the_trigger_is_the_one_kinfolk_brings_and_its_message_has_what_is_used() -> None:
    blueprint = read(FOLDER / "person-seen.yaml")
    (trigger,) = blueprint["triggers"]
    device = json.loads(kept(HOME, TOPICS)["homeassistant/device/kinfolk_abc123_person_7/config"])
    ours = device["components"]["seen"]
    assert (trigger["type"], trigger["subtype"]) == (ours["type"], ours["subtype"])
    assert blueprint["blueprint"]["input"]["person"]["selector"]["device"]["filter"] == [
        {"integration": "mqtt", "manufacturer": device["device"]["manufacturer"]}
    ]
    for name, template in blueprint["variables"].items():
        assert template == f"{{{{ trigger.payload_json.{name} }}}}"
        assert name in json.loads(seen(ANNA))
