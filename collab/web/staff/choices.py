"""What can be done with an inquiry now, as buttons; what cannot, with the reason."""

from dataclasses import dataclass, field

from flask import url_for
from flask_babel import gettext as _

from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core import clock
from collab.inquiries import Assignment, AssignmentKind, Inquiry, Status, Step, rules
from collab.inquiries.deadlines import waits_for_interest
from collab.inquiries.statuses import OPEN
from collab.reviews import Condition, ConditionState
from collab.web.staff.keys import STEP_KEYS

#: The page of each step of the transition table.
PAGES: dict[Step, str] = {
    Step.CONFIRM: "confirm",
    Step.ASK: "ask",
    Step.ROUTE: "route",
    Step.REFER: "refer",
    Step.DECLINE: "decline",
    Step.VOID: "set_aside",
    Step.RESTORE: "restore",
    Step.MERGE: "join",
    Step.READY: "ready",
    Step.ACCEPT: "decide",
    Step.CONDITIONS: "decide",
    Step.WAITLIST: "decide",
    Step.PLACE_FREE: "place_free",
    Step.FULFIL: "fulfil",
    Step.WITHDRAW: "withdraw",
    Step.REOPEN: "reopen",
}
#: From here referring and declining are the head's, with a decision.
_DECIDED_AT = frozenset({Status.DECISION_READY, Status.WAITLISTED, Status.CONDITIONAL})
#: What stands first, and largest, when it is possible.
_FIRST = (
    "answer_as_host",
    "review",
    "decide",
    "fulfil",
    "ready",
    "reviewers",
    "route",
    "place_free",
    "confirm",
    "restore",
    "unjoin",
    "reopen",
)
_DANGER = frozenset({"set_aside", "withdraw", "conflict", "erase"})


@dataclass(frozen=True)
class Button:
    """A step that can be taken now."""

    page: str
    label: str
    url: str
    kind: str = "outline-secondary"

    @property
    def key(self) -> str | None:
        """The key that presses it."""
        return STEP_KEYS.get(self.page)


@dataclass
class Doable:
    """Everything for the right side of the page.

    :param primary: the one that stands first.
    :param refused: label and reason of steps that others may take, or that are not possible yet.
    """

    primary: Button | None = None
    buttons: list[Button] = field(default_factory=list)
    rest: list[Button] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def doable(
    inquiry: Inquiry,
    actor: Actor,
    conditions: list[Condition],
    decided: str | None,
    blocked: str | None = None,
    *,
    unread: int = 0,
    view: str | None = None,
) -> Doable:
    """What this person can do with this inquiry now.

    :param conditions: of the decision that stands.
    :param decided: why this person may not decide, if so.
    :param blocked: what stands against routing it and having it scored, if something does.
    :param view: the view of the queue the page was come to from, as ``walking.written`` says it.
    :param unread: how many reviews are still to come: then handing it to the head by hand is not what comes first.
    """
    pages: dict[str, str] = {}
    refused: dict[str, tuple[str, str]] = {}
    for choice in rules.choices(inquiry, actor, now=clock.now()):
        page = PAGES.get(choice.step)
        if page is None:
            continue
        if inquiry.status in _DECIDED_AT and choice.step in rules.DECISIONS:
            page = "decide"
        if page == "restore" and inquiry.merged_into_id is not None:
            page = "unjoin"
        label = str(_("Decide")) if page == "decide" else str(choice.step.label)
        why_not = choice.why_not
        if page == "decide" and why_not is None:
            why_not = decided
        if page == "fulfil" and why_not is None:
            why_not = _unsettled(conditions)
        if why_not is None:
            pages.setdefault(page, label)
        else:
            refused.setdefault(page, (label, why_not))
    _more(pages, inquiry, actor)
    for page in {"route", "reviewers"} & pages.keys() if blocked else ():
        refused[page] = (pages.pop(page), str(blocked))

    def button(page: str, kind: str = "") -> Button:
        url = url_for(f"staff.{page}", reference=inquiry.reference, view=view)
        return Button(
            page, pages[page], url, kind or ("outline-danger" if page in _DANGER else "outline-secondary")
        )

    asked = [
        one
        for one in rules.active_assignments(inquiry)
        if one.kind is AssignmentKind.REVIEWER and one.answered_at is None
    ]
    later = ({"ready"} if unread else set()) | ({"reviewers"} if unread <= len(asked) else set())
    first = next((page for page in _FIRST if page in pages and page not in later), None)
    every = Doable(refused=[pair for page, pair in refused.items() if page not in pages])
    every.primary = button(first, "primary") if first else None
    every.buttons = _replacements(inquiry, actor)
    every.buttons += [button(page) for page in pages if page != first and page not in _QUIET]
    every.rest = [button(page) for page in pages if page != first and page in _QUIET]
    return every


#: Rarely wanted: folded away under "More".
_QUIET = frozenset(
    {"own", "light", "expedite", "renew_link", "conflict", "erase", "set_aside", "join", "move", "withdraw"}
)


def _more(pages: dict[str, str], inquiry: Inquiry, actor: Actor) -> None:
    """What stands beside the table of transitions."""
    mine = {one.kind: one for one in rules.active_assignments(inquiry) if one.user_id == actor.user_id}
    if inquiry.status in {Status.IN_REVIEW, Status.NEEDS_INFO}:
        _answers(pages, mine, actor, inquiry)
    triages = may(actor, Permission.TRIAGE, inquiry.department_id)
    erased = inquiry.anonymised_at is not None
    if triages and inquiry.status in {Status.RECEIVED, Status.NEEDS_INFO, Status.IN_REVIEW}:
        pages["light"] = str(_("Choose the path"))
    if triages and inquiry.status in {Status.RECEIVED, Status.IN_REVIEW}:
        pages["move"] = str(_("Move to another track or department"))
    if triages and inquiry.status is Status.IN_REVIEW:
        pages["reviewers"] = str(_("Choose reviewers"))
        pages["route"] = str(_("Ask one more person"))
    if triages:
        pages["own"] = str(_("Set the coordinator"))
        if waits_for_interest(inquiry) and inquiry.interest_extended_at is None:
            pages["more_time"] = str(_("Give the partner more time"))
        if inquiry.status in OPEN and inquiry.urgency < 2:
            pages["expedite"] = str(_("Mark as urgent"))
        if not erased and inquiry.status not in {Status.UNCONFIRMED, Status.VOID}:
            pages["renew_link"] = str(_("Send a new private link"))
    if (
        may(actor, Permission.SEE_ALL_INQUIRIES, inquiry.department_id)
        and not erased
        and inquiry.status not in OPEN
    ):
        pages["erase"] = str(_("Erase the personal data"))
    pages["conflict"] = str(_("Declare a conflict of interest"))


def _replacements(inquiry: Inquiry, actor: Actor) -> list[Button]:
    """Who did not answer in time can be replaced."""
    if inquiry.status is not Status.IN_REVIEW or not may(actor, Permission.TRIAGE, inquiry.department_id):
        return []
    return [
        Button(
            "replace",
            _("Another host instead of %(name)s", name=one.user.name)
            if one.kind is AssignmentKind.HOST
            else _("Another reviewer instead of %(name)s", name=one.user.name),
            url_for("staff.replace", reference=inquiry.reference, assignment_id=one.id),
        )
        for one in rules.active_assignments(inquiry)
        if one.late_at is not None and one.answered_at is None
    ]


def _answers(
    pages: dict[str, str], mine: dict[AssignmentKind, Assignment], actor: Actor, inquiry: Inquiry
) -> None:
    host = mine.get(AssignmentKind.HOST)
    if host is not None and may(actor, Permission.ANSWER_AS_HOST, inquiry.department_id):
        pages["answer_as_host"] = str(_("Change your answer") if host.answered_at else _("Answer as host"))
    reviewer = mine.get(AssignmentKind.REVIEWER)
    if reviewer is not None and may(actor, Permission.REVIEW, inquiry.department_id):
        pages["review"] = str(_("Change your review") if reviewer.answered_at else _("Write your review"))


def _unsettled(conditions: list[Condition]) -> str | None:
    for one in conditions:
        if one.state not in {ConditionState.MET, ConditionState.WAIVED}:
            return _("A condition is still open: %(text)s", text=one.text)
    return None
