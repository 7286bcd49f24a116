"""Everything that can be configured, with default and allowed range. `config.example.yaml` mirrors this file."""

import os
import re
from collections.abc import Mapping
from datetime import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from plugin.hosts.folder.options import DEFAULT_SKIP
from plugin.pausing import PauseRules, SensorLimit, quiet_hours
from plugin.preferences import DISTANCE_RANGE, FACES_RANGE, METHODS, SCORE_RANGE
from plugin.settings.addon_options import AddonOptionsSource
from plugin.settings.allowed import Number, Whole, number, switch, whole
from plugin.settings.config_file import ConfigFileSource

DEFAULT_DATA = Path("~/.local/share/kinfolk")


def clock_time(value: object) -> object:
    """Undo YAML 1.1, which reads an unquoted 23:30 as the base-60 number 1410."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return f"{value // 60:02d}:{value % 60:02d}"
    return value


def url_prefix(value: str) -> str:
    """A path as `url_for` puts it before every link: empty, or with a leading and no trailing slash."""
    if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
        raise ValueError("not a path like /kinfolk")
    return value


def network(value: str) -> str:
    """An address or network (CIDR) in its canonical form."""
    return str(ip_network(value, strict=False))


def origin(value: str) -> str:
    """A scheme, a host name and perhaps a port, as browsers compare them."""
    if not re.fullmatch(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", value.lower().rstrip("/")):
        raise ValueError("not an address like https://cloud.example.org")
    return value.lower().rstrip("/")


def span_of_day(value: str) -> str:
    """Two times of day, as `plugin.pausing` reads them."""
    quiet_hours(value)
    return value


def publishable(value: str) -> str:
    """A topic that messages can be published under: no wildcards, no empty level at either end."""
    if value != value.strip("/ ") or any(character in value for character in "+#\0") or len(value.encode()) > 200:
        raise ValueError("not a topic such as zigbee2mqtt/cellar")
    return value


def text_of_number(value: object) -> object:
    """A password of digits is read as a number by YAML."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def not_empty(value: object) -> object:
    """Refuse "" where a folder is meant; as a path it would be the folder Kinfolk was started in."""
    if value == "":
        raise ValueError("a name is missing")
    return value


def one_address(value: str) -> str:
    """One address in its canonical form, or ""."""
    return str(ip_address(value)) if value else ""


def default_workers() -> int:
    """Two at most: a home server has other things to do, and each worker holds a whole decoded photo in memory."""
    return min(2, os.cpu_count() or 1)


class Section(BaseModel):
    """A part of the configuration: frozen, and every key it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="after")
    @classmethod
    def _home(cls, value: Any) -> Any:  # noqa: ANN401  whatever the field holds
        if isinstance(value, tuple):
            return tuple(item.expanduser() if isinstance(item, Path) else item for item in value)
        return value.expanduser() if isinstance(value, Path) else value


class WebSettings(Section):
    """Where the pages are served."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="an address of this machine, or 0.0.0.0 for all of them"
    )
    port: Whole = whole(8099, 1, 65535)
    prefix: Annotated[str, AfterValidator(url_prefix)] = Field(default="", description='"" or a path such as /kinfolk')
    trusted_proxies: tuple[Annotated[str, AfterValidator(network)], ...] = Field(
        default=(), description="a list of addresses or networks such as 172.30.32.2 or 10.0.0.0/8"
    )
    framed_by: tuple[Annotated[str, AfterValidator(origin)], ...] = Field(
        default=(), description="a list of addresses such as https://cloud.example.org"
    )
    threads: Whole = whole(8, 1, 64)
    hook_port: Whole | None = whole(None, 1, 65535, unset="none of their own")

    @field_validator("hook_port")
    @classmethod
    def _not_the_same_port(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value == info.data.get("port"):
            raise ValueError("the same as web.port")
        return value


class IngressSettings(Section):
    """Kinfolk in the sidebar of Home Assistant, which says who is looking."""

    supervisor: Annotated[str, AfterValidator(one_address)] = Field(
        default="", description='"" or the address of the Supervisor such as 172.30.32.2'
    )
    administrators: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        default=(), description="a list of names with which people log in at Home Assistant; empty: whoever comes first"
    )


class LibrarySettings(Section):
    """How libraries are followed."""

    rescan_minutes: Whole = whole(15, 1, 10080)
    watch: bool = switch(default=True)
    watched_rescan_hours: Whole = whole(24, 1, 168)
    skip: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=DEFAULT_SKIP, description="a list of glob patterns"
    )
    videos: bool = switch(default=True)


class DetectionSettings(Section):
    """How faces are found. `pack` and `minimum_score` fix what the Settings page otherwise decides."""

    pack: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="the name of a model pack (`kinfolk models list`), or null: the Settings page decides"
    )
    minimum_score: Number | None = number(None, *SCORE_RANGE, unset="the Settings page decides")
    workers: Whole = whole(None, 1, 8, default_factory=default_workers)
    priority: Literal["low", "normal"] = Field(default="low", description="low or normal")
    cpu_percent: Whole = whole(100, 5, 100)
    long_side: Whole = whole(640, 320, 1920)
    working_long_side: Whole = whole(1440, 640, 8192)
    video_frames: Whole = whole(12, 1, 100)
    maximum_megapixels: Whole = whole(200, 1, 2000)
    maximum_photo_megabytes: Whole = whole(512, 1, 4096)

    @field_validator("working_long_side")
    @classmethod
    def _not_below_detection(cls, value: int, info: ValidationInfo) -> int:
        """Detection would enlarge a picture that was reduced below its own size."""
        if value < info.data.get("long_side", 0):
            raise ValueError("smaller than detection.long_side")
        return value


class RecognitionSettings(Section):
    """How faces become people. The two thresholds fix what the Settings page otherwise decides."""

    method: Literal["kinfolk", "immich"] = Field(default="kinfolk", description="kinfolk or immich")
    maximum_distance: Number | None = number(None, *DISTANCE_RANGE, unset="the Settings page decides")
    minimum_faces: Whole | None = whole(None, *FACES_RANGE, unset="the Settings page decides")
    nightly_at: Annotated[str, BeforeValidator(clock_time)] = Field(
        default="02:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="a time of day from 00:00 to 23:59"
    )

    @property
    def nightly_time(self) -> time:
        """`nightly_at` as a local time of day."""
        return time.fromisoformat(self.nightly_at)


class RuntimeSettings(Section):
    """What the models run on."""

    accelerator: Literal["auto", "cpu", "rocm", "migraphx"] = Field(
        default="auto", description="auto, cpu, rocm or migraphx"
    )
    providers: tuple[Annotated[str, Field(pattern=r"^\w+ExecutionProvider$")], ...] = Field(
        default=(), description="a list of ONNX Runtime provider names; empty: every installed one, the fastest first"
    )
    gfx_override: Annotated[str, Field(pattern=r"^\d{1,2}\.\d{1,2}\.\d{1,2}$")] | None = Field(
        default=None, description="a version such as 10.3.0, or null: the card as it is"
    )
    model_folders: tuple[Annotated[Path, BeforeValidator(not_empty)], ...] = Field(
        default=(), description="a list of folders that hold model files"
    )
    unload_minutes: Whole | None = whole(10, 1, 1440, unset="models stay in memory")

    @field_validator("providers")
    @classmethod
    def _only_with_auto(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Two settings that choose would contradict each other."""
        if value and info.data.get("accelerator", "auto") != "auto":
            raise ValueError("but runtime.accelerator is not auto")
        return value


class SensorSettings(Section):
    """A sensor that makes work rest (`plugin.pausing.SensorLimit`)."""

    topic: Annotated[str, Field(min_length=1), AfterValidator(publishable)]
    key: Annotated[str, Field(max_length=100)] = ""
    below: Annotated[Number, Field(allow_inf_nan=False)] | None = None
    above: Annotated[Number, Field(allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "SensorSettings":
        if self.below is None and self.above is None:
            raise ValueError("neither below nor above is given")
        if self.below is not None and self.above is not None and self.above <= self.below:
            raise ValueError("every value is below or above")
        return self


class PauseSettings(Section):
    """When work in the background rests, besides when somebody presses the button."""

    quiet_hours: Annotated[str, AfterValidator(span_of_day)] = Field(
        default="",
        pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description='"" or two different times of day such as "07:00-23:00"',
    )
    load_above: Number | None = number(None, 0.1, 1000, unset="the load does not matter")
    sensors: tuple[SensorSettings, ...] = Field(
        default=(), max_length=20, description="a list of entries with topic and below or above (numbers), perhaps key"
    )

    def rules(self) -> PauseRules:
        """The same as `plugin.pausing` takes it."""
        limits = (SensorLimit(sensor.topic, sensor.key, sensor.below, sensor.above) for sensor in self.sensors)
        return PauseRules(quiet_hours(self.quiet_hours), self.load_above, tuple(limits))


class MqttSettings(Section):
    """The broker Home Assistant is told through."""

    host: str = Field(default="", max_length=253, description='"" or the name or address of a broker')
    port: Whole = whole(1883, 1, 65535)
    user: str = Field(default="", max_length=500, description='"" or the name of a user of the broker')
    password: Annotated[SecretStr, BeforeValidator(text_of_number)] = Field(
        default=SecretStr(""), description='"" or the password of that user'
    )
    password_file: Path | None = Field(
        default=None, description="the path of a file only its owner can read, or null: there is none"
    )
    tls: bool = switch(default=False)
    certificate_file: Path | None = Field(
        default=None, description="the path of a file with certificates (PEM), or null: those of the system"
    )
    discovery_prefix: Annotated[str, AfterValidator(publishable)] = Field(
        default="homeassistant", min_length=1, description="a topic without + and #"
    )
    topic: Annotated[str, AfterValidator(publishable)] = Field(
        default="kinfolk", min_length=1, description="a topic without + and #"
    )


class BackupSettings(Section):
    """Copies of the catalogue inside the data folder."""

    daily: bool = switch(default=True)
    keep: Whole = whole(3, 1, 100)


class Settings(BaseSettings):
    """The whole configuration.

    Attributes:
        data: the data folder, absolute; named by `--data` or `KINFOLK_DATA`, never by the file that lies in it.
        config: the configuration file that is read, if it is there.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="KINFOLK_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        env_parse_none_str="null",
    )

    data: Path = Field(exclude=True)
    config: Path = Field(exclude=True)
    web: WebSettings = WebSettings()
    ingress: IngressSettings = IngressSettings()
    libraries: LibrarySettings = LibrarySettings()
    detection: DetectionSettings = Field(default_factory=lambda: DetectionSettings())  # noqa: PLW0108  mypy rejects the bare class
    recognition: RecognitionSettings = RecognitionSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    backup: BackupSettings = BackupSettings()
    pause: PauseSettings = PauseSettings()
    mqtt: MqttSettings = MqttSettings()
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
    ] = Field(default="info", description="debug, info, warning or error")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic-settings'
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """First wins: what the command line names, the environment, options of the add-on, config.yaml."""
        return (
            init_settings,
            env_settings,
            AddonOptionsSource(settings_cls, init_settings),
            ConfigFileSource(settings_cls, init_settings),
        )

    def fixed_preferences(self) -> Mapping[str, str | float | int]:
        """The preferences that are set here, by name, and so cannot be changed on the Settings page."""
        chosen = {
            "pack": self.detection.pack,
            "minimum_score": self.detection.minimum_score,
            "maximum_distance": self.recognition.maximum_distance,
            "minimum_faces": self.recognition.minimum_faces,
            "method": self.recognition.method if self.recognition.method != METHODS[0] else None,
        }
        return {name: value for name, value in chosen.items() if value is not None}
