"""The mails of this room. They belong to no department: a link in one of them makes an account, or changes one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from collab import mail
from collab.accounts.models import Invitation, User
from collab.accounts.roles import Role
from collab.core import site
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
