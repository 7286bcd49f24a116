"""Turning pydantic's findings into sentences that name key, value, origin and what is allowed."""

import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from plugin.errors import SettingsError
from plugin.settings.addon_options import ADDON_ADVICE, chosen_options, option_name
from plugin.settings.config_file import key_lines, read_text
from plugin.settings.keys import setting_fields
from plugin.settings.sections import Settings

ADVICE = "Correct it and start again; config.example.yaml lists every key with its default and range"


def allowed_values() -> dict[str, str]:
    """What is allowed for every key (`section.key`), in the order of `config.example.yaml`."""
    return {key: field.description or "" for key, field in setting_fields(Settings)}


@dataclass(frozen=True, slots=True)
class Origins:
    """Where values come from.

    Attributes:
        file: the configuration file.
        lines: of each key in it.
        overrides: what the command line names.
        options: settings that options of the add-on name.
    """

    file: Path
    lines: Mapping[str, int]
    overrides: Mapping[str, Any]
    options: AbstractSet[str]


def explained(error: ValidationError, folder: Path, file: Path, overrides: Mapping[str, Any]) -> SettingsError:
    """One error for all findings, one line each."""
    options = chosen_options(folder, allowed_values())
    origins = Origins(file, key_lines(read_text(file), file.name), overrides, options)
    findings = [_sentence(finding, origins) for finding in error.errors()]
    return SettingsError("\n".join(findings), ADDON_ADVICE if options else ADVICE)


def refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    """Refuse `KINFOLK_WBE__PORT`: pydantic-settings passes over a section it does not know.

    Names without `__` are left alone; Kubernetes sets KINFOLK_PORT and others for a service called kinfolk.

    Raises:
        SettingsError: with the nearest known name.
    """
    known = [variable(key) for key in allowed_values()]
    for name in environ:
        if name.upper().startswith("KINFOLK_") and "__" in name and name.upper() not in known:
            raise SettingsError(
                f"The environment variable {name} is not a setting{_guess(name.upper(), known)}", ADVICE
            )


def variable(key: str) -> str:
    """The environment variable that sets a key."""
    return f"KINFOLK_{key.upper().replace('.', '__')}"


def _sentence(finding: ErrorDetails, origins: Origins) -> str:
    keys = [str(part) for part in finding["loc"]]
    key = next((k for k in (".".join(keys[:2]), keys[0]) if k in allowed_values()), ".".join(keys[:2]))
    origin = _origin(key, origins)
    if finding["type"] == "extra_forbidden" and key not in allowed_values():
        return f"{key} ({origin}) is not a setting{_guess(key, list(allowed_values()))}"
    allowed = allowed_values().get(key, "a section with keys of its own")
    reason = finding.get("ctx", {}).get("error") if finding["type"] == "value_error" else None
    shown = "not shown here" if key == "mqtt.password" else _shown(finding["input"])
    return f"{key} is {shown} ({origin}){f', {reason}' if reason else ''}; allowed: {allowed}"


def _origin(key: str, origins: Origins) -> str:
    section, _, name = key.partition(".")
    given = origins.overrides.get(section)
    if given is not None and (not name or name in given):
        return "from the command line"
    set_there = {entry.upper(): entry for entry in os.environ}
    for candidate in (variable(key), variable(section)):
        if candidate in set_there:
            return f"from the environment variable {set_there[candidate]}"
    if key in origins.options:
        return f"the option {option_name(key)} of the add-on"
    file, line = origins.file.name, origins.lines.get(key)
    return f"{file}, line {line}" if line else file


def _guess(wrong: str, known: list[str]) -> str:
    near = get_close_matches(wrong, known, n=1, cutoff=0.6)
    last = [key for key in known if "." in key and key.rpartition(".")[2] == wrong.rpartition(".")[2]]
    best = (near or last)[:1]
    return f"; did you mean {best[0]}" if best else ""


def _shown(value: object) -> str:
    text = repr(str(value) if isinstance(value, Path) else value)
    return text if len(text) <= 60 else text[:57] + "..."
