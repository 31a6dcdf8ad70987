"""Erasure."""

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import files, search
from collab.accounts import Role
from collab.accounts.actor import Actor
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden
from collab.inquiries import links, notices
from collab.inquiries.history import Kind, take, tell
from collab.inquiries.models import (
    Assignment,
    Inquiry,
    InquiryEvent,
    Link,
    LinkKind,
    Message,
    Note,
    PartnerSession,
)
from collab.inquiries.statuses import OPEN, Status
from collab.mail import MailState, OutboxMail
from collab.reviews import Condition, Decision, Opinion


def erase(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> None:
    """Delete what tells of the person: name, address, texts, files, letters, search words, links, mails.

    What stays is figures: reference, track, area, country, kind of organisation, dates, status, reason. The partner
    is told (M14); that mail is emptied of the address once it has left.

    :raises Conflict: the inquiry is open; withdraw or close it first.
    """
    take(inquiry, version=version, by=by, erased=True)
    if by.is_staff and not {Role.COORDINATOR, Role.HEAD} & by.roles_in(inquiry.department_id):
        raise Forbidden(_("Only this role may do it: %(roles)s.", roles=Role.COORDINATOR.label))
    if inquiry.anonymised_at is not None:
        return
    if inquiry.status in OPEN or inquiry.status is Status.UNCONFIRMED:
        raise Conflict(_("The inquiry is still open. Close it or let the partner withdraw first."))
    if inquiry.held_until and inquiry.held_until > clock.now():
        raise Conflict(
            _("The letter of the last step is still held. Take it back first, or wait until it is sent.")
        )

    _erase_mails(inquiry)
    notices.erased(inquiry, inquiry.email, inquiry.locale)
    _empty(inquiry, by)
    joined = sa.select(Inquiry).where(Inquiry.merged_into_id == inquiry.id).order_by(Inquiry.id)
    for duplicate in db.session.scalars(joined).unique().all():  # shown with it, so erased with it
        take(duplicate, erased=True)
        if duplicate.anonymised_at is None:
            _erase_mails(duplicate)
            _empty(duplicate, by)


def _empty(inquiry: Inquiry, by: Actor) -> None:
    _erase_texts(inquiry)
    files.discard_of(("inquiry", inquiry.id))
    search.remove("inquiry", inquiry.id)
    links.revoke_all(inquiry, LinkKind.PRIVATE)
    for model in (PartnerSession, Link):
        db.session.execute(sa.delete(model).where(model.inquiry_id == inquiry.id))
    inquiry.full_name = inquiry.institution_name = inquiry.title = "–"
    inquiry.email = inquiry.email_key = f"erased-{inquiry.id}@invalid"
    inquiry.institution_ror = None
    inquiry.answers = {name: value for name, value in inquiry.answers.items() if name in _FIGURES}
    inquiry.outcome = None
    inquiry.file_count = 0
    inquiry.anonymised_at = clock.now()
    inquiry.unread = False
    tell(inquiry, Kind.ERASED, by=by)


#: Answers that are codes or numbers and tell nobody's name.
_FIGURES = frozenset(
    {
        "organisation_type",
        "cooperation_type",
        "visitor_type",
        "duration_weeks",
        "funding_source",
        "training_model",
        "degree_status",
        "preferred_start",
    }
)


def _erase_texts(inquiry: Inquiry) -> None:
    message_ids = list(db.session.scalars(sa.select(Message.id).where(Message.inquiry_id == inquiry.id)))
    for message_id in message_ids:
        files.discard_of(("message", message_id))
    db.session.execute(sa.delete(Message).where(Message.inquiry_id == inquiry.id))
    db.session.execute(sa.delete(Note).where(Note.inquiry_id == inquiry.id))
    db.session.execute(sa.delete(Opinion).where(Opinion.inquiry_id == inquiry.id))
    db.session.execute(
        sa.update(InquiryEvent).where(InquiryEvent.inquiry_id == inquiry.id).values(note=None, data=None)
    )
    db.session.execute(
        sa.update(InquiryEvent)
        .where(InquiryEvent.inquiry_id == inquiry.id, InquiryEvent.actor_kind.in_(("applicant", "visitor")))
        .values(actor_name="–")
    )
    db.session.execute(
        sa.update(Assignment)
        .where(Assignment.inquiry_id == inquiry.id)
        .values(answer_note=None, answer_period=None)
    )
    decisions = sa.select(Decision.id).where(Decision.inquiry_id == inquiry.id)
    db.session.execute(
        sa.update(Condition)
        .where(Condition.decision_id.in_(decisions))
        .values(text="–")
        .execution_options(synchronize_session="fetch")
    )
    db.session.execute(
        sa.update(Decision).where(Decision.inquiry_id == inquiry.id).values(letter="", because="–")
    )


def _erase_mails(inquiry: Inquiry) -> None:
    mine = sa.and_(OutboxMail.about_kind == "inquiry", OutboxMail.about_id == inquiry.id)
    # One that is being sent this moment is left to ``forget_farewells``.
    db.session.execute(sa.delete(OutboxMail).where(mine, OutboxMail.state != MailState.SENDING))


def forget_farewells() -> int:
    """Delete the last mails of erased inquiries once they have left; returns how many."""
    erased = sa.select(Inquiry.id).where(Inquiry.anonymised_at.is_not(None))
    result = db.session.execute(
        sa.delete(OutboxMail).where(
            OutboxMail.about_kind == "inquiry",
            OutboxMail.about_id.in_(erased),
            OutboxMail.state.in_((MailState.SENT, MailState.FAILED, MailState.CANCELLED)),
        )
    )
    return int(getattr(result, "rowcount", 0))
