"""One validated, frozen configuration: command line and environment, else config.yaml, else the defaults.

`sections` says what can be set, `loading` where it comes from, `explaining` what is said when a value is wrong. Inside
Home Assistant the options of the add-on come before config.yaml (`addon_options`).
"""

from plugin.settings.loading import load_settings
from plugin.settings.sections import Settings

__all__ = ["Settings", "load_settings"]
