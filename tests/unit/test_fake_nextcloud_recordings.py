"""The fake Nextcloud answers what a real Nextcloud 27.1.10 answered: every recorded request is sent to it."""

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import requests
from defusedxml.ElementTree import fromstring
from PIL import Image

from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.nextcloud.cloud import Tag

RECORDINGS = Path(
    os.environ.get("KINFOLK_RECORDINGS", Path(__file__).parents[3] / "shared" / "recordings" / "nextcloud-27")
)
ALSO = Path(__file__).parents[4] / "shared" / "recordings" / "nextcloud-27"
"""Where the recordings lie when this tree is a worktree beside the others."""

PASSWORDS = {"basic alice": ("alice", "secret"), "basic bob": ("bob", "secret"), "basic admin": ("admin", "secret")}

RELIED_ON = ("content-type", "content-location", "oc-fileid", "www-authenticate", "x-frame-options")
"""Headers whose value must be the same; ETags and dates are only compared by presence."""

PRESENT = ("etag", "oc-etag", "last-modified")

VOLATILE = {"{DAV:}getetag", "{DAV:}getlastmodified", "{http://nextcloud.org/ns}upload_time"}
TEXTS_OF_ERRORS = {"{http://sabredav.org/ns}message", "message"}
TRASH_TIME = re.compile(r"\.d\d{10}")


def recordings() -> list[dict[str, Any]]:
    folder = RECORDINGS if RECORDINGS.is_dir() else ALSO
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


@pytest.fixture(scope="module")
def replayed() -> Iterator[list[tuple[dict[str, Any], requests.Response]]]:
    """Every recorded exchange beside what the fake said, sent in the recorded order."""
    exchanges = recordings()
    if not exchanges:
        pytest.skip("no recordings beside the repository (KINFOLK_RECORDINGS names their folder)")
    with FakeNextcloud() as server, requests.Session() as session:
        prepare(server)
        yield [(exchange, replay(server, session, exchange)) for exchange in exchanges]


def prepare(server: FakeNextcloud) -> None:
    """The users and tags that were there before the first recorded request."""
    cloud = server.cloud
    cloud.add_user("alice")
    cloud.next_id = 60
    cloud.add_user("bob")
    cloud.add_user("admin", is_admin=True)
    cloud.next_id = 61
    for name in ("Person: Anna", "Person: Bob"):
        tag = next(cloud.tag_ids)
        cloud.tags[tag] = Tag(tag, name)


def replay(server: FakeNextcloud, session: requests.Session, exchange: dict[str, Any]) -> requests.Response:
    request, title = exchange["request"], exchange["title"]
    if "shares a folder" in title:
        prepare_party(server)
    path = request["path"]
    headers = dict(request["headers"])
    if "Destination" in headers:
        headers["Destination"] = headers["Destination"].replace("https://cloud.example", server.address)
    if "If-None-Match" in headers:
        headers["If-None-Match"] = f'"{server.cloud.find("alice", "Photos/one.jpg").etag}"'
    login = PASSWORDS.get(request["auth"]) or (("alice", "wrong") if request["auth"] else None)
    return session.request(
        request["method"],
        server.address + path,
        data=body_of(request),
        headers=headers,
        auth=login,
        allow_redirects=False,
        timeout=20,
    )


def prepare_party(server: FakeNextcloud) -> None:
    """What was uploaded between two recorded requests."""
    server.cloud.next_id = 93
    server.cloud.mkdir("bob", "Party")
    server.cloud.put("bob", "Party/p.jpg", b"x" * 5599)


def body_of(request: dict[str, Any]) -> bytes | None:
    body = request["body"]
    if isinstance(body, dict):  # only its length was kept
        return picture(request["path"], body["length"])
    return body.encode() if body is not None else None


def picture(path: str, length: int) -> bytes:
    """A picture (or a broken one) of exactly this length."""
    encoded = io.BytesIO()
    if "broken" not in path and not path.endswith(".txt"):
        Image.new("RGB", (64, 48), "teal").save(encoded, "PNG" if path.endswith("png") else "JPEG")
    return encoded.getvalue().ljust(length, b"\0")[:length]


def test_there_is_an_answer_to_every_recording(replayed: list[tuple[dict[str, Any], requests.Response]]) -> None:
    assert len(replayed) >= 53


def test_every_status_is_the_recorded_one(replayed: list[tuple[dict[str, Any], requests.Response]]) -> None:
    recorded = {exchange["title"]: exchange["response"]["status"] for exchange, _ in replayed}
    assert {exchange["title"]: answer.status_code for exchange, answer in replayed} == recorded


def test_the_headers_we_rely_on_are_the_recorded_ones(
    replayed: list[tuple[dict[str, Any], requests.Response]],
) -> None:
    def relied_on(headers: Any) -> dict[str, object]:
        found: dict[str, object] = {name: headers[name] for name in RELIED_ON if name in headers}
        return found | {name: "present" for name in PRESENT if name in headers}

    for exchange, answer in replayed:
        title = exchange["title"]
        assert relied_on({k.lower(): v for k, v in answer.headers.items()}) == relied_on(
            exchange["response"]["headers"]
        ), title


def test_every_xml_document_has_the_recorded_structure(
    replayed: list[tuple[dict[str, Any], requests.Response]],
) -> None:
    compared = 0
    for exchange, answer in replayed:
        recorded = exchange["response"]["body"]
        if isinstance(recorded, str) and recorded.startswith("<?xml"):
            assert shape(fromstring(answer.content)) == shape(fromstring(recorded)), exchange["title"]
            compared += 1
    assert compared > 20


def shape(element: Element) -> tuple[str, str, list[Any]]:
    """Names, order and values; what differs from run to run only by whether it is there."""
    text = (element.text or "").strip()
    if element.tag in VOLATILE | TEXTS_OF_ERRORS or element.tag.endswith("deletion-time"):
        text = "…" if text else ""
    if element.tag.endswith("permissions") and text.startswith("S"):
        text = text.replace("NV", "")  # of a mounted share, the real one says it below the root only
    children = [shape(child) for child in element]
    if element.tag == "{DAV:}multistatus":
        children.sort(key=lambda response: str(response[2][0]))  # no order is promised
    return element.tag, TRASH_TIME.sub(".d…", text), children


def test_every_json_document_has_what_we_read(replayed: list[tuple[dict[str, Any], requests.Response]]) -> None:
    compared = 0
    for exchange, answer in replayed:
        recorded = exchange["response"]["body"]
        if isinstance(recorded, str) and recorded.startswith(("{", "[")):
            assert_has(answer.json(), json.loads(recorded), exchange["title"])
            compared += 1
    assert compared > 8


def assert_has(ours: Any, recorded: Any, where: str) -> None:
    """Whatever the fake answers has the recorded type; it may leave out what Kinfolk does not read."""
    assert type(ours) is type(recorded), where
    if isinstance(ours, dict):
        assert set(ours) <= set(recorded), where
        for name in ours:
            if recorded[name] is not None and ours[name] is not None:
                assert_has(ours[name], recorded[name], f"{where}: {name}")


def test_pictures_are_previews_and_originals(replayed: list[tuple[dict[str, Any], requests.Response]]) -> None:
    binary = [(e, r) for e, r in replayed if isinstance(e["response"]["body"], dict)]
    assert len(binary) >= 3
    for exchange, answer in binary:
        if "original" in exchange["title"]:
            assert len(answer.content) == exchange["response"]["body"]["length"]
        else:
            assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
