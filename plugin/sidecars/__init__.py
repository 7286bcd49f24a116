"""PURE: face regions in XMP sidecar files (`photo.jpg.xmp`), read and edited without disturbing what others wrote.

`places` where a box lies in the stored picture · `tree` XML with the place of every element · `regions` what a sidecar
says · `editing` put and take our own. After the Metadata Working Group's guidelines 2.0, section 5.9 (MWG-RS): a region
is a centre and a size in fractions of the picture as it is *stored*, before the EXIF orientation is applied.
"""

from plugin.sidecars.editing import edited, sayable
from plugin.sidecars.places import as_stored, as_upright
from plugin.sidecars.regions import Region, Sidecar, read_sidecar

__all__ = ["Region", "Sidecar", "as_stored", "as_upright", "edited", "read_sidecar", "sayable"]
