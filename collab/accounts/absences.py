"""Who is away when, and who stands in.

A deputy stands in with the roles that the two have in common in the department, and gains nothing: what the absent one
may do and the deputy may not is left to the coordinators. A deputy who is away as well hands on to the own deputy;
whoever has been asked already is not asked again, so that a circle ends with the coordinators, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from collab import audit
from collab.accounts import notices
from collab.accounts.actor import Actor
from collab.accounts.models import Absence, User
from collab.accounts.permissions import Permission, may
from collab.accounts.queries import with_role
from collab.accounts.roles import Role
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.departments import Department

#: The roles in which somebody works on inquiries, and in which somebody else can stand in.
COVERED = frozenset(
    {
        Role.COORDINATOR,
        Role.HOST,
        Role.REVIEWER,
        Role.HEAD,
        Role.COMPLIANCE,
        Role.RADIATION_SAFETY_OFFICER,
    }
)
#: The longest absence, and how far ahead or back it may begin.
LONGEST = timedelta(days=366)
FURTHEST = timedelta(days=366)
EARLIEST = timedelta(days=31)


@dataclass(frozen=True)
class Roster:
    """Who is away on one day in one department: read once, asked often."""

    department_id: int
    day: date
    away: Mapping[int, Absence]

    def until(self, user_id: int) -> date | None:
        """The last day of somebody's absence; ``None`` who is here."""
        found = self.away.get(user_id)
        return found.last_day if found else None

    def stand_in(self, user_id: int, role: Role) -> User | None:
        """Who stands in for somebody away, in a role that both hold; ``None``: nobody, the coordinators see to it."""
        asked = {user_id}
        absence = self.away.get(user_id)
        while absence is not None:
            deputy = absence.deputy
            if deputy is None or deputy.id in asked or not deputy.is_enabled:
                return None
            if deputy.id not in self.away:
                return deputy if role in deputy.roles_in(self.department_id) else None
            asked.add(deputy.id)
            absence = self.away[deputy.id]
        return None

    def stood_in_by(self, user_id: int) -> dict[int, frozenset[Role]]:
        """For whom somebody stands in, and in which roles."""
        found = {}
        for absent in self.away:
            roles = {
                role
                for role in COVERED & self.away[absent].user.roles_in(self.department_id)
                if (deputy := self.stand_in(absent, role)) is not None and deputy.id == user_id
            }
            if roles:
                found[absent] = frozenset(roles)
        return found


def roster(department: Department, day: date | None = None) -> Roster:
    """Who is away on a day (today at the department's place)."""
    day = day or clock.today(department.timezone)
    found = _within(department.id, day, day)
    return Roster(department.id, day, {one.user_id: one for one in found})


def between(department: Department, first: date, last: date) -> Sequence[Absence]:
    """The absences that touch these days, the first to begin first."""
    return _within(department.id, first, last)


def coming(user_id: int, *, most: int = 50) -> Sequence[Absence]:
    """A person's absences of now and later, the first to begin first."""
    yesterday = clock.now().date() - timedelta(days=1)
    found = db.session.scalars(
        sa.select(Absence)
        .where(Absence.user_id == user_id, Absence.last_day >= yesterday, sa.not_(Absence.taken_back))
        .options(joinedload(Absence.deputy), joinedload(Absence.entered_by))
        .order_by(Absence.first_day, Absence.id)
        .limit(most)
    ).all()
    zones = dict(db.session.execute(sa.select(Department.id, Department.timezone)).all())
    return [one for one in found if one.last_day >= clock.today(zones[one.department_id])]


def by_id(absence_id: int, *, by: Actor) -> Absence:
    """An absence that the actor may end.

    :raises NotFound: there is none, or it is not the actor's to see.
    """
    found = db.session.get(Absence, absence_id)
    if found is None or not _may(by, found.user_id, found.department_id):
        raise NotFound
    return found


def deputies_for(user: User, department_id: int) -> list[User]:
    """Who could stand in for a person: enabled, and at least one of the covered roles in common; by name."""
    roles = user.roles_in(department_id) & COVERED
    return [one for one in with_role(department_id, *roles) if one.id != user.id] if roles else []


def enter(
    user: User,
    *,
    department: Department,
    first_day: date,
    last_day: date,
    deputy: User | None,
    by: Actor,
) -> Absence:
    """Say that a person is away from one day to another, both included, and who stands in.

    One's own, or a coordinator's or administrator's word for somebody ill. The deputy is told by mail, and so is the
    person when somebody else entered it.

    :param deputy: ``None``: the coordinators see to what waits.
    :raises NotFound: the person does not work in this department.
    :raises Forbidden: not the actor's to enter.
    :raises Invalid: at ``first_day``, ``last_day`` or ``deputy``.
    """
    if not user.roles_in(department.id):
        raise NotFound
    if not _may(by, user.id, department.id):
        raise Forbidden
    # Whoever enters an absence of one of the two at the same time waits here, and is then seen.
    both = sorted({user.id, deputy.id} if deputy else {user.id})
    db.session.execute(sa.select(User.id).where(User.id.in_(both)).order_by(User.id).with_for_update())
    today = clock.today(department.timezone)
    if not today - EARLIEST <= first_day <= today + FURTHEST:
        raise Invalid("first_day", _("Choose a day from a month ago to a year ahead."))
    if last_day < max(first_day, today):
        raise Invalid("last_day", _("The last day comes after the first, and not before today."))
    if last_day - first_day > LONGEST:
        raise Invalid("last_day", _("An absence lasts a year at most."))
    if deputy is not None and deputy.id == user.id:
        raise Invalid("deputy", _("Choose somebody else."))
    for other in _within(department.id, first_day, last_day, of=both):
        if other.user_id == user.id:
            raise Invalid("first_day", _("There is an absence in these days already. End that one first."))
        raise Invalid(
            "deputy", _("%(name)s is away on those days, too. Choose somebody else.", name=other.user.name)
        )
    if deputy is not None and not (
        deputy.is_enabled and COVERED & user.roles_in(department.id) & deputy.roles_in(department.id)
    ):
        raise Invalid("deputy", _("The deputy holds one of the same roles in this department."))
    absence = Absence(
        user_id=user.id,
        department_id=department.id,
        first_day=first_day,
        last_day=last_day,
        deputy_id=deputy.id if deputy else None,
        entered_by_id=by.user_id,
        entered_at=clock.now(),
    )
    db.session.add(absence)
    db.session.flush()
    _note("absence.entered", absence, by)
    notices.absence(absence, department, entered_by=by)
    return absence


def end(absence: Absence, *, by: Actor) -> None:
    """Somebody is back early, or does not go: from today on the person is here again.

    :raises Conflict: it is over, or was ended already.
    """
    if not _may(by, absence.user_id, absence.department_id):
        raise Forbidden
    db.session.execute(sa.select(User.id).where(User.id == absence.user_id).with_for_update())
    db.session.refresh(absence)
    department = db.session.get_one(Department, absence.department_id)
    today = clock.today(department.timezone)
    if absence.taken_back or absence.last_day < today:
        raise Conflict(_("This absence is over already."))
    absence.ended_at = clock.now()
    if absence.first_day >= today:
        absence.taken_back = True
    else:
        absence.last_day = today - timedelta(days=1)
    db.session.flush()
    _note("absence.ended", absence, by)
    notices.back(absence, department, ended_by=by)


def may_enter_for(by: Actor, department_id: int) -> bool:
    """Whether the actor may enter an absence of somebody else in this department."""
    return may(by, Permission.ENTER_ABSENCES, department_id)


def _may(by: Actor, user_id: int, department_id: int) -> bool:
    return by.user_id == user_id or may_enter_for(by, department_id)


def _within(
    department_id: int, first: date, last: date, *, of: Iterable[int] | None = None
) -> Sequence[Absence]:
    chosen = [
        Absence.department_id == department_id,
        Absence.last_day >= first,
        Absence.first_day <= last,
        sa.not_(Absence.taken_back),
    ]
    if of is not None:
        chosen.append(Absence.user_id.in_(list(of)))
    return (
        db.session.scalars(
            sa.select(Absence)
            .where(*chosen)
            .options(
                joinedload(Absence.user, innerjoin=True).selectinload(User.memberships),
                joinedload(Absence.deputy).selectinload(User.memberships),
            )
            .order_by(Absence.first_day, Absence.id)
        )
        .unique()
        .all()
    )


def _note(kind: str, absence: Absence, by: Actor) -> None:
    audit.record(
        kind,
        by=by,
        department_id=absence.department_id,
        on=("user", absence.user_id),
        detail={
            "absence": absence.id,
            "first_day": absence.first_day.isoformat(),
            "last_day": absence.last_day.isoformat(),
            "deputy": absence.deputy_id,
        },
    )
