"""Settings in, running parts out: the only place that chooses adapters.

`data_folder` what lies where and who holds it · `kinfolk` the parts · `serving` web and workers around them.
"""

from plugin.assemble.kinfolk import Kinfolk, open_kinfolk, restore
from plugin.assemble.serving import run_worker, serve

__all__ = ["Kinfolk", "open_kinfolk", "restore", "run_worker", "serve"]
