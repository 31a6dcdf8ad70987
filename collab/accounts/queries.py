"""Who is signed in, who works where, who was invited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from collab.accounts.actor import Actor
from collab.accounts.addresses import key_of
from collab.accounts.models import Invitation, Membership, PasswordReset, StaffSession, User
from collab.accounts.permissions import Permission, departments_where
from collab.accounts.roles import Role
from collab.core import clock, site, tokens
from collab.core.db import db
from collab.core.errors import NotFound
from collab.departments import Department

SESSION = "staff-session"
INVITATION = "invitation"
RESET = "password-reset"


class Step(StrEnum):
    """What a browser has to show next before it is signed in."""

    CODE = "code"
    PASSWORD = "password"  # noqa: S105
    ENROL = "enrol"
    DONE = "done"


def step_of(user: "User | _Known", session: "StaffSession | _Known") -> Step:
    """The next step of a sign-in: the code, then a password of one's own, then a second factor."""
    if user.has_second_factor and session.second_factor_at is None:
        return Step.CODE
    if user.must_change_password:
        return Step.PASSWORD
    return Step.DONE if user.has_second_factor else Step.ENROL


def _lives(user: "User | _Known", session: "StaffSession | _Known", seen_at: datetime | None) -> bool:
    now = clock.now()
    last = max(session.last_seen_at, seen_at) if seen_at else session.last_seen_at
    return session.ended_at is None and now < session.expires_at and now - last < _idle() and user.is_enabled


def session_by_token(token: str, *, seen_at: datetime | None = None) -> tuple[User, StaffSession] | None:
    """The living session of a cookie, whatever step it is at.

    :param seen_at: when the browser was last here, as its cookie (signed by us) says; the later of this and
        what the row says counts for the idle time. Reading writes nothing, so the row alone does not know.
    """
    if not token or len(token) > 64:
        return None
    session = db.session.scalar(
        sa.select(StaffSession)
        .where(StaffSession.token == tokens.digest(SESSION, token))
        .options(joinedload(StaffSession.user).selectinload(User.memberships))
    )
    if session is None or not _lives(session.user, session, seen_at):
        return None
    return session.user, session


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, as it was when the request came in: a copy, so that a later rollback takes nothing away."""

    id: int
    session_id: int
    name: str
    email: str
    locale: str
    last_seen_at: datetime
    roles: frozenset[tuple[int, Role]]
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        return str(self.id)


class _Known(Protocol):
    """What ``step_of`` and ``_lives`` ask of an account and its session; here a row of both."""

    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    second_factor_at: datetime | None
    is_enabled: bool
    has_second_factor: bool
    must_change_password: bool


#: Asked with every page of the staff, hence built once and without making objects: one row for each role.
_BY_TOKEN = (
    sa.select(
        User.id,
        StaffSession.id.label("session_id"),
        User.name,
        User.email,
        User.locale,
        StaffSession.last_seen_at,
        StaffSession.expires_at,
        StaffSession.ended_at,
        StaffSession.second_factor_at,
        User.disabled_at.is_(None).label("is_enabled"),
        User.totp_confirmed_at.is_not(None).label("has_second_factor"),
        User.password_expires_at.is_not(None).label("must_change_password"),
        Membership.department_id,
        Membership.role,
    )
    .join(User, User.id == StaffSession.user_id)
    .outerjoin(Membership, Membership.user_id == User.id)
    .where(StaffSession.token == sa.bindparam("digest"))
)


def signed_in_by(token: str, *, seen_at: datetime | None = None) -> SignedIn | None:
    """Who is signed in with this cookie: enabled, second factor shown, neither idle nor too old. A copy."""
    if not token or len(token) > 64:
        return None
    digest = tokens.digest(SESSION, token)
    rows: Sequence[Any] = db.session.connection().execute(_BY_TOKEN, {"digest": digest}).all()
    if not rows or not _lives(rows[0], rows[0], seen_at) or step_of(rows[0], rows[0]) is not Step.DONE:
        return None
    found = rows[0]
    return SignedIn(
        id=found.id,
        session_id=found.session_id,
        name=found.name,
        email=found.email,
        locale=found.locale,
        last_seen_at=found.last_seen_at,
        roles=frozenset((row.department_id, row.role) for row in rows if row.role is not None),
    )


def _roles(user: User) -> frozenset[tuple[int, Role]]:
    return frozenset((m.department_id, m.role) for m in user.memberships)


def actor_of(user: User | SignedIn, *, network: str | None = None, request_id: str | None = None) -> Actor:
    """The actor that a person is, with the roles held now."""
    return Actor(
        kind="staff",
        user_id=user.id,
        name=user.name,
        network=network,
        request_id=request_id,
        memberships=user.roles if isinstance(user, SignedIn) else _roles(user),
    )


def by_email(email: str) -> User | None:
    """The account of an address, without regard to case."""
    return db.session.scalar(sa.select(User).where(User.email_key == key_of(email)))


def user_by_id(user_id: int) -> User:
    """:raises NotFound: there is none."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound
    return user


def all_users() -> Sequence[User]:
    """Everybody, by name, for the command line."""
    return (
        db.session.scalars(sa.select(User).options(joinedload(User.memberships)).order_by(User.name, User.id))
        .unique()
        .all()
    )


def with_role(department_id: int, *roles: Role) -> Sequence[User]:
    """The enabled people who hold one of these roles in a department, by name."""
    return (
        db.session.scalars(
            sa.select(User)
            .where(
                User.disabled_at.is_(None),
                User.id.in_(
                    sa.select(Membership.user_id).where(
                        Membership.department_id == department_id, Membership.role.in_(roles)
                    )
                ),
            )
            .options(joinedload(User.memberships))
            .order_by(User.name, User.id)
        )
        .unique()
        .all()
    )


@dataclass(frozen=True)
class Person:
    """One person as the page of people shows them."""

    user: User
    roles: tuple[Role, ...]
    last_signed_in: datetime | None
    open_sessions: int


def people(department_id: int, *, seen_by: Actor) -> list[Person]:
    """Everybody with a role in this department, by name.

    :raises NotFound: the actor does not manage this department's people.
    """
    _managed(department_id, seen_by)
    users = (
        db.session.scalars(
            sa.select(User)
            .where(
                User.id.in_(sa.select(Membership.user_id).where(Membership.department_id == department_id))
            )
            .options(joinedload(User.memberships))
            .order_by(User.disabled_at.is_not(None), User.name, User.id)
        )
        .unique()
        .all()
    )
    now = clock.now()
    is_open = sa.and_(StaffSession.ended_at.is_(None), StaffSession.expires_at > now)
    figures = {
        row.user_id: (row.last, row.open)
        for row in db.session.execute(
            sa.select(
                StaffSession.user_id,
                sa.func.max(StaffSession.second_factor_at, type_=StaffSession.second_factor_at.type).label(
                    "last"
                ),
                sa.func.sum(sa.case((is_open, 1), else_=0)).label("open"),
            )
            .where(
                StaffSession.user_id.in_([user.id for user in users]),
                StaffSession.second_factor_at.is_not(None),
            )
            .group_by(StaffSession.user_id)
        )
    }
    return [
        Person(
            user,
            tuple(role for role in Role if role in user.roles_in(department_id)),
            *figures.get(user.id, (None, 0)),
        )
        for user in users
    ]


def person(user_id: int, department_id: int, *, seen_by: Actor) -> User:
    """One person of a department the actor manages.

    :raises NotFound: no such person there, or not the actor's department: a stranger cannot tell which.
    """
    _managed(department_id, seen_by)
    user = db.session.get(User, user_id)
    if user is None or not user.roles_in(department_id):
        raise NotFound
    return user


def open_invitations(department_id: int, *, seen_by: Actor) -> Sequence[Invitation]:
    """Invitations neither accepted nor withdrawn, the newest first; those that ran out stay for 30 days."""
    _managed(department_id, seen_by)
    return db.session.scalars(
        sa.select(Invitation)
        .where(
            Invitation.department_id == department_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > clock.now() - timedelta(days=30),
        )
        .options(joinedload(Invitation.invited_by))
        .order_by(Invitation.id.desc())
    ).all()


def managed_departments(by: Actor) -> list[Department]:
    """The departments whose people the actor manages."""
    ids = departments_where(by, Permission.MANAGE_PEOPLE)
    return list(
        db.session.scalars(sa.select(Department).where(Department.id.in_(ids)).order_by(Department.id))
    )


def invitation_by_token(token: str) -> Invitation:
    """The invitation of a link that can still be accepted.

    :raises NotFound: unknown, used, withdrawn or run out: one and the same answer.
    """
    invitation = None
    if token and len(token) <= 64:
        digest = tokens.digest(INVITATION, token)
        invitation = db.session.scalar(sa.select(Invitation).where(Invitation.token == digest))
    if (
        invitation is None
        or invitation.accepted_at is not None
        or invitation.revoked_at is not None
        or invitation.expires_at <= clock.now()
    ):
        raise NotFound
    return invitation


def reset_by_token(token: str) -> tuple[PasswordReset, User]:
    """The password reset of a link that can still be used.

    :raises NotFound: unknown, used, replaced, run out, or the account is disabled.
    """
    reset = None
    if token and len(token) <= 64:
        digest = tokens.digest(RESET, token)
        reset = db.session.scalar(sa.select(PasswordReset).where(PasswordReset.token == digest))
    if reset is None or reset.used_at is not None or reset.expires_at <= clock.now():
        raise NotFound
    user = db.session.get(User, reset.user_id)
    if user is None or not user.is_enabled:
        raise NotFound
    return reset, user


def open_sessions(user_id: int) -> Sequence[StaffSession]:
    """The sessions of a person that are signed in, the newest first."""
    return db.session.scalars(
        sa.select(StaffSession)
        .where(
            StaffSession.user_id == user_id,
            StaffSession.second_factor_at.is_not(None),
            StaffSession.ended_at.is_(None),
            StaffSession.expires_at > clock.now(),
        )
        .order_by(StaffSession.id.desc())
    ).all()


def _managed(department_id: int, by: Actor) -> None:
    if by.kind in {"command", "system"}:
        return
    if department_id not in departments_where(by, Permission.MANAGE_PEOPLE):
        raise NotFound


def _idle() -> timedelta:
    settings = site.settings()
    return timedelta(minutes=settings.session_idle_minutes)
