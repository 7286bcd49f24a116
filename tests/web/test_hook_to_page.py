"""From a hook of Nextcloud to the page of the person who is on the new photo, whatever else there is to do."""

from collections.abc import Iterator
from datetime import time, timedelta

import pytest
from huey import Huey

from plugin.detection import DetectionLimits, FaceDetection
from plugin.domain import Library, PersonId
from plugin.hosts.network.login import Login
from plugin.hosts.nextcloud.address import Place
from plugin.hosts.nextcloud.client import NextcloudClient
from plugin.hosts.nextcloud.host import NextcloudHost
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.index.exact import ExactIndex
from plugin.indexing import Indexing
from plugin.intake import Intake
from plugin.jobs import Jobs, open_queue
from plugin.media import StandardMedia
from plugin.pipeline import Pipeline
from plugin.preferences import PreferenceBook
from plugin.recognition import Recognition
from plugin.web.app import create_app
from tests.fakes.face_models import FakeFaceModels
from tests.fakes.nextcloud import FakeNextcloud
from tests.fakes.nextcloud.webhooks import upload
from tests.fakes.workshop import photo
from tests.web.conftest import Visitor, logged_in
from tests.web.family import Family, empty_family

ANNA, BEN = 1, 9
BACKLOG = 12


class House:
    """Maria's Nextcloud, where Anna is on a few photos, and a Kinfolk with its pages and its tasks, run by hand."""

    def __init__(self, server: FakeNextcloud, family: Family) -> None:
        self.server, self.family, self.catalogue = server, family, family.catalogue
        server.cloud.add_user("anna")
        place = Place(server.address, "anna")
        self.library: Library = self.catalogue.libraries.add(family.account.id, "nextcloud", "Anna", place.address)
        login = Login(place.base, place.user, server.cloud.app_password("anna"))
        self.host = NextcloudHost(place, NextcloudClient(login, sleep=lambda _seconds: None), NextcloudOptions())
        models, index = FakeFaceModels(), ExactIndex()
        preferences = PreferenceBook(self.catalogue.preferences, models.packs, {"minimum_faces": 2})
        self.pipeline = Pipeline(
            catalogue=self.catalogue,
            intake=Intake(self.catalogue),
            detection=FaceDetection(
                self.catalogue, StandardMedia(), lambda _library: self.host, lambda _id, _jpeg: None, DetectionLimits()
            ),
            recognition=Recognition(self.catalogue, index, preferences.current),
            indexing=Indexing(self.catalogue, index),
            models=models,
            preferences=preferences.current,
            host_of=lambda _library: self.host,
            worker="test",
            should_stop=lambda: False,
        )
        self.queue: Huey = open_queue()
        self.jobs = Jobs(
            self.queue,
            self.pipeline,
            self.catalogue,
            workers=1,
            rescan=timedelta(hours=1),
            nightly_at=time(2, 0),
            upkeep=lambda: None,
        )
        family.services.hooks._nudge = self.jobs
        app = create_app(family.services)
        self.maria: Visitor = logged_in(app)
        self.nextcloud = app.test_client()
        page = f"/libraries/{self.library.id}/hook"
        fields = {"url": f"http://kinfolk:8087/hooks/nextcloud/{self.library.id}", "name": "admin", "password": "hush"}
        self.maria.post(page, fields, page=page)

    def put(self, path: str, *people: int) -> int:
        """A photo, and Nextcloud's id of it."""
        painted = photo([(person, 40 + 200 * place, 48, 160) for place, person in enumerate(people)])
        return self.server.cloud.put("anna", path, painted, parents=True).id

    def work(self) -> None:
        self.pipeline.sync(self.library.id)
        self.pipeline.detect(60)
        self.pipeline.recognise()

    def hook(self, path: str) -> None:
        """Nextcloud tells of an upload, and the time passes that more may be told in."""
        secret = self.family.registrar.asked[-1][3]
        node = self.server.cloud.find("anna", path).id
        for said in upload(f"/anna/files/{path}"):
            answer = self.nextcloud.post(
                f"/hooks/nextcloud/{self.library.id}",
                data=said.replace(b"437", str(node).encode()),
                headers={"X-Kinfolk-Hook": secret},
            )
            assert answer.status_code == 202
        self.family.time.move(5)

    def next_task(self) -> str:
        """A worker takes one task; its name."""
        task = self.queue.dequeue()
        assert task is not None
        self.queue.execute(task)
        return str(task.name)

    def shows(self, person_id: PersonId, path: str) -> bool:
        """Whether the page of the person shows the photo."""
        asset = self.catalogue.assets.of_host_key(self.library.id, str(self.server.cloud.find("anna", path).id))
        return asset is not None and f"/photos/{asset.id}" in self.maria.text(f"/people/{person_id}")

    def anna(self) -> PersonId:
        (person,) = self.catalogue.people.all(self.family.account.id)
        self.catalogue.people.rename(person.id, self.family.account.id, "Anna")
        return person.id


@pytest.fixture
def house() -> Iterator[House]:
    family = empty_family()
    with FakeNextcloud() as server:
        made = House(server, family)
        yield made
        made.host.close()
    family.catalogue.close()


def test_a_new_photo_is_on_the_page_of_a_person_after_the_first_task(house: House) -> None:
    for number in range(3):
        house.put(f"2024/{number}.jpg", ANNA)
    house.work()
    anna = house.anna()
    house.put("2024/new.jpg", ANNA)
    house.hook("2024/new.jpg")
    assert house.next_task() == "named", "although a comparison and more may be asked for"
    assert house.shows(anna, "2024/new.jpg")


def test_a_new_photo_does_not_wait_for_all_that_came_before_it(house: House) -> None:
    for number in range(3):
        house.put(f"2024/{number}.jpg", ANNA)
    house.work()
    anna = house.anna()
    for number in range(BACKLOG):
        house.put(f"2023/{number}.jpg", BEN)
    house.pipeline.sync(house.library.id)
    house.jobs.detection()
    house.jobs.recognition()
    house.put("2024/new.jpg", ANNA, BEN)
    house.hook("2024/new.jpg")
    assert house.next_task() == "named", "before detection of the others, which was asked for first"
    assert house.shows(anna, "2024/new.jpg")
    assert house.catalogue.detection.status().waiting == BACKLOG, "none of the others was looked at"
    assert len(house.catalogue.people.all(house.family.account.id)) == 1, "who nobody knows waits for the others"
    house.pipeline.detect(60)
    house.pipeline.recognise()
    assert house.shows(anna, "2024/new.jpg")
    assert len(house.catalogue.people.all(house.family.account.id)) == 2


def test_a_second_photo_soon_after_the_first_does_not_wait_long(house: House) -> None:
    for number in range(3):
        house.put(f"2024/{number}.jpg", ANNA)
    house.work()
    anna = house.anna()
    for path in ("2024/one.jpg", "2024/two.jpg"):
        house.put(path, ANNA)
        house.hook(path)
        assert house.next_task() == "named"
        assert house.shows(anna, path)
        house.queue.flush()


def test_a_named_photo_that_cannot_be_fetched_now_is_left_to_the_usual_steps(house: House) -> None:
    for number in range(3):
        house.put(f"2024/{number}.jpg", ANNA)
    house.work()
    anna = house.anna()
    house.put("2024/new.jpg", ANNA)
    house.server.maintenance = True
    house.hook("2024/new.jpg")
    assert house.next_task() == "named"
    assert not house.shows(anna, "2024/new.jpg")
    house.server.maintenance = False
    house.host.client._busy = None
    house.work()
    assert house.shows(anna, "2024/new.jpg")
