"""The secret address under which a calendar program asks for a person's due dates."""

import sqlalchemy as sa

from collab import audit
from collab.accounts.actor import Actor
from collab.accounts.models import CalendarFeed, User
from collab.core import clock, tokens
from collab.core.db import db
from collab.core.errors import Forbidden, NotFound

FEED = "calendar-feed"


def feed_of(user_id: int) -> CalendarFeed | None:
    """A person's living feed."""
    return db.session.scalar(
        sa.select(CalendarFeed)
        .where(CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None))
        .order_by(CalendarFeed.id.desc())
        .limit(1)
    )


def feed_by_token(token: str) -> User:
    """Whose feed it is.

    :raises NotFound: unknown, revoked, or the account is disabled or in no department: one and the same answer.
    """
    user = None
    if token and len(token) <= 64:
        user = db.session.scalar(
            sa.select(User)
            .join(CalendarFeed, CalendarFeed.user_id == User.id)
            .where(
                CalendarFeed.token == tokens.digest(FEED, token),
                CalendarFeed.revoked_at.is_(None),
                User.disabled_at.is_(None),
            )
        )
    if user is None or not user.memberships:
        raise NotFound
    return user


def make_feed(user: User, *, by: Actor) -> str:
    """A new address for one's own feed; an older one is dead from now on.

    :returns: the token. It is shown once and kept nowhere.
    """
    _end(user, by)
    token = tokens.new_token()
    db.session.add(CalendarFeed(user_id=user.id, token=tokens.digest(FEED, token), created_at=clock.now()))
    db.session.flush()
    audit.record("account.feed_made", by=by, on=("user", user.id))
    return token


def revoke_feed(user: User, *, by: Actor) -> None:
    """End one's own feed; without one nothing happens."""
    if _end(user, by):
        audit.record("account.feed_revoked", by=by, on=("user", user.id))


def _end(user: User, by: Actor) -> int:
    if by.user_id != user.id:
        raise Forbidden
    db.session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    feeds = db.session.scalars(
        sa.select(CalendarFeed).where(CalendarFeed.user_id == user.id, CalendarFeed.revoked_at.is_(None))
    ).all()
    for one in feeds:
        one.revoked_at = clock.now()
    db.session.flush()
    return len(feeds)
