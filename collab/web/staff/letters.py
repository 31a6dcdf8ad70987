"""The steps that end with a letter: first the facts, then the letter as it will go out, then it is held for a while.

Nothing is kept between the pages: the facts travel with the form. Facts that were changed make a new draft; what was
written into the old one is shown beside it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind

from collab import reviews
from collab.accounts.permissions import Permission
from collab.core import clock
from collab.core.errors import Invalid
from collab.departments import Office
from collab.inquiries import Inquiry, Reason, Status, Step, notices, rules, triage
from collab.inquiries.reasons import DECLINE, REFERRAL
from collab.reviews import ConditionState, Facts, Verdict
from collab.web.access import actor, requires
from collab.web.forms import DONE
from collab.web.staff import bp, walking, worded
from collab.web.staff.acting import beside, inquiry_for, not_possible, perform, possible_or_refuse
from collab.web.staff.forms import DeclineForm, FulfilForm, LetterStepForm, ReferForm

_BOTH = ["GET", "POST"]
_SETTLED = {ConditionState.MET, ConditionState.WAIVED}


@dataclass(frozen=True)
class Letter:
    """What a step's facts say: which letter, and what stands in it."""

    step: Step
    facts: Facts

    def mark(self, wording: str) -> str:
        """Changes with everything that stands in the draft, and with the text module it begins with."""
        held = json.dumps([str(self.step), self.facts.for_letter(), wording], default=str, sort_keys=True)
        return hashlib.sha256(held.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class LetterStep:
    """One of these steps, as its pages show it.

    :param around: what else the page of its facts shows.
    :param onward: where it leads when it is done; asked then.
    """

    title: str
    lede: str
    done: str
    offices: list[Office] | None = None
    template: str = "staff/facts.html"
    around: Callable[[], dict[str, Any]] = dict
    onward: Callable[[], str] | None = None


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
        return facts_page(form, inquiry, said, 422 if wrong else 200)
    try:
        letter = letter_of()
    except Invalid as refusal:
        form.refuse(refusal)
        return facts_page(form, inquiry, said, 422)
    if "change" in request.form and form.facts:
        return facts_page(form, inquiry, said, 200)
    redrafted, earlier = _redraft(form, inquiry, letter)
    if worded.in_place():
        return worded.answer(form)
    if redrafted or worded.wanted() or not {"send", "next"} & request.form.keys():
        return _preview(form, inquiry, said, letter, 200, earlier=earlier, drafted=redrafted)
    if not form.letter.data and not form.errors:
        form.letter.errors = [_("The letter is empty.")]
    if form.errors:
        return _preview(form, inquiry, said, letter, 422)
    onward = walking.onward(inquiry)
    status = perform(form, inquiry, lambda: verb(letter))
    if status == DONE:
        flash(said.done, "success")
        return redirect(said.onward() if said.onward else onward, code=303)
    if form.facts and form.errors.keys() & set(form.facts):
        return facts_page(form, inquiry, said, status)
    return _preview(form, inquiry, said, letter, status)


def _redraft(form: LetterStepForm, inquiry: Inquiry, letter: Letter) -> tuple[bool, str | None]:
    """Draft the letter unless the form brings one that was shown for these very facts.

    :returns: whether a new draft was made, and what had been written for other facts.
    """
    mark = letter.mark(form.wording.data or "")
    if form.drafted_for.data == mark and not worded.wanted():
        return False, None
    earlier = form.letter.data or None
    form.letter.errors = []
    form.letter.data = worded.draft(form, inquiry, letter.step, letter.facts)
    form.drafted_for.data = letter.mark(form.wording.data or "")
    return True, earlier if earlier != form.letter.data else None


def facts_page(
    form: LetterStepForm, inquiry: Inquiry, said: LetterStep, status: int = 200
) -> ResponseReturnValue:
    """The page of a step's facts, as they stand in the form."""
    worded.offer_all(form, inquiry)
    page = render_template(
        said.template, form=form, inquiry=inquiry, said=said, **beside(inquiry), **said.around()
    )
    return page, status


def _preview(
    form: LetterStepForm,
    inquiry: Inquiry,
    said: LetterStep,
    letter: Letter,
    status: int,
    *,
    earlier: str | None = None,
    drafted: bool = False,
) -> ResponseReturnValue:
    worded.offer(form, inquiry, letter.step, letter.facts)
    page = render_template(
        "staff/preview.html",
        drafted=drafted,
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


def reason_choices(reasons: tuple[Reason, ...]) -> list[SelectChoice]:
    """Reasons to choose from."""
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
    form = ReferForm(version=inquiry.version, reason=request.args.get("reason"))
    form.reason.choices = reason_choices(REFERRAL)

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
    form.reason.choices = reason_choices(allowed)

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


# -- conditions ------------------------------------------------------------------------------------------------------


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
