"""People: made, given roles, switched off. All inside the caller's unit of work."""

from collections.abc import Iterable

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import audit
from collab.accounts import notices, passwords
from collab.accounts.actions.credentials import ONE_TIME_LASTS, clear_second_factor, set_password
from collab.accounts.actions.sessions import end_all_sessions
from collab.accounts.actor import COMMAND, Actor
from collab.accounts.addresses import NoAddressError, clean_email, key_of
from collab.accounts.models import Membership, User, WorkArea
from collab.accounts.permissions import Permission, departments_where
from collab.accounts.queries import by_email
from collab.accounts.roles import Role
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.core.text import HiddenCharacters, clean_line
from collab.departments import Department

LOCALES = ("en", "zh")


def create_user(
    email: str,
    name: str,
    *,
    by: Actor,
    locale: str = "en",
    password_hash: str | None = None,
    one_time: bool = False,
    roles: Iterable[tuple[int, Role]] = (),
) -> User:
    """Make an account.

    :param one_time: the password was made by somebody else: it must be changed at the first sign-in, within a week.
    :param roles: pairs of department id and role.
    :raises Invalid: at ``email`` or ``name``.
    """
    address = checked_address(email)
    if by_email(address) is not None:
        raise Invalid("email", _("There is an account with this address already."))
    name = checked_name(name)
    if locale not in LOCALES:
        raise Invalid("locale", _("Choose English or Chinese."))
    now = clock.now()
    user = User(
        email=address,
        email_key=key_of(address),
        name=name,
        locale=locale,
        created_at=now,
        enrol_until=now + ONE_TIME_LASTS,
    )
    db.session.add(user)
    if password_hash is not None:
        set_password(user, password_hash, expires_after=ONE_TIME_LASTS if one_time else None)
    for department_id, role in dict.fromkeys(roles):
        user.memberships.append(Membership(department_id=department_id, role=Role(role)))
    db.session.flush()
    audit.record(
        "account.created",
        by=by,
        on=("user", user.id),
        detail={"roles": sorted(f"{m.department_id}:{m.role.value}" for m in user.memberships)},
    )
    return user


def create_first_admin(
    email: str, *, department_id: int, password: str | None = None, name: str = "", by: Actor = COMMAND
) -> str | None:
    """Make the first administrator of an installation that has nobody yet.

    The first person works as administrator, coordinator and head, so that one person can try the whole way; nobody
    can raise his own role later, but others can be invited and these roles taken away.

    :param password: the installer's own, which stays; when not given one is made, good for one week and for the first
        sign-in only, which asks for a password of one's own. Either way the first sign-in sets up the second factor.
    :returns: the one-time password; ``None`` when there is somebody already and nothing was done.
    """
    if db.session.scalar(sa.select(sa.exists().where(User.id.is_not(None)))):
        return None
    made = password is None
    password = password or passwords.one_time_password()
    create_user(
        email,
        name or "Administrator",
        by=by,
        password_hash=passwords.hash_password(password),
        one_time=made,
        roles=[(department_id, role) for role in (Role.ADMIN, Role.COORDINATOR, Role.HEAD)],
    )
    return password


def update_user(user: User, *, name: str, locale: str, by: Actor) -> None:
    """Change one's own name and language."""
    if by.user_id != user.id:
        raise Forbidden
    name = checked_name(name)
    if locale not in LOCALES:
        raise Invalid("locale", _("Choose English or Chinese."))
    user.name, user.locale = name, locale
    audit.record("account.updated", by=by, on=("user", user.id))


def grant_role(user: User, role: Role, *, department_id: int, by: Actor) -> None:
    """Give a person a role in a department whose people the actor manages; nobody gives one to himself.

    :raises NotFound: not the actor's department.
    :raises Forbidden: the actor's own account.
    """
    may_manage(by, department_id)
    if by.user_id == user.id:
        raise Forbidden(_("Your own roles can be raised by another administrator only."))
    # Whoever gives the same role at the same time waits here, and then finds it given.
    db.session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    db.session.refresh(user, ["memberships"])
    if role in user.roles_in(department_id):
        return
    user.memberships.append(Membership(department_id=department_id, role=role))
    db.session.flush()
    _note_role("account.role_granted", user, role, department_id=department_id, by=by)


def revoke_role(user: User, role: Role, *, department_id: int, by: Actor) -> None:
    """Take a role from a person.

    :raises NotFound: not the actor's department.
    :raises Conflict: the department would be left without an administrator.
    """
    may_manage(by, department_id)
    # Whoever takes the same role away at the same time waits here, and then finds it gone.
    db.session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    db.session.refresh(user, ["memberships"])
    membership = next(
        (m for m in user.memberships if m.department_id == department_id and m.role is role), None
    )
    if membership is None:
        return
    if role is Role.ADMIN:
        _somebody_else_administers(department_id, user)
    user.memberships.remove(membership)
    db.session.flush()
    if not user.memberships:
        end_all_sessions(user, by=by)
    _note_role("account.role_revoked", user, role, department_id=department_id, by=by)


def _note_role(kind: str, user: User, role: Role, *, department_id: int, by: Actor) -> None:
    audit.record(kind, by=by, department_id=department_id, on=("user", user.id), detail={"role": role.value})


def set_areas(user: User, areas: Iterable[str], *, department_id: int, by: Actor) -> None:
    """Say in which areas of a department a person works: the group, when reviewers are chosen.

    :raises NotFound: not the actor's department, or the person does not work there.
    :raises Invalid: at ``areas``: the department has no such area.
    """
    may_manage(by, department_id)
    if not user.roles_in(department_id):
        raise NotFound
    wanted = set(areas)
    department = db.session.get_one(Department, department_id)
    if wanted - {area.code for area in department.settings.areas}:
        raise Invalid("areas", _("Choose areas of the list."))
    db.session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    db.session.refresh(user, ["work_areas"])
    held = user.areas_in(department_id)
    if wanted == held:
        return
    for one in [one for one in user.work_areas if one.department_id == department_id]:
        if one.area not in wanted:
            user.work_areas.remove(one)
    user.work_areas.extend(WorkArea(department_id=department_id, area=area) for area in sorted(wanted - held))
    db.session.flush()
    audit.record(
        "account.areas_set",
        by=by,
        department_id=department_id,
        on=("user", user.id),
        detail={"areas": sorted(wanted)},
    )


def disable_user(user: User, *, by: Actor) -> None:
    """Switch an account off: it cannot sign in, and its sessions end at once.

    :raises Forbidden: the actor's own account, or one that works for a department the actor does not manage.
    :raises Conflict: a department would be left without an administrator.
    """
    may_manage_account(user, by)
    if by.user_id == user.id:
        raise Forbidden(_("You cannot switch off your own account."))
    if user.disabled_at is not None:
        return
    for membership in user.memberships:
        if membership.role is Role.ADMIN:
            _somebody_else_administers(membership.department_id, user)
    user.disabled_at = clock.now()
    end_all_sessions(user, by=by)
    audit.record("account.disabled", by=by, on=("user", user.id))


def enable_user(user: User, *, by: Actor) -> None:
    """Switch an account on again; password and second factor are what they were."""
    may_manage_account(user, by)
    if user.disabled_at is None:
        return
    user.disabled_at = None
    audit.record("account.enabled", by=by, on=("user", user.id))


def reset_second_factor(user: User, *, by: Actor) -> None:
    """Take a lost second factor away; see ``clear_second_factor``."""
    may_manage_account(user, by)
    clear_second_factor(user, by=by)


def sign_out_everywhere(user: User, *, by: Actor) -> int:
    """End all sessions of a person the actor manages; returns how many."""
    may_manage_account(user, by)
    return end_all_sessions(user, by=by)


def issue_one_time_password(user: User, *, by: Actor, tell: bool = True) -> str:
    """Give a person a password to sign in with once, at the command line; the second factor stays as it is.

    :param tell: whether the person gets a mail about it.
    """
    password = passwords.one_time_password()
    set_password(user, passwords.hash_password(password), expires_after=ONE_TIME_LASTS)
    if not user.has_second_factor:
        user.enrol_until = clock.now() + ONE_TIME_LASTS
    end_all_sessions(user, by=by)
    if tell:
        notices.account_changed(user, "one_time_password")
    audit.record("account.one_time_password_made", by=by, on=("user", user.id))
    return password


def may_manage(by: Actor, department_id: int) -> None:
    """:raises NotFound: the actor does not manage this department's people; a stranger cannot tell it exists."""
    if by.kind in {"command", "system"}:
        return
    if department_id not in departments_where(by, Permission.MANAGE_PEOPLE):
        raise NotFound


def may_manage_account(user: User, by: Actor) -> None:
    """Whether the actor may act on the whole account: every department it works for must be the actor's.

    :raises NotFound: the person works for none of the actor's departments.
    :raises Forbidden: for one of them and for another one, too.
    """
    if by.kind in {"command", "system"}:
        return
    managed = departments_where(by, Permission.MANAGE_PEOPLE)
    theirs = {m.department_id for m in user.memberships}
    if not theirs & managed:
        raise NotFound
    if theirs - managed:
        raise Forbidden(
            _(
                "This person also works for another department. Take away the roles here, or ask its administrator."
            )
        )


def checked_address(email: str) -> str:
    """:raises Invalid: at ``email``."""
    try:
        return clean_email(email)
    except NoAddressError:
        raise Invalid("email", _("Enter one e-mail address, such as name@example.org.")) from None


def checked_name(name: str) -> str:
    """:raises Invalid: at ``name``."""
    try:
        name = clean_line(name)
    except HiddenCharacters:
        name = ""
    if not name or len(name) > 120:
        raise Invalid("name", _("Enter the name, in at most 120 characters."))
    return name


def _somebody_else_administers(department_id: int, user: User) -> None:
    # Two who remove each other at once must not both succeed: the department's row is the lock.
    db.session.execute(sa.select(Department.id).where(Department.id == department_id).with_for_update())
    others = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.department_id == department_id,
            Membership.role == Role.ADMIN,
            Membership.user_id != user.id,
            User.disabled_at.is_(None),
        )
    )
    if not others:
        raise Conflict(_("This is the department's last administrator. Appoint another one first."))
