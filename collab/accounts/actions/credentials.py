"""Passwords and second factors: set, changed, lost and replaced.

Verbs that hash run units of work of their own and must not be called inside one; the others say so.
"""

from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import audit
from collab.accounts import notices, passwords, second_factor
from collab.accounts.actions import signing_in
from collab.accounts.actions.sessions import ENROLMENT, end_all_sessions, start_session
from collab.accounts.actor import Actor
from collab.accounts.models import PasswordReset, RecoveryCode, StaffSession, User
from collab.accounts.queries import RESET, actor_of, by_email, reset_by_token
from collab.core import clock, limits, tokens
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.departments import all_departments

RESET_LASTS: Final = timedelta(minutes=30)
ONE_TIME_LASTS: Final = timedelta(days=7)
#: After an administrator has reset a second factor, the password alone sets up a new one only this long.
ENROL_AFTER_RESET: Final = timedelta(hours=24)


# -- passwords ---------------------------------------------------------------------------------------------------


def change_password(session: StaffSession, *, old: str, new: str, by: Actor) -> None:
    """Replace one's password, knowing the old one; every other session ends.

    :raises Invalid: at ``old_password`` or ``new_password``.
    :raises TooMany: the old one was wrong too often.
    """
    session_id, user_id = session.id, session.user_id
    about = _around(session.user)
    signing_in.prove_password(session, old, by=by, field="old_password")
    if new == old:
        raise Invalid("new_password", _("This is the password you have now. Please choose another one."))
    passwords.check(new, field="new_password", about=about)
    password_hash = passwords.hash_password(new)
    with unit_of_work():
        user = db.session.get_one(User, user_id)
        set_password(user, password_hash)
        end_all_sessions(user, by=by, but=session_id)
        notices.account_changed(user, "password")
        audit.record("account.password_changed", by=by, on=("user", user.id))


def replace_one_time_password(session: StaffSession, *, new: str, by: Actor, agent: str = "") -> str:
    """Choose a password of one's own in place of the one-time password just shown.

    :returns: the token of the session that takes the place of this one.
    :raises Invalid: at ``new_password``.
    """
    session_id, user_id, old_hash = session.id, session.user_id, session.user.password_hash
    about = _around(session.user)
    passwords.check(new, field="new_password", about=about)
    if passwords.matches(old_hash, new):
        raise Invalid("new_password", _("This is the one-time password. Please choose one of your own."))
    password_hash = passwords.hash_password(new)
    with unit_of_work():
        session = db.session.get_one(StaffSession, session_id)
        user = db.session.get_one(User, user_id)
        if session.ended_at is not None or user.password_expires_at is None or user.password_hash != old_hash:
            raise Conflict(_("This password was already changed. Please sign in again."))
        shown = session.second_factor_at is not None
        set_password(user, password_hash)
        end_all_sessions(user, by=by)
        audit.record("account.password_changed", by=by, on=("user", user.id))
        return start_session(user, by=by, second_factor=shown, agent=agent, instead_of=session)


def set_password(user: User, password_hash: str, *, expires_after: timedelta | None = None) -> None:
    """Put a new password in place; links for a new one die. Inside the caller's unit of work."""
    now = clock.now()
    user.password_hash = password_hash
    user.password_changed_at = now
    user.password_expires_at = now + expires_after if expires_after else None
    db.session.execute(
        sa.update(PasswordReset)
        .where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session="fetch")
    )


def request_password_reset(email: str, *, by: Actor) -> None:
    """Send the link for a new password to the address, if there is such an account. Inside the caller's unit of work.

    The same is done for an address nobody has, and taken back: neither answer nor time tells whether there is one.

    :raises TooMany: asked for too often from this network.
    """
    limits.hit(f"reset:network:{by.network}", limit=30, per=timedelta(hours=1))
    user = by_email(email)
    kept = user is not None and user.is_enabled and user.password_hash is not None
    if kept:
        # More than these are silently not sent: nobody's mailbox is filled by a stranger.
        kept = limits.count(f"reset:account:{user.id if user else 0}", per=timedelta(hours=1)) < 3
    attempt = db.session.begin_nested()
    if user is None or not kept:
        stand_in = User(
            email="nobody@example.org",
            email_key=f"nobody-{tokens.new_token()}",
            name="Nobody",
            locale=user.locale if user else "en",
            created_at=clock.now(),
        )
        db.session.add(stand_in)
        db.session.flush()
        _send_reset(stand_in, by=by)
        attempt.rollback()
        return
    limits.hit(f"reset:account:{user.id}", limit=3, per=timedelta(hours=1))
    _send_reset(user, by=by)
    attempt.commit()


def _send_reset(user: User, *, by: Actor) -> None:
    now = clock.now()
    db.session.execute(
        sa.update(PasswordReset)
        .where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session="fetch")
    )
    token = tokens.new_token()
    db.session.add(
        PasswordReset(
            token=tokens.digest(RESET, token), user_id=user.id, created_at=now, expires_at=now + RESET_LASTS
        )
    )
    notices.password_reset(user, token, expires_at=now + RESET_LASTS)
    audit.record("account.reset_requested", by=by, on=("user", user.id))
    db.session.flush()


def renew_reset(token: str) -> dict[str, str] | None:
    """A fresh link in the place of one that stands in a mail not sent yet, if less than half its life is left.

    :returns: what to put in the place of what in the mail; ``None`` when nothing has to change.
    """
    now = clock.now()
    reset = db.session.scalar(sa.select(PasswordReset).filter_by(token=tokens.digest(RESET, token)))
    if reset is None or reset.used_at is not None or reset.expires_at - now >= RESET_LASTS / 2:
        return None
    fresh, old = tokens.new_token(), reset.expires_at
    reset.token, reset.expires_at = tokens.digest(RESET, fresh), now + RESET_LASTS
    return {token: fresh, **notices.later(old, now + RESET_LASTS)}


def reset_password(token: str, *, new: str, by: Actor) -> None:
    """Set a new password by the link of a mail. All sessions end; the second factor stays as it is.

    :raises NotFound: the link is not good (any more).
    :raises Invalid: at ``new_password``.
    """
    reset, user = reset_by_token(token)
    reset_id, user_id = reset.id, user.id
    passwords.check(new, field="new_password", about=_around(user))
    password_hash = passwords.hash_password(new)
    with unit_of_work():
        now = clock.now()
        used = db.session.execute(
            sa.update(PasswordReset)
            .where(
                PasswordReset.id == reset_id, PasswordReset.used_at.is_(None), PasswordReset.expires_at > now
            )
            .values(used_at=now)
            .execution_options(synchronize_session=False)
        )
        user = db.session.get_one(User, user_id)
        if getattr(used, "rowcount", 0) != 1 or not user.is_enabled:
            raise NotFound
        set_password(user, password_hash)
        end_all_sessions(user, by=by)
        notices.account_changed(user, "password")
        audit.record("account.password_reset", by=by, on=("user", user.id))


# -- the second factor -------------------------------------------------------------------------------------------


def offer_second_factor(session_id: int) -> None:
    """Make a secret for this browser to show, if it has none. The person has just proved who it is.

    Inside the caller's unit of work.
    """
    session = db.session.get_one(StaffSession, session_id)
    now = clock.now()
    if session.candidate_secret is None or session.candidate_until is None or session.candidate_until <= now:
        session.candidate_secret = second_factor.new_secret()
    session.candidate_until = now + ENROLMENT


def offered_secret(session: StaffSession) -> str | None:
    """The secret this browser may show just now."""
    until = session.candidate_until
    return session.candidate_secret if until is not None and until > clock.now() else None


def confirm_second_factor(
    session: StaffSession, code: str, *, by: Actor, agent: str = ""
) -> tuple[str, list[str]]:
    """Put the offered second factor in place, once the app has shown a code of it; all other sessions end.

    :returns: the token of the session that takes the place of this one, and ten recovery codes to be shown once.
    :raises Invalid: at ``code``.
    :raises NotFound: nothing was offered to this browser, or too long ago.
    """
    session_id, user_id = session.id, session.user_id
    secret = offered_secret(session)
    if secret is None:
        raise NotFound
    with unit_of_work():
        limits.hit(f"enrol:{session_id}", limit=20, per=timedelta(hours=1))
    now = clock.now()
    step = second_factor.matching_step(secret, code, at=now)
    if step is None:
        raise Invalid(
            "code", _("This code is not right. Check that the clock of your phone is set automatically.")
        )
    codes = second_factor.new_recovery_codes()
    with unit_of_work():
        session = db.session.get_one(StaffSession, session_id)
        user = db.session.get_one(User, user_id)
        # Somebody without a second factor got here by password; who has one proved it before it was offered.
        if session.ended_at is not None or session.candidate_secret != secret or not user.is_enabled:
            raise NotFound
        if user.has_second_factor and session.second_factor_at is None:
            raise NotFound
        replaced = user.has_second_factor
        user.totp_secret = secret
        user.totp_confirmed_at = now
        user.totp_last_step = step
        user.enrol_until = None
        _keep_recovery_codes(user, codes)
        end_all_sessions(user, by=by)
        if replaced:
            notices.account_changed(user, "second_factor")
        audit.record(
            "account.second_factor_set",
            by=actor_of(user, network=by.network, request_id=by.request_id),
            on=("user", user.id),
        )
        token = start_session(user, by=by, second_factor=True, agent=agent, instead_of=session)
    return token, [code.text for code in codes]


def renew_recovery_codes(user_id: int, *, by: Actor) -> list[str]:
    """Ten new recovery codes in place of the old ones. The person has just proved who it is."""
    codes = second_factor.new_recovery_codes()
    with unit_of_work():
        user = db.session.get_one(User, user_id)
        _keep_recovery_codes(user, codes)
        audit.record("account.recovery_codes_made", by=by, on=("user", user.id))
    return [code.text for code in codes]


def recovery_codes_left(user_id: int) -> int:
    """How many recovery codes were not used yet."""
    return (
        db.session.scalar(
            sa.select(sa.func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
        )
        or 0
    )


def clear_second_factor(user: User, *, by: Actor) -> None:
    """Take a lost second factor away: done by somebody else, who has made sure who asks (``docs/accounts.md``).

    All sessions end, the person is told by mail, and a new one must be set up within a day. Inside the caller's
    unit of work.
    """
    if by.user_id == user.id:
        raise Forbidden(_("Your own second factor can be reset by another administrator only."))
    user.totp_secret = None
    user.totp_confirmed_at = None
    user.totp_last_step = None
    user.enrol_until = clock.now() + ENROL_AFTER_RESET
    db.session.execute(
        sa.delete(RecoveryCode)
        .where(RecoveryCode.user_id == user.id)
        .execution_options(synchronize_session=False)
    )
    end_all_sessions(user, by=by)
    notices.account_changed(user, "second_factor_reset")
    audit.record("account.second_factor_reset", by=by, on=("user", user.id))


def _keep_recovery_codes(user: User, codes: list[second_factor.NewRecoveryCode]) -> None:
    db.session.execute(
        sa.delete(RecoveryCode)
        .where(RecoveryCode.user_id == user.id)
        .execution_options(synchronize_session=False)
    )
    for code in codes:
        db.session.add(RecoveryCode(user_id=user.id, selector=code.selector, code_hash=code.code_hash))


def check_new_password(password: str, *, name: str, email: str, field: str = "password") -> None:
    """:raises Invalid: the password is not good enough for this person."""
    passwords.check(password, field=field, about=[name, email, *_departments()])


def _around(user: User) -> list[str]:
    return [user.name, user.email, *_departments()]


def _departments() -> list[str]:
    words = []
    for department in all_departments():
        for lang in ("en", "zh"):
            words += [department.name(lang), department.institution(lang)]
    return words
