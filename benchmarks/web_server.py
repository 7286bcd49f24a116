"""The application on a data folder, as `benchmarks.web` measures it: in this process, or served while a scan runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import numpy as np
from flask import Flask
from sqlalchemy import event
from waitress.server import create_server

from benchmarks.libraries import DIMENSION, PACK
from plugin.assemble.kinfolk import Kinfolk, open_kinfolk
from plugin.assemble.serving import web_services
from plugin.domain import AccountId, AssetId, Box, FaceId, FoundFace
from plugin.first_start import FirstStart
from plugin.settings import load_settings
from plugin.web.app import create_app
from plugin.web.passwords import password_guard

NAME, PASSWORD = "admin", "correct horse battery"

PICTURE = (
    b"RIFF\x1a\x00\x00\x00WEBPVP8L\r\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"  # one pixel
)


@contextmanager
def application(data: Path) -> Iterator[tuple[Flask, list[str]]]:
    """The application on this folder, and the list of the SQL statements it runs, to be cleared at will."""
    with open_kinfolk(load_settings(data=data), exclusive=False) as kinfolk:
        app, statements = build(kinfolk), list[str]()

        @event.listens_for(kinfolk.catalogue._transactions._engine, "before_cursor_execute")  # noqa: SLF001
        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        yield app, statements


def build(kinfolk: Kinfolk) -> Flask:
    """The application, with a password for the first account, and every face's thumbnail cached."""
    accounts = kinfolk.catalogue.accounts
    accounts.set_password(accounts.all()[0].id, password_guard().hash(PASSWORD))
    thumbnails = kinfolk.thumbnails

    def face_thumbnail(account_id: AccountId, face_id: FaceId) -> bytes:
        thumbnails.keep(face_id, PICTURE)
        return type(thumbnails).face_thumbnail(thumbnails, account_id, face_id)

    def preview(account_id: AccountId, asset_id: AssetId, long_side: int) -> bytes:  # noqa: ARG001, the signature is the port's
        kinfolk.catalogue.assets.get(asset_id, account_id)
        return PICTURE

    thumbnails.face_thumbnail = face_thumbnail  # type: ignore[method-assign]
    thumbnails.preview = preview  # type: ignore[method-assign]
    return create_app(web_services(kinfolk, FirstStart(accounts, password_guard().hash)))


def serve_until_ended(data: Path, port: int, stored: "Synchronized[int]", *, scanning: bool) -> None:
    """Serve until the process is ended; when scanning, store detections all the while, as fast as two workers would."""
    settings = load_settings(data=data)
    with open_kinfolk(settings, exclusive=False) as kinfolk:
        if scanning:
            threading.Thread(target=scan, args=(kinfolk, stored), daemon=True).start()
        app = build(kinfolk)
        create_server(app, host="127.0.0.1", port=port, threads=settings.web.threads).run()


PHOTOS_PER_SECOND = 20
"""More than two cores detect."""


def scan(kinfolk: Kinfolk, stored: "Synchronized[int]") -> None:
    """Claim and finish assets, two faces each; start again with those of last year when none is left."""
    random = np.random.default_rng(1)
    while True:
        claimed = kinfolk.catalogue.detection.claim("benchmark", 4, 60)
        if not claimed:
            kinfolk.catalogue.detection.request("refresh", PACK, range(1, 2000))
        for asset in claimed:
            faces = [face(random, place) for place in (0.1, 0.6)]
            kinfolk.catalogue.detection.finish(asset, PACK, faces, (4000, 3000), asset.taken_at or datetime(2020, 1, 1))  # noqa: DTZ001
            stored.value += 1
            time.sleep(1 / PHOTOS_PER_SECOND)


def face(random: np.random.Generator, left: float) -> FoundFace:
    """Somebody nobody knows."""
    vector = random.standard_normal(DIMENSION, dtype=np.float32)
    landmarks = np.linspace(0.1, 0.9, 10, dtype=np.float32).reshape(5, 2)
    box = Box(left, 0.2, 0.12, 0.16)
    return FoundFace(box, landmarks, 0.9, 0.7, vector / np.linalg.norm(vector), 12.0, 100.0, 0.8, 200.0)
