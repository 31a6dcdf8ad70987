"""The daily digest: one mail a person on working days, of what is late, due, new and waits (domain.md B.5, S1–S6).

A worker that slept writes the one of today. Whether there was anything to say or not is kept for the day, so that
nobody is written to twice. A digest says references, what and by when, and is for its reader alone.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask_babel import LazyString, force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from collab import accounts, departments, mail
from collab.accounts import Membership, User, Wish, mail_choices
from collab.accounts.actor import Actor
from collab.accounts.models import DigestRun
from collab.core import clock, site
from collab.core.db import db
from collab.departments import Department, working_calendar
from collab.desk import agenda
from collab.desk.agenda import Item
from collab.inquiries import Inquiry, deputies, queries
from collab.inquiries.deadlines import What
from collab.inquiries.models import Conflict, DigestLine
from collab.mail import OutboxMail

TOPIC = "S-digest"
#: What is due in so many days stands in it, and what is due soon however far that is.
WEEK = timedelta(days=7)
#: As far ahead as anything is looked at.
AHEAD = timedelta(days=31)
#: Lines that were told are kept so long.
KEPT = timedelta(days=60)

#: What a line says of a mail that was not sent on its own.
NEWS: dict[str, LazyString] = {
    "staff_assigned": _l("you are asked for an answer"),
    "staff_gates": _l("gates wait for you"),
    "staff_gates_due": _l("gates wait for you and are due"),
    "staff_new": _l("new in the queue"),
    "staff_overdue": _l("something is late"),
    "staff_replacement": _l("no answer in time: find another person"),
    "staff_away": _l("somebody asked is away: find another person"),
    "staff_conflict": _l("somebody declared a conflict of interest"),
    "staff_gate_blocked": _l("a gate is blocked"),
    "staff_erasure": _l("the partner asks for erasure"),
    "staff_partner_wrote": _l("the partner wrote"),
    "staff_host_answered": _l("the host has answered"),
    "staff_third_reader": _l("a third reader is wanted"),
    "staff_mention": _l("you are mentioned in a note"),
    "staff_released": _l("you need not answer any more"),
    "staff_due": _l("an answer is due or overdue"),
    "staff_due_soon": _l("something is due soon"),
    "staff_decision": _l("a decision waits"),
}
#: Those stand in the list of what is due, unless they are told to somebody instead of a person who is away.
AMONG_THE_DATES = frozenset({"staff_due", "staff_due_soon", "staff_decision"})


class News(NamedTuple):
    """Something that happened."""

    reference: str
    words: str


class ForAnother(NamedTuple):
    """Something that waits for somebody who is away."""

    reference: str
    what: LazyString
    day: date | None


@dataclass(frozen=True)
class Digest:
    """What one person is told on one day.

    :param others: what waits for those for whom the person stands in: name, last day away, items.
    """

    late: list[Item] = field(default_factory=list)
    today: list[Item] = field(default_factory=list)
    week: list[Item] = field(default_factory=list)
    decide: list[Item] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    others: list[tuple[str, date, list[ForAnother]]] = field(default_factory=list)

    @property
    def count(self) -> int:
        own = (self.late, self.today, self.week, self.decide, self.news)
        return sum(len(one) for one in own) + sum(len(found) for _name, _until, found in self.others)


def due_people() -> list[int]:
    """Whose digest of today is to be looked after now: the hour has come, on a working day of their department."""
    now = clock.now()
    wanted: list[int] = []
    for department in departments.all_departments():
        day = clock.local_day(now, department.timezone)
        begins = clock.time_of_day(day, department.settings.service_levels.digest_time, department.timezone)
        if now < begins or not working_calendar(department).is_working(day):
            continue
        home = sa.select(sa.func.min(Membership.department_id)).where(Membership.user_id == User.id)
        wanted += db.session.scalars(
            sa.select(User.id)
            .outerjoin(DigestRun, DigestRun.user_id == User.id)
            .where(
                User.disabled_at.is_(None),
                home.scalar_subquery() == department.id,
                sa.or_(DigestRun.day.is_(None), DigestRun.day < day),
            )
            .order_by(User.id)
        )
    return wanted


def write(user_id: int) -> OutboxMail | None:
    """Write a person's digest of today, once; ``None``: there is nothing to say, or it was said."""
    user = db.session.get(User, user_id, with_for_update={"of": User}, populate_existing=True)
    department = _home(user) if user is not None and user.is_enabled else None
    if user is None or department is None:
        return None
    day = clock.today(department.timezone)
    run = db.session.get(DigestRun, user_id)
    if run is not None and run.day >= day:
        return None
    if run is None:
        db.session.add(DigestRun(user_id=user_id, day=day))
    else:
        run.day = day
    if Wish.DIGEST not in mail_choices.wishes_of(user_id).values() and not _is_owed_lines(user_id):
        return None  # everything came at once
    with force_locale(user.locale):
        found = gather(accounts.actor_of(user), day)
    db.session.execute(
        sa.update(DigestLine)
        .where(DigestLine.user_id == user_id, DigestLine.told_at.is_(None))
        .values(told_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return _post(user, department, day, found) if found.count else None


def _is_owed_lines(user_id: int) -> bool:
    """Whether something was kept for a digest that has not come yet: it was wanted so when it happened."""
    kept = sa.exists(
        sa.select(sa.literal(1)).where(DigestLine.user_id == user_id, DigestLine.told_at.is_(None))
    )
    return bool(db.session.scalar(sa.select(kept)))


def gather(actor: Actor, day: date) -> Digest:
    """What there is to tell a person, as his own roles let him know it."""
    found = Digest(news=_news(actor), others=_others(actor))
    for one in agenda.items(seen_by=actor, until=clock.now() + AHEAD, mine=True):
        if one.late:
            found.late.append(one)
        elif one.what is What.DECISION:
            found.decide.append(one)
        elif one.day <= day:
            found.today.append(one)
        elif one.day <= day + WEEK or one.soon:
            found.week.append(one)
    return found


def forget_old() -> int:
    """Forget lines told long ago, and those nobody will ever be told."""
    result = db.session.execute(sa.delete(DigestLine).where(DigestLine.at < clock.now() - KEPT))
    return int(getattr(result, "rowcount", 0))


def _home(user: User) -> Department | None:
    """The department by whose clock and calendar somebody who works for several is written to."""
    ids = sorted({one.department_id for one in user.memberships})
    return db.session.get(Department, ids[0]) if ids else None


def _news(actor: Actor) -> list[News]:
    """What was kept for the digest, each thing of each inquiry once; not what is closed to the reader by now."""
    closed = sa.exists(
        sa.select(sa.literal(1)).where(Conflict.inquiry_id == Inquiry.id, Conflict.user_id == actor.user_id)
    )
    rows = db.session.execute(
        sa.select(Inquiry.reference, DigestLine.mail, User.name)
        .join(Inquiry, Inquiry.id == DigestLine.inquiry_id)
        .outerjoin(User, User.id == DigestLine.for_id)
        .where(
            DigestLine.user_id == actor.user_id,
            DigestLine.told_at.is_(None),
            sa.or_(DigestLine.mail.not_in(sorted(AMONG_THE_DATES)), DigestLine.for_id.is_not(None)),
            ~closed,
            # What is told to a deputy, or of being free again, may be of an inquiry that is not open to the reader.
            sa.or_(
                queries.given_or_visible(actor),
                sa.and_(
                    sa.or_(DigestLine.for_id.is_not(None), DigestLine.mail.in_(_NOT_OPEN)),
                    Inquiry.department_id.in_(sorted({id for id, _role in actor.memberships})),
                ),
            ),
        )
        .order_by(Inquiry.reference, DigestLine.id)
    )
    found: dict[News, None] = {}
    for reference, name, absent in rows:
        words = str(NEWS.get(name, NEWS["staff_assigned"]))
        found[News(reference, _("for %(name)s: %(what)s", name=absent, what=words) if absent else words)] = (
            None
        )
    return list(found)


_NOT_OPEN = ("staff_released", "staff_gates", "staff_gates_due")


def _others(actor: Actor) -> list[tuple[str, date, list[ForAnother]]]:
    found = []
    for one in deputies.deputising(actor, most=20):
        waiting = [
            ForAnother(asked.reference, agenda.ASKED[asked.kind][0].label, asked.due_on)
            for asked in one.asked
        ]
        waiting += [ForAnother(each.reference, each.status.label, each.due_on) for each in one.in_hand]
        if waiting:
            found.append((one.name, one.until, waiting))
    return found


def _post(user: User, department: Department, day: date, found: Digest) -> OutboxMail:
    context: dict[str, Any] = {
        "digest": found,
        "count": found.count,
        "date": day,
        "address": site.address("/staff/"),
        "choices": site.address("/staff/account/mails"),
        "timezone": department.timezone,
    }
    composed = mail.compose("staff_digest", user.locale, bilingual=False, **context)
    return mail.enqueue(
        TOPIC,
        to=user.email,
        locale=user.locale,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        reader="staff",
        about=("user", user.id),
        dedupe_key=f"digest:{user.id}:{day}",
    )
