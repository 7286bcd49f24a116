"""The pages: a pause and its reason, what Home Assistant is told, and whom about."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from plugin.domain import TokenScope
from plugin.pausing import PauseRules, Pausing, SensorLimit
from plugin.ports.smart_home import LinkState, LinkStatus, PersonChoice
from plugin.sentences import Sentence
from plugin.web.app import create_app
from tests.fakes.smart_home import FakeLink
from tests.web.conftest import Visitor, logged_in
from tests.web.family import Family


def pausing(family: Family, **rules: object) -> Pausing:
    return Pausing(family.catalogue.preferences, PauseRules(**rules), load=lambda: 9.0)  # type: ignore[arg-type]  # by name


class TestPausing:
    def test_an_administrator_pauses_for_an_hour_and_every_page_says_so(self, maria: Visitor, family: Family) -> None:
        page = maria.post("/status/pause", page="/status", minutes="60").text
        assert "Paused. Nothing is lost." in page
        for path in ("/", "/review", "/status", "/settings", "/status/indicator"):
            assert "Paused until " in maria.text(path), path
        pause = family.services.pausing.now()
        assert pause
        assert pause.until
        assert pause.until - family.services.pausing._clock() <= timedelta(hours=1)

    def test_a_pause_until_somebody_resumes(self, maria: Visitor, family: Family) -> None:
        maria.post("/status/pause", page="/status", minutes="")
        assert "Paused until somebody resumes" in maria.text("/")
        page = maria.post("/status/resume", page="/status").text
        assert "Work goes on." in page
        assert "Paused" not in maria.text("/")
        assert family.services.pausing.now() is None

    @pytest.mark.parametrize("minutes", ["0", "-1", "1441", "x", "1e3", "99999999999"])
    def test_nonsense_is_refused(self, maria: Visitor, family: Family, minutes: str) -> None:
        maria.post("/status/pause", page="/status", minutes=minutes)
        assert family.services.pausing.now() is None

    def test_others_see_the_reason_and_no_button(self, app: Flask, maria: Visitor) -> None:
        maria.post("/status/pause", page="/status", minutes="60")
        neighbour = logged_in(app, "neighbour")
        page = neighbour.text("/status")
        assert "Paused until " in page
        assert 'action="/status/resume"' not in page
        assert neighbour.post("/status/resume").status_code == 403
        assert neighbour.post("/status/pause", minutes="60").status_code == 403

    def test_a_busy_machine_and_a_sensor_are_named(self, family: Family) -> None:
        busy = pausing(family, load_above=2.0)
        assert "Paused while this machine is busy" in logged_in(
            create_app(replace(family.services, pausing=busy))
        ).text("/")
        hot = pausing(family, sensors=(SensorLimit("<b>cellar</b>", "t", above=40),))
        page = logged_in(create_app(replace(family.services, pausing=hot))).text("/status")
        assert "nothing heard today" in page
        hot.heard(0, 41)
        page = logged_in(create_app(replace(family.services, pausing=hot))).text("/status")
        assert "Paused while &lt;b&gt;cellar&lt;/b&gt; says 41" in page

    def test_programs_are_told_why_nothing_is_done(self, app: Flask, family: Family) -> None:
        family.services.pausing.press()
        _, token = family.services.tokens.create(family.account, "program", TokenScope.READ)
        answer = app.test_client().get("/api/v1/status", headers={"Authorization": f"Bearer {token}"}).get_json()
        assert (answer["active"], answer["paused"]) == (False, "Paused until somebody resumes")

    def test_the_reason_is_said_in_the_language_of_the_page(self, maria: Visitor) -> None:
        maria.post("/status/pause", page="/status", minutes="")
        german = maria.get("/", headers={"Accept-Language": "de"}).text
        assert "Paused until somebody resumes" not in german


class TestAllowing:
    def test_nothing_is_allowed_at_first(self, maria: Visitor, family: Family) -> None:
        page = maria.text("/settings/home-assistant")
        assert "Nothing about you is told" in page
        assert not family.services.smart_home.is_told()

    def test_an_account_allows_it_for_itself_only_and_takes_it_back(
        self, app: Flask, maria: Visitor, family: Family
    ) -> None:
        neighbour = logged_in(app, "neighbour")
        neighbour.post("/settings/home-assistant/allow")
        assert family.catalogue.smart_home.accounts() == [family.neighbour.id]
        assert "Nothing about you is told" in maria.text("/settings/home-assistant")
        neighbour.post("/settings/home-assistant/forbid")
        assert family.catalogue.smart_home.accounts() == []
        link = family.services.home_link
        assert isinstance(link, FakeLink)
        assert link.woken == 2

    def test_only_an_administrator_takes_it_back_for_everybody(
        self, app: Flask, maria: Visitor, family: Family
    ) -> None:
        neighbour = logged_in(app, "neighbour")
        neighbour.post("/settings/home-assistant/allow")
        maria.post("/settings/home-assistant/allow")
        assert neighbour.post("/settings/home-assistant/forbid-all").status_code == 403
        assert "Remove everything of every account" not in neighbour.text("/settings/home-assistant")
        maria.post("/settings/home-assistant/forbid-all")
        assert family.catalogue.smart_home.accounts() == []

    def test_without_a_broker_the_page_says_what_to_do_and_people_have_no_button(self, family: Family) -> None:
        visitor = logged_in(create_app(replace(family.services, home_link=None)))
        assert "No MQTT broker is known" in visitor.text("/settings/home-assistant")
        family.services.people.set_favourite(family.account.id, family.people["Anna"], favourite=True)
        assert "home-assistant" not in visitor.text(f"/people/{family.people['Anna']}")

    def test_a_broker_in_trouble_is_shown_where_it_is_to_administrators_only(self, family: Family) -> None:
        trouble = Sentence("The MQTT broker %(where)s refused user and password", where="10.0.0.5:1883")
        link = FakeLink(LinkStatus(LinkState.AWAY, "10.0.0.5:1883", trouble, connections=3, failures=17))
        app = create_app(replace(family.services, home_link=link))
        for path in ("/status", "/settings/home-assistant"):
            page = logged_in(app).text(path)
            assert "10.0.0.5:1883 refused user and password" in page
            assert ">17<" in page
            assert "10.0.0.5" not in logged_in(app, "neighbour").text(path)


class TestChoosing:
    def anna(self, family: Family) -> str:
        family.services.people.set_favourite(family.account.id, family.people["Anna"], favourite=True)
        return f"/people/{family.people['Anna']}/home-assistant"

    def test_the_page_of_a_favourite_leads_to_the_choice(self, maria: Visitor, family: Family) -> None:
        person = f"/people/{family.people['Anna']}"
        assert "home-assistant" not in maria.text(person)
        choice = self.anna(family)
        assert choice in maria.text(person)
        assert "until you allow it" in maria.text(choice)

    def test_a_favourite_is_chosen_with_and_without_the_photo_and_dropped(self, maria: Visitor, family: Family) -> None:
        choice, home, anna = self.anna(family), family.services.smart_home, family.people["Anna"]
        maria.post("/settings/home-assistant/allow")
        assert "Home Assistant is told when Anna is on a new photo." in maria.post(choice, page=choice, told="yes").text
        chosen = home.choice(family.account.id, anna)
        assert chosen
        assert not chosen.with_picture
        maria.post(choice, page=choice, told="yes", picture="yes")
        assert home.choice(family.account.id, anna) == PersonChoice(anna, with_picture=True, seen_at=chosen.seen_at)
        assert "with photo" in maria.text("/settings/home-assistant")
        assert maria.text(choice).count("checked") == 2
        assert "told nothing about Anna" in maria.post(choice, page=choice, picture="yes").text
        assert home.choice(family.account.id, anna) is None

    def test_somebody_who_is_no_favourite_cannot_be_chosen(self, maria: Visitor, family: Family) -> None:
        maria.post("/settings/home-assistant/allow")
        choice = f"/people/{family.people['Ben']}/home-assistant"
        assert "Only favourites with a name" in maria.text(choice)
        maria.post(choice, told="yes")
        assert family.services.smart_home.choice(family.account.id, family.people["Ben"]) is None

    def test_before_the_account_allows_it_nothing_is_chosen(self, maria: Visitor, family: Family) -> None:
        choice = self.anna(family)
        maria.post(choice, told="yes")
        assert family.services.smart_home.choice(family.account.id, family.people["Anna"]) is None
