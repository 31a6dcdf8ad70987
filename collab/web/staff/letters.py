"""The steps that end with a letter: first the facts, then the letter as it will go out, then it is held for a while.

Nothing is kept between the pages: the facts travel with the form. Facts that were changed make a new draft; what was
written into the old one is shown beside it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind

from collab import reviews
from collab.accounts.permissions import Permission
from collab.core import clock
from collab.core.errors import Forbidden, Invalid
from collab.departments import Office
from collab.inquiries import Inquiry, Reason, Status, Step, interests, notices, rules, triage
from collab.inquiries.reasons import DECLINE, REFERRAL
from collab.reviews import ConditionOwner, ConditionState, Facts, Verdict
from collab.web.access import actor, requires
from collab.web.staff import bp, walking
from collab.web.staff.acting import beside, inquiry_for, not_possible, perform, possible_or_refuse
from collab.web.staff.forms import DecideForm, DeclineForm, FulfilForm, LetterStepForm, ReferForm

_BOTH = ["GET", "POST"]
_SETTLED = {ConditionState.MET, ConditionState.WAIVED}


@dataclass(frozen=True)
class Letter:
    """What a step's facts say: which letter, and what stands in it."""

    step: Step
    facts: Facts

    @property
    def mark(self) -> str:
        """Changes with everything that stands in the draft."""
        held = json.dumps([str(self.step), self.facts.for_letter()], default=str, sort_keys=True)
        return hashlib.sha256(held.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class LetterStep:
    """One of these steps, as its pages show it."""

    title: str
    lede: str
    done: str
    offices: list[Office] | None = None
    template: str = "staff/facts.html"


def run(
    form: LetterStepForm,
    inquiry: Inquiry,
    said: LetterStep,
    letter_of: Callable[[], Letter],
    verb: Callable[[Letter], object],
) -> ResponseReturnValue:
    """The pages of a step with a letter.

    :param letter_of: reads the facts from the form; raises ``Invalid`` where one is missing.
    :param verb: does it, in its unit of work.
    """
    sent = request.method == "POST"
    wrong = sent and not form.validate_on_submit() and bool(form.errors.keys() - {"letter"})
    if form.facts and (wrong or not sent):
        return _facts(form, inquiry, said, 422 if wrong else 200)
    try:
        letter = letter_of()
    except Invalid as refusal:
        form.refuse(refusal)
        return _facts(form, inquiry, said, 422)
    if "change" in request.form and form.facts:
        return _facts(form, inquiry, said, 200)
    redrafted, earlier = _redraft(form, inquiry, letter)
    if redrafted or not {"send", "next"} & request.form.keys():
        return _preview(form, inquiry, said, letter, 200, earlier=earlier)
    if not form.letter.data and not form.errors:
        form.letter.errors = [_("The letter is empty.")]
    if form.errors:
        return _preview(form, inquiry, said, letter, 422)
    onward = walking.onward(inquiry)
    status = perform(form, inquiry, lambda: verb(letter))
    if status is None:
        flash(said.done, "success")
        return redirect(onward, code=303)
    if form.facts and form.errors.keys() & set(form.facts):
        return _facts(form, inquiry, said, status)
    return _preview(form, inquiry, said, letter, status)


def _redraft(form: LetterStepForm, inquiry: Inquiry, letter: Letter) -> tuple[bool, str | None]:
    """Draft the letter unless the form brings one that was shown for these very facts.

    :returns: whether a new draft was made, and what had been written for other facts.
    """
    if form.drafted_for.data == letter.mark:
        return False, None
    earlier = form.letter.data or None
    form.letter.data = notices.draft_letter(inquiry, letter.step, **letter.facts.for_letter())
    form.letter.errors = []
    form.drafted_for.data = letter.mark
    return True, earlier if earlier != form.letter.data else None


def _facts(form: LetterStepForm, inquiry: Inquiry, said: LetterStep, status: int) -> ResponseReturnValue:
    page = render_template(said.template, form=form, inquiry=inquiry, said=said, **beside(inquiry))
    return page, status


def _preview(
    form: LetterStepForm,
    inquiry: Inquiry,
    said: LetterStep,
    letter: Letter,
    status: int,
    *,
    earlier: str | None = None,
) -> ResponseReturnValue:
    page = render_template(
        "staff/preview.html",
        form=form,
        inquiry=inquiry,
        said=said,
        letter=letter,
        earlier=earlier,
        subject=notices.letter_subject(inquiry, letter.step, **letter.facts.for_letter()),
        target=_target(inquiry, letter.step),
        minutes=inquiry.department.settings.service_levels.hold_minutes,
        walks=walking.walks(),
        **beside(inquiry, conflict=status == 409),
    )
    return page, status


def _target(inquiry: Inquiry, step: Step) -> Status | None:
    return next(
        (one.target for one in rules.choices(inquiry, actor(), now=clock.now()) if one.step is step), None
    )


def _reasons(reasons: tuple[Reason, ...]) -> list[SelectChoice]:
    return [
        SelectChoice("", _("Choose a reason")),
        *(SelectChoice(str(one), str(one.label)) for one in reasons),
    ]


# -- at triage -------------------------------------------------------------------------------------------------------


@bp.route("/inquiries/<reference>/refer", methods=_BOTH)
@requires(Permission.TRIAGE)
def refer(reference: str) -> ResponseReturnValue:
    """Another office is right."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    possible_or_refuse(inquiry, Step.REFER)
    form = ReferForm(version=inquiry.version)
    form.reason.choices = _reasons(REFERRAL)

    def letter_of() -> Letter:
        facts = Facts(
            reason=Reason(form.reason.data), office=form.office.data or "", contact=form.contact.data or ""
        )
        reviews.check_facts(inquiry, Verdict.REFER, facts)
        return Letter(Step.REFER, facts)

    return run(
        form,
        inquiry,
        LetterStep(
            title=_("Refer to another office"),
            lede=_(
                "The partner gets the name of the office and how to reach it. You see the letter before it goes."
            ),
            done=_("Referred. The letter is held for a while; you can still take it back."),
            offices=list(inquiry.department.settings.offices.values()),
        ),
        letter_of,
        lambda letter: triage.refer(
            inquiry,
            reason=letter.facts.reason or Reason.OTHER_DEPARTMENT,
            office=letter.facts.office,
            contact=letter.facts.contact,
            body=form.letter.data or "",
            note=form.note.data or "",
            by=actor(),
            version=form.version.data,
        ),
    )


@bp.route("/inquiries/<reference>/decline", methods=_BOTH)
@requires(Permission.SEE_ALL_INQUIRIES)
def decline(reference: str) -> ResponseReturnValue:
    """It cannot be offered."""
    inquiry = inquiry_for(reference, Permission.SEE_ALL_INQUIRIES)
    possible_or_refuse(inquiry, Step.DECLINE)
    allowed = tuple(reason for reason in DECLINE if rules.may_decline_with(reason, actor(), inquiry))
    form = DeclineForm(version=inquiry.version)
    form.reason.choices = _reasons(allowed)

    def letter_of() -> Letter:
        return Letter(Step.DECLINE, Facts(reason=Reason(form.reason.data)))

    return run(
        form,
        inquiry,
        LetterStep(
            title=_("Decline"),
            lede=_(
                "The partner reads the reason as one sentence, without scores. You see the letter before it goes. "
                "Judgements of quality are the head's: route the inquiry for those."
            )
            if len(allowed) < len(DECLINE)
            else _(
                "The partner reads the reason as one sentence, without scores. You see the letter before it goes."
            ),
            done=_("Declined. The letter is held for a while; you can still take it back."),
        ),
        letter_of,
        lambda letter: triage.decline(
            inquiry,
            reason=letter.facts.reason or Reason.OUT_OF_SCOPE,
            body=form.letter.data or "",
            note=form.note.data or "",
            by=actor(),
            version=form.version.data,
        ),
    )


# -- the head --------------------------------------------------------------------------------------------------------


@bp.route("/inquiries/<reference>/decide", methods=_BOTH)
@requires(Permission.DECIDE)
def decide(reference: str) -> ResponseReturnValue:
    """Accept, accept with conditions, waiting list, refer or decline: one sentence, and the letter."""
    inquiry = inquiry_for(reference, Permission.DECIDE)
    refusal = reviews.why_not_decide(inquiry, actor())
    if refusal:
        raise Forbidden(refusal)
    possible_or_refuse(inquiry, *rules.DECISIONS)
    if request.method == "GET" and interests.declaration_of(inquiry, actor().user_id or 0) is None:
        return redirect(url_for(".interest", reference=reference, then="decide"), code=303)
    form = DecideForm(version=inquiry.version)
    offered = verdicts(inquiry)
    form.verdict.choices = [SelectChoice(str(one), str(one.label)) for one in offered or list(Verdict)]
    form.referral_reason.choices = _reasons(REFERRAL)
    form.decline_reason.choices = _reasons(DECLINE)

    def letter_of() -> Letter:
        verdict = Verdict(form.verdict.data)
        facts = _facts_of(form, verdict)
        reviews.check_facts(inquiry, verdict, facts)
        return Letter(reviews.STEPS[verdict][0], facts)

    return run(
        form,
        inquiry,
        LetterStep(
            title=_("Decide"),
            lede=_("First the decision and why; then the letter as it will go out."),
            done=_("Decided. The letter is held for a while; you can still take it back."),
            offices=list(inquiry.department.settings.offices.values()),
            template="staff/decide.html",
        ),
        letter_of,
        lambda letter: reviews.decide(
            inquiry,
            Verdict(form.verdict.data),
            because=form.because.data or "",
            letter=form.letter.data or "",
            facts=letter.facts,
            by=actor(),
            version=form.version.data,
        ),
    )


def verdicts(inquiry: Inquiry) -> list[Verdict]:
    """What can be decided from where the inquiry stands."""
    steps = {choice.step for choice in rules.choices(inquiry, actor(), now=clock.now()) if choice.possible}
    return [verdict for verdict, (step, _status) in reviews.STEPS.items() if step in steps]


def _facts_of(form: DecideForm, verdict: Verdict) -> Facts:
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


@bp.route("/inquiries/<reference>/fulfil", methods=_BOTH)
@requires(Permission.TRIAGE)
def fulfil(reference: str) -> ResponseReturnValue:
    """All conditions are met or waived."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    possible_or_refuse(inquiry, Step.FULFIL)
    unsettled = [one for one in reviews.conditions_of(inquiry) if one.state not in _SETTLED]
    if unsettled and request.method == "GET":
        not_possible(inquiry, _("A condition is still open: %(text)s", text=unsettled[0].text))
    form = FulfilForm(version=inquiry.version)
    return run(
        form,
        inquiry,
        LetterStep(
            title=_("All conditions are met"),
            lede=_("The department agrees for good. You see the letter before it goes."),
            done=_("Accepted. The letter is held for a while; you can still take it back."),
        ),
        lambda: Letter(Step.FULFIL, Facts()),
        lambda _letter: reviews.fulfil(
            inquiry, letter=form.letter.data or "", by=actor(), version=form.version.data
        ),
    )
