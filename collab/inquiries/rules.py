"""What may be done to an inquiry, by whom, and why not. Pure decisions: nothing is read or written here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _

from collab.accounts.actor import Actor
from collab.accounts.roles import Role
from collab.inquiries.deadlines import waits_for_interest
from collab.inquiries.models import Assignment, AssignmentKind, HostAnswer, Inquiry
from collab.inquiries.reasons import GATE, Reason
from collab.inquiries.statuses import OPEN, Party, Status, Step, Transition, steps_from

#: Days in which a withdrawal or a setting-aside can be undone.
UNDO_DAYS = 30
#: Days in which a late answer opens a lapsed inquiry again.
LATE_ANSWER_DAYS = 90

#: Steps whose letter is shown before it goes out and is held for a while.
HELD_STEPS = frozenset({Step.ACCEPT, Step.CONDITIONS, Step.WAITLIST, Step.DECLINE, Step.REFER, Step.FULFIL})
#: What the head decides on an inquiry that is ready.
DECISIONS = (Step.ACCEPT, Step.CONDITIONS, Step.WAITLIST, Step.DECLINE, Step.REFER)


@dataclass(frozen=True)
class Choice:
    """A step as a button: possible, or with the reason why not."""

    step: Step
    target: Status
    why_not: str | None

    @property
    def possible(self) -> bool:
        return self.why_not is None


def party_of(actor: Actor, inquiry: Inquiry) -> frozenset[Role | Party]:
    """As what an actor acts on an inquiry: the roles in its department, the applicant, or the portal itself."""
    if actor.kind == "applicant":
        return frozenset({Party.APPLICANT})
    if actor.kind in {"system", "command"}:
        return frozenset({Party.SYSTEM})
    return frozenset(actor.roles_in(inquiry.department_id))


def choices(inquiry: Inquiry, actor: Actor, *, now: datetime) -> list[Choice]:
    """The steps staff are shown on an inquiry, in the table's order: possible ones, and others with the reason."""
    shown: dict[Step, Choice] = {}
    for transition in steps_from(inquiry.status):
        if transition.who <= {Party.APPLICANT, Party.SYSTEM} or transition.step in shown:
            continue
        shown[transition.step] = Choice(
            transition.step, transition.target, why_not(inquiry, transition, actor, now=now)
        )
    return list(shown.values())


def why_not(inquiry: Inquiry, transition: Transition, actor: Actor, *, now: datetime) -> str | None:
    """Why an actor may not make a move now, as a sentence; ``None`` when it may."""
    mine = party_of(actor, inquiry)
    if not mine & transition.who:
        names = _(", ").join(
            str(role.label) for role in sorted(transition.who, key=str) if isinstance(role, Role)
        )
        return (
            _("Only this role may do it: %(roles)s.", roles=names) if names else _("This happens by itself.")
        )
    if inquiry.held_until and now < inquiry.held_until and transition.step is not Step.WITHDRAW:
        return _("The letter of the last step is still held. Take it back first, or wait until it is sent.")
    if inquiry.merged_into_id is not None and transition.step is not Step.RESTORE:
        return _("This inquiry was merged into another one.")
    match transition.step:
        case Step.READY:
            return _not_ready(inquiry)
        case Step.ASK if mine & transition.who == {Role.HOST} and not _hosts(inquiry, actor):
            return _("Only the host of this inquiry or a coordinator may ask the partner.")
        case Step.DECLINE | Step.REFER if inquiry.status is Status.IN_REVIEW:
            if not _host_said(inquiry, {HostAnswer.NO}):
                return _("A host has to say no first; until then the inquiry is with the host.")
        case Step.RESTORE if inquiry.merged_into is not None and inquiry.merged_into.status in OPEN:
            pass  # two that were joined can be taken apart as long as the original is open
        case Step.RESTORE | Step.RESUME if now > inquiry.status_since + timedelta(days=UNDO_DAYS):
            return _("This can be undone for %(days)s days only.", days=UNDO_DAYS)
        case Step.ANSWER if inquiry.status is Status.LAPSED and now > inquiry.status_since + timedelta(
            days=LATE_ANSWER_DAYS
        ):
            return _("The inquiry was closed too long ago. Please send a new one.")
        case Step.LAPSE if inquiry.status is Status.DECISION_READY and not waits_for_interest(inquiry):
            return _("The partner is not asked for anything.")
        case Step.REOPEN if inquiry.reopened_at is not None:
            return _("An inquiry is opened again once only.")
        case Step.ANSWER if inquiry.status is Status.NEEDS_INFO and transition.target is not (
            inquiry.asked_from or Status.RECEIVED
        ):
            return _("The question was asked at another stage.")
        case _:
            pass
    if transition.source in {Status.DECISION_READY, Status.WAITLISTED} and Role.HEAD in transition.who:
        return interested(inquiry, actor)
    return None


def interested(inquiry: Inquiry, actor: Actor) -> str | None:
    """Why an actor may not decide: nobody decides on what he hosts or has reviewed, also after a change of roles."""
    for assignment in inquiry.assignments:
        if assignment.user_id != actor.user_id:
            continue
        if (
            assignment.kind is AssignmentKind.REVIEWER
            and assignment.answered_at is None
            and assignment.released_at
        ):
            continue  # was asked, never gave an opinion, was released
        if assignment.kind is AssignmentKind.HOST:
            return _("You are the host of this inquiry; somebody else has to decide.")
        return _("You are a reviewer of this inquiry; somebody else has to decide.")
    return None


def _not_ready(inquiry: Inquiry) -> str | None:
    active = active_assignments(inquiry)
    if not any(a.kind is AssignmentKind.HOST and a.answered_at for a in active):
        return _("The host has not answered yet.")
    return None  # reviews that are missing: see ``reviews.waits_for``


def _hosts(inquiry: Inquiry, actor: Actor) -> bool:
    return any(
        one.user_id == actor.user_id and one.kind is AssignmentKind.HOST
        for one in active_assignments(inquiry)
    )


def _host_said(inquiry: Inquiry, answers: set[HostAnswer]) -> bool:
    return any(a.kind is AssignmentKind.HOST and a.answer in answers for a in active_assignments(inquiry))


def active_assignments(inquiry: Inquiry) -> list[Assignment]:
    """Those still asked for or already answered; not those taken off."""
    return [assignment for assignment in inquiry.assignments if assignment.released_at is None]


def may_decline_with(reason: Reason, actor: Actor, inquiry: Inquiry) -> bool:
    """A coordinator declines only for facts (gates); judgements of quality are the head's."""
    return reason in GATE or Role.HEAD in actor.roles_in(inquiry.department_id)


def shown_answered(inquiry: Inquiry, *, now: datetime) -> bool:
    """Whether the partner has had an answer by a person; one that is still held has not reached anybody."""
    answered = inquiry.first_answer_at
    if answered is not None and inquiry.held_until and now < inquiry.held_until:
        return answered < inquiry.status_since  # the held step itself would be the first answer
    return answered is not None


def shown_status(inquiry: Inquiry, *, now: datetime) -> Status:
    """The status the partner may see: while the letter of a step is held, the one before that step."""
    if inquiry.held_until and now < inquiry.held_until:
        return inquiry.held_from or Status.IN_REVIEW
    return inquiry.status


def limit_key(email: str) -> str:
    """One person's address for limits: no case, no +tag, no dots before the @ (they reach the same mailbox)."""
    local, _at, domain = email.casefold().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"
