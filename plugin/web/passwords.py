"""Passwords: Argon2id hashes, compared in constant time for known and unknown names alike."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from plugin.errors import Refused

MINIMUM_LENGTH = 8
"""NIST SP 800-63B, 5.1.1.2: at least 8 characters, no rules about their kind."""
MAXIMUM_LENGTH = 1000
"""Hashing time does not depend on it; it only bounds what a request may carry."""


class PasswordGuard:
    """Hashes and checks passwords, two at a time so that a burst of log-ins cannot eat a small machine's memory."""

    def __init__(self) -> None:
        # OWASP Password Storage Cheat Sheet: Argon2id, 19 MiB, 2 passes, 1 lane (40 ms on a small server).
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._slots = BoundedSemaphore(2)
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The hash to store.

        Raises:
            Refused: too short or too long.
        """
        check_length(password)
        with self._slots:
            return self._hasher.hash(password)

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; None costs the same time and never matches."""
        try:
            with self._slots:
                return self._hasher.verify(password_hash or self._nobody, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def check_length(password: str) -> None:
    """Raises `Refused` for a password that is too short or too long."""
    if len(password) < MINIMUM_LENGTH:
        raise Refused(
            "The password needs at least %(least)s characters", "A short sentence works well", least=MINIMUM_LENGTH
        )
    if len(password) > MAXIMUM_LENGTH:
        raise Refused("The password may have at most %(most)s characters", most=MAXIMUM_LENGTH)


@cache
def password_guard() -> PasswordGuard:
    """The guard of this process: one, because its slots bound the memory of the whole process."""
    return PasswordGuard()
