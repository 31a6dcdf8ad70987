"""Invitations: sent, withdrawn, accepted."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import audit
from collab.accounts import notices, passwords
from collab.accounts.actions.credentials import check_new_password
from collab.accounts.actions.people import LOCALES, checked_address, create_user, may_manage
from collab.accounts.actions.sessions import start_session
from collab.accounts.actor import Actor
from collab.accounts.addresses import key_of
from collab.accounts.models import Invitation, Membership, User
from collab.accounts.queries import INVITATION, by_email, invitation_by_token
from collab.accounts.roles import Role
from collab.core import clock, limits, tokens
from collab.core.db import db, unit_of_work
from collab.core.errors import Forbidden, Invalid, NotFound
from collab.departments import Department

LASTS: Final = timedelta(days=7)


def invite(
    email: str, *, roles: Collection[Role], department: Department, by: Actor, locale: str = "en"
) -> tuple[Invitation, str]:
    """Invite somebody to a department's staff by a link in a mail. Inside the caller's unit of work.

    An earlier invitation of the same address to the same department dies.

    :returns: the invitation, and the link's token (only its digest is kept).
    :raises NotFound: not the actor's department.
    :raises Invalid: at ``email``, ``roles`` or ``locale``.
    """
    may_manage(by, department.id)
    address = checked_address(email)
    key = key_of(address)
    wanted = [role for role in Role if role in set(roles)]
    if not wanted:
        raise Invalid("roles", _("Choose at least one role."))
    if locale not in LOCALES:
        raise Invalid("locale", _("Choose English or Chinese."))
    there = by_email(address)
    if there is not None and there.id == by.user_id:
        raise Forbidden(_("Your own roles can be raised by another administrator only."))
    if there is not None and there.roles_in(department.id):
        raise Invalid("email", _("This person works here already; add the role in the list."))
    limits.hit(f"invite:{by.user_id or by.kind}", limit=100, per=timedelta(days=1))
    now = clock.now()
    for older in db.session.scalars(
        sa.select(Invitation).where(
            Invitation.email_key == key,
            Invitation.department_id == department.id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
    ):
        older.revoked_at = now
    token = tokens.new_token()
    invitation = Invitation(
        token=tokens.digest(INVITATION, token),
        email=address,
        email_key=key,
        department_id=department.id,
        roles=[role.value for role in wanted],
        locale=locale,
        invited_by_id=by.user_id,
        created_at=now,
        expires_at=now + LASTS,
    )
    db.session.add(invitation)
    db.session.flush()
    notices.invitation(invitation, token, department=department, invited_by=by.name)
    audit.record(
        "account.invited",
        by=by,
        department_id=department.id,
        on=("invitation", invitation.id),
        detail={"roles": list(invitation.roles)},
    )
    return invitation, token


def renew_invitation(token: str) -> dict[str, str] | None:
    """A fresh link in the place of one that stands in a mail not sent yet, if less than half its life is left.

    :returns: what to put in the place of what in the mail; ``None`` when nothing has to change.
    """
    now = clock.now()
    invitation = db.session.scalar(sa.select(Invitation).filter_by(token=tokens.digest(INVITATION, token)))
    if invitation is None or invitation.accepted_at is not None or invitation.revoked_at is not None:
        return None
    if invitation.expires_at - now >= LASTS / 2:
        return None
    fresh, old = tokens.new_token(), invitation.expires_at
    invitation.token, invitation.expires_at = tokens.digest(INVITATION, fresh), now + LASTS
    department = db.session.get_one(Department, invitation.department_id)
    return {token: fresh, **notices.later(old, now + LASTS, department.timezone)}


def withdraw_invitation(invitation_id: int, *, department_id: int, by: Actor) -> None:
    """Make an invitation's link dead. Inside the caller's unit of work.

    :raises NotFound: no open invitation of a department the actor manages.
    """
    may_manage(by, department_id)
    invitation = db.session.get(Invitation, invitation_id)
    if invitation is None or invitation.department_id != department_id or invitation.accepted_at is not None:
        raise NotFound
    if invitation.revoked_at is None:
        invitation.revoked_at = clock.now()
        audit.record(
            "account.invitation_withdrawn",
            by=by,
            department_id=department_id,
            on=("invitation", invitation.id),
        )


def accept_invitation(
    token: str, *, name: str, password: str, locale: str, by: Actor, agent: str = ""
) -> str:
    """Make the account an invitation speaks of. Runs its own unit of work (it hashes).

    :returns: the token of half a session, which leads on to setting up the second factor.
    :raises NotFound: the link is not good (any more), or the address has an account, which must sign in first.
    :raises Invalid: at ``name``, ``password`` or ``locale``.
    """
    invitation = invitation_by_token(token)
    invitation_id, email = invitation.id, invitation.email
    check_new_password(password, name=name, email=email)
    password_hash = passwords.hash_password(password)
    with unit_of_work():
        invitation = _spend(invitation_id)
        if by_email(email) is not None:
            raise NotFound
        user = create_user(email, name, by=by, locale=locale, password_hash=password_hash)
        _join(user, invitation)
        audit.record(
            "account.invitation_accepted", by=by, department_id=invitation.department_id, on=("user", user.id)
        )
        return start_session(user, by=by, second_factor=False, agent=agent)


def join_by_invitation(token: str, *, user: User, by: Actor) -> None:
    """Take up an invitation with the account one has. Inside the caller's unit of work.

    :raises NotFound: the link is not good (any more), or it was meant for another address.
    """
    invitation = invitation_by_token(token)
    if by.user_id != user.id or invitation.email_key != user.email_key:
        raise NotFound
    invitation = _spend(invitation.id)
    _join(user, invitation)
    audit.record(
        "account.invitation_accepted", by=by, department_id=invitation.department_id, on=("user", user.id)
    )


def _spend(invitation_id: int) -> Invitation:
    # Of any number that accept at once, one succeeds.
    now = clock.now()
    result = db.session.execute(
        sa.update(Invitation)
        .where(
            Invitation.id == invitation_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > now,
        )
        .values(accepted_at=now)
        .execution_options(synchronize_session=False)
    )
    if getattr(result, "rowcount", 0) != 1:
        raise NotFound
    return db.session.get_one(Invitation, invitation_id, populate_existing=True)


def _join(user: User, invitation: Invitation) -> None:
    has = user.roles_in(invitation.department_id)
    for role in map(Role, invitation.roles):
        if role not in has:
            user.memberships.append(Membership(department_id=invitation.department_id, role=role))
    db.session.flush()
