"""What a sidecar says about faces: MWG-RS regions, in each of the forms RDF allows and programs write."""

from collections.abc import Iterator
from dataclasses import dataclass

from plugin.domain import Box
from plugin.errors import SidecarUnusable
from plugin.sidecars.tree import Element, read_tree

RDF_NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MWG_NS = "http://www.metadataworkinggroup.com/schemas/regions/"
AREA_NS = "http://ns.adobe.com/xmp/sType/Area#"
SIZE_NS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
OURS_NS = "urn:kinfolk:1.0/"
"""The slash at its end is what XMP toolkits expect; others would add one and lose our mark."""

RDF, DESCRIPTION, ITEM = f"{RDF_NS} RDF", f"{RDF_NS} Description", f"{RDF_NS} li"
LISTS = frozenset({f"{RDF_NS} Bag", f"{RDF_NS} Seq", f"{RDF_NS} Alt"})
REGIONS, REGION_LIST, AREA = f"{MWG_NS} Regions", f"{MWG_NS} RegionList", f"{MWG_NS} Area"
NAME, TYPE, SIZE = f"{MWG_NS} Name", f"{MWG_NS} Type", f"{MWG_NS} AppliedToDimensions"
MARK = f"{OURS_NS} face"


@dataclass(frozen=True, slots=True)
class Region:
    """One region. `box` is in fractions of the stored picture, None where it has none that can be read.

    `mark` names the face of ours that it was written for, "" for regions of others.
    """

    name: str
    box: Box | None
    kind: str = "Face"
    mark: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Sidecar:
    """A sidecar that was understood.

    Attributes:
        content: its bytes.
        root, rdf: elements of it.
        items: each region with the `rdf:li` it stands in.
        lists: the elements that hold regions, the first one takes new ones.
        size: width and height the regions were made for, None when it says none.
    """

    content: bytes
    root: Element
    rdf: Element
    items: tuple[tuple[Region, Element], ...]
    lists: tuple[Element, ...]
    size: tuple[float, float] | None

    @property
    def regions(self) -> tuple[Region, ...]:
        """Every region, in the order of the file."""
        return tuple(region for region, _ in self.items)


def read_sidecar(content: bytes) -> Sidecar:
    """Understand a sidecar file.

    Raises:
        SidecarUnusable: nothing that XMP allows; leave it alone.
    """
    root = read_tree(content)
    rdf = root if root.name == RDF else next((found for found in root.all_below() if found.name == RDF), None)
    if rdf is None:
        raise SidecarUnusable("The sidecar file holds no XMP", code="sidecar_not_xmp")
    structures = [found for about in rdf.children for found in about.children if found.name == REGIONS]
    lists = tuple(found for regions in structures if (found := _list_of(regions)) is not None)
    if len(lists) < len(structures):
        raise SidecarUnusable("The regions in the sidecar file cannot be understood", code="sidecar_not_xmp")
    items = tuple((_region(item), item) for found in lists for item in found.children if item.name == ITEM)
    return Sidecar(content, root, rdf, items, lists, _size(structures[0]) if structures else None)


def _list_of(regions: Element) -> Element | None:
    holder = dict(_properties(regions)).get(REGION_LIST)
    if not isinstance(holder, Element):
        return None
    return next((child for child in holder.children if child.name in LISTS), None)


def _properties(element: Element) -> Iterator[tuple[str, "str | Element"]]:
    """Name and value of what an RDF structure says, written as attributes, elements or a nested description."""
    for name, value in element.attributes.items():
        if not name.startswith(f"{RDF_NS} "):
            yield name, value
    for child in element.children:
        if child.name == DESCRIPTION:
            yield from _properties(child)
        else:
            yield child.name, child if child.children or child.attributes else child.text.strip()


def _region(item: Element) -> Region:
    said = dict(_properties(item))
    return Region(_text(said.get(NAME)), _box(said.get(AREA)), _text(said.get(TYPE)), _text(said.get(MARK)))


def _text(value: "str | Element | None") -> str:
    if isinstance(value, Element):  # a name with a language, or in a list of one
        return value.text.strip() or next((below.text.strip() for below in value.all_below() if below.text.strip()), "")
    return value or ""


def _box(area: "str | Element | None") -> Box | None:
    if not isinstance(area, Element):
        return None
    said = dict(_properties(area))
    if said.get(f"{AREA_NS} unit", "normalized") != "normalized":
        return None
    try:
        x, y, w, h = (_number(said.get(f"{AREA_NS} {name}")) for name in "xywh")
    except ValueError:
        return None
    return Box(x - w / 2, y - h / 2, w, h)


def _size(regions: Element) -> tuple[float, float] | None:
    holder = dict(_properties(regions)).get(SIZE)
    if not isinstance(holder, Element):
        return None
    said = dict(_properties(holder))
    try:
        return _number(said.get(f"{SIZE_NS} w")), _number(said.get(f"{SIZE_NS} h"))
    except ValueError:
        return None


def _number(value: "str | Element | None") -> float:
    number = float(_text(value))
    if not -1e6 < number < 1e9:  # also what is no number at all
        raise ValueError(number)
    return number
