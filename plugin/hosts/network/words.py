"""What users are told when a server does not do what was asked: whole sentences, which each host brings with it."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from plugin.errors import AnswerFailed, AssetGone, HostBusy, HostError, HostRefused, HostUnreachable, LoginRefused


class Said(NamedTuple):
    """What happened and what can be done about it; `%(name)s` where a value goes."""

    message: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one host.

    Attributes:
        login_refused: 401.
        forbidden: 403.
        throttled: 429.
        overloaded: 502 to 504.
        failed: any other status, which is `%(status)s`.
        strange: an answer that is not in this host's form; the server is `%(base)s`.
        too_large: an answer of more than `%(limit)s` MB.
        web_page: HTML where a photo was asked for.
        no_address: what was typed is no address.
    """

    login_refused: Said
    forbidden: Said
    throttled: Said
    overloaded: Said
    failed: Said
    strange: Said
    too_large: Said
    web_page: Said
    no_address: Said

    def refusal(self) -> LoginRefused:
        """The login is not accepted; the library pauses."""
        return LoginRefused(*self.login_refused)

    def busy(self, status: int, seconds: float) -> HostBusy:
        """The server wants to be left alone for so long."""
        return HostBusy(*(self.throttled if status == 429 else self.overloaded), seconds)

    def strange_answer(self, base: str) -> HostUnreachable:
        """The answer is not what such a host sends: a proxy's page, say."""
        return HostUnreachable(*self.strange, base=base)

    def larger_than(self, limit: int) -> HostUnreachable:
        """The answer is longer than so many bytes."""
        return HostUnreachable(*self.too_large, limit=limit // 2**20)

    def page_instead(self) -> HostUnreachable:
        """A web page came instead of a photo."""
        return HostUnreachable(*self.web_page)

    def unwelcome(self, status: int, base: str) -> HostError:
        """What a status means that says nothing about the login or about how busy the server is."""
        if status in (404, 410):
            return AssetGone("It is no longer there, or not visible to this user")
        if status == 403:
            return HostRefused(*self.forbidden)
        if 300 <= status < 400:
            return HostRefused(
                "%(base)s sends its visitors to another address, which Kinfolk does not follow",
                "Connect with the address your browser ends up at",
                base=base,
            )
        return AnswerFailed(*self.failed, status=status)


ANY_SERVER = Words(
    login_refused=Said("The server does not accept the login", "Connect this library again on the Libraries page"),
    forbidden=Said("The server does not allow this", "Look at the rights of the login"),
    throttled=Said(
        "The server slows Kinfolk down after too many requests or wrong passwords",
        "Kinfolk waits and goes on by itself",
    ),
    overloaded=Said("The server is overloaded", "Kinfolk waits and goes on by itself"),
    failed=Said(
        "The server answered with an error (%(status)s)", "It is tried again; look into the server's log if this stays"
    ),
    strange=Said(
        "%(base)s answers, but not as Kinfolk expects",
        "Is the address right, and is nothing in front of it that shows a page of its own?",
    ),
    too_large=Said("The server's answer is larger than %(limit)s MB"),
    web_page=Said("A web page came instead of the photo", "Is there a proxy in front of the server?"),
    no_address=Said("This is not the address of a server", "Type it as in your browser, with https://"),
)
"""For a server of which nothing is known but that it speaks HTTP."""

MANIFEST = replace(
    ANY_SERVER,
    login_refused=Said(
        "The server does not accept the login", "Add the manifest again with its login, or scan the library again"
    ),
)
"""For a server with a manifest, which nobody connects again on a page."""
