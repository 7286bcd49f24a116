"""Any regions into any sidecar and out again: it is as it was."""

from hypothesis import given
from hypothesis import strategies as st

from plugin.domain import Box
from plugin.sidecars import Region, as_stored, as_upright, edited, read_sidecar

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1).filter(
    lambda name: name == name.strip()
)
SIDES = st.floats(0.01, 0.5)
BOXES = st.builds(Box, SIDES, SIDES, SIDES, SIDES)
MARKS = st.integers(1, 6).map(lambda number: f"k-{number}")
OURS = st.dictionaries(MARKS, st.tuples(NAMES, BOXES), max_size=4)

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MWG = "http://www.metadataworkinggroup.com/schemas/regions/"


@st.composite
def sidecars(draw: st.DrawFn) -> bytes:
    """Sidecars of other programs, with white space, comments and names of namespaces of their own."""
    prefix = draw(st.sampled_from(["rdf", "r", "RDF-1"]))
    space = draw(st.sampled_from(["", " ", "\n", "\r\n\t", "<!-- x /> -->", "\n<?keep me?>\n"]))
    item = f'<{prefix}:li {prefix}:parseType="Resource"><m:Name>Théo /&gt;</m:Name><m:Type>Face</m:Type></{prefix}:li>'
    items = space.join([item] * draw(st.integers(0, 2)))
    regions = (
        f'<m:Regions {prefix}:parseType="Resource"><m:RegionList>{space}<{prefix}:Bag>{space}{items}{space}'
        f"</{prefix}:Bag></m:RegionList></m:Regions>"
    )
    inside = draw(st.sampled_from(["", regions, f"<d:history xmlns:d='urn:d'>/>{space}</d:history>{regions}"]))
    about = f'<{prefix}:Description {prefix}:about="" xmlns:m="{MWG}">{inside}</{prefix}:Description>'
    body = draw(st.sampled_from(["", space, about, space + about + space, about + space + about.replace(regions, "")]))
    root = f'<{prefix}:RDF xmlns:{prefix}="{RDF}">{body}</{prefix}:RDF>{space}'
    return draw(st.sampled_from(["", "\ufeff"])).encode() + root.encode()


def regions(of: dict[str, tuple[str, Box]]) -> dict[str, Region]:
    return {mark: Region(name, box, mark=mark) for mark, (name, box) in of.items()}


@given(st.none() | sidecars(), OURS, OURS)
def test_whatever_is_put_is_read_and_taking_it_all_gives_the_first_bytes(
    content: bytes | None, first: dict[str, tuple[str, Box]], second: dict[str, tuple[str, Box]]
) -> None:
    changed = edited(content, regions(first), frozenset(), (40, 30))
    changed = edited(changed, regions(second), frozenset(first) - frozenset(second), (40, 30))
    names = {mark: name for mark, (name, _) in second.items()}
    read = read_sidecar(changed).regions if changed is not None else ()
    assert {region.mark: region.name for region in read if region.mark} == names
    assert edited(changed, regions(second), frozenset(), (40, 30)) == changed
    assert edited(changed, {}, frozenset(names), (40, 30)) == content


@given(BOXES, st.integers(0, 9))
def test_a_box_goes_into_the_stored_picture_and_back(box: Box, orientation: int) -> None:
    back = as_upright(as_stored(box, orientation), orientation)
    assert abs(back.x - box.x) + abs(back.y - box.y) + abs(back.w - box.w) + abs(back.h - box.h) < 1e-9
