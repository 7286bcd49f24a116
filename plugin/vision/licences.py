"""Licences of model packs in full, where they may be passed on; of the others there is a name and an address."""

from pathlib import Path

from plugin.ports.vision import LicenceText, PackInfo

FOLDER = Path(__file__).parent / "licences"

TEXTS = {"opencv": (("YuNet", "yunet-mit.txt"), ("SFace, FaceMesh", "apache-2.0.txt"))}
"""By pack: which of its models, and the file. InsightFace's packs come with no text of their own to pass on."""


def licence_texts(pack: PackInfo) -> list[LicenceText]:
    """The licences of a pack in full; empty where the text may not be passed on."""
    return [LicenceText(what, (FOLDER / name).read_text(encoding="utf-8")) for what, name in TEXTS.get(pack.name, ())]
