"""The values detection and recognition run with: what config.yaml fixes, else what was saved, else the pack's own."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from plugin.domain import Preferences
from plugin.errors import PackUnknown, Refused
from plugin.ports.accounts import PreferenceRows
from plugin.ports.vision import PackInfo
from plugin.sentences import Sentence

MINIMUM_FACES_DEFAULT = 3
"""Immich's documented default; a person is founded by at least this many faces that resemble each other."""

SCORE_RANGE = (0.1, 1.0)
DISTANCE_RANGE = (0.1, 1.5)
FACES_RANGE = (1, 100)

METHODS = ("kinfolk", "immich")
"""The ways from faces to people, the default first; chosen in config.yaml only: it is a decision about everything."""

TITLES = {
    "minimum_score": Sentence("Minimum detection score"),
    "maximum_distance": Sentence("Maximum recognition distance"),
    "minimum_faces": Sentence("Minimum recognized faces"),
}

Number = TypeVar("Number", int, float)


class PreferenceBook:
    """Resolves and saves the four values and the accepted licences.

    Args:
        rows: where saved values live.
        packs: every pack known, the default first.
        fixed: values that config.yaml or the environment sets, by name (`pack`, `minimum_score`, `maximum_distance`,
            `minimum_faces`, `method`); the Settings page cannot change these.
    """

    def __init__(
        self, rows: PreferenceRows, packs: Callable[[], list[PackInfo]], fixed: Mapping[str, str | float | int]
    ) -> None:
        self._rows = rows
        self._packs = packs
        self._fixed = dict(fixed)

    def current(self) -> Preferences:
        """The values in force now. Thresholds saved for one pack do not apply to another: distances differ by pack."""
        saved = self._rows.all()
        pack = self._pack(str(self._fixed.get("pack") or saved.get("pack") or self._packs()[0].name))
        return Preferences(
            pack=pack.name,
            minimum_score=self._value(saved, "minimum_score", pack.name, pack.default_score, float),
            maximum_distance=self._value(saved, "maximum_distance", pack.name, pack.default_distance, float),
            minimum_faces=self._value(saved, "minimum_faces", "", MINIMUM_FACES_DEFAULT, int),
            linking=pack.linking,
            method=str(self._fixed.get("method", METHODS[0])),
            fixed=frozenset(self._fixed),
        )

    def save(
        self,
        *,
        pack: str | None = None,
        minimum_score: float | None = None,
        maximum_distance: float | None = None,
        minimum_faces: int | None = None,
    ) -> None:
        """Save the values given; None leaves one as it is.

        Raises:
            Refused: out of range, or fixed by config.yaml.
            PackUnknown: no such pack.
        """
        name = self._pack(pack or self.current().pack).name
        changes = [
            ("minimum_score", name, within(TITLES["minimum_score"], minimum_score, SCORE_RANGE)),
            ("maximum_distance", name, within(TITLES["maximum_distance"], maximum_distance, DISTANCE_RANGE)),
            ("minimum_faces", "", within(TITLES["minimum_faces"], minimum_faces, FACES_RANGE)),
        ]
        given = [key for key, _, value in changes if value is not None] + (["pack"] if pack else [])
        for key in given:
            if key in self._fixed:
                raise Refused(
                    "%(key)s is set in config.yaml or the environment", "Change it there and restart Kinfolk", key=key
                )
        for key, scope, value in changes:
            if value is not None:
                self._rows.set(stored_key(key, scope), str(value))
        if pack:
            self._rows.set("pack", name)

    def accept_licence(self, pack: str) -> None:
        """Remember that the licence of this pack was accepted."""
        self._rows.set(f"licence_accepted.{self._pack(pack).name}", "yes")

    def licence_accepted(self, pack: str) -> bool:
        """Whether the licence of this pack was accepted."""
        return self._rows.get(f"licence_accepted.{pack}") == "yes"

    def _pack(self, name: str) -> PackInfo:
        for pack in self._packs():
            if pack.name == name:
                return pack
        known = ", ".join(pack.name for pack in self._packs())
        raise PackUnknown(f"There is no model pack called {name!r}", f"Choose one of: {known}")

    def _value(
        self, saved: Mapping[str, str], key: str, scope: str, default: Number, kind: Callable[[str], Number]
    ) -> Number:
        fixed = self._fixed.get(key)
        if fixed is not None:
            return kind(str(fixed))
        value = saved.get(stored_key(key, scope))
        return default if value is None else kind(value)


def stored_key(key: str, scope: str) -> str:
    """The row name of a value; scores and distances are kept per pack."""
    return f"{key}.{scope}" if scope else key


def within(title: str, value: Number | None, allowed: tuple[float, float]) -> Number | None:
    """The value when it is in the range (ends included) or None; raises `Refused` otherwise, for NaN too."""
    if value is not None and not allowed[0] <= value <= allowed[1]:
        least, most = allowed
        raise Refused(
            "%(title)s must be between %(least)s and %(most)s, not %(value)s",
            title=title, least=f"{least:g}", most=f"{most:g}", value=f"{value:g}",
        )  # fmt: skip
    return value
