"""The options of the Home Assistant add-on, as settings.

The Supervisor writes what was chosen on the Configuration tab of the add-on into `options.json` in the data folder. An
option is called like its setting, with `_` in place of the point (`backup.keep`: `backup_keep`), so no table has to be
kept: every setting is an option, except those in `FIXED`, which the add-on decides.
"""

import json
import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from plugin.errors import SettingsError
from plugin.settings.keys import nested, setting_fields

OPTIONS_FILE = "options.json"

ADDON_ADVICE = "Correct it on the Configuration tab of the add-on, save, and start the add-on again"

SUPERVISOR = "172.30.32.2"
"""The only address from which ingress comes (https://developers.home-assistant.io/docs/apps/presentation#ingress)."""

FIXED: Mapping[str, Any] = {
    "web.host": "0.0.0.0",  # noqa: S104 - inside the container; who may come in is `plugin.web.inside_home_assistant`'s
    "web.port": 8099,
    "web.prefix": "",
    "web.trusted_proxies": (),
    "web.framed_by": (),
    "web.hook_port": 8098,
    "ingress.supervisor": SUPERVISOR,
}
"""As `addon.yaml` tells the Supervisor (a test compares); changed, they would break the add-on."""


class AddonOptionsSource(InitSettingsSource):
    """What the add-on decides and what its options say; nothing where Kinfolk is not started by the Supervisor."""

    def __init__(self, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource) -> None:
        values: dict[str, Any] = {}
        if is_addon(os.environ):
            keys = [key for key, _ in setting_fields(settings_cls)]
            values = {**read_options(Path(init_settings()["data"]) / OPTIONS_FILE, keys), **FIXED}
        super().__init__(settings_cls, init_kwargs=nested(values))


def is_addon(environment: Mapping[str, str]) -> bool:
    """Whether the Supervisor of Home Assistant started this process: it gives every add-on a token."""
    return bool(environment.get("SUPERVISOR_TOKEN"))


def option_name(key: str) -> str:
    """The option of a setting."""
    return key.replace(".", "_")


def option_keys(keys: Iterable[str]) -> dict[str, str]:
    """The setting of each option."""
    return {option_name(key): key for key in keys if key not in FIXED}


def read_options(path: Path, keys: Iterable[str]) -> dict[str, Any]:
    """The chosen values by setting; what was left empty is not chosen.

    Raises:
        SettingsError: the file cannot be read, holds no options, or one that does not exist.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"The options of the add-on ({path}) cannot be read: {error}", ADDON_ADVICE) from error
    if not isinstance(said, dict):
        raise SettingsError(f"The options of the add-on ({path}) are not a list of names and values", ADDON_ADVICE)
    known = option_keys(keys)
    for name in said:
        if name not in known:
            near = get_close_matches(str(name), known, n=1, cutoff=0.6)
            guess = f"; did you mean {near[0]}" if near else ""
            raise SettingsError(f"{name} is not an option of the add-on{guess}", ADDON_ADVICE)
    # The form of Home Assistant saves an emptied field as an empty text.
    return {known[name]: value for name, value in said.items() if value is not None and value != ""}


def chosen_options(folder: Path, keys: Iterable[str]) -> set[str]:
    """The settings an option names, for error messages; none outside the add-on."""
    return set(read_options(folder / OPTIONS_FILE, keys)) if is_addon(os.environ) else set()
