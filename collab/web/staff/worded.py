"""Text modules in the forms of the steps: chosen, put in, and always read before anything is sent."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import abort, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import Field
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind

from collab.core.errors import Invalid
from collab.core.wording import format_day
from collab.desk import wordings
from collab.desk.wordings import Module, WordingStep
from collab.inquiries import Inquiry, Step, interests, notices
from collab.reviews import Facts, Verdict
from collab.web import hooks
from collab.web.access import actor

#: Stands for the portal's own draft, where a module would come otherwise.
STANDARD = "standard"
_VERDICTS = {
    WordingStep.ACCEPT: Verdict.ACCEPT,
    WordingStep.CONDITIONS: Verdict.CONDITIONAL,
    WordingStep.WAITLIST: Verdict.WAITLIST,
    WordingStep.REFER: Verdict.REFER,
    WordingStep.DECLINE: Verdict.DECLINE,
}


def wanted() -> bool:
    """Whether the form was sent only to have a module put in."""
    return request.method == "POST" and "use" in request.form


def in_place() -> bool:
    """Whether the page's script asks for the text alone, to put it into the page that is open."""
    return wanted() and request.accept_mimetypes.best == "application/json"


def answer(form: Any) -> ResponseReturnValue:
    """The text for the script, with the hidden fields that belong to it; or why there is none."""
    refusals = [str(error) for errors in form.errors.values() for error in errors]
    field = next((form[name] for name in ("question", "letter") if name in form), None)
    if field is None:
        abort(400)  # this form has no text to put a module into
    hidden = {name: form[name].data or "" for name in ("drafted_for", "filled_for") if name in form}
    return {"text": field.data or "", "hidden": hidden, "refused": " ".join(refusals)}


# -- questions and letters that are written on one page --------------------------------------------------------------


def begin(form: Any, inquiry: Inquiry, step: WordingStep, field: Field) -> dict[str, Any]:
    """Offer the modules of a step, and put the one that was chosen into the field.

    :returns: what the page shows of it: the text that stood there before, and whether a module stands there now.
    """
    offered = [one for one in wordings.modules(inquiry.department) if one.step is step]
    named = not interests.reads_blind(inquiry, actor())  # a module's text begins with the partner's name
    if not offered or not named:
        del form.wording
        return {}
    form.wording.choices = [SelectChoice("", _("Choose a text module")), *_choices(offered)]
    code = request.args.get("wording", "") if request.method == "GET" else form.wording.data or ""
    if not code or (request.method == "POST" and not wanted()):
        return {}
    chosen = next((one for one in offered if one.code == code), None)
    form.wording.data = ""
    if chosen is None:
        form.wording.errors = [_gone()]
        return {}
    day = form.answer_by.data if "answer_by" in form else None
    try:
        text = wordings.words(inquiry, chosen, inquiry.locale, {"answer_by": day} if day else {})
    except Invalid as refusal:
        form.refuse(refusal)
        return {}
    if step is WordingStep.ASK and day is None and "{answer_by}" in chosen.body.get(inquiry.locale):
        form.refuse(Invalid("answer_by", _("This text names the day; choose it first.")))
        return {}
    before = field.data or ""
    field.data = text
    if "filled_for" in form:
        form.filled_for.data = day.isoformat() if day else ""
    return {"swapped": before if before.strip() and before != text else "", "drafted": True}


def check_day(form: Any, inquiry: Inquiry) -> None:
    """Make sure that a question does not name another day than the one it is to be answered by.

    :raises Invalid: at ``question``.
    """
    try:
        filled = date.fromisoformat(form.filled_for.data or "")
    except ValueError:
        return
    zone = inquiry.department.timezone
    old, new = (format_day(day, inquiry.locale, timezone=zone) for day in (filled, form.answer_by.data))
    if old != new and old in (form.question.data or ""):
        raise Invalid(
            "question", _("The text still says %(old)s, but the answer is due on %(new)s.", old=old, new=new)
        )


# -- letters that are drafted from facts -----------------------------------------------------------------------------


def offer_all(form: Any, inquiry: Inquiry) -> None:
    """Offer, beside the facts of a step, what its letter may begin with; the address may choose already."""
    steps = tuple(_VERDICTS) if "verdict" in form else _steps(form)
    every = [one for one in wordings.modules(inquiry.department) if one.step in steps]
    form.wording.choices = [
        SelectChoice("", _("The one for the reason, else the standard letter")),
        SelectChoice(STANDARD, _("The standard letter")),
        *_choices(every, with_step="verdict" in form),
    ]
    if request.method == "GET" and request.args.get("wording"):
        _preset(form, every, request.args["wording"])


def _steps(form: Any) -> tuple[WordingStep, ...]:
    return (WordingStep.REFER,) if "office" in form else (WordingStep.DECLINE,)


def _preset(form: Any, every: Sequence[Module], code: str) -> None:
    chosen = next((one for one in every if one.code == code), None)
    if chosen is None:
        form.wording.errors = [_gone()]
        return
    form.wording.data = chosen.code
    name = "reason"
    if "verdict" in form:
        form.verdict.data = _VERDICTS[chosen.step].value
        name = "referral_reason" if chosen.step is WordingStep.REFER else "decline_reason"
    if chosen.reason and any(choice[0] == chosen.reason for choice in form[name].iter_choices()):
        form[name].data = chosen.reason.value


def offer(form: Any, inquiry: Inquiry, step: Step, facts: Facts) -> Sequence[Module]:
    """Offer, beside the letter of a step, what it may begin with instead."""
    kind = wordings.OF_LETTER[step]
    offered = [one for one in wordings.modules(inquiry.department) if one.step is kind]
    fits = wordings.proposed(offered, kind, facts.reason)
    lang = hooks.language()
    automatic = (
        _("For this reason: %(title)s", title=fits.title.get(lang)) if fits else _("The standard letter")
    )
    form.wording.choices = [
        SelectChoice("", automatic),
        *([SelectChoice(STANDARD, _("The standard letter"))] if fits else []),
        *_choices(sorted(offered, key=lambda one: one.reason != facts.reason)),
    ]
    return offered


def draft(form: Any, inquiry: Inquiry, step: Step, facts: Facts) -> str:
    """The letter of a step as it begins; where a module cannot be used it says so and begins with the standard one."""
    offered = offer(form, inquiry, step, facts)
    code = form.wording.data or ""
    chosen = None
    if not code:
        chosen = wordings.proposed(offered, wordings.OF_LETTER[step], facts.reason)
    elif code != STANDARD:
        chosen = next((one for one in offered if one.code == code), None)
        if chosen is None:
            form.wording.data = ""
            form.wording.errors = [_("This text module is for another step, or not offered any more.")]
    if chosen is not None:
        try:
            return wordings.letter(inquiry, chosen, facts.for_letter())
        except Invalid as refusal:
            form.refuse(refusal)
    return notices.draft_letter(inquiry, step, **facts.for_letter())


def _choices(offered: Sequence[Module], *, with_step: bool = False) -> list[SelectChoice]:
    lang = hooks.language()
    return [
        SelectChoice(
            one.code, f"{one.step.label} · {one.title.get(lang)}" if with_step else one.title.get(lang)
        )
        for one in offered
    ]


def _gone() -> str:
    return str(_("This text module is not offered any more."))


__all__ = ["answer", "begin", "check_day", "draft", "in_place", "offer", "offer_all", "wanted"]
