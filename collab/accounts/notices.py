"""The mails of this room. They belong to no department: a link in one of them makes an account, or changes one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from collab import mail
from collab.accounts.actor import Actor
from collab.accounts.models import Absence, Invitation, User
from collab.accounts.roles import Role
from collab.core import site
from collab.core.db import db
from collab.core.wording import format_moment
from collab.departments import Department

INVITATION_PATH = "/staff/invitation/"
RESET_PATH = "/staff/reset/"


def invitation(invitation: Invitation, token: str, *, department: Department, invited_by: str) -> None:
    """Ask somebody to join a department's staff."""
    letter = mail.compose(
        "invitation",
        invitation.locale,
        department={"en": department.name("en"), "zh": department.name("zh")},
        roles=[Role(role).label for role in invitation.roles],
        invited_by=invited_by,
        address=site.address(INVITATION_PATH + token),
        expires=invitation.expires_at,
        timezone=department.timezone,
    )
    mail.enqueue(
        "invitation",
        to=invitation.email,
        locale=invitation.locale,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        reader=mail.Reader.STAFF,
        about=("invitation", invitation.id),
        secrets=[token],
    )


def password_reset(user: User, token: str, *, expires_at: datetime) -> None:
    """Send the link for a new password."""
    _write(
        user, "password_reset", secrets=[token], address=site.address(RESET_PATH + token), expires=expires_at
    )


def later(old: datetime, new: datetime, timezone: str = "Asia/Shanghai") -> dict[str, str]:
    """A later moment in the place of an earlier one, in all words a mail may have for it."""
    return {
        format_moment(old, lang, timezone=timezone): format_moment(new, lang, timezone=timezone)
        for lang in mail.LANGUAGES
    }


def account_changed(user: User, what: str) -> None:
    """Tell somebody that the account's proofs changed, in case it was not their doing.

    :param what: ``password``, ``one_time_password``, ``second_factor`` or ``second_factor_reset``.
    """
    _write(user, "account_changed", what=what, address=site.address("/staff/account"))


def absence(entered: Absence, department: Department, *, entered_by: Actor) -> None:
    """Tell the deputy, and the person when it was somebody else's word."""
    user = db.session.get_one(User, entered.user_id)
    deputy = db.session.get(User, entered.deputy_id) if entered.deputy_id else None
    facts: dict[str, Any] = {
        "absent": user.name,
        "deputy": deputy.name if deputy else "",
        "first_day": entered.first_day,
        "last_day": entered.last_day,
        "entered_by": entered_by.name,
        "department": {"en": department.name("en"), "zh": department.name("zh")},
    }
    if deputy is not None:
        _write(deputy, "absence", what="deputy", address=site.address("/staff/"), **facts)
    if entered_by.user_id != user.id:
        _write(user, "absence", what="entered", address=site.address("/staff/account/absences"), **facts)


def back(ended: Absence, department: Department, *, ended_by: Actor) -> None:
    """Tell the deputy that it is over, and the person when it was somebody else's word."""
    user = db.session.get_one(User, ended.user_id)
    facts: dict[str, Any] = {
        "absent": user.name,
        "entered_by": ended_by.name,
        "department": {"en": department.name("en"), "zh": department.name("zh")},
        "address": site.address("/staff/"),
    }
    deputy = db.session.get(User, ended.deputy_id) if ended.deputy_id else None
    if deputy is not None and deputy.is_enabled:
        _write(deputy, "absence", what="deputy_ended", **facts)
    if ended_by.user_id != user.id:
        _write(user, "absence", what="ended", **facts)


def _write(user: User, name: str, *, secrets: Iterable[str] = (), **context: Any) -> None:
    letter = mail.compose(name, user.locale, bilingual=False, person=user.name, **context)
    mail.enqueue(
        name,
        to=(user.name, user.email),
        locale=user.locale,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        reader=mail.Reader.STAFF,
        about=("user", user.id),
        secrets=secrets,
    )
