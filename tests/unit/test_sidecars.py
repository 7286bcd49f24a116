"""Sidecar files of other programs: understood in every form they write, changed only where we wrote."""

import pytest

from plugin.domain import Box
from plugin.errors import SidecarUnusable
from plugin.sidecars import Region, as_stored, as_upright, edited, read_sidecar
from plugin.sidecars.places import stored_size, within

SIZE = (4000, 3000)
ANNA = Region("Anna", Box(0.1, 0.2, 0.3, 0.4), mark="k-1")
BEN = Region("Ben", Box(0.5, 0.2, 0.1, 0.1), mark="k-2")

DIGIKAM = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <!-- a comment somebody wrote -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
    xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
   xmp:Rating="4">
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:AppliedToDimensions stDim:w="4000" stDim:h="3000" stDim:unit="pixel"/>
    <mwg-rs:RegionList>
     <rdf:Bag>
      <rdf:li>
       <rdf:Description mwg-rs:Name="Oma &amp; Opa" mwg-rs:Type="Face">
        <mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.2" stArea:h="0.1" stArea:unit="normalized"/>
       </rdf:Description>
      </rdf:li>
     </rdf:Bag>
    </mwg-rs:RegionList>
   </mwg-rs:Regions>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""

EXIFTOOL = b"""<?xpacket begin='\xef\xbb\xbf' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/' x:xmptk='Image::ExifTool 12.76'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
 <rdf:Description rdf:about=''
  xmlns:mwg-rs='http://www.metadataworkinggroup.com/schemas/regions/'
  xmlns:a='http://ns.adobe.com/xmp/sType/Area#' xmlns:d='http://ns.adobe.com/xap/1.0/sType/Dimensions#'>
  <mwg-rs:Regions rdf:parseType='Resource'>
   <mwg-rs:AppliedToDimensions rdf:parseType='Resource'><d:h>3000</d:h><d:unit>pixel</d:unit><d:w>4000</d:w>
   </mwg-rs:AppliedToDimensions>
   <mwg-rs:RegionList>
    <rdf:Bag>
     <rdf:li rdf:parseType='Resource'>
      <mwg-rs:Area rdf:parseType='Resource'>
       <a:h>0.1</a:h><a:unit>normalized</a:unit><a:w>0.2</a:w><a:x>0.5</a:x><a:y>0.5</a:y>
      </mwg-rs:Area>
      <mwg-rs:Name>Oma &amp; Opa</mwg-rs:Name>
      <mwg-rs:Type>Face</mwg-rs:Type>
     </rdf:li>
    </rdf:Bag>
   </mwg-rs:RegionList>
  </mwg-rs:Regions>
 </rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end='w'?>"""

WITHOUT_REGIONS = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<r:Description r:about="" xmlns:dt="http://darktable.sf.net/" dt:history="\xc3\xbc"/></r:RDF></x:xmpmeta>"""


def put(content: bytes | None, *regions: Region) -> bytes:
    changed = edited(content, {region.mark: region for region in regions}, frozenset(), SIZE)
    assert changed is not None
    return changed


def take(content: bytes, *marks: str) -> bytes | None:
    return edited(content, {}, frozenset(marks), SIZE)


def close(box: Box | None, other: Box | None) -> bool:
    assert box is not None
    assert other is not None
    pairs = zip((box.x, box.y, box.w, box.h), (other.x, other.y, other.w, other.h), strict=True)
    return all(abs(one - two) < 2e-5 for one, two in pairs)


@pytest.mark.parametrize("content", [DIGIKAM, EXIFTOOL])
def test_regions_are_read_in_each_form_that_programs_write(content: bytes) -> None:
    sidecar = read_sidecar(content)
    (region,) = sidecar.regions
    assert (region.name, region.kind, region.mark) == ("Oma & Opa", "Face", "")
    assert close(region.box, Box(0.4, 0.45, 0.2, 0.1))
    assert sidecar.size == (4000, 3000)


def test_a_new_sidecar_says_who_is_where() -> None:
    content = put(None, ANNA, BEN)
    sidecar = read_sidecar(content)
    assert [(region.name, region.mark) for region in sidecar.regions] == [("Anna", "k-1"), ("Ben", "k-2")]
    assert close(sidecar.regions[0].box, ANNA.box)
    assert sidecar.size == SIZE


@pytest.mark.parametrize("content", [DIGIKAM, EXIFTOOL, WITHOUT_REGIONS])
def test_what_others_wrote_stays_byte_by_byte(content: bytes) -> None:
    changed = put(content, ANNA, BEN)
    ours = {region.mark: region.name for region in read_sidecar(changed).regions if region.mark}
    assert ours == {"k-1": "Anna", "k-2": "Ben"}
    once = take(changed, "k-1")
    assert once is not None
    assert take(once, "k-2") == content
    assert take(changed, "k-1", "k-2") == content


def test_the_same_again_changes_no_byte() -> None:
    for content in (None, DIGIKAM, WITHOUT_REGIONS):
        changed = put(content, ANNA)
        assert put(changed, ANNA) == changed
    assert take(DIGIKAM, "k-9") == DIGIKAM
    assert edited(None, {}, frozenset({"k-1"}), SIZE) is None


def test_a_sidecar_we_made_goes_with_our_last_region() -> None:
    content = put(None, ANNA, BEN)
    once = take(content, "k-1")
    assert once is not None
    assert take(once, "k-2") is None


def test_a_sidecar_we_made_stays_once_somebody_added_to_it() -> None:
    content = put(None, ANNA)
    rated = content.replace(
        b"\n </rdf:RDF>",
        b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF>',
    )
    left = take(rated, "k-1")
    assert left is not None
    assert b'xmp:Rating="5"' in left
    assert b"Anna" not in left


def test_another_property_in_our_description_keeps_it() -> None:
    content = put(None, ANNA).replace(b'kinfolk:holds="regions"', b'kinfolk:holds="regions" mwg-rs:Mood="good"')
    left = take(content, "k-1")
    assert left is not None
    assert b'mwg-rs:Mood="good"' in left
    assert not read_sidecar(left).regions


def test_a_region_somebody_added_to_our_list_keeps_it() -> None:
    theirs = (
        b'<rdf:li rdf:parseType="Resource" xmlns:m="http://www.metadataworkinggroup.com/schemas/regions/">'
        b"<m:Name>Rex</m:Name><m:Type>Pet</m:Type></rdf:li>"
    )
    content = put(None, ANNA).replace(b"</rdf:Bag>", theirs + b"</rdf:Bag>")
    left = take(content, "k-1")
    assert left is not None
    assert [(region.name, region.kind, region.box) for region in read_sidecar(left).regions] == [("Rex", "Pet", None)]


def test_a_new_name_replaces_our_region_where_it_is() -> None:
    content = put(DIGIKAM, ANNA, BEN)
    renamed = put(content, Region('Anna <Maria> "&" \x00\ufffe', ANNA.box, mark="k-1"))
    names = [region.name for region in read_sidecar(renamed).regions]
    assert names == ["Oma & Opa", 'Anna <Maria> "&" \ufffd\ufffd', "Ben"]
    assert take(renamed, "k-1", "k-2") == DIGIKAM


def test_an_empty_list_of_others_takes_ours() -> None:
    start, end = DIGIKAM.index(b"<rdf:Bag>"), DIGIKAM.index(b"</rdf:Bag>") + len(b"</rdf:Bag>")
    content = put(DIGIKAM[:start] + b"<rdf:Bag />" + DIGIKAM[end:], ANNA)
    assert [region.name for region in read_sidecar(content).regions] == ["Anna"]
    empty = take(content, "k-1")
    assert empty is not None
    assert not read_sidecar(empty).regions
    assert b"xmp:Rating" in empty


def test_an_empty_sidecar_of_others_is_not_deleted() -> None:
    for empty in (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>',
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
    ):
        left = take(put(empty, ANNA), "k-1")
        assert left is not None
        assert not read_sidecar(left).regions


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&c;</rdf:RDF>"""


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (BOMB, "sidecar_harmful"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "sidecar_harmful"),
        (b"<rdf:RDF>" + b" " * 10_000_000, "sidecar_too_large"),
        (b"", "sidecar_not_xml"),
        (b"\x89PNG\r\n", "sidecar_not_xml"),
        (b"<html><body>Log in</body>", "sidecar_not_xml"),
        (b"<html><body>Log in</body></html>", "sidecar_not_xmp"),
        (b"<a>" * 5000 + b"</a>" * 5000, "sidecar_not_xml"),
        (DIGIKAM.decode("utf-8").encode("utf-16"), "sidecar_not_utf8"),
        (b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xfc</a>', "sidecar_not_utf8"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "sidecar_not_xml"),
        (DIGIKAM.replace(b"rdf:Bag", b"rdf:Bug"), "sidecar_not_xmp"),
    ],
)  # fmt: skip
def test_hostile_and_broken_sidecars_are_refused_with_the_reason(content: bytes, code: str) -> None:
    with pytest.raises(SidecarUnusable) as raised:
        edited(content, {"k-1": ANNA}, frozenset(), SIZE)
    assert raised.value.code == code


def test_regions_of_a_picture_of_another_shape_are_left_alone() -> None:
    with pytest.raises(SidecarUnusable, match="another shape"):
        edited(DIGIKAM, {"k-1": ANNA}, frozenset(), (3000, 4000))
    assert edited(DIGIKAM, {"k-1": ANNA}, frozenset(), (2000, 1501))


def test_areas_in_pixels_and_numbers_that_are_none_have_no_box() -> None:
    for found, wrong in ((b'stArea:unit="normalized"', b'stArea:unit="pixel"'), (b'stArea:x="0.5"', b'stArea:x="nan"')):
        (region,) = read_sidecar(DIGIKAM.replace(found, wrong)).regions
        assert region.name == "Oma & Opa"
        assert region.box is None


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, Box(0.1, 0.2, 0.2, 0.4)),
        (3, Box(0.7, 0.4, 0.2, 0.4)),
        (6, Box(0.2, 0.7, 0.4, 0.2)),
        (8, Box(0.4, 0.1, 0.4, 0.2)),
        (99, Box(0.1, 0.2, 0.2, 0.4)),
    ],
)
def test_a_box_is_written_where_it_lies_in_the_stored_picture(orientation: int, stored: Box) -> None:
    assert close(as_stored(Box(0.1, 0.2, 0.2, 0.4), orientation), stored)
    assert close(as_upright(stored, orientation), Box(0.1, 0.2, 0.2, 0.4))


def test_width_and_height_are_those_of_the_stored_picture() -> None:
    assert [stored_size(30, 40, orientation) for orientation in (1, 3, 6, 8)] == [
        (30, 40),
        (30, 40),
        (40, 30),
        (40, 30),
    ]


def test_boxes_are_cut_at_the_edge_of_the_picture() -> None:
    assert close(within(Box(-0.1, 0.5, 0.3, 0.7)), Box(0, 0.5, 0.2, 0.5))
    assert within(Box(1.2, 0.5, 0.3, 0.7)).w == 0
