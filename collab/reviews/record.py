"""The record of a decision: everything it rested on, as it was at that moment.

It is gathered before anything moves, kept as plain data under its own digest, and never read from anywhere else again:
rubrics, names, gates and settings may change, the record does not. Words that come from settings are kept in both
languages. Reviews and scores stand apart, because they go earlier than the rest.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale

from collab.accounts import User
from collab.accounts.actor import Actor
from collab.core import clock
from collab.core.db import db
from collab.core.errors import NotFound
from collab.departments import Bilingual
from collab.files import FileState, StoredFile
from collab.inquiries import questions
from collab.inquiries.history import Kind
from collab.inquiries.models import Conflict, Declaration, Gate, Inquiry, InquiryEvent, Message
from collab.mail import MailState, OutboxMail
from collab.reviews import queries
from collab.reviews.models import Condition, ConditionOwner, Decision, DecisionRecord
from collab.reviews.panel import Apart, Line, Panel, Sheet, shown

#: Rises when the shape of what is kept changes; older records keep theirs.
FORMAT = 1
_LANGUAGES = ("en", "zh")
#: The history's entries that tell who had an inquiry when.
_HAD = frozenset(
    {Kind.OWNER, Kind.ASSIGNED, Kind.RELEASED, Kind.HOST_ANSWERED, Kind.OPINION, Kind.OPINION_CHANGED}
)
#: What of an erased inquiry's record stays: codes and moments, nobody's words.
_FIGURES = frozenset(
    {
        "format", "reference", "track", "area", "country", "light", "department", "timezone", "submitted_at",
        "confirmed_at", "at", "verdict", "reason", "guide", "deviates", "excluded",
    }
)  # fmt: skip

Words = dict[str, str]


# -- keeping -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gathered:
    """What stands behind a decision, before it is made."""

    content: dict[str, Any]
    reviews: dict[str, Any] | None
    mean: Fraction | None


def gather(inquiry: Inquiry, panel: Panel, gates: Iterable[Gate], *, now: datetime) -> Gathered:
    """Everything that is known at this moment; nothing is changed. Call it before the inquiry moves."""
    settings = inquiry.department.settings
    declared = db.session.execute(
        sa.select(Declaration.declared_at, User.name)
        .join(User, User.id == Declaration.user_id)
        .where(Declaration.inquiry_id == inquiry.id, Declaration.clean == sa.true())
        .order_by(Declaration.declared_at, User.id)
    )
    conflicts = sa.select(sa.func.count()).select_from(Conflict).where(Conflict.inquiry_id == inquiry.id)
    area = settings.area(inquiry.area)
    content: dict[str, Any] = {
        "format": FORMAT,
        "reference": inquiry.reference,
        "department": _both(settings.name),
        "institution": _both(settings.institution),
        "timezone": inquiry.department.timezone,
        "track": inquiry.track.value,
        "area": {"code": inquiry.area, **(_both(area.name) if area else {})},
        "light": inquiry.light.value if inquiry.light else None,
        "title": inquiry.title,
        "full_name": inquiry.full_name,
        "institution_name": inquiry.institution_name,
        "country": inquiry.country,
        "locale": inquiry.locale,
        "answers": _answers(inquiry),
        "files": _files(inquiry),
        "submitted_at": _moment(inquiry.submitted_at),
        "confirmed_at": _moment(inquiry.confirmed_at),
        "first_answer_at": _moment(inquiry.first_answer_at),
        "ready_since": _moment(inquiry.status_since),
        "at": _moment(now),
        "people": _people(inquiry),
        "path": _path(inquiry),
        "declared": [{"name": name, "at": _moment(at)} for at, name in declared],
        "excluded": db.session.scalar(conflicts) or 0,
        "gates": [_gate(one, inquiry) for one in gates],
        "waited_for": _waited_for(inquiry, panel),
        "guide": panel.guide.value if panel.guide else None,
        "guide_lines": {
            "accept_from": settings.review.accept_from,
            "discuss_from": settings.review.discuss_from,
        },
    }
    return Gathered(content, _reviews(panel), panel.mean)


def keep(
    decision: Decision,
    gathered: Gathered,
    *,
    facts: dict[str, Any],
    conditions: Sequence[tuple[str, Any, ConditionOwner]],
    deviates: bool,
    subject: str,
    mail_id: int | None,
    inquiry: Inquiry,
) -> DecisionRecord:
    """Keep a record of what was gathered and decided, under its digests."""
    content = {
        **gathered.content,
        "verdict": decision.verdict.value,
        "by": decision.by_name,
        "because": decision.because,
        "deviates": deviates,
        "deviation": decision.deviation,
        **facts,
        "conditions": [
            {"text": text, "due_on": due.isoformat(), "owner": owner.value} for text, due, owner in conditions
        ],
        "letter": {
            "subject": subject,
            "text": decision.letter,
            "locale": inquiry.locale,
            "mail": mail_id,
            "held_until": _moment(inquiry.held_until),
        },
    }
    record = DecisionRecord(
        decision_id=decision.id,
        at=decision.at,
        content=content,
        reviews=gathered.reviews,
        points=None if gathered.mean is None else float(shown(gathered.mean)),
        content_digest=digest_of(content),
        reviews_digest=None if gathered.reviews is None else digest_of(gathered.reviews),
    )
    db.session.add(record)
    db.session.flush()
    return record


def digest_of(content: Any) -> str:
    """SHA-256 of plain data, the same on every database and however its keys are ordered."""
    written = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def seal_of(record: DecisionRecord) -> str:
    """One digest for the whole record as it was kept first; it also stands in the audit log."""
    return hashlib.sha256(f"{record.content_digest}\n{record.reviews_digest or ''}".encode()).hexdigest()


def is_whole(record: DecisionRecord) -> bool:
    """Whether what is kept is what was kept first, as far as it is still kept."""
    content = record.erased_at is not None or digest_of(record.content) == record.content_digest
    return content and (record.reviews is None or digest_of(record.reviews) == record.reviews_digest)


def _reviews(panel: Panel) -> dict[str, Any] | None:
    if not panel.sheets:
        return None
    return {
        "mean": _figure(panel.mean),
        "lowest": _figure(panel.lowest),
        "highest": _figure(panel.highest),
        "unjudged": panel.unjudged,
        "needed": panel.needed,
        "apart": [_apart(one) for one in panel.apart],
        "sheets": [_sheet(one) for one in panel.sheets],
    }


def _sheet(sheet: Sheet) -> dict[str, Any]:
    return {
        "reviewer": sheet.reviewer,
        "at": _moment(sheet.at),
        "recommendation": sheet.recommendation.value,
        "because": sheet.because,
        "rubric": sheet.rubric,
        "mean": _figure(sheet.mean, 2),
        "points": _figure(sheet.points),
        "counts": sheet.counts,
        "changed": sheet.changed,
        "lines": [_line(one) for one in sheet.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "code": line.criterion.code,
        "name": _both(line.criterion.name),
        "weight": line.criterion.weight,
        "value": line.value,
        "comment": line.comment,
    }


def _apart(apart: Apart) -> dict[str, Any]:
    return {
        "one": apart.one,
        "other": apart.other,
        "by": _figure(apart.by, 2 if apart.criterion is None else 0),
        "criterion": _both(apart.criterion.name) if apart.criterion else None,
    }


def _people(inquiry: Inquiry) -> list[dict[str, Any]]:
    """Hosts and reviewers, with what each was asked and when; the host's word, which is no review."""
    return [
        {
            "name": one.user.name,
            "as": one.kind.value,
            "asked_at": _moment(one.assigned_at),
            "due_on": one.due_on.isoformat(),
            "answered_at": _moment(one.answered_at),
            "released_at": _moment(one.released_at),
            "answer": one.answer.value if one.answer else None,
            "period": one.answer_period,
            "note": one.answer_note,
        }
        for one in inquiry.assignments
    ]


def _path(inquiry: Inquiry) -> list[dict[str, Any]]:
    """Every move of the inquiry and every change of hands, with who and when."""
    events = db.session.scalars(
        sa.select(InquiryEvent).where(InquiryEvent.inquiry_id == inquiry.id).order_by(InquiryEvent.id)
    )
    return [
        {
            "at": _moment(event.at),
            "kind": event.kind,
            "who": event.actor_name,
            "from": event.from_status.value if event.from_status else None,
            "to": event.to_status.value if event.to_status else None,
            "name": (event.data or {}).get("name"),
        }
        for event in events
        if event.to_status is not None or event.kind in _HAD
    ]


def _gate(gate: Gate, inquiry: Inquiry) -> dict[str, Any]:
    kind = inquiry.department.settings.gate(gate.kind)
    return {
        "kind": gate.kind,
        "name": _both(kind.name) if kind else dict.fromkeys(_LANGUAGES, gate.kind),
        "state": gate.state.value,
        "owner": gate.owner_role.value,
        "who": gate.settled_by_name,
        "at": _moment(gate.settled_at),
        "note": gate.note,
    }


def _waited_for(inquiry: Inquiry, panel: Panel) -> list[Words]:
    """What was missing when the head decided all the same."""
    said = []
    for language in _LANGUAGES:
        with force_locale(language):
            said.append(queries.waits_for(inquiry, panel=panel))
    return [{"en": en, "zh": zh} for en, zh in zip(*said, strict=True)]


def _answers(inquiry: Inquiry) -> list[dict[str, Any]]:
    said = []
    for language in _LANGUAGES:
        with force_locale(language):
            said.append([(one, one.label, one.value) for one in questions.answers(inquiry, language)])
    return [
        {
            "name": first.name,
            "label": {"en": en_label, "zh": zh_label},
            "value": {"en": en_value, "zh": zh_value},
            "long": first.long,
        }
        for (first, en_label, en_value), (_second, zh_label, zh_value) in zip(*said, strict=True)
        if first.name not in {"title", "area"}
    ]


def _files(inquiry: Inquiry) -> list[dict[str, Any]]:
    """What was sent along: names and digests, so that nobody can say later it was another file."""
    letters = sa.select(Message.id).where(Message.inquiry_id == inquiry.id)
    theirs = sa.or_(
        sa.and_(StoredFile.owner_kind == "inquiry", StoredFile.owner_id == inquiry.id),
        sa.and_(StoredFile.owner_kind == "message", StoredFile.owner_id.in_(letters)),
    )
    return [
        {"name": one.filename, "size": one.size, "sha256": one.sha256}
        for one in db.session.scalars(
            sa.select(StoredFile)
            .where(StoredFile.state == FileState.ATTACHED, theirs)
            .order_by(StoredFile.id)
        )
    ]


def _both(words: Bilingual) -> Words:
    return {"en": words.en, "zh": words.zh}


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _figure(value: Fraction | None, places: int = 1) -> str | None:
    return None if value is None else str(shown(value, places))


# -- reading -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """A record as it is shown: what was kept, and what became of the decision since.

    :param number: the first decision of an inquiry is 1.
    :param reviews: ``None`` when there were none, they were deleted in time, or this reader may not read them (now).
    :param letter_state: where the letter is; ``None`` when its mail is not kept any more.
    """

    decision: Decision
    kept: DecisionRecord
    number: int
    of: int
    reviews: dict[str, Any] | None
    hidden: bool
    letter_state: MailState | None
    letter_sent_at: datetime | None

    @property
    def content(self) -> dict[str, Any]:
        return self.kept.content

    @property
    def seal(self) -> str:
        return seal_of(self.kept)

    @property
    def conditions(self) -> list[Condition]:
        """The conditions as they stand now."""
        return list(self.decision.conditions)


def record_of(inquiry: Inquiry, number: int | None = None, *, seen_by: Actor) -> Record:
    """The record of an inquiry's newest decision, or of the one with a number. Ask first who may see the inquiry.

    :raises NotFound: no such decision, or none was kept of it.
    """
    every = queries.decisions_of(inquiry)
    wanted = len(every) if number is None else number
    if not 1 <= wanted <= len(every):
        raise NotFound
    decision = every[wanted - 1]
    kept = db.session.get(DecisionRecord, decision.id)
    if kept is None:
        raise NotFound
    hidden = kept.reviews is not None and not queries.may_read_reviews(inquiry, seen_by)
    mail_id = kept.content.get("letter", {}).get("mail")
    mail = db.session.get(OutboxMail, mail_id) if mail_id else None
    return Record(
        decision=decision,
        kept=kept,
        number=wanted,
        of=len(every),
        reviews=None if hidden else kept.reviews,
        hidden=hidden,
        letter_state=mail.state if mail else None,
        letter_sent_at=mail.sent_at if mail else None,
    )


# -- letting go --------------------------------------------------------------------------------------------------------


def cut(inquiry: Inquiry) -> None:
    """Reviews and scores are deleted in time: out of the records of an inquiry, too. The rest stays."""
    for record in _all(inquiry):
        if record.reviews is not None or record.points is not None:
            record.reviews, record.points, record.cut_at = None, None, clock.now()
    db.session.flush()


def erase(inquiry: Inquiry) -> None:
    """The person is erased: of the records of an inquiry stays what was decided and when."""
    for record in _all(inquiry):
        record.erased_at = clock.now()
        record.reviews, record.points = None, None
        record.content = {
            **{name: value for name, value in record.content.items() if name in _FIGURES},
            "gates": [
                {name: gate[name] for name in ("kind", "name", "state", "owner", "at")}
                for gate in record.content.get("gates", ())
            ],
        }
    db.session.flush()


def _all(inquiry: Inquiry) -> list[DecisionRecord]:
    return list(
        db.session.scalars(
            sa.select(DecisionRecord)
            .join(Decision, Decision.id == DecisionRecord.decision_id)
            .where(Decision.inquiry_id == inquiry.id)
        )
    )


__all__ = [
    "FORMAT",
    "Gathered",
    "Record",
    "cut",
    "digest_of",
    "erase",
    "gather",
    "is_whole",
    "keep",
    "record_of",
    "seal_of",
]
