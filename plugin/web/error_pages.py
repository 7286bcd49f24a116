"""What a visitor sees when something did not work: what happened and the way on, never an inside."""

from flask import Flask, Response, current_app, flash, g, request, url_for
from flask import render_template as render
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from plugin.errors import DiskFull, HostError, KinfolkError, ModelError, NotAllowed, NotFound, Refused, SearchIndexError
from plugin.sentences import Sentence
from plugin.web.api import problems
from plugin.web.language import explained, translated
from plugin.web.request_context import see_other, speaks_json
from plugin.web.security import came_from

Answer = Response | tuple[str, int]

SENTENCES = {
    400: (Sentence("That did not work"), Sentence("The request was not complete. Go back and try again.")),
    403: (Sentence("Not for this account"), Sentence("Only the person who looks after Kinfolk may do this.")),
    404: (Sentence("Nothing here"), Sentence("It may have been deleted or merged, or the link is not right.")),
    405: (Sentence("That did not work"), Sentence("This page cannot be used that way. Go back and try again.")),
    413: (
        Sentence("Too much at once"),
        Sentence("What was sent is larger than Kinfolk takes here. A picture may have 25 MB."),
    ),
    429: (Sentence("Too many attempts"), Sentence("Wait a few minutes, then try again.")),
    500: (
        Sentence("Something broke"),
        Sentence("It is our fault, not yours. The log of Kinfolk says what happened; nothing was lost."),
    ),
}
EXPIRED = (
    Sentence("This page has expired"),
    Sentence("Go back, reload the page and send it once more. Nothing was changed."),
)


def install_error_pages(app: Flask) -> None:
    """Answer every error with a page of our own."""
    app.register_error_handler(CSRFError, forged)
    app.register_error_handler(KinfolkError, explain)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)


def page(status: int, title: str, text: str) -> Answer:
    """One error page, or the same as JSON for those who asked the API."""
    title, text = translated(title), translated(text)
    if speaks_json():
        return problems.problem(status, str(title), str(text))
    if status >= 500:
        # The frame of a page asks the catalogue, which may be what broke.
        g.pop("account", None)
    return render("error.html", status=status, title=title, text=text), status


def forged(_error: CSRFError) -> Answer:
    """A form (or a script of a page) without its token: too old, or not ours."""
    if speaks_json():
        return problems.problem(
            403, "The header X-CSRFToken is missing or too old", "Programs send a token instead", code="csrf"
        )
    return page(400, *EXPIRED)


def http_error(error: HTTPException) -> Answer:
    """Errors of the protocol; redirects that werkzeug raises pass through."""
    status = error.code or 500
    if status < 400:
        return current_app.make_response(error.get_response())
    title, text = SENTENCES.get(status, SENTENCES[400 if status < 500 else 500])
    answer = page(status, title, text)
    if isinstance(answer, Response) and isinstance(error, MethodNotAllowed):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


def explain(error: KinfolkError) -> Answer:
    """Errors of the design: after a form, back to it with the explanation; else a page."""
    if speaks_json():
        current_app.logger.info("%s: %s", request.path, error)
        return problems.explained(error)
    if isinstance(error, NotFound):
        return page(404, *SENTENCES[404])
    if isinstance(error, NotAllowed):
        return page(403, SENTENCES[403][0], explained(error))
    if request.method == "POST":
        flash(explained(error), "bad")
        return current_app.make_response(see_other(came_from(url_for("people.index"))))
    current_app.logger.warning("%s: %s", request.path, error)
    return page(status_of(error), Sentence("That did not work"), explained(error))


def status_of(error: KinfolkError) -> int:
    """The HTTP status that says what kind of trouble it is."""
    if isinstance(error, Refused):
        return 400
    if isinstance(error, DiskFull):
        return 507
    return 503 if isinstance(error, HostError | ModelError | SearchIndexError) else 500


def unexpected(error: Exception) -> Answer:
    """A fault of ours: all of it in the log, none of it on the page."""
    current_app.logger.error("Unexpected error at %s", request.path, exc_info=error)
    return page(500, *SENTENCES[500])
