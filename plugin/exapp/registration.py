"""Kinfolk in Nextcloud's menus: registered when an administrator enables the app, taken away when it is disabled.

AppAPI replaces what has the same name, so registering twice is the same as once.
"""

from plugin.errors import AssetGone
from plugin.exapp.nextcloud import AppNextcloud

API = "/ocs/v1.php/apps/app_api/api"

PAGE = "people"
"""The name of the page: `/index.php/apps/app_api/embedded/kinfolk/people/...`."""

ICON = "static/img/nextcloud.svg"
SCRIPT, STYLE = "static/js/embedded", "static/css/embedded"
"""Without their endings, as AppAPI wants them."""

READ = 1

ENTRIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("v1/ui/top-menu", {"name": PAGE, "displayName": "People", "icon": ICON, "adminRequired": 0}),
    ("v1/ui/script", {"type": "top_menu", "name": PAGE, "path": SCRIPT, "afterAppId": ""}),
    ("v1/ui/style", {"type": "top_menu", "name": PAGE, "path": STYLE}),
    (
        "v2/ui/files-actions-menu",
        {
            "name": "people_in_photo",
            "displayName": "People in this photo",
            "actionHandler": "nextcloud/photo",
            "icon": ICON,
            "mime": "image,video",
            "permissions": READ,
            "order": 50,
        },
    ),
)


def register(nextcloud: AppNextcloud) -> None:
    """Menu, script, style and file action. Raises `HostError`."""
    for path, entry in ENTRIES:
        nextcloud.ocs("POST", f"{API}/{path}", entry)


def unregister(nextcloud: AppNextcloud) -> None:
    """Take all of it away; what is not there is no error. Raises `HostError`."""
    for path, entry in ENTRIES:
        query = {name: str(value) for name, value in entry.items() if name in {"type", "name", "path"}}
        try:
            nextcloud.ocs("DELETE", f"{API}/{path.replace('v2/', 'v1/')}", query=query)
        except AssetGone:
            continue
