"""Where the department works: what waits for me, the queue, one inquiry with all its steps, the outbox."""

from flask import Blueprint, g

from collab.web import staff_chrome

bp = Blueprint("staff", __name__, url_prefix="/staff")
staff_chrome.install(bp)


@bp.before_request
def _department() -> None:
    known = staff_chrome.departments_here()
    g.department = next(iter(known.values())) if len(known) == 1 else None


from collab.web.staff import (  # noqa: E402
    assigning,
    attachments,
    bulk,
    gates,
    home,
    inquiry,
    interests,
    keys,
    letters,
    outbox,
    presence,
    queue,
    reports,
    reviewing,
    rubrics,
    settings,
    steps,
    tags,
)

__all__ = [
    "assigning",
    "attachments",
    "bp",
    "bulk",
    "gates",
    "home",
    "inquiry",
    "interests",
    "keys",
    "letters",
    "outbox",
    "presence",
    "queue",
    "reports",
    "reviewing",
    "rubrics",
    "settings",
    "steps",
    "tags",
]
