"""Secrets at rest: encrypted in the catalogue, so that neither the file nor its backups give them away."""

import base64
import os
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from plugin.assemble.data_folder import DataFolder
from plugin.errors import SettingsError

KEYS = "KINFOLK_HOST_KEYS"
"""One or more keys (64 hex digits each, separated by commas); the first encrypts, all decrypt."""

KEY_FILE = "hosts"
"""`hosts.key` in the data folder, made when first needed; only used when the environment names no keys."""


class Vault:
    """Encrypts and decrypts with the keys of this installation.

    Args:
        folder: holds the key file.
        environment: may hold the keys instead.
    """

    def __init__(self, folder: DataFolder, environment: Mapping[str, str] = os.environ) -> None:
        self._folder = folder
        self._environment = environment
        self._keys: MultiFernet | None = None

    def lock(self, secret: str) -> str:
        """Encrypted, as text. Raises `SettingsError`, `DiskFull`: the keys cannot be read or made."""
        return self._fernet().encrypt(secret.encode()).decode("ascii")

    def unlock(self, locked: str) -> str | None:
        """The secret again; None when no key fits: the key file was lost, or the catalogue came from elsewhere."""
        try:
            return self._fernet().decrypt(locked.encode("ascii", "replace")).decode()
        except InvalidToken:
            return None

    def _fernet(self) -> MultiFernet:
        if self._keys is None:
            named = [part.strip() for part in self._environment.get(KEYS, "").split(",") if part.strip()]
            keys = [_key(part) for part in named] or [self._folder.secret(KEY_FILE)]
            self._keys = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
        return self._keys


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingsError(f"{KEYS} must hold keys of 64 hex digits", "Make one with: openssl rand -hex 32")
    return key
