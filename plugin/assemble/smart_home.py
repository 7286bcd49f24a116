"""Which MQTT broker to use: the one the settings name, else Home Assistant's own where Kinfolk is an add-on."""

from collections.abc import Callable, Mapping
from pathlib import Path

from plugin.errors import SettingsError
from plugin.mqtt.broker import BrokerLogin
from plugin.mqtt.supervisor import broker_of_home_assistant
from plugin.settings.explaining import variable
from plugin.settings.sections import MqttSettings

LONGEST_PASSWORD_BYTES = 4096


def broker_login(mqtt: MqttSettings, config: Path, environment: Mapping[str, str]) -> Callable[[], BrokerLogin] | None:
    """How to find the broker and log in there, asked before every connection; None where there is none.

    Args:
        mqtt: the settings.
        config: the file they came from.
        environment: where the Supervisor of Home Assistant leaves its token.

    Raises:
        SettingsError: a file cannot be read, or a secret can be read by others.
    """
    if mqtt.host:
        certificates = _existing(mqtt.certificate_file, "mqtt.certificate_file")
        login = BrokerLogin(
            mqtt.host, mqtt.port, mqtt.user, _password(mqtt, config, environment), mqtt.tls, certificates
        )
        return lambda: login
    token = environment.get("SUPERVISOR_TOKEN")
    return (lambda: broker_of_home_assistant(token)) if token else None


def _password(mqtt: MqttSettings, config: Path, environment: Mapping[str, str]) -> str:
    password = mqtt.password.get_secret_value()
    if mqtt.password_file is not None:
        if password:
            raise SettingsError("mqtt.password and mqtt.password_file are both set", "Keep one")
        return _secret(mqtt.password_file)
    named = {name.upper() for name in environment}
    if password and not {variable("mqtt.password"), variable("mqtt")} & named and config.is_file():
        _refuse_readable(config, "mqtt.password stands in")
    return password


def _secret(path: Path) -> str:
    _existing(path, "mqtt.password_file")
    _refuse_readable(path, "mqtt.password_file is")
    try:
        with path.open("rb") as file:
            return file.read(LONGEST_PASSWORD_BYTES).decode().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"mqtt.password_file {path} cannot be read: {error}", "Give it to Kinfolk's user"
        ) from error


def _existing(path: Path | None, key: str) -> str:
    if path is not None and not path.is_file():
        raise SettingsError(f"{key} is {path}, which is no file", "Correct it and start again")
    return str(path or "")


def _refuse_readable(path: Path, what: str) -> None:
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"{what} {path}, which others can read", f"Run: chmod 600 {path}")
