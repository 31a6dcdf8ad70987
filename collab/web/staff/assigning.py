"""Choosing the reviewers of an inquiry, on one page."""

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import BooleanField
from wtforms.validators import InputRequired

from collab import accounts, reviews
from collab.accounts.permissions import Permission
from collab.core import clock
from collab.inquiries import AssignmentKind, Status, clocks, rules
from collab.reviews import assigning
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.forms import DONE, Day
from collab.web.staff import bp
from collab.web.staff.acting import beside, inquiry_for, not_possible, perform
from collab.web.staff.forms import Numbers, StepForm, words


class ReviewersForm(StepForm):
    """Whom to ask, and by when."""

    people = Numbers(_l("Reviewers"))
    judged = Numbers(_l("A possible conflict of interest was judged to be none"))
    all_inside = BooleanField(_l("There is nobody outside the host's areas; go on without"))
    due_on = Day(_l("Answer by"), validators=[InputRequired(_l("Choose a day."))])
    note = words(_l("A word to these people"), most=1000, rows=3, description=_l("For staff only."))


@bp.route("/inquiries/<reference>/reviewers", methods=["GET", "POST"])
@requires(Permission.TRIAGE)
def reviewers(reference: str) -> ResponseReturnValue:
    """Everybody who could review it, with load, past reviews, areas and possible interests; two are asked at once."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    if request.method == "GET":
        if inquiry.status is not Status.IN_REVIEW:
            not_possible(inquiry, _("Reviewers are asked while the inquiry is with the department."))
        why = reviews.gates.why_blocked(inquiry, reviews.gates.blocked(inquiry))
        if why:
            not_possible(inquiry, why)
    form = ReviewersForm(
        version=inquiry.version,
        due_on=clocks.suggested_due(inquiry, AssignmentKind.REVIEWER, clock.now()),
    )
    status = 200
    if request.method == "POST":
        asked: list[Any] = []

        def ask() -> None:
            people = [accounts.user_by_id(number) for number in form.people.data or []]
            asked[:] = assigning.ask_reviewers(
                inquiry,
                people,
                due_on=form.due_on.data or date.min,
                note=form.note.data or "",
                judged=form.judged.data or [],
                all_inside=form.all_inside.data,
                by=actor(),
                version=form.version.data,
            )

        status = perform(form, inquiry, ask)
        if status == DONE:
            done = ngettext("%(num)s reviewer is asked.", "%(num)s reviewers are asked.", len(asked))
            flash(done, "success")
            return redirect(url_for(".inquiry", reference=inquiry.reference), code=303)
    candidates = assigning.reviewers_for(inquiry, seen_by=actor())
    group = assigning.host_areas(inquiry)
    lang = hooks.language()
    page = render_template(
        "staff/reviewers.html",
        inquiry=inquiry,
        form=form,
        open_to=[one for one in candidates if not one.closed],
        closed=[one for one in candidates if one.closed],
        asked=[one for one in rules.active_assignments(inquiry) if one.kind is AssignmentKind.REVIEWER],
        needed=inquiry.department.settings.review.reviewers,
        group=[inquiry.department.settings.area_name(area, lang) for area in sorted(group)],
        area=lambda code: inquiry.department.settings.area_name(code, lang),
        chosen=form.people.data or [],
        judged=form.judged.data or [],
        **beside(inquiry, conflict=status == 409),
    )
    return page, status or 200
