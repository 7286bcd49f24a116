"""What `webhook_listeners` sends when a user changes files (Nextcloud 30 to 34, from its documentation and source)."""

import json
from typing import Any

from tests.fakes.nextcloud.answers import Part, Serving
from tests.fakes.nextcloud.app_api import AppCloud, ocs

API = "/ocs/v2.php/apps/webhook_listeners/api/v1/webhooks"


def payload(kind: str, path: str = "", *, user: str = "anna", node_id: int | None = 437, **nodes: Any) -> bytes:
    """The body of one call; `node_id` None as for files that are gone."""
    node: dict[str, Any] = {"path": path} if node_id is None else {"id": node_id, "path": path}
    event = {"class": f"OCP\\Files\\Events\\Node\\{kind}", **(nodes or {"node": node})}
    said = {"event": event, "user": {"uid": user, "displayName": user.title()}, "time": 1700100000}
    return json.dumps(said).encode()


def upload(path: str, user: str = "anna") -> list[bytes]:
    """One upload tells three times."""
    return [payload(kind, path, user=user) for kind in ("NodeCreatedEvent", "NodeWrittenEvent", "NodeTouchedEvent")]


def rename(source: str, target: str, user: str = "anna", node_id: int = 437) -> bytes:
    """The source has no id any more."""
    return payload("NodeRenamedEvent", user=user, source={"path": source}, target={"id": node_id, "path": target})


def part(hooks: AppCloud, admins: set[str]) -> Part:
    """The OCS API for `FakeNextcloud.parts`: administrators only."""

    def handler(_server: Serving, request: Any, user: str) -> Any:
        if user not in admins:
            return ocs([], 403, "Logged in account must be an admin")
        return hooks._hook(request, request.path, request.get_json(silent=True) or {})

    return Part(API, handler)
