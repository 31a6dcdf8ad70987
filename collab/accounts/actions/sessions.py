"""Sessions: begun, used, ended. A session's token changes with every step of the sign-in."""

from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from collab import audit
from collab.accounts import second_factor as second_factor_codes
from collab.accounts.actor import Actor
from collab.accounts.models import Invitation, PasswordReset, StaffSession, User
from collab.accounts.queries import SESSION
from collab.core import clock, site, tokens
from collab.core.db import db
from collab.core.errors import NotFound
from collab.core.text import shorten

#: How long the second step of a sign-in may take; setting up an app takes people longer than reading a code.
HALF: Final = timedelta(minutes=10)
ENROLMENT: Final = timedelta(minutes=30)
#: Sessions are remembered this long after their end: they say which networks a person signs in from.
KEPT: Final = timedelta(days=31)


def start_session(
    user: User, *, by: Actor, second_factor: bool, agent: str = "", instead_of: StaffSession | None = None
) -> str:
    """Begin a session and end the one it takes the place of.

    :param second_factor: whether the second factor was shown; without it the session opens only the next step.
    :returns: the token for the cookie; only its digest is kept.
    """
    now = clock.now()
    if instead_of is not None:
        instead_of.ended_at = instead_of.ended_at or now
        instead_of.candidate_secret = None
    if second_factor:
        settings = site.settings()
        lasts = timedelta(hours=settings.session_hours)
    else:
        lasts = HALF if user.has_second_factor else ENROLMENT
    token = tokens.new_token()
    db.session.add(
        StaffSession(
            token=tokens.digest(SESSION, token),
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + lasts,
            second_factor_at=now if second_factor else None,
            network=by.network,
            agent=clean_agent(agent),
            # Made here and not when it is shown: reading a page writes nothing.
            candidate_secret=None if user.has_second_factor else second_factor_codes.new_secret(),
            candidate_until=None if user.has_second_factor else now + ENROLMENT,
        )
    )
    return token


def clean_agent(agent: str) -> str:
    """What a browser calls itself, as far as it can be shown: printable, one line, 200 characters."""
    return shorten("".join(c if c.isprintable() else " " for c in agent[:1000]), 200)


def touch_session(session_id: int) -> None:
    """Note that the person did something just now; at most once a minute."""
    now = clock.now()
    db.session.execute(
        sa.update(StaffSession)
        .where(
            StaffSession.id == session_id,
            StaffSession.ended_at.is_(None),
            StaffSession.last_seen_at < now - timedelta(minutes=1),
        )
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )


def end_session(session_id: int, *, of: User, by: Actor) -> None:
    """End one session of a person; one that has ended stays so.

    :raises NotFound: the person has no such session.
    """
    session = db.session.get(StaffSession, session_id)
    if session is None or session.user_id != of.id:
        raise NotFound
    if session.ended_at is None:
        session.ended_at = clock.now()
        session.candidate_secret = None
        audit.record("account.signed_out", by=by, on=("user", of.id))


def end_all_sessions(user: User, *, by: Actor, but: int | None = None) -> int:
    """End every session of a person, except perhaps the one at hand; returns how many."""
    conditions = [StaffSession.user_id == user.id, StaffSession.ended_at.is_(None)]
    if but is not None:
        conditions.append(StaffSession.id != but)
    result = db.session.execute(
        sa.update(StaffSession)
        .where(*conditions)
        .values(ended_at=clock.now(), candidate_secret=None)
        .execution_options(synchronize_session="fetch")
    )
    number = int(getattr(result, "rowcount", 0))
    if number:
        audit.record("account.sessions_ended", by=by, on=("user", user.id), detail={"number": number})
    return number


def sweep() -> int:
    """Forget sessions, invitations and resets that have been over for a month; returns how many."""
    past = clock.now() - KEPT
    gone = 0
    for kind in (StaffSession, Invitation, PasswordReset):
        result = db.session.execute(
            sa.delete(kind).where(kind.expires_at < past).execution_options(synchronize_session=False)
        )
        gone += int(getattr(result, "rowcount", 0))
    return gone
