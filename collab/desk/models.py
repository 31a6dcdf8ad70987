"""What is kept of how people work."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from collab.core.columns import UtcDateTime, enum_of
from collab.core.db import Model
from collab.inquiries.reasons import Reason


class Presence(Model):
    """Somebody has an inquiry open. Told again every few seconds, forgotten within a minute."""

    __tablename__ = "presence"

    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    writing: Mapped[bool] = mapped_column(default=False)


class WordingStep(StrEnum):
    """What a text module is for: the step whose letter, question or note to the partner it begins."""

    ASK = "ask"
    REFER = "refer"
    DECLINE = "decline"
    WAITLIST = "waitlist"
    ACCEPT = "accept"
    CONDITIONS = "conditions"
    LETTER = "letter"

    @property
    def label(self) -> LazyString:
        return {
            WordingStep.ASK: _l("Question to the partner"),
            WordingStep.REFER: _l("Referral to another office"),
            WordingStep.DECLINE: _l("Decline"),
            WordingStep.WAITLIST: _l("Waiting list"),
            WordingStep.ACCEPT: _l("Acceptance"),
            WordingStep.CONDITIONS: _l("Agreement on conditions"),
            WordingStep.LETTER: _l("Letter to the partner"),
        }[self]


class Wording(Model):
    """A text module that a department changed or made; those it began with have no row until then.

    :ivar code: its name in addresses; that of one the department began with stays the same.
    :ivar number: the version in force.
    """

    __tablename__ = "wording"

    id: Mapped[int] = mapped_column(primary_key=True)
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"))
    code: Mapped[str] = mapped_column(sa.String(60))
    step: Mapped[WordingStep] = mapped_column(enum_of(WordingStep, "step"))
    number: Mapped[int] = mapped_column(default=1)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    versions: Mapped[list["WordingVersion"]] = relationship(
        order_by="WordingVersion.number", lazy="raise", cascade="all, delete-orphan"
    )

    __table_args__ = (sa.UniqueConstraint("department_id", "code"),)


class WordingVersion(Model):
    """One version of a text module. Never changed; a change is the next one."""

    __tablename__ = "wording_version"

    wording_id: Mapped[int] = mapped_column(sa.ForeignKey("wording.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[Reason | None] = mapped_column(enum_of(Reason))
    title_en: Mapped[str] = mapped_column(sa.String(80))
    title_zh: Mapped[str] = mapped_column(sa.String(80))
    body_en: Mapped[str] = mapped_column(sa.Text)
    body_zh: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Nobody of the department for the version it began with.
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    by_name: Mapped[str] = mapped_column(sa.String(120), default="")
