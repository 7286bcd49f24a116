"""The life of Kinfolk as an app of Nextcloud, against AppAPI in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from werkzeug.wrappers import Response

from plugin.app_identity import app_identity
from plugin.catalogue.store import open_in_memory
from plugin.detection import DetectionLimits
from plugin.domain import Preferences
from plugin.engine import FaceEngine
from plugin.errors import HostUnreachable, PackUnavailable, Refused
from plugin.exapp.app import NextcloudApp, Progress
from plugin.media import StandardMedia
from tests.fakes.face_models import FakeFaceModels
from tests.fakes.nextcloud.app_api import AppCloud


@dataclass
class Setting:
    """The app, its cloud and what it runs with."""

    cloud: AppCloud
    preferences: Preferences
    models: FakeFaceModels = field(default_factory=lambda: FakeFaceModels(accepted=lambda _name: True))
    fails: bool = False

    def pull(self, pack: str, progress: Progress) -> None:
        for done in (10, 20, 20, 50):
            progress(done, 50, "model.onnx")
        if self.fails:
            raise PackUnavailable("No source has it", "Connect to the network")
        self.models.load(pack)


@pytest.fixture
def setting() -> Iterator[Setting]:
    values = Preferences(pack="buffalo_s", minimum_score=0.5, maximum_distance=0.6, minimum_faces=3, linking=1.08)
    with AppCloud() as cloud:
        yield Setting(cloud, values)


@pytest.fixture
def app(setting: Setting) -> Iterator[NextcloudApp]:
    identity = app_identity(setting.cloud.environment())
    assert identity is not None
    catalogue = open_in_memory()
    engine = FaceEngine(setting.models, StandardMedia(), lambda: setting.preferences, DetectionLimits())
    made = NextcloudApp(
        identity, catalogue.preferences, engine, lambda: setting.preferences, setting.models.packs, setting.pull
    )
    yield made
    made.stop()
    catalogue.close()


def test_making_ready_fetches_the_pack_and_tells_how_far_it_is(app: NextcloudApp, setting: Setting) -> None:
    app.make_ready()
    app.stop()
    assert setting.cloud.progress == [1, 20, 40, 99, 100]
    assert setting.models.installed("buffalo_s")


def test_when_the_pack_cannot_be_fetched_nextcloud_is_told_and_never_that_it_is_done(
    app: NextcloudApp, setting: Setting
) -> None:
    setting.fails = True
    app.make_ready()
    app.stop()
    assert setting.cloud.progress[-1] < 100


def test_enabling_puts_kinfolk_into_the_menus_twice_as_once(app: NextcloudApp, setting: Setting) -> None:
    before = app.enabled
    app.set_enabled(enabled=True)
    app.set_enabled(enabled=True)
    assert (before, app.enabled) == (False, True)
    registered = setting.cloud.registered
    assert registered["v1/ui/top-menu"]["displayName"] == "People"
    assert registered["v1/ui/script top_menu"]["path"] == "static/js/embedded"
    assert registered["v1/ui/style top_menu"]["path"] == "static/css/embedded"
    assert registered["v2/ui/files-actions-menu"]["actionHandler"] == "nextcloud/photo"
    assert "v1/ai_provider/task_processing" not in registered


def test_where_nextcloud_does_not_take_it_the_app_is_not_enabled(app: NextcloudApp, setting: Setting) -> None:
    setting.cloud.interfere = lambda _request: Response("", 503)
    with pytest.raises(HostUnreachable):
        app.set_enabled(enabled=True)
    assert not app.enabled


def test_disabling_works_even_when_the_app_may_not_ask_any_more(app: NextcloudApp, setting: Setting) -> None:
    app.set_enabled(enabled=True)
    setting.cloud.interfere = lambda _request: Response("", 401)
    app.set_enabled(enabled=False)
    assert not app.enabled


def test_recognize_is_off_until_it_is_switched_on(app: NextcloudApp, setting: Setting) -> None:
    app.set_enabled(enabled=True)
    before = app.recognize_on
    app.switch_recognize(on=True)
    assert (before, app.recognize_on) == (False, True)
    assert "v1/ai_provider/task_processing" in setting.cloud.registered
    app.switch_recognize(on=False)
    after = app.recognize_on
    assert not after
    assert "v1/ai_provider/task_processing" not in setting.cloud.registered


def test_recognize_needs_a_pack_with_512_numbers_and_keeps_it(app: NextcloudApp, setting: Setting) -> None:
    chosen = setting.preferences
    setting.preferences = replace(chosen, pack="opencv")
    with pytest.raises(Refused, match="512"):
        app.switch_recognize(on=True)
    assert not app.recognize_on
    setting.preferences = chosen
    app.switch_recognize(on=True)
    setting.preferences = replace(chosen, pack="opencv")
    assert app._recognize_pack() == "buffalo_s"


def test_only_who_looks_after_nextcloud_is_an_administrator(app: NextcloudApp, setting: Setting) -> None:
    assert app.is_nextcloud_admin("admin")
    assert not app.is_nextcloud_admin("anna")
