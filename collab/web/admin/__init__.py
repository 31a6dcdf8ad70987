"""Administration: the people of a department."""

from flask import Blueprint, g

from collab import departments

bp = Blueprint("admin", __name__, url_prefix="/staff/settings")


@bp.before_request
def _department() -> None:
    g.department = departments.only()


from collab.web.admin import people  # noqa: E402

__all__ = ["bp", "people"]
