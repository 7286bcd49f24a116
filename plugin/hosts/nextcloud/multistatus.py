"""DAV's 207 answers, read as they come: bounded memory however long the listing is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from plugin.errors import BadListing

DAV, OC, NC = "{DAV:}", "{http://owncloud.org/ns}", "{http://nextcloud.org/ns}"


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""
        ...


class ChunkStream:
    """An iterator of chunks as a stream for the parser."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002 - a chunk is as good as `size` bytes
        """The next chunk, b"" at the end."""
        return next(self._chunks, b"")


@dataclass(frozen=True, slots=True)
class DavEntry:
    """One `d:response`: the decoded path from the server's root, and the properties it has (propstat 200 only).

    A property with markup inside (a folder's resource type) counts as the name of the first element in it.
    """

    path: str
    props: dict[str, str]

    @property
    def is_folder(self) -> bool:
        """Whether its resource type says so."""
        return self.props.get(f"{DAV}resourcetype") == "collection"


def entries(stream: Readable) -> Iterator[DavEntry]:
    """Every response of a multistatus document.

    Raises:
        BadListing: not well-formed, not a multistatus, or with entities or a DTD, which no Nextcloud sends.
    """
    depth, root = 0, None
    try:
        for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                if depth == 0:
                    root = _checked_root(element)
                depth += 1
                continue
            depth -= 1
            if depth == 1 and root is not None:
                if element.tag == f"{DAV}response":
                    yield _entry(element)
                root.clear()  # what was yielded is not kept
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:  # the latter: encodings, addresses
        raise _bad() from error


def _checked_root(element: Element) -> Element:
    if element.tag != f"{DAV}multistatus":
        raise _bad()
    return element


def _entry(response: Element) -> DavEntry:
    props: dict[str, str] = {}
    for propstat in response.iterfind(f"{DAV}propstat"):
        if " 200 " in f"{propstat.findtext(f'{DAV}status', '')} ":
            for prop in propstat.iterfind(f"{DAV}prop/*"):
                props[prop.tag] = prop[0].tag.partition("}")[2] if len(prop) else (prop.text or "")
    return DavEntry(unquote(urlsplit(response.findtext(f"{DAV}href", "")).path), props)


def _bad() -> BadListing:
    return BadListing(
        "Nextcloud's listing is broken off or not what a Nextcloud sends",
        "It is tried again; look into Nextcloud's log if this stays",
    )
