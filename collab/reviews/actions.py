"""Decisions and conditions."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import audit
from collab.accounts import SYSTEM, Role
from collab.accounts.actor import Actor
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden, Invalid
from collab.inquiries import clocks, gates, interests, notices, triage
from collab.inquiries.history import Kind, answered_by_a_person, move, seen, take, tell
from collab.inquiries.models import Inquiry, InquiryEvent
from collab.inquiries.reasons import DECLINE, REFERRAL, Reason
from collab.inquiries.statuses import Status, Step
from collab.reviews import panel, queries, record
from collab.reviews.models import (
    Condition,
    ConditionOwner,
    ConditionState,
    Decision,
    Verdict,
)

#: The step and the status each verdict leads to.
STEPS: dict[Verdict, tuple[Step, Status]] = {
    Verdict.ACCEPT: (Step.ACCEPT, Status.ACCEPTED),
    Verdict.CONDITIONAL: (Step.CONDITIONS, Status.CONDITIONAL),
    Verdict.WAITLIST: (Step.WAITLIST, Status.WAITLISTED),
    Verdict.REFER: (Step.REFER, Status.REFERRED),
    Verdict.DECLINE: (Step.DECLINE, Status.DECLINED),
}

#: So many overdue ones are handled in one round; the next takes the rest.
BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a verdict needs besides its sentence.

    :param reason: for declining and referring.
    :param office: for referring, with ``contact``.
    :param period: for the waiting list, e.g. "spring 2027".
    :param conditions: text, due date and owner of each.
    """

    reason: Reason | None = None
    office: str = ""
    contact: str = ""
    period: str = ""
    conditions: tuple[tuple[str, date, ConditionOwner], ...] = ()

    def for_letter(self) -> dict[str, Any]:
        """The same as ``notices.draft_letter`` takes it."""
        return {
            "reason": self.reason,
            "office": self.office,
            "contact": self.contact,
            "period": self.period,
            "conditions": [(text, due) for text, due, _owner in self.conditions],
        }

    def as_json(self) -> dict[str, Any]:
        """The same for the record, which keeps conditions apart."""
        return {
            "reason": self.reason.value if self.reason else None,
            "office": self.office,
            "contact": self.contact,
            "period": self.period,
        }


def check_facts(inquiry: Inquiry, verdict: Verdict, facts: Facts) -> None:
    """Make sure a verdict has what it needs.

    :raises Invalid: at the field that is missing or wrong.
    """
    today = clock.today(inquiry.department.timezone)
    match verdict:
        case Verdict.CONDITIONAL:
            if not facts.conditions:
                raise Invalid("conditions", _("Write at least one condition with its due date."))
            for _text, due, _owner in facts.conditions:
                if not today <= due <= today + timedelta(days=730):
                    raise Invalid(
                        "conditions", _("The due date of a condition lies from today to two years ahead.")
                    )
        case Verdict.WAITLIST if not facts.period:
            raise Invalid("period", _("Name the period in which there is no place."))
        case Verdict.REFER:
            if facts.reason not in REFERRAL:
                raise Invalid("reason", _("Choose one of the reasons offered."))
            if not facts.office:
                raise Invalid("office", _("Name the office."))
            if not facts.contact:
                raise Invalid(
                    "contact",
                    _("Say how the partner reaches this office: a link, an address or a telephone number."),
                )
        case Verdict.DECLINE if facts.reason not in DECLINE:
            raise Invalid("reason", _("Choose one of the reasons offered."))
        case _:
            pass


def decide(
    inquiry: Inquiry,
    verdict: Verdict,
    *,
    because: str,
    letter: str,
    facts: Facts | None = None,
    deviation: str = "",
    by: Actor,
    version: int | None = None,
) -> Decision:
    """The head decides, with one sentence; the letter is held and can be taken back with the decision.

    What it rests on is kept as a record, as it is at this moment.

    :param because: why, for the record; the partner does not see it.
    :param letter: the letter as it will go out.
    :param deviation: why it is another verdict than the guide line proposes; only then, and then needed.
    :raises Forbidden: no head, or host or reviewer of this very inquiry.
    """
    now = take(inquiry, version=version, by=by)
    facts = facts or Facts()
    step, target = STEPS[verdict]
    if by.user_id is None or Role.HEAD not in by.roles_in(inquiry.department_id):
        raise Forbidden(_("Only this role may do it: %(roles)s.", roles=Role.HEAD.label))
    refusal = queries.why_not_decide(inquiry, by)
    if refusal:
        raise Forbidden(refusal)
    if not because:
        raise Invalid("because", _("Write one sentence why."))
    interests.require(inquiry, by)
    check_facts(inquiry, verdict, facts)
    every_gate = gates.gates_of(inquiry)
    if verdict in {Verdict.ACCEPT, Verdict.CONDITIONAL}:
        stopped = gates.why_blocked(inquiry, gates.blocked(inquiry, every_gate))
        if stopped:
            raise Conflict(stopped)
    reviews = queries.panel_of(inquiry)
    deviates = panel.deviates(reviews.guide, verdict)
    if deviates and not deviation:
        raise Invalid("deviation", why_deviation(reviews.guide))
    gathered = record.gather(inquiry, reviews, every_gate, now=now)
    triage.close_with_letter(
        inquiry, step, target, letter, reason=facts.reason, outcome=_outcome(facts), note=because, by=by
    )
    answered_by_a_person(inquiry, now)
    standing = queries.standing_decision(inquiry)
    if standing is not None:  # from the waiting list, or after the inquiry was opened again
        standing.superseded_at = now
        db.session.flush()
    decision = Decision(
        inquiry_id=inquiry.id,
        at=now,
        by_id=by.user_id,
        by_name=by.name,
        verdict=verdict,
        because=because,
        letter=letter,
        deviation=deviation if deviates else None,
        conditions=[Condition(text=text, due_on=due, owner=owner) for text, due, owner in facts.conditions],
    )
    db.session.add(decision)
    db.session.flush()
    event = _told(inquiry, step)
    event.data = {  # what taking back undoes
        **(event.data or {}),
        "decision": decision.id,
        "superseded": standing.id if standing else None,
    }
    kept = record.keep(
        decision,
        gathered,
        facts=facts.as_json(),
        conditions=facts.conditions,
        deviates=deviates,
        subject=notices.letter_subject(inquiry, step, **facts.for_letter()),
        mail_id=event.data.get("mail"),
        inquiry=inquiry,
    )
    audit.record(
        "decision.recorded",
        by=by,
        department_id=inquiry.department_id,
        on=("inquiry", inquiry.id),
        detail={"decision": decision.id, "seal": record.seal_of(kept)},
    )
    if facts.conditions:
        last = max(due for _text, due, _owner in facts.conditions)
        inquiry.due_at = clock.end_of_day(last, inquiry.department.timezone)
    return decision


def why_deviation(guide: panel.Guide | None) -> str:
    """What is asked of a head who decides otherwise than the guide line proposes."""
    if guide is None:
        return ""
    return _("The guide line is “%(guide)s”. Say why you decide otherwise.", guide=guide.label)


def _told(inquiry: Inquiry, step: Step) -> InquiryEvent:
    """The entry of the history of a step that was taken just now."""
    return db.session.scalars(
        sa.select(InquiryEvent)
        .where(InquiryEvent.inquiry_id == inquiry.id, InquiryEvent.kind == str(step))
        .order_by(InquiryEvent.id.desc())
        .limit(1)
    ).one()


def take_back(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> None:
    """Take a decision (or a referral or refusal at triage) back while its letter is held."""
    undone = triage.take_back(inquiry, by=by, version=version).data or {}
    if "decision" not in undone:
        return  # it was a step of triage, or the letter that all conditions are met
    db.session.get_one(Decision, undone["decision"]).taken_back_at = clock.now()
    db.session.flush()
    if undone["superseded"] is not None:
        db.session.get_one(Decision, undone["superseded"]).superseded_at = None


def settle(
    condition: Condition, inquiry: Inquiry, state: ConditionState, *, by: Actor, version: int | None = None
) -> None:
    """A condition is met or failed (coordinator), or waived (head)."""
    now = take(inquiry, version=version, by=by)
    roles = by.roles_in(inquiry.department_id)
    needed = Role.HEAD if state is ConditionState.WAIVED else Role.COORDINATOR
    if needed not in roles:
        raise Forbidden(_("Only this role may do it: %(roles)s.", roles=needed.label))
    if inquiry.status is not Status.CONDITIONAL:
        raise Conflict(_("The inquiry is not accepted with conditions any more."))
    condition.state = state
    condition.settled_at = None if state is ConditionState.OPEN else now
    condition.settled_by_id = None if state is ConditionState.OPEN else by.user_id
    tell(inquiry, Kind.CONDITION, by=by, data={"text": condition.text, "state": state})
    seen(inquiry, by)


def fulfil(inquiry: Inquiry, *, letter: str, by: Actor, version: int | None = None) -> None:
    """All conditions are met or waived: the department agrees (M5, held)."""
    take(inquiry, version=version, by=by)
    decision = queries.standing_decision(inquiry)
    for one in decision.conditions if decision else []:
        if one.state not in {ConditionState.MET, ConditionState.WAIVED}:
            raise Conflict(_("A condition is still open: %(text)s", text=one.text))
    gates.refuse_blocked(inquiry)
    triage.close_with_letter(inquiry, Step.FULFIL, Status.ACCEPTED, letter, by=by)


def place_free(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> None:
    """A place is free for one on the waiting list: the partner is asked (M12), the head decides."""
    take(inquiry, version=version, by=by)
    now = clock.now()
    move(inquiry, Step.PLACE_FREE, Status.DECISION_READY, by=by)
    # The first promise was kept long ago; a decision is owed anew, when the partner has answered.
    answer_by = clocks.ask_for_interest(inquiry, now)
    seen(inquiry, by)
    notices.place_free(inquiry, clock.local_day(answer_by, inquiry.department.timezone))
    notices.decision_waits(inquiry)


def conditions_overdue() -> list[int]:
    """Inquiries whose conditions' last due date passed and some of whose are still open; the longest overdue first.

    How long they are waited for is the department's, and ``lapse_conditional`` asks it.
    """
    still_open = sa.exists(
        sa.select(sa.literal(1))
        .select_from(Condition)
        .join(Decision, Decision.id == Condition.decision_id)
        .where(
            Decision.inquiry_id == Inquiry.id,
            Decision.taken_back_at.is_(None),
            Decision.superseded_at.is_(None),
            Condition.state == ConditionState.OPEN,
        )
    )
    return list(
        db.session.scalars(
            sa.select(Inquiry.id)
            .where(Inquiry.status == Status.CONDITIONAL, Inquiry.due_at < clock.now(), still_open)
            .order_by(Inquiry.due_at, Inquiry.id)
            .limit(BATCH)
        )
    )


def lapse_conditional(inquiry_id: int) -> None:
    """The due dates were missed: closed, a reply opens it again (M11)."""
    inquiry = db.session.get_one(Inquiry, inquiry_id)
    now = take(inquiry)
    if inquiry.status is not Status.CONDITIONAL or inquiry.due_at is None or inquiry.due_at >= now:
        return
    decision = queries.standing_decision(inquiry)
    if decision is None or not any(c.state is ConditionState.OPEN for c in decision.conditions):
        return
    grace = timedelta(days=inquiry.department.settings.service_levels.offer_reply_days)
    if inquiry.due_at + grace >= now:
        return
    move(inquiry, Step.LAPSE, Status.LAPSED, by=SYSTEM)
    notices.lapsed(inquiry)


def _outcome(facts: Facts) -> dict[str, Any] | None:
    outcome = {"office": facts.office, "contact": facts.contact, "period": facts.period}
    return {key: value for key, value in outcome.items() if value} or None


__all__ = [
    "STEPS",
    "Facts",
    "check_facts",
    "conditions_overdue",
    "decide",
    "fulfil",
    "lapse_conditional",
    "place_free",
    "settle",
    "take_back",
    "why_deviation",
]
