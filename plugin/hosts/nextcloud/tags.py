"""System tags: https://docs.nextcloud.com/server/latest/developer_manual/client_apis/WebDAV/ (section system tags).

A tag belongs to the whole instance: everybody sees its name. Only administrators may delete one (from version 13 on).
"""

import json

from plugin.errors import AssetGone, HostError, HostUnreachable, WriteRefused
from plugin.hosts.network.bodies import chunks
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.multistatus import NC, OC, ChunkStream, DavEntry, entries
from plugin.ports.writing import Label

TAGS = "/remote.php/dav/systemtags/"
RELATIONS = "/remote.php/dav/systemtags-relations/files/"

DECLARED = 'xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns"'
OF_A_TAG = "<oc:id/><oc:display-name/><oc:user-visible/><oc:can-assign/>"
OF_ITS_FILES = "<nc:object-ids/>"


class Tags:
    """The tags one user can see, and those of one user's files.

    Args:
        client: logged in.
    """

    def __init__(self, client: NextcloudClient) -> None:
        self._client = client

    def all(self) -> list[Label]:
        """Those this user may put on files."""
        return [_label(found) for found in self._listed(TAGS) if found.props.get(f"{OC}can-assign") != "false"]

    def of(self, file_id: str) -> list[Label]:
        """Those a file carries. Raises `AssetGone`."""
        return [_label(found) for found in self._listed(RELATIONS + _number(file_id))]

    def make(self, name: str) -> Label | None:
        """None when there is one of this name. Raises `WriteRefused` where only administrators may."""
        body = json.dumps({"name": name, "userVisible": True, "userAssignable": True})
        headers = {"Content-Type": "application/json"}
        with self._client.request("POST", TAGS, body=body, headers=headers, accept=(201, 403, 409)) as response:
            if response.status_code == 409:
                return None
            if response.status_code == 403:
                raise _forbidden("Nextcloud lets only administrators make tags")
            tag_id = response.headers.get("Content-Location", "").rpartition("/")[2]
        if not tag_id.isdecimal():
            raise HostUnreachable("Nextcloud made a tag and did not say which", "It is tried again")
        return Label(tag_id, name)

    def assign(self, file_id: str, tag_id: str) -> None:
        """409 means that the file carries it already [tested]. Raises `AssetGone`, also when the tag is gone."""
        self._change("PUT", file_id, tag_id, (201, 409, 403))

    def unassign(self, file_id: str, tag_id: str) -> None:
        """404 means that it does not carry it (any more), or that file or tag are gone: all the same here."""
        self._change("DELETE", file_id, tag_id, (204, 404, 403))

    def remove(self, tag_id: str) -> bool:
        """Only when the server says that no file of anybody carries it (version 31), and lets this user."""
        if not self._unused(tag_id):
            return False
        with self._client.request("DELETE", TAGS + _number(tag_id), accept=(204, 403, 404)) as response:
            return response.status_code != 403

    def _unused(self, tag_id: str) -> bool:
        try:
            (found,) = self._entries(f"{TAGS}{_number(tag_id)}/files", "0", OF_ITS_FILES)
        except (AssetGone, ValueError):
            return False  # an older server: nobody can tell
        return found.props.get(f"{NC}object-ids") == ""

    def _change(self, method: str, file_id: str, tag_id: str, accept: tuple[int, ...]) -> None:
        path = f"{RELATIONS}{_number(file_id)}/{_number(tag_id)}"
        with self._client.request(method, path, accept=accept) as response:
            if response.status_code == 403:
                raise _forbidden("This user may not change the tags of this file")

    def _listed(self, path: str) -> list[DavEntry]:
        found = self._entries(path, "1", OF_A_TAG)
        return [entry for entry in found if f"{OC}id" in entry.props and _visible(entry)]

    def _entries(self, path: str, depth: str, props: str) -> list[DavEntry]:
        body = f'<?xml version="1.0"?><d:propfind {DECLARED}><d:prop>{props}</d:prop></d:propfind>'
        headers = {"Content-Type": "application/xml; charset=utf-8", "Depth": depth}
        with self._client.request("PROPFIND", path, body=body, headers=headers, accept=(207,)) as response:
            return list(entries(ChunkStream(chunks(response, self._client.limits.listing_bytes, self._client.words))))


def _visible(entry: DavEntry) -> bool:
    return entry.props.get(f"{OC}user-visible") != "false"


def _label(entry: DavEntry) -> Label:
    return Label(entry.props[f"{OC}id"], entry.props.get(f"{OC}display-name", ""))


def _number(number: str) -> str:
    if not (number.isascii() and number.isdecimal()):
        raise AssetGone("There is no such photo")
    return number


def _forbidden(message: str) -> HostError:
    return WriteRefused(message, "Ask the administrator of the Nextcloud")
