"""What protects every page: headers, cookies, trusted proxies, safe redirects."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature
from werkzeug.middleware.proxy_fix import ProxyFix

from plugin.web.request_context import services

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)
MAXIMUM_REQUEST_BYTES = 1024 * 1024
"""The largest form is a name and a path."""

APP_HEADER, BASE_HEADER, SESSION_HEADER = "AUTHORIZATION-APP-API", "X-Kinfolk-Base", "X-Kinfolk-Session"
FROM_HEADER = "X-Kinfolk-From"
"""Of requests through the proxy of Nextcloud's AppAPI: who, under which path, the session, and from which page."""

EMBEDDED_SESSION_SECONDS = 24 * 3600

FOREVER = "max-age=31536000, immutable"


def content_security_policy(framed_by: Iterable[str]) -> str:
    """The policy of every page. `framed_by`: other sites that may show it in a frame."""
    return CONTENT_SECURITY_POLICY.replace("frame-ancestors 'self'", " ".join(("frame-ancestors 'self'", *framed_by)))


def protect_responses(response: Response) -> Response:
    """Add the security headers; pages are never cached unless the view said otherwise (they show private photos)."""
    response.headers.setdefault("Content-Security-Policy", content_security_policy(services().framed_by))
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if request.endpoint == "static":
        response.headers["Cache-Control"] = f"public, {FOREVER}" if "v" in request.args else "no-cache"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


class CookieRules(SecureCookieSessionInterface):
    """Session cookies: Secure exactly when the request came by https, and bound to the prefix Kinfolk runs under."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - the signature is Flask's
        """Https in front of a trusted proxy counts; plain http in the home network must still work."""
        return request.is_secure

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """From a header inside Nextcloud (`plugin.web.inside_nextcloud`), where no cookie passes; else from the cookie.

        Both are signed in the same way, so neither opens more than the other.
        """
        if APP_HEADER not in request.headers or BASE_HEADER not in request.headers:
            return super().open_session(app, request)
        signer = self.get_signing_serializer(app)
        sent = request.headers.get(SESSION_HEADER, "")
        try:
            said = signer.loads(sent, max_age=EMBEDDED_SESSION_SECONDS) if signer else {}
        except BadSignature:
            said = {}
        return SecureCookieSession(said)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """The other way round."""
        if APP_HEADER not in request.headers:
            super().save_session(app, session, response)
        elif BASE_HEADER in request.headers and session.modified:
            signer = self.get_signing_serializer(app)
            response.headers[SESSION_HEADER] = str(signer.dumps(dict(session))) if signer else ""

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - the signature is Flask's
        """Two add-ons under one host name must not read each other's cookies."""
        return f"{request.script_root}/"


def safe_path(target: str | None) -> str | None:
    """The target when it is a path on this very site, else None: no scheme, no host, no trick with slashes."""
    if not target or any(ord(character) < 0x20 for character in target) or "\\" in target:
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return None
    return target


def came_from(fallback: str) -> str:
    """The page a form was sent from, as a path, for going back after something was refused."""
    if APP_HEADER in request.headers and BASE_HEADER in request.headers:
        # The browser would name the page of Nextcloud around it.
        inside = safe_path(request.headers.get(FROM_HEADER))
        return f"{request.script_root}{inside}" if inside else fallback
    referrer = urlsplit(request.referrer or "")
    path = f"{referrer.path}?{referrer.query}" if referrer.query else referrer.path
    return (safe_path(path) if referrer.netloc == request.host else None) or fallback


class TrustedProxies:
    """WSGI middleware: believes X-Forwarded-* only from the networks given, and applies a fixed prefix.

    Without it anybody could set X-Forwarded-For and walk around the limit on log-ins.
    """

    def __init__(self, app: WSGIApplication, networks: Iterable[str], prefix: str) -> None:
        self._app = app
        self._behind_proxy = ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
        self._networks = [ip_network(network, strict=False) for network in networks]
        self._prefix = clean_prefix(prefix)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        prefix = self._prefix
        if trusted := self._trusts(environ.get("REMOTE_ADDR", "")):
            said = environ["HTTP_X_FORWARDED_PREFIX"] = clean_prefix(environ.get("HTTP_X_FORWARDED_PREFIX", ""))
            prefix = said or prefix
        if "HTTP_AUTHORIZATION_APP_API" in environ:
            # The page inside Nextcloud knows the path of the proxy; links under any other would only be wrong.
            prefix = clean_prefix(environ.get("HTTP_X_KINFOLK_BASE", "")) or prefix
        if prefix:
            environ["SCRIPT_NAME"] = prefix
            # Some proxies pass the prefix on, others strip it; both must reach the same page.
            strip_prefix(environ, prefix)
        return (self._behind_proxy if trusted else self._app)(environ, start_response)

    def _trusts(self, address: str) -> bool:
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self._networks)


def clean_prefix(prefix: str) -> str:
    """`/a/b` for a well-formed prefix, "" for anything else ("//evil.example" would turn links into other hosts)."""
    parts = prefix.strip("/").split("/")
    well_formed = all(part and part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in parts)
    return "/" + "/".join(parts) if well_formed and prefix.isascii() and not prefix.startswith("//") else ""


def strip_prefix(environ: WSGIEnvironment, prefix: str) -> None:
    """Take the prefix off PATH_INFO when it is still there."""
    path = environ.get("PATH_INFO", "")
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        environ["PATH_INFO"] = path[len(prefix) :] or "/"


def wants_fragment() -> bool:
    """Whether htmx asked for the part it swaps in place (a restored history entry needs the whole page)."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers
