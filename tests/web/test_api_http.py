"""What HTTP gives: pages, validators for caches, and errors that say what happened."""

import re
from pathlib import Path

import pytest

from plugin.domain import TokenScope
from plugin.web.app import create_app
from tests.web.api_client import assert_problem, program
from tests.web.family import Family


def test_the_document_is_made_from_the_code_and_says_where_it_is_served(family: Family) -> None:
    document = program(family).get("/openapi.json")
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/"}]
    assert set(document["components"]["securitySchemes"]) == {"token", "browser"}
    assert {"Person", "Face", "Asset", "Problem"} <= set(document["components"]["schemas"])


def test_no_page_of_the_library_is_served(family: Family) -> None:
    client = create_app(family.services).test_client()
    for path in ("/openapi", "/openapi/", "/openapi/openapi.json", "/openapi/swagger"):
        assert client.get(path).status_code == 302, "to the log-in page, like everything unknown"


def test_pages_lead_to_each_other(family: Family) -> None:
    reader = program(family, TokenScope.READ)
    seen, path = [], "/people?limit=2&q="
    while path:
        response = reader.call("GET", path)
        assert response.json
        assert response.json["total"] == 5
        seen += [person["name"] for person in response.json["people"]]
        links = dict(re.findall(r'<([^>]+)>; rel="(\w+)"', response.headers["Link"]))
        path = next((url.removeprefix("/api/v1") for url, rel in links.items() if rel == "next"), "")
    everybody = [person["name"] for person in reader.get("/people")["people"]]
    assert seen == everybody
    assert len(seen) == 5


def test_links_keep_what_was_asked_for_and_the_prefix(family: Family) -> None:
    reader = program(family)
    link = reader.call("GET", "/people?hidden=true&limit=1", headers={}).headers["Link"]
    assert "/api/v1/people?hidden=true&limit=1&page=2" in link


def test_a_page_behind_the_last_is_empty_and_leads_back(family: Family) -> None:
    response = program(family).call("GET", "/people?page=99")
    assert response.json
    assert response.json["people"] == []
    assert 'page=1>; rel="prev"' in response.headers["Link"]


def test_what_did_not_change_is_not_sent_again(family: Family) -> None:
    reader = program(family)
    first = reader.call("GET", "/people")
    tag = first.headers["ETag"]
    assert tag.startswith("W/")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = reader.call("GET", "/people", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    family.services.people.rename(family.account.id, family.people["Anna"], "Anna Maria")
    assert reader.call("GET", "/people", headers={"If-None-Match": tag}).status_code == 200


def test_answers_to_different_visitors_are_kept_apart_by_caches(family: Family) -> None:
    assert {"Authorization", "Cookie"} <= set(program(family).call("GET", "/people").vary)


def test_a_person_is_changed_only_as_it_was_read(family: Family) -> None:
    writer, anna = program(family), f"/people/{family.people['Anna']}"
    tag = writer.call("GET", anna).headers["ETag"]
    changed = writer.call("PATCH", anna, {"name": "Anna Maria"}, {"If-Match": tag})
    assert changed.status_code == 200
    stale = writer.call("PATCH", anna, {"name": "Anna Lena"}, {"If-Match": tag})
    assert_problem(stale, 412, "changed_meanwhile")
    assert writer.get(anna)["name"] == "Anna Maria"
    fresh = writer.call("PATCH", anna, {"name": "Anna Lena"}, {"If-Match": changed.headers["ETag"]})
    assert fresh.status_code == 200
    assert writer.call("PATCH", anna, {"hidden": True}, {"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("path", ["/no", "/people/0", "/people/99999999999999999999", "/people/anna", "/faces/-1"])
def test_addresses_that_name_nothing_are_refused(family: Family, path: str) -> None:
    response = program(family).call("GET", path)
    assert_problem(response, response.status_code, {400: "bad_request", 404: "not_found"}[response.status_code])


def test_a_wrong_method_names_the_right_ones(family: Family) -> None:
    response = program(family).call("DELETE", "/people")
    assert_problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(
    ("query", "where"),
    [("limit=0", "limit"), ("limit=501", "limit"), ("page=1e3", "page"), ("page=%201", "page"),
     ("hidden=yes", "hidden"), ("serach=Anna", "serach"), ("q=" + "x" * 201, "q")],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_named(family: Family, query: str, where: str) -> None:
    said = assert_problem(program(family).call("GET", f"/people?{query}"), 400, "bad_request")
    assert [wrong["where"] for wrong in said["errors"]] == [f"request.{where}"]


@pytest.mark.parametrize(
    "body",
    [{"name": 5}, {"name": ""}, {"hidden": "true"}, {"birth_date": "14.7.1980"}, {"birth_date": 330000000},
     {"feature_face_id": "1"}, {"nickname": "Anni"}, [], "text", 5, None],
)  # fmt: skip
def test_bodies_that_do_not_fit_change_nothing(family: Family, body: object) -> None:
    writer, anna = program(family), family.people["Anna"]
    before = family.catalogue.people.get(anna, family.account.id)
    assert_problem(writer.call("PATCH", f"/people/{anna}", body), 400, "bad_request")
    assert family.catalogue.people.get(anna, family.account.id) == before


def test_what_is_not_json_is_refused(family: Family) -> None:
    writer = program(family)
    headers = {"Authorization": f"Bearer {writer.secret}"}
    path = f"/api/v1/people/{family.people['Anna']}"
    assert_problem(writer.client.patch(path, data={"name": "Anni"}, headers=headers), 415, "not_json")
    broken = writer.client.patch(path, data=b"{", content_type="application/json", headers=headers)
    assert_problem(broken, 400, "bad_request")


def test_a_request_that_is_too_large_is_refused(family: Family) -> None:
    body = {"name": "x" * (1024 * 1024 + 1)}
    assert_problem(program(family).call("PATCH", f"/people/{family.people['Anna']}", body), 413, "too_large")


def test_a_host_that_is_away_is_a_problem_for_later(family: Family) -> None:
    family.pictures.unreachable.add(family.assets[0])
    response = program(family).call("GET", f"/assets/{family.assets[0]}/preview")
    assert_problem(response, 503, "host_unreachable")


def test_a_fault_of_ours_says_nothing_of_the_inside(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(family.catalogue.people, "get", broken)
    response = program(family).call("GET", "/people/1")
    assert_problem(response, 500, "error")
    assert "secret inside" not in response.text


def test_the_examples_of_the_docs_work(family: Family) -> None:
    """Each curl line of docs/api.md, sent as it stands there."""
    page = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")
    admin = program(family)
    examples = re.findall(r"^curl (.+?)$", page.replace("\\\n", " "), re.MULTILINE)
    assert len(examples) == 4
    for example in examples:
        method = re.search(r"-X (\w+)", example)
        url = re.search(r"'?http://localhost:8099(/[^'\s]*)'?", example)
        data = re.search(r"-d '([^']*)'", example)
        assert url, example
        assert '-H "Authorization: Bearer $TOKEN"' in example
        headers = dict(re.findall(r"-H '([^:']+): ([^']+)'", example)) | {"Authorization": f"Bearer {admin.secret}"}
        path = url.group(1)
        # The people of the page, by the numbers they have here.
        for written, name in (("/people/7", "Anna"), ("all=7", "Anna"), ("all=9", "Ben"), ("none=12", "Clara")):
            path = path.replace(written, re.sub(r"\d+", str(family.people[name]), written))
        response = admin.client.open(
            path, method=method.group(1) if method else "GET", data=data.group(1) if data else None, headers=headers
        )
        assert response.status_code == 200, (example, response.text)
    assert family.catalogue.people.get(family.people["Anna"], family.account.id).name == "Grandma Anna"
