"""A Nextcloud in memory, served on loopback: what Kinfolk uses of it, and knobs for what real servers do wrong.

`cloud` is the state and what users do; `server` serves it; one file per part: `dav`, `ocs`, `previews`, `login_flow`,
`tags`. It behaves as the recordings of Nextcloud 27 say (`tests/unit/test_fake_nextcloud_recordings.py`).
"""

from tests.fakes.nextcloud.cloud import Cloud, Node, Share
from tests.fakes.nextcloud.server import FakeNextcloud

__all__ = ["Cloud", "FakeNextcloud", "Node", "Share"]
