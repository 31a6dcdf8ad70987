"""What is kept of the figures, so that a report over a million inquiries adds up sums and counts no rows."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from collab.core.clock import now
from collab.core.columns import UtcDateTime, enum_of
from collab.core.db import Model
from collab.departments.tracks import Track
from collab.inquiries.models import Inquiry
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import Status


class Figure(Model):
    """What one inquiry adds to the figures: ``facts.Facts`` as they were when its sums were last kept.

    Without a foreign key: an inquiry that is deleted leaves this until its sums are taken back.
    """

    __tablename__ = "figure"

    inquiry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"))
    is_demo: Mapped[bool]
    arrived: Mapped[date]
    track: Mapped[Track] = mapped_column(enum_of(Track, "figure_track"))
    area: Mapped[str] = mapped_column(sa.String(60))
    country: Mapped[str] = mapped_column(sa.String(2))
    kind: Mapped[str] = mapped_column(sa.String(40))
    language: Mapped[str] = mapped_column(sa.String(5))
    source: Mapped[str] = mapped_column(sa.String(120))
    status: Mapped[Status] = mapped_column(enum_of(Status, "figure_status"))
    reason: Mapped[Reason | None] = mapped_column(enum_of(Reason, "figure_reason"))
    owner_id: Mapped[int | None]
    first_days: Mapped[int | None]
    waited_days: Mapped[int | None]
    decision_days: Mapped[int | None]


class FigureSum(Model):
    """How many inquiries of a month, track and area have one thing in common.

    The key's columns stand in the order in which sums are added up: nothing has to be sorted for it.

    :param measure: what is counted (``facts.Measure``), ``key`` of which kind.
    :param month: in which the inquiry came, ``2026-11``; for the fairness report its year alone.
    """

    __tablename__ = "figure_sum"

    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"), primary_key=True)
    measure: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    month: Mapped[str] = mapped_column(sa.String(7), primary_key=True)
    track: Mapped[Track] = mapped_column(enum_of(Track, "sum_track"), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    area: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    is_demo: Mapped[bool] = mapped_column(primary_key=True)
    n: Mapped[int]

    __table_args__ = ({"sqlite_with_rowid": False},)


class FigureDue(Model):
    """An inquiry that changed since its figures were kept; written by the change itself, read until they are."""

    __tablename__ = "figure_due"

    inquiry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class FigureBasis(Model):
    """By which rules a department's sums were made; other rules (another calendar, say) mean: make them anew."""

    __tablename__ = "figure_basis"

    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"), primary_key=True)
    basis: Mapped[str] = mapped_column(sa.String(64))
    since: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


# The few that nobody has answered, eldest first.
sa.Index(
    "ix_inquiry_unanswered",
    Inquiry.department_id,
    Inquiry.confirmed_at,
    sqlite_where=sa.text("first_answer_at IS NULL AND confirmed_at IS NOT NULL"),
    postgresql_where=sa.text("first_answer_at IS NULL AND confirmed_at IS NOT NULL"),
)
