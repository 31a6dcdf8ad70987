"""Reading the outbox, for the staff's page."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from collab.core import clock, site
from collab.core.db import db
from collab.core.errors import NotFound
from collab.core.paging import Page, from_cursor, to_cursor
from collab.mail import rules
from collab.mail.models import MailState, OutboxMail


def outbox(
    department_ids: Collection[int],
    *,
    state: MailState | None = None,
    topic: str | None = None,
    text: str = "",
    about: tuple[str, int] | None = None,
    after: str | None = None,
    size: int = 30,
    portal_mails: bool = False,
    without: tuple[str, Collection[int]] | None = None,
) -> Page[OutboxMail]:
    """Mails of these departments, newest first.

    :param text: part of the address, the name or the subject.
    :param after: a cursor of a page before.
    :param portal_mails: also those that belong to no department (invitations of administrators).
    :param without: all but those about these: a kind of thing and its ids.
    :raises Invalid: the cursor is none of this list.
    """
    query = sa.select(OutboxMail).where(_visible(department_ids, portal_mails), _not_about(without))
    if state is not None:
        query = query.where(OutboxMail.state == state)
    if topic:
        query = query.where(OutboxMail.topic == topic)
    if about is not None:
        query = query.where(OutboxMail.about_kind == about[0], OutboxMail.about_id == about[1])
    for word in text.split()[:8]:
        query = query.where(
            sa.or_(
                *(
                    column.icontains(word, autoescape=True)
                    for column in (OutboxMail.to_address, OutboxMail.to_name, OutboxMail.subject)
                )
            )
        )
    key, back = from_cursor(after, length=1) if after else ((None,), False)
    if key[0] is not None:
        position = int(key[0]) if isinstance(key[0], int) else 0
        query = query.where(OutboxMail.id > position if back else OutboxMail.id < position)
    order = OutboxMail.id.asc() if back else OutboxMail.id.desc()
    rows = list(db.session.scalars(query.order_by(order).limit(size + 1)))
    more = len(rows) > size
    rows = rows[:size]
    if back:
        rows.reverse()
    older = more if not back else True
    newer = more if back else after is not None
    return Page(
        rows=rows,
        older=to_cursor((rows[-1].id,)) if rows and older else None,
        newer=to_cursor((rows[0].id,), back=True) if rows and newer else None,
    )


def by_id(id: int, department_ids: Collection[int], *, portal_mails: bool = False) -> OutboxMail:
    """:raises NotFound: there is none, or it is another department's."""
    mail = db.session.scalar(
        sa.select(OutboxMail).where(OutboxMail.id == id, _visible(department_ids, portal_mails))
    )
    if mail is None:
        raise NotFound
    return mail


def of(about: tuple[str, int]) -> list[OutboxMail]:
    """All mails about one thing, oldest first."""
    return list(
        db.session.scalars(
            sa.select(OutboxMail)
            .where(OutboxMail.about_kind == about[0], OutboxMail.about_id == about[1])
            .order_by(OutboxMail.id)
        )
    )


def piles(
    department_ids: Collection[int],
    *,
    portal_mails: bool = False,
    without: tuple[str, Collection[int]] | None = None,
) -> tuple[dict[MailState, int], list[str]]:
    """How many mails stand where (states without a mail are 0), and the topics there are; one query."""
    rows = db.session.execute(
        sa.select(OutboxMail.state, OutboxMail.topic, sa.func.count())
        .where(_visible(department_ids, portal_mails), _not_about(without))
        .group_by(OutboxMail.state, OutboxMail.topic)
    ).all()
    found = dict.fromkeys(MailState, 0)
    for state, _topic, number in rows:
        found[state] += number
    return found, sorted({topic for _state, topic, _number in rows})


def readable(mail: OutboxMail) -> tuple[str, str | None]:
    """Text and HTML as staff may read them.

    Where an SMTP server is set the partner has the links, so they are struck out here; where none is set the
    outbox is the only place to find them.
    """
    settings = site.settings()
    if not settings.sends_mail:
        return mail.body_text, mail.body_html
    html = rules.strike(mail.body_html, mail.secrets) if mail.body_html else None
    return rules.strike(mail.body_text, mail.secrets), html


def oldest_waiting() -> datetime | None:
    """Since when the mail that waits longest has been due; ``None`` when nothing waits. An alarm when it is long."""
    return db.session.scalar(
        sa.select(sa.func.min(sa.func.coalesce(OutboxMail.hold_until, OutboxMail.created_at))).where(
            OutboxMail.state.in_([MailState.QUEUED, MailState.SENDING])
        )
    )


def failed_since(span: timedelta) -> int:
    """How many mails were given up on in the last while."""
    return (
        db.session.scalar(
            sa.select(sa.func.count()).where(
                OutboxMail.state == MailState.FAILED, OutboxMail.due_at >= clock.now() - span
            )
        )
        or 0
    )


def _not_about(without: tuple[str, Collection[int]] | None) -> sa.ColumnElement[bool]:
    if without is None or not without[1]:
        return sa.true()
    kind, ids = without
    return sa.or_(
        OutboxMail.about_kind.is_(None),
        OutboxMail.about_kind != kind,
        OutboxMail.about_id.not_in(sorted(ids)),
    )


def _visible(department_ids: Collection[int], portal_mails: bool) -> sa.ColumnElement[bool]:
    mine = OutboxMail.department_id.in_(department_ids)
    return sa.or_(mine, OutboxMail.department_id.is_(None)) if portal_mails else mine
