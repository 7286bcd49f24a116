"""OCS: status, capabilities, the current user, app passwords and shares."""

import json

from werkzeug.wrappers import Request, Response

from tests.fakes.nextcloud.answers import NO_STORE, Part, Serving, json_answer


def ocs(data: object, status: int = 200, message: str = "OK") -> Response:
    """The envelope of every OCS answer."""
    meta = {"status": "ok" if status == 200 else "failure", "statuscode": status, "message": message}
    return json_answer(json.dumps({"ocs": {"meta": meta, "data": data}}), status)


def status(server: Serving, request: Request, user: str) -> Response:
    body = {
        "installed": True,
        "maintenance": server.maintenance,
        "needsDbUpgrade": False,
        "version": f"{server.version}.1.10.0",
        "versionstring": f"{server.version}.1.10",
        "edition": "",
        "productname": "Nextcloud",
        "extendedSupport": False,
    }
    answer = Response(json.dumps(body), content_type="application/json")
    answer.headers.update({"Cache-Control": NO_STORE, "X-Frame-Options": "SAMEORIGIN"})
    return answer


def capabilities(server: Serving, request: Request, user: str) -> Response:
    version = {"major": server.version, "minor": 1, "micro": 10, "string": f"{server.version}.1.10", "edition": ""}
    version["extendedSupport"] = False
    known = {
        "core": {"pollinterval": 60, "webdav-root": "remote.php/webdav"},
        "bruteforce": {"delay": 0, "allow-listed": True},
        "files": {"bigfilechunking": True, "undelete": True, "versioning": True},
        "dav": {"chunking": "1.0", "bulkupload": "1.0"},
        "theming": {"name": "Nextcloud"},
    }
    answer = ocs({"version": version, "capabilities": known})
    answer.add_etag()
    return answer


def current_user(server: Serving, request: Request, user: str) -> Response:
    return ocs({"id": user, "displayname": user, "display-name": user, "email": None, "groups": [], "language": "en"})


def new_app_password(server: Serving, request: Request, user: str) -> Response:
    login = request.authorization
    if login is not None and login.password in server.cloud.users[user].app_passwords:
        return ocs([], 403, "You cannot request an new apppassword with an apppassword")
    return ocs({"apppassword": server.cloud.app_password(user)})


def app_password(server: Serving, request: Request, user: str) -> Response:
    """DELETE ends the app password it is called with."""
    login = request.authorization
    known = server.cloud.users[user].app_passwords
    if request.method != "DELETE" or login is None or known.pop(login.password or "", None) is None:
        return ocs([], 403, "no app password in use")
    return ocs([])


def shares(server: Serving, request: Request, user: str) -> Response:
    if request.method != "POST":
        return ocs([], 405, "Method not allowed")
    form = request.form
    share = server.cloud.share(user, form["path"], form["shareWith"], int(form.get("permissions", "1")))
    return ocs(
        {
            "id": str(share.id),
            "share_type": 0,
            "uid_owner": user,
            "permissions": share.permissions,
            "uid_file_owner": share.node.owner,
            "path": f"/{share.node.path}",
            "item_type": "folder" if share.node.is_folder else "file",
            "item_source": share.node.id,
            "file_source": share.node.id,
            "file_target": f"/{share.target}",
            "share_with": share.receiver,
        }
    )


def unknown(server: Serving, request: Request, user: str) -> Response:
    """An app that is not there."""
    body = (
        '<?xml version="1.0"?>\n<ocs>\n <meta>\n  <status>failure</status>\n  <statuscode>404</statuscode>\n'
        "  <message>Invalid query, please check the syntax.</message>\n </meta>\n <data/>\n</ocs>\n"
    )
    answer = Response(body, 404, content_type="text/xml; charset=UTF-8")
    answer.headers.update({"Cache-Control": NO_STORE, "X-Frame-Options": "SAMEORIGIN"})
    return answer


PARTS = [
    Part("/status.php", status, public=True),
    Part("/ocs/v2.php/", unknown),
    Part("/ocs/v2.php/cloud/capabilities", capabilities),
    Part("/ocs/v2.php/cloud/user", current_user),
    Part("/ocs/v2.php/core/getapppassword", new_app_password),
    Part("/ocs/v2.php/core/apppassword", app_password),
    Part("/ocs/v2.php/apps/files_sharing/api/v1/shares", shares),
]
