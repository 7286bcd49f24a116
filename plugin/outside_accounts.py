"""Users of the Nextcloud or Home Assistant that Kinfolk lives in: each has an account here, without a password.

Names prove nothing: a user `maria` of Nextcloud never becomes the account Maria that somebody made here.
"""

import threading
from collections.abc import Callable

from plugin.accounts import LONGEST_ACCOUNT_NAME, account_name
from plugin.domain import Account, AccountId, Library, LibraryId
from plugin.errors import NotFound, Refused
from plugin.ports.accounts import AccountRows
from plugin.ports.libraries import LibraryRows
from plugin.ports.outside import OutsideUserRows


class OutsideAccounts:
    """Finds or makes the account of a user.

    Args:
        accounts: all accounts.
        users: whose account is whose.
        libraries: where a user's own photos are added.
        sync: a library should be compared with its host.
        address: a user of a Nextcloud as the address of a library.
    """

    def __init__(
        self,
        accounts: AccountRows,
        users: OutsideUserRows,
        libraries: LibraryRows,
        sync: Callable[[LibraryId], None],
        address: Callable[[str, str], str],
    ) -> None:
        self._accounts = accounts
        self._libraries = libraries
        self._sync = sync
        self._address = address
        self._users = users
        self._once = threading.Lock()

    def find(
        self,
        origin: str,
        user: str,
        is_admin: Callable[[], bool],
        *,
        called: str = "",
        first_looks_after: bool = False,
    ) -> Account:
        """The account of a user, made at the first visit.

        Args:
            origin: the Nextcloud, by its address, or `plugin.ingress.ORIGIN`.
            user: the id there; never empty.
            is_admin: asked once, at the first visit: who looks after that Nextcloud looks after Kinfolk.
            called: how the account is named, where the id is no name.
            first_looks_after: whether the first visitor of all becomes administrator.

        Raises:
            Refused: no user.
            HostError: from `is_admin`; nothing was made.
        """
        if not user:
            raise Refused("Nobody is logged in at Nextcloud")
        known = self._known(origin, user)
        if known is not None:
            return known
        admin = is_admin()
        with self._once:
            known = self._known(origin, user)
            if known is not None:
                return known
            admin = admin or (first_looks_after and self._nobody_yet())
            wanted = called or user
            account = self._first_account(wanted) if admin else None
            account = account or self._accounts.add(self._free_name(wanted), None, is_admin=admin)
            self._users.put(origin, user, account.id)
            return account

    def take_over(self, origin: str, user: str, account: Account) -> None:
        """The user has this account from now on; who may do that has proved to know its password.

        The account they had meanwhile goes when nothing is in it.
        """
        former = self._users.account_of(origin, user)
        self._users.move(origin, user, account.id)
        if former is not None and former != account.id and not self._libraries.all(former):
            try:
                self._accounts.remove(former)
            except Refused:
                # The last one who can look after Kinfolk stays, empty or not.
                return

    def own_library(self, origin: str, user: str, account_id: AccountId) -> Library | None:
        """The photos of a user in their own Nextcloud, None while nobody looks at them."""
        address = self._address(origin, user)
        rows = self._libraries.all(account_id)
        return next((one for one in rows if (one.host, one.address) == ("nextcloud", address)), None)

    def connect(self, origin: str, user: str, account_id: AccountId) -> Library:
        """Look at the photos of a user in their own Nextcloud; twice is the same as once.

        Raises:
            NotFound: the account is not this user's.
        """
        if self._users.account_of(origin, user) != account_id:
            raise NotFound("This is the account of somebody else")
        library = self._libraries.add(account_id, "nextcloud", "Nextcloud", self._address(origin, user))
        self._libraries.request_sync(library.id)
        self._sync(library.id)
        return library

    def _known(self, origin: str, user: str) -> Account | None:
        account_id = self._users.account_of(origin, user)
        return None if account_id is None else self._accounts.get(account_id)

    def _nobody_yet(self) -> bool:
        """Whether the account of the first start was not taken."""
        accounts = self._accounts.all()
        return not any(account.password_hash for account in accounts) and not self._users.has_user(accounts[0].id)

    def _first_account(self, user: str) -> Account | None:
        """The account of the first start, when nobody has taken it yet."""
        if not self._nobody_yet():
            return None
        accounts = self._accounts.all()
        self._accounts.rename(accounts[0].id, self._free_name(user, accounts[0]))
        return self._accounts.get(accounts[0].id)

    def _free_name(self, user: str, own: Account | None = None) -> str:
        """The user's id as the name of an account, with a number where it is taken."""
        try:
            wanted = account_name(user)[: LONGEST_ACCOUNT_NAME - 8]
        except Refused:
            wanted = "Nextcloud"
        for name in (wanted, *(f"{wanted} ({number})" for number in range(2, 10_000))):
            taken = self._accounts.by_name(name)
            if taken is None or (own is not None and taken.id == own.id):
                return name
        raise Refused("There are too many accounts of this name")
