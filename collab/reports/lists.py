"""What has names in it: who waits for an answer longer than promised, and how much each person has to do."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _

from collab.accounts import User
from collab.accounts.actor import Actor
from collab.core import clock
from collab.core.db import db
from collab.inquiries import queries
from collab.inquiries.models import Assignment, AssignmentKind, Inquiry
from collab.inquiries.statuses import OPEN, Status
from collab.reports.facts import Measure
from collab.reports.keeping import place_of
from collab.reports.report import Head, Kind, Table, track_name
from collab.reports.sums import Scope, Waited, read

#: The page shows so many of those who wait; the file has all.
SHOWN = 50


def unanswered(scope: Scope, *, seen_by: Actor, lang: str, most: int | None = None) -> Table:
    """Those who have waited for a person's answer longer than promised, the longest wait first."""
    department = scope.department
    place = place_of(department)
    waited = Waited(department)
    target = department.settings.service_levels.first_answer_days
    conditions: list[sa.ColumnElement[bool]] = [
        queries.visible_by_name(seen_by),
        Inquiry.department_id == department.id,
        Inquiry.status.in_(sorted(OPEN)),
        Inquiry.first_answer_at.is_(None),
        Inquiry.confirmed_at < _midnight(waited.first_in_time(target), place.zone),
        *scope.narrowed(Inquiry),
    ]
    statement = (
        sa.select(
            Inquiry.reference,
            Inquiry.full_name,
            Inquiry.institution_name,
            Inquiry.track,
            Inquiry.area,
            Inquiry.confirmed_at,
            User.name,
        )
        .outerjoin(User, User.id == Inquiry.coordinator_id)
        .where(*conditions)
        .order_by(Inquiry.confirmed_at, Inquiry.id)
    )
    rows = []
    for reference, name, institution, track, area, confirmed, coordinator in db.session.execute(
        statement.limit(most) if most else statement
    ):
        came = place.day(confirmed) if confirmed else waited.today
        rows.append(
            (
                reference,
                name,
                institution,
                track_name(track),
                department.settings.area_name(area, lang),
                came,
                waited(came),
                coordinator,
            )
        )
    return Table(
        "unanswered",
        _("Waiting for an answer longer than promised"),
        _(
            "Open inquiries of any period that no person has answered within %(days)s working days, the longest wait "
            "first.",
            days=target,
        ),
        (
            Head(_("Reference"), Kind.TEXT),
            Head(_("Full name"), Kind.TEXT),
            Head(_("Institution"), Kind.TEXT),
            Head(_("Track"), Kind.TEXT),
            Head(_("Area"), Kind.TEXT),
            Head(_("Received"), Kind.DAY),
            Head(_("Working days waited")),
            Head(_("Coordinator"), Kind.TEXT),
        ),
        tuple(rows),
        empty=_("Nobody has waited longer than promised."),
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def loads(scope: Scope, *, seen_by: Actor) -> Iterator[Table]:
    """How much each coordinator and each host has to do now, with what is open to this person. For heads."""
    owners = Counter({int(key): n for key, n in read(scope, [Measure.OWNER]).keys(Measure.OWNER).items()})
    owners -= _closed(scope, seen_by)
    names = _names(owners)
    yield Table(
        "coordinators",
        _("Open inquiries by coordinator"),
        _("Open inquiries now, by who has them."),
        (Head(_("Coordinator"), Kind.TEXT), Head(_("Open inquiries"))),
        tuple(
            (names.get(id, _("nobody yet")), n)
            for id, n in sorted(owners.items(), key=lambda pair: (-pair[1], pair[0]))
            if n
        ),
        bar=1,
        empty=_("Nothing is open."),
    )
    today = clock.today(scope.department.timezone)
    for kind, key, title, says in (
        (
            AssignmentKind.HOST,
            "hosts",
            _("Waiting for hosts"),
            _("Inquiries on which a host is asked and has not answered, by person."),
        ),
        (
            AssignmentKind.REVIEWER,
            "reviewers",
            _("Waiting for reviewers"),
            _("Inquiries on which a reviewer is asked and has not answered, by person."),
        ),
    ):
        yield Table(
            key,
            title,
            says,
            (Head(_("Person"), Kind.TEXT), Head(_("To answer")), Head(_("Of these overdue"))),
            tuple(tuple(row) for row in db.session.execute(_asked(scope, kind, today, seen_by))),
            bar=1,
            empty=_("Nobody is asked at present."),
        )


def _closed(scope: Scope, actor: Actor) -> Counter[int]:
    """What the sums hold too much for a person with conflicts of interest, by coordinator."""
    owner = sa.func.coalesce(Inquiry.coordinator_id, 0)
    rows = db.session.execute(
        sa.select(owner, sa.func.count())
        .where(
            Inquiry.department_id == scope.department.id,
            Inquiry.id.in_(sorted(queries.all_closed_to(actor))),
            Inquiry.status.in_(sorted(OPEN)),
            Inquiry.confirmed_at.is_not(None),
            *scope.narrowed(Inquiry),
        )
        .group_by(owner)
    )
    return Counter({id: number for id, number in rows})  # noqa: C416  # rows are no pairs to the type checker


def _asked(scope: Scope, kind: AssignmentKind, today: date, actor: Actor) -> sa.Select[Any]:
    conditions: list[sa.ColumnElement[bool]] = [
        queries.visible(actor),
        Inquiry.department_id == scope.department.id,
        Inquiry.status.in_([Status.IN_REVIEW, Status.NEEDS_INFO]),
        Assignment.kind == kind,
        Assignment.released_at.is_(None),
        Assignment.answered_at.is_(None),
        *scope.narrowed(Inquiry),
    ]
    number = sa.func.count()
    columns: list[Any] = [User.name, number, sa.func.sum(sa.case((Assignment.due_on < today, 1), else_=0))]
    return (
        sa.select(*columns)
        .select_from(Inquiry)
        .join(Assignment, Assignment.inquiry_id == Inquiry.id)
        .join(User, User.id == Assignment.user_id)
        .where(*conditions)
        .group_by(User.id, User.name)
        .order_by(number.desc(), User.id)
    )


def _names(ids: Any) -> dict[int, str]:
    rows = db.session.execute(sa.select(User.id, User.name).where(User.id.in_(sorted(ids))))
    return {id: name for id, name in rows}  # noqa: C416  # rows are no pairs to the type checker
