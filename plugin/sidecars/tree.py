"""XML as a tree that knows where each element lies in the bytes, so that an edit leaves every other byte alone.

A file comes from anywhere: it is first read by defusedxml, which refuses document types and entities.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from xml.parsers import expat
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from defusedxml import DefusedXmlException
from defusedxml.sax import parse

from plugin.errors import SidecarUnusable

LARGEST_BYTES = 4 * 2**20
"""Editors that keep masks in sidecars reach some hundred kilobytes."""

DEEPEST = 100
MOST_ELEMENTS = 200_000


@dataclass(eq=False, slots=True)
class Element:
    """One element. Names are `namespace local`, as expat joins them; offsets are in bytes.

    Attributes:
        start, end: from its `<` to behind its last `>`.
        opened: behind the `>` of its first tag; equal to `end` when it is empty (`<a/>`).
        closing: where `</` begins; equal to `end` when it is empty.
    """

    name: str
    attributes: dict[str, str]
    start: int
    opened: int = -1
    closing: int = -1
    end: int = -1
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def child(self, name: str) -> "Element | None":
        """The first child of this name."""
        return next((child for child in self.children if child.name == name), None)

    def all_below(self) -> Iterator["Element"]:
        """Every element below this one, in the order of the document."""
        for child in self.children:
            yield child
            yield from child.all_below()


def read_tree(content: bytes) -> Element:
    """The root element.

    Raises:
        SidecarUnusable: too large, not XML, not UTF-8, nested too deep, or with a document type.
    """
    if len(content) > LARGEST_BYTES:
        raise SidecarUnusable("The sidecar file is too large to be one", code="sidecar_too_large")
    if b"\0" in content or content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise SidecarUnusable("The sidecar file is not UTF-8", code="sidecar_not_utf8")
    try:
        parse(BytesIO(content), ContentHandler(), forbid_dtd=True)
        return _Reader(content).root()
    except DefusedXmlException as error:
        raise SidecarUnusable(
            "The sidecar file has a document type, which can do harm", code="sidecar_harmful"
        ) from error
    except (SAXException, expat.ExpatError, ValueError, LookupError) as error:
        raise SidecarUnusable("The sidecar file is not XML", code="sidecar_not_xml") from error


class _Reader:
    """Collects elements while expat reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._open: list[Element] = []
        self._root: Element | None = None
        self._count = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = False
        self._parser.StartElementHandler = self._started
        self._parser.EndElementHandler = self._ended
        self._parser.CharacterDataHandler = self._characters
        self._parser.CommentHandler = self._passed
        self._parser.ProcessingInstructionHandler = self._passed
        self._parser.StartCdataSectionHandler = self._passed
        self._parser.XmlDeclHandler = self._declared

    def root(self) -> Element:
        self._parser.Parse(self._content, True)  # noqa: FBT003  expat's signature
        if self._root is None:
            raise SidecarUnusable("The sidecar file is not XML", code="sidecar_not_xml")
        return self._root

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        # Offsets are in the bytes of the file only where expat does not convert them.
        if (encoding or "utf-8").lower() not in {"utf-8", "utf8", "us-ascii", "ascii"}:
            raise SidecarUnusable("The sidecar file is not UTF-8", code="sidecar_not_utf8")

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self._passed()
        self._count += 1
        if len(self._open) >= DEEPEST or self._count > MOST_ELEMENTS:
            raise SidecarUnusable("The sidecar file is nested too deep", code="sidecar_not_xml")
        element = Element(name, attributes, self._parser.CurrentByteIndex)
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _passed(self, *_what: Any) -> None:  # noqa: ANN401  expat's handlers
        """Whatever comes next after a first tag tells where that tag ended."""
        if self._open and self._open[-1].opened < 0:
            self._open[-1].opened = self._parser.CurrentByteIndex

    def _characters(self, text: str) -> None:
        self._passed()
        if self._open:
            self._open[-1].text += text

    def _ended(self, _name: str) -> None:
        element, here = self._open.pop(), self._parser.CurrentByteIndex
        empty = element.opened < 0 and self._content[here - 2 : here] == b"/>"
        if element.opened < 0:
            element.opened = here
        element.closing = here
        element.end = here if empty else self._content.index(b">", here) + 1
        if not self._open:
            self._root = element
