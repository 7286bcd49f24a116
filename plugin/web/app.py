"""Builds the Flask application from `WebServices`."""

from datetime import timedelta
from wsgiref.types import WSGIApplication

from flask import Blueprint, Flask, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response

from plugin.web import (
    accounts,
    bulk,
    engine,
    engine_page,
    explore,
    face_search,
    first_run,
    history,
    hooks,
    inside_nextcloud,
    libraries,
    live,
    names_on_host,
    nextcloud,
    own_account,
    people,
    person,
    person_photos,
    photo,
    photoprism,
    pictures,
    preferences_page,
    privacy,
    review,
    session,
    shared_people,
    shared_photo,
    shares,
    smart_home,
    status,
    tokens_page,
    unassigned,
)
from plugin.web.addresses import install_addresses
from plugin.web.api.access import FAILURES, FailedTokens
from plugin.web.api.document import application, install_api
from plugin.web.error_pages import install_error_pages
from plugin.web.inside_home_assistant import HooksOnly, IngressDoor
from plugin.web.language import install_language
from plugin.web.request_context import EXTENSION
from plugin.web.request_context import services as request_services
from plugin.web.resources import resource_folder
from plugin.web.scan_state import scan_state
from plugin.web.security import MAXIMUM_REQUEST_BYTES, CookieRules, TrustedProxies, protect_responses
from plugin.web.services import WebServices
from plugin.web.snapshot import install_looking
from plugin.web.static_files import StaticVersions
from plugin.web.styles import BUNDLE, bundled, serve_bundle
from plugin.web.wording import install_wording

FAILED_LOGINS_PER_ADDRESS = "10 per 10 minutes"
ENGINE_REQUESTS = "3000 per minute"
"""Of one address: more than a graphics card looks at, for a picture that is refused is never sent again."""

FAILED_LOGINS_IN_ALL = "100 per 10 minutes"
"""Guessing from many addresses at once; high enough that a stranger does not easily lock a family out."""

PASSWORD_FORMS = ("own_account.change_password", "own_account.take_over")
"""Pages for people who are known already, that ask for a password all the same."""

UPLOADS_PER_ACCOUNT = "20 per minute"
"""Pictures to search by: more than a hand chooses, and less than keeps a small machine from everything else."""


def create_app(services: WebServices) -> Flask:
    """The WSGI application; it starts nothing and keeps no state besides the counts of failed log-ins.

    Args:
        services: what the views work with.
    """
    app = application(
        "kinfolk",
        template_folder=str(resource_folder("templates")),
        static_folder=str(resource_folder("static")),
        root_path=str(resource_folder("static")),
        # Not used, but said: Flask would look for a package kinfolk, and a checkout has a folder of that name.
        instance_path=str(resource_folder("static")),
    )
    app.config.update(configuration(services))
    app.extensions[EXTENSION] = services
    app.session_interface = CookieRules()
    app.jinja_env.undefined = StrictUndefined
    install_language(app)
    install_wording(app)
    app.request_class = face_search.RequestInMemory
    install_looking(app)
    # Before CSRF: a form sent after the session ended leads to the log-in page, not to "expired".
    session.install_session(app)
    # After the guard, so that strangers send nothing large; before CSRF, which reads the form.
    app.before_request(face_search.allow_pictures)
    csrf = CSRFProtect(app)
    for module in (
        session, people, bulk, person, person_photos, photo, explore, pictures, review, unassigned, history, status,
        libraries, nextcloud, photoprism, preferences_page, own_account, accounts, privacy, first_run, live,
        tokens_page, engine,
        engine_page, hooks, smart_home, shares, shared_people, shared_photo, names_on_host,
    ):  # fmt: skip
        app.register_blueprint(module.pages)
    # Its key is no cookie, so no page can make a browser send it.
    csrf.exempt(engine.pages)
    csrf.exempt(hooks.receiver)
    app.register_blueprint(smart_home.of_person)
    app.register_blueprint(hooks.receiver)
    app.register_blueprint(accounts.invitations)
    app.register_blueprint(health())
    # Reads nothing and changes nothing; Files calls it with a token of Nextcloud.
    csrf.exempt("plugin.web.inside_nextcloud.file_action")
    csrf.exempt("plugin.web.inside_nextcloud.init")
    csrf.exempt("plugin.web.inside_nextcloud.enabled")
    inside_nextcloud.install_nextcloud(app)
    install_api(app, csrf)
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", headers_enabled=False)
    limit_logins(app, limiter)
    limit_uploads(app, limiter)
    install_error_pages(app)
    app.context_processor(frame)
    sheets = bundled(resource_folder("static"))
    serve_bundle(app, sheets)
    app.url_defaults(StaticVersions(resource_folder("static"), {BUNDLE: sheets}))
    app.jinja_env.globals["style_sheet"] = BUNDLE
    install_addresses(app)
    app.after_request(protect_responses)
    believing = TrustedProxies(app.wsgi_app, services.trusted_proxies, services.prefix)
    door: WSGIApplication = IngressDoor(believing, services.ingress)
    door = HooksOnly(door, services.hook_port) if services.hook_port else door
    app.wsgi_app = door  # type: ignore[method-assign, assignment]
    return app


def configuration(services: WebServices) -> dict[str, object]:
    """Flask's configuration, with the reason for each deviation from its defaults."""
    return {
        "SECRET_KEY": services.secret_key,
        "MAX_CONTENT_LENGTH": MAXIMUM_REQUEST_BYTES,
        "MAX_FORM_PARTS": 100,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        # Else every picture would carry a new cookie.
        "SESSION_REFRESH_EACH_REQUEST": False,
        "SESSION_COOKIE_NAME": "kinfolk_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # A page may stay open over night; the token is bound to the session, which ends by itself.
        "WTF_CSRF_TIME_LIMIT": None,
        # The token suffices; a proxy that rewrites Host would make every form fail.
        "WTF_CSRF_SSL_STRICT": False,
        "TEMPLATES_AUTO_RELOAD": False,
    }


def health() -> Blueprint:
    """`/healthz` says that the process answers, and nothing else."""
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    return pages


def limit_logins(app: Flask, limiter: Limiter) -> None:
    """Slow down guessing of passwords and of the first-start token: only failures count, in memory."""
    app.extensions[FAILURES] = FailedTokens(limiter, FAILED_LOGINS_PER_ADDRESS, FAILED_LOGINS_IN_ALL)

    def failed(_response: Response) -> bool:
        return bool(g.get("failed_attempt"))

    for endpoint in ("session.log_in", "session.welcome", *PASSWORD_FORMS, "invitations.accept"):
        # A look at a link tells already whether it is right.
        methods = ["GET", "HEAD", "POST"] if endpoint == "invitations.accept" else ["POST"]
        by_address = limiter.limit(FAILED_LOGINS_PER_ADDRESS, methods=methods, deduct_when=failed)
        in_all = limiter.limit(FAILED_LOGINS_IN_ALL, key_func=everybody, methods=methods, deduct_when=failed)
        app.view_functions[endpoint] = by_address(in_all(app.view_functions[endpoint]))  # type: ignore[assignment]  # the decorator's type admits async views
    for endpoint in ("engine.open_model", "engine.detect", "engine.compute"):
        app.view_functions[endpoint] = limiter.limit(ENGINE_REQUESTS)(app.view_functions[endpoint])  # type: ignore[assignment]  # as above


def limit_uploads(app: Flask, limiter: Limiter) -> None:
    """A picture that is brought along costs seconds of work: pages and programs of an account share a count."""
    limit = limiter.shared_limit(UPLOADS_PER_ACCOUNT, scope="pictures", key_func=whose_account, methods=["POST"])
    for endpoint in face_search.UPLOADS:
        app.view_functions[endpoint] = limit(app.view_functions[endpoint])  # type: ignore[assignment]  # as above


def whose_account() -> str:
    """One counter for each account."""
    return str(g.account.id)


def everybody() -> str:
    """One counter for all addresses."""
    return "everybody"


def frame() -> dict[str, object]:
    """What every template may use: who is logged in, the scan sign and where the navigation stands."""
    visitor = g.get("account")
    return {
        "account": visitor,
        "scan": scan_state(visitor.id) if visitor else None,
        "section": request.blueprint,
        "view": g.get("view"),
        "sharers": lambda: request_services().catalogue.shares.owners(visitor.id) if visitor else {},
        # Both know who is looking, so nobody logs out. Home Assistant shows whole pages, Nextcloud parts of them.
        "embedded": bool(g.get("inside_nextcloud")),
        "in_home_assistant": bool(g.get("inside_home_assistant")),
        "standing_event": lambda: request_services().history.standing(visitor.id) if visitor else None,
    }
