"""What is said: letters between the department and the partner, notes between staff, the partner's own acts."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import files
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, check
from collab.core import clock, limits, tokens
from collab.core.db import db
from collab.core.errors import Conflict, Invalid
from collab.inquiries import clocks, deadlines, links, mentions, notices, rules
from collab.inquiries.history import Kind, answered_by_a_person, held_event, move, seen, take, tell
from collab.inquiries.models import Inquiry, InquiryEvent, LinkKind, Message, Note
from collab.inquiries.statuses import OPEN, Status, Step

#: How often a partner may write in a day.
MESSAGES_A_DAY = 20


def say(
    inquiry: Inquiry, body: str, *, kind: str, by: Actor, visible_from: datetime | None = None
) -> Message:
    """Put a letter to the partner into the conversation."""
    message = Message(
        inquiry_id=inquiry.id,
        at=clock.now(),
        from_partner=False,
        author_id=by.user_id,
        author_name=by.name,
        kind=kind,
        body=body,
        visible_from=visible_from,
    )
    db.session.add(message)
    db.session.flush()
    return message


def letter(inquiry: Inquiry, step: Step, body: str, *, visible_from: datetime, by: Actor) -> Message:
    """The letter of a decision, which the partner sees when the hold is over."""
    if not body.strip():
        raise Invalid("letter", _("The letter is empty."))
    return say(inquiry, body, kind=step.value, by=by, visible_from=visible_from)


def recall(inquiry: Inquiry, event: InquiryEvent, now: datetime) -> None:
    """Take a held letter out of the outbox and out of the conversation.

    :param event: the entry of the history that tells of the step the letter belongs to.
    :raises Conflict: it has left already.
    """
    data = event.data or {}
    notices.cancel_held(data["mail"])
    db.session.get_one(Message, data["message"]).taken_back_at = now
    inquiry.held_until = inquiry.held_from = None


def write(inquiry: Inquiry, body: str, *, by: Actor, version: int | None = None) -> Message:
    """A free letter to the partner that changes no status."""
    now = take(inquiry, version=version, by=by)
    check(by, Permission.TRIAGE, inquiry.department_id)
    if inquiry.status in {Status.UNCONFIRMED, Status.VOID}:
        raise Conflict(_("There is nobody to write to: the inquiry is not confirmed, or set aside."))
    message = say(inquiry, body, kind="letter", by=by)
    tell(inquiry, Kind.LETTER, by=by)
    if answered_by_a_person(inquiry, now) and inquiry.status is Status.RECEIVED:
        clocks.set_due(inquiry, now)
    seen(inquiry, by)
    notices.free_letter(inquiry, body)
    return message


def note(inquiry: Inquiry, body: str, *, tell_also: Iterable[int] = (), by: Actor) -> Note:
    """A note for staff; the partner never sees it.

    :param tell_also: people who are told of it, besides those named in it behind an @.
    :raises Invalid: one of them may not see the inquiry.
    """
    take(inquiry, by=by)
    check(by, Permission.WRITE_NOTES, inquiry.department_id)
    if by.user_id is None:
        raise Conflict
    told = mentions.told_by(inquiry, body, tell_also, by=by)
    entry = Note(inquiry_id=inquiry.id, at=clock.now(), author_id=by.user_id, author_name=by.name, body=body)
    db.session.add(entry)
    tell(inquiry, Kind.NOTE, by=by)
    seen(inquiry, by)
    mentions.read(inquiry, by=by)
    db.session.flush()
    notices.mentioned(inquiry, entry, mentions.keep(entry, told))
    return entry


# -- the partner -------------------------------------------------------------------------------------------------


def applicant(inquiry: Inquiry, by: Actor) -> Actor:
    """The partner as actor, named in the history."""
    return Actor(kind="applicant", name=inquiry.full_name, network=by.network, request_id=by.request_id)


def answer(
    inquiry: Inquiry, body: str, *, claim_token: str | None, submission_key: str, by: Actor
) -> Message:
    """The partner answers our question, or writes of its own accord; with files.

    An answer to a question puts the inquiry back to where the question came from. A late answer opens a lapsed one
    again. Sent twice with the same key it is kept once.
    """
    by = applicant(inquiry, by)
    now = take(inquiry)
    key = tokens.digest("answer", submission_key)
    twin = db.session.scalar(sa.select(Message).filter_by(submission_key=key, inquiry_id=inquiry.id))
    if twin is not None:
        return twin
    # While a closing letter is held the partner still sees an open inquiry, and may write.
    if rules.shown_status(inquiry, now=now) not in OPEN | {Status.LAPSED}:
        raise Conflict(_("This inquiry is closed. You may send a new one at any time."))
    limits.hit(f"message:{inquiry.id}", limit=MESSAGES_A_DAY, per=timedelta(days=1))
    message = Message(
        inquiry_id=inquiry.id,
        at=now,
        from_partner=True,
        author_name=inquiry.full_name,
        kind="answer",
        body=body,
        submission_key=key,
    )
    db.session.add(message)
    db.session.flush()
    attached = files.claim(claim_token, owner=("message", message.id)) if claim_token else []
    inquiry.file_count += len(attached)
    if inquiry.status is Status.NEEDS_INFO:
        move(
            inquiry, Step.ANSWER, inquiry.asked_from or Status.RECEIVED, by=by, data={"files": len(attached)}
        )
        notices.continued(inquiry)
    elif inquiry.status is Status.LAPSED:
        move(inquiry, Step.ANSWER, Status.RECEIVED, by=by, data={"files": len(attached)})
        clocks.start(inquiry, now)
        notices.continued(inquiry)
    else:
        tell(inquiry, Kind.INFORMATION_ADDED, by=by, data={"files": len(attached)})
    inquiry.unread = True
    notices.partner_wrote(inquiry)
    return message


def withdraw(inquiry: Inquiry, *, by: Actor) -> None:
    """The partner withdraws (M13); can be taken back for 30 days."""
    by = applicant(inquiry, by)
    now = take(inquiry)
    if inquiry.status is Status.WITHDRAWN:
        return
    held = held_event(inquiry)
    if held is not None:
        if inquiry.status not in OPEN:
            raise Conflict(_("A decision is on its way to you; please wait for it."))
        recall(inquiry, held, now)
    move(inquiry, Step.WITHDRAW, Status.WITHDRAWN, by=by, data={"from": inquiry.status})
    inquiry.unread = True
    notices.withdrawn(inquiry)


def resume(inquiry: Inquiry, *, by: Actor) -> None:
    """The partner takes the withdrawal back: the inquiry is in the queue again (M2b)."""
    by = applicant(inquiry, by)
    now = take(inquiry)
    move(inquiry, Step.RESUME, Status.RECEIVED, by=by)
    clocks.start(inquiry, now)
    inquiry.unread = True
    notices.continued(inquiry)


def still_interested(inquiry: Inquiry, *, by: Actor) -> None:
    """A partner on the waiting list, or one who was offered a place, says that the wish still stands."""
    by = applicant(inquiry, by)
    now = take(inquiry)
    # While the letter of a step is held, the page shows and asks what was before it.
    shown = rules.shown_status(inquiry, now=now)
    offered = shown is inquiry.status is Status.DECISION_READY and deadlines.waits_for_interest(inquiry)
    if shown is not Status.WAITLISTED and not offered:
        raise Conflict(_("This inquiry is not on the waiting list."))
    clocks.interest_given(inquiry, now)
    inquiry.reminded = 0
    inquiry.unread = True
    tell(inquiry, Kind.INTEREST, by=by)
    if offered:
        notices.partner_wrote(inquiry)
        notices.decision_waits(inquiry)


def more_time(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> None:
    """The partner, or a coordinator on the partner's word, asks for more time before an offer is answered; once."""
    if not by.is_staff:
        by = applicant(inquiry, by)
    now = take(inquiry, version=version, by=by)
    if by.is_staff:
        check(by, Permission.TRIAGE, inquiry.department_id)
    if not deadlines.waits_for_interest(inquiry):
        raise Conflict(_("The partner is not asked for anything."))
    if inquiry.interest_extended_at is not None:
        raise Conflict(_("The time was made longer once already."))
    until = clocks.give_more_time(inquiry, now)
    inquiry.reminded = 0
    day = clock.local_day(until, inquiry.department.timezone)
    tell(inquiry, Kind.MORE_TIME, by=by, data={"answer_by": day.isoformat()})
    if by.is_staff:
        seen(inquiry, by)
        notices.more_time(inquiry, day)


def ask_for_erasure(inquiry: Inquiry, *, by: Actor) -> None:
    """The partner asks for erasure; staff carry it out within 30 days, unless a record has to stay."""
    by = applicant(inquiry, by)
    now = take(inquiry)
    if inquiry.erasure_requested_at is not None:
        return
    inquiry.erasure_requested_at = now
    inquiry.unread = True
    if inquiry.status in OPEN:
        held = held_event(inquiry)
        if held is not None:
            recall(inquiry, held, now)
        move(inquiry, Step.WITHDRAW, Status.WITHDRAWN, by=by, data={"from": inquiry.status, "erasure": True})
    tell(inquiry, Kind.ERASURE_REQUESTED, by=by)
    notices.erasure_requested(inquiry)


def request_link(reference: str, email: str, *, by: Actor) -> None:
    """Somebody asks for a new private link by reference and e-mail. Nothing tells whether the two belong together.

    The new link goes to the address kept with the inquiry, and to no other.
    """
    network = by.network or "unknown"
    limits.hit(f"link:network:{network}", limit=20, per=timedelta(hours=1))
    limits.hit(
        f"link:address:{tokens.digest('limit', rules.limit_key(email))[:32]}", limit=3, per=timedelta(hours=1)
    )
    inquiry = db.session.scalar(
        sa.select(Inquiry).where(
            Inquiry.reference == reference.strip().upper(),
            Inquiry.email_key == email.strip().casefold(),
            Inquiry.anonymised_at.is_(None),
        )
    )
    if inquiry is None:
        return
    take(inquiry)
    if inquiry.status is Status.UNCONFIRMED:
        notices.confirm_email(inquiry, links.issue(inquiry, LinkKind.CONFIRM))
        return
    links.revoke_all(inquiry, LinkKind.PRIVATE)
    links.end_all_sessions(inquiry)
    tell(inquiry, Kind.LINK_RENEWED, by=applicant(inquiry, by))
    notices.new_link(inquiry)
