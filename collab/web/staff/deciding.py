"""The head's pages: what is ready to be decided, and one inquiry with all that a decision rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind

from collab import reviews
from collab.accounts.permissions import Permission, departments_where
from collab.core import clock
from collab.core.errors import Forbidden, Invalid
from collab.inquiries import Inquiry, Reason, Status, interests, rules
from collab.inquiries.reasons import DECLINE, REFERRAL
from collab.reviews import ConditionOwner, Facts, Gate, Panel, Verdict
from collab.web.access import actor, requires
from collab.web.staff import bp
from collab.web.staff.acting import inquiry_for, not_possible, possible_or_refuse
from collab.web.staff.forms import MOST_CONDITIONS, DecideForm
from collab.web.staff.gates import gates_shown
from collab.web.staff.letters import Letter, LetterStep, facts_page, reason_choices, run
from collab.web.staff.rounds import Round, round_here
from collab.web.staff.words import TRACKS

_BOTH = ["GET", "POST"]
#: Verdicts that a blocked gate stops.
_STOPPED = frozenset({Verdict.ACCEPT, Verdict.CONDITIONAL})


@bp.get("/decide")
@requires(Permission.DECIDE)
def to_decide() -> ResponseReturnValue:
    """What is ready, what is due first on top, or what has the most points."""
    g.pile = str(Status.DECISION_READY)
    by = "points" if request.args.get("sort") == "points" else "due"
    who = actor()
    every = reviews.ready(who, by=by)
    mine = [one for one in every if one.why_not is None]
    return render_template(
        "staff/decide/list.html",
        mine=mine,
        others=[one for one in every if one.why_not is not None],
        by=by,
        round=".".join(one.inquiry.reference for one in mine),
        tracks=TRACKS,
        figure=reviews.panel.shown,
        gate_name=reviews.gates.name_of,
        now=clock.now(),
        several=len(departments_where(who, Permission.DECIDE)) > 1,
    )


@bp.route("/inquiries/<reference>/decide", methods=_BOTH)
@requires(Permission.DECIDE)
def decide(reference: str) -> ResponseReturnValue:
    """Accept, accept with conditions, waiting list, refer or decline: one sentence, and the letter."""
    around = round_here(reference)
    inquiry = inquiry_for(reference, Permission.DECIDE)
    refusal = reviews.why_not_decide(inquiry, actor())
    if refusal:
        raise Forbidden(refusal)
    possible_or_refuse(inquiry, *rules.DECISIONS)
    if request.method == "GET" and interests.declaration_of(inquiry, actor().user_id or 0) is None:
        carried = around.written if around else None
        return redirect(url_for(".interest", reference=reference, then="decide", round=carried), code=303)
    bench = Bench.of(inquiry)
    offered = bench.offered if request.method == "GET" else bench.possible
    if not offered and request.method == "GET":
        not_possible(inquiry, bench.blocked or "")
    form = DecideForm(version=inquiry.version)
    form.verdict.choices = [SelectChoice(str(one), str(one.label)) for one in offered or list(Verdict)]
    form.referral_reason.choices = reason_choices(REFERRAL)
    form.decline_reason.choices = reason_choices(DECLINE)
    said = LetterStep(
        title=_("Decide"),
        lede=_("First the decision and why; then the letter as it will go out."),
        done=_(
            "%(reference)s is decided. Its letter is held for a while; until then you can take it back.",
            reference=reference,
        ),
        offices=list(inquiry.department.settings.offices.values()),
        template="staff/decide/decide.html",
        around=bench.shown,
        onward=(lambda: around.anew().next_url) if around else None,
    )
    if "more" in request.form:  # one more row, and nothing is decided by it
        if len(form.conditions) < MOST_CONDITIONS:
            form.conditions.append_entry()
        return facts_page(form, inquiry, said)

    def letter_of() -> Letter:
        verdict = Verdict(form.verdict.data)
        facts = facts_of(form, verdict)
        reviews.check_facts(inquiry, verdict, facts)
        if reviews.panel.deviates(bench.panel.guide, verdict) and not form.deviation.data:
            raise Invalid("deviation", reviews.why_deviation(bench.panel.guide))
        return Letter(reviews.STEPS[verdict][0], facts)

    return run(
        form,
        inquiry,
        said,
        letter_of,
        lambda letter: reviews.decide(
            inquiry,
            Verdict(form.verdict.data),
            because=form.because.data or "",
            letter=form.letter.data or "",
            facts=letter.facts,
            deviation=form.deviation.data or "",
            by=actor(),
            version=form.version.data,
        ),
    )


@dataclass(frozen=True)
class Bench:
    """All that a decision on one inquiry rests on, for its page.

    :param possible: what can be decided from where the inquiry stands.
    :param blocked: what stops accepting it, as a sentence.
    """

    inquiry: Inquiry
    panel: Panel
    gates: Sequence[Gate]
    possible: Sequence[Verdict]
    blocked: str | None

    @classmethod
    def of(cls, inquiry: Inquiry) -> "Bench":
        """Read it."""
        gates = reviews.gates_of(inquiry)
        steps = {
            choice.step for choice in rules.choices(inquiry, actor(), now=clock.now()) if choice.possible
        }
        return cls(
            inquiry=inquiry,
            panel=reviews.panel_of(inquiry),
            gates=gates,
            possible=[verdict for verdict, (step, _to) in reviews.STEPS.items() if step in steps],
            blocked=reviews.gates.why_blocked(inquiry, reviews.gates.blocked(inquiry, gates)),
        )

    @property
    def offered(self) -> list[Verdict]:
        """The same without what a blocked gate stops."""
        return [one for one in self.possible if not (self.blocked and one in _STOPPED)]

    def shown(self) -> dict[str, Any]:
        """What the page shows of it."""
        who, found = actor(), self.inquiry
        return {
            "panel": self.panel,
            "figure": reviews.panel.shown,
            "guide_lines": found.department.settings.review,
            "deviating": [str(one) for one in Verdict if reviews.panel.deviates(self.panel.guide, one)],
            "gates": gates_shown(found, list(self.gates)),
            "blocked": self.blocked,
            "stopped": [one.label for one in self.possible if one in _STOPPED] if self.blocked else [],
            "hosts": [one for one in rules.active_assignments(found) if one.kind == "host"],
            "missing": reviews.waits_for(found, panel=self.panel)
            if found.status is Status.DECISION_READY
            else [],
            "capacity": reviews.capacity_for(found, seen_by=who),
            "similar": reviews.similar_decisions(found, self.panel.mean, seen_by=who),
            "earlier_decisions": reviews.decisions_of(found),
            "track": TRACKS[found.track],
            "now": clock.now(),
        }


def facts_of(form: DecideForm, verdict: Verdict) -> Facts:
    """What the form says besides the sentence.

    :raises Invalid: a condition is half written.
    """
    match verdict:
        case Verdict.CONDITIONAL:
            conditions = []
            for entry in form.conditions:
                row: Any = entry.form
                if row.is_empty:
                    continue
                if not row.text.data:
                    row.text.errors = [_("Write the condition, or empty the row.")]
                if row.due_on.data is None:
                    row.due_on.errors = [_("Choose a day.")]
                if row.errors or row.text.errors or row.due_on.errors:
                    raise Invalid("", _("A condition takes a text and a due date."))
                conditions.append((row.text.data, row.due_on.data, ConditionOwner(row.owner.data)))
            return Facts(conditions=tuple(conditions))
        case Verdict.WAITLIST:
            return Facts(period=form.period.data or "")
        case Verdict.REFER:
            reason = Reason(form.referral_reason.data) if form.referral_reason.data else None
            return Facts(reason=reason, office=form.office.data or "", contact=form.contact.data or "")
        case Verdict.DECLINE:
            return Facts(reason=Reason(form.decline_reason.data) if form.decline_reason.data else None)
        case _:
            return Facts()


__all__ = ["Bench", "Round", "decide", "facts_of", "to_decide"]
