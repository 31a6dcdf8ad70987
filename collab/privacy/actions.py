"""Erasure."""

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import audit, files, search
from collab.accounts import SYSTEM, Role
from collab.accounts.actor import Actor
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden
from collab.departments import Department
from collab.inquiries import likeness, links, notices, submission, tags
from collab.inquiries.history import Kind, take, tell
from collab.inquiries.models import (
    Assignment,
    Gate,
    Inquiry,
    InquiryEvent,
    Joining,
    Link,
    LinkKind,
    Message,
    Note,
    PartnerSession,
    Transfer,
)
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import OPEN, Status
from collab.mail import MailState, OutboxMail
from collab.reviews import Condition, Decision, Opinion, OpinionDraft, record


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
    notices.erased(inquiry)
    _empty(inquiry, by)
    joined = sa.select(Inquiry).where(Inquiry.merged_into_id == inquiry.id).order_by(Inquiry.id)
    for duplicate in db.session.scalars(joined).unique().all():  # shown with it, so erased with it
        take(duplicate, erased=True)
        if duplicate.anonymised_at is None:
            _erase_mails(duplicate)
            _empty(duplicate, by)


def patients_due() -> list[int]:
    """Inquiries of patients that were referred so long ago that what they wrote has to go (domain.md B.9).

    A day early: the job that asks runs once a day, and the time is not to be passed.
    """
    now = clock.now()
    old = [
        sa.and_(
            Inquiry.department_id == department.id,
            Inquiry.closed_at
            <= now - timedelta(days=department.settings.service_levels.patient_text_days - 1),
        )
        for department in db.session.scalars(sa.select(Department))
    ]
    if not old:
        return []
    return list(
        db.session.scalars(
            sa.select(Inquiry.id)
            .where(
                sa.or_(*old),
                Inquiry.status == Status.REFERRED,
                Inquiry.reason == Reason.PATIENT_REQUEST,
                Inquiry.texts_deleted_at.is_(None),
                Inquiry.anonymised_at.is_(None),
            )
            .order_by(Inquiry.id)
        )
    )


def delete_patients_text(inquiry_id: int) -> None:
    """Delete what a patient wrote and what was written back, with files, mails and search words.

    Name and address stay as long as those of other inquiries, and what figures need stays: reference, track, area,
    country, dates, status, reason and the office named.
    """
    inquiry = db.session.get_one(Inquiry, inquiry_id)
    take(inquiry, erased=True)
    if inquiry.texts_deleted_at is not None or inquiry_id not in patients_due():
        return
    joined = sa.select(Inquiry).where(Inquiry.merged_into_id == inquiry.id).order_by(Inquiry.id)
    for one in (inquiry, *db.session.scalars(joined).unique().all()):
        if one is not inquiry:
            take(one, erased=True)
        removed = files.discard_of(("inquiry", one.id))
        _erase_texts(one, person=False)
        _erase_mails(one)
        one.title = "–"
        one.answers = {name: value for name, value in one.answers.items() if name in _FIGURES}
        one.file_count, one.signals = 0, None
        likeness.forget(one)
        one.texts_deleted_at = clock.now()
        submission.index(one)
        tell(one, Kind.TEXTS_DELETED, by=SYSTEM, data={"files": removed})


def reviews_due() -> list[int]:
    """Inquiries closed so long ago that their reviews and scores have to go (domain.md B.9)."""
    now = clock.now()
    written = sa.or_(
        sa.exists().where(Opinion.inquiry_id == Inquiry.id),
        sa.exists().where(OpinionDraft.inquiry_id == Inquiry.id),
    )
    old = [
        sa.and_(
            Inquiry.department_id == department.id,
            Inquiry.closed_at <= now - timedelta(days=department.settings.review.keep_months * 365 // 12 - 1),
        )
        for department in db.session.scalars(sa.select(Department))
    ]
    if not old:
        return []
    return list(
        db.session.scalars(
            sa.select(Inquiry.id)
            .where(sa.or_(*old), Inquiry.status.not_in(sorted(OPEN)), written)
            .order_by(Inquiry.id)
        )
    )


def delete_reviews(inquiry_id: int) -> None:
    """Delete the reviews of an inquiry with scores, comments and drafts. Who was asked and answered when stays."""
    inquiry = db.session.get_one(Inquiry, inquiry_id)
    take(inquiry, erased=True)
    if inquiry_id not in reviews_due():
        return
    _delete_reviews(inquiry)
    tell(inquiry, Kind.REVIEWS_DELETED, by=SYSTEM)


def _delete_reviews(inquiry: Inquiry) -> None:
    for model in (Opinion, OpinionDraft):
        db.session.execute(sa.delete(model).where(model.inquiry_id == inquiry.id))
    record.cut(inquiry)


def count_retention(what: str, done: int) -> None:
    """Write into the audit log how much a round of deleting has deleted; nothing when it was nothing."""
    if done:
        audit.record(f"privacy.{what}", by=SYSTEM, detail={"inquiries": done})


def _empty(inquiry: Inquiry, by: Actor) -> None:
    _erase_texts(inquiry)
    files.discard_of(("inquiry", inquiry.id))
    search.remove("inquiry", inquiry.id)
    likeness.forget(inquiry)
    links.revoke_all(inquiry, LinkKind.PRIVATE)
    for model in (PartnerSession, Link):
        db.session.execute(sa.delete(model).where(model.inquiry_id == inquiry.id))
    inquiry.full_name = inquiry.institution_name = inquiry.title = "–"
    inquiry.email = inquiry.email_key = f"erased-{inquiry.id}@invalid"
    inquiry.institution_ror = None
    inquiry.answers = {name: value for name, value in inquiry.answers.items() if name in _FIGURES}
    inquiry.outcome = inquiry.signals = None
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


def _erase_texts(inquiry: Inquiry, *, person: bool = True) -> None:
    """Delete what was written, on both sides.

    :param person: also what the history tells of persons; else who, what and when stay, and only notes go.
    """
    message_ids = list(db.session.scalars(sa.select(Message.id).where(Message.inquiry_id == inquiry.id)))
    for message_id in message_ids:
        files.discard_of(("message", message_id))
    db.session.execute(sa.delete(Message).where(Message.inquiry_id == inquiry.id))
    db.session.execute(sa.delete(Note).where(Note.inquiry_id == inquiry.id))
    _delete_reviews(inquiry)
    events = sa.update(InquiryEvent).where(InquiryEvent.inquiry_id == inquiry.id)
    db.session.execute(events.values(note=None, data=None) if person else events.values(note=None))
    if person:
        tags.clear(inquiry)
        db.session.execute(
            events.where(InquiryEvent.actor_kind.in_(("applicant", "visitor"))).values(actor_name="–")
        )
    db.session.execute(
        sa.update(Assignment)
        .where(Assignment.inquiry_id == inquiry.id)
        .values(answer_note=None, answer_period=None)
    )
    db.session.execute(sa.update(Gate).where(Gate.inquiry_id == inquiry.id).values(note=None))
    either = sa.or_(Joining.inquiry_id == inquiry.id, Joining.into_id == inquiry.id)
    db.session.execute(sa.update(Joining).where(either).values(note=None))
    db.session.execute(sa.update(Transfer).where(Transfer.inquiry_id == inquiry.id).values(consent_note=None))
    decisions = sa.select(Decision.id).where(Decision.inquiry_id == inquiry.id)
    db.session.execute(
        sa.update(Condition)
        .where(Condition.decision_id.in_(decisions))
        .values(text="–")
        .execution_options(synchronize_session="fetch")
    )
    db.session.execute(
        sa.update(Decision)
        .where(Decision.inquiry_id == inquiry.id)
        .values(letter="", because="–", deviation=sa.case((Decision.deviation.is_not(None), "–")))
    )
    record.erase(inquiry)


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
