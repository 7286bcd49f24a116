"""Taking single, known files out of archives, and knowing them by their checksum."""

import gzip
import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO

CHUNK_BYTES = 1 << 20


class SourceFailed(Exception):
    """One source did not deliver; the message is the reason, for the list shown when no source is left."""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_checksum(path: Path, sha256: str) -> bool:
    """Whether there is a readable file at `path` with exactly this content."""
    try:
        return path.is_file() and sha256_of(path) == sha256
    except OSError:
        return False


def extract_members(archive: Path, members: Mapping[str, str], target: Path) -> None:
    """Write the named members of a zip, wheel or tar archive into `target`, under their last path component.

    Args:
        archive: zip, wheel, or (compressed) tar.
        members: path in the archive -> SHA-256. In a zip a bare file name also matches in a sub-folder:
            upstream archives come with and without a folder of their own.
        target: an existing folder.

    Raises:
        SourceFailed: the archive is damaged, lacks a member, or a member has other content.
            Earlier members may have been written.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                names = opened.namelist()
                for path, sha256 in members.items():
                    with opened.open(_find(path, names)) as stream:
                        _write_checked(stream, target / PurePosixPath(path).name, sha256)
        else:
            with tarfile.open(archive) as opened_tar:
                for path, sha256 in members.items():
                    extracted = opened_tar.extractfile(path)
                    if extracted is None:
                        raise SourceFailed(f"{path} is no file in {archive.name}")
                    with extracted as stream:
                        _write_checked(stream, target / PurePosixPath(path).name, sha256)
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, KeyError, EOFError) as error:
        raise SourceFailed(f"{archive.name} cannot be read: {error}") from error


def _find(path: str, names: list[str]) -> str:
    for name in names:
        if name == path or ("/" not in path and name.endswith(f"/{path}")):
            return name
    raise KeyError(f"no {path} in it")


def _write_checked(stream: IO[bytes], path: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != sha256:
        path.unlink()
        raise SourceFailed(f"{path.name} has another checksum ({digest.hexdigest()[:12]}… instead of {sha256[:12]}…)")
