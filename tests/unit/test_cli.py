"""The command line: what each command asks for, what it prints, and how it ends."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from plugin import __version__, assemble
from plugin.cli.app import app
from plugin.cli.serving import announce
from plugin.domain import Account, CheckReport, FailureCount, Library, Person, ScanSummary
from plugin.settings import Settings
from plugin.vision.trial import Trial
from plugin.web.passwords import password_guard
from tests.fakes.kinfolk import Broken
from tests.fakes.terminal import Terminal

PASSWORD = "correct horse battery"


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    root, plugin = logging.getLogger(), logging.getLogger("plugin")
    handlers, levels = list(root.handlers), (root.level, plugin.level)
    yield Terminal(tmp_path, monkeypatch)
    root.handlers = handlers
    root.setLevel(levels[0])
    plugin.setLevel(levels[1])


def anna(number: int = 1, name: str = "Anna", faces: int = 5, *, hidden: bool = False) -> Person:
    return Person(number, 1, name, None, hidden, False, None, face_count=faces, photo_count=faces)


class TestTheCommandItself:
    def test_version_is_shown_without_any_data_folder(self) -> None:
        result = CliRunner().invoke(app, ["--version"])
        assert (result.exit_code, result.stdout) == (0, f"kinfolk {__version__}\n")

    @pytest.mark.parametrize(
        "words",
        [
            "serve", "worker", "library add folder", "library list", "library remove", "scan", "people",
            "export faces", "detect", "recognize", "models list", "models pull", "accelerator", "check",
            "index rebuild", "backup", "restore", "user add", "user passwd", "sample",
        ],
    )  # fmt: skip
    def test_every_command_of_the_specification_is_there_and_explains_itself(self, words: str) -> None:
        result = CliRunner().invoke(app, [*words.split(), "--help"])
        assert result.exit_code == 0
        assert "Usage:" in result.stdout

    def test_an_error_is_told_with_its_advice_and_without_a_traceback(self, terminal: Terminal) -> None:
        terminal.kinfolk.failure = Broken()
        result = terminal.run("scan")
        assert result.exit_code == 1
        assert "The disk is full. Make room" in result.stderr
        assert "Traceback" not in result.output

    def test_verbose_adds_the_traceback(self, terminal: Terminal) -> None:
        terminal.kinfolk.failure = Broken()
        assert "Traceback" in terminal.run("--verbose", "scan").stderr

    def test_a_wrong_setting_ends_with_code_2(self, terminal: Terminal) -> None:
        (terminal.folder / "config.yaml").write_text("web: {port: 0}")
        result = terminal.run("people")
        assert result.exit_code == 2
        assert "web.port is 0 (config.yaml, line 1)" in result.stderr

    def test_ctrl_c_says_that_nothing_is_lost(self, terminal: Terminal) -> None:
        terminal.kinfolk.failure = KeyboardInterrupt()
        result = terminal.run("scan")
        assert result.exit_code == 130
        assert "the next run goes on" in result.stderr

    def test_a_mistake_in_the_program_is_not_hidden(self, terminal: Terminal) -> None:
        terminal.kinfolk.failure = ZeroDivisionError()
        assert isinstance(terminal.run("scan").exception, ZeroDivisionError)

    def test_data_and_config_reach_the_settings(self, terminal: Terminal, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text("backup: {keep: 9}")
        result = CliRunner().invoke(
            app, ["--data", str(tmp_path / "d"), "--config", str(tmp_path / "mine.yaml"), "people"]
        )
        assert result.exit_code == 0
        assert isinstance(terminal.kinfolk.settings, Settings)
        assert terminal.kinfolk.settings.data == tmp_path / "d"
        assert terminal.kinfolk.settings.backup.keep == 9


class TestLibraries:
    def test_a_folder_is_added_for_the_first_administrator_under_its_full_path(self, terminal: Terminal) -> None:
        terminal.monkeypatch.chdir(terminal.folder)
        terminal.done("library", "add", "folder", "holiday photos")
        assert ("add_folder", 1, str(terminal.folder / "holiday photos")) in terminal.kinfolk.calls

    def test_a_folder_is_added_for_the_account_that_is_named(self, terminal: Terminal) -> None:
        terminal.kinfolk.accounts.add("Ben", None, is_admin=False)
        terminal.done("library", "add", "folder", "/photos", "--account", "ben")
        assert ("add_folder", 2, "/photos") in terminal.kinfolk.calls

    def test_the_password_of_a_nextcloud_is_asked_for_and_never_an_argument(self, terminal: Terminal) -> None:
        result = terminal.run("library", "add", "nextcloud", "cloud.example", "--user", "anna", typed="app password\n")
        assert result.exit_code == 0
        assert ("connect", 1, "cloud.example", "anna", "app password", "") in terminal.kinfolk.calls
        assert "app password" not in result.output.replace("App password", "")

    def test_the_password_of_a_photoprism_is_asked_for_and_what_is_missing_is_told(self, terminal: Terminal) -> None:
        result = terminal.run("library", "add", "photoprism", "photos.example", "--private", typed="app password\n")
        assert result.exit_code == 0
        chosen = (("fingerprint", ""), ("live", False), ("private", True), ("user", ""))
        assert ("connect", 1, "photos.example", "app password", *chosen) in terminal.kinfolk.calls
        assert "app password" not in result.output.replace("App password", "")
        assert "People are switched off." in result.output
        assert "PhotoPrism Community Edition" in result.output

    def test_an_unknown_account_is_refused_with_the_known_ones(self, terminal: Terminal) -> None:
        result = terminal.run("library", "add", "folder", "/photos", "--account", "eve")
        assert result.exit_code == 1
        assert "Choose one of: admin" in result.stderr

    def test_they_are_listed_with_what_went_wrong(self, terminal: Terminal) -> None:
        terminal.kinfolk.libraries = [
            Library(1, 1, "folder", "photos", "/photos", last_sync_error="not mounted", asset_count=1200)
        ]
        shown = terminal.done("library", "list").stdout
        assert "/photos" in shown
        assert "1,200" in shown
        assert "not mounted" in shown

    @pytest.mark.parametrize("wanted", ["1", "/photos"])
    def test_one_is_removed_by_id_or_address_after_asking(self, terminal: Terminal, wanted: str) -> None:
        terminal.kinfolk.libraries = [Library(1, 1, "folder", "photos", "/photos")]
        assert terminal.run("library", "remove", wanted, typed="n\n").exit_code == 1
        assert ("remove", 1) not in terminal.kinfolk.calls
        terminal.done("library", "remove", wanted, typed="y\n")
        # The pictures kept of the library go as well.
        assert terminal.kinfolk.calls[-2:] == [("remove", 1), ("clean up",)]

    def test_removing_one_that_is_not_there_is_an_error(self, terminal: Terminal) -> None:
        assert terminal.run("library", "remove", "1", "--yes").exit_code == 1


class TestScanning:
    def test_a_scan_shows_its_progress_and_a_summary_with_the_reasons_of_failures(self, terminal: Terminal) -> None:
        terminal.kinfolk.summary = ScanSummary(
            1000, 1500, 12, 30, (FailureCount("picture_broken", "The file is damaged", 3),), 75.0
        )
        result = terminal.done("scan")
        assert "Finding faces: 3 of 7, 1.5/s, 4 faces, 1 failed" in result.stderr
        assert "Done in 1 min 15 s" in result.stdout
        for shown in ("1,000", "1,500", "12", "30", "picture_broken", "The file is damaged"):
            assert shown in result.stdout
        assert ("open", "exclusive") in terminal.kinfolk.calls

    @pytest.mark.parametrize("mode", ["missing", "refresh", "reset"])
    def test_detection_is_requested_in_its_mode_and_followed_by_recognition(
        self, terminal: Terminal, mode: str
    ) -> None:
        terminal.done("detect", f"--{mode}")
        assert terminal.kinfolk.calls == [
            ("open", "exclusive"), ("request", mode, "opencv", None), ("run_detection",), ("run_recognition",),
        ]  # fmt: skip

    def test_detection_of_a_single_asset(self, terminal: Terminal) -> None:
        terminal.done("detect", "--refresh", "--asset", "7")
        assert ("request", "refresh", "opencv", [7]) in terminal.kinfolk.calls
        assert terminal.run("detect", "--refresh", "--asset", "8").exit_code == 1

    @pytest.mark.parametrize("words", [["detect"], ["detect", "--missing", "--reset"], ["recognize"]])
    def test_exactly_one_mode_has_to_be_named(self, terminal: Terminal, words: list[str]) -> None:
        assert terminal.run(*words).exit_code == 2
        assert terminal.kinfolk.calls == []

    @pytest.mark.parametrize("mode", ["missing", "reset"])
    def test_recognition_is_prepared_in_its_mode_and_run(self, terminal: Terminal, mode: str) -> None:
        terminal.done("recognize", f"--{mode}")
        assert terminal.kinfolk.calls == [("open", "exclusive"), (mode,), ("run_recognition",)]


class TestPeople:
    def test_people_are_listed_as_a_table(self, terminal: Terminal) -> None:
        terminal.kinfolk.persons = [anna(), anna(2, "", faces=4), anna(3, "Ben", faces=2)]
        shown = terminal.done("people").stdout
        assert "Anna" in shown
        assert "(no name yet)" in shown
        assert "Ben" not in shown

    def test_people_as_json_are_a_list_with_null_for_no_name(self, terminal: Terminal) -> None:
        terminal.kinfolk.persons = [anna(), anna(2, "", faces=4)]
        assert json.loads(terminal.done("people", "--json").stdout) == [
            {"id": 1, "name": "Anna", "faces": 5, "photos": 5, "hidden": False},
            {"id": 2, "name": None, "faces": 4, "photos": 4, "hidden": False},
        ]

    def test_all_includes_hidden_people_and_those_with_few_faces(self, terminal: Terminal) -> None:
        terminal.kinfolk.persons = [anna(hidden=True), anna(2, "Ben", faces=1)]
        assert json.loads(terminal.done("people", "--json").stdout) == []
        assert len(json.loads(terminal.done("people", "--json", "--all").stdout)) == 2

    def test_more_people_than_one_page_holds_are_all_listed(self, terminal: Terminal) -> None:
        terminal.kinfolk.persons = [anna(number) for number in range(2500)]
        assert len(json.loads(terminal.done("people", "--json").stdout)) == 2500

    def test_names_cannot_steer_the_terminal(self, terminal: Terminal) -> None:
        terminal.kinfolk.persons = [anna(name="\x1b[31m[bold]Eve")]
        shown = terminal.done("people").stdout
        assert "\x1b" not in shown
        assert "\\x1b[31m[bold]Eve" in shown


class TestTheAccelerator:
    def test_a_machine_without_one_is_told_so(self, terminal: Terminal) -> None:
        said = terminal.done("accelerator").stdout
        assert "ONNX Runtime: onnxruntime 1.32.0" in said
        assert "AMD packages: fit this machine" in said
        assert "AMD cards: none" in said
        assert "Runs on: CPU (AMD EPYC)" in said
        assert "12.3" in said

    def test_what_is_in_its_way_is_told_with_the_override_that_may_help(self, terminal: Terminal) -> None:
        terminal.kinfolk.trial = Trial(
            "onnxruntime-rocm 1.22.2", "", ("gfx1032",), None, "CPUExecutionProvider", 9.0, 9.0,
            ("ROCMExecutionProvider has no kernels for this card.",),
        )  # fmt: skip
        terminal.kinfolk.hint = "10.3.0"
        result = terminal.done("accelerator")
        assert "AMD cards: gfx1032" in result.stdout
        assert "runtime.gfx_override: 10.3.0" in result.stdout
        assert "has no kernels for this card" in result.stderr
        assert "Compiling the models" in result.stderr


class TestModels:
    def test_packs_are_listed_with_licence_size_and_whether_they_are_here(self, terminal: Terminal) -> None:
        lines = terminal.done("models", "list").stdout.splitlines()
        assert lines[0].split() == ["name", "title", "licence", "size", "installed", "tested"]
        assert lines[1].split() == ["opencv", "*", "YuNet", "and", "SFace", "MIT", "40", "MB", "yes", "yes"]
        assert lines[2].split()[-3:] == ["MB", "no", "no"]
        assert "(to be accepted)" in lines[2]

    def test_the_pack_in_use_is_pulled_unless_another_is_named(self, terminal: Terminal) -> None:
        shown = terminal.done("models", "pull").stderr
        assert ("pull", "opencv") in terminal.kinfolk.calls
        assert shown.count("Fetching sface.onnx") == 1
        terminal.done("models", "pull", "buffalo_s")
        assert ("pull", "buffalo_s") in terminal.kinfolk.calls

    def test_a_licence_is_only_accepted_when_that_is_said(self, terminal: Terminal) -> None:
        terminal.done("models", "pull", "buffalo_s")
        assert ("accept", "buffalo_s") not in terminal.kinfolk.calls
        terminal.done("models", "pull", "buffalo_s", "--accept-licence")
        assert terminal.kinfolk.calls[-2:] == [("accept", "buffalo_s"), ("pull", "buffalo_s")]


class TestAccounts:
    def known(self, terminal: Terminal, name: str) -> Account:
        account = terminal.kinfolk.accounts.by_name(name)
        assert account is not None
        return account

    def test_the_first_user_takes_over_the_administrator_without_a_password(self, terminal: Terminal) -> None:
        """Libraries added before the first start belong to that account."""
        terminal.done("user", "add", "Anna", typed=f"{PASSWORD}\n{PASSWORD}\n")
        assert len(terminal.kinfolk.accounts.rows) == 1
        account = self.known(terminal, "Anna")
        assert account.is_admin
        assert password_guard().matches(account.password_hash, PASSWORD)

    def test_further_users_get_accounts_of_their_own(self, terminal: Terminal) -> None:
        terminal.done("user", "add", "Anna", "--password-stdin", typed=f"{PASSWORD}\n")
        terminal.done("user", "add", "Ben", "--password-stdin", typed=f"{PASSWORD}\n")
        terminal.done("user", "add", "Cleo", "--admin", "--password-stdin", typed=f"{PASSWORD}\n")
        assert [(row.name, row.is_admin) for row in terminal.kinfolk.accounts.rows] == [
            ("Anna", True), ("Ben", False), ("Cleo", True),
        ]  # fmt: skip

    def test_a_password_is_changed(self, terminal: Terminal) -> None:
        terminal.done("user", "passwd", "ADMIN", "--password-stdin", typed=f"{PASSWORD}\n")
        assert password_guard().matches(self.known(terminal, "admin").password_hash, PASSWORD)

    def test_a_password_is_never_shown(self, terminal: Terminal) -> None:
        assert PASSWORD not in terminal.done("user", "passwd", "admin", typed=f"{PASSWORD}\n{PASSWORD}\n").output

    @pytest.mark.parametrize("typed", ["short\n", "\n", ""])
    def test_a_password_that_is_too_short_changes_nothing(self, terminal: Terminal, typed: str) -> None:
        assert terminal.run("user", "add", "Anna", "--password-stdin", typed=typed).exit_code == 1
        assert [(row.name, row.password_hash) for row in terminal.kinfolk.accounts.rows] == [("admin", None)]

    def test_an_unknown_account_is_told(self, terminal: Terminal) -> None:
        assert terminal.run("user", "passwd", "eve", "--password-stdin", typed=f"{PASSWORD}\n").exit_code == 1


class TestUpkeep:
    def test_a_healthy_installation_is_said_to_be_so(self, terminal: Terminal) -> None:
        terminal.kinfolk.reports = [CheckReport(True, ())]
        assert "Healthy" in terminal.done("check").stdout

    def test_findings_end_with_code_3_and_the_way_to_heal_them(self, terminal: Terminal) -> None:
        terminal.kinfolk.reports = [CheckReport(False, ("The index lacks 3 faces",))]
        result = terminal.run("check")
        assert result.exit_code == 3
        assert "The index lacks 3 faces" in result.stdout
        assert "kinfolk check --repair" in result.stderr

    def test_a_repair_is_believed_after_a_second_look(self, terminal: Terminal) -> None:
        found = CheckReport(False, ("The index lacks 3 faces",), repaired=True)
        terminal.kinfolk.reports = [found, CheckReport(True, ())]
        assert "Repaired" in terminal.done("check", "--repair").stdout
        assert terminal.kinfolk.calls[-2:] == [("check", True), ("check", False)]
        terminal.kinfolk.reports = [found, CheckReport(False, ("The catalogue is damaged",))]
        assert terminal.run("check", "--repair").exit_code == 3

    def test_the_index_is_rebuilt(self, terminal: Terminal) -> None:
        assert "12 faces" in terminal.done("index", "rebuild").stdout

    def test_a_backup_is_written_beside_a_running_server(self, terminal: Terminal, tmp_path: Path) -> None:
        terminal.done("backup", tmp_path / "b.zip")
        assert (tmp_path / "b.zip").read_bytes() == b"backup"
        assert terminal.kinfolk.calls == [("open", "shared")]

    def test_a_backup_is_restored_after_asking(self, terminal: Terminal) -> None:
        restored: list[tuple[Path, Path]] = []
        terminal.monkeypatch.setattr(assemble, "restore", lambda settings, path: restored.append((settings.data, path)))
        assert terminal.run("restore", "/b.zip", typed="n\n").exit_code == 1
        assert restored == []
        terminal.done("restore", "/b.zip", "--yes")
        assert restored == [(terminal.folder, Path("/b.zip"))]


class TestServing:
    def test_serve_takes_address_and_port_from_the_command_line(self, terminal: Terminal) -> None:
        served: list[tuple[str, int, bool]] = []

        def serve(settings: Settings, _announce: object, *, worker: bool) -> None:
            served.append((settings.web.host, settings.web.port, worker))

        terminal.monkeypatch.setattr(assemble, "serve", serve)
        terminal.done("serve")
        terminal.done("serve", "--host", "0.0.0.0", "--port", "8100", "--no-worker")
        assert served == [("127.0.0.1", 8099, True), ("0.0.0.0", 8100, False)]
        assert terminal.run("serve", "--port", "0").exit_code == 2

    def test_worker_works_without_pages(self, terminal: Terminal) -> None:
        worked: list[Path] = []
        terminal.monkeypatch.setattr(assemble, "run_worker", lambda settings: worked.append(settings.data))
        terminal.done("worker")
        assert worked == [terminal.folder]

    def test_the_first_start_link_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        announce("http://127.0.0.1:8099/", "http://127.0.0.1:8099/welcome?token=" + "x" * 200)
        shown = capsys.readouterr().out
        assert "http://127.0.0.1:8099/ " in shown
        assert "token=" + "x" * 200 + "\n" in shown
