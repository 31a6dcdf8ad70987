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


class SavedView(Model):
    """A view of the queue that somebody gave a name.

    Personal, or shared with everybody of a department who sees inquiries: then ``department_id`` is set. ``query`` is
    the line of the search box that says it (``inquiries.query_language``), with people by their numbers.

    :ivar name_zh: what Chinese readers see, where it differs.
    :ivar position: the order among the views of the same person or department.
    """

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    #: Nobody for those a department began with.
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    department_id: Mapped[int | None] = mapped_column(sa.ForeignKey("department.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    name_zh: Mapped[str | None] = mapped_column(sa.String(60))
    query: Mapped[str] = mapped_column(sa.String(600))
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012
    __table_args__ = (
        sa.CheckConstraint("owner_id IS NOT NULL OR department_id IS NOT NULL", name="somebodys"),
        sa.Index("ix_saved_view_owner", "owner_id"),
        sa.Index("ix_saved_view_department", "department_id"),
    )


class StartView(Model):
    """With which view a person's work begins after signing in, instead of what waits for him."""

    __tablename__ = "start_view"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    view_id: Mapped[int] = mapped_column(sa.ForeignKey("saved_view.id", ondelete="CASCADE"))

    __table_args__ = (sa.Index("ix_start_view_view", "view_id"),)


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
