"""The outbox: a mail is a row before it is a mail."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from collab.core.columns import Json, UtcDateTime, enum_of
from collab.core.db import Model


class MailState(StrEnum):
    """Where a mail stands."""

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def label(self) -> LazyString:
        return STATE_LABELS[self]


STATE_LABELS: dict[MailState, LazyString] = {
    MailState.HELD: _l("Held back"),
    MailState.QUEUED: _l("Waiting to be sent"),
    MailState.SENDING: _l("Being sent"),
    MailState.SENT: _l("Sent"),
    MailState.FAILED: _l("Failed"),
    MailState.CANCELLED: _l("Cancelled"),
}


class Reader(StrEnum):
    """Who a mail is for."""

    PARTNER = "partner"
    STAFF = "staff"


class OutboxMail(Model):
    """One mail to one address, rendered when the thing it tells of happened. Its Message-ID never changes.

    ``secrets`` are the link tokens that stand in its body; they are struck out once it was sent, so that reading
    the outbox later opens nobody's page.
    """

    __tablename__ = "outbox_mail"

    id: Mapped[int] = mapped_column(primary_key=True)
    department_id: Mapped[int | None] = mapped_column(index=True)
    topic: Mapped[str] = mapped_column(sa.String(40), index=True)
    about_kind: Mapped[str | None] = mapped_column(sa.String(40))
    about_id: Mapped[int | None]
    to_address: Mapped[str] = mapped_column(sa.String(320))
    to_name: Mapped[str | None] = mapped_column(sa.String(200))
    reader: Mapped[Reader] = mapped_column(enum_of(Reader))
    locale: Mapped[str] = mapped_column(sa.String(10))
    subject: Mapped[str] = mapped_column(sa.String(400))
    body_text: Mapped[str] = mapped_column(sa.Text)
    body_html: Mapped[str | None] = mapped_column(sa.Text)
    message_id: Mapped[str] = mapped_column(sa.String(250), unique=True)
    in_reply_to: Mapped[str | None] = mapped_column(sa.String(250))
    references: Mapped[list[str]] = mapped_column("reference_ids", Json, default=list)
    secrets: Mapped[list[str]] = mapped_column(Json, default=list)
    state: Mapped[MailState] = mapped_column(enum_of(MailState))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    hold_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leased_by: Mapped[str | None] = mapped_column(sa.String(100))
    attempts: Mapped[int] = mapped_column(default=0)
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(sa.String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dedupe_key: Mapped[str | None] = mapped_column(sa.String(200), unique=True)

    __table_args__ = (
        sa.Index("ix_outbox_mail_due", "state", "due_at"),
        sa.Index("ix_outbox_mail_conversation", "about_kind", "about_id", "state"),
        sa.CheckConstraint("state != 'held' OR hold_until IS NOT NULL", name="held_until"),
        sa.CheckConstraint(
            "state != 'sending' OR (lease_until IS NOT NULL AND leased_by IS NOT NULL)", name="leased"
        ),
        sa.CheckConstraint("state != 'sent' OR sent_at IS NOT NULL", name="sent_at"),
        sa.CheckConstraint("attempts >= 0", name="attempts"),
    )
