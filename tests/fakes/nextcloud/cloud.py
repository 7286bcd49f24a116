"""The state of a fake Nextcloud: users, files, shares, trash and tags, and what users do with them.

As on a real one: ids are numbers that survive a rename and the trash; every change alters the ETag of all folders above
it, for those it is shared with, too; a rename keeps the ETag of the file.
"""

import hashlib
import itertools
import mimetypes
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

RAW = {"dng": "image/x-dcraw", "nef": "image/x-dcraw", "cr2": "image/x-dcraw"}
EXTRA_TYPES = {"heic": "image/heic", "webp": "image/webp", "mov": "video/quicktime", **RAW}


@dataclass(slots=True)
class Node:
    """A file, or a folder when `children` is a dictionary."""

    id: int
    name: str
    owner: str
    parent: "Node | None"
    mtime: int
    uploaded: int
    etag: str
    children: "dict[str, Node] | None" = None
    data: bytes = b""
    mime: str = ""
    locked: bool = False
    taken: int | None = None

    @property
    def is_folder(self) -> bool:
        return self.children is not None

    @property
    def path(self) -> str:
        """From the owner's root, "" for the root itself."""
        if self.parent is None:
            return ""
        above = self.parent.path
        return f"{above}/{self.name}" if above else self.name

    def above(self) -> "Iterator[Node]":
        """The node itself and every folder it is in."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent


@dataclass(slots=True)
class Share:
    """A node shared with another user, who sees it under `target` in their root."""

    id: int
    node: Node
    owner: str
    receiver: str
    target: str
    permissions: int


@dataclass(slots=True)
class Trashed:
    """A deleted node, and where it was."""

    node: Node
    name: str
    location: str
    deleted: int


@dataclass(slots=True)
class Tag:
    """A system tag; the whole instance shares them."""

    id: int
    name: str
    visible: bool = True
    assignable: bool = True


@dataclass(slots=True)
class User:
    """Somebody with files. `app_passwords`: password -> name of the client."""

    name: str
    password: str
    root: Node
    is_admin: bool = False
    app_passwords: dict[str, str] = field(default_factory=dict)
    trash: dict[str, Trashed] = field(default_factory=dict)


class CloudError(Exception):
    """What the server answers with this status."""

    def __init__(self, status: int, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class Cloud:
    """Everything the fake knows. Methods that change something are what users do beside Kinfolk.

    Attributes:
        clock: seconds since 1970 as this server sees them; set it to be skewed.
        next_id: the next file id.
        free_bytes: an upload of more is refused with 507.
        team_folders: users who stand for the storage of a Team folder or an external one: what is shared from there
            is owned by whoever asks, as `getOwner` of such storages says.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clock = 1_795_458_848
        self.next_id = 40
        self.free_bytes = 70_000_000_000
        self.users: dict[str, User] = {}
        self.team_folders: set[str] = set()
        self.shares: list[Share] = []
        self.tags: dict[int, Tag] = {}
        self.previews: dict[str, bytes] = {}
        self.assigned: set[tuple[int, int]] = set()  # (file id, tag id)
        self.nodes: dict[int, Node] = {}
        self._share_ids = itertools.count(1)
        self.tag_ids = itertools.count(1)

    def add_user(self, name: str, password: str = "secret", *, is_admin: bool = False) -> User:
        """A user with an empty home."""
        root = self._node("", name, None, folder=True)
        self.users[name] = User(name, password, root, is_admin)
        return self.users[name]

    def app_password(self, user: str, client: str = "Kinfolk") -> str:
        """A new app password of this user."""
        password = secrets.token_urlsafe(54)
        self.users[user].app_passwords[password] = client
        return password

    def revoke(self, user: str) -> None:
        """The user removes every app password."""
        self.users[user].app_passwords.clear()

    def accepts(self, user: str, password: str) -> bool:
        known = self.users.get(user)
        return known is not None and (password == known.password or password in known.app_passwords)

    # Files as a user sees them: paths from their root, shares mounted in it.

    def find(self, user: str, path: str) -> Node:
        """Raises `CloudError` 404."""
        node: Node = self.users[user].root
        parts = [part for part in path.split("/") if part]
        for position, part in enumerate(parts):
            found = self.children(user, node).get(part)
            if found is None:
                raise CloudError(404, f"File with name {'/'.join(['/', *parts[: position + 1]])} could not be located")
            node = found
        return node

    def children(self, user: str, node: Node) -> dict[str, Node]:
        """What the folder holds for this user, mounted shares included."""
        if node.children is None:
            return {}
        if node is self.users[user].root:
            mounted = {share.target: share.node for share in self.shares if share.receiver == user}
            return node.children | mounted if mounted else node.children
        return node.children

    def etag(self, user: str, node: Node) -> str:
        """A root with shares mounted in it mixes their ETags into its own, so a change in a share shows."""
        if node is self.users[user].root:
            mounted = [share.node.etag for share in self.shares if share.receiver == user]
            if mounted:
                return hashlib.md5("::".join([node.etag, *mounted]).encode()).hexdigest()
        return node.etag

    def sees(self, user: str, node_id: int) -> Node | None:
        """The node when the user owns it or it is shared with them, and it is not in the trash."""
        node = self.nodes.get(node_id)
        if node is None:
            return None
        above = list(node.above())
        if above[-1] is self.users[user].root:
            return node
        shared = any(share.receiver == user and share.node in above for share in self.shares)
        return node if shared and above[-1].parent is None and above[-1].name == "" else None

    def seen_path(self, user: str, node: Node) -> str | None:
        """Where the user sees the node, from their root."""
        parts: list[str] = []
        for place in node.above():
            for share in self.shares:
                if share.receiver == user and share.node is place:
                    return "/".join([share.target, *reversed(parts)])
            if place is self.users[user].root:
                return "/".join(reversed(parts))
            parts.append(place.name)
        return None

    def mkdir(self, user: str, path: str) -> Node:
        """Raises `CloudError` 405 when it is there already, 409 without a parent."""
        with self.lock:
            parent, name = self._parent(user, path)
            if name in self.children(user, parent):
                raise CloudError(405, "The resource you tried to create already exists")
            node = self._node(name, parent.owner, parent, folder=True)
            self._changed(parent)
            return node

    def put(self, user: str, path: str, data: bytes, mtime: int | None = None, *, parents: bool = False) -> Node:
        """Create or overwrite; `parents` makes missing folders as well."""
        with self.lock:
            self.clock += 1
            if parents:
                self._make_parents(user, path)
            parent, name = self._parent(user, path)
            node = self.children(user, parent).get(name)
            if node is None:
                node = self._node(name, parent.owner, parent)
            node.data, node.mtime, node.uploaded = data, mtime or self.clock, self.clock
            node.mime, node.etag = mime_of(name), secrets.token_hex(16)
            self._changed(parent)
            return node

    def move(self, user: str, old: str, new: str) -> Node:
        """Rename or move; the id and the ETag stay. Overwrites."""
        with self.lock:
            node = self.find(user, old)
            for share in self.shares:
                if share.receiver == user and share.node is node:
                    share.target = new.strip("/")
                    self._changed(self.users[user].root)
                    return node
            parent, name = self._parent(user, new)
            former = node.parent
            assert former is not None
            assert former.children is not None
            assert parent.children is not None
            del former.children[node.name]
            node.name, node.parent = name, parent
            parent.children[name] = node
            self._changed(former)
            self._changed(parent)
            return node

    def delete(self, user: str, path: str) -> None:
        """Into the trash of the owner; a mounted share is only unmounted."""
        with self.lock:
            node = self.find(user, path)
            mounted = [share for share in self.shares if share.receiver == user and share.node is node]
            if mounted:
                self.shares.remove(mounted[0])
                self._changed(self.users[user].root)
                return
            location, parent = node.path, node.parent
            assert parent is not None
            assert parent.children is not None
            del parent.children[node.name]
            node.parent = None
            self.clock += 1
            name = f"{node.name}.d{self.clock}"
            self.users[node.owner].trash[name] = Trashed(node, node.name, location, self.clock)
            self._changed(parent)

    def restore(self, user: str, name: str) -> Node:
        """Out of the trash to where it was; `name` as the trash shows it, or the original name."""
        with self.lock:
            trash = self.users[user].trash
            key = name if name in trash else next(k for k, item in trash.items() if item.name == name)
            item = trash.pop(key)
            self._make_parents(user, item.location)
            parent, last = self._parent(user, item.location)
            assert parent.children is not None
            item.node.name, item.node.parent = last, parent
            parent.children[last] = item.node
            self._changed(parent)
            return item.node

    def empty_trash(self, user: str) -> None:
        for item in self.users[user].trash.values():
            self.nodes.pop(item.node.id, None)
        self.users[user].trash.clear()

    def share(self, owner: str, path: str, receiver: str, permissions: int = 1) -> Share:
        """The receiver sees it in their root under its name."""
        with self.lock:
            node = self.find(owner, path)
            share = Share(next(self._share_ids), node, owner, receiver, node.name, permissions)
            self.shares.append(share)
            self._changed(self.users[receiver].root)
            return share

    def unshare(self, share: Share) -> None:
        with self.lock:
            self.shares.remove(share)
            self._changed(self.users[share.receiver].root)

    def _make_parents(self, user: str, path: str) -> None:
        parts = path.strip("/").split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            above = "/".join(parts[:depth])
            try:
                self.find(user, above)
            except CloudError:
                self.mkdir(user, above)

    def _parent(self, user: str, path: str) -> tuple[Node, str]:
        above, _, name = path.strip("/").rpartition("/")
        try:
            parent = self.find(user, above)
        except CloudError:
            raise CloudError(409, "Parent node does not exist") from None
        if not parent.is_folder or not name:
            raise CloudError(409, "Parent node does not exist")
        return parent, name

    def _node(self, name: str, owner: str, parent: Node | None, *, folder: bool = False) -> Node:
        children: dict[str, Node] | None = {} if folder else None
        node = Node(
            self.next_id, name, owner, parent, self.clock, self.clock, secrets.token_hex(7)[:13], children=children
        )
        self.next_id += 1
        self.nodes[node.id] = node
        if parent is not None and parent.children is not None:
            parent.children[name] = node
        return node

    def _changed(self, folder: Node) -> None:
        """Alter the ETags up to the root."""
        for node in folder.above():
            node.etag, node.mtime = secrets.token_hex(7)[:13], self.clock


def mime_of(name: str) -> str:
    """What Nextcloud would say, by the ending."""
    ending = name.rpartition(".")[2].lower()
    return EXTRA_TYPES.get(ending) or mimetypes.guess_type(f"x.{ending}")[0] or "application/octet-stream"
