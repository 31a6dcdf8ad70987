"""People of the staff, what they may do where, and how they prove who they are."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from collab.accounts.kinds_of_mail import MailKind, Wish
from collab.accounts.roles import Role
from collab.core.columns import Json, UtcDateTime, enum_of
from collab.core.db import Model

#: A token's digest in hexadecimal (``core.tokens.digest``).
DIGEST = sa.String(64)


class User(Model):
    """One person of the staff, in any number of departments.

    ``email`` is as the person types it; ``email_key`` is its folded form, by which the account is found.
    ``password_expires_at`` is set while the password is a one-time one, to be changed at the first sign-in.
    ``enrol_until`` is the moment until which a second factor may be set up by password alone.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254))
    email_key: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    locale: Mapped[str] = mapped_column(sa.String(2), default="en")
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    password_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    password_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    totp_secret: Mapped[str | None] = mapped_column(sa.String(64))
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    totp_last_step: Mapped[int | None] = mapped_column(sa.BigInteger)
    enrol_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version_id: Mapped[int] = mapped_column()

    memberships: Mapped[list["Membership"]] = relationship(
        back_populates="user", order_by="Membership.id", cascade="all, delete-orphan"
    )
    work_areas: Mapped[list["WorkArea"]] = relationship(
        order_by="WorkArea.area", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version_id}  # noqa: RUF012
    __table_args__ = (
        sa.CheckConstraint("locale IN ('en', 'zh')", name="locale"),
        sa.CheckConstraint("email_key <> ''", name="email_key"),
        sa.CheckConstraint("totp_confirmed_at IS NULL OR totp_secret IS NOT NULL", name="totp"),
    )

    @property
    def is_enabled(self) -> bool:
        return self.disabled_at is None

    @property
    def has_second_factor(self) -> bool:
        return self.totp_confirmed_at is not None

    @property
    def must_change_password(self) -> bool:
        """The password was made for this person by somebody else, and is good for one sign-in."""
        return self.password_expires_at is not None

    def roles_in(self, department_id: int) -> frozenset[Role]:
        return frozenset(m.role for m in self.memberships if m.department_id == department_id)

    def areas_in(self, department_id: int) -> frozenset[str]:
        """The codes of the areas in which the person works there: its group, when reviewers are chosen."""
        return frozenset(one.area for one in self.work_areas if one.department_id == department_id)


class Membership(Model):
    """One role of one person in one department."""

    __tablename__ = "membership"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"), index=True)
    role: Mapped[Role] = mapped_column(enum_of(Role))

    user: Mapped[User] = relationship(back_populates="memberships")

    __table_args__ = (sa.UniqueConstraint("user_id", "department_id", "role"),)


class WorkArea(Model):
    """One area of a department in which a person works; ``area`` is its code in the department's settings."""

    __tablename__ = "work_area"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"), primary_key=True)
    area: Mapped[str] = mapped_column(sa.String(60), primary_key=True)


class StaffSession(Model):
    """One signed-in browser. Only the digest of its token is kept.

    Without ``second_factor_at`` it is half a session: it opens the second step of the sign-in, nothing else.
    ``candidate_secret`` is the second factor this browser was shown and has not confirmed yet: another browser
    is shown another one, so that nobody confirms a secret that somebody else has seen.
    ``last_seen_at`` is the last time something was sent (reading pages writes nothing).
    """

    __tablename__ = "staff_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(DIGEST, unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    second_factor_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    candidate_secret: Mapped[str | None] = mapped_column(sa.String(64))
    candidate_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    network: Mapped[str | None] = mapped_column(sa.String(64))
    agent: Mapped[str] = mapped_column(sa.String(200), default="")

    user: Mapped[User] = relationship()

    __table_args__ = (sa.CheckConstraint("token <> ''", name="token"),)


class RecoveryCode(Model):
    """One of ten codes that stand in for the second factor, once each.

    ``selector`` is the code's first characters, by which the row is found; the rest is kept as an argon2id
    hash.
    """

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    selector: Mapped[str] = mapped_column(sa.String(8))
    code_hash: Mapped[str] = mapped_column(sa.String(255))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (sa.UniqueConstraint("user_id", "selector"),)


class Invitation(Model):
    """A link, sent by mail, by which somebody becomes a member of a department's staff."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(DIGEST, unique=True)
    email: Mapped[str] = mapped_column(sa.String(254))
    email_key: Mapped[str] = mapped_column(sa.String(254), index=True)
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"), index=True)
    roles: Mapped[list[str]] = mapped_column(Json)
    locale: Mapped[str] = mapped_column(sa.String(2), default="en")
    invited_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    invited_by: Mapped[User | None] = relationship()

    __table_args__ = (
        sa.CheckConstraint("token <> ''", name="token"),
        sa.CheckConstraint("locale IN ('en', 'zh')", name="locale"),
    )


class PasswordReset(Model):
    """A link, sent by mail, by which a new password can be set. It never replaces the second factor."""

    __tablename__ = "password_reset"

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(DIGEST, unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (sa.CheckConstraint("token <> ''", name="token"),)


class Absence(Model):
    """Days on which a person does not work for a department, and who stands in.

    :ivar deputy: nobody in particular where it is ``None``: the coordinators see to it then.
    :ivar entered_by_id: the person, or who entered it for somebody ill.
    :ivar ended_at: when it was ended early or taken back; ``last_day`` is then the last day that counted.
    """

    __tablename__ = "absence"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    deputy_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    entered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    taken_back: Mapped[bool] = mapped_column(default=False)

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    deputy: Mapped[User | None] = relationship(foreign_keys=[deputy_id])
    entered_by: Mapped[User | None] = relationship(foreign_keys=[entered_by_id])

    __table_args__ = (
        sa.CheckConstraint("last_day >= first_day", name="days"),
        sa.CheckConstraint("deputy_id <> user_id", name="deputy"),
        sa.Index("ix_absence_days", "department_id", "last_day", "first_day"),
        sa.Index("ix_absence_person", "user_id", "last_day"),
    )


class MailPreference(Model):
    """How one person wants one kind of mail; where there is none the kind's own way holds (``mail_choices``)."""

    __tablename__ = "mail_preference"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[MailKind] = mapped_column(enum_of(MailKind), primary_key=True)
    wish: Mapped[Wish] = mapped_column(enum_of(Wish))


class CalendarFeed(Model):
    """The secret address of a person's due dates. Only its token's digest is kept; a new one ends the old."""

    __tablename__ = "calendar_feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(DIGEST, unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (sa.CheckConstraint("token <> ''", name="token"),)


class DigestRun(Model):
    """The last day of which a person's digest was looked after, whether there was anything to say or not."""

    __tablename__ = "digest_run"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date]
