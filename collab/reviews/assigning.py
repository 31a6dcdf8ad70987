"""Choosing reviewers: two at once, one from outside the host's group, with what each has to do and did before."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from collab.accounts import Role, User, absences
from collab.accounts.actor import Actor
from collab.accounts.models import Membership
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden, Invalid
from collab.inquiries import clocks, gates, interests, parts, rules, triage
from collab.inquiries.history import seen, take
from collab.inquiries.interests import Suggestion
from collab.inquiries.models import Assignment, AssignmentKind, Inquiry, PartKind
from collab.inquiries.models import Conflict as ConflictOfInterest
from collab.inquiries.queries import visible
from collab.inquiries.statuses import Status

#: How far back past reviews are looked at, and how many of one department's at most.
LOOKED_BACK = timedelta(days=730)
_MOST = 3000


@dataclass(frozen=True, kw_only=True)
class Reviewer:
    """Somebody who could review an inquiry.

    :param waiting: answers this person still owes, as host or reviewer.
    :param done: reviews given in the last two years, and how many days half of them took at most.
    :param inside: whether this person works in an area of the host's; ``None`` when one of the two has no area set.
    :param closed: why this person cannot be asked at all; empty when it can.
    :param away_until: the last day of an absence, and ``deputy`` who stands in as reviewer.
    :param suspected: what could be an interest: to be judged before asking.
    """

    user: User
    waiting: int
    done: int
    median_days: float | None
    areas: tuple[str, ...]
    inside: bool | None
    closed: str
    suspected: tuple[Suggestion, ...]
    away_until: date | None = None
    deputy: str = ""


def reviewers_for(inquiry: Inquiry, *, seen_by: Actor) -> list[Reviewer]:
    """Everybody who holds the role; first those who can be asked, without a possible interest and with least to do.

    The same number of queries, however many they are. Nothing of inquiries that are closed to the reader is counted.
    """
    people = _holders(inquiry.department_id)
    closed = _closed(inquiry)
    waiting, days = _load(people, seen_by), _days(inquiry.department_id, people, seen_by)
    suspected = interests.suggest(inquiry, people, seen_by=seen_by)
    group = host_areas(inquiry)
    roster = absences.roster(inquiry.department)
    found = [
        Reviewer(
            user=person,
            waiting=waiting.get(person.id, 0),
            done=len(days.get(person.id, ())),
            median_days=median(days[person.id]) if days.get(person.id) else None,
            areas=tuple(sorted(person.areas_in(inquiry.department_id))),
            inside=is_inside(person, inquiry.department_id, group),
            closed=closed.get(person.id, ""),
            suspected=tuple(suspected[person.id]),
            away_until=roster.until(person.id),
            deputy=getattr(roster.stand_in(person.id, Role.REVIEWER), "name", ""),
        )
        for person in people
    ]
    return sorted(
        found,
        key=lambda one: (
            bool(one.closed),
            bool(one.suspected),
            one.away_until is not None,
            one.waiting,
            one.user.name,
            one.user.id,
        ),
    )


def host_areas(inquiry: Inquiry) -> frozenset[str]:
    """The areas of the inquiry's hosts: their group."""
    hosts = [one.user for one in rules.active_assignments(inquiry) if one.kind is AssignmentKind.HOST]
    return frozenset(area for host in hosts for area in host.areas_in(inquiry.department_id))


def is_inside(person: User, department_id: int, group: Collection[str]) -> bool | None:
    """Whether a person belongs to a group; ``None`` when nobody can tell, because areas are not set."""
    areas = person.areas_in(department_id)
    return bool(areas & set(group)) if areas and group else None


def ask_reviewers(
    inquiry: Inquiry,
    people: Sequence[User],
    *,
    due_on: date,
    note: str = "",
    judged: Collection[int] = (),
    all_inside: bool = False,
    by: Actor,
    version: int | None = None,
) -> list[Assignment]:
    """Ask one or more people for their reviews, all or none of them.

    :param judged: the ids of people whose possible interest was judged to be none.
    :param all_inside: there is nobody outside the host's group, and that is known.
    :raises Invalid: at ``people``: none, too many, or one who cannot be asked; at ``all_inside``: nobody from outside
        the host's group; at ``judged``: a possible interest that nobody has judged.
    """
    now = take(inquiry, version=version, by=by)
    if Role.COORDINATOR not in by.roles_in(inquiry.department_id):
        raise Forbidden(_("Only this role may do it: %(roles)s.", roles=Role.COORDINATOR.label))
    if inquiry.status is not Status.IN_REVIEW:
        raise Conflict(_("Reviewers are asked while the inquiry is with the department."))
    gates.refuse_blocked(inquiry)
    if not people:
        raise Invalid("people", _("Choose at least one person."))
    if len({one.id for one in people}) < len(people) or len(people) > 3:
        raise Invalid("people", _("Choose one to three different people."))
    made = []
    for person in people:
        try:
            made.append(
                triage.assign(
                    inquiry,
                    person,
                    kind=AssignmentKind.REVIEWER,
                    due_on=due_on,
                    note=note,
                    despite=person.id in judged,
                    by=by,
                )
            )
        except Invalid as refusal:
            field = {"person": "people", "despite": "judged"}.get(refusal.field, refusal.field)
            message = refusal.message
            if field == "people":
                message = _("%(name)s: %(why)s", name=person.name, why=message)
            raise Invalid(field, message) from None
    _one_from_outside(inquiry, all_inside)
    seen(inquiry, by)
    clocks.set_due(inquiry, now)
    return made


def _one_from_outside(inquiry: Inquiry, all_inside: bool) -> None:
    group = host_areas(inquiry)
    asked = [one.user for one in rules.active_assignments(inquiry) if one.kind is AssignmentKind.REVIEWER]
    enough = len(asked) >= inquiry.department.settings.review.reviewers
    if enough and not all_inside and all(is_inside(one, inquiry.department_id, group) for one in asked):
        raise Invalid(
            "all_inside",
            _("All of them work in the host's areas. Choose one from outside, or tick that there is nobody."),
        )


def _holders(department_id: int) -> list[User]:
    return list(
        db.session.scalars(
            sa.select(User)
            .join(Membership, Membership.user_id == User.id)
            .where(
                Membership.department_id == department_id,
                Membership.role == Role.REVIEWER,
                User.disabled_at.is_(None),
            )
            .options(selectinload(User.work_areas))
            .order_by(User.name, User.id)
        ).unique()
    )


def _closed(inquiry: Inquiry) -> dict[int, str]:
    """Who cannot be asked, and why."""
    found = {}
    for user_id, part in parts.of(inquiry).items():
        if part is PartKind.HEAD:
            found[user_id] = _("has decided on this inquiry")
    for one in inquiry.assignments:
        if interests.hosted(inquiry, one.user_id):
            found[one.user_id] = _("host of this inquiry")
        elif one.kind is AssignmentKind.REVIEWER and one.released_at is None:
            found[one.user_id] = _("has answered") if one.answered_at else _("is asked already")
    for user_id in db.session.scalars(
        sa.select(ConflictOfInterest.user_id).where(ConflictOfInterest.inquiry_id == inquiry.id)
    ):
        found[user_id] = _("declared a conflict of interest")
    return found


def _load(people: Sequence[User], actor: Actor) -> dict[int, int]:
    rows = db.session.execute(
        sa.select(Assignment.user_id, sa.func.count())
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            Assignment.user_id.in_([one.id for one in people]),
            Assignment.released_at.is_(None),
            Assignment.answered_at.is_(None),
            Inquiry.status.in_((Status.IN_REVIEW, Status.NEEDS_INFO)),
            visible(actor),
        )
        .group_by(Assignment.user_id)
    )
    return {user_id: number for user_id, number in rows}  # noqa: C416


def _days(department_id: int, people: Sequence[User], actor: Actor) -> dict[int, list[float]]:
    """How long each past review took, in days."""
    rows = db.session.execute(
        sa.select(Assignment.user_id, Assignment.assigned_at, Assignment.answered_at)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            Inquiry.department_id == department_id,
            Assignment.user_id.in_([one.id for one in people]),
            Assignment.kind == AssignmentKind.REVIEWER,
            Assignment.answered_at > clock.now() - LOOKED_BACK,
            visible(actor),
        )
        .order_by(Assignment.id.desc())
        .limit(_MOST)
    )
    found: dict[int, list[float]] = {}
    for user_id, asked, answered in rows:
        if answered is not None:
            found.setdefault(user_id, []).append((answered - asked).total_seconds() / 86_400)
    return found
