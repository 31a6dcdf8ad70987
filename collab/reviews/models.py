"""What is kept of opinions and decisions."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from collab.accounts.models import User
from collab.core.columns import Json, UtcDateTime, enum_of
from collab.core.db import Model
from collab.departments import RubricSettings, Track
from collab.inquiries.models import Inquiry


class Recommendation(StrEnum):
    """What a reviewer advises. A recommendation, never a decision."""

    ACCEPT = "accept"
    DISCUSS = "discuss"
    DECLINE = "decline"

    @property
    def label(self) -> LazyString:
        return {
            Recommendation.ACCEPT: _l("Accept"),
            Recommendation.DISCUSS: _l("Discuss"),
            Recommendation.DECLINE: _l("Decline"),
        }[self]


_ACTIVE = sa.text("retired_at IS NULL")


class Rubric(Model):
    """One version of what reviewers judge on a track. A change is a new version; old reviews keep theirs.

    :param number: the version, rising by one in each department and track.
    :param criteria: ``RubricSettings`` as JSON; read it through ``content``.
    :param retired_at: when a newer version took its place.
    """

    __tablename__ = "rubric"

    id: Mapped[int] = mapped_column(primary_key=True)
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"))
    track: Mapped[Track] = mapped_column(enum_of(Track))
    number: Mapped[int] = mapped_column(default=1)
    criteria: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Who wrote it; nobody for the one a department begins with.
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # One version is in force at a time.
    __table_args__ = (
        sa.UniqueConstraint("department_id", "track", "number"),
        sa.Index(
            "uq_rubric_active",
            "department_id",
            "track",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
    )

    @property
    def content(self) -> RubricSettings:
        """The criteria, checked."""
        return RubricSettings.model_validate(self.criteria)


class Opinion(Model):
    """A reviewer's review of an inquiry, as it was handed in: scores, comments, a recommendation and why.

    :param scores: by criterion, ``{"value": 1 to 5 or null for "cannot judge", "comment": …}``; none on the light path.
    :param earlier: what stood here before it was changed, oldest first.
    """

    __tablename__ = "opinion"

    id: Mapped[int] = mapped_column(primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    recommendation: Mapped[Recommendation] = mapped_column(enum_of(Recommendation))
    because: Mapped[str] = mapped_column(sa.Text)
    rubric_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rubric.id"))
    scores: Mapped[dict[str, dict[str, Any]] | None] = mapped_column(Json)
    earlier: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    rubric: Mapped[Rubric | None] = relationship(lazy="joined")

    __table_args__ = (sa.UniqueConstraint("inquiry_id", "user_id"),)


class OpinionDraft(Model):
    """What a reviewer has typed and not handed in yet. Nobody but its author ever reads it.

    :param revision: rises with every saving, so that two open pages of one person cannot overwrite each other.
    :param content: as ``scores.Content`` writes it: whatever is there, complete or not.
    """

    __tablename__ = "opinion_draft"

    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    #: Whether it differs from what was handed in.
    is_open: Mapped[bool] = mapped_column(default=True)


class Verdict(StrEnum):
    """What the head decides (domain.md B.2)."""

    ACCEPT = "accept"
    CONDITIONAL = "conditional"
    WAITLIST = "waitlist"
    REFER = "refer"
    DECLINE = "decline"

    @property
    def label(self) -> LazyString:
        return {
            Verdict.ACCEPT: _l("Accept"),
            Verdict.CONDITIONAL: _l("Accept with conditions"),
            Verdict.WAITLIST: _l("Put on the waiting list"),
            Verdict.REFER: _l("Refer to another office"),
            Verdict.DECLINE: _l("Decline"),
        }[self]


_STANDING = sa.text("taken_back_at IS NULL AND superseded_at IS NULL")


class Decision(Model):
    """A head's decision with its sentence. Taken back within the hold it stays, marked so."""

    __tablename__ = "decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    by_name: Mapped[str] = mapped_column(sa.String(120))
    verdict: Mapped[Verdict] = mapped_column(enum_of(Verdict))
    because: Mapped[str] = mapped_column(sa.Text)
    letter: Mapped[str] = mapped_column(sa.Text)
    #: Why it is another one than the guide line proposed.
    deviation: Mapped[str | None] = mapped_column(sa.Text)
    taken_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: A later decision took its place: after the waiting list, or after the inquiry was opened again.
    superseded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    inquiry: Mapped[Inquiry] = relationship(lazy="raise")
    conditions: Mapped[list["Condition"]] = relationship(
        back_populates="decision", order_by="Condition.id", cascade="all, delete-orphan"
    )
    record: Mapped["DecisionRecord | None"] = relationship(
        back_populates="decision", cascade="all, delete-orphan", lazy="raise"
    )

    # One decision stands at a time: a second head who decides at the same moment is refused by the database too.
    __table_args__ = (
        sa.Index(
            "uq_decision_standing",
            "inquiry_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )


class DecisionRecord(Model):
    """What a decision rested on, as it was at that moment. Nothing that changes later changes it.

    Kept in two parts, because reviews and scores go earlier than the rest (domain.md B.9). The database refuses any
    other change of the two than emptying them.

    :param content: ``record.gather``; emptied of persons and texts when the inquiry is erased.
    :param reviews: scores, comments and what they came to; ``None`` when there were none, or they were cut in time.
    :param points: the mean of the reviews, for comparing; goes with them.
    :param content_digest, reviews_digest: SHA-256 of the parts as they were kept first; they stay.
    """

    __tablename__ = "decision_record"

    decision_id: Mapped[int] = mapped_column(
        sa.ForeignKey("decision.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    reviews: Mapped[dict[str, Any] | None] = mapped_column(Json)
    points: Mapped[float | None] = mapped_column(sa.Float)
    content_digest: Mapped[str] = mapped_column(sa.String(64))
    reviews_digest: Mapped[str | None] = mapped_column(sa.String(64))
    cut_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    decision: Mapped[Decision] = relationship(back_populates="record")


class ConditionState(StrEnum):
    """Where a condition stands."""

    OPEN = "open"
    MET = "met"
    WAIVED = "waived"
    FAILED = "failed"

    @property
    def label(self) -> LazyString:
        return {
            ConditionState.OPEN: _l("Open"),
            ConditionState.MET: _l("Met"),
            ConditionState.WAIVED: _l("Waived"),
            ConditionState.FAILED: _l("Not met"),
        }[self]


class ConditionOwner(StrEnum):
    """Who has to see to it."""

    PARTNER = "partner"
    DEPARTMENT = "department"

    @property
    def label(self) -> LazyString:
        return {
            ConditionOwner.PARTNER: _l("Partner"),
            ConditionOwner.DEPARTMENT: _l("Department"),
        }[self]


class Condition(Model):
    """One condition of a conditional acceptance."""

    __tablename__ = "condition"

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(sa.ForeignKey("decision.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(sa.String(300))
    due_on: Mapped[date]
    owner: Mapped[ConditionOwner] = mapped_column(enum_of(ConditionOwner))
    state: Mapped[ConditionState] = mapped_column(enum_of(ConditionState), default=ConditionState.OPEN)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))

    decision: Mapped[Decision] = relationship(back_populates="conditions")

    __table_args__ = (sa.CheckConstraint("(state = 'open') = (settled_at IS NULL)", name="settled"),)
