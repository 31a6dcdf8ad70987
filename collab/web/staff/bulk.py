"""One step for many inquiries: chosen in the queue, looked at once more, done one by one.

Each inquiry is a transaction of its own. What is refused is told row by row and keeps nobody else back.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import Optional

from collab import accounts, inquiries
from collab.accounts import Role
from collab.accounts.permissions import Permission, departments_where
from collab.core.db import TryAgain, unit_of_work
from collab.core.errors import Refused
from collab.inquiries import Inquiry, Reason, queries, tags, triage
from collab.inquiries.queries import QueueRow
from collab.inquiries.reasons import VOIDING
from collab.web import errors
from collab.web.access import actor, requires
from collab.web.forms import PortalForm
from collab.web.staff import bp, walking
from collab.web.staff.bulk_steps import BulkStep
from collab.web.staff.forms import choices, line, words
from collab.web.staff.reports import inquiries_file
from collab.web.staff.shown import shown

#: So many at most in one go: what fits on four pages of the queue.
MOST = 100
_ROW = re.compile(r"([A-Z0-9]{1,12}-[0-9]{4}-[0-9]{1,9}):([0-9]{1,9})")
#: A database that broke off one of them is asked again.
TRIES = 3


#: What is said above the button, so that nobody presses it unaware.
_LEDES: dict[BulkStep, LazyString] = {
    BulkStep.OWN: _l("The partners are told nothing."),
    BulkStep.TAG: _l("A tag that is not there yet is made. The partners never see tags."),
    BulkStep.REMIND: _l(
        "Whoever is waited for is reminded by mail: the partner of a question, hosts and reviewers of their answers."
    ),
    BulkStep.VOID: _l(
        "No mail goes out, and they are left out of all figures. They can be brought back for 30 days."
    ),
}


class BulkForm(PortalForm):
    """What the steps need; the page shows of it what the chosen step takes."""

    person: SelectField
    tag: StringField
    reason: SelectField
    note: TextAreaField


class OwnManyForm(BulkForm):
    """Which coordinator has them from now on."""

    person = SelectField(_l("Coordinator"), validators=[Optional()])


class TagManyForm(BulkForm):
    """The tag they all get."""

    tag = line(_l("Tag"), most=tags.NAME_LENGTH, needed=_l("Write the tag."))


class VoidManyForm(BulkForm):
    """Why they are set aside."""

    reason = SelectField(_l("Reason"))
    note = words(_l("Note for staff"), rows=3)


_FORMS: dict[BulkStep, type[BulkForm]] = {
    BulkStep.OWN: OwnManyForm,
    BulkStep.TAG: TagManyForm,
    BulkStep.REMIND: BulkForm,
    BulkStep.VOID: VoidManyForm,
}


@dataclass(frozen=True)
class Refusal:
    """One that was not done, and why."""

    reference: str
    title: str
    why: str


@bp.post("/bulk")
@requires(Permission.TRIAGE)
def bulk() -> ResponseReturnValue:
    """The chosen inquiries to look at once more; sent again with ``sure``, the step is done."""
    try:
        step = BulkStep(request.form.get("do", ""))
    except ValueError:
        abort(400)
    chosen = _chosen()
    back = _back()
    rows = queries.chosen(list(chosen), seen_by=actor())
    if not rows:
        return render_template("staff/bulk.html", step=step, rows=[], chosen={}, form=None, back=back), 422
    if step is BulkStep.EXPORT:
        return inquiries_file([row.id for row in rows])
    form = _form(step)
    status = 200
    if request.form.get("sure") == "1":
        if form.validate_on_submit():
            done, refused = _each(chosen, {row.reference: row for row in rows}, _verb(step, form))
            return render_template("staff/bulk_done.html", step=step, done=done, refused=refused, back=back)
        status = 422
    page = render_template(
        "staff/bulk.html",
        step=step,
        lede=_LEDES[step],
        rows=shown(rows),
        chosen=chosen,
        form=form,
        back=back,
        here=request.form.get("here", ""),
    )
    return page, status


def _chosen() -> dict[str, int]:
    """References and the versions the queue showed."""
    found: dict[str, int] = {}
    for value in request.form.getlist("row"):
        match = _ROW.fullmatch(value)
        if match is None:
            abort(400)
        found[match[1]] = int(match[2])
    if len(found) > MOST:
        abort(400)
    return found


def _back() -> str:
    """The view the inquiries were chosen in."""
    view = walking.read(request.form.get("here"))
    return walking.within(url_for("staff.queue"), view) if view else url_for("staff.queue")


def _form(step: BulkStep) -> BulkForm:
    form = _FORMS[step]()
    if step is BulkStep.OWN:
        people = {
            user.id: user
            for department_id in sorted(departments_where(actor(), Permission.TRIAGE))
            for user in accounts.with_role(department_id, Role.COORDINATOR)
        }
        mine_first = sorted(people.values(), key=lambda user: (user.id != actor().user_id, user.name))
        form.person.choices = [
            *choices((user.id, user.name) for user in mine_first),
            SelectChoice("", _("Nobody: it belongs to all coordinators")),
        ]
    elif step is BulkStep.VOID:
        form.reason.choices = choices((reason, reason.label) for reason in VOIDING)
    return form


def _verb(step: BulkStep, form: BulkForm) -> Callable[[Inquiry, int], object]:
    who = actor()
    match step:
        case BulkStep.OWN:
            person = accounts.user_by_id(int(form.person.data)) if form.person.data else None
            return lambda inquiry, version: triage.own(inquiry, person, by=who, version=version)
        case BulkStep.TAG:
            name = form.tag.data or ""
            return lambda inquiry, _version: tags.put(inquiry, name, by=who, new=True)
        case BulkStep.REMIND:
            return lambda inquiry, version: triage.remind(inquiry, by=who, version=version)
        case BulkStep.VOID:
            reason, note = Reason(form.reason.data), form.note.data or ""
            return lambda inquiry, version: triage.set_aside(
                inquiry, reason=reason, note=note, by=who, version=version
            )
        case BulkStep.EXPORT:
            raise AssertionError("a download is no verb")


def _each(
    chosen: dict[str, int], rows: dict[str, QueueRow], verb: Callable[[Inquiry, int], object]
) -> tuple[list[QueueRow], list[Refusal]]:
    """Do it to each, in a transaction of its own."""
    done: list[QueueRow] = []
    refused: list[Refusal] = []
    for reference, version in chosen.items():
        why = _one(reference, version, verb)
        if why is None:
            done.append(rows[reference])
        else:
            refused.append(Refusal(reference, rows[reference].title if reference in rows else "", why))
    return done, refused


def _one(reference: str, version: int, verb: Callable[[Inquiry, int], object]) -> str | None:
    for again in range(TRIES):
        try:
            with unit_of_work():
                verb(inquiries.by_reference(reference, seen_by=actor()), version)
        except TryAgain:
            if again + 1 < TRIES:
                continue
            return errors.sentences(503)[1]
        except Refused as refusal:
            return refusal.message or errors.sentences(refusal.status)[1]
        return None
    return None
