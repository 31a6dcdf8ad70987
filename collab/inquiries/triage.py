"""What coordinators do with an inquiry: ask, route, refer, decline, set aside, merge, bring back, mark ready."""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from collab.accounts import Role, User
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, check
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden, Invalid
from collab.inquiries import clocks, gates, interests, joining, links, notices, parts, rules
from collab.inquiries.conversation import letter, recall, say
from collab.inquiries.history import Kind, answered_by_a_person, held_event, move, put, seen, take, tell
from collab.inquiries.models import (
    Assignment,
    AssignmentKind,
    HostAnswer,
    Inquiry,
    InquiryEvent,
    LinkKind,
    Message,
)
from collab.inquiries.models import Conflict as ConflictOfInterest
from collab.inquiries.reasons import DECLINE, REFERRAL, VOIDING, Reason
from collab.inquiries.statuses import OPEN, Status, Step

#: The longest time a partner may be given for an answer.
LONGEST_ANSWER = timedelta(days=90)


def ask(
    inquiry: Inquiry, question: str, *, answer_by: date, by: Actor, version: int | None = None
) -> Message:
    """Ask the partner for something (M3); the department's clock stands still until the answer."""
    now = take(inquiry, version=version, by=by)
    today = clock.local_day(now, inquiry.department.timezone)
    if not today < answer_by <= today + LONGEST_ANSWER:
        raise Invalid("answer_by", _("Choose a day from tomorrow to 90 days ahead."))
    if inquiry.status in {Status.RECEIVED, Status.IN_REVIEW}:
        inquiry.asked_from = inquiry.status
    move(inquiry, Step.ASK, Status.NEEDS_INFO, by=by, data={"answer_by": answer_by.isoformat()})
    inquiry.due_at = clock.end_of_day(answer_by, inquiry.department.timezone)
    answered_by_a_person(inquiry, now)
    seen(inquiry, by)
    message = say(inquiry, question, kind="question", by=by)
    notices.question(inquiry, question, answer_by)
    return message


def route(
    inquiry: Inquiry,
    person: User,
    *,
    kind: AssignmentKind = AssignmentKind.HOST,
    due_on: date,
    note: str = "",
    despite: bool = False,
    by: Actor,
    version: int | None = None,
) -> Assignment:
    """Give the inquiry to a host (or reviewer) with a due date; the partner is told which group has it (M4).

    Routing an inquiry that is already in review assigns one more person and sends the partner nothing.

    :param despite: a possible conflict of interest that the portal points out was judged to be none.
    """
    now = take(inquiry, version=version, by=by)
    if inquiry.status is Status.RECEIVED:
        move(inquiry, Step.ROUTE, Status.IN_REVIEW, by=by, note=note or None, data={"person": person.id})
        answered_by_a_person(inquiry, now)
        assignment = assign(inquiry, person, kind=kind, due_on=due_on, note=note, despite=despite, by=by)
        gates.open_for_review(inquiry, by=by)
        notices.routed(inquiry)
    elif inquiry.status is Status.IN_REVIEW:
        if Role.COORDINATOR not in by.roles_in(inquiry.department_id):
            raise Forbidden(_("Only this role may do it: %(roles)s.", roles=Role.COORDINATOR.label))
        assignment = assign(inquiry, person, kind=kind, due_on=due_on, note=note, despite=despite, by=by)
    else:
        move(inquiry, Step.ROUTE, Status.IN_REVIEW, by=by)  # refused with the reason
        raise AssertionError("unreachable")
    seen(inquiry, by)
    clocks.set_due(inquiry, now)
    return assignment


def assign(
    inquiry: Inquiry,
    person: User,
    *,
    kind: AssignmentKind,
    due_on: date,
    note: str = "",
    despite: bool = False,
    tell_person: bool = True,
    by: Actor,
) -> Assignment:
    """Add or renew one person's assignment and tell that person.

    :param despite: as for ``route``.
    :param tell_person: leave it out for who takes it upon himself.
    :raises Conflict: a gate is blocked: nobody hosts or scores what cannot be accepted.
    """
    now = clock.now()
    gates.refuse_blocked(inquiry)
    today = clock.local_day(now, inquiry.department.timezone)
    if not today <= due_on <= today + timedelta(days=120):
        raise Invalid("due_on", _("Choose a day from today to 120 days ahead."))
    role = Role.HOST if kind is AssignmentKind.HOST else Role.REVIEWER
    if not _holds(person, inquiry.department_id, role):
        raise Invalid(
            "person", _("This person does not hold the role %(role)s in this department.", role=role.label)
        )
    if db.session.get(ConflictOfInterest, (inquiry.id, person.id)):
        raise Invalid("person", _("This person declared a conflict of interest for this inquiry."))
    other = next(
        (a for a in rules.active_assignments(inquiry) if a.user_id == person.id and a.kind is not kind), None
    )
    if other is not None or (kind is AssignmentKind.REVIEWER and interests.hosted(inquiry, person.id)):
        raise Invalid("person", _("The same person cannot be host and reviewer of one inquiry."))
    taken = parts.why_not_ask(parts.taken_by(inquiry, person.id), kind)
    if taken:
        raise Invalid("person", taken)
    suspected = interests.suggest(inquiry, [person])[person.id]
    if suspected and not despite:
        raise Invalid("despite", interests.why_judge(person, suspected))
    assignment = next((a for a in inquiry.assignments if a.user_id == person.id and a.kind is kind), None)
    if assignment is None:
        assignment = Assignment(user_id=person.id, kind=kind, assigned_at=now, due_on=due_on)
        inquiry.assignments.append(assignment)
    elif assignment.released_at is None:
        raise Conflict(_("%(name)s already has this inquiry.", name=person.name))
    assignment.assigned_at, assignment.assigned_by_id = now, by.user_id
    assignment.due_on, assignment.released_at, assignment.reminded_at = due_on, None, None
    assignment.late_at = None
    assignment.answer = assignment.answered_at = assignment.answer_note = assignment.answer_period = None
    db.session.flush()
    tell(
        inquiry,
        Kind.ASSIGNED,
        by=by,
        note=note or None,
        data={
            "person": person.id,
            "name": person.name,
            "as": kind,
            **({"despite": [one.link for one in suspected]} if suspected else {}),
        },
    )
    if tell_person:
        notices.assigned(inquiry, person, kind, due_on, note)
    return assignment


def release(inquiry: Inquiry, assignment: Assignment, *, by: Actor, version: int | None = None) -> None:
    """Take an assignment off a person; an opinion already given stays in the history and keeps its weight in B.3."""
    now = take(inquiry, version=version, by=by)
    if Role.COORDINATOR not in by.roles_in(inquiry.department_id):
        raise Forbidden(_("Only this role may do it: %(roles)s.", roles=Role.COORDINATOR.label))
    _free(inquiry, assignment, by, now)
    clocks.set_due(inquiry, now)
    seen(inquiry, by)


def replace(
    inquiry: Inquiry,
    assignment: Assignment,
    person: User,
    *,
    due_on: date,
    note: str = "",
    despite: bool = False,
    by: Actor,
    version: int | None = None,
) -> Assignment:
    """Somebody else instead of a host or reviewer who does not answer or cannot.

    Both are told, and the history keeps the first.
    """
    now = take(inquiry, version=version, by=by)
    if Role.COORDINATOR not in by.roles_in(inquiry.department_id):
        raise Forbidden(_("Only this role may do it: %(roles)s.", roles=Role.COORDINATOR.label))
    if inquiry.status is not Status.IN_REVIEW:
        raise Conflict(_("People are replaced while the inquiry is with the department."))
    if assignment.inquiry_id != inquiry.id:
        raise Conflict
    if assignment.answered_at is not None:
        raise Conflict(_("%(name)s has answered already.", name=assignment.user.name))
    if assignment.released_at is not None:
        raise Conflict(_("This assignment was taken off already."))
    if assignment.user_id == person.id:
        raise Invalid("person", _("Choose another person."))
    _free(inquiry, assignment, by, now, instead=person)
    successor = assign(
        inquiry, person, kind=assignment.kind, due_on=due_on, note=note, despite=despite, by=by
    )
    clocks.set_due(inquiry, now)
    seen(inquiry, by)
    return successor


def hand_over(inquiry: Inquiry, assignment: Assignment, person: User, *, by: Actor) -> Assignment:
    """Who stands in is asked instead of one who is away, until the same day; ``deputies`` has seen that he may."""
    now = clock.now()
    _free(inquiry, assignment, by, now, instead=person)
    due_on = max(assignment.due_on, clock.local_day(now, inquiry.department.timezone))
    successor = assign(inquiry, person, kind=assignment.kind, due_on=due_on, tell_person=False, by=by)
    clocks.set_due(inquiry, now)
    return successor


def _free(
    inquiry: Inquiry, assignment: Assignment, by: Actor, now: datetime, *, instead: User | None = None
) -> None:
    if assignment.released_at is not None:
        raise Conflict(_("This assignment was taken off already."))
    assignment.released_at = now
    tell(
        inquiry,
        Kind.RELEASED,
        by=by,
        data={
            "person": assignment.user_id,
            "name": assignment.user.name,
            "as": assignment.kind,
            "instead": instead.id if instead else None,
        },
    )
    if assignment.answered_at is None and assignment.user_id != by.user_id:
        notices.released(inquiry, assignment.user)
    elif assignment.kind is AssignmentKind.HOST:
        gates.host_has_answered(inquiry, by=by)


def host_answers(
    inquiry: Inquiry,
    answer: HostAnswer,
    *,
    period: str = "",
    note: str = "",
    by: Actor,
    version: int | None = None,
) -> Assignment:
    """The host says yes, later or no; the coordinator is told."""
    now = take(inquiry, version=version, by=by)
    assignment = next(
        (
            a
            for a in rules.active_assignments(inquiry)
            if a.user_id == by.user_id and a.kind is AssignmentKind.HOST
        ),
        None,
    )
    if assignment is None:
        raise Forbidden(_("You are not the host of this inquiry."))
    interests.require(inquiry, by)
    if inquiry.status not in {Status.IN_REVIEW, Status.NEEDS_INFO}:
        raise Conflict(_("The inquiry is not with the host any more."))
    if answer is HostAnswer.LATER and not period:
        raise Invalid("period", _("Say when it would be possible."))
    if answer is HostAnswer.NO and not note:
        raise Invalid("note", _("Say why in one sentence; the coordinator needs it."))
    assignment.answer, assignment.answer_period, assignment.answer_note = answer, period or None, note or None
    assignment.answered_at = now
    tell(
        inquiry,
        Kind.HOST_ANSWERED,
        by=by,
        note=note or None,
        data={"answer": answer, "period": period or None},
    )
    gates.host_has_answered(inquiry, by=by)
    clocks.set_due(inquiry, now)
    notices.host_answered(inquiry, assignment)
    return assignment


def mark_ready(inquiry: Inquiry, *, by: Actor, note: str = "", version: int | None = None) -> None:
    """Hand it to the head. Whether anything is missing is for ``reviews.mark_ready`` to ask.

    :param note: why, when something is missing.
    """
    take(inquiry, version=version, by=by)
    move(inquiry, Step.READY, Status.DECISION_READY, by=by, note=note or None)
    seen(inquiry, by)
    notices.decision_waits(inquiry)


def refer(
    inquiry: Inquiry,
    *,
    reason: Reason,
    office: str,
    contact: str,
    body: str,
    by: Actor,
    note: str = "",
    version: int | None = None,
) -> None:
    """Another office is right: the partner gets its name and contact (M8, held)."""
    now = take(inquiry, version=version, by=by)
    if inquiry.status in {Status.DECISION_READY, Status.CONDITIONAL}:
        raise Conflict(_("At this stage the head decides, with one sentence for the record."))
    if reason not in REFERRAL:
        raise Invalid("reason", _("Choose one of the reasons offered."))
    if not office:
        raise Invalid("office", _("Name the office."))
    if not contact:
        raise Invalid(
            "contact", _("Say how the partner reaches this office: a link, an address or a telephone number.")
        )
    outcome = {"office": office, "contact": contact}
    close_with_letter(
        inquiry, Step.REFER, Status.REFERRED, body, reason=reason, outcome=outcome, note=note, by=by
    )
    answered_by_a_person(inquiry, now)


def decline(
    inquiry: Inquiry, *, reason: Reason, body: str, by: Actor, note: str = "", version: int | None = None
) -> None:
    """The department cannot offer this: one sentence of reason, one useful pointer (M9, held)."""
    now = take(inquiry, version=version, by=by)
    if inquiry.status in {Status.DECISION_READY, Status.CONDITIONAL}:
        raise Conflict(_("At this stage the head decides, with one sentence for the record."))
    if reason not in DECLINE:
        raise Invalid("reason", _("Choose one of the reasons offered."))
    if not rules.may_decline_with(reason, by, inquiry):
        raise Invalid(
            "reason", _("This is a judgement of quality: route the inquiry, and let the head decide.")
        )
    close_with_letter(
        inquiry, Step.DECLINE, Status.DECLINED, body, reason=reason, outcome=None, note=note, by=by
    )
    answered_by_a_person(inquiry, now)


def close_with_letter(
    inquiry: Inquiry,
    step: Step,
    target: Status,
    body: str,
    *,
    by: Actor,
    reason: Reason | None = None,
    outcome: dict[str, Any] | None = None,
    note: str = "",
) -> Message:
    """Move an inquiry and write the letter that says so; letter and news are held, so that both can be taken back."""
    stood = inquiry.status
    before = {
        "status": stood,
        "status_since": inquiry.status_since.isoformat(),
        "due_at": inquiry.due_at.isoformat() if inquiry.due_at else None,
        "first_answer": inquiry.first_answer_at is not None,
        "outcome": inquiry.outcome,
        "reason": inquiry.reason,
        "urgency": inquiry.urgency,
        "reminded": inquiry.reminded,
        "escalated_at": inquiry.escalated_at.isoformat() if inquiry.escalated_at else None,
    }
    event = move(inquiry, step, target, by=by, reason=reason, note=note or None)
    inquiry.outcome = outcome
    inquiry.reason = reason
    hold = timedelta(minutes=inquiry.department.settings.service_levels.hold_minutes)
    inquiry.held_until = clock.now() + hold
    inquiry.held_from = stood
    message = letter(inquiry, step, body, visible_from=inquiry.held_until, by=by)
    mail = notices.letter(inquiry, step, body, hold_until=inquiry.held_until)
    event.data = {"message": message.id, "mail": mail.id, "before": before}
    seen(inquiry, by)
    return message


def take_back(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> InquiryEvent:
    """Undo the last step while its letter is held: no mail went out, and the partner never saw it.

    :raises Forbidden: somebody else decided.
    :raises Conflict: the hold is over, the letter is on its way.
    :returns: the entry of the history that is undone.
    """
    now = take(inquiry, version=version, by=by)
    event = held_event(inquiry)
    if event is None or not event.data:
        raise Conflict(_("The letter is on its way; the step cannot be taken back any more."))
    if event.actor_id != by.user_id:
        raise Forbidden(_("Only %(name)s can take this back.", name=event.actor_name))
    before = event.data["before"]
    source = inquiry.status
    recall(inquiry, event, now)
    put(inquiry, Status(before["status"]), now)
    inquiry.status_since = clock.parse(before["status_since"]) or now
    inquiry.due_at = clock.parse(before["due_at"])
    if inquiry.status is Status.WAITLISTED:  # the partner may have said meanwhile that the wish stands
        clocks.set_due(inquiry, now)
    inquiry.reminded = before["reminded"]
    inquiry.escalated_at = clock.parse(before["escalated_at"])
    inquiry.urgency = before["urgency"]
    inquiry.outcome = before["outcome"]
    inquiry.reason = Reason(before["reason"]) if before["reason"] else None
    if not before["first_answer"]:
        inquiry.first_answer_at = None
    tell(inquiry, Kind.TAKEN_BACK, by=by, from_status=source, to_status=inquiry.status)
    return event


def set_aside(
    inquiry: Inquiry, *, reason: Reason, by: Actor, note: str = "", version: int | None = None
) -> None:
    """Spam or a test: out of all figures, no mail; can be undone for 30 days."""
    take(inquiry, version=version, by=by)
    if reason not in VOIDING:
        raise Invalid("reason", _("Choose one of the reasons offered."))
    move(inquiry, Step.VOID, Status.VOID, by=by, reason=reason, note=note or None)
    inquiry.reason = reason
    seen(inquiry, by)


#: The same was sent twice.
merge = joining.join


def restore(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> None:
    """It was no spam: back to the queue (M2). What was joined with another one is taken apart again."""
    if inquiry.merged_into_id is not None:
        joining.part(inquiry, by=by, version=version)
        return
    now = take(inquiry, version=version, by=by)
    move(inquiry, Step.RESTORE, Status.RECEIVED, by=by)
    inquiry.reason = None
    clocks.start(inquiry, now)
    seen(inquiry, by)
    notices.received(inquiry)


def reopen(inquiry: Inquiry, *, because: str, by: Actor, version: int | None = None) -> None:
    """New facts, or a late reply: back to the queue, once (M2b)."""
    now = take(inquiry, version=version, by=by)
    if not because:
        raise Invalid("note", _("Say what is new."))
    move(inquiry, Step.REOPEN, Status.RECEIVED, by=by, note=because)
    inquiry.reopened_at = now
    inquiry.reason = inquiry.outcome = None
    clocks.start(inquiry, now)
    seen(inquiry, by)
    notices.continued(inquiry)


def withdraw_on_wish(inquiry: Inquiry, *, note: str, by: Actor, version: int | None = None) -> None:
    """A coordinator withdraws on the partner's written wish (M13)."""
    take(inquiry, version=version, by=by)
    if not note:
        raise Invalid("note", _("Say when and how the partner asked for it."))
    if inquiry.held_until and inquiry.held_until > clock.now():
        raise Conflict(
            _("The letter of the last step is still held. Take it back first, or wait until it is sent.")
        )
    move(inquiry, Step.WITHDRAW, Status.WITHDRAWN, by=by, note=note, data={"from": inquiry.status})
    seen(inquiry, by)
    notices.withdrawn(inquiry)


def expedite(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> None:
    """It is a patient's request: to the top of the queue, an answer within a working day."""
    now = take(inquiry, version=version, by=by)
    check(by, Permission.TRIAGE, inquiry.department_id)
    if inquiry.status not in OPEN:
        raise Conflict(_("The inquiry is closed."))
    clocks.expedite(inquiry, now)
    tell(inquiry, Kind.EXPEDITED, by=by)
    seen(inquiry, by)


def own(inquiry: Inquiry, person: User | None, *, by: Actor, version: int | None = None) -> None:
    """Set which coordinator has the inquiry; ``None`` gives it back to all."""
    take(inquiry, version=version, by=by)
    if Role.COORDINATOR not in by.roles_in(inquiry.department_id):
        raise Forbidden(_("Only this role may do it: %(roles)s.", roles=Role.COORDINATOR.label))
    if person is not None and not _holds(person, inquiry.department_id, Role.COORDINATOR):
        raise Invalid(
            "person",
            _("This person does not hold the role %(role)s in this department.", role=Role.COORDINATOR.label),
        )
    inquiry.coordinator_id = person.id if person else None
    tell(inquiry, Kind.OWNER, by=by, data={"name": person.name if person else None})
    inquiry.unread = False


#: Nobody is reminded by hand more often than once in so long.
REMINDED_ONCE_IN = timedelta(days=1)


def remind(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> list[str]:
    """Remind whoever is waited for: the partner of a question (M3r), hosts and reviewers of their answers (S2).

    :raises Conflict: nobody is waited for, or a reminder went out within a day.
    :returns: the names of those who are reminded.
    """
    now = take(inquiry, version=version, by=by)
    check(by, Permission.TRIAGE, inquiry.department_id)
    last = db.session.scalar(
        sa.select(sa.func.max(InquiryEvent.at)).where(
            InquiryEvent.inquiry_id == inquiry.id, InquiryEvent.kind == Kind.REMINDED
        )
    )
    if last is not None and last > now - REMINDED_ONCE_IN:
        raise Conflict(_("A reminder went out within the last day."))
    names: list[str] = []
    if inquiry.status is Status.NEEDS_INFO and inquiry.due_at is not None:
        number = inquiry.reminded = inquiry.reminded + 1
        answer_by = clock.local_day(inquiry.due_at, inquiry.department.timezone)
        notices.question_reminder(inquiry, min(number, 3), answer_by)
        names.append(inquiry.full_name)
    elif inquiry.status is Status.IN_REVIEW:
        for assignment in rules.active_assignments(inquiry):
            if assignment.answered_at is None:
                assignment.reminded_at = now
                notices.assignment_due(inquiry, assignment)
                names.append(assignment.user.name)
    if not names:
        raise Conflict(_("Nobody is waited for here."))
    tell(inquiry, Kind.REMINDED, by=by, data={"name": ", ".join(names)})
    seen(inquiry, by)
    return names


def mark_read(inquiry: Inquiry, *, by: Actor) -> None:
    """Somebody has seen what the partner sent."""
    take(inquiry, by=by)
    check(by, Permission.TRIAGE, inquiry.department_id)
    inquiry.unread = False


def declare_conflict(inquiry: Inquiry, *, by: Actor) -> None:
    """A member of staff has an interest in it: the file closes to that person, for good and everywhere."""
    interests.close(inquiry, by=by)


def renew_link(inquiry: Inquiry, *, by: Actor) -> None:
    """Send the partner a new private link; all earlier ones stop working, open pages close."""
    take(inquiry, by=by)
    check(by, Permission.TRIAGE, inquiry.department_id)
    links.revoke_all(inquiry, LinkKind.PRIVATE)
    links.end_all_sessions(inquiry)
    tell(inquiry, Kind.LINK_RENEWED, by=by)
    notices.new_link(inquiry)


def _holds(person: User, department_id: int, role: Role) -> bool:
    return person.is_enabled and role in person.roles_in(department_id)
