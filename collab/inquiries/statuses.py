"""The statuses of an inquiry and the one table of its transitions (domain.md B.1, B.2).

Buttons, verbs, tests and docs read ``TRANSITIONS``; nothing else says what may follow what.
"""

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.accounts.roles import Role


class Status(StrEnum):
    """Where an inquiry stands."""

    UNCONFIRMED = "unconfirmed"
    RECEIVED = "received"
    NEEDS_INFO = "needs_info"
    IN_REVIEW = "in_review"
    DECISION_READY = "decision_ready"
    WAITLISTED = "waitlisted"
    CONDITIONAL = "conditional"
    ACCEPTED = "accepted"
    REFERRED = "referred"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    VOID = "void"

    @property
    def label(self) -> LazyString:
        """What staff read."""
        return STAFF_LABELS[self]

    @property
    def partner_label(self) -> LazyString:
        """What the partner reads."""
        return PARTNER_LABELS[self]


STAFF_LABELS: dict[Status, LazyString] = {
    Status.UNCONFIRMED: _l("E-mail not confirmed"),
    Status.RECEIVED: _l("Received"),
    Status.NEEDS_INFO: _l("Waits for partner"),
    Status.IN_REVIEW: _l("With the department"),
    Status.DECISION_READY: _l("To decide"),
    Status.WAITLISTED: _l("Waiting list"),
    Status.CONDITIONAL: _l("Accepted with conditions"),
    Status.ACCEPTED: _l("Agreed by the department"),
    Status.REFERRED: _l("Passed on"),
    Status.DECLINED: _l("Declined"),
    Status.WITHDRAWN: _l("Withdrawn"),
    Status.LAPSED: _l("Closed without reply"),
    Status.VOID: _l("Void"),
}

PARTNER_LABELS: dict[Status, LazyString] = {
    Status.UNCONFIRMED: _l("Please confirm your e-mail"),
    Status.RECEIVED: _l("Received"),
    Status.NEEDS_INFO: _l("We need something from you"),
    Status.IN_REVIEW: _l("With the department"),
    Status.DECISION_READY: _l("With the department"),
    Status.WAITLISTED: _l("Waiting list"),
    Status.CONDITIONAL: _l("Accepted with conditions"),
    Status.ACCEPTED: _l("Agreed by the department"),
    Status.REFERRED: _l("Passed on"),
    Status.DECLINED: _l("Not possible"),
    Status.WITHDRAWN: _l("Withdrawn"),
    Status.LAPSED: _l("Closed without reply"),
    Status.VOID: _l("Closed"),
}

#: Work is going on, or the partner may still be answered.
OPEN = frozenset(
    {
        Status.RECEIVED,
        Status.NEEDS_INFO,
        Status.IN_REVIEW,
        Status.DECISION_READY,
        Status.WAITLISTED,
        Status.CONDITIONAL,
    }
)
#: The department owes the next step: these can be late.
OURS = frozenset({Status.RECEIVED, Status.IN_REVIEW, Status.DECISION_READY})
CLOSED = frozenset({Status.REFERRED, Status.DECLINED, Status.WITHDRAWN, Status.LAPSED, Status.ACCEPTED})


class Party(StrEnum):
    """Those who act without a role."""

    APPLICANT = "applicant"
    SYSTEM = "system"


class Step(StrEnum):
    """A verb that moves an inquiry."""

    CONFIRM = "confirm"
    ASK = "ask"
    ANSWER = "answer"
    ROUTE = "route"
    REFER = "refer"
    DECLINE = "decline"
    VOID = "void"
    RESTORE = "restore"
    MERGE = "merge"
    READY = "ready"
    ACCEPT = "accept"
    CONDITIONS = "conditions"
    WAITLIST = "waitlist"
    PLACE_FREE = "place_free"
    FULFIL = "fulfil"
    WITHDRAW = "withdraw"
    RESUME = "resume"
    LAPSE = "lapse"
    REOPEN = "reopen"

    @property
    def label(self) -> LazyString:
        """The button's text, and the history's."""
        return STEP_LABELS[self]


STEP_LABELS: dict[Step, LazyString] = {
    Step.CONFIRM: _l("Confirm the e-mail by hand"),
    Step.ASK: _l("Ask the partner"),
    Step.ANSWER: _l("Answer"),
    Step.ROUTE: _l("Route to a host"),
    Step.REFER: _l("Refer to another office"),
    Step.DECLINE: _l("Decline"),
    Step.VOID: _l("Set aside as spam or test"),
    Step.RESTORE: _l("Bring back"),
    Step.MERGE: _l("Merge as a duplicate"),
    Step.READY: _l("Mark ready to decide"),
    Step.ACCEPT: _l("Accept"),
    Step.CONDITIONS: _l("Accept with conditions"),
    Step.WAITLIST: _l("Put on the waiting list"),
    Step.PLACE_FREE: _l("A place is free"),
    Step.FULFIL: _l("All conditions are met"),
    Step.WITHDRAW: _l("Withdraw"),
    Step.RESUME: _l("Take back the withdrawal"),
    Step.LAPSE: _l("Close without reply"),
    Step.REOPEN: _l("Open again"),
}


@dataclass(frozen=True)
class Transition:
    """One allowed move.

    :param mail: the mail of domain.md B.5 that goes out, if any.
    :param needs: what must be given or true, for the docs.
    """

    step: Step
    source: Status
    target: Status
    who: frozenset[Role | Party]
    mail: str | None
    needs: str = ""


def _t(
    step: Step,
    sources: Status | frozenset[Status],
    target: Status,
    who: set[Role | Party],
    mail: str | None,
    needs: str = "",
) -> list[Transition]:
    if isinstance(sources, Status):
        sources = frozenset({sources})
    return [Transition(step, source, target, frozenset(who), mail, needs) for source in sorted(sources)]


_S, _R, _P = Status, Role, Party
TRANSITIONS: tuple[Transition, ...] = (
    *_t(
        Step.CONFIRM,
        _S.UNCONFIRMED,
        _S.RECEIVED,
        {_P.APPLICANT, _R.COORDINATOR},
        "M2",
        "the link of the mail",
    ),
    *_t(Step.ASK, _S.RECEIVED, _S.NEEDS_INFO, {_R.COORDINATOR}, "M3", "a question and a due date"),
    *_t(
        Step.ASK,
        _S.IN_REVIEW,
        _S.NEEDS_INFO,
        {_R.COORDINATOR, _R.HOST},
        "M3",
        "a question and a due date; of hosts its own",
    ),
    *_t(Step.ANSWER, _S.NEEDS_INFO, _S.RECEIVED, {_P.APPLICANT}, "M2b", "asked at triage"),
    *_t(Step.ANSWER, _S.NEEDS_INFO, _S.IN_REVIEW, {_P.APPLICANT}, "M2b", "asked in review"),
    *_t(Step.ANSWER, _S.LAPSED, _S.RECEIVED, {_P.APPLICANT}, "M2b", "within 90 days"),
    *_t(Step.ROUTE, _S.RECEIVED, _S.IN_REVIEW, {_R.COORDINATOR}, "M4", "a host or reviewer and a due date"),
    *_t(Step.REFER, _S.RECEIVED, _S.REFERRED, {_R.COORDINATOR}, "M8", "office, contact and reason"),
    *_t(
        Step.REFER,
        _S.IN_REVIEW,
        _S.REFERRED,
        {_R.COORDINATOR},
        "M8",
        "the host's no, office, contact and reason",
    ),
    *_t(Step.REFER, _S.DECISION_READY, _S.REFERRED, {_R.HEAD}, "M8", "one sentence; not reviewer or host"),
    *_t(
        Step.DECLINE,
        _S.RECEIVED,
        _S.DECLINED,
        {_R.COORDINATOR, _R.HEAD},
        "M9",
        "a reason; coordinators only gate reasons",
    ),
    *_t(Step.DECLINE, _S.IN_REVIEW, _S.DECLINED, {_R.COORDINATOR}, "M9", "the host's no and a gate reason"),
    *_t(Step.DECLINE, _S.DECISION_READY, _S.DECLINED, {_R.HEAD}, "M9", "one sentence; not reviewer or host"),
    *_t(Step.DECLINE, _S.CONDITIONAL, _S.DECLINED, {_R.HEAD}, "M9", "a condition failed"),
    *_t(Step.VOID, _S.RECEIVED, _S.VOID, {_R.COORDINATOR}, None, "spam or test"),
    *_t(Step.MERGE, _S.RECEIVED, _S.VOID, {_R.COORDINATOR}, "M10", "the original"),
    *_t(Step.RESTORE, _S.VOID, _S.RECEIVED, {_R.COORDINATOR}, "M2", "within 30 days"),
    *_t(Step.READY, _S.IN_REVIEW, _S.DECISION_READY, {_R.COORDINATOR, _P.SYSTEM}, None, "the host's answer"),
    *_t(Step.ACCEPT, _S.DECISION_READY, _S.ACCEPTED, {_R.HEAD}, "M5", "one sentence; not reviewer or host"),
    *_t(
        Step.CONDITIONS,
        _S.DECISION_READY,
        _S.CONDITIONAL,
        {_R.HEAD},
        "M6",
        "one sentence and conditions with due dates",
    ),
    *_t(Step.WAITLIST, _S.DECISION_READY, _S.WAITLISTED, {_R.HEAD}, "M7", "one sentence and the period"),
    *_t(
        Step.FULFIL,
        _S.CONDITIONAL,
        _S.ACCEPTED,
        {_R.COORDINATOR},
        "M5",
        "all conditions met, or waived by the head",
    ),
    *_t(Step.PLACE_FREE, _S.WAITLISTED, _S.DECISION_READY, {_R.COORDINATOR}, "M12", "a free place"),
    *_t(Step.ACCEPT, _S.WAITLISTED, _S.ACCEPTED, {_R.HEAD}, "M5", "the partner is still interested"),
    *_t(Step.LAPSE, _S.NEEDS_INFO, _S.LAPSED, {_P.SYSTEM}, "M11", "30 days without an answer"),
    *_t(Step.LAPSE, _S.CONDITIONAL, _S.LAPSED, {_P.SYSTEM}, "M11", "due dates missed"),
    *_t(Step.LAPSE, _S.WAITLISTED, _S.LAPSED, {_P.SYSTEM}, "M11", "no confirmation at refresh"),
    *_t(Step.LAPSE, _S.DECISION_READY, _S.LAPSED, {_P.SYSTEM}, "M11", "no reply to the offer of a place"),
    *_t(
        Step.WITHDRAW,
        OPEN,
        _S.WITHDRAWN,
        {_P.APPLICANT, _R.COORDINATOR},
        "M13",
        "coordinators on written wish",
    ),
    *_t(Step.RESUME, _S.WITHDRAWN, _S.RECEIVED, {_P.APPLICANT}, "M2b", "within 30 days"),
    *_t(
        Step.REOPEN,
        frozenset({_S.DECLINED, _S.LAPSED, _S.REFERRED}),
        _S.RECEIVED,
        {_R.COORDINATOR},
        "M2b",
        "new facts or a reply; once",
    ),
)

_BY_MOVE = {(t.step, t.source, t.target): t for t in TRANSITIONS}


def steps_from(status: Status) -> list[Transition]:
    """Every move that starts at a status, in the table's order."""
    return [transition for transition in TRANSITIONS if transition.source is status]


def find(step: Step, source: Status, target: Status) -> Transition | None:
    """The table's row for one move, if there is one."""
    return _BY_MOVE.get((step, source, target))
