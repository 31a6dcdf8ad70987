"""The partner's session: one cookie for each inquiry, good for that inquiry alone, kept and ended on our side.

The cookie holds the session's secret and the second of its last use, signed together. The second rolls with every page
and gives the idle time without a write; the longest life stands in the row (as for staff, decision 11).
"""

from datetime import UTC, datetime, timedelta

from flask import Response, current_app, g, request
from itsdangerous import BadSignature
from werkzeug.wrappers import Response as BaseResponse

from collab.core import clock
from collab.core.errors import NotFound
from collab.inquiries import Inquiry, links
from collab.settings import Settings
from collab.web.partner import bp, seals

_ROLLS_AFTER = timedelta(minutes=1)


class PageClosed(NotFound):
    """This browser was not let in to this inquiry, or not any more, or there is none: strangers cannot tell which."""


def inquiry_of(reference: str) -> Inquiry:
    """The inquiry this browser was let in to.

    :raises PageClosed: it was not.
    """
    secret, seen_at = _cookie(reference)
    idle = clock.now() - seen_at
    if not secret or idle >= timedelta(minutes=_settings().partner_session_minutes):
        raise PageClosed
    inquiry = links.session_of(secret, reference)
    if inquiry is None:
        raise PageClosed
    g.department = inquiry.department
    if abs(idle) > _ROLLS_AFTER:
        g.partner_session = (reference, secret)
    return inquiry


@bp.after_request
def _roll(response: Response) -> Response:
    """A page that was used stays open."""
    if "partner_session" in g:
        remember(response, *g.pop("partner_session"))
    return response


def remember(response: BaseResponse, reference: str, secret: str) -> None:
    """Put the session's secret into the browser; it forgets it when it is closed."""
    value = seals.signer("session").dumps([secret, int(clock.now().timestamp())])
    response.set_cookie(
        _name(reference),
        str(value),
        secure=_settings().is_public,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def end(response: Response | BaseResponse, reference: str) -> None:
    """Close the page in this browser. Runs inside a unit of work."""
    secret, _seen_at = _cookie(reference)
    if secret:
        links.end_session(secret)
    g.pop("partner_session", None)
    response.delete_cookie(
        _name(reference), path="/", secure=_settings().is_public, httponly=True, samesite="Lax"
    )


def _cookie(reference: str) -> tuple[str, datetime]:
    """The session's secret and when it was used last; no secret when there is none of ours."""
    value = request.cookies.get(_name(reference), "")
    if not value or len(value) > 300:
        return "", clock.now()
    try:
        secret, second = seals.signer("session").loads(value)
        return str(secret), datetime.fromtimestamp(int(second), UTC)
    except (BadSignature, ValueError, TypeError, OverflowError, OSError):
        return "", clock.now()


def _name(reference: str) -> str:
    return f"{'__Host-' if _settings().is_public else ''}my-{reference}"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["collab.settings"]
    return settings
