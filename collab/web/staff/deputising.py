"""Who is away, entered for somebody else; and taking over, as the deputy, what somebody away is asked."""

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind

from collab import accounts, departments
from collab.accounts import absences
from collab.accounts.permissions import Permission, departments_where
from collab.core import clock
from collab.core.db import unit_of_work
from collab.core.errors import Conflict
from collab.departments import Department
from collab.inquiries import deputies
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.away import AbsenceForm
from collab.web.forms import DONE
from collab.web.staff import bp
from collab.web.staff_chrome import departments_here

#: Absences that begin later than that stand on the person's own page alone.
_AHEAD = timedelta(days=366)


@bp.route("/absences", methods=["GET", "POST"])
@requires(Permission.ENTER_ABSENCES)
def all_absences() -> ResponseReturnValue:
    """Who is away now and later, and a form for somebody who cannot enter it himself."""
    mine = _departments()
    form = AbsenceForm(data={"department": str(mine[0].id)})
    form.department.choices = [SelectChoice(str(one.id), one.name(hooks.language())) for one in mine]
    people = {one.id: one for place in mine for one in accounts.with_role(place.id, *absences.COVERED)}
    names = [SelectChoice(str(one.id), one.name) for one in sorted(people.values(), key=lambda one: one.name)]
    form.person.choices = [SelectChoice("", _("Choose a person")), *names]
    form.deputy.choices = [SelectChoice("", _("Nobody: the coordinators")), *names]
    if len(mine) == 1:
        del form.department
    status = form.perform(
        lambda: form.enter(
            int(form.person.data),
            departments.by_id(int(form.department.data) if "department" in form else mine[0].id),
        )
    )
    if status == DONE:
        flash(_("Entered. The person and the deputy are told by mail."), "success")
        return redirect(url_for(".all_absences"), code=DONE)
    today = {one.id: clock.today(one.timezone) for one in mine}
    entered = [
        absence for one in mine for absence in absences.between(one, today[one.id], today[one.id] + _AHEAD)
    ]
    page = render_template(
        "staff/absences.html",
        form=form,
        today=today,
        entered=entered,
        places={one.id: one for one in mine} if len(mine) > 1 else {},
    )
    return page, status


@bp.post("/absences/<int:absence_id>/end")
@requires(Permission.ENTER_ABSENCES)
def end_absence(absence_id: int) -> ResponseReturnValue:
    """Somebody is here again."""
    try:
        with unit_of_work():
            absences.end(absences.by_id(absence_id, by=actor()), by=actor())
    except Conflict as refusal:
        flash(refusal.message, "warning")
    else:
        flash(_("The absence is ended."), "success")
    return redirect(url_for(".all_absences"), code=303)


@bp.post("/deputising/<int:assignment_id>/take-over")
@requires(Permission.SEE_INQUIRIES)
def take_over(assignment_id: int) -> ResponseReturnValue:
    """Be asked instead of somebody away; declaring one's interests comes next."""
    assignment = deputies.asked_of_absent(assignment_id, by=actor())
    reference = assignment.inquiry.reference
    try:
        with unit_of_work():
            deputies.take_over(assignment, by=actor())
    except Conflict as refusal:
        flash(refusal.message or _("Its state changed in the meantime. Look again."), "warning")
        return redirect(url_for(".home"), code=303)
    flash(_("You are asked now. First say whether you have an interest; then it opens."), "success")
    return redirect(url_for(".inquiry", reference=reference), code=303)


def _departments() -> list[Department]:
    return [departments_here()[id] for id in sorted(departments_where(actor(), Permission.ENTER_ABSENCES))]
