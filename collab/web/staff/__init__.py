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
    calendar,
    deciding,
    deputising,
    gates,
    home,
    inquiry,
    interests,
    joining,
    keys,
    letters,
    mentions,
    moving,
    outbox,
    presence,
    queue,
    records,
    reports,
    reviewing,
    rubrics,
    settings,
    steps,
    tags,
    wordings,
)

__all__ = [
    "assigning",
    "attachments",
    "bp",
    "bulk",
    "calendar",
    "deciding",
    "deputising",
    "gates",
    "home",
    "inquiry",
    "interests",
    "joining",
    "keys",
    "letters",
    "mentions",
    "moving",
    "outbox",
    "presence",
    "queue",
    "records",
    "reports",
    "reviewing",
    "rubrics",
    "settings",
    "steps",
    "tags",
    "wordings",
]
