"""The settings there are, by key (`section.name`), read off the models themselves."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

FOLDER_KEYS = ("data", "config")
"""Decided before any file is found, so they cannot stand in one."""


def setting_fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key with its field, in the order of the model."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_fields(field.annotation, f"{name}.")
        elif prefix or name not in FOLDER_KEYS:
            yield prefix + name, field


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """`{"web.port": 1}` as the file says it: `{"web": {"port": 1}}`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        (found.setdefault(section, {}) if section else found)[name] = value
    return found
