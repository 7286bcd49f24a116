"""Certificates nobody vouches for: refused, or pinned by fingerprint after the user saw and confirmed it."""

import hashlib
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from plugin.errors import CertificateRefused, HostError, HostUnreachable, Refused
from plugin.hosts.network.login import Login


class PinnedAdapter(HTTPAdapter):
    """Accepts one certificate, whoever signed it, and no other.

    Args:
        fingerprint: SHA-256, hex.
        connections: kept at most.
    """

    def __init__(self, fingerprint: str, connections: int) -> None:
        self._fingerprint = fingerprint
        super().__init__(pool_maxsize=connections)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  urllib3's
        """Every connection compares the fingerprint before anything is sent."""
        super().init_poolmanager(*arguments, assert_fingerprint=self._fingerprint, **options)


def certificate_refused(error: requests.RequestException, login: Login) -> HostError | None:
    """The reason when it is the certificate, else None."""
    if not isinstance(error, requests.exceptions.SSLError):
        return None
    if login.fingerprint:
        return CertificateRefused(
            "The certificate of %(base)s is not the one you confirmed",
            "If it was renewed, connect the library again and compare the fingerprint",
            base=login.base,
        )
    return CertificateRefused(
        "Nobody this machine trusts vouches for the certificate of %(base)s",
        "Connect again and compare the certificate's fingerprint, or give the server a certificate that is trusted",
        base=login.base,
    )


def fingerprint_of(base: str, seconds: float = 10.0) -> str:
    """SHA-256 (hex) of the certificate a server shows, whoever signed it; for a person to compare.

    Raises:
        HostUnreachable: it does not answer, or does not speak TLS.
    """
    parts = urlsplit(base)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    name = parts.hostname or ""
    try:
        with (
            socket.create_connection((name, parts.port or 443), seconds) as plain,
            context.wrap_socket(plain, server_hostname=name) as wrapped,
        ):
            certificate = wrapped.getpeercert(binary_form=True)
    except OSError as error:
        raise HostUnreachable("%(base)s does not answer", "Is the server on?", base=base) from error
    return hashlib.sha256(certificate or b"").hexdigest()


def readable(fingerprint: str) -> str:
    """In pairs with colons, as browsers show it."""
    return ":".join(fingerprint[i : i + 2] for i in range(0, len(fingerprint), 2)).upper()


def plain(fingerprint: str) -> str | None:
    """64 hex digits, None for nothing. Raises `Refused`."""
    found = fingerprint.replace(":", "").strip().lower()
    if found and not (len(found) == 64 and all(digit in "0123456789abcdef" for digit in found)):
        raise Refused("This is not a SHA-256 fingerprint", "Start again")
    return found or None
