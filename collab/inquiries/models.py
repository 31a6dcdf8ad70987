"""What is kept of an inquiry."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from collab.accounts.models import User
from collab.accounts.roles import Role
from collab.core.columns import Json, UtcDateTime, enum_of
from collab.core.db import Model
from collab.departments.models import Department
from collab.departments.tracks import Track
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import Status


class LightPath(StrEnum):
    """What is decided with one host's answer and without scores."""

    MEETING = "meeting"
    DAY_VISIT = "day_visit"
    QUESTION = "question"

    @property
    def label(self) -> LazyString:
        return {
            LightPath.MEETING: _l("A meeting"),
            LightPath.DAY_VISIT: _l("A visit of one day"),
            LightPath.QUESTION: _l("A question"),
        }[self]


class Inquiry(Model):
    """A first contact on one track, with its whole history.

    ``answers`` holds the track's own fields under their HTML names (domain.md A.2–A.4); what all tracks share and what
    the queue filters by are columns.
    """

    __tablename__ = "inquiry"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"))
    reference: Mapped[str] = mapped_column(sa.String(32), unique=True)
    track: Mapped[Track] = mapped_column(enum_of(Track))
    status: Mapped[Status] = mapped_column(enum_of(Status))
    locale: Mapped[str] = mapped_column(sa.String(5))
    submission_key: Mapped[str] = mapped_column(sa.String(64), unique=True)

    full_name: Mapped[str] = mapped_column(sa.String(120))
    email: Mapped[str] = mapped_column(sa.String(254))
    email_key: Mapped[str] = mapped_column(sa.String(254), index=True)
    institution_name: Mapped[str] = mapped_column(sa.String(200))
    institution_ror: Mapped[str | None] = mapped_column(sa.String(9))
    country: Mapped[str] = mapped_column(sa.String(2))
    area: Mapped[str] = mapped_column(sa.String(60))
    title: Mapped[str] = mapped_column(sa.String(200))
    answers: Mapped[dict[str, Any]] = mapped_column(Json)
    privacy_version: Mapped[str] = mapped_column(sa.String(20))
    privacy_acknowledged_at: Mapped[datetime] = mapped_column(UtcDateTime)
    source_page: Mapped[str | None] = mapped_column(sa.String(120))

    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status_since: Mapped[datetime] = mapped_column(UtcDateTime)
    first_answer_due: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_answer_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_due: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked_from: Mapped[Status | None] = mapped_column(enum_of(Status, "asked_from"))
    reminded: Mapped[int] = mapped_column(default=0)
    told_late_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The date a letter of ours named when a promise could not be kept (M4d).
    promised_anew: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: A partner on the waiting list is asked whether the wish still stands, and until when to answer.
    interest_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    interest_due: Mapped[datetime | None] = mapped_column(UtcDateTime)
    interest_extended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    interest_given_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When the clockwork looks at it next; nothing of it is shown to anybody.
    wake_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: What a patient wrote was deleted, ahead of the rest (domain.md B.9).
    texts_deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Where the inquiry stood before the step whose letter is held: what the partner sees until then.
    held_from: Mapped[Status | None] = mapped_column(enum_of(Status, "held_from"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[Reason | None] = mapped_column(enum_of(Reason))
    outcome: Mapped[dict[str, Any] | None] = mapped_column(Json)
    reopened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("inquiry.id"))

    coordinator_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    urgency: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    unread: Mapped[bool] = mapped_column(default=True)
    file_count: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    #: The light path: one host's answer is enough, nobody scores it.
    light: Mapped[LightPath | None] = mapped_column(enum_of(LightPath, "light"))
    #: What the portal points out in its text, by kind (``inquiries.signals``).
    signals: Mapped[dict[str, Any] | None] = mapped_column(Json)
    is_demo: Mapped[bool] = mapped_column(default=False)
    erasure_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    anonymised_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    department: Mapped[Department] = relationship(lazy="joined", innerjoin=True)
    coordinator: Mapped[User | None] = relationship(foreign_keys=[coordinator_id], lazy="raise")
    merged_into: Mapped["Inquiry | None"] = relationship(remote_side=[id])
    assignments: Mapped[list["Assignment"]] = relationship(
        back_populates="inquiry", order_by="Assignment.id", lazy="select", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012
    __table_args__ = (
        sa.CheckConstraint("urgency BETWEEN 0 AND 2", name="urgency"),
        sa.CheckConstraint("locale IN ('en', 'zh')", name="locale"),
        sa.CheckConstraint("(status = 'unconfirmed') = (confirmed_at IS NULL)", name="confirmed"),
        sa.CheckConstraint("(status = 'needs_info') = (paused_at IS NOT NULL)", name="paused"),
        # The queue: one department, most urgent first, then newest; with or without a status.
        sa.Index("ix_inquiry_queue", "department_id", "urgency", "id"),
        sa.Index("ix_inquiry_pile", "department_id", "status", "urgency", "id"),
        # The days on which it was sent, and what was sent last, within each status.
        sa.Index("ix_inquiry_sent", "department_id", "status", "submitted_at", "id"),
        # This one and that of the unread hold all that their counts ask for: no row has to be read to count.
        sa.Index("ix_inquiry_due", "status", "due_at", "department_id", "id"),
        sa.Index("ix_inquiry_coordinator", "coordinator_id", "status"),
        sa.Index("ix_inquiry_area", "department_id", "area", "urgency", "id"),
        sa.Index("ix_inquiry_country", "department_id", "country", "urgency", "id"),
        sa.Index("ix_inquiry_track", "department_id", "track", "urgency", "id"),
        sa.Index("ix_inquiry_institution", "institution_name"),
        sa.Index(
            "ix_inquiry_ror",
            "institution_ror",
            sqlite_where=sa.text("institution_ror IS NOT NULL"),
            postgresql_where=sa.text("institution_ror IS NOT NULL"),
        ),
        sa.Index(
            "ix_inquiry_merged",
            "merged_into_id",
            sqlite_where=sa.text("merged_into_id IS NOT NULL"),
            postgresql_where=sa.text("merged_into_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_inquiry_wake",
            "wake_at",
            sqlite_where=sa.text("wake_at IS NOT NULL"),
            postgresql_where=sa.text("wake_at IS NOT NULL"),
        ),
        # Few at any time among very many: what nobody has read yet, and what has to be erased.
        sa.Index(
            "ix_inquiry_unread",
            "department_id",
            "urgency",
            "id",
            "unread",
            "status",
            "coordinator_id",
            sqlite_where=sa.text("unread = 1"),
            postgresql_where=sa.text("unread"),
        ),
        sa.Index(
            "ix_inquiry_erasure",
            "erasure_requested_at",
            sqlite_where=sa.text("erasure_requested_at IS NOT NULL"),
            postgresql_where=sa.text("erasure_requested_at IS NOT NULL"),
        ),
    )


class InquiryEvent(Model):
    """One entry of an inquiry's history. Append-only.

    ``kind`` is a ``Step`` or another word of ``inquiries.history``; ``note`` is for staff only.
    """

    __tablename__ = "inquiry_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(sa.String(40))
    actor_kind: Mapped[str] = mapped_column(sa.String(20))
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    actor_name: Mapped[str] = mapped_column(sa.String(120))
    from_status: Mapped[Status | None] = mapped_column(enum_of(Status, "from_status"))
    to_status: Mapped[Status | None] = mapped_column(enum_of(Status, "to_status"))
    reason: Mapped[Reason | None] = mapped_column(enum_of(Reason, "event_reason"))
    note: Mapped[str | None] = mapped_column(sa.Text)
    data: Mapped[dict[str, Any] | None] = mapped_column(Json)


class Message(Model):
    """A letter between the department and the partner; both see it."""

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    from_partner: Mapped[bool]
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    author_name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(40))
    body: Mapped[str] = mapped_column(sa.Text)
    #: The partner sees a decision's letter only when its hold is over; a letter taken back is never seen.
    visible_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    taken_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submission_key: Mapped[str | None] = mapped_column(sa.String(64), unique=True)


class Note(Model):
    """What staff write for each other; the partner never sees it."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    author_name: Mapped[str] = mapped_column(sa.String(120))
    body: Mapped[str] = mapped_column(sa.Text)


class Tag(Model):
    """A word of a department's own for its inquiries. The partner never sees it.

    ``slug`` is how an address and the query language name it. A name that was given up (renamed, merged) stays as a
    row with ``merged_into_id``, so that what was kept under it still leads somewhere.
    """

    __tablename__ = "tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    slug: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    #: Not offered any more; it stays where it was put.
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tag.id"), index=True)

    __table_args__ = (sa.UniqueConstraint("department_id", "slug"),)


class InquiryTag(Model):
    """A tag on an inquiry."""

    __tablename__ = "inquiry_tag"

    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(sa.ForeignKey("tag.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))

    __table_args__ = (sa.Index("ix_inquiry_tag_found", "tag_id", "inquiry_id"),)


class Mention(Model):
    """Somebody is told of a note. Unread until it was read."""

    __tablename__ = "mention"

    note_id: Mapped[int] = mapped_column(sa.ForeignKey("note.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        sa.Index(
            "ix_mention_unread",
            "user_id",
            "note_id",
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        ),
    )


class AssignmentKind(StrEnum):
    """What a person is asked for: the host says whether and when, the reviewer gives an opinion."""

    HOST = "host"
    REVIEWER = "reviewer"


class HostAnswer(StrEnum):
    """A host's word."""

    YES = "yes"
    LATER = "later"
    NO = "no"


class Assignment(Model):
    """An inquiry given to a host or reviewer, with a due date."""

    __tablename__ = "assignment"

    id: Mapped[int] = mapped_column(primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    kind: Mapped[AssignmentKind] = mapped_column(enum_of(AssignmentKind))
    assigned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    assigned_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    due_on: Mapped[date]
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: No answer came in time, and the coordinator was asked to find somebody else.
    late_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[HostAnswer | None] = mapped_column(enum_of(HostAnswer))
    answer_period: Mapped[str | None] = mapped_column(sa.String(80))
    answer_note: Mapped[str | None] = mapped_column(sa.Text)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    inquiry: Mapped[Inquiry] = relationship(back_populates="assignments")
    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="joined", innerjoin=True)

    __table_args__ = (
        sa.UniqueConstraint("inquiry_id", "user_id", "kind"),
        sa.Index("ix_assignment_person", "user_id", "released_at"),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL) OR kind = 'reviewer'", name="answered"),
    )


class PartKind(StrEnum):
    """What somebody did on an inquiry that bars the same person from doing anything else of these on it."""

    HOST = "host"
    REVIEWER = "reviewer"
    HEAD = "head"


class Part(Model):
    """The part a person took in judging an inquiry: one person, one part, for good, whatever roles come later.

    Written by triggers of the database when a host answers, a review is handed in or a head decides; the same triggers
    refuse whoever took another part. It outlives reviews that are deleted in time, and decisions taken back.
    """

    __tablename__ = "part"

    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    kind: Mapped[PartKind] = mapped_column(enum_of(PartKind))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (sa.Index("ix_part_person", "user_id"),)


class Reminder(Model):
    """A mark of a due date that was acted on (``deadlines.DueDate.key``), so that it is acted on once."""

    __tablename__ = "reminder"

    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class DigestLine(Model):
    """Something a member of staff is told in the next daily digest instead of in a mail of its own.

    ``mail`` is the name of the mail it would have been; ``for_id`` who is away, when it is told to the deputy.
    """

    __tablename__ = "digest_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    topic: Mapped[str] = mapped_column(sa.String(40))
    mail: Mapped[str] = mapped_column(sa.String(40))
    for_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (sa.Index("ix_digest_line_person", "user_id", "told_at"),)


class Conflict(Model):
    """A conflict of interest a member of staff declared: the file is closed to that person everywhere."""

    __tablename__ = "conflict"

    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    declared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Declared for another inquiry that was joined with this one: the two are one file.
    through_id: Mapped[int | None] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"))

    __table_args__ = (sa.Index("ix_conflict_person", "user_id"),)


class Declaration(Model):
    """What a member of staff declared before an inquiry opened: an answer to each question of ``interests``.

    ``clean``: every answer was no. Otherwise there is a ``Conflict`` as well.
    """

    __tablename__ = "declaration"

    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    declared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    clean: Mapped[bool]
    answers: Mapped[dict[str, Any]] = mapped_column(Json)

    __table_args__ = (sa.Index("ix_declaration_person", "user_id"),)


class GateState(StrEnum):
    """Where a gate stands."""

    NOT_NEEDED = "not_needed"
    OPEN = "open"
    CLEARED = "cleared"
    CLEARED_WITH_CONDITIONS = "cleared_with_conditions"
    BLOCKED = "blocked"

    @property
    def label(self) -> LazyString:
        return {
            GateState.NOT_NEEDED: _l("Not needed"),
            GateState.OPEN: _l("Open"),
            GateState.CLEARED: _l("Cleared"),
            GateState.CLEARED_WITH_CONDITIONS: _l("Cleared with conditions"),
            GateState.BLOCKED: _l("Blocked"),
        }[self]


class Gate(Model):
    """One gate of an inquiry: a question of the department's settings, who answers it, and the answer.

    ``kind`` is its code in the settings. ``note`` is the evidence or the reason, for staff only.
    """

    __tablename__ = "gate"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[GateState] = mapped_column(enum_of(GateState))
    owner_role: Mapped[Role] = mapped_column(enum_of(Role, "owner_role"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_on: Mapped[date | None]
    note: Mapped[str | None] = mapped_column(sa.Text)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    settled_by_name: Mapped[str] = mapped_column(sa.String(120), default="")

    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id], lazy="raise")

    @property
    def is_kept(self) -> bool:
        """Whether it has a row; one that nobody was asked yet has none."""
        return self.version > 0

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012
    __table_args__ = (
        sa.UniqueConstraint("inquiry_id", "kind"),
        sa.CheckConstraint("(state = 'open') = (settled_at IS NULL)", name="settled"),
        sa.Index(
            "ix_gate_open",
            "owner_role",
            "due_on",
            "id",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )


class LinkKind(StrEnum):
    """What a link in a mail opens."""

    CONFIRM = "confirm"
    PRIVATE = "private"


class Link(Model):
    """A secret sent to the partner, of which only the digest is kept."""

    __tablename__ = "link"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    kind: Mapped[LinkKind] = mapped_column(enum_of(LinkKind))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (sa.CheckConstraint("length(digest) = 64", name="digest"),)


class PartnerSession(Model):
    """A partner's browser, let in to one inquiry by its private link."""

    __tablename__ = "partner_session"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Draft(Model):
    """An inquiry that is not finished, kept for a week under a private link."""

    __tablename__ = "draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"))
    track: Mapped[Track] = mapped_column(enum_of(Track))
    locale: Mapped[str] = mapped_column(sa.String(5))
    email: Mapped[str] = mapped_column(sa.String(254))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    claim_token: Mapped[str | None] = mapped_column(sa.String(64))
    submission_key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    department: Mapped[Department] = relationship(lazy="joined", innerjoin=True)


class InquiryCount(Model):
    """How many inquiries of a department stand at a status; kept by every move, so that nobody counts rows."""

    __tablename__ = "inquiry_count"

    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"), primary_key=True)
    status: Mapped[Status] = mapped_column(enum_of(Status), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)

    __table_args__ = (sa.CheckConstraint("count >= 0", name="not_negative"),)


class ReferenceCounter(Model):
    """The last running number of a department's year."""

    __tablename__ = "reference_counter"

    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class LikenessKey(Model):
    """One way in which inquiries can be alike: those with the same key have it in common (``inquiries.likeness``)."""

    __tablename__ = "likeness_key"

    key: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    inquiry_id: Mapped[int] = mapped_column(
        sa.ForeignKey("inquiry.id", ondelete="CASCADE"), primary_key=True, index=True
    )

    __table_args__ = ({"sqlite_with_rowid": False},)


class Joining(Model):
    """Two inquiries were joined: ``inquiry_id`` went into ``into_id``. Ended when the two were taken apart again.

    :param same_person: the two came from different addresses, and a coordinator confirmed that they are one person's;
        ``note`` says how that is known.
    :param carried: what has to go back: ``others`` (inquiries that had been joined with the first before), ``files``.
    """

    __tablename__ = "joining"

    id: Mapped[int] = mapped_column(primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    into_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    by_name: Mapped[str] = mapped_column(sa.String(120))
    same_person: Mapped[bool]
    note: Mapped[str | None] = mapped_column(sa.Text)
    carried: Mapped[dict[str, Any]] = mapped_column(Json)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    ended_by_name: Mapped[str | None] = mapped_column(sa.String(120))

    __table_args__ = (
        sa.Index(
            "ix_joining_standing",
            "inquiry_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )


class TransferState(StrEnum):
    """Where the moving of an inquiry stands."""

    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"
    CALLED_OFF = "called_off"
    DONE = "done"


class Transfer(Model):
    """An inquiry is to be moved to another track, or to another department of this installation.

    Nothing is moved without the partner's consent: given on the own page, or recorded by a coordinator, who says when
    and how it was given.

    :param with_file: whether the file goes along; the partner says so apart from the rest.
    :param on_page: the partner agreed on the own page; otherwise a coordinator recorded it.
    :param new_inquiry_id: what it became in the other department.
    """

    __tablename__ = "transfer"

    id: Mapped[int] = mapped_column(primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id", ondelete="CASCADE"), index=True)
    to_department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"))
    from_track: Mapped[Track] = mapped_column(enum_of(Track, "from_track"))
    to_track: Mapped[Track] = mapped_column(enum_of(Track, "to_track"))
    to_area: Mapped[str] = mapped_column(sa.String(60))
    with_file: Mapped[bool]
    state: Mapped[TransferState] = mapped_column(enum_of(TransferState))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(120))
    on_page: Mapped[bool | None]
    consent_on: Mapped[date | None]
    consent_note: Mapped[str | None] = mapped_column(sa.Text)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    new_inquiry_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("inquiry.id", ondelete="SET NULL"), index=True
    )

    to_department: Mapped[Department] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (
        sa.CheckConstraint("state NOT IN ('agreed', 'done') OR consent_on IS NOT NULL", name="consent"),
        sa.Index(
            "ix_transfer_standing",
            "inquiry_id",
            unique=True,
            sqlite_where=sa.text("state IN ('asked', 'agreed')"),
            postgresql_where=sa.text("state IN ('asked', 'agreed')"),
        ),
    )


#: Moves that are asked for, or agreed and not done yet. An inquiry has one of these at a time.
STANDING_TRANSFER = Transfer.state.in_((TransferState.ASKED, TransferState.AGREED))
