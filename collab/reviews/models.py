"""What is kept of opinions and decisions."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from collab.accounts.models import User
from collab.core.columns import UtcDateTime, enum_of
from collab.core.db import Model
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


class Opinion(Model):
    """A reviewer's opinion on an inquiry."""

    __tablename__ = "opinion"

    id: Mapped[int] = mapped_column(primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    recommendation: Mapped[Recommendation] = mapped_column(enum_of(Recommendation))
    because: Mapped[str] = mapped_column(sa.Text)

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (sa.UniqueConstraint("inquiry_id", "user_id"),)


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
    taken_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: A later decision took its place: after the waiting list, or after the inquiry was opened again.
    superseded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    inquiry: Mapped[Inquiry] = relationship(lazy="raise")
    conditions: Mapped[list["Condition"]] = relationship(
        back_populates="decision", order_by="Condition.id", cascade="all, delete-orphan"
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
