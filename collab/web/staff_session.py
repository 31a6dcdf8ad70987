"""The cookie of the staff, and who it stands for.

The cookie holds a random token and the minute it was last used, signed together. The token's digest is looked up in
the database with every request, so a session that was ended is dead at once. The minute rolls with every page, which
keeps the idle time without writing to the database when a page is only read
(docs/decisions/0011-staff-sessions.md).
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Flask, Request, Response, current_app, g, request, session
from itsdangerous import BadSignature, Signer
from werkzeug import Response as BaseResponse

from collab import accounts
from collab.accounts import SignedIn, StaffSession, User
from collab.core import clock, site
from collab.core.db import unit_of_work
from collab.extensions import login_manager
from collab.settings import Settings

_ROLLS_AFTER: Final = timedelta(minutes=1)
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def init_app(app: Flask, _settings: Settings) -> None:
    """Let Flask-Login ask us, and nobody else, who is signed in."""
    login_manager.session_protection = None
    login_manager.request_loader(_signed_in)

    @app.before_request
    def _note_deed() -> None:
        if request.method in _READS or not _is_staff_page():
            return
        found = _signed_in(request)
        if found is not None and clock.now() - found.last_seen_at > _ROLLS_AFTER:
            with unit_of_work():
                accounts.touch_session(found.session_id)

    @app.after_request
    def _roll(response: Response) -> Response:
        token = g.get("staff_token")
        if token and g.get("staff_token_lives") and _is_staff_page() and not g.get("staff_cookie_set"):
            seen_at: datetime = g.staff_seen_at
            if abs(clock.now() - seen_at) > _ROLLS_AFTER:
                _set_cookie(response, token)
        return response


def begin(response: BaseResponse, token: str) -> BaseResponse:
    """Give the browser this session in place of any other, and a new form key with it."""
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)
    _set_cookie(response, token)
    return response


def leave(response: BaseResponse) -> BaseResponse:
    """Take the cookie away, and what the browser kept of the pages."""
    session.clear()
    g.pop("csrf_token", None)
    g.staff_cookie_set = True
    settings = site.settings()
    response.delete_cookie(
        _name(settings), path="/", secure=settings.is_public, httponly=True, samesite="Lax"
    )
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def waiting() -> tuple[User, StaffSession] | None:
    """The account and session of a browser that is on its way through the sign-in."""
    found = present()
    if found is None or accounts.step_of(*found) is accounts.Step.DONE:
        return None
    return found


def present() -> tuple[User, StaffSession] | None:
    """The account and living session of this browser, whatever step it is at."""
    token, seen_at = _cookie(request)
    return accounts.session_by_token(token, seen_at=seen_at) if token else None


def _signed_in(asked: Request) -> SignedIn | None:
    if "staff_signed_in" not in g:
        token, seen_at = _cookie(asked)
        g.staff_signed_in = accounts.signed_in_by(token, seen_at=seen_at) if token else None
        g.staff_token, g.staff_seen_at = token, seen_at
        g.staff_token_lives = g.staff_signed_in is not None
    found: SignedIn | None = g.staff_signed_in
    return found


def _cookie(asked: Request) -> tuple[str, datetime | None]:
    value = asked.cookies.get(_name(site.settings()), "")
    if not value or len(value) > 300:
        return "", None
    try:
        token, _dot, minute = _signer().unsign(value).decode("ascii").partition(".")
        return token, datetime.fromtimestamp(int(minute), UTC)
    except (BadSignature, ValueError, OverflowError, OSError):
        return "", None


def _set_cookie(response: BaseResponse, token: str) -> None:
    settings = site.settings()
    value = _signer().sign(f"{token}.{int(clock.now().timestamp())}").decode("ascii")
    response.set_cookie(
        _name(settings), value, path="/", secure=settings.is_public, httponly=True, samesite="Lax"
    )
    g.staff_cookie_set = True


def _name(settings: Settings) -> str:
    return "__Host-collab" if settings.is_public else "collab"


def _signer() -> Signer:
    keys = [*(current_app.config.get("SECRET_KEY_FALLBACKS") or []), current_app.config["SECRET_KEY"]]
    return Signer(keys, salt="collab staff session", key_derivation="hmac", digest_method=hashlib.sha256)


def _is_staff_page() -> bool:
    return request.path.startswith("/staff")
