"""From command line, environment, add-on options and config.yaml to one `Settings`, or to one clear error."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError as SourceError

from plugin.errors import SettingsError
from plugin.settings.explaining import ADVICE, explained, refuse_unknown_variables
from plugin.settings.sections import DEFAULT_DATA, Settings


def load_settings(
    data: Path | None = None, config: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Validate everything once.

    Args:
        data: the data folder; None: `KINFOLK_DATA`, else `~/.local/share/kinfolk`.
        config: the configuration file, which must exist; None: `KINFOLK_CONFIG`, else `config.yaml` in the data
            folder, if it is there.
        overrides: values from the command line by section, such as `{"web": {"port": 8100}}`.

    Raises:
        SettingsError: names key, value, where it came from, and what is allowed.
    """
    folder = absolute(data or os.environ.get("KINFOLK_DATA") or DEFAULT_DATA)
    named = config or os.environ.get("KINFOLK_CONFIG")
    file = absolute(named) if named else folder / "config.yaml"
    if named and not file.is_file():
        raise SettingsError(f"There is no configuration file {file}", "Name one that exists, or leave out --config")
    given = dict(overrides or {})
    refuse_unknown_variables(os.environ)
    try:
        return Settings(data=folder, config=file, **given)
    except ValidationError as error:
        raise explained(error, folder, file, given) from error
    except SourceError as error:
        raise SettingsError(f"The environment cannot be read: {error}; lists are written as JSON", ADVICE) from error


def absolute(path: str | os.PathLike[str]) -> Path:
    """The path without `~` and relative parts; links are kept, they may be moved on purpose."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100  resolve() would follow links
