"""What a smart home (Home Assistant) is told and may ask: choices of accounts, and the state they lead to.

An account allows it first, then chooses people one by one; only favourites with a name are told about, so that taking
the star away, hiding or deleting somebody ends it, too. `plugin.mqtt` does the telling.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from plugin.domain import AccountId, AssetId, PersonId
from plugin.errors import Refused
from plugin.pausing import Pausing
from plugin.ports.catalogue import Catalogue
from plugin.ports.smart_home import (
    AccountTold,
    ChosenPerson,
    HomeTold,
    NewestPhoto,
    PersonChoice,
    PersonTold,
    Wish,
)
from plugin.ports.work import Nudge

AHEAD = timedelta(days=1)
"""A photo from further in the future has a wrong clock: it would hide every later one."""

LOOK_ANYWAY = timedelta(minutes=1)
"""A file system tells of two changes within one tick of its clock as of one."""

NEWEST_LOOKED_AT = 20
"""Photos looked at for one with a believable time."""

Fingerprint = tuple[object, ...]


class SmartHome:
    """Keeps the choices and works out what is told.

    Args:
        catalogue: where everything is stored.
        pausing: what the buttons press.
        nudge: who is woken for a scan; asked late, since workers start after this.
        minimum_faces: people with fewer faces do not count.
        jpeg_of: a small JPEG of an asset. Raises `NotFound`, `HostError`, `PictureError`.
        clock: what time it is, aware.
        state: something that is another one after every change of the catalogue; None: nobody knows.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        pausing: Pausing,
        nudge: Callable[[], Nudge],
        minimum_faces: Callable[[], int],
        jpeg_of: Callable[[AccountId, AssetId], bytes],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        state: Callable[[], object] = lambda: None,
    ) -> None:
        self._catalogue = catalogue
        self._rows = catalogue.smart_home
        self._pausing = pausing
        self._nudge = nudge
        self._minimum_faces = minimum_faces
        self._clock = clock
        self.picture = jpeg_of
        self._state = state
        self._known: dict[AccountId, tuple[Fingerprint, AccountTold]] = {}
        self._last: tuple[object, datetime, tuple[AccountTold, ...]] | None = None

    def allows(self, account_id: AccountId) -> bool:
        """Whether this account may be told about."""
        return account_id in self._rows.accounts()

    def allow(self, account_id: AccountId) -> None:
        """Tell counts of this account, and its people once they are chosen."""
        self._rows.allow(account_id)

    def forbid(self, account_id: AccountId) -> None:
        """Tell nothing more; what was told is taken back."""
        self._rows.forbid(account_id)

    def forbid_all(self) -> None:
        """The same for every account: before Kinfolk is removed."""
        for account_id in self._rows.accounts():
            self._rows.forbid(account_id)

    def choice(self, account_id: AccountId, person_id: PersonId) -> PersonChoice | None:
        """What was chosen for a person."""
        return self._rows.choice(account_id, person_id)

    def chosen(self, account_id: AccountId) -> list[ChosenPerson]:
        """Everybody who is told about now."""
        return self._rows.chosen(account_id)

    def choose(self, account_id: AccountId, person_id: PersonId, *, with_picture: bool) -> None:
        """Tell about a person from now on: photos there are already are no news.

        Raises:
            NotFound: no such person of this account.
            Refused: the account does not allow it, or the person has no name or star.
        """
        person = self._catalogue.people.get(person_id, account_id)
        if not self.allows(account_id):
            raise Refused("Home Assistant is told nothing of your account", "Allow it in the settings first")
        if not person.name or not person.favourite:
            raise Refused("Only favourites with a name can be told to Home Assistant")
        before = self._rows.choice(account_id, person_id)
        newest = self._newest(account_id, person_id)
        seen_at = before.seen_at if before else newest.taken_at if newest else None
        self._rows.choose(account_id, PersonChoice(person_id, with_picture, seen_at))

    def drop(self, account_id: AccountId, person_id: PersonId) -> None:
        """Tell nothing more about a person. Raises `NotFound`."""
        self._rows.drop(account_id, self._catalogue.people.get(person_id, account_id).id)

    def is_told(self) -> bool:
        """Whether any account allows that anything is told."""
        return bool(self._rows.accounts())

    def told(self) -> HomeTold:
        """What is to be told now."""
        pause = self._pausing.now()
        return HomeTold(self._accounts(), str(pause.sentence) if pause else "")

    def asked(self, wish: Wish) -> None:
        """Do what the smart home asks for; a pause asked for there lasts until somebody resumes."""
        match wish:
            case Wish.SCAN:
                self._scan()
            case Wish.PAUSE:
                self._pausing.press()
            case Wish.RESUME:
                self._pausing.resume()
                self._nudge().detection()

    def seen(self, person_id: PersonId, taken_at: datetime) -> None:
        """That a person was seen has been told."""
        self._rows.seen(person_id, taken_at)

    def sensor_topics(self) -> list[tuple[str, str]]:
        """(topic, entry of the message) of each sensor that makes work rest."""
        return [(limit.topic, limit.key) for limit in self._pausing.rules.sensors]

    def heard(self, sensor: int, value: float, *, kept: bool = False) -> None:
        """What one of them said; `kept`: earlier, and the broker says it again."""
        self._pausing.heard(sensor, value, kept=kept)

    def _scan(self) -> None:
        for account_id in self._rows.accounts():
            for library in self._catalogue.libraries.all(account_id):
                self._catalogue.libraries.request_sync(library.id)
                self._nudge().sync(library.id)

    def _accounts(self) -> tuple[AccountTold, ...]:
        """Looked up anew only after a change: with 100,000 photos each account costs 10 ms, every few seconds."""
        state, now = self._state(), self._clock()
        last = self._last
        if last is not None and state is not None and last[0] == state and timedelta() <= now - last[1] < LOOK_ANYWAY:
            return last[2]
        found = (self._account(account_id) for account_id in self._rows.accounts())
        accounts = tuple(account for account in found if account)
        self._last = (state, now, accounts)
        return accounts

    def _account(self, account_id: AccountId) -> AccountTold | None:
        """Worked out anew only when something changed: at rest this takes four questions to the catalogue."""
        account, chosen = self._catalogue.accounts.get(account_id), self._rows.chosen(account_id)
        if account is None:
            return None
        queue = self._catalogue.detection.status(account_id)
        waiting = queue.waiting + queue.running
        print_now = (self._catalogue.live.marker(account_id), account.name, waiting, tuple(chosen))
        known = self._known.get(account_id)
        if known is None or known[0] != print_now:
            known = (print_now, self._look(account_id, account.name, waiting, chosen))
            self._known[account_id] = known
        return known[1]

    def _look(self, account_id: AccountId, name: str, waiting: int, chosen: list[ChosenPerson]) -> AccountTold:
        catalogue = self._catalogue
        scans = [library.last_sync_at for library in catalogue.libraries.all(account_id) if library.last_sync_at]
        return AccountTold(
            id=account_id,
            name=name,
            people=catalogue.people.count(account_id, minimum_faces=self._minimum_faces(), include_hidden=False),
            faces=sum(catalogue.faces.state_counts(account_id).values()),
            waiting=waiting,
            last_scan_at=max(scans, default=None),
            persons=tuple(self._person(account_id, each) for each in chosen),
        )

    def _person(self, account_id: AccountId, chosen: ChosenPerson) -> PersonTold:
        choice, newest = chosen.choice, self._newest(account_id, chosen.choice.person_id)
        is_news = newest is not None and (choice.seen_at is None or newest.taken_at > choice.seen_at)
        return PersonTold(choice.person_id, chosen.name, chosen.photo_count, newest, choice.with_picture, is_news)

    def _newest(self, account_id: AccountId, person_id: PersonId) -> NewestPhoto | None:
        latest = (self._clock().astimezone() + AHEAD).replace(tzinfo=None)
        for asset in self._catalogue.assets.of_person(person_id, account_id, 0, NEWEST_LOOKED_AT):
            if asset.taken_at is not None and asset.taken_at <= latest:
                return NewestPhoto(asset.id, asset.content_key, asset.taken_at)
        return None
