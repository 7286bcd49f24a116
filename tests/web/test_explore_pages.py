"""Photos by people, and search by face."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from plugin.domain import FaceState
from plugin.errors import SearchIndexError
from plugin.web.face_search import LARGEST_PICTURE
from tests.fakes.face_models import FakeFaceModels
from tests.fakes.workshop import photo
from tests.web.conftest import Visitor
from tests.web.family import Family, add_stranger_faces
from tests.web.family import found as looked
from tests.web.portraits import Figure


def names(page: str) -> set[str]:
    """The files of the photos shown."""
    return set(re.findall(r'<img [^>]*alt="([^"]+\.(?:jpg|mp4))"', page))


def found(maria: Visitor, query: str) -> set[str]:
    return names(maria.text(f"/explore?{query}"))


def test_without_a_wish_all_photos_with_faces_are_shown(maria: Visitor, family: Family) -> None:
    page = maria.text("/explore")
    assert len(names(page)) == len(family.assets)
    assert "14 photos" in page
    assert "private.jpg" not in page


def test_all_of_any_of_only_and_none_of(maria: Visitor, family: Family) -> None:
    anna, ben, clara = (family.people[name] for name in ("Anna", "Ben", "Clara"))
    assert found(maria, f"all={anna}&all={ben}") == {"boat.jpg", "ben and anna.jpg"}
    assert found(maria, f"all={anna}&all={ben}&alone=1") == {"ben and anna.jpg"}
    assert found(maria, f"all={anna}&all={ben}&none={clara}") == {"ben and anna.jpg"}
    assert found(maria, f"any={clara}&any={ben}") == {
        "boat.jpg", "ben and anna.jpg", "clara.jpg", "lotte and ben.jpg", "office.jpg"
    }  # fmt: skip
    assert found(maria, f"any={clara}&none={ben}") == {"clara.jpg"}
    assert found(maria, f"any={anna}&any={ben}&alone=1") == {
        "anna swims.jpg", "ben and anna.jpg", "tree.jpg", "birthday.mp4", "scan0001.jpg"
    }  # fmt: skip


def test_a_stranger_on_the_photo_is_somebody_else_unless_taken_away(maria: Visitor, family: Family) -> None:
    beach, anna = add_stranger_faces(family), family.people["Anna"]
    assert "beach.jpg" not in found(maria, f"all={anna}&alone=1")
    strangers = [face.id for face in family.catalogue.faces.of_asset(beach, family.account.id) if not face.person_id]
    family.catalogue.faces.set_state(strangers, FaceState.IGNORED)
    assert "beach.jpg" in found(maria, f"all={anna}&alone=1")


def test_by_day_library_and_number_of_faces(maria: Visitor, family: Family) -> None:
    assert found(maria, "from=2024-07-20&to=2024-07-21") == {"boat.jpg", "anna swims.jpg"}
    assert found(maria, "to=2023-12-03") == {"birthday.mp4"}
    assert found(maria, "faces=3") == {"boat.jpg"}
    assert family.library is not None
    assert len(found(maria, f"library={family.library.id}")) == 14
    other = family.catalogue.libraries.add(family.account.id, "folder", "Empty", "/empty")
    assert "No photo fits" in maria.text(f"/explore?library={other.id}")


def test_typed_names_become_people_in_the_address(maria: Visitor, family: Family) -> None:
    anna, ben, clara = (family.people[name] for name in ("Anna", "Ben", "Clara"))
    answer = maria.get(f"/explore?all={anna}&add_all=ben&add_none=clara&from=&to=&library=&faces=1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/explore?all={anna}&all={ben}&none={clara}"
    several = maria.get("/explore?add_any=anna,%20Oma+Lotte")
    assert several.headers["Location"] == f"/explore?any={anna}&any={family.people['Oma Lotte']}"


def test_a_name_nobody_has_is_told_and_what_was_typed_stays(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/explore?all={family.people['Ben']}&add_all=Zo%C3%AB&add_none=Clara")
    assert "Nobody is called Zoë." in page
    assert 'value="Zoë"' in page
    assert "Keep Ben" in page


def test_two_people_with_one_name_are_asked_about(maria: Visitor, family: Family) -> None:
    family.catalogue.people.add(family.account.id, "Anna")
    assert "Several people are called Anna." in maria.text("/explore?add_all=Anna")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "A day is written like 2024-07-14, not “yesterday”."),
        ("to=2024-02-31", "A day is written like"),
        ("from=2024-05-01&to=2024-04-01", "The first day comes after the last one."),
        ("faces=0", "takes a number from 1 to 50"),
        ("faces=many", "takes a number from 1 to 50"),
        ("faces=99999999999", "takes a number from 1 to 50"),
        ("alone=1", "Choose who may be on the photos"),
        ("from=%3Cb%3E", "not “&lt;b&gt;”"),
    ],
)
def test_what_makes_no_sense_is_told(maria: Visitor, query: str, said: str) -> None:
    assert said in maria.text(f"/explore?{query}")


def test_ids_of_others_are_as_unknown_as_missing_ones(maria: Visitor, family: Family) -> None:
    for query in (
        f"all={family.foreign_person}", f"none={family.foreign_person}", f"library={family.foreign_library}",
        "any=999999", "all=x", "all=-1", "library=99999999999999999999999",
    ):  # fmt: skip
        assert maria.get(f"/explore?{query}").status_code == 404, query
    assert maria.get(f"/explore/similar/{family.foreign_face}").status_code == 404
    assert maria.get("/explore/similar/999999").status_code == 404


def test_pages_keep_the_search(maria: Visitor, family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin.web.explore.PAGE_SIZE", 4)
    anna = family.people["Anna"]
    page = maria.text(f"/explore?all={anna}&from=2020-01-01")
    assert len(names(page)) == 4
    link = re.search(r'rel="next" href="([^"]+)"', page)
    assert link
    following = maria.text(link.group(1).replace("&amp;", "&"))
    assert names(following)
    assert not names(following) & names(page)
    assert f"all={anna}" in link.group(1)
    assert "from=2020-01-01" in link.group(1)


@contextmanager
def statements(family: Family) -> Iterator[list[str]]:
    """Every statement that is sent meanwhile."""
    engine, sent = family.catalogue._transactions._engine, list[str]()

    def heard(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", heard)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", heard)


def test_the_number_of_statements_does_not_grow_with_what_is_asked(maria: Visitor, family: Family) -> None:
    people = [person for name, person in family.people.items() if name]
    maria.text("/explore")
    with statements(family) as few:
        maria.text(f"/explore?all={people[0]}")
    with statements(family) as many:
        maria.text("/explore?" + "&".join(f"any={person}" for person in people))
    assert len(many) <= len(few)


def test_faces_like_one_of_the_album(maria: Visitor, family: Family) -> None:
    page = maria.text(f"/explore/similar/{family.face_of('Anna')}")
    assert page.index("Anna") < page.index("Ben")
    assert ">0.00<" in page
    assert ">1.00<" in page
    shown = page.split("Nearest faces")[1]
    assert f"face={family.face_of('Anna')}#" not in shown
    assert f"face={family.foreign_face}" not in shown


def send(maria: Visitor, content: bytes, name: str = "photo.jpg") -> TestResponse:
    """Upload a picture by the form."""
    token = maria.token("/explore/face").encode()
    # Encoded by hand: for something large, the client would leave a temporary file open.
    parts = (
        b'--line\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + token,
        b'--line\r\nContent-Disposition: form-data; name="picture"; filename="'
        + name.encode()
        + b'"\r\n\r\n'
        + content,
        b"--line--\r\n",
    )
    return maria.client.post(
        "/explore/face",
        data=b"\r\n".join(parts),
        content_type="multipart/form-data; boundary=line",
        headers={"Referer": "http://localhost/explore/face"},
        follow_redirects=True,
        buffered=True,
    )


def test_a_picture_that_is_brought_along_finds_the_nearest_faces_and_people(maria: Visitor, family: Family) -> None:
    looks_like_painted(family, "Ben", 9)
    answer = send(maria, photo([(9, 100, 100, 160), (3, 400, 100, 160)]))
    assert answer.status_code == 200
    first, second = answer.text.split("Face 1 of 2")[1].split("Face 2 of 2")
    assert re.search(r"People who look alike.*?Ben.*?Very much alike", first, re.DOTALL)
    assert "Very much alike" not in second
    assert family.catalogue.assets.counts(family.account.id)[0] == 14


def looks_like_painted(family: Family, name: str, painted: int) -> None:
    """Give a person one more face, with the embedding of a painted person."""
    vector = FakeFaceModels().load("opencv")._people[painted].astype("float32")
    face = family.catalogue.faces.get(family.face_of(name))
    new = replace(looked(Figure(0, 0.01, 0.01, 0.1), 1.0), embedding=vector)
    face_id = family.catalogue.faces.draw(family.account.id, face.asset_id, "opencv", new)
    family.services.people.assign(family.account.id, face_id, family.people[name])


def test_a_picture_without_a_face_is_told(maria: Visitor) -> None:
    assert "No face was found on this picture" in send(maria, photo([])).text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"%PDF-1.4 no picture at all", "The format PDF cannot be read"),
        (b"\xff\xd8\xff\xe0 cut off", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
        (b"GIF89a", ""),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(maria: Visitor, content: bytes, said: str) -> None:
    answer = send(maria, content)
    assert answer.status_code == 200
    assert answer.request.path == "/explore/face"
    note = re.search(r'class="note bad">.*?<p>(.*?)</p>', answer.text, re.DOTALL)
    assert note
    assert said in note.group(1)


def test_no_picture_at_all_is_told(maria: Visitor) -> None:
    assert "Choose a picture first." in maria.post("/explore/face", page="/explore/face").text


def test_a_picture_that_is_too_large_is_refused_and_a_large_one_is_taken(maria: Visitor) -> None:
    picture = photo([], file_format="PNG")
    large = send(maria, picture + b"\0" * (5 * 2**20))
    assert "No face was found" in large.text
    too_large = send(maria, picture + b"\0" * LARGEST_PICTURE)
    assert too_large.status_code == 413
    assert "A picture may have 25 MB." in too_large.text


def test_no_other_form_takes_anything_large(maria: Visitor) -> None:
    answer = maria.post("/settings/thresholds", minimum_score="0" * 2_000_000)
    assert answer.status_code == 413


def test_strangers_may_not_search(stranger: Visitor) -> None:
    for path in ("/explore", "/explore/face", "/explore/similar/1"):
        assert stranger.get(path).status_code == 302
    answer = stranger.client.post("/explore/face", data={"picture": (io.BytesIO(b"x"), "a.jpg")})
    assert answer.status_code == 302


def test_most_likely_people_are_offered_first_then_those_chosen_lately(maria: Visitor, family: Family) -> None:
    beach = add_stranger_faces(family)
    clara_again = family.faces_of(beach)[2]
    lotte = family.face_of("Oma Lotte")
    family.services.people.assign(family.account.id, lotte, family.people["Oma Lotte"])
    page = maria.text(f"/photos/{beach}?face={clara_again}").split('id="candidates"')[1]
    order = re.findall(r'dir="auto">([^<]+)</span><span', page)
    assert order[:3] == ["Clara", "Oma Lotte", "Anna"]
    assert (page.count("Looks alike"), page.count("Chosen lately")) == (1, 1)
    assert len(order) == len(set(order))


def test_a_no_to_somebody_the_face_is_not_any_more_changes_nothing(maria: Visitor, family: Family) -> None:
    face, asset = family.face_of("Ben"), family.catalogue.faces.get(family.face_of("Ben")).asset_id
    family.services.people.assign(family.account.id, face, family.people["Anna"])
    answer = maria.post(f"/faces/{face}/reject", page=f"/photos/{asset}?face={face}", was=str(family.people["Ben"]))
    assert "Meanwhile this face was given to somebody else" in answer.text
    assert family.catalogue.faces.get(face).person_id == family.people["Anna"]


def test_a_search_index_that_is_not_ready_is_no_fault(
    maria: Visitor, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_ready(*_: object) -> None:
        raise SearchIndexError("The search index is being built", "Try again in a minute")

    monkeypatch.setattr(family.services.face_search, "like_face", not_ready)
    answer = maria.get(f"/explore/similar/{family.face_of('Anna')}")
    assert answer.status_code == 503
    assert "being built" in answer.text
