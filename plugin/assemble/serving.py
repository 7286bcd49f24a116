"""Web and workers around the parts, until a signal says stop."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from types import FrameType
from typing import TypedDict

from flask import Flask
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from plugin.api_tokens import ApiTokens
from plugin.assemble.allocator import give_memory_back
from plugin.assemble.hooks import NextcloudHooks
from plugin.assemble.kinfolk import STOP_THE_OTHER, Kinfolk, open_kinfolk
from plugin.assemble.snapshot import FreshSnapshot
from plugin.bulk import BulkActions
from plugin.errors import SettingsError
from plugin.first_start import FirstStart
from plugin.hooks import Hooks
from plugin.hosts.nextcloud.address import Place
from plugin.ingress import Ingress
from plugin.jobs import Jobs, Workers, open_queue
from plugin.likeness import Likeness
from plugin.mqtt.shared import SharedStatus
from plugin.originals import Originals
from plugin.outside_accounts import OutsideAccounts
from plugin.restraint import lower_priority
from plugin.settings import Settings
from plugin.sharing import Sharing
from plugin.supervisor import Supervisor
from plugin.vision.devices import device_of
from plugin.vision.licences import licence_texts
from plugin.watchers import Watchers
from plugin.web.app import create_app
from plugin.web.passwords import password_guard
from plugin.web.services import EngineStatus, HomeLink, WebServices
from plugin.web.streams import Streams

log = logging.getLogger(__name__)

MAXIMUM_BODY_BYTES = 64 * 2**20
"""Above the largest thing any page takes; Waitress keeps up to 1 GB of anybody's request otherwise."""

Announce = Callable[[str, str | None], None]
"""Called once the pages are served: (address, one-time first-start link or None)."""


def serve(settings: Settings, announce: Announce, *, worker: bool = True) -> None:
    """Serve the pages (and work, unless `worker` is False) until SIGTERM or SIGINT; running tasks are finished.

    Raises:
        AlreadyRunning: another `serve` holds the data folder.
        SettingsError: the address cannot be listened on.
    """
    give_memory_back()
    with open_kinfolk(settings, exclusive=worker, stays=worker) as kinfolk, kinfolk.folder.held("web", STOP_THE_OTHER):
        first_start = FirstStart(kinfolk.catalogue.accounts, password_guard().hash)
        with working(kinfolk) if worker else ExitStack(), inside_nextcloud(kinfolk):
            web, app_side = settings.web, kinfolk.nextcloud_app
            # AppAPI says where it expects its app.
            host, port = (app_side.identity.host, app_side.identity.port) if app_side else (web.host, web.port)
            # Most threads stay free for pages.
            streams = Streams(at_most=max(1, min(4, web.threads // 2)))
            app = create_app(replace(web_services(kinfolk, first_start), live_streams=streams))
            server = listening(app, host, [port, *([web.hook_port] if web.hook_port else [])], web.threads)
            address = f"http://{host}:{port}{web.prefix}"
            # Users of Home Assistant need neither link nor password.
            asks = first_start.pending() and not settings.ingress.supervisor
            link = f"{address}/welcome?token={first_start.token}" if asks else None
            panel = "People, in the sidebar of Home Assistant"
            with until_signal(streams.close):
                announce(panel if settings.ingress.supervisor else address + "/", link)
                server.run()
            server.close()


def listening(app: Flask, host: str, ports: list[int], threads: int) -> BaseWSGIServer | MultiSocketServer:
    """A server of the application on these ports, all with the same threads.

    Raises:
        SettingsError: a port is in use, or the address is not of this machine.
    """
    name = f"[{host}]" if ":" in host else host
    try:
        return create_server(
            app,
            listen=" ".join(f"{name}:{port}" for port in ports),
            threads=threads,
            ident="",
            # The application believes forwarded headers from trusted proxies only; Waitress would drop them all.
            clear_untrusted_proxy_headers=False,
            # What is larger is refused before it is written to a temporary file.
            max_request_body_size=MAXIMUM_BODY_BYTES,
        )
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(
            f"Kinfolk cannot listen on {' and '.join(f'{host}:{port}' for port in ports)}: {said}",
            "Choose another web.port (or web.hook_port), or stop the program that uses it",
        ) from error


def run_worker(settings: Settings) -> None:
    """Work without serving pages until SIGTERM or SIGINT."""
    give_memory_back()
    with open_kinfolk(settings, exclusive=True, stays=True) as kinfolk:
        if kinfolk.home_link is not None:
            kinfolk.home_link.share(SharedStatus(kinfolk.catalogue.preferences).note)
        with working(kinfolk), until_signal():
            threading.Event().wait()


@contextmanager
def working(kinfolk: Kinfolk) -> Iterator[None]:
    """Workers, timetable and watches, for as long as the block runs."""
    settings = kinfolk.settings
    kinfolk.folder.drop_old_queue()
    huey = open_queue()
    jobs = Jobs(
        huey,
        kinfolk.pipeline,
        kinfolk.catalogue,
        workers=settings.detection.workers,
        rescan=timedelta(minutes=settings.libraries.rescan_minutes),
        nightly_at=settings.recognition.nightly_time,
        upkeep=kinfolk.upkeep,
        writing=kinfolk.writing,
    )
    kinfolk.nudge = jobs
    watchers = Watchers(kinfolk.catalogue.libraries, kinfolk.host_of, jobs.sync)
    if settings.libraries.watch:
        jobs.every_sweep(watchers.refresh)
        jobs.trust(watchers.tells_since, timedelta(hours=settings.libraries.watched_rescan_hours))
    if settings.ingress.supervisor:
        jobs.every_sweep(FreshSnapshot(kinfolk.folder).look)
    prepare = lower_priority if settings.detection.priority == "low" else None
    workers = Workers(huey, jobs, threads=settings.detection.workers + 2, prepare=prepare)
    link = kinfolk.home_link
    workers.start()
    if link is not None:
        link.start()
    # A quarter of a second that no start has to wait for.
    threading.Thread(target=kinfolk.check_runtime, name="runtime-check", daemon=True).start()
    try:
        yield
    finally:
        kinfolk.stopping = True
        if link is not None:
            link.stop()
        watchers.stop()
        workers.stop()


@contextmanager
def inside_nextcloud(kinfolk: Kinfolk) -> Iterator[None]:
    """Be an app of Nextcloud for as long as the block runs, where AppAPI started Kinfolk."""
    app = kinfolk.nextcloud_app
    if app is None:
        yield
        return
    app.start()
    try:
        yield
    finally:
        app.stop()


@contextmanager
def until_signal(first: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let SIGTERM and SIGINT end the block, wherever it waits; a second signal ends the process.

    Args:
        first: called within the signal handler, before the block ends; must not wait for anything.
    """

    def end(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature is the signal module's
        for number, handler in former.items():
            signal.signal(number, handler)
        first()
        raise SystemExit(0)

    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except SystemExit:
        log.info("Stopping; running work is finished first")
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def web_services(kinfolk: Kinfolk, first_start: FirstStart) -> WebServices:
    """What the views work with."""
    return WebServices(
        catalogue=kinfolk.catalogue,
        people=kinfolk.people,
        suggestions=kinfolk.suggestions,
        bulk=BulkActions(kinfolk.catalogue, kinfolk.people, kinfolk.nudge),
        likeness=Likeness(kinfolk.catalogue, kinfolk.preferences.current),
        originals=Originals(kinfolk.catalogue, kinfolk.host_of),
        history=kinfolk.history,
        drawing=kinfolk.drawing,
        face_search=kinfolk.face_search,
        host_link=kinfolk.host_link,
        nudge=kinfolk.nudge,
        pictures=kinfolk.thumbnails,
        preferences=kinfolk.preferences,
        packs=kinfolk.models.packs,
        licence_texts=licence_texts,
        add_folder_library=kinfolk.add_folder,
        check_folder=kinfolk.check_folder,
        nextcloud=kinfolk.connections,
        photoprism=kinfolk.photoprism,
        privacy=kinfolk.privacy,
        sharing=Sharing(kinfolk.catalogue, kinfolk.people),
        accounts=kinfolk.accounts,
        account_export=kinfolk.account_export,
        fetching=kinfolk.fetch_watch.now,
        engine_status=lambda: engine_status(kinfolk),
        apply=kinfolk.apply,
        first_start=first_start,
        tokens=ApiTokens(kinfolk.catalogue.tokens),
        engine=kinfolk.engine,
        engine_switch=kinfolk.engine_switch,
        nextcloud_app=kinfolk.nextcloud_app,
        outside_accounts=OutsideAccounts(
            kinfolk.catalogue.accounts,
            kinfolk.catalogue.outside_users,
            kinfolk.catalogue.libraries,
            kinfolk.nudge.sync,
            lambda base, user: Place(base, user).address,
        ),
        hooks=Hooks(
            kinfolk.catalogue.hooks,
            kinfolk.catalogue.libraries,
            NextcloudHooks(kinfolk.nextcloud_app, kinfolk.connections.fingerprint),
            kinfolk.nudge,
        ),
        writing=kinfolk.writing,
        pausing=kinfolk.pausing,
        smart_home=kinfolk.smart_home,
        home_link=home_link(kinfolk),
        secret_key=kinfolk.folder.secret("session"),
        prefix=kinfolk.settings.web.prefix,
        trusted_proxies=kinfolk.settings.web.trusted_proxies,
        framed_by=kinfolk.settings.web.framed_by,
        **inside_home_assistant(kinfolk.settings),
    )


def home_link(kinfolk: Kinfolk) -> HomeLink | None:
    """The way to Home Assistant as pages see it: what keeps it may be a worker in another process."""
    link = kinfolk.home_link
    return SharedStatus(kinfolk.catalogue.preferences) if link is not None and not kinfolk.stays else link


class InsideHomeAssistant(TypedDict):
    """The services of an add-on."""

    ingress: Ingress | None
    addon_addresses: Supervisor | None
    hook_port: int | None


def inside_home_assistant(settings: Settings) -> InsideHomeAssistant:
    """What the views need in the sidebar of Home Assistant."""
    wanted, web, token = settings.ingress, settings.web, os.environ.get("SUPERVISOR_TOKEN")
    return {
        "ingress": Ingress(wanted.supervisor, wanted.administrators) if wanted.supervisor else None,
        "addon_addresses": Supervisor(token, web.port, web.hook_port) if token and web.hook_port else None,
        "hook_port": web.hook_port,
    }


def engine_status(kinfolk: Kinfolk) -> EngineStatus:
    """How the machine room is doing."""
    name = kinfolk.preferences.current().pack
    pack = next(pack for pack in kinfolk.models.packs() if pack.name == name)
    model, accelerator = kinfolk.models.loaded(name), kinfolk.models.accelerator(name)
    return EngineStatus(
        pack=pack.title,
        pack_installed=kinfolk.models.installed(name),
        provider=model.provider if model else None,
        index_state=kinfolk.index_words(),
        warnings=(*kinfolk.pipeline.troubles.now.values(), *kinfolk.models.warnings),
        data_folder=str(kinfolk.folder.path),
        free_bytes=kinfolk.free_bytes(),
        device=device_of(model.provider) if model else None,
        pace=kinfolk.pipeline.pace.per_second(),
        accelerator=accelerator.sentence if accelerator else None,
    )
