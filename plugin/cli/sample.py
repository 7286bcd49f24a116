"""`kinfolk sample`: seven public pictures, so that the first minute already shows a person found."""

from pathlib import Path
from typing import Annotated

import typer

from plugin.cli.output import say
from plugin.vision.archives import has_checksum
from plugin.vision.packages import fetch_from_package

REQUIREMENT = "face-recognition==1.3.0"
"""MIT; its tests hold official White House portraits (works of the US government, public domain)."""

SOURCE_ARCHIVE = "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec"

PICTURES = {
    "32bit.png": "44dca895a7d635a4aedddd91a4f37af9a8a5b44e66154282a24645a757b5f627",
    "biden.jpg": "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
    "obama.jpg": "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
    "obama2.jpg": "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
    "obama3.jpg": "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
    "obama_partial_face.jpg": "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117",
    "obama_partial_face2.jpg": "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028",
}
"""Name -> SHA-256."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(sample)


def sample(folder: Annotated[Path, typer.Argument(help="Where to put the pictures.")]) -> None:
    """Fetch a small sample album from the package index: Barack Obama and Joe Biden."""
    if fetch_sample_album(folder):
        say(f"The sample album is in {folder}")
    else:
        say(f"The sample album was already in {folder}")


def fetch_sample_album(folder: Path) -> bool:
    """Make sure the seven pictures are in `folder`; returns whether anything had to be fetched.

    Raises:
        PackUnavailable: the package index cannot be reached.
        DiskFull: no space left.
    """
    if all(has_checksum(folder / name, sha256) for name, sha256 in PICTURES.items()):
        return False
    archive = REQUIREMENT.replace("==", "-").replace("face-", "face_")
    members = {f"{archive}/tests/test_images/{name}": sha256 for name, sha256 in PICTURES.items()}
    fetch_from_package(REQUIREMENT, members, folder, sdist=True, sha256=SOURCE_ARCHIVE)
    return True
