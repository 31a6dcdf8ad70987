"""The partner's session: one cookie for each inquiry, good for that inquiry alone, kept and ended on our side."""

from flask import Response, current_app, g, request
from werkzeug.wrappers import Response as BaseResponse

from collab.core.errors import NotFound
from collab.inquiries import Inquiry, links
from collab.settings import Settings


class PageClosed(NotFound):
    """This browser was not let in to this inquiry, or not any more, or there is none: strangers cannot tell which."""


def inquiry_of(reference: str) -> Inquiry:
    """The inquiry this browser was let in to.

    :raises PageClosed: it was not.
    """
    secret = request.cookies.get(_name(reference), "")
    inquiry = links.session_of(secret, reference) if secret else None
    if inquiry is None:
        raise PageClosed
    g.department = inquiry.department
    return inquiry


def remember(response: BaseResponse, reference: str, secret: str) -> None:
    """Put the session's secret into the browser; it forgets it when it is closed."""
    response.set_cookie(
        _name(reference), secret, secure=_settings().is_public, httponly=True, samesite="Lax", path="/"
    )


def end(response: Response | BaseResponse, reference: str) -> None:
    """Close the page in this browser. Runs inside a unit of work."""
    secret = request.cookies.get(_name(reference), "")
    if secret:
        links.end_session(secret)
    response.delete_cookie(
        _name(reference), path="/", secure=_settings().is_public, httponly=True, samesite="Lax"
    )


def _name(reference: str) -> str:
    return f"{'__Host-' if _settings().is_public else ''}my-{reference}"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["collab.settings"]
    return settings
