"""Who is away, entered for somebody else; and taking over, as the deputy, what somebody away is asked."""

from datetime import date, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import InputRequired

from collab import accounts
from collab.accounts import absences
from collab.accounts.permissions import Permission, departments_where
from collab.core import clock
from collab.core.db import unit_of_work
from collab.core.errors import Conflict, Invalid
from collab.departments import Department
from collab.inquiries import deputies
from collab.web.access import actor, requires
from collab.web.forms import Day, PortalForm
from collab.web.staff import bp
from collab.web.staff_chrome import departments_here

#: Absences that begin later than that stand on the person's own page alone.
_AHEAD = timedelta(days=366)


class AbsenceOfForm(PortalForm):
    """Somebody is ill, or forgot to say."""

    person = SelectField(_l("Who is away"), validators=[InputRequired(_l("Choose a person."))])
    first_day = Day(_l("First day away"), validators=[InputRequired(_l("Choose a day."))])
    last_day = Day(_l("Last day away"), validators=[InputRequired(_l("Choose a day."))])
    deputy = SelectField(
        _l("Who deputises"),
        description=_l("Somebody who holds one of the same roles. Both are told by mail."),
    )


@bp.route("/absences", methods=["GET", "POST"])
@requires(Permission.ENTER_ABSENCES)
def all_absences() -> ResponseReturnValue:
    """Who is away now and later, and a form for somebody who cannot enter it himself."""
    department = _department()
    people = accounts.with_role(department.id, *absences.COVERED)
    form = AbsenceOfForm()
    names = [SelectChoice(str(one.id), one.name) for one in people]
    form.person.choices = [SelectChoice("", _("Choose a person")), *names]
    form.deputy.choices = [SelectChoice("", _("Nobody: the coordinators")), *names]
    status = 200
    if form.validate_on_submit():
        try:
            with unit_of_work():
                deputies.enter_absence(
                    accounts.user_by_id(int(form.person.data)),
                    department=department,
                    first_day=form.first_day.data or date.min,
                    last_day=form.last_day.data or date.min,
                    deputy=accounts.user_by_id(int(form.deputy.data)) if form.deputy.data else None,
                    by=actor(),
                )
        except Invalid as refusal:
            form.refuse(refusal)
            status = 422
        else:
            flash(_("Entered. The person and the deputy are told by mail."), "success")
            return redirect(url_for(".all_absences"), code=303)
    elif request.method == "POST":
        status = 422
    today = clock.today(department.timezone)
    page = render_template(
        "staff/absences.html",
        form=form,
        today=today,
        entered=absences.between(department, today, today + _AHEAD),
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


def _department() -> Department:
    ids = sorted(departments_where(actor(), Permission.ENTER_ABSENCES))
    return departments_here()[ids[0]]
