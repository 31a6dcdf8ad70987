"""Where a department keeps its text modules: listed by step, changed into new versions, retired."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import InputRequired, Optional

from collab import departments
from collab.accounts.permissions import Permission, check, departments_where
from collab.core.db import unit_of_work
from collab.core.errors import Invalid, NotFound
from collab.departments import Department
from collab.desk import wordings
from collab.desk.models import WordingStep
from collab.desk.wordings import BODY_LENGTH, REASONS, TITLE_LENGTH, Content, Module
from collab.inquiries import Reason
from collab.web.access import actor, requires
from collab.web.forms import DONE, PortalForm
from collab.web.staff import bp
from collab.web.staff.forms import Seen, line, words
from collab.web.staff_chrome import departments_here

_BOTH = ["GET", "POST"]

#: What each placeholder stands for.
MEANINGS = {
    "full_name": _l("the partner's name"),
    "reference": _l("the reference of the inquiry"),
    "track": _l("what it is about: cooperation, visit, joint training"),
    "area": _l("the area chosen in the form"),
    "department": _l("your department's name"),
    "answer_by": _l("the day by which an answer is due"),
    "office": _l("the office you refer to"),
    "contact": _l("how to reach that office"),
    "period": _l("the period without a place"),
    "conditions": _l("the conditions with their days, one a line"),
}


class WordingForm(PortalForm):
    """A text module; ``seen`` says which version was changed."""

    seen = Seen(validators=[InputRequired(_l("This page was not sent as it was shown. Open it again."))])
    reason = SelectField(
        _l("Reason"),
        validators=[Optional()],
        validate_choice=False,
        description=_l("With a reason it is what a letter for that reason begins with."),
    )
    title_en = line(_l("Title in English"), most=TITLE_LENGTH, needed=_l("This is missing."))
    title_zh = line(_l("Title in Chinese"), most=TITLE_LENGTH, needed=_l("This is missing."))
    body_en = words(_l("Text in English"), most=BODY_LENGTH, needed=_l("This is missing."), rows=14)
    body_zh = words(_l("Text in Chinese"), most=BODY_LENGTH, needed=_l("This is missing."), rows=14)

    def for_step(self, step: WordingStep) -> None:
        """Offer the step's reasons; where it has none there is nothing to choose."""
        reasons = REASONS.get(step, ())
        if not reasons:
            del self.reason
            return
        self.reason.choices = [
            SelectChoice("", _("For any reason")),
            *(SelectChoice(str(one), str(one.label)) for one in reasons),
        ]

    def content(self, step: WordingStep) -> Content:
        """What was written.

        :raises Invalid: a reason that nobody offered.
        """
        text = str(self.reason.data or "") if "reason" in self else ""
        if text and text not in set(Reason):
            raise Invalid("reason", _("This step has no such reason."))
        return Content(
            step=step,
            reason=Reason(text) if text else None,
            title_en=self.title_en.data or "",
            title_zh=self.title_zh.data or "",
            body_en=self.body_en.data or "",
            body_zh=self.body_zh.data or "",
        )


class PressForm(PortalForm):
    """Nothing but a button."""


@bp.get("/settings/wordings", endpoint="wordings")
@requires(Permission.EDIT_WORDINGS)
def every_wording() -> ResponseReturnValue:
    """All text modules by step."""
    mine = departments_where(actor(), Permission.EDIT_WORDINGS)
    sections = []
    for department in departments_here().values():
        if department.id in mine:
            every = wordings.modules(department, retired=True)
            sections.append(
                (department, [(step, [one for one in every if one.step is step]) for step in WordingStep])
            )
    return render_template("staff/settings/wordings.html", sections=sections)


@bp.route("/settings/wordings/<slug>/new/<step>", methods=_BOTH)
@requires(Permission.EDIT_WORDINGS)
def new_wording(slug: str, step: str) -> ResponseReturnValue:
    """A text module of the department's own."""
    department, kind = _department(slug), _step(step)
    form = WordingForm(seen=0)
    form.for_step(kind)
    status = form.perform(lambda: wordings.add(departments.by_slug(slug), form.content(kind), by=actor()))
    if status == DONE:
        flash(_("The text module can be used now."), "success")
        return redirect(url_for(".wordings"), code=DONE)
    return _page(form, department, kind, status)


@bp.route("/settings/wordings/<slug>/<code>", methods=_BOTH)
@requires(Permission.EDIT_WORDINGS)
def edit_wording(slug: str, code: str) -> ResponseReturnValue:
    """Change a text module: what is sent becomes its next version."""
    department = _department(slug)
    found = wordings.module(department, code, retired=True)
    form = WordingForm(
        seen=found.number,
        reason=found.reason.value if found.reason else "",
        title_en=found.title.en,
        title_zh=found.title.zh,
        body_en=found.body.en,
        body_zh=found.body.zh,
    )
    form.for_step(found.step)
    status = form.perform(
        lambda: wordings.change(
            departments.by_slug(slug), code, form.content(found.step), seen=form.seen.data or 0, by=actor()
        )
    )
    if status == DONE:
        flash(_("Version %(number)s is in force.", number=form.outcome), "success")
        return redirect(url_for(".wordings"), code=DONE)
    if status == 409:
        now = wordings.module(department, code, retired=True)
        form.seen.raw_data, form.seen.data = None, now.number
        return _page(form, department, found.step, status, found, theirs=now)
    return _page(form, department, found.step, status, found)


@bp.post("/settings/wordings/<slug>/<code>/<any(retire,back):what>")
@requires(Permission.EDIT_WORDINGS)
def retire_wording(slug: str, code: str, what: str) -> ResponseReturnValue:
    """Offer it no more, or again."""
    _department(slug)
    if not PressForm().validate_on_submit():
        raise NotFound
    with unit_of_work():
        (wordings.retire if what == "retire" else wordings.bring_back)(
            departments.by_slug(slug), code, by=actor()
        )
    flash(_("It is not offered any more.") if what == "retire" else _("It is offered again."), "success")
    return redirect(url_for(".wordings"), code=303)


def _page(
    form: WordingForm,
    department: Department,
    step: WordingStep,
    status: int,
    found: Module | None = None,
    **more: Any,
) -> ResponseReturnValue:
    page = render_template(
        "staff/settings/wording.html",
        form=form,
        of=department,
        step=step,
        module=found,
        versions=wordings.versions(department, found.code) if found else [],
        holders=[(name, MEANINGS[name]) for name in wordings.known(step)],
        whole=step is not WordingStep.ASK,
        **more,
    )
    return page, status


def _step(step: str) -> WordingStep:
    if step not in set(WordingStep):
        raise NotFound
    return WordingStep(step)


def _department(slug: str) -> Department:
    department = departments.by_slug(slug)
    if department.id not in departments_where(actor(), Permission.SEE_SETTINGS):
        raise NotFound
    check(actor(), Permission.EDIT_WORDINGS, department.id)
    return department
