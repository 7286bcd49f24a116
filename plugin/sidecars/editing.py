"""Putting our regions into a sidecar and taking them out again; every byte that is not ours stays as it was."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from xml.sax.saxutils import quoteattr

from plugin.domain import Box
from plugin.errors import SidecarUnusable
from plugin.sidecars.regions import (
    AREA_NS,
    DESCRIPTION,
    MWG_NS,
    OURS_NS,
    RDF_NS,
    REGION_LIST,
    REGIONS,
    SIZE,
    SIZE_NS,
    Region,
    Sidecar,
    read_sidecar,
)
from plugin.sidecars.tree import Element

Splice = tuple[int, int, bytes]
"""(from, to, what comes in its place), in bytes of the file as it was."""

TOOLKIT = "Kinfolk"
TOOLKIT_ATTRIBUTE = "adobe:ns:meta/ xmptk"
HOLDER = f"{OURS_NS} holds"

SIZE_TOLERANCE = 0.02
"""Sides of pictures that were only shrunk, and rounded, differ less; a cut or turned one differs more."""


def edited(
    content: bytes | None, put: Mapping[str, Region], take: AbstractSet[str], size: tuple[int, int]
) -> bytes | None:
    """The sidecar with some of our regions put (added, or replaced where they are) and others taken out.

    The same bytes come back when nothing changes, and putting followed by taking gives back the first bytes.

    Args:
        content: the file as it is, None when there is none.
        put: by mark; each needs a box.
        take: marks. What is not there is ignored.
        size: width and height of the stored picture.

    Returns:
        The new content; None when no file is left to be kept, or there was none and nothing to put.

    Raises:
        SidecarUnusable: leave the file alone.
    """
    if content is None:
        return _document(put, size) if put else None
    sidecar = read_sidecar(content)
    there = {region.mark: item for region, item in sidecar.items if region.mark}
    splices = [_replacing(sidecar, there[mark], region) for mark, region in put.items() if mark in there]
    new = {mark: region for mark, region in put.items() if mark not in there}
    if new:
        _check_size(sidecar, size)
        splices.append(_adding(sidecar, new, size))
    gone = [there[mark] for mark in take if mark in there and mark not in put]
    splices += [_removing(content, item) for item in gone]
    if gone and not put and not _left(sidecar, gone):
        return _without_holders(sidecar, gone, splices)
    return _spliced(content, splices)


def _left(sidecar: Sidecar, gone: list[Element]) -> int:
    return len(sidecar.items) - len(gone)


def _spliced(content: bytes, splices: list[Splice]) -> bytes:
    for start, end, replacement in sorted(splices, reverse=True):
        content = content[:start] + replacement + content[end:]
    return content


def _replacing(sidecar: Sidecar, item: Element, region: Region) -> Splice:
    now = next(there for there, found in sidecar.items if found is item)
    if now.name == region.name and now.box and region.box and _line_numbers(now.box) == _line_numbers(region.box):
        return item.start, item.end, sidecar.content[item.start : item.end]
    return item.start, item.end, _item(region).encode()


def _adding(sidecar: Sidecar, new: Mapping[str, Region], size: tuple[int, int]) -> Splice:
    items = "".join(f"\n     {_item(region)}" for region in new.values())
    if sidecar.lists:
        return _appended(sidecar.content, sidecar.lists[0], items)
    return _appended(sidecar.content, sidecar.rdf, f"\n  {_holder(items, size)}")


def _appended(content: bytes, parent: Element, text: str) -> Splice:
    """Right behind the last child, so that the white space before it is ours alone, and goes with it."""
    if parent.opened == parent.end:  # <rdf:Bag/> becomes <rdf:Bag>...</rdf:Bag>
        tag = content[parent.start : parent.end]
        name = tag[1:-2].split()[0].decode()
        return parent.end - 2, parent.end, f">{text}</{name}>".encode()
    at = parent.children[-1].end if parent.children else parent.opened
    return at, at, text.encode()


def _removing(content: bytes, item: Element) -> Splice:
    start = item.start
    while start > 0 and content[start - 1 : start].isspace():
        start -= 1
    return start, item.end, b""


def _without_holders(sidecar: Sidecar, gone: list[Element], splices: list[Splice]) -> bytes | None:
    """No region is left: what we made to hold them goes, too, and the file if we made it and nobody added to it."""
    holders = [about for about in sidecar.rdf.children if _is_our_empty_holder(about, gone)]
    if sidecar.root.attributes.get(TOOLKIT_ATTRIBUTE) == TOOLKIT and len(holders) == len(sidecar.rdf.children):
        return None
    inside = [(holder.start, holder.end) for holder in holders]
    kept = [splice for splice in splices if not any(start <= splice[0] and splice[1] <= end for start, end in inside)]
    return _spliced(sidecar.content, kept + [_removing(sidecar.content, holder) for holder in holders])


def _is_our_empty_holder(about: Element, gone: list[Element]) -> bool:
    regions = about.child(REGIONS)
    if about.name != DESCRIPTION or HOLDER not in about.attributes or regions is None or len(about.children) > 1:
        return False
    # RDF lets others add properties as attributes; `about` and our own mark are all that we wrote.
    if any(name not in {HOLDER, f"{RDF_NS} about"} for name in about.attributes):
        return False
    listed = regions.child(REGION_LIST)
    known = {SIZE, REGION_LIST}
    if listed is None or any(child.name not in known for child in regions.children) or len(listed.children) != 1:
        return False
    return all(any(item is lost for lost in gone) for item in listed.children[0].children)


def _check_size(sidecar: Sidecar, size: tuple[int, int]) -> None:
    if sidecar.size is None or not all(sidecar.size) or not sidecar.items:
        return
    theirs, ours = sidecar.size[0] / sidecar.size[1], size[0] / size[1]
    if abs(theirs / ours - 1) > SIZE_TOLERANCE:
        raise SidecarUnusable("The sidecar file was made for a picture of another shape", code="sidecar_other_size")


def _line_numbers(box: Box) -> tuple[str, ...]:
    return tuple(f"{value:.5f}" for value in (box.x + box.w / 2, box.y + box.h / 2, box.w, box.h))


def _item(region: Region) -> str:
    """Each region names its own namespaces: it may land in a file that calls them otherwise."""
    if region.box is None:
        raise ValueError("a region of ours needs a box")
    x, y, w, h = _line_numbers(region.box)
    return (
        f'<rdf:li xmlns:rdf="{RDF_NS}"><rdf:Description xmlns:mwg-rs="{MWG_NS}" xmlns:kinfolk="{OURS_NS}"'
        f' mwg-rs:Name={_quoted(region.name)} mwg-rs:Type="Face" kinfolk:face={_quoted(region.mark)}>'
        f'<mwg-rs:Area xmlns:stArea="{AREA_NS}" stArea:x="{x}" stArea:y="{y}" stArea:w="{w}" stArea:h="{h}"'
        ' stArea:unit="normalized"/></rdf:Description></rdf:li>'
    )


def _holder(items: str, size: tuple[int, int]) -> str:
    width, height = size
    return (
        f'<rdf:Description xmlns:rdf="{RDF_NS}" rdf:about="" xmlns:mwg-rs="{MWG_NS}" xmlns:kinfolk="{OURS_NS}"'
        ' kinfolk:holds="regions">\n   <mwg-rs:Regions rdf:parseType="Resource">\n'
        f'    <mwg-rs:AppliedToDimensions xmlns:stDim="{SIZE_NS}" stDim:w="{width}" stDim:h="{height}"'
        ' stDim:unit="pixel"/>\n    <mwg-rs:RegionList><rdf:Bag>'
        f"{items}\n    </rdf:Bag></mwg-rs:RegionList>\n   </mwg-rs:Regions>\n  </rdf:Description>"
    )


def _document(put: Mapping[str, Region], size: tuple[int, int]) -> bytes:
    items = "".join(f"\n     {_item(region)}" for region in put.values())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="{TOOLKIT}">\n <rdf:RDF xmlns:rdf="{RDF_NS}">\n'
        f'  {_holder(items, size)}\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>\n'
    ).encode()


def _quoted(value: str) -> str:
    """As an attribute, without what XML cannot say."""
    return quoteattr(sayable(value))


def sayable(value: str) -> str:
    """The text with a sign of replacement for what XML cannot say."""
    return "".join(c if _is_sayable(c) else "\ufffd" for c in value)


def _is_sayable(c: str) -> bool:
    return c == "\t" or " " <= c < "\ud800" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000"
