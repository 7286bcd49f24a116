"""What a user can do about photos whose names could not be written, by the code under which they are counted."""

from collections.abc import Mapping

from plugin.sentences import Sentence

REPAIR = Sentence("Repair the .xmp file beside the photo, or delete it, then press “Try again now”")
BY_ITSELF = Sentence("Nothing has to be done: it is tried again")

ADVICE: Mapping[str, Sentence] = {
    "asset_gone": Sentence("Scan the library, so that Kinfolk learns where the photo is now"),
    "changed_meanwhile": BY_ITSELF,
    "write_locked": Sentence("Close the file in the program that has it open. It is tried again by itself"),
    "host_full": Sentence("Make room there; Kinfolk goes on by itself"),
    "write_refused": Sentence("Give the user Kinfolk is connected as the right to edit, then press “Try again now”"),
    "size_unknown": BY_ITSELF,
    "sidecar_not_xml": REPAIR,
    "sidecar_not_xmp": REPAIR,
    "sidecar_not_utf8": REPAIR,
    "sidecar_harmful": Sentence("Delete the .xmp file beside the photo, unless you know who made it"),
    "sidecar_too_large": REPAIR,
    "sidecar_other_size": Sentence("Have the program that wrote the .xmp file write it anew, or delete it"),
    "sidecar_elsewhere": Sentence("Give it the photo's whole name, such as photo.jpg.xmp, if your programs read that"),
    "picture_broken": Sentence("Replace the photo by a good copy, or leave it: its names stay in Kinfolk"),
    "picture_too_large": Sentence("Its names stay in Kinfolk"),
    "picture_unsupported": Sentence("Its names stay in Kinfolk"),
}


def advice_on(code: str) -> Sentence:
    """What to do; for what is passing: nothing."""
    return ADVICE.get(code, BY_ITSELF)
