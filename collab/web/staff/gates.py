"""Gates: those that are mine to answer, and one of them with what its owner may see of the inquiry."""

from dataclasses import dataclass
from datetime import date

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import InputRequired, Optional

from collab import reviews
from collab.accounts.permissions import Permission
from collab.core import clock
from collab.core.db import unit_of_work
from collab.inquiries import Inquiry
from collab.reviews import Gate, GateState
from collab.reviews.gates import GateFile
from collab.web.access import actor, requires
from collab.web.forms import DONE, Day, PortalForm
from collab.web.staff import bp
from collab.web.staff.acting import inquiry_for
from collab.web.staff.forms import Seen, words
from collab.web.staff.words import TRACKS

#: The colour of a state; the word says the same.
PILLS = {
    GateState.OPEN: "wait",
    GateState.CLEARED: "ok",
    GateState.CLEARED_WITH_CONDITIONS: "ok",
    GateState.BLOCKED: "late",
    GateState.NOT_NEEDED: "",
}


class GateForm(PortalForm):
    """The answer to a gate."""

    version = Seen(
        validators=[InputRequired(_l("This page was not sent as it was shown. Open the gate again."))]
    )
    state = RadioField(_l("Your answer"), validators=[InputRequired(_l("Choose one."))])
    note = words(
        _l("Evidence, conditions or reason"),
        most=2000,
        rows=4,
        description=_l(
            "What you looked up, with numbers and dates. Only coordinators, heads and your office read it."
        ),
    )


class OwnerForm(PortalForm):
    """Who answers it, and by when."""

    version = Seen(
        validators=[InputRequired(_l("This page was not sent as it was shown. Open the gate again."))]
    )
    owner = SelectField(_l("Who answers it"), validators=[Optional()])
    due_on = Day(_l("Answer by"), validators=[InputRequired(_l("Choose a day."))])


@dataclass(frozen=True)
class ShownGate:
    """A gate on the page of its inquiry."""

    gate: Gate
    name: str
    pill: str
    late: bool


def gates_shown(inquiry: Inquiry, gates: list[Gate]) -> list[ShownGate]:
    """The gates as the inquiry's page lists them."""
    from collab.web.hooks import language

    today = clock.today(inquiry.department.timezone)
    found = []
    for gate in gates:
        kind = inquiry.department.settings.gate(gate.kind)
        found.append(
            ShownGate(
                gate,
                kind.name.get(language()) if kind else gate.kind,
                PILLS[gate.state],
                gate.due_on is not None and gate.due_on < today,
            )
        )
    return found


@bp.get("/gates")
@requires(Permission.CLEAR_GATES)
def gates() -> ResponseReturnValue:
    """What waits for my answer, and what I answered last."""
    return render_template(
        "staff/gates.html", mine=reviews.gates.my_gates(actor()), tracks=TRACKS, pills=PILLS
    )


@bp.route("/inquiries/<reference>/gates/<name>", methods=["GET", "POST"])
@requires(Permission.CLEAR_GATES)
def gate(reference: str, name: str) -> ResponseReturnValue:
    """One gate: the question, what its owner needs to know, and the answer."""
    inquiry, found = reviews.gates.find(reference, name, seen_by=actor())
    form = GateForm(version=found.version)
    form.state.choices = _answers(inquiry, found)
    status = form.perform(
        lambda: reviews.gates.settle(
            inquiry,
            name,
            GateState(form.state.data),
            note=form.note.data or "",
            by=actor(),
            version=form.version.data,
        )
    )
    if status == DONE:
        flash(_("Your answer is kept."), "success")
        return redirect(_back(inquiry), code=DONE)
    if status != 200:
        inquiry, found = reviews.gates.find(reference, name, seen_by=actor())
    if status == 409:
        form.version.raw_data, form.version.data = None, found.version
    return _page(inquiry, found, form), status


@bp.post("/inquiries/<reference>/gates/<name>/owner")
@requires(Permission.SEE_ALL_INQUIRIES)
def gate_owner(reference: str, name: str) -> ResponseReturnValue:
    """Name who answers a gate, and by when."""
    inquiry, found = reviews.gates.find(reference, name, seen_by=actor())
    form = _owner_form(inquiry, found)
    status = form.perform(
        lambda: reviews.gates.entrust(
            inquiry,
            name,
            owner_id=int(form.owner.data) if form.owner.data else None,
            due_on=form.due_on.data or date.min,
            by=actor(),
            version=form.version.data,
        )
    )
    if status == DONE:
        flash(_("Kept. Who answers it is told by mail."), "success")
        return redirect(url_for(".gate", reference=reference, name=name), code=DONE)
    inquiry, found = reviews.gates.find(reference, name, seen_by=actor())
    answer = GateForm(formdata=None, version=found.version)
    answer.state.choices = _answers(inquiry, found)
    return _page(inquiry, found, answer, form), status


@bp.post("/inquiries/<reference>/gates")
@requires(Permission.SEE_ALL_INQUIRIES)
def gates_open(reference: str) -> ResponseReturnValue:
    """Ask the gates that nobody was asked yet."""
    inquiry = inquiry_for(reference, Permission.SEE_ALL_INQUIRIES)
    with unit_of_work():
        reviews.gates.open_missing(inquiry, by=actor())
    flash(_("The gates are open, and those who answer them are told."), "success")
    return redirect(_back(inquiry), code=303)


def _answers(inquiry: Inquiry, gate: Gate) -> list[SelectChoice]:
    """What this person can answer now."""
    mine = reviews.gates.may_answer(gate, inquiry, actor())
    offered: list[GateState] = [state for state in GateState if state is not GateState.OPEN] if mine else []
    if gate.state is not GateState.OPEN and (mine or reviews.gates.may_ask_for(inquiry, actor())):
        offered.insert(0, GateState.OPEN)
    labels = {GateState.OPEN: _l("Open: an answer is needed (again)")}
    return [SelectChoice(state.value, labels.get(state, state.label)) for state in offered]


def _owner_form(inquiry: Inquiry, gate: Gate) -> OwnerForm:
    form = OwnerForm(version=gate.version, owner=str(gate.owner_id or ""), due_on=gate.due_on)
    form.owner.choices = [
        SelectChoice("", _("Whoever holds the role: %(role)s", role=gate.owner_role.label)),
        *(SelectChoice(str(one.id), one.name) for one in reviews.gates.owners_for(inquiry, gate)),
    ]
    return form


def _page(inquiry: Inquiry, found: Gate, form: GateForm, owner: OwnerForm | None = None) -> str:
    sees_all = reviews.gates.may_ask_for(inquiry, actor())
    stored = found.is_kept
    if owner is None and sees_all and stored and found.state is GateState.OPEN:
        owner = _owner_form(inquiry, found)
    file: GateFile = reviews.gates.file_of(inquiry, found)
    return render_template(
        "staff/gates_one.html",
        file=file,
        gate=found,
        form=form,
        owner_form=owner,
        sees_all=sees_all,
        track=TRACKS[file.track],
        steps=reviews.gates.history_of(inquiry, found) if stored else [],
        pills=PILLS,
    )


def _back(inquiry: Inquiry) -> str:
    if reviews.gates.may_ask_for(inquiry, actor()):
        return url_for(".inquiry", reference=inquiry.reference, _anchor="gates")
    return url_for(".gates")
