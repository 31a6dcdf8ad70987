"""One's own absences: from when to when, and who stands in."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind

from collab import accounts, departments
from collab.accounts import User, absences
from collab.core import clock
from collab.core.db import unit_of_work
from collab.core.errors import Conflict, NotFound
from collab.departments import Department
from collab.web import hooks
from collab.web.access import actor, signed_in
from collab.web.account import bp
from collab.web.away import AbsenceForm
from collab.web.forms import DONE


@bp.route("/account/absences", methods=["GET", "POST"])
@signed_in
def my_absences() -> ResponseReturnValue:
    """What is entered, and a form for one more."""
    user = accounts.user_by_id(current_user.id)
    mine = _departments(user)
    if not mine:
        return render_template("account/absences.html", form=None, entered=[])
    form = AbsenceForm(data={"department": str(mine[0].id)})
    del form.person
    form.department.choices = [SelectChoice(str(one.id), one.name(hooks.language())) for one in mine]
    people = {one.id: one for place in mine for one in absences.deputies_for(user, place.id)}
    form.deputy.choices = [
        SelectChoice("", _("Nobody: the coordinators")),
        *(SelectChoice(str(one.id), one.name) for one in sorted(people.values(), key=lambda one: one.name)),
    ]
    if len(mine) == 1:
        del form.department
    status = form.perform(
        lambda: form.enter(
            current_user.id,
            departments.by_id(int(form.department.data) if "department" in form else mine[0].id),
        )
    )
    if status == DONE:
        flash(_("Entered. What waits for you is seen to."), "success")
        return redirect(url_for("account.my_absences"), code=DONE)
    page = render_template(
        "account/absences.html",
        form=form,
        entered=absences.coming(current_user.id),
        today={one.id: clock.today(one.timezone) for one in mine},
        places={one.id: one for one in mine},
    )
    return page, status


@bp.post("/account/absences/<int:absence_id>/end")
@signed_in
def end_my_absence(absence_id: int) -> ResponseReturnValue:
    """Here again, or not gone at all."""
    try:
        with unit_of_work():
            absence = absences.by_id(absence_id, by=actor())
            if absence.user_id != current_user.id:
                raise NotFound
            absences.end(absence, by=actor())
    except Conflict as refusal:
        flash(refusal.message, "warning")
    else:
        flash(_("The absence is ended: you count as present again."), "success")
    return redirect(url_for("account.my_absences"), code=303)


def _departments(user: User) -> list[Department]:
    ids = {one.department_id for one in user.memberships}
    return [one for one in departments.all_departments() if one.id in ids]
