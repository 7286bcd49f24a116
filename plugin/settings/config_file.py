"""Reading config.yaml: safe types only, every key once, and the line of each key for error messages."""

from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from plugin.errors import SettingsError
from plugin.settings.keys import FOLDER_KEYS

SYNTAX_ADVICE = "Compare it with config.example.yaml, which shows every key"


class ConfigFileSource(InitSettingsSource):
    """The values of the file named by the `config` argument of `Settings`; a file that is not there has none."""

    def __init__(self, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls, init_kwargs=read_values(Path(init_settings()["config"])))


def read_values(path: Path) -> dict[str, Any]:
    """What the file says, without empty sections.

    Raises:
        SettingsError: unreadable, not YAML, a key twice, or one that cannot stand in a file.
    """
    text = read_text(path)
    try:
        key_lines(text, path.name)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not valid YAML: {where(error)}", SYNTAX_ADVICE) from error
    if not isinstance(values, dict | None):
        raise SettingsError(f"{path} must hold sections with keys, not {values!r}", SYNTAX_ADVICE)
    for key in values or {}:
        if key in FOLDER_KEYS:
            raise SettingsError(f"{key} cannot be set in {path}", f"Name it with --{key} or KINFOLK_{key.upper()}")
    # A section whose keys are all commented out reads as null; it means "the defaults".
    return {str(key): value for key, value in (values or {}).items() if value is not None}


def read_text(path: Path) -> str:
    """The text of the file, "" when there is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}", "Make it a readable text file in UTF-8") from error


def key_lines(text: str, name: str) -> dict[str, int]:
    """The line (from 1) of every key as `section.key`.

    Raises:
        SettingsError: a key stands there twice; YAML would silently take the last one.
    """
    lines: dict[str, int] = {}
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pending = [("", root)]
    while pending:
        prefix, node = pending.pop()
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            path = f"{prefix}{key.value}"
            line = key.start_mark.line + 1
            if path in lines:
                raise SettingsError(f"{path} is set twice in {name}, in lines {lines[path]} and {line}", "Keep one")
            lines[path] = line
            pending.append((f"{path}.", value))
    return lines


def where(error: yaml.YAMLError) -> str:
    """What YAML stumbled over and in which line, in one short sentence."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{error.problem} in line {error.problem_mark.line + 1}"
    return str(error).splitlines()[0]
