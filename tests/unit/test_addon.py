"""The add-on repository, by the rules of those who read it: the Supervisor, its store, and the add-on linter.

Written down by hand from `supervisor/addons/validate.py`, `options.py`, `utils.py` (rating), `store/data.py`,
`utils/apparmor.py` and from frenck's action-addon-linter (`config.schema.json`, `lint.py`), as of 2026.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import pytest
import yaml
from PIL import Image

from plugin import __version__
from plugin.assemble.data_folder import DataFolder
from plugin.settings import Settings
from plugin.settings.addon_options import FIXED, option_keys, option_name
from plugin.settings.explaining import allowed_values
from plugin.settings.sections import BackupSettings
from plugin.web.language import LANGUAGES

ROOT = Path(__file__).parents[2]
ADDON = ROOT / "kinfolk"
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "addon.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = MANIFEST["schema"]
ALL_OPTIONS = option_keys(allowed_values())
FOR_AMD = {"runtime_accelerator", "runtime_gfx_override"}
"""Options that do nothing without ROCm: of the add-on for AMD graphics cards only."""
OPTIONS = {option: key for option, key in ALL_OPTIONS.items() if option not in FOR_AMD}
DOC = (ROOT / "docs/home-assistant.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")

Check = Callable[[Any], bool]


def manifest_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    return found


def write_local(addons: Path, *more: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "scripts/local-addon.sh"
    return subprocess.run(["sh", script, addons, *more], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of local add-ons, written as the documentation says."""
    addons = tmp_path_factory.mktemp("addons")
    for more in ([], ["rocm"]):
        written = write_local(addons, *more)
        assert (written.returncode, written.stderr) == (0, "")
    return {"cpu": addons / "kinfolk", "rocm": addons / "kinfolk_rocm"}


SCHEMA_ELEMENT = re.compile(
    r"^(?:|bool|email|url|port|device(?:\(subsystem=[a-z]+\))?|str(?:\(\d*,\d*\))?|password(?:\(\d*,\d*\))?"
    r"|int(?:\(\d*,\d*\))?|float(?:\([\d.]*,[\d.]*\))?|match\(.*\)|list\(.+\))\??$"
)
IMAGE = re.compile(r"^([a-zA-Z\-.:\d{}]+/)*?([\-\w{}]+)/([\-\w{}]+)(:[.\-\w{}]+)?$")


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def is_true_or_false(value: Any) -> bool:
    return isinstance(value, bool)


def are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def fits(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.match(pattern, value) is not None


def are_ports(value: Any) -> bool:
    return isinstance(value, dict) and all(
        re.match(r"^\d+(?:/tcp|/udp)?$", name) and (port is None or 0 < port < 65536) for name, port in value.items()
    )


def are_maps(value: Any) -> bool:
    types = {"data", "ssl", "backup", "share", "media", "homeassistant_config", "addon_config", "all_addon_configs"}
    return all(set(one) <= {"type", "read_only", "path"} and one["type"] in types for one in value)


def is_element(value: Any) -> bool:
    """A word, a list of one element, or fields with elements; a list holds no list."""
    if isinstance(value, list):
        return len(value) == 1 and not isinstance(value[0], list) and is_element(value[0])
    return are_elements(value) if isinstance(value, dict) else SCHEMA_ELEMENT.match(value) is not None


def are_elements(value: Any) -> bool:
    return all(map(is_element, value.values()))


REQUIRED: dict[str, Check] = {
    "name": is_text,
    "version": fits(r"^\d+\.\d+\.\d+$"),
    "slug": fits(r"^[-_.A-Za-z0-9]+$"),
    "description": is_text,
    "arch": lambda value: set(value) <= {"aarch64", "amd64"},
}
OPTIONAL: dict[str, Check] = {
    "url": fits(r"^https://[^ ]+$"),
    "image": lambda value: IMAGE.match(value) is not None,
    "startup": lambda value: value in {"initialize", "system", "services", "application", "once"},
    "boot": lambda value: value in {"auto", "manual", "manual_only"},
    "stage": lambda value: value in {"stable", "experimental", "deprecated"},
    "ports": are_ports,
    "ports_description": lambda value: all(map(is_text, value.values())),
    "ingress": is_true_or_false,
    "ingress_port": lambda value: 0 <= value < 65536,
    "ingress_entry": is_text,
    "ingress_stream": is_true_or_false,
    "panel_icon": fits(r"^mdi:[a-z-]+$"),
    "panel_title": is_text,
    "panel_admin": is_true_or_false,
    "homeassistant": fits(r"^\d{4}\.\d+"),
    "devices": are_texts,
    "video": is_true_or_false,
    "tmpfs": is_true_or_false,
    "map": are_maps,
    "environment": lambda value: all(map(is_text, value.values())),
    "services": lambda value: all(re.match(r"^(mqtt|mysql):(provide|want|need)$", one) for one in value),
    "backup": lambda value: value in {"hot", "cold"},
    "backup_pre": is_text,
    "backup_post": is_text,
    "backup_exclude": are_texts,
    "timeout": lambda value: 10 <= value <= 300,
    "options": lambda value: isinstance(value, dict),
    "schema": are_elements,
    "breaking_versions": are_texts,
}
"""What this add-on may use. A key the Supervisor knows is added here when it is needed; one it does not is dropped."""

DEFAULTS: dict[str, Any] = {
    "apparmor": True, "boot": "auto", "backup": "hot", "startup": "application", "stage": "stable", "init": True,
    "ingress": False, "ingress_port": 8099, "ingress_stream": False, "panel_admin": True, "panel_icon": "mdi:puzzle",
    "timeout": 10, "tmpfs": False, "video": False, "options": {}, "schema": {}, "hassio_api": False,
    "homeassistant_api": False, "auth_api": False, "host_network": False, "hassio_role": "default",
}  # fmt: skip
"""The linter refuses what only repeats a default."""


def test_the_copy_the_store_reads_is_the_one_source_byte_for_byte() -> None:
    assert (ADDON / "config.yaml").read_bytes() == (ROOT / "addon.yaml").read_bytes(), (
        "cp addon.yaml kinfolk/config.yaml"
    )


def test_the_manifest_obeys_the_schema_of_the_supervisor() -> None:
    assert set(REQUIRED) <= set(MANIFEST)
    for key, value in MANIFEST.items():
        check = (REQUIRED | OPTIONAL).get(key)
        assert check is not None, f"{key} is no key of a manifest"
        assert check(value), f"{key} is {value!r}"


def test_the_linter_finds_nothing() -> None:
    assert [key for key, value in DEFAULTS.items() if MANIFEST.get(key, ...) == value] == []
    # Ingress and its own page exclude each other; the image has a HEALTHCHECK instead of a watchdog.
    assert {"webui", "watchdog", "full_access", "auto_uart", "codenotary"} & set(MANIFEST) == set()
    assert not any(":" in device for device in MANIFEST.get("devices", []))
    if MANIFEST.get("backup") == "cold":
        assert {"backup_pre", "backup_post"} & set(MANIFEST) == set()
    assert list(ADDON.glob("build.*")) == [], "obsolete, and unknown to newer versions"


def rating(manifest: dict[str, Any], *, own_profile: bool) -> int:
    """`rating_security` of the Supervisor."""
    found = 5
    found += -1 if manifest.get("apparmor", True) is False else int(own_profile)
    found += 2 if manifest.get("ingress") else int(manifest.get("auth_api", False))
    weighty = {"NET_ADMIN", "SYS_ADMIN", "SYS_RAWIO", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH"}
    found -= int(bool(weighty & set(manifest.get("privileged", []))) or manifest.get("kernel_modules", False))
    found -= {"manager": 1, "admin": 2}.get(manifest.get("hassio_role", "default"), 0)
    found -= int(manifest.get("host_network", False)) + 2 * int(manifest.get("host_pid", False))
    if manifest.get("docker_api") or manifest.get("full_access"):
        return 1
    return max(min(8, found), 1)


def test_the_rating_is_the_highest_there_is() -> None:
    assert rating(MANIFEST, own_profile=(ADDON / "apparmor.txt").is_file()) == 8


def tracked(pattern: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for path in listed.stdout.splitlines() if re.search(pattern, path)]


def test_the_scan_of_the_store_finds_one_add_on_and_passes_over_the_example() -> None:
    """It reads every `config.*`; one that is no mapping would break the whole store of the user."""
    found = [path for path in tracked(r"(^|/)config\.[^/]*\.?(ya?ml|json)$") if ".." not in path]
    found = [path for path in found if not any(part.startswith(".") or part == "rootfs" for part in path.split("/"))]
    read = {path: yaml.safe_load((ROOT / path).read_text(encoding="utf-8")) for path in found}
    assert set(read) == {"config.example.yaml", "kinfolk/config.yaml"}
    assert all(isinstance(one, dict) for one in read.values())
    assert "name" not in read["config.example.yaml"]
    assert tracked(r"(^|/)repository\.(ya?ml|json)$") == ["repository.yaml"]
    repository = yaml.safe_load((ROOT / "repository.yaml").read_text(encoding="utf-8"))
    assert is_text(repository["name"])
    assert set(repository) <= {"name", "url", "maintainer"}


def test_versions_and_ports_are_those_of_the_program() -> None:
    assert MANIFEST["version"] == __version__
    assert MANIFEST.get("ingress_port", 8099) == FIXED["web.port"]
    assert set(MANIFEST["ports"]) == {f"{FIXED['web.hook_port']}/tcp"} == set(MANIFEST["ports_description"])
    assert MANIFEST["ports"][f"{FIXED['web.hook_port']}/tcp"] is None, "closed until somebody opens it"
    assert f"## {__version__}" in (ADDON / "CHANGELOG.md").read_text(encoding="utf-8")


def wanted_element(key: str) -> Any:
    """The element of the schema that says what the setting allows, from the setting itself."""
    schema: dict[str, Any] = Settings.model_json_schema()
    field: dict[str, Any] = {"properties": schema["properties"]}
    for part in key.split("."):
        field = field["properties"][part]
        field = schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
    return element_of(field)


def fields_of(definition: dict[str, Any]) -> dict[str, Any]:
    """The element of an entry with several fields."""
    required = definition.get("required", [])
    found = {name: element_of(field) for name, field in definition["properties"].items()}
    return {name: one.removesuffix("?") if name in required else one for name, one in found.items()}


def element_of(field: dict[str, Any]) -> Any:
    """Ranges of texts are left out: the Supervisor compares a text with a number there, and refuses every one."""
    field = next((one for one in field.get("anyOf", []) if one["type"] != "null"), field)
    if "$ref" in field:
        return fields_of(Settings.model_json_schema()["$defs"][field["$ref"].rpartition("/")[2]])
    if field["type"] == "array":
        return [element_of(field["items"])]
    return f"{word_of(field)}?"


def word_of(field: dict[str, Any]) -> str:
    """A single value in the Supervisor's words."""
    low, high = field.get("minimum", field.get("ge")), field.get("maximum", field.get("le"))
    text = "password" if field.get("format") == "password" else "str"
    text = f"match({field['pattern']})" if "pattern" in field else text
    words = {
        "integer": f"int({low},{high})",
        "number": "float" if low is None else f"float({low:g},{high:g})",
        "boolean": "bool",
        "string": f"list({'|'.join(field['enum'])})" if "enum" in field else text,
    }
    return words[field["type"]]


@pytest.mark.parametrize("option", ALL_OPTIONS)
def test_every_setting_is_an_option_with_its_own_range(option: str, local: dict[str, Path]) -> None:
    wanted = wanted_element(ALL_OPTIONS[option])
    missing = f"addon.yaml, schema, needs:\n{yaml.safe_dump({option: wanted}, sort_keys=False)}"
    assert manifest_in(local["rocm"])["schema"].get(option) == wanted, missing
    assert SCHEMA.get(option) == (None if option in FOR_AMD else wanted), missing


def test_there_are_no_other_options() -> None:
    assert [option for option in SCHEMA if option not in OPTIONS] == []
    assert [option for option in MANIFEST["options"] if option not in OPTIONS] == []
    assert not {option_name(key) for key in FIXED} & set(SCHEMA)


@pytest.mark.parametrize("option", MANIFEST["options"])
def test_what_is_filled_in_beforehand_is_the_default_of_the_program(option: str, tmp_path: Path) -> None:
    found: Any = Settings(data=tmp_path, config=tmp_path / "none.yaml")
    for part in OPTIONS[option].split("."):
        found = getattr(found, part)
    assert MANIFEST["options"][option] == (list(found) if isinstance(found, tuple) else found)


def may_be_missing(element: Any) -> bool:
    """`_check_missing_options` of the Supervisor: of a list, what its first element says; fields never may."""
    first = element[0] if isinstance(element, list) and element else element
    return isinstance(first, str) and first.endswith("?")


def test_a_new_install_starts_with_what_is_filled_in_beforehand() -> None:
    missing = set(SCHEMA) - set(MANIFEST["options"])
    assert [option for option in SCHEMA if option in missing and not may_be_missing(SCHEMA[option])] == [], (
        "the Supervisor refuses to start the add-on until somebody fills these in"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_has_words_in_every_language(language: str) -> None:
    words = yaml.safe_load((ADDON / "translations" / f"{language}.yaml").read_text(encoding="utf-8"))
    assert set(words) == {"configuration", "network"}
    assert [option for option in ALL_OPTIONS if option not in words["configuration"]] == []
    assert [option for option in words["configuration"] if option not in ALL_OPTIONS] == []
    for option, said in words["configuration"].items():
        assert set(said) == {"name", "description"}, option
        assert all(map(is_text, said.values())), option
    assert set(words["network"]) == set(MANIFEST["ports"])


def test_the_other_languages_are_not_english() -> None:
    texts = {
        language: yaml.safe_load((ADDON / "translations" / f"{language}.yaml").read_text(encoding="utf-8"))
        for language in LANGUAGES
    }
    english = texts.pop("en")["configuration"]
    for language, words in texts.items():
        same = [
            option
            for option, said in words["configuration"].items()
            if said["description"] == english[option]["description"]
        ]
        assert same == [], language


@pytest.mark.parametrize("option", ALL_OPTIONS)
def test_the_table_of_options_names_setting_documentation_and_tests(option: str) -> None:
    key = ALL_OPTIONS[option]
    documented = re.findall(rf"^\| `{re.escape(key)}` \| (.*?) \| ", CONFIGURATION, re.MULTILINE)
    assert len(documented) == 1, "docs/configuration.md has no such row"
    row = f"| `{option}` | `{key}` | {documented[0]} | R W E |"
    assert row in DOC.splitlines(), f"docs/home-assistant.md needs:\n{row}"


def test_the_table_of_options_has_no_other_rows_and_its_tests_exist() -> None:
    assert re.findall(r"^\| `(\w+)` \| `[\w.]+` \| .* \| R W E \|$", DOC, re.MULTILINE) == list(ALL_OPTIONS)
    tests = (ROOT / "tests/unit/test_addon_options.py").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", DOC))
    assert len(named) == 3
    assert all(f"def {name}(" in tests for name in named)


def backed_up(folder: Path) -> set[str]:
    """What the Supervisor puts into a backup of the data folder: a folder that is left out is not looked into."""

    def left_out(path: Path) -> bool:
        # Newer ones compare the whole path below `data`, older ones its end; both come to the same here.
        return any(PurePath(path.name).match(pattern) for pattern in MANIFEST["backup_exclude"])

    files = (path for path in folder.rglob("*") if path.is_file())
    below = {path: [path, *path.parents][: len(path.relative_to(folder).parts)] for path in files}
    return {str(path.relative_to(folder)) for path, parts in below.items() if not any(map(left_out, parts))}


def test_a_backup_holds_what_cannot_be_made_again(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    for path in (folder.catalogue, tmp_path / "catalogue.db-wal", tmp_path / "catalogue.db-shm", tmp_path / "web.lock",
                 folder.index / "a/b.bin", folder.cache / "faces/1.webp", folder.models / "opencv/x.onnx",
                 folder.compiled / "x.mxr", folder.backups / "one.zip", folder.snapshot, tmp_path / "hosts.key",
                 tmp_path / "session.key", tmp_path / "options.json"):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert backed_up(tmp_path) == {"backups/one.zip", "snapshot.zip", "hosts.key", "session.key", "options.json"}


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_the_pictures_of_the_store_have_their_size(name: str, size: tuple[int, int]) -> None:
    with Image.open(ADDON / name) as picture:
        assert (picture.format, picture.size) == ("PNG", size)
        low, high = picture.convert("L").getextrema()
        assert low != high


def test_the_profile_for_apparmor_is_one_the_supervisor_can_rename() -> None:
    text = (ADDON / "apparmor.txt").read_text(encoding="utf-8")
    assert re.findall(r"^profile ([^ ]+).*$", text, re.MULTILINE) == [MANIFEST["slug"]]
    assert text.count("{") == text.count("}")
    assert not re.search(r"^\s*(capability sys_|file,|network,|mount,|capability,)", text, re.MULTILINE)
    for mapped in MANIFEST["map"]:
        rights = re.findall(rf"^\s*/{mapped['type']}/\S* (\w+),", text, re.MULTILINE)
        assert rights, mapped
        assert all("w" not in right for right in rights) == mapped.get("read_only", True)


def test_what_starts_the_program_as_root_may_also_stop_it() -> None:
    """The Supervisor puts docker-init in front (`init` is true by default): root signals a child of another user."""
    text = (ADDON / "apparmor.txt").read_text(encoding="utf-8")
    assert MANIFEST.get("init", True) is False or re.search(r"^  capability kill,$", text, re.MULTILINE)


def test_what_the_store_shows_has_no_broken_link() -> None:
    for page in ("README.md", "DOCS.md", "CHANGELOG.md"):
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ADDON / page).read_text(encoding="utf-8"))
        assert links == [], "the store shows these pages without the rest of the repository"


VARIANTS = ("cpu", "rocm")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_local_add_on_is_built_and_never_fetched(variant: str, local: dict[str, Path]) -> None:
    """With `image` the Supervisor asks a registry, whatever is on the machine."""
    manifest = manifest_in(local[variant])
    assert "image" not in manifest
    assert manifest["version"] == __version__
    shown = (local[variant] / "README.md").read_text(encoding="utf-8")
    assert shown.startswith("Kinfolk gives the photos")
    assert "not published" not in shown
    assert (local[variant] / "Dockerfile").is_file()
    for key, value in manifest.items():
        assert (REQUIRED | OPTIONAL)[key](value), f"{key} is {value!r}"
    assert [key for key, value in DEFAULTS.items() if manifest.get(key, ...) == value] == []
    assert rating(manifest, own_profile=True) == 8


def copied_by(dockerfile: Path) -> list[str]:
    """What the build takes from its folder."""
    said = re.sub(r"\\\n", " ", dockerfile.read_text(encoding="utf-8"))
    words = [line.split()[1:-1] for line in said.splitlines() if line.startswith("COPY ") and "--from=" not in line]
    return [word for line in words for word in line if not word.startswith("--")]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_folder_of_a_local_add_on_has_all_that_its_dockerfile_copies(variant: str, local: dict[str, Path]) -> None:
    folder = local[variant]
    sources = copied_by(folder / "Dockerfile")
    assert len(sources) > 8
    assert [source for source in sources if not (folder / source).exists()] == []
    assert (folder / ".dockerignore").read_bytes() == (ROOT / ".dockerignore").read_bytes()
    python = {str(path.relative_to(ROOT)) for path in (ROOT / "plugin").rglob("*.py")}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.py")} == python
    assert not list(folder.rglob("__pycache__"))
    # What the store would take for a manifest, a build file or a repository.
    found = [path for word in ("config", "build", "repository") for path in folder.rglob(f"{word}.*")]
    assert [path for path in found if path.suffix in {".yaml", ".yml", ".json"}] == [folder / "config.yaml"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_last_stage_of_a_local_add_on_is_the_add_on(variant: str, local: dict[str, Path]) -> None:
    """The Supervisor names no stage."""
    text = (local[variant] / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^FROM (.*)$", text, re.MULTILINE)[-1] == "addon AS local"
    before_stages = text.partition("\nFROM ")[0]
    assert re.findall(r"^ARG ACCELERATOR.*$", before_stages, re.MULTILINE) == [f"ARG ACCELERATOR={variant}"]
    # Inside a stage it has no value of its own that would win.
    assert set(re.findall(r"^ARG ACCELERATOR.*$", text, re.MULTILINE)) == {
        f"ARG ACCELERATOR={variant}",
        "ARG ACCELERATOR",
    }


def test_cards_are_for_the_add_on_with_rocm_only(local: dict[str, Path]) -> None:
    plain, rocm = manifest_in(local["cpu"]), manifest_in(local["rocm"])
    assert plain == {key: value for key, value in MANIFEST.items() if key != "image"}
    assert {"video", "devices"} & set(plain) == set()
    assert (rocm["video"], rocm["devices"], rocm["arch"]) == (True, ["/dev/kfd"], ["amd64"])
    assert (rocm["slug"], rocm["name"]) == ("kinfolk_rocm", "Kinfolk with ROCm")
    same = set(plain) - {"slug", "name", "arch", "schema"}
    assert {key: rocm[key] for key in same} == {key: plain[key] for key in same}
    assert set(rocm["schema"]) - set(plain["schema"]) == FOR_AMD
    assert set(rocm) - set(plain) == {"video", "devices"}


def test_the_profile_lets_the_add_on_with_rocm_alone_at_cards(local: dict[str, Path]) -> None:
    cards = {"/dev/kfd", "/dev/dri/", "/dev/dri/**", "/opt/rocm*/**"}
    for variant, wanted in (("cpu", set()), ("rocm", cards)):
        text = (local[variant] / "apparmor.txt").read_text(encoding="utf-8")
        assert set(re.findall(r"^  (/dev/kfd|/dev/dri\S*|/opt/rocm\S*) \w+,$", text, re.MULTILINE)) == wanted
        assert re.findall(r"^profile ([^ ]+) ", text, re.MULTILINE) == [manifest_in(local[variant])["slug"]]
        assert text.count("{") == text.count("}")


def test_a_local_add_on_is_written_again_over_itself_and_over_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "kinfolk_rocm").mkdir()
    (tmp_path / "kinfolk_rocm/precious").touch()
    refused = write_local(tmp_path, "rocm")
    assert refused.returncode == 2
    assert "something else" in refused.stderr
    assert (tmp_path / "kinfolk_rocm/precious").exists()
    (tmp_path / ".kinfolk.part").mkdir()  # what a killed one left
    assert write_local(tmp_path).returncode == 0
    (tmp_path / "kinfolk/old.txt").touch()
    assert write_local(tmp_path).returncode == 0
    assert not (tmp_path / "kinfolk/old.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kinfolk", "kinfolk_rocm"]


def test_a_local_add_on_is_written_into_a_folder_named_from_where_one_is(tmp_path: Path) -> None:
    (tmp_path / "addons").mkdir()
    script = ROOT / "scripts/local-addon.sh"
    done = subprocess.run(["sh", script, "addons"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "addons/kinfolk/Dockerfile").exists()


@pytest.mark.parametrize("arguments", [[], ["missing"], [".", "cuda"], [".", "rocm", "more"]])
def test_a_local_add_on_is_refused_without_a_folder_or_for_other_cards(arguments: list[str], tmp_path: Path) -> None:
    script = ROOT / "scripts/local-addon.sh"
    done = subprocess.run(["sh", script, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "/addons" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("page", ["docs/home-assistant.md", "docs/amd.md", "kinfolk/DOCS.md", "README.md"])
def test_no_page_offers_an_image_by_hand_to_the_supervisor(page: str) -> None:
    """`install()` of the Supervisor always pulls `image`: one that was built or loaded by hand is never looked for."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not re.search(rf"docker build.*{re.escape(MANIFEST['image'])}", text)


def test_the_documentation_says_how_it_is_installed_until_there_is_an_image() -> None:
    assert "**not published yet**" in DOC
    # Who finds it in the store reads this one, and would press Install.
    assert "**not published yet**" in (ADDON / "README.md").read_text(encoding="utf-8")
    assert "scripts/local-addon.sh /addons\n" in DOC
    assert "scripts/local-addon.sh /addons rocm\n" in DOC
    assert "scripts/local-addon.sh /addons rocm\n" in (ROOT / "docs/amd.md").read_text(encoding="utf-8")


def test_an_update_of_the_local_add_on_goes_as_the_documentation_says() -> None:
    """git refuses a folder that is there, the Supervisor a rebuild at another version."""
    assert DOC.index("rm -rf /tmp/kinfolk\n") < DOC.index("git clone --depth 1")
    assert "*Check for updates* and *Update*" in DOC
    assert "*Rebuild* only where the version is still the same" in DOC


def test_the_documentation_says_how_large_a_backup_of_home_assistant_is() -> None:
    """The daily copies are part of it: a snapshot that could not be written must not leave a backup without names."""
    assert "backups" not in MANIFEST["backup_exclude"]
    said = " ".join((ADDON / "DOCS.md").read_text(encoding="utf-8").split())
    assert f"{BackupSettings().keep + 1} times the size of the catalogue" in said
    assert "`backup_keep`" in said


def test_no_image_with_rocm_is_claimed() -> None:
    """None is published, so nothing may sound as if one could be fetched."""
    assert f"{MANIFEST['image']}:{__version__}-rocm" not in DOC
    for page in (DOC, (ADDON / "DOCS.md").read_text(encoding="utf-8")):
        assert "never built" in page or "Nobody has tried" in page
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "plugin").rglob("*.py")]
    assert not any("the image with ROCm" in text for text in sources)
