"""What a department sets for itself: one page of links to the pages of the several rooms."""

from dataclasses import dataclass

from flask import current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.accounts.permissions import Permission, may
from collab.web.access import actor, requires
from collab.web.staff import bp


@dataclass(frozen=True)
class Entry:
    """One page of settings."""

    endpoint: str
    permission: Permission
    label: LazyString
    about: LazyString


#: Every page of settings, in the order in which they stand. A room adds its line here.
ENTRIES: tuple[Entry, ...] = (
    Entry(
        "staff.tags",
        Permission.EDIT_TAGS,
        _l("Tags"),
        _l("Your department's own words for its inquiries: add, rename, merge, retire."),
    ),
    Entry(
        "staff.wordings",
        Permission.EDIT_WORDINGS,
        _l("Text modules"),
        _l("Letters and questions to begin with, in both languages, by step and reason."),
    ),
    Entry(
        "staff.rubrics",
        Permission.EDIT_RUBRICS,
        _l("Rubrics"),
        _l("What reviewers judge on each track, and how much each of it counts."),
    ),
    Entry(
        "staff.all_absences",
        Permission.ENTER_ABSENCES,
        _l("Who is away"),
        _l("Absences and deputies, also of somebody who is ill."),
    ),
    Entry(
        "admin.people",
        Permission.MANAGE_PEOPLE,
        _l("People"),
        _l("Who works here and in which roles; invitations."),
    ),
)


@bp.get("/settings")
@requires(Permission.SEE_SETTINGS)
def settings() -> ResponseReturnValue:
    """The pages of settings that this person may change."""
    found = [
        (one, url_for(one.endpoint))
        for one in ENTRIES
        if may(actor(), one.permission) and one.endpoint in current_app.view_functions
    ]
    return render_template("staff/settings/index.html", entries=found)
