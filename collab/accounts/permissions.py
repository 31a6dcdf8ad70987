"""Which role may do what: one table, read by the pages, the verbs, the tests and the docs."""

from enum import StrEnum

from collab.accounts.actor import Actor
from collab.accounts.roles import Role
from collab.core.errors import Forbidden


class Permission(StrEnum):
    """Something a member of staff may be allowed to do in a department."""

    SEE_INQUIRIES = "see_inquiries"
    SEE_ALL_INQUIRIES = "see_all_inquiries"
    TRIAGE = "triage"
    ANSWER_AS_HOST = "answer_as_host"
    REVIEW = "review"
    DECIDE = "decide"
    WRITE_NOTES = "write_notes"
    SEE_OUTBOX = "see_outbox"
    MANAGE_OUTBOX = "manage_outbox"
    MANAGE_PEOPLE = "manage_people"
    SEE_SETTINGS = "see_settings"
    EDIT_RUBRICS = "edit_rubrics"
    EDIT_TAGS = "edit_tags"
    EDIT_WORDINGS = "edit_wordings"
    SEE_REPORTS = "see_reports"
    CLEAR_GATES = "clear_gates"
    WORK_IN_OFFICE = "work_in_office"
    SHARE_VIEWS = "share_views"
    ENTER_ABSENCES = "enter_absences"


ALLOWED: dict[Permission, frozenset[Role]] = {
    # Hosts and reviewers see the inquiries assigned to them; the others see all of their department.
    Permission.SEE_INQUIRIES: frozenset({Role.COORDINATOR, Role.HEAD, Role.HOST, Role.REVIEWER}),
    Permission.SEE_ALL_INQUIRIES: frozenset({Role.COORDINATOR, Role.HEAD}),
    Permission.TRIAGE: frozenset({Role.COORDINATOR}),
    Permission.ANSWER_AS_HOST: frozenset({Role.HOST}),
    Permission.REVIEW: frozenset({Role.REVIEWER}),
    Permission.DECIDE: frozenset({Role.HEAD}),
    Permission.WRITE_NOTES: frozenset({Role.COORDINATOR, Role.HEAD, Role.HOST, Role.REVIEWER}),
    Permission.SEE_OUTBOX: frozenset({Role.COORDINATOR, Role.HEAD, Role.ADMIN}),
    Permission.MANAGE_OUTBOX: frozenset({Role.COORDINATOR, Role.ADMIN}),
    Permission.MANAGE_PEOPLE: frozenset({Role.ADMIN}),
    # Each answers the gates of the own role; the offices see their gates and no inquiries.
    Permission.CLEAR_GATES: frozenset(
        {Role.COORDINATOR, Role.HEAD, Role.COMPLIANCE, Role.RADIATION_SAFETY_OFFICER}
    ),
    Permission.WORK_IN_OFFICE: frozenset({Role.COMPLIANCE, Role.RADIATION_SAFETY_OFFICER}),
    # Everybody enters the own absences; these those of somebody who is ill.
    Permission.ENTER_ABSENCES: frozenset({Role.COORDINATOR, Role.ADMIN}),
    Permission.SEE_SETTINGS: frozenset({Role.COORDINATOR, Role.HEAD, Role.ADMIN}),
    # A shared view stands in everybody's menu.
    Permission.SHARE_VIEWS: frozenset({Role.COORDINATOR, Role.HEAD}),
    Permission.EDIT_RUBRICS: frozenset({Role.HEAD, Role.ADMIN}),
    Permission.EDIT_TAGS: frozenset({Role.COORDINATOR, Role.HEAD, Role.ADMIN}),
    Permission.EDIT_WORDINGS: frozenset({Role.COORDINATOR, Role.HEAD, Role.ADMIN}),
    # Whoever may not see inquiries reads figures without names, and no small numbers.
    Permission.SEE_REPORTS: frozenset({Role.COORDINATOR, Role.HEAD, Role.VIEWER, Role.ADMIN}),
}


def may(actor: Actor, permission: Permission, department_id: int | None = None) -> bool:
    """Whether the actor may, in one department (or, without one, in any of its departments)."""
    allowed = ALLOWED[permission]
    return any(
        role in allowed and (department_id is None or department == department_id)
        for department, role in actor.memberships
    )


def departments_where(actor: Actor, permission: Permission) -> frozenset[int]:
    """The departments in which the actor may."""
    return frozenset(department for department, role in actor.memberships if role in ALLOWED[permission])


def check(actor: Actor, permission: Permission, department_id: int) -> None:
    """:raises Forbidden: the actor may not, in this department."""
    if not may(actor, permission, department_id):
        raise Forbidden
