"""Where templates and static files lie: inside the package in a wheel, beside it in a checkout.

`importlib.resources` and Jinja's `PackageLoader` look only inside the package, so they fail in an editable install.
"""

from pathlib import Path

import plugin


def resource_folder(name: str) -> Path:
    """The folder `templates` or `static`.

    Raises:
        FileNotFoundError: it is in neither place; the installation is broken.
    """
    package = Path(plugin.__file__).resolve().parent
    for folder in (package / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the folder {name!r} is neither inside nor beside {package}")
