"""The fake PhotoPrism says what PhotoPrism's API description says, and Kinfolk asks what is described there."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from PIL import Image

from plugin.domain import HostAsset
from plugin.hosts.network.login import Login
from plugin.hosts.photoprism.client import PhotoPrismClient
from plugin.hosts.photoprism.host import PhotoPrismHost
from plugin.hosts.photoprism.options import PhotoPrismOptions
from tests.fakes.photoprism import FakePhotoPrism
from tests.fakes.photoprism.description import description

UNDESCRIBED = {"primary", "t"}
"""Parameters PhotoPrism's own pages use, and its sources have (`form.SearchPhotos`, `api.InvalidDownloadToken`)."""


@pytest.fixture
def server() -> Iterator[FakePhotoPrism]:
    with FakePhotoPrism() as running:
        out = io.BytesIO()
        Image.new("RGB", (900, 600), "red").save(out, "JPEG")
        running.library.put("2024/a.jpg", out.getvalue())
        running.library.put("2024/swim.mp4", b"film")
        stacked = running.library.put("2024/stack.jpg", b"no picture")
        running.library.stack(stacked, "2024/stack.dng", b"raw")
        running.library.put("old.jpg", b"archived")
        running.library.archive("old.jpg")
        yield running


def asked(server: FakePhotoPrism, token: str, path: str, **query: str) -> requests.Response:
    address = f"{server.address}/api/v1{path}"
    return requests.get(address, params=query, headers={"X-Auth-Token": token}, timeout=10)


def test_the_answers_are_as_described(server: FakePhotoPrism) -> None:
    # A body that is a file has no schema to hold it to, and PhotoPrism describes a JPEG where it sends an icon.
    schema: Any = schemathesis.openapi.from_dict(description())
    token, poor = server.library.token(), server.library.token(scope="metrics")
    photo = server.library.found("2024/a.jpg")
    listing = {"count": "2", "offset": "0", "merged": "true", "primary": "true", "quality": "3", "order": "added"}
    checked = [
        ("/api/v1/config", asked(server, token, "/config"), 200),
        ("/api/v1/config", asked(server, "", "/config"), 200),
        ("/api/v1/photos", asked(server, token, "/photos", **listing), 200),
        ("/api/v1/photos", asked(server, token, "/photos", count="9", quality="0", q=f"uid:{photo.uid}"), 200),
        ("/api/v1/photos", asked(server, token, "/photos", quality="0"), 400),
        ("/api/v1/photos", asked(server, "wrong", "/photos", **listing), 401),
        ("/api/v1/photos", asked(server, poor, "/photos", **listing), 403),
    ]
    for path, response, status in checked:
        assert response.status_code == status
        schema[path]["GET"].validate_response(response)


def test_an_answer_that_is_not_as_described_would_be_noticed(server: FakePhotoPrism) -> None:
    schema: Any = schemathesis.openapi.from_dict(description())
    response = asked(server, server.library.token(), "/photos", count="9", quality="0")
    rows = response.json()
    rows[0]["UID"] = 7
    response._content = json.dumps(rows).encode()
    with pytest.raises(BaseException, match="UID"):
        schema["/api/v1/photos"]["GET"].validate_response(response)


def test_kinfolk_asks_only_what_is_described(server: FakePhotoPrism) -> None:
    described = description()["paths"]
    client = PhotoPrismClient(Login(server.address, "admin", server.library.token()))
    host = PhotoPrismHost(client, PhotoPrismOptions(page=2))
    host.check()
    *listed, last = host.changes_since(None)
    list(host.changes_since(getattr(last, "mark", "")))
    for asset in listed:
        assert isinstance(asset, HostAsset)
        host.look_up(asset.host_key, lambda _key, _change: None)
        with host.open(asset.host_key):
            pass
    host.close()
    for seen in server.seen:
        path = "/api/v1/" + as_described(seen.path.split("/")[3:])
        parameters = {entry["name"]: entry for entry in described[path][seen.method.lower()].get("parameters", [])}
        assert seen.query.keys() <= {*parameters, *UNDESCRIBED}
        needed = {name for name, entry in parameters.items() if entry.get("required") and entry["in"] == "query"}
        assert needed <= seen.query.keys()
        for name, value in seen.query.items():
            allowed = parameters.get(name, {}).get("enum")
            assert allowed is None or value in {str(choice) for choice in allowed}
        if path.endswith("{size}"):
            size = next(entry for entry in described[path]["get"]["parameters"] if entry["name"] == "size")
            assert seen.path.rpartition("/")[2] in size["enum"]


def as_described(parts: list[str]) -> str:
    """The template of a path."""
    templates = {"t": "t/{thumb}/{token}/{size}", "dl": "dl/{hash}"}
    return templates.get(parts[0], "/".join(parts))


def test_the_fields_kinfolk_relies_on_are_there(server: FakePhotoPrism) -> None:
    """By hand, from the sources: also where the description is not at hand."""
    token = server.library.token()
    response = asked(server, token, "/photos", count="10", quality="3", merged="true", primary="true")
    assert response.headers["X-Count"] == "3"
    assert response.headers["X-Limit"] == "10"
    assert response.headers["X-Preview-Token"] == "preview1"
    assert response.headers["X-Download-Token"] == "download1"
    rows = {row["FileName"]: row for row in response.json()}
    assert set(rows) == {"2024/a.jpg", "2024/swim.mp4.jpg", "2024/stack.jpg"}
    film, stack = rows["2024/swim.mp4.jpg"], rows["2024/stack.jpg"]
    assert (film["Type"], film["FileRoot"], film["Private"]) == ("video", "sidecar", False)
    assert len(film["UID"]) == 16
    assert len(film["Hash"]) == 40
    assert film["CreatedAt"].endswith("Z")
    assert film["UpdatedAt"].endswith("Z")
    assert [file["Primary"] for file in stack["Files"]] == [True]
    every = asked(server, token, "/photos", count="10", merged="true", q=f"uid:{film['UID']}", quality="0").json()
    assert [(file["Root"], file.get("Video", False)) for file in every[0]["Files"]] == [("/", True), ("sidecar", False)]


def test_the_settings_say_who_is_asking(server: FakePhotoPrism) -> None:
    stranger, known = asked(server, "", "/config").json(), asked(server, server.library.token(), "/config").json()
    assert (stranger["mode"], stranger["public"], stranger["previewToken"]) == ("public", False, "public")
    assert (known["mode"], known["edition"], known["previewToken"]) == ("user", "ce", "preview1")
    assert known["count"]["archived"] == 1
    assert known["settings"]["features"]["people"] is True


def test_markers_and_people_have_the_fields_kinfolk_relies_on(server: FakePhotoPrism) -> None:
    """By hand, from `entity.Marker`, `entity.Subject` and `search.Subject`."""
    token, file = server.library.token(), server.library.primary("2024/a.jpg")
    form = {
        "FileUID": file.uid, "Type": "face", "Src": "manual", "X": 0.1, "Y": 0.2, "W": 0.3, "H": 0.4,
        "Name": "Anna", "SubjSrc": "manual",
    }  # fmt: skip
    address, headers = f"{server.address}/api/v1", {"X-Auth-Token": token}
    made = requests.post(f"{address}/markers", json=form, headers=headers, timeout=10)
    assert made.status_code == 201
    row = made.json()
    assert (row["UID"][0], row["SubjUID"][0], len(row["UID"]), len(row["SubjUID"])) == ("m", "j", 16, 16)
    assert [row[side] for side in ("X", "Y", "W", "H")] == [0.1, 0.2, 0.3, 0.4]
    assert (row["Name"], row["Src"], row["SubjSrc"], row["Invalid"]) == ("Anna", "manual", "manual", False)
    (person,) = asked(server, token, "/subjects", count="10").json()
    assert (person["UID"], person["Name"], person["Type"], person["FileCount"]) == (
        row["SubjUID"], "Anna", "person", 1,
    )  # fmt: skip
    (listed,) = asked(server, token, "/photos", count="9", q=f"uid:{server.library.found('2024/a.jpg').uid}").json()
    assert [marker["UID"] for file in listed["Files"] for marker in file["Markers"]] == [row["UID"]]
    assert requests.put(f"{address}/markers/{row['UID']}", json={"X": 2, "Name": "x" * 161}, headers=headers,
                        timeout=10).status_code == 400  # fmt: skip
