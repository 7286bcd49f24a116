"""What the page of a person shows: photos by month, a bar to jump to each month, who is often there, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from plugin.domain import Companion, MonthCount, Person
from plugin.web.ages import age_on
from plugin.web.paging import Paging, asked_page
from plugin.web.request_context import account, services
from plugin.web.tiles import PersonTile, PhotoTile, person_tiles, photo_tiles

PAGE_SIZE = 60
COMPANIONS = 12


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """A photo, how old the person is on it ("" when not known), and where the host shows it ("" for nowhere)."""

    tile: PhotoTile
    age: str
    link: str


@dataclass(frozen=True, slots=True)
class Month:
    """The photos of one month on this page; `start` is the first moment shown, None for unknown dates.

    `anchor` is what the jump bar leads to; "" where the month began on the page before.
    """

    start: datetime | None
    photos: list[ShownPhoto]
    anchor: str


@dataclass(frozen=True, slots=True)
class Jump:
    """A month of the jump bar: how many photos, on which page they begin, and where there."""

    first_day: date | None
    photos: int
    page: int
    anchor: str


@dataclass(frozen=True, slots=True)
class JumpYear:
    """The months of one year, newest first; `year` is None for photos of unknown time."""

    year: int | None
    months: list[Jump]

    @property
    def photos(self) -> int:
        """All photos of the year."""
        return sum(month.photos for month in self.months)


@dataclass(frozen=True, slots=True)
class ShownCompanion:
    """Somebody often on the same photos."""

    tile: PersonTile
    photos: int


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What the page of a person shows. `may_be_told`: Home Assistant, should the account allow it."""

    tile: PersonTile
    months: list[Month]
    years: list[JumpYear]
    paging: Paging
    companions: list[ShownCompanion]
    names: list[str]
    may_be_told: bool


def person_page(person: Person, names: list[str], *, everything: bool = True) -> PersonPage:
    """The page the address asks for; without `everything` only the photos."""
    rows, owner = services().catalogue.person_photos, account().id
    counts = rows.months(person.id, owner)
    paging = asked_page(sum(count.photos for count in counts), PAGE_SIZE)
    jumps = jump_years(counts)
    starts = {month.anchor for year in jumps for month in year.months if month.page == paging.number}
    return PersonPage(
        tile=person_tiles([person])[0],
        months=by_month(shown_photos(person, paging), starts),
        years=jumps,
        paging=paging,
        companions=shown_companions(rows.companions(person.id, owner, COMPANIONS)) if everything else [],
        names=names,
        may_be_told=bool(services().home_link and person.favourite and person.name),
    )


def shown_photos(person: Person, paging: Paging) -> list[ShownPhoto]:
    """The photos of one page, newest first."""
    assets = services().catalogue.assets.of_person(person.id, account().id, paging.offset, PAGE_SIZE)
    links = services().originals.links(account().id, assets)
    return [
        ShownPhoto(tile, age_on(person.birth_date, tile.asset.taken_at), links.get(tile.asset.id, ""))
        for tile in photo_tiles(assets)
    ]


def shown_companions(companions: Sequence[Companion]) -> list[ShownCompanion]:
    """With their pictures."""
    tiles = person_tiles([companion.person for companion in companions])
    return [ShownCompanion(tile, found.photos) for tile, found in zip(tiles, companions, strict=True)]


def by_month(photos: list[ShownPhoto], starts: set[str]) -> list[Month]:
    """Group photos that are already sorted by date."""
    groups = [list(group) for _, group in groupby(photos, key=lambda shown: anchor_of(shown.tile.asset.taken_at))]
    months = [(group, anchor_of(group[0].tile.asset.taken_at)) for group in groups]
    return [Month(group[0].tile.asset.taken_at, group, anchor if anchor in starts else "") for group, anchor in months]


def anchor_of(day: date | datetime | None) -> str:
    """The name of a month within the page."""
    return f"month-{day:%Y-%m}" if day else "month-unknown"


def jump_years(counts: Sequence[MonthCount]) -> list[JumpYear]:
    """The jump bar; the photos are sorted as the months are, so their number says which page each begins on."""
    before, jumps = 0, []
    for count in counts:
        jumps.append(Jump(count.first_day, count.photos, before // PAGE_SIZE + 1, anchor_of(count.first_day)))
        before += count.photos
    years = groupby(jumps, key=lambda jump: jump.first_day.year if jump.first_day else None)
    return [JumpYear(year, list(months)) for year, months in years]
