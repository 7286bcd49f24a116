"""How much Kinfolk asks of a server and takes from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Politeness and safety.

    Attributes:
        connect_seconds: for a connection to stand.
        read_seconds: for the next bytes to come.
        at_once: requests under way at the same time; a family's server has other things to do.
        answer_bytes: of a JSON or XML answer that is read as a whole.
        listing_bytes: of a listing, which is read as it comes: about a million files.
        preview_bytes: of one preview.
        original_bytes: of one original.
        tries: of a request that failed on the way or was told to come back within `patience_seconds`.
        patience_seconds: the longest wait within a request; longer ones are left to the next pass.
        pause_seconds: how long a server that is busy or under maintenance is left alone when it names no time.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 120.0
    at_once: int = 4
    answer_bytes: int = 4 * 2**20
    listing_bytes: int = 2**30
    preview_bytes: int = 32 * 2**20
    original_bytes: int = 2 * 2**30
    tries: int = 3
    patience_seconds: float = 5.0
    pause_seconds: float = 60.0


HASTY = Limits(connect_seconds=10, read_seconds=45, tries=1)
"""Somebody waits in front of a page. After wrong passwords Nextcloud holds every answer back for 25 s (27 s measured),
that to a right one, too: giving up sooner would say that it is not there."""
