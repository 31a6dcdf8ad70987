"""Who is looking at an inquiry or writing on it right now."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from collab.accounts import User
from collab.accounts.actor import Actor
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Forbidden
from collab.desk.models import Presence
from collab.inquiries import Inquiry

#: A page tells every 15 seconds that it is open; who has not been heard of for so long is gone.
GONE_AFTER = timedelta(seconds=45)


@dataclass(frozen=True)
class Someone:
    """Somebody else who has the inquiry open."""

    name: str
    writing: bool
    since: datetime


def here(inquiry: Inquiry, *, writing: bool, by: Actor) -> list[Someone]:
    """Say that somebody has the inquiry open, and learn who else has.

    Two pages of one person are one presence; whether it writes is what the one that told last says.
    """
    if by.user_id is None:
        raise Forbidden
    now = clock.now()
    db.session.execute(
        sa.delete(Presence).where(Presence.inquiry_id == inquiry.id, Presence.seen_at < now - GONE_AFTER)
    )
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    told = {"seen_at": now, "writing": writing}
    db.session.execute(
        insert(Presence)
        .values(inquiry_id=inquiry.id, user_id=by.user_id, since=now, **told)
        .on_conflict_do_update(index_elements=["inquiry_id", "user_id"], set_=told)
    )
    return present(inquiry, seen_by=by)


def leave(inquiry: Inquiry, *, by: Actor) -> None:
    """The page was closed."""
    db.session.execute(
        sa.delete(Presence).where(Presence.inquiry_id == inquiry.id, Presence.user_id == by.user_id)
    )


def present(inquiry: Inquiry, *, seen_by: Actor) -> list[Someone]:
    """Who else has the inquiry open now, those who write first."""
    rows = db.session.execute(
        sa.select(User.name, Presence.writing, Presence.since)
        .join(User, User.id == Presence.user_id)
        .where(
            Presence.inquiry_id == inquiry.id,
            Presence.user_id != seen_by.user_id,
            Presence.seen_at >= clock.now() - GONE_AFTER,
        )
        .order_by(Presence.writing.desc(), Presence.since)
    )
    return [Someone(*row) for row in rows]
