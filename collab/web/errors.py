"""Every refusal and every mishap becomes one page, in the reader's language, without a word of the inside."""

from pathlib import Path
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from collab.core import db as database
from collab.core.db import TryAgain, db
from collab.core.errors import Forbidden, NotFound, Refused, TooMany, Unavailable

log = structlog.get_logger("collab.web")
_NOT_WRITTEN = frozenset({"csrf_token", "password", "old_password", "new_password", "code", "version"})
_A_SENTENCE = 20


def init_app(app: Flask) -> None:
    """Register the handlers."""
    plain = Path(str(app.template_folder), "errors/plain_500.html")
    app.extensions["collab.plain_error"] = plain.read_text()

    @app.errorhandler(Refused)
    def _refused(error: Refused) -> Response:
        if isinstance(error, NotFound | Forbidden) and request.blueprint in {"staff", "admin", "partner"}:
            log.warning("refused", kind=type(error).__name__, endpoint=request.endpoint)
        response = page(error.status, error.message or None)
        if isinstance(error, TooMany | Unavailable):
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError) -> Response:
        return page(
            400,
            _("This page was open too long or was opened elsewhere. Go back, reload it and send it again."),
        )

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        if isinstance(error, RequestEntityTooLarge):
            return page(413)
        if error.response is not None:
            return make_response(error.get_response())  # a redirect, or an answer made ready
        response = page(error.code or 500)
        if error.code == 405 and getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return response

    @app.errorhandler(Exception)
    def _mishap(error: Exception) -> Response:
        db.session.rollback()
        if isinstance(error, TryAgain) or database.is_away(error):
            log.error("database_away", error=type(error).__name__)
            response = page(503)
            response.headers["Retry-After"] = "30"
            return response
        log.error("mishap", endpoint=request.endpoint, exc_info=error)
        return page(500)

    @app.teardown_appcontext
    def _let_go(_error: BaseException | None) -> None:
        # Before Flask-SQLAlchemy's own: a connection that breaks after the answer was made must not cost the answer.
        try:
            if db.session.registry.has():
                db.session.rollback()
        except DBAPIError as failure:
            log.warning("connection_broke_at_the_end", error=type(failure).__name__)
            db.session().invalidate()


def sentences(status: int) -> tuple[str, str]:
    """Heading and sentence for a status."""
    known = {
        400: (
            _("This request cannot be read"),
            _("Something in the address or the form was not as expected."),
        ),
        401: (_("Please sign in"), _("This page is for members of staff.")),
        403: (
            _("Not for this account"),
            _("Your account may not do this. Ask an administrator if you should."),
        ),
        404: (
            _("There is nothing at this address"),
            _("Check the address, or start again from the first page."),
        ),
        405: (_("This cannot be done here"), _("The page was called in a way it does not know.")),
        409: (
            _("Not possible as it stands now"),
            _(
                "This has changed since you opened it, and nothing of yours was done. Look at it as it is now."
            ),
        ),
        410: (_("No longer here"), _("What was at this address has been removed.")),
        413: (_("Too large"), _("What you sent is larger than the portal takes. Send a smaller file.")),
        415: (_("Not a kind of content the portal takes"), _("Send it in another form.")),
        422: (_("This cannot be taken as it is"), _("Go back and check what you entered.")),
        429: (_("Too many attempts"), _("Please wait a little and try again.")),
        503: (
            _("Just now the portal cannot do this"),
            _("Nothing was lost and nothing was kept. Please try again in a few minutes."),
        ),
    }
    return known.get(
        status,
        (_("Something went wrong on our side"), _("It has been noted. Please try again in a few minutes.")),
    )


def page(status: int, message: str | None = None) -> Response:
    """The error page for a status, with the refusal's own sentence where it has one."""
    heading, sentence = sentences(status)
    try:
        body = render_template(
            "errors/error.html",
            status=status,
            heading=heading,
            message=message or sentence,
            request_id=g.get("request_id", ""),
            back=_page_before() if status == 409 else None,
            typed=_typed() if status in {409, 503} else [],
        )
    except Exception:
        # The error page itself must never fail: the plain one needs no database and no rendering.
        log.exception("error_page_failed")
        body = current_app.extensions["collab.plain_error"]
    response = make_response(body, status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _page_before() -> str | None:
    """The page of ours that the request came from, if a person can open it again."""
    before = urlsplit(request.referrer or "")
    if f"{before.scheme}://{before.netloc}/" != request.host_url or before.path.startswith("//"):
        return None
    return f"{before.path}?{before.query}" if before.query else before.path


def _typed() -> list[str]:
    """What a member of staff had written into the form: it is given back, whatever stood in the way.

    Only sentences: names of choices and what the form carries hidden (moments, digests, codes: ASCII without
    a space) help nobody, and passwords and codes are shown to nobody.
    """
    if request.blueprint not in {"staff", "admin"}:
        return []
    return [
        value
        for name, values in request.form.lists()
        for value in values
        if name not in _NOT_WRITTEN
        and len(value) >= _A_SENTENCE
        and not (value.isascii() and " " not in value)
    ]
