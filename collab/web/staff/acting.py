"""How every step of the staff runs: find the inquiry, show the form, call one verb, go back to the inquiry.

A refusal never costs anybody a text: what was typed stands in the form again, with the reason.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, NoReturn

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from collab import inquiries
from collab.accounts.permissions import Permission, check
from collab.core import clock
from collab.core.errors import Forbidden, NotFound
from collab.inquiries import Inquiry, interests, queries, questions, rules
from collab.inquiries.blind import veiled
from collab.inquiries.history import KIND_LABELS
from collab.inquiries.statuses import Step
from collab.web import hooks
from collab.web.access import actor
from collab.web.forms import DONE
from collab.web.staff import walking, worded
from collab.web.staff.forms import StepForm


def inquiry_for(reference: str, permission: Permission) -> Inquiry:
    """An inquiry this person may see, and do this to in its department.

    :raises NotFound: not to be seen.
    :raises Forbidden: to be seen, but this is not theirs to do.
    """
    inquiry = opened(reference)
    check(actor(), permission, inquiry.department_id)
    return inquiry


def opened(reference: str) -> Inquiry:
    """An inquiry this person may see; who is asked about it and has declared no interest yet is sent to do that first.

    :raises NotFound: not to be seen.
    """
    who = actor()
    try:
        inquiry = inquiries.by_reference(reference, seen_by=who)
    except NotFound:
        if interests.asked_of(reference, seen_by=who) is None:
            raise
    else:
        if request.method != "GET" or not interests.has_to_declare(inquiry, who):
            return inquiry
    return abort(redirect(url_for("staff.interest", reference=reference), code=303))


def possible_or_refuse(inquiry: Inquiry, *steps: Step) -> None:
    """Before a form is shown: make sure one of its steps can be taken at all.

    Answers with 409 and the reason where none can, from where the inquiry stands or now.

    :raises Forbidden: this person may not decide on this very inquiry.
    """
    if request.method != "GET":
        return  # the verb decides, and nothing that was typed is lost
    refusals = [
        choice.why_not for choice in rules.choices(inquiry, actor(), now=clock.now()) if choice.step in steps
    ]
    if any(refusal is None for refusal in refusals):
        return
    for refusal in refusals:
        if refusal is not None:
            if rules.interested(inquiry, actor()) == refusal:
                raise Forbidden(refusal)
            not_possible(inquiry, refusal)
    not_possible(
        inquiry,
        _(
            "“%(step)s” is not possible while the inquiry is “%(status)s”.",
            step=steps[0].label,
            status=inquiry.status.label,
        ),
    )


def not_possible(inquiry: Inquiry, reason: str) -> NoReturn:
    """Answer with 409, the reason, and the way back to the inquiry."""
    page = render_template("staff/not_possible.html", inquiry=inquiry, reason=reason, **beside(inquiry))
    abort(make_response(page, 409))


def perform(form: StepForm, inquiry: Inquiry, verb: Callable[[], object]) -> int:
    """Run a verb for a form that was sent; :data:`DONE`, or the status to answer with."""
    status = form.perform(
        verb, changed=_("Somebody changed this inquiry while you had it open. Nothing of yours was done.")
    )
    if status == 409:  # whoever reads what happened and still wants the same may press again
        form.version.raw_data, form.version.data = None, inquiry.version
    return status


def act(
    form: StepForm,
    inquiry: Inquiry,
    verb: Callable[[], object],
    *,
    title: str,
    button: str,
    done: str,
    lede: str = "",
    kind: str = "primary",
    back_to: str | None = None,
    **context: Any,
) -> ResponseReturnValue:
    """The page of a step: its form at first, and again with the reason when the step was refused.

    :param done: what is said when it is done.
    :param back_to: where it goes then; unless given the inquiry, or the next one of the view it was begun in.
    """
    status = 200
    if request.method == "POST" and not worded.wanted():
        onward = back_to or walking.onward(inquiry)
        status = perform(form, inquiry, verb)
        if status == DONE:
            flash(done, "success")
            return redirect(onward, code=DONE)
    if worded.in_place():
        return worded.answer(form)
    page = render_template(
        "staff/step.html",
        form=form,
        inquiry=inquiry,
        title=title,
        lede=lede,
        button=button,
        kind=kind,
        walks=back_to is None and walking.walks(),
        **beside(inquiry, conflict=status == 409),
        **context,
    )
    return page, status


def press(inquiry: Inquiry, verb: Callable[..., object], **words: Any) -> ResponseReturnValue:
    """The page of a step that asks nothing: a button, and its verb."""
    form = StepForm(version=inquiry.version)
    return act(form, inquiry, lambda: verb(inquiry, by=actor(), version=form.version.data), **words)


def beside(inquiry: Inquiry, *, conflict: bool = False) -> dict[str, Any]:
    """What stands beside every step's form: the inquiry to read again, and after a conflict what happened meanwhile."""
    blind = interests.reads_blind(inquiry, actor())
    return {
        "blind": blind,
        "veil": partial(veiled, about=inquiry) if blind else str,
        "answers": questions.answers(inquiry, hooks.language()),
        "happened": queries.happened_since(inquiry, opened_at(), seen_by=actor()) if conflict else [],
        "kinds_of_events": KIND_LABELS,
    }


def opened_at() -> datetime | None:
    """When the form that was sent was first shown, as it says itself; nothing but what a conflict shows rests on it."""
    try:
        moment = clock.parse(request.form.get("opened_at"))
    except (ValueError, OverflowError):
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
