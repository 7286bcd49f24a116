"""What the documents say is what the program does."""

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.main import get_command

from plugin import __version__
from plugin.cli.app import app
from plugin.cli.export import as_row as exported_row
from plugin.cli.people import as_row as person_row
from plugin.domain import AssignedBy, Box, ExportedFace, Face, FaceState, Person
from plugin.settings import load_settings
from plugin.settings.explaining import allowed_values, variable

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")


def flat(values: dict[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        else:
            yield key, value


def comment_above(key: str) -> str:
    """The comment lines right above a key of the example file, as one line."""
    section, _, name = key.rpartition(".")
    lines = EXAMPLE.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{section}:")) if section else -1
    pattern = re.compile(rf"^{'  ' if section else ''}{name}:")
    at = next(i for i in range(start + 1, len(lines)) if pattern.match(lines[i]))
    comment: list[str] = []
    while at > 0 and lines[at - 1].strip().startswith("#"):
        at -= 1
        comment.insert(0, lines[at].strip().removeprefix("#").strip())
    return " ".join(comment)


def test_the_example_file_has_exactly_the_settings_with_their_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for name in [name for name in os.environ if name.startswith("KINFOLK_")]:
        monkeypatch.delenv(name)
    defaults = load_settings(tmp_path).model_dump(mode="json")
    assert dict(flat(yaml.safe_load(EXAMPLE))) == dict(flat(defaults))
    assert set(dict(flat(defaults))) == set(allowed_values())


@pytest.mark.parametrize("key", allowed_values())
def test_the_example_file_says_what_is_allowed(key: str) -> None:
    assert allowed_values()[key] in comment_above(key)


def test_the_configuration_page_lists_every_key_with_variable_and_range() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \|(.*)$", page, re.MULTILINE))
    assert set(rows) == set(allowed_values())
    defaults = dict(flat(yaml.safe_load(EXAMPLE)))
    for key, row in rows.items():
        assert allowed_values()[key].replace("|", "\\|") in row
        default = "a list" if key == "libraries.skip" else json.dumps(defaults[key])
        assert f"`{default}`" in row or default in row
    assert f"`{variable('web.port')}`" in page


def one_face() -> ExportedFace:
    return ExportedFace(
        library="Family",
        path="2019/beach.jpg",
        face=Face(
            id=1, asset_id=2, account_id=1, box=Box(0.1, 0.2, 0.3, 0.4), landmarks=np.full((5, 2), 0.25, np.float32),
            score=0.9, quality=0.8, width_px=100, pack="opencv", state=FaceState.ASSIGNED, person_id=3,
            person_name="Anna", assigned_by=AssignedBy.MACHINE, frame_ms=None,
        ),
    )  # fmt: skip


def fields_documented(heading: str) -> set[str]:
    page = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    part = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([a-z_]+)` \|", part, re.MULTILINE))


def test_the_export_page_documents_exactly_the_fields_of_a_face() -> None:
    assert fields_documented("`kinfolk export faces --json`") == set(exported_row(one_face()))


def test_the_export_page_documents_exactly_the_fields_of_a_person() -> None:
    person = Person(1, 1, "Anna", None, hidden=False, favourite=False, feature_face_id=None)
    assert fields_documented("`kinfolk people --json`") == set(person_row(person))


def markdown_files() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", markdown_files(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_index_of_the_docs_names_every_page() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.name != "README.md"]
    assert [page.name for page in pages if str(page.relative_to(ROOT / "docs")) not in index] == []


def documented_commands() -> set[tuple[str, ...]]:
    text = "\n".join(page.read_text(encoding="utf-8") for page in markdown_files())
    found = re.findall(r"(?:^|`|\.venv/bin/)kinfolk ((?:--data \S+ )?[a-z][a-z ]*)", text, re.MULTILINE)
    return {tuple(re.sub(r"--data \S+ ", "", command).split()) for command in found}


def test_every_command_named_in_the_docs_exists() -> None:
    assert documented_commands(), "the pattern finds commands"
    for words in documented_commands():
        command = get_command(app)
        for word in words:
            if not hasattr(command, "commands"):
                break  # what follows are arguments
            assert word in command.commands, f"kinfolk {' '.join(words)}"
            command = command.commands[word]


def test_the_readme_shows_the_two_commands_the_makefile_has() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)


def test_versions_and_descriptions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    manifest = yaml.safe_load((ROOT / "addon.yaml").read_text(encoding="utf-8"))
    assert project["version"] == manifest["version"] == __version__
    assert manifest["slug"] == project["name"]
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_licence_is_the_one_the_project_names() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_every_page_has_its_picture_in_the_documentation() -> None:
    page = (ROOT / "docs/screenshots.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\]\(screenshots/([a-z-]+\.webp)\)", page))
    assert named == {file.name for file in (ROOT / "docs/screenshots").glob("*.webp")}
    shown = {name.removesuffix("-desk.webp") for name in named if name.endswith("-desk.webp")}
    assert {f"{name}-phone.webp" for name in shown} <= named
    assert len(shown) > 15


def test_the_runtimes_for_cards_exclude_each_other() -> None:
    """They share one folder; uv refuses two of them, for pip Kinfolk says it itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = {name for name, wanted in project["project"]["optional-dependencies"].items()
              if any(one.startswith("onnxruntime") for one in wanted)}  # fmt: skip
    assert len(extras) == 3
    assert [{one["extra"] for one in group} for group in project["tool"]["uv"]["conflicts"]] == [extras]
