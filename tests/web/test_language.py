"""Pages in the reader's language: words, numbers, dates, and where the choice comes from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from plugin.errors import AcceleratorFailed, Refused
from plugin.index.building import DAMAGED
from plugin.ports.index import IndexStatus
from plugin.sentences import Sentence
from plugin.vision.accelerator.process import CPU_INSTEAD
from plugin.web import wording
from plugin.web.app import create_app
from plugin.web.language import explained, ngettext, page_language, translated
from tests.web.conftest import Visitor, logged_in
from tests.web.family import Family, empty_family, engine_status


@contextmanager
def reading(app: Flask, language: str) -> Iterator[None]:
    with app.test_request_context(headers={"Accept-Language": language}):
        yield


def plain(text: str) -> str:
    """Spaces that keep number and unit together, and curly apostrophes, look like others."""
    return text.replace("\u202f", " ").replace("\xa0", " ").replace("\u2019", "'")


SPOKEN = {
    "en": (
        "12,345", "87%", "14 July 2024", "July 2024", "14 July 2024, 18:05", "3 hours ago", "about 3 minutes",
        "2.3 a second", "3 a minute", "4.2 GB", "12 MB", "Date unknown", "never", "just now", "less than a minute",
    ),
    "en-US": (
        "12,345", "87%", "July 14, 2024", "July 2024", "July 14, 2024, 6:05 PM", "3 hours ago", "about 3 minutes",
        "2.3 a second", "3 a minute", "4.2 GB", "12 MB", "Date unknown", "never", "just now", "less than a minute",
    ),
    "de": (
        "12.345", "87 %", "14. Juli 2024", "Juli 2024", "14. Juli 2024, 18:05", "vor 3 Stunden", "etwa 3 Minuten",
        "2,3 pro Sekunde", "3 pro Minute", "4,2 GB", "12 MB", "Datum unbekannt", "nie", "gerade eben",
        "weniger als eine Minute",
    ),
    "fr": (
        "12 345", "87 %", "14 juillet 2024", "juillet 2024", "14 juillet 2024, 18:05", "il y a 3 heures",
        "environ 3 minutes", "2,3 par seconde", "3 par minute", "4,2 Go", "12 Mo", "Date inconnue", "jamais",
        "à l'instant", "moins d'une minute",
    ),
    "es": (
        "12.345", "87 %", "14 de julio de 2024", "julio de 2024", "14 de julio de 2024, 18:05", "hace 3 horas",
        "alrededor de 3 minutos", "2,3 por segundo", "3 por minuto", "4,2 GB", "12 MB", "Fecha desconocida", "nunca",
        "ahora mismo", "menos de un minuto",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", SPOKEN)
def test_numbers_dates_and_times_are_said_the_way_of_the_language(app: Flask, language: str) -> None:
    moment = datetime(2024, 7, 14, 18, 5)  # noqa: DTZ001 - a camera's local time
    with reading(app, language):
        said = (
            wording.number(12_345), wording.percent(87), wording.day(date(2024, 7, 14)), wording.month(moment),
            wording.moment(moment), wording.ago(datetime.now(UTC) - timedelta(hours=3)), wording.duration(190),
            wording.rate(2.345), wording.rate(0.05), wording.size(4_200_000_000), wording.size(12_300_000),
            wording.moment(None), wording.ago(None), wording.ago(datetime.now(UTC)), wording.duration(20),
        )  # fmt: skip
    assert tuple(map(plain, said)) == SPOKEN[language]


def test_how_long_is_said_in_minutes_up_to_an_hour_and_a_half(app: Flask) -> None:
    with reading(app, "en"):
        said = [wording.duration(seconds) for seconds in (59, 60, 89, 75 * 60, 90 * 60, 3 * 3600)]
    minute = "about 1 minute"
    assert said == ["less than a minute", minute, minute, "about 75 minutes", "about 2 hours", "about 3 hours"]


def test_sizes_from_a_byte_to_gigabytes(app: Flask) -> None:
    with reading(app, "en"):
        assert [wording.size(value) for value in (0, 999, 1000, 999_000, 41_000_000_000)] == [
            "0 byte", "999 byte", "1 kB", "999 kB", "41.0 GB",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de-AT"),
        ("en", "en-GB"),
        ("en-US,en;q=0.9", "en-US"),
        ("nl,fr;q=0.5", "fr"),
        ("fr;q=0.3,es;q=0.9", "es"),
        ("ja", "en-GB"),
        ("", "en-GB"),
        ("*", "en-GB"),
        ("x" * 5000, "en-GB"),
        ("../../etc/passwd,de-!!", "de"),
        ("de-DE-1996-u-co-phonebk", "de"),
        ("zh-Hant-TW,es-419;q=0.5", "es-419"),
    ],
)
def test_a_page_speaks_the_first_language_of_the_browser_that_is_ours(app: Flask, asked: str, spoken: str) -> None:
    with reading(app, asked):
        assert page_language() == spoken
        assert translated("Log out") in {"Log out", "Abmelden", "Se déconnecter", "Cerrar sesión"}


def test_a_page_says_its_language_and_what_it_depends_on(stranger: Visitor) -> None:
    response = stranger.get("/login", headers={"Accept-Language": "de"})
    assert '<html lang="de">' in response.text
    assert "Willkommen zurück" in response.text
    assert response.headers["Content-Language"] == "de"
    assert "Accept-Language" in response.headers["Vary"]


def test_a_wish_for_a_region_gets_the_words_of_its_language(stranger: Visitor) -> None:
    assert "Bon retour" in stranger.get("/login", headers={"Accept-Language": "fr-CA"}).text


@pytest.mark.parametrize(("language", "said"), [("en", "3 folders"), ("de", "3 Ordnern"), ("fr", "3 dossiers")])
def test_markup_of_a_message_stays_and_values_are_escaped(app: Flask, language: str, said: str) -> None:
    source = """{{ ngettext('<span class="figure">%(done)s</span> <span class="soft">of %(num)s folder read</span>',
        '<span class="figure">%(done)s</span> <span class="soft">of %(num)s folders read</span>', 3, done='<b>') }}"""
    with reading(app, language):
        text = app.jinja_env.from_string("{% autoescape true %}" + source + "{% endautoescape %}").render()
    assert said in text
    assert '<span class="figure">&lt;b&gt;</span>' in text


def test_counts_are_written_as_the_language_writes_numbers(app: Flask) -> None:
    with reading(app, "de"):
        assert ngettext("%(num)s to go", "%(num)s to go", 12_345) == "noch 12.345"


def test_nothing_is_one_in_french_and_many_elsewhere(app: Flask) -> None:
    message = ("%(num)s failed", "%(num)s failed")
    with reading(app, "fr"):
        assert [ngettext(*message, count) for count in (0, 1, 2)] == ["0 échec", "1 échec", "2 échecs"]
    with reading(app, "es"):
        assert [ngettext(*message, count) for count in (0, 1)] == ["0 con errores", "1 con error"]


def test_what_the_steps_refuse_is_explained_in_the_language_of_the_page(app: Flask) -> None:
    error = Refused("The name is longer than %(most)s characters", "Choose a shorter one", most=1200)
    assert str(error) == "The name is longer than 1200 characters"
    assert error.explanation == "The name is longer than 1200 characters. Choose a shorter one"
    with reading(app, "de"):
        assert explained(error) == "Der Name ist länger als 1.200 Zeichen. Wähle einen kürzeren"
    with reading(app, "en"):
        assert explained(error) == "The name is longer than 1,200 characters. Choose a shorter one"


@pytest.mark.parametrize(
    ("said", "german"),
    [
        (IndexStatus("ready").sentence, "Der Suchindex ist bereit."),
        (IndexStatus("rebuilding", message=DAMAGED).sentence, "Der Suchindex war beschädigt und wird aus dem Katalog"),
        (AcceleratorFailed("%(provider)s is installed but cannot run here", CPU_INSTEAD, provider="ROCm").explanation,
         "ROCm ist installiert, kann hier aber nicht laufen. Stattdessen wird der Prozessor verwendet; prüfe"),
        (Refused("Nobody was chosen to merge", "Choose at least one other person").explanation,
         "Niemand wurde zum Zusammenführen ausgewählt. Wähle mindestens eine andere Person"),
    ],
)  # fmt: skip
def test_what_the_machine_room_says_is_said_in_the_language_of_the_page(family: Family, said: str, german: str) -> None:
    status = replace(engine_status((said,)), index_state=said)
    app = create_app(replace(family.services, engine_status=lambda: status))
    page = logged_in(app).get("/status", headers={"Accept-Language": "de"}).text
    assert page.count(german) == 2


def test_a_text_nobody_translated_stays_english(app: Flask) -> None:
    with reading(app, "de"):
        assert explained(Refused("100 % %(odd)s", "")) == "100 % %(odd)s."
        assert translated("") == ""


def test_a_sentence_is_its_english_text_and_translates_the_sentences_in_it(app: Flask) -> None:
    title = Sentence("%(title)s must be a number, not “%(text)s”", title=Sentence("Minimum detection score"), text="x%")
    assert title == "Minimum detection score must be a number, not “x%”"
    with reading(app, "de"):
        assert translated(title) == "Mindestwert der Gesichtserkennung: eine Zahl wird gebraucht, nicht „x%“"


def test_a_refused_form_answers_in_the_language_of_its_reader(stranger: Visitor, family: Family) -> None:
    stranger.log_in()
    stranger.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "es-MX"
    path = f"/people/{family.people['Anna']}/rename"
    page = stranger.post(path, page=path, name="x" * 201)
    assert "El nombre tiene más de 200 caracteres. Elige uno más corto" in page.text


def test_an_address_that_leads_nowhere_is_explained_in_the_language_of_its_reader(maria: Visitor) -> None:
    response = maria.get("/people/999999", headers={"Accept-Language": "fr"})
    assert response.status_code == 404
    assert "y a rien ici" in response.text


def test_a_language_is_chosen_for_this_device_and_survives_logging_in_and_out(stranger: Visitor) -> None:
    response = stranger.post("/language", page="/login", follow=False, language="de")
    assert response.status_code == 303
    assert "Willkommen zurück" in stranger.text("/login")
    stranger.log_in()
    assert '<html lang="de">' in stranger.text("/settings")
    stranger.post("/logout")
    assert "Willkommen zurück" in stranger.get("/login", headers={"Accept-Language": "fr"}).text


def test_a_choice_is_taken_back_and_the_browser_decides_again(stranger: Visitor) -> None:
    stranger.post("/language", page="/login", language="de")
    stranger.post("/language", page="/login", language="")
    assert "Bon retour" in stranger.get("/login", headers={"Accept-Language": "fr"}).text


@pytest.mark.parametrize("language", ["xx", "de\r\nSet-Cookie: a=b", "../de", "x" * 5000])
def test_a_language_that_is_not_ours_changes_nothing(stranger: Visitor, language: str) -> None:
    response = stranger.post("/language", page="/login", follow=False, language=language)
    assert response.status_code == 303
    assert "Welcome back" in stranger.text("/login")


def test_the_region_of_the_browser_is_kept_when_its_language_is_chosen(stranger: Visitor) -> None:
    stranger.post("/language", page="/login", language="en")
    assert '<html lang="en-US">' in stranger.get("/login", headers={"Accept-Language": "de,en-US;q=0.5"}).text


def test_choosing_a_language_leads_back_to_the_page_it_was_chosen_on(stranger: Visitor) -> None:
    stranger.log_in()
    assert stranger.post("/language", page="/libraries", follow=False, language="es").location == "/libraries"


def test_a_language_is_chosen_before_the_first_account_is_set_up() -> None:
    family = empty_family(password=False)
    visitor = Visitor(create_app(family.services).test_client())
    visitor.post("/language", page="/welcome", language="fr")
    assert "Bienvenue dans Kinfolk" in visitor.text(f"/welcome?token={family.token}")
    family.catalogue.close()
