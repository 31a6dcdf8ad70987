"""Signing in: the password, then the second factor.

These verbs run units of work of their own and must not be called inside one: hashing takes a tenth of a second and
would hold the one writer's lock of SQLite, and an attempt stays counted although it fails.
"""

from typing import NoReturn

import sqlalchemy as sa
import structlog
from flask_babel import gettext as _

from collab import audit
from collab.accounts import attempts, passwords, second_factor
from collab.accounts.actions.sessions import start_session
from collab.accounts.actor import Actor
from collab.accounts.addresses import key_of
from collab.accounts.models import RecoveryCode, StaffSession, User
from collab.accounts.queries import actor_of, by_email
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Invalid, NotFound, TooMany

log = structlog.get_logger("collab.accounts")


def sign_in_password(email: str, password: str, *, by: Actor, agent: str = "") -> str:
    """First step: the password.

    An unknown address, a wrong password and a disabled account are answered alike, after the same work.

    :returns: the token of half a session, which opens the second step and nothing else.
    :raises TooMany: too many wrong attempts for this account or from this network; nothing was compared.
    :raises Invalid: address or password are not right.
    """
    key = key_of(email)
    with unit_of_work():
        user = by_email(email)
        user_id, password_hash = (user.id, user.password_hash) if user else (None, None)
        enabled = user is not None and user.is_enabled
        _count(attempts.PASSWORDS, key, user_id, by)

    right = passwords.matches(password_hash, password)
    if not right or not enabled:
        _refuse_password(user_id, by)
    assert user_id is not None
    assert password_hash is not None
    renewed = passwords.hash_password(password) if passwords.is_outdated(password_hash) else None

    with unit_of_work():
        user = db.session.get_one(User, user_id, populate_existing=True)
        if user.is_enabled and user.password_hash == password_hash:
            _check_first_sign_in(user)
            attempts.forgive(attempts.PASSWORDS, account=key, user_id=user_id, network=by.network)
            if renewed:
                user.password_hash = renewed
            audit.record("account.password_accepted", by=by, on=("user", user.id))
            return start_session(user, by=by, second_factor=False, agent=agent)
    return _refuse_password(user_id, by)


def verify_totp(session: StaffSession, code: str, *, by: Actor, agent: str = "") -> str:
    """Second step: a code of the authenticator app. Each code works once, whoever shows it and how.

    :returns: the token of the session that takes the place of the half one.
    :raises TooMany: too many wrong codes.
    :raises Invalid: the code is wrong, old or was used.
    """
    session_id, user_id = session.id, session.user_id
    with unit_of_work():
        _count(attempts.CODES, str(user_id), user_id, by)
    with unit_of_work():
        session, user = _fresh(session_id, user_id)
        if _spend_totp(user, code):
            return _complete(session, user, by=by, agent=agent, how="totp")
    return _refuse_code(user_id, by, "totp")


def use_recovery_code(session: StaffSession, code: str, *, by: Actor, agent: str = "") -> str:
    """Second step without the app: one of the ten codes kept on paper, each once.

    :returns: the token of the session that takes the place of the half one.
    :raises TooMany: too many wrong codes.
    :raises Invalid: the code is wrong or was used.
    """
    session_id, user_id = session.id, session.user_id
    with unit_of_work():
        _count(attempts.CODES, str(user_id), user_id, by)
    row_id = matching_recovery_code(user_id, code)
    with unit_of_work():
        session, user = _fresh(session_id, user_id)
        if row_id is not None and _spend_recovery_code(row_id):
            return _complete(session, user, by=by, agent=agent, how="recovery_code")
    return _refuse_code(user_id, by, "recovery_code")


def prove(session: StaffSession, *, password: str, code: str, by: Actor) -> None:
    """Prove again who sits here, before the second factor or the recovery codes are replaced.

    :param code: of the app, or a recovery code; it is spent.
    :raises TooMany: too many wrong attempts.
    :raises Invalid: at ``password`` or ``code``.
    """
    user_id = session.user_id
    prove_password(session, password, by=by, field="password")
    with unit_of_work():
        _count(attempts.CODES, str(user_id), user_id, by)
    row_id = matching_recovery_code(user_id, code)
    with unit_of_work():
        user = db.session.get_one(User, user_id, populate_existing=True)
        if _spend_totp(user, code) or (row_id is not None and _spend_recovery_code(row_id)):
            attempts.forgive(attempts.CODES, account=str(user_id), user_id=user_id, network=by.network)
            return
    _refuse_code(user_id, by, "again")


def prove_password(session: StaffSession, password: str, *, by: Actor, field: str) -> None:
    """Prove that whoever sits here knows the password.

    :raises TooMany: too many wrong attempts.
    :raises Invalid: at ``field``.
    """
    with unit_of_work():
        user = db.session.get_one(User, session.user_id)
        user_id, key, password_hash = user.id, user.email_key, user.password_hash
        _count(attempts.PASSWORDS, key, user_id, by)
    if not passwords.matches(password_hash, password):
        audit.record_refusal("account.password_refused", by=by, on=("user", user_id))
        raise Invalid(field, _("This is not your password."))
    with unit_of_work():
        attempts.forgive(attempts.PASSWORDS, account=key, user_id=user_id, network=by.network)


def matching_recovery_code(user_id: int, code: str) -> int | None:
    """The unused recovery code this is. As slow when there is none; not for use inside a transaction that writes."""
    parts = second_factor.split_recovery_code(code)
    if parts is None:
        return None
    selector, secret = parts
    row = db.session.scalar(
        sa.select(RecoveryCode).where(
            RecoveryCode.user_id == user_id, RecoveryCode.selector == selector, RecoveryCode.used_at.is_(None)
        )
    )
    row_id, code_hash = (row.id, row.code_hash) if row else (None, None)
    db.session.rollback()
    return row_id if second_factor.recovery_code_matches(code_hash, secret) else None


def _fresh(session_id: int, user_id: int) -> tuple[StaffSession, User]:
    session = db.session.get(StaffSession, session_id, populate_existing=True, with_for_update=True)
    user = db.session.get_one(User, user_id, populate_existing=True)
    if session is None or session.ended_at is not None or not user.is_enabled:
        raise NotFound
    return session, user


def _spend_totp(user: User, code: str) -> bool:
    if user.totp_secret is None or user.totp_confirmed_at is None:
        return False
    step = second_factor.matching_step(user.totp_secret, code, at=clock.now())
    return step is not None and spend_step(user, step)


def spend_step(user: User, step: int) -> bool:
    """Use up a time step: of any number that try at once, one succeeds, and no earlier step works after it."""
    result = db.session.execute(
        sa.update(User)
        .where(User.id == user.id, sa.or_(User.totp_last_step.is_(None), User.totp_last_step < step))
        .values(totp_last_step=step)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(result, "rowcount", 0)) == 1


def _spend_recovery_code(row_id: int) -> bool:
    result = db.session.execute(
        sa.update(RecoveryCode)
        .where(RecoveryCode.id == row_id, RecoveryCode.used_at.is_(None))
        .values(used_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return int(getattr(result, "rowcount", 0)) == 1


def _complete(session: StaffSession, user: User, *, by: Actor, agent: str, how: str) -> str:
    attempts.forgive(attempts.CODES, account=str(user.id), user_id=user.id, network=by.network)
    audit.record(
        "account.signed_in",
        by=actor_of(user, network=by.network, request_id=by.request_id),
        on=("user", user.id),
        detail={"second_factor": how},
    )
    return start_session(user, by=by, second_factor=True, agent=agent, instead_of=session)


def _check_first_sign_in(user: User) -> None:
    # Said only to who knows the password, so it tells a stranger nothing.
    now = clock.now()
    if user.password_expires_at is not None and user.password_expires_at <= now:
        raise Invalid(
            "password", _("This one-time password has run out. Ask an administrator for a new one.")
        )
    if not user.has_second_factor and (user.enrol_until is None or user.enrol_until <= now):
        raise Invalid(
            "password",
            _("The time for setting up your second factor is over. Ask an administrator to reset it."),
        )


def _count(bounds: attempts.Bounds, account: str, user_id: int | None, by: Actor) -> None:
    try:
        attempts.count(bounds, account=account, user_id=user_id, network=by.network)
    except TooMany as refusal:
        log.warning("throttled", what=bounds.what, network=by.network, user=user_id)
        raise TooMany(
            _("There were too many wrong attempts. Please wait a quarter of an hour and try again."),
            retry_after=refusal.retry_after,
        ) from None


def _refuse_password(user_id: int | None, by: Actor) -> NoReturn:
    audit.record_refusal(
        "account.sign_in_refused",
        by=by,
        on=("user", user_id) if user_id else None,
        detail={"step": "password"},
    )
    raise Invalid("password", _("The e-mail address or the password is not right."))


def _refuse_code(user_id: int, by: Actor, how: str) -> NoReturn:
    audit.record_refusal("account.sign_in_refused", by=by, on=("user", user_id), detail={"step": how})
    raise Invalid("code", _("This code is not right, or it was used already. Please enter the next one."))
