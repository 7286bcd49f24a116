"""DAV properties of files and folders, as one user sees them."""

from werkzeug.http import http_date

from tests.fakes.nextcloud.cloud import Cloud, Node
from tests.fakes.nextcloud.previews import WITH_PREVIEW

DAV, OC, NC = "{DAV:}", "{http://owncloud.org/ns}", "{http://nextcloud.org/ns}"


def value(cloud: Cloud, user: str, node: Node, name: str) -> str | None:
    """The property as text (or as markup), None where this node has none."""
    if name.startswith(DAV):
        return _standard(cloud, user, node, name.removeprefix(DAV))
    if name.startswith(OC):
        return _owncloud(cloud, user, node, name.removeprefix(OC))
    if name.startswith(NC):
        return _nextcloud(node, name.removeprefix(NC))
    return None


def _standard(cloud: Cloud, user: str, node: Node, name: str) -> str | None:
    if name in ("getcontenttype", "getcontentlength") and node.is_folder:
        return None
    known = {
        "resourcetype": "<d:collection/>" if node.is_folder else "",
        "getetag": f'"{cloud.etag(user, node)}"',
        "getlastmodified": http_date(node.mtime),
        "displayname": node.name,
        "getcontenttype": node.mime,
        "getcontentlength": str(len(node.data)),
    }
    return known.get(name)


def _owncloud(cloud: Cloud, user: str, node: Node, name: str) -> str | None:
    match name:
        case "fileid":
            return str(node.id)
        case "id":
            return oc_id(node)
        case "owner-id":
            return user if node.owner in cloud.team_folders else node.owner
        case "size":
            return str(len(node.data))
        case "permissions":
            return permissions(cloud, user, node)
    return None


def _nextcloud(node: Node, name: str) -> str | None:
    match name:
        case "has-preview":
            return "true" if node.mime in WITH_PREVIEW else "false"
        case "upload_time":
            return None if node.is_folder else str(node.uploaded)
        case "metadata-photos-original_date_time":
            return str(node.taken) if node.taken is not None else None
    return None


def permissions(cloud: Cloud, user: str, node: Node) -> str:
    """R share, G read, D delete, N rename, V move, W write or C K create; S: shared with this user."""
    if node.owner == user:
        return "RGDNVCK" if node.is_folder else "RGDNVW"
    share = next(share for share in cloud.shares if share.receiver == user and share.node in list(node.above()))
    mounted = "DNV" if share.node is node else ""
    writes = ("NVCK" if node.is_folder else "NVW") if share.permissions & 2 else ""
    return f"SG{mounted}{writes}"


def oc_id(node: Node) -> str:
    """The id with the id of the instance."""
    return f"{node.id:08d}oc8rzwkqjhap"
