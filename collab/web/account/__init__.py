"""Where members of staff sign in and look after their own account."""

from flask import Blueprint, g

from collab import departments
from collab.web import staff_chrome

bp = Blueprint("account", __name__, url_prefix="/staff")
staff_chrome.install(bp)


@bp.before_request
def _department() -> None:
    g.department = departments.only()


from collab.web.account import (  # noqa: E402
    absences,
    calendar_feed,
    invitation,
    mails,
    mine,
    reset,
    sign_in,
)

__all__ = ["absences", "bp", "calendar_feed", "invitation", "mails", "mine", "reset", "sign_in"]
