"""What the partner may see of an inquiry, and what the partner can do next (domain.md B.7).

Never shown: scores, reviewers' names, notes, the rank on the waiting list, and a decision whose letter is still held.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import files
from collab.core import clock
from collab.core.db import db
from collab.core.errors import NotFound
from collab.core.wording import format_day
from collab.files import StoredFile
from collab.inquiries import clocks, deadlines, questions, rules
from collab.inquiries.models import Inquiry, Message
from collab.inquiries.statuses import OPEN, Status
from collab.inquiries.submission import SHARED


@dataclass(frozen=True)
class Standing:
    """Where the inquiry stands, in the partner's words.

    :param then: who acts next; empty when nobody has to.
    :param kind: how the page marks it: ``wait`` (the partner acts), ``ok`` (agreed) or empty.
    """

    status: Status
    label: str
    sentence: str
    then: str
    kind: str = ""
    late: bool = False


def standing(inquiry: Inquiry, lang: str, *, now: datetime) -> Standing:
    """The plain label, the one sentence, who acts next and by when."""
    status = rules.shown_status(inquiry, now=now)
    zone = inquiry.department.timezone
    today = clock.local_day(now, zone)
    outcome = inquiry.outcome or {} if status is inquiry.status else {}

    def day(moment: datetime | None) -> str:
        return format_day(moment, lang, timezone=zone)

    def said(sentence: str, then: str = "", *, kind: str = "", late: bool = False) -> Standing:
        return Standing(status, str(status.partner_label), sentence, then, kind, late)

    ours = _("Next step: the department.")
    yours = _("Next step: you.")
    closed = _("Closed. You may write again at any time.")
    match status:
        case Status.UNCONFIRMED:
            return said(_("Please confirm your e-mail by the link we sent you."), yours, kind="wait")
        case Status.RECEIVED | Status.IN_REVIEW | Status.DECISION_READY:
            first = status is Status.RECEIVED and not rules.shown_answered(inquiry, now=now)
            due = clocks.promise(inquiry, first=first)
            if status is Status.DECISION_READY and deadlines.waits_for_interest(inquiry):
                return said(
                    _(
                        "A place is free. Please tell us by %(date)s whether you are still interested.",
                        date=day(inquiry.interest_due),
                    ),
                    yours,
                    kind="wait",
                )
            if due is not None and clock.local_day(due, zone) < today:
                return said(
                    _(
                        "We promised you an answer by %(date)s and are late. We are sorry; yours goes first now.",
                        date=day(due),
                    ),
                    ours,
                    late=True,
                )
            if first:
                return said(
                    _(
                        "A coordinator reads your inquiry. You will hear from a person by %(date)s.",
                        date=day(due),
                    ),
                    ours,
                )
            if status is Status.RECEIVED:
                return said(
                    _("A coordinator reads what you sent. Decision expected by %(date)s.", date=day(due)),
                    ours,
                )
            return said(
                _("The group concerned is considering it. Decision expected by %(date)s.", date=day(due)),
                ours,
            )
        case Status.NEEDS_INFO:
            return said(
                _("We wait for your answer until %(date)s.", date=day(inquiry.due_at)), yours, kind="wait"
            )
        case Status.WAITLISTED:
            if deadlines.waits_for_interest(inquiry):
                return said(
                    _(
                        "Please tell us by %(date)s whether you are still interested.",
                        date=day(inquiry.interest_due),
                    ),
                    yours,
                    kind="wait",
                )
            if inquiry.due_at is None:  # a step on it is held, and nothing of that is shown
                return said(_("You are on the waiting list. We write to you soon."), ours)
            return said(
                _(
                    "Suitable, but no place in %(period)s. We write again by %(date)s.",
                    period=outcome.get("period") or _("the period you named"),
                    date=day(inquiry.due_at),
                ),
                ours,
            )
        case Status.CONDITIONAL:
            return said(
                _("Agreed if the points below are met."), _("Next step: see the points below."), kind="ok"
            )
        case Status.ACCEPTED:
            return said(
                _("The department agrees. Formal admission is by the university and hospital offices."),
                kind="ok",
            )
        case Status.REFERRED:
            contact = ", ".join(part for part in (outcome.get("office"), outcome.get("contact")) if part)
            return said(_("This office can help you: %(contact)s.", contact=contact) if contact else closed)
        case Status.DECLINED:
            reason = str(inquiry.reason.sentence) if inquiry.reason else ""
            return said(_("We cannot offer this now: %(reason)s", reason=reason) if reason else closed)
        case _:
            return said(closed)


@dataclass(frozen=True)
class Possible:
    """What the partner can do now.

    :param resume_until: the last day on which a withdrawal can be taken back.
    """

    answer: bool
    withdraw: bool
    interested: bool
    erase: bool
    more_time: bool = False
    resume_until: date | None = None


def possible(inquiry: Inquiry, *, now: datetime) -> Possible:
    """The buttons of the partner's page."""
    status = rules.shown_status(inquiry, now=now)
    live = inquiry.merged_into_id is None and inquiry.erasure_requested_at is None
    undo = inquiry.status_since + timedelta(days=rules.UNDO_DAYS)
    # While a step's letter is held the partner sees the inquiry as it stood before, and is asked for nothing.
    asked = status is inquiry.status and deadlines.waits_for_interest(inquiry)
    late_answer = inquiry.status_since + timedelta(days=rules.LATE_ANSWER_DAYS)
    return Possible(
        answer=live and (status in OPEN or (status is Status.LAPSED and now <= late_answer)),
        withdraw=live and status in OPEN,
        interested=live and (status is Status.WAITLISTED or asked),
        more_time=live and asked and inquiry.interest_extended_at is None,
        erase=inquiry.erasure_requested_at is None,
        resume_until=clock.local_day(undo, inquiry.department.timezone)
        if live and status is Status.WITHDRAWN and now <= undo
        else None,
    )


@dataclass(frozen=True)
class Conversation:
    """Letters the partner may see, oldest first, and the files that came with each and with the inquiry.

    :param joined: other inquiries of the partner that were joined with this one: letters and files are theirs, too.
    """

    letters: list[Message]
    question: Message | None
    own_files: list[StoredFile]
    joined: list[Inquiry]
    files: dict[int, list[StoredFile]] = field(default_factory=dict)


def conversation(inquiry: Inquiry, *, now: datetime) -> Conversation:
    """What was said between the partner and the department; letters taken back or still held are not among it."""
    joined = joined_with(inquiry)
    letters = list(db.session.scalars(_letters([inquiry, *joined], now).order_by(Message.id)))
    question = None
    if rules.shown_status(inquiry, now=now) is Status.NEEDS_INFO:
        question = next((one for one in reversed(letters) if one.kind == "question"), None)
    return Conversation(
        letters,
        question,
        [
            file
            for some in files.of_many("inquiry", [inquiry.id, *(one.id for one in joined)]).values()
            for file in some
        ],
        joined,
        files.of_many("message", [one.id for one in letters]),
    )


def file_of(inquiry: Inquiry, file_id: int, *, now: datetime) -> StoredFile:
    """A file of the partner's own inquiry, or one that came with a letter the partner may see.

    :raises NotFound: any other.
    """
    own = [inquiry, *joined_with(inquiry)]
    letters = db.session.scalars(_letters(own, now).with_only_columns(Message.id))
    return files.by_id(
        file_id, owners=[*(("inquiry", one.id) for one in own), *(("message", id) for id in letters)]
    )


def joined_with(inquiry: Inquiry) -> list[Inquiry]:
    """What was joined into an inquiry, oldest first."""
    return list(
        db.session.scalars(
            sa.select(Inquiry)
            .where(Inquiry.merged_into_id == inquiry.id, Inquiry.anonymised_at.is_(None))
            .order_by(Inquiry.id)
        )
    )


def _letters(own: list[Inquiry], now: datetime) -> sa.Select[Any]:
    return sa.select(Message).where(
        Message.inquiry_id.in_([one.id for one in own]),
        Message.taken_back_at.is_(None),
        sa.or_(Message.visible_from.is_(None), Message.visible_from <= now),
    )


def by_id(inquiry_id: int) -> Inquiry:
    """The inquiry of a receipt we signed ourselves.

    :raises NotFound: it is not kept any more.
    """
    inquiry = db.session.get(Inquiry, inquiry_id)
    if inquiry is None or inquiry.anonymised_at is not None:
        raise NotFound
    return inquiry


def own_data(inquiry: Inquiry, lang: str, *, now: datetime) -> dict[str, Any]:
    """Everything the partner gave and everything the partner was told, for the partner to keep."""
    talk = conversation(inquiry, now=now)
    department = inquiry.department
    stands = standing(inquiry, lang, now=now)

    def about(file: StoredFile) -> dict[str, Any]:
        return {
            "filename": file.filename,
            "media_type": file.media_type,
            "bytes": file.size,
            "sha256": file.sha256,
            "received_at": file.created_at.isoformat(),
        }

    def given(one: Inquiry) -> dict[str, Any]:
        shared = {name: getattr(one, name) for name in sorted(SHARED - {"privacy_ack", "attachment"})}
        return {**shared, **one.answers}

    return {
        "reference": inquiry.reference,
        "department": {"en": department.name("en"), "zh": department.name("zh")},
        "track": inquiry.track.value,
        "language": inquiry.locale,
        "status": {"code": stands.status.value, "label": stands.label, "sentence": stands.sentence},
        "submitted_at": inquiry.submitted_at.isoformat(),
        "confirmed_at": inquiry.confirmed_at.isoformat() if inquiry.confirmed_at else None,
        "privacy_notice": {
            "version": inquiry.privacy_version,
            "acknowledged_at": inquiry.privacy_acknowledged_at.isoformat(),
        },
        "erasure_requested_at": inquiry.erasure_requested_at.isoformat()
        if inquiry.erasure_requested_at
        else None,
        "given": given(inquiry),
        "joined": [
            {
                "reference": one.reference,
                "submitted_at": one.submitted_at.isoformat(),
                "given": given(one),
                "in_words": {answer.label: answer.value for answer in questions.answers(one, lang)},
            }
            for one in talk.joined
        ],
        "in_words": {answer.label: answer.value for answer in questions.answers(inquiry, lang)},
        "files": [about(file) for file in talk.own_files],
        "letters": [
            {
                "from": "you" if letter.from_partner else "department",
                "at": letter.at.isoformat(),
                "text": letter.body,
                "files": [about(file) for file in talk.files.get(letter.id, [])],
            }
            for letter in talk.letters
        ],
    }
