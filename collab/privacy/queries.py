"""A person's own data, as the person may have them."""

from typing import Any

import sqlalchemy as sa

from collab import files
from collab.core import clock
from collab.core.db import db
from collab.inquiries import rules
from collab.inquiries.models import Inquiry, InquiryEvent, Message
from collab.reviews import conditions_of


def everything_of(inquiry: Inquiry) -> dict[str, Any]:
    """What the partner gave and what was written to the partner, as plain data for JSON.

    Never in it: notes, names of reviewers, opinions, screening, rank, letters that are held or were taken back.
    """
    now = clock.now()
    shown = rules.shown_status(inquiry, now=now)
    messages = db.session.scalars(
        sa.select(Message).where(Message.inquiry_id == inquiry.id).order_by(Message.id)
    ).all()
    visible = [
        m for m in messages if m.taken_back_at is None and (m.visible_from is None or m.visible_from <= now)
    ]
    events = db.session.scalars(
        sa.select(InquiryEvent)
        .where(InquiryEvent.inquiry_id == inquiry.id, InquiryEvent.actor_kind == "applicant")
        .order_by(InquiryEvent.id)
    )
    attached = files.of("inquiry", inquiry.id)
    by_message = files.of_many("message", [m.id for m in visible])
    held = inquiry.held_until is not None and now < inquiry.held_until
    return {
        "reference": inquiry.reference,
        "department": inquiry.department.name(inquiry.locale),
        "track": inquiry.track,
        "status": shown,
        "language": inquiry.locale,
        "submitted_at": inquiry.submitted_at.isoformat(),
        "confirmed_at": inquiry.confirmed_at.isoformat() if inquiry.confirmed_at else None,
        "full_name": inquiry.full_name,
        "email": inquiry.email,
        "institution_name": inquiry.institution_name,
        "institution_ror": inquiry.institution_ror,
        "country": inquiry.country,
        "area": inquiry.area,
        "answers": inquiry.answers,
        "privacy_notice": {
            "version": inquiry.privacy_version,
            "acknowledged_at": inquiry.privacy_acknowledged_at.isoformat(),
        },
        "files": [_file(one) for one in attached],
        "messages": [
            {
                "at": m.at.isoformat(),
                "from": "you" if m.from_partner else "department",
                "text": m.body,
                "files": [_file(one) for one in by_message.get(m.id, [])],
            }
            for m in visible
        ],
        "conditions": []
        if held
        else [
            {"text": c.text, "due_on": c.due_on.isoformat(), "state": c.state} for c in conditions_of(inquiry)
        ],
        "your_steps": [{"at": e.at.isoformat(), "what": e.kind} for e in events],
    }


def _file(file: Any) -> dict[str, Any]:
    return {"name": file.filename, "type": file.media_type, "bytes": file.size, "sha256": file.sha256}
