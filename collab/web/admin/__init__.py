"""Administration: the people of a department."""

from flask import Blueprint, g

from collab import departments
from collab.web import staff_chrome

bp = Blueprint("admin", __name__, url_prefix="/staff/settings")
staff_chrome.install(bp)


@bp.before_request
def _department() -> None:
    g.department = departments.only()


from collab.web.admin import people  # noqa: E402

__all__ = ["bp", "people"]
