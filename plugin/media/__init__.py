"""Decoding photos and videos into upright pictures, and cutting thumbnails.

Start in `standard.py` (the port), then `photos.py` and `videos.py`; the other files are the steps these two take.
"""

from plugin.media.limits import DecodeLimits
from plugin.media.standard import StandardMedia

__all__ = ["DecodeLimits", "StandardMedia"]
