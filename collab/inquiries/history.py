"""The one way an inquiry moves, and the history that is written of everything that happens to it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import InvalidRequestError

from collab import audit
from collab.accounts.actor import Actor
from collab.accounts.roles import Role
from collab.core import clock
from collab.core.db import connection, db
from collab.core.errors import Conflict, Forbidden, NotFound
from collab.inquiries import clocks, rules
from collab.inquiries.models import STANDING_TRANSFER, Inquiry, InquiryEvent, Transfer, TransferState
from collab.inquiries.models import Conflict as ConflictOfInterest
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import CLOSED, STEP_LABELS, Status, Step, find, steps_from


class Kind(StrEnum):
    """What else the history tells, besides the steps of ``statuses.Step``."""

    SUBMITTED = "submitted"
    INFORMATION_ADDED = "information_added"
    NOTE = "note"
    LETTER = "letter"
    OWNER = "owner"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    ASSIGNED = "assigned"
    RELEASED = "released"
    DEPUTY = "deputy"
    HOST_ANSWERED = "host_answered"
    OPINION = "opinion"
    OPINION_CHANGED = "opinion_changed"
    THIRD_READER = "third_reader"
    LIGHT = "light"
    REVIEWS_DELETED = "reviews_deleted"
    CONFLICT = "conflict"
    DECLARED = "declared"
    GATES_OPENED = "gates_opened"
    GATE = "gate"
    TAKEN_BACK = "taken_back"
    EXPEDITED = "expedited"
    MERGED_HERE = "merged_here"
    PARTED_HERE = "parted_here"
    SIGNAL_JUDGED = "signal_judged"
    CONSENT_ASKED = "consent_asked"
    CONSENT_GIVEN = "consent_given"
    CONSENT_REFUSED = "consent_refused"
    MOVE_CALLED_OFF = "move_called_off"
    MOVED_TRACK = "moved_track"
    CAME_FROM = "came_from"
    REMINDED = "reminded"
    TOLD_LATE = "told_late"
    ESCALATED = "escalated"
    NO_ANSWER = "no_answer"
    MORE_TIME = "more_time"
    TEXTS_DELETED = "texts_deleted"
    CONDITION = "condition"
    INTEREST = "interest"
    LINK_RENEWED = "link_renewed"
    ERASURE_REQUESTED = "erasure_requested"
    ERASED = "erased"


KIND_LABELS: dict[str, LazyString] = {
    **{step.value: label for step, label in STEP_LABELS.items()},
    Step.CONFIRM.value: _l("E-mail confirmed"),
    Step.ASK.value: _l("Question to the partner"),
    Step.ANSWER.value: _l("The partner answered"),
    Step.ROUTE.value: _l("Routed"),
    Step.REFER.value: _l("Referred"),
    Step.DECLINE.value: _l("Declined"),
    Step.VOID.value: _l("Set aside"),
    Step.RESTORE.value: _l("Brought back"),
    Step.MERGE.value: _l("Merged as a duplicate"),
    Step.READY.value: _l("Ready to decide"),
    Step.ACCEPT.value: _l("Accepted"),
    Step.CONDITIONS.value: _l("Accepted with conditions"),
    Step.WAITLIST.value: _l("Put on the waiting list"),
    Step.PLACE_FREE.value: _l("A place became free"),
    Step.FULFIL.value: _l("All conditions met"),
    Step.WITHDRAW.value: _l("Withdrawn"),
    Step.RESUME.value: _l("Withdrawal taken back"),
    Step.LAPSE.value: _l("Closed without reply"),
    Step.REOPEN.value: _l("Opened again"),
    Kind.SUBMITTED: _l("Inquiry sent"),
    Kind.INFORMATION_ADDED: _l("The partner added information"),
    Kind.NOTE: _l("Note"),
    Kind.LETTER: _l("Letter to the partner"),
    Kind.OWNER: _l("Coordinator set"),
    Kind.TAGGED: _l("Tag put on"),
    Kind.UNTAGGED: _l("Tag taken off"),
    Kind.ASSIGNED: _l("Assigned"),
    Kind.RELEASED: _l("Assignment taken off"),
    Kind.DEPUTY: _l("The deputy took over"),
    Kind.HOST_ANSWERED: _l("Host answered"),
    Kind.OPINION: _l("Reviewer answered"),
    Kind.OPINION_CHANGED: _l("Reviewer changed the review"),
    Kind.THIRD_READER: _l("The reviews are far apart: a third reader is wanted"),
    Kind.LIGHT: _l("Light path: no scores needed"),
    Kind.REVIEWS_DELETED: _l("Reviews and scores deleted, as their time was over"),
    Kind.CONFLICT: _l("Conflict of interest declared"),
    Kind.DECLARED: _l("Declared: no conflict of interest"),
    Kind.GATES_OPENED: _l("Gates opened"),
    Kind.GATE: _l("Gate"),
    Kind.TAKEN_BACK: _l("Decision taken back"),
    Kind.EXPEDITED: _l("Marked as urgent"),
    Kind.MERGED_HERE: _l("A duplicate was merged into this inquiry"),
    Kind.PARTED_HERE: _l("What had been merged here was taken apart again"),
    Kind.SIGNAL_JUDGED: _l("What the portal pointed out was judged"),
    Kind.CONSENT_ASKED: _l("The partner is asked to agree to a move"),
    Kind.CONSENT_GIVEN: _l("The partner agreed to the move"),
    Kind.CONSENT_REFUSED: _l("The partner did not agree to the move"),
    Kind.MOVE_CALLED_OFF: _l("The move was called off"),
    Kind.MOVED_TRACK: _l("Moved to another track"),
    Kind.CAME_FROM: _l("Came from another department"),
    Kind.REMINDED: _l("Reminder sent"),
    Kind.TOLD_LATE: _l("The partner was told of the delay"),
    Kind.ESCALATED: _l("Overdue: the head was told"),
    Kind.NO_ANSWER: _l("No answer in time: the coordinator is asked to find another person"),
    Kind.MORE_TIME: _l("More time for the partner's answer"),
    Kind.TEXTS_DELETED: _l("What the patient wrote was deleted"),
    Kind.CONDITION: _l("Condition settled"),
    Kind.INTEREST: _l("The partner is still interested"),
    Kind.LINK_RENEWED: _l("New private link sent"),
    Kind.ERASURE_REQUESTED: _l("The partner asked for erasure"),
    Kind.ERASED: _l("Personal data erased"),
}


def tell(
    inquiry: Inquiry,
    kind: Kind | Step,
    *,
    by: Actor,
    note: str | None = None,
    reason: Reason | None = None,
    from_status: Status | None = None,
    to_status: Status | None = None,
    data: dict[str, Any] | None = None,
) -> InquiryEvent:
    """Write one entry of the history, and the fact of it (no texts) into the audit log."""
    event = InquiryEvent(
        inquiry_id=inquiry.id,
        at=clock.now(),
        kind=str(kind),
        actor_kind=by.kind,
        actor_id=by.user_id,
        actor_name=by.name,
        from_status=from_status,
        to_status=to_status,
        reason=reason,
        note=note,
        data=data,
    )
    db.session.add(event)
    audit.record(
        f"inquiry.{kind}",
        by=by,
        department_id=inquiry.department_id,
        on=("inquiry", inquiry.id),
        detail={"from": from_status, "to": to_status, "reason": reason} if to_status else None,
    )
    return event


#: Told in the history, and no change that makes anybody's open page old.
_UNSEEN = (Kind.DECLARED, Kind.TAGGED, Kind.UNTAGGED)


def take(
    inquiry: Inquiry, *, version: int | None = None, by: Actor | None = None, erased: bool = False
) -> datetime:
    """Begin to change an inquiry: lock its row, read it again, and make sure it is what the person saw.

    :param version: the version the person's page showed; ``None`` when nobody looked (jobs, partners' simple acts).
    :param by: who is going to act; somebody with a declared conflict of interest may not, whatever the role.
    :param erased: whether an inquiry whose personal data are erased may be taken, too.
    :raises Conflict: somebody changed it in the meantime; says who, what and when.
    :raises Forbidden: the person declared a conflict of interest.
    :raises NotFound: it was deleted in the meantime.
    :returns: the moment all that follows happens at.
    """
    try:
        db.session.refresh(inquiry, with_for_update={"of": Inquiry})
    except InvalidRequestError:  # swept away since it was read
        raise NotFound from None
    conflict = (inquiry.id, by.user_id) if by is not None and by.user_id is not None else None
    if conflict and db.session.get(ConflictOfInterest, conflict) is not None:
        raise Forbidden(_("You declared a conflict of interest for this inquiry; it is closed to you."))
    if inquiry.anonymised_at is not None and not erased:
        raise Conflict(
            _("The personal data of this inquiry are erased; nothing can be done with it any more.")
        )
    if version is not None and inquiry.version != version:
        last = db.session.scalar(
            sa.select(InquiryEvent)
            .where(InquiryEvent.inquiry_id == inquiry.id, InquiryEvent.kind.not_in(_UNSEEN))
            .order_by(InquiryEvent.id.desc())
            .limit(1)
        )
        if last is not None:
            raise Conflict(
                _(
                    "This inquiry changed while you had it open: %(what)s, by %(who)s. Nothing of yours was done. "
                    "Go back to the inquiry and look before you act.",
                    what=KIND_LABELS.get(last.kind, last.kind),
                    who=last.actor_name or last.actor_kind,
                )
            )
        raise Conflict
    return clock.now()


def move(
    inquiry: Inquiry,
    step: Step,
    target: Status,
    *,
    by: Actor,
    note: str | None = None,
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
) -> InquiryEvent:
    """Move an inquiry by one row of the transition table, with counts, clocks and history.

    :raises Conflict: the table has no such move from where the inquiry stands.
    :raises Forbidden: it has, but not for this actor or not now; the message says why.
    """
    now = clock.now()
    source = inquiry.status
    transition = find(step, source, target)
    if transition is None:
        if any(row.step is step for row in steps_from(source)):
            raise Conflict(_("This step leads elsewhere from where the inquiry stands."))
        raise Conflict(
            _(
                "“%(step)s” is not possible while the inquiry is “%(status)s”.",
                step=step.label,
                status=source.label,
            )
        )
    refusal = rules.why_not(inquiry, transition, by, now=now)
    if refusal:
        if not rules.party_of(by, inquiry) & transition.who or rules.interested(inquiry, by) == refusal:
            raise Forbidden(refusal)
        raise Conflict(refusal)
    put(inquiry, target, now)
    if target in CLOSED:
        inquiry.reason = reason
    return tell(
        inquiry, step, by=by, note=note, reason=reason, from_status=source, to_status=target, data=data
    )


def held_event(inquiry: Inquiry) -> InquiryEvent | None:
    """The step whose letter is held at present."""
    if inquiry.held_until is None or inquiry.held_until <= clock.now():
        return None
    return db.session.scalar(
        sa.select(InquiryEvent)
        .where(
            InquiryEvent.inquiry_id == inquiry.id,
            InquiryEvent.kind.in_([str(step) for step in rules.HELD_STEPS]),
        )
        .order_by(InquiryEvent.id.desc())
        .limit(1)
    )


def put(inquiry: Inquiry, target: Status, now: datetime) -> None:
    """Set a status with all that is derived from it: kept counts, clocks, the closing date."""
    source = inquiry.status
    with db.session.no_autoflush:  # what is read on the way must not write a row that is half changed
        inquiry.status = target
        inquiry.status_since = now
        inquiry.closed_at = now if target in CLOSED or target is Status.VOID else None
        if target is Status.NEEDS_INFO:
            clocks.pause(inquiry, now)
        else:
            clocks.resume(inquiry, now)
            inquiry.asked_from = None
        # Reminders and escalation belong to the step that ends here.
        inquiry.reminded = 0
        inquiry.escalated_at = None
        clocks.set_due(inquiry, now)
        if inquiry.closed_at is not None:  # nobody is asked about a move of what is over
            db.session.execute(
                sa.update(Transfer)
                .where(Transfer.inquiry_id == inquiry.id, STANDING_TRANSFER)
                .values(state=TransferState.CALLED_OFF)
            )
    count(inquiry.department_id, {source: -1, target: +1})


def count(department_id: int, changes: dict[Status, int]) -> None:
    """Add to the kept counts, always in the same order so that two writers cannot lock each other out."""
    for status in sorted(changes):
        change = changes[status]
        values = {"department_id": department_id, "status": str(status), "change": change}
        connection().execute(_LESS if change < 0 else _MORE, values)


# A count that is not there yet begins with what is added; below nothing it cannot fall, so it is there to be lessened.
_LESS = sa.text(
    "UPDATE inquiry_count SET count = count + :change WHERE department_id = :department_id AND status = :status"
)
_MORE = sa.text(
    "INSERT INTO inquiry_count (department_id, status, count) VALUES (:department_id, :status, :change) "
    "ON CONFLICT (department_id, status) DO UPDATE SET count = inquiry_count.count + excluded.count"
)


def answered_by_a_person(inquiry: Inquiry, now: datetime) -> bool:
    """Stop the clock of the first answer, if this is the first; acknowledgements do not call this."""
    if inquiry.first_answer_at is not None:
        return False
    inquiry.first_answer_at = now
    return True


def seen(inquiry: Inquiry, by: Actor) -> None:
    """Staff acted on it: it is not unread any more, and it has a coordinator."""
    if by.is_staff:
        inquiry.unread = False
        if inquiry.coordinator_id is None and Role.COORDINATOR in by.roles_in(inquiry.department_id):
            inquiry.coordinator_id = by.user_id
