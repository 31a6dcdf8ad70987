"""What the portal points out on an inquiry, and joining two inquiries: both side by side first, and apart again."""

from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import InputRequired

from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core.db import unit_of_work
from collab.core.errors import Invalid, NotFound
from collab.core.wording import format_moment
from collab.inquiries import (
    Inquiry,
    Reason,
    Status,
    Step,
    by_reference,
    joining,
    likeness,
    moving,
    queries,
    questions,
    suggestions,
)
from collab.inquiries import signals as noticed
from collab.inquiries.history import Kind
from collab.inquiries.models import Transfer
from collab.inquiries.queries import Thread
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.forms import DONE
from collab.web.staff import bp
from collab.web.staff.acting import beside, inquiry_for, not_possible, perform, possible_or_refuse, press
from collab.web.staff.forms import Seen, StepForm, line, words
from collab.web.staff.words import TRACKS

_BOTH = ["GET", "POST"]
_MOVES = {Kind.CONSENT_ASKED, Kind.CONSENT_GIVEN, Kind.CAME_FROM}


@dataclass(frozen=True)
class Pointed:
    """A signal with the step that fits it."""

    shown: noticed.Shown
    step: tuple[str, str] | None = None


@dataclass(frozen=True)
class Hints:
    """What the portal points out on an inquiry's page."""

    signals: list[Pointed] = field(default_factory=list)
    alike: list[likeness.Hit] = field(default_factory=list)
    areas: list[suggestions.AreaHint] = field(default_factory=list)
    hosts: list[suggestions.HostHint] = field(default_factory=list)
    elsewhere: list[moving.Elsewhere] = field(default_factory=list)
    transfer: Transfer | None = None
    may_join: bool = False


def hints(inquiry: Inquiry, thread: Thread, *, seen_by: Actor) -> Hints:
    """All that is pointed out; of what is not there, nothing is asked for."""
    triages = may(seen_by, Permission.TRIAGE, inquiry.department_id)
    kinds = {entry.event.kind for entry in thread.entries if entry.event is not None and not entry.joined}
    routing = triages and inquiry.status is Status.RECEIVED and inquiry.anonymised_at is None
    near = suggestions.areas(inquiry) if routing else []
    return Hints(
        signals=[Pointed(one, _step(inquiry, one.signal)) for one in noticed.of(inquiry)] if triages else [],
        alike=likeness.hits(inquiry, seen_by=seen_by),
        areas=near,
        hosts=suggestions.hosts(inquiry, seen_by=seen_by, near=near) if routing else [],
        elsewhere=moving.elsewhere(inquiry, seen_by=seen_by) if kinds & {*_MOVES, Step.REFER} else [],
        transfer=moving.standing_of(inquiry) if kinds & _MOVES else None,
        may_join=triages and inquiry.status not in {Status.UNCONFIRMED, Status.VOID},
    )


def _step(inquiry: Inquiry, signal: noticed.Signal) -> tuple[str, str] | None:
    """The step that fits a signal, while the inquiry is still to be read: its address and the button's words."""
    if inquiry.status is not Status.RECEIVED:
        return None

    def to(page: str, **given: Any) -> str:
        return url_for(f"staff.{page}", reference=inquiry.reference, **given)

    match signal:
        case noticed.Signal.PATIENT_REQUEST:
            return to("refer", reason=Reason.PATIENT_REQUEST.value), _("Refer a patient's request")
        case noticed.Signal.VENDOR_PITCH:
            return to("refer", reason=Reason.PROCUREMENT.value), _("Refer to purchasing")
        case noticed.Signal.MASS_MAIL:
            return to("set_aside"), _("Set aside as spam or test")
        case noticed.Signal.PATIENT_DATA:
            return to("ask"), _("Ask for a text without them")


@bp.post("/inquiries/<reference>/signals/<kind>")
@requires(Permission.TRIAGE)
def judge_signal(reference: str, kind: str) -> ResponseReturnValue:
    """Say that what is pointed out is not so, or that it is after all."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    form = StepForm()
    if kind not in set(noticed.Signal) or not form.validate_on_submit():
        raise NotFound
    with unit_of_work():
        noticed.judge(
            inquiry,
            noticed.Signal(kind),
            stands="stands" in request.form,
            by=actor(),
            version=form.version.data,
        )
    return redirect(url_for("staff.inquiry", reference=inquiry.reference), code=303)


# -- joining ---------------------------------------------------------------------------------------------------------


class WhichForm(StepForm):
    """With which one."""

    original = line(
        _l("Reference of the other inquiry"),
        most=32,
        needed=_l("Enter the reference of the other inquiry."),
        description=_l("You see both side by side before anything is joined."),
    )


class JoinForm(StepForm):
    """Two that are joined."""

    other_version = Seen()
    stays = RadioField(_l("Which one goes on?"), validators=[InputRequired(_l("Choose one."))])
    same_person = BooleanField(
        _l("Both are the same person's: I made sure of it"),
        description=_l(
            "The two came from different e-mail addresses. Once joined, whoever opens one sees the other, and we write "
            "only to the address of the one that goes on."
        ),
    )
    note = words(
        _l("How you know it"), most=1000, rows=3, description=_l("For staff only; it stays in the history.")
    )


@bp.route("/inquiries/<reference>/join", methods=_BOTH)
@requires(Permission.TRIAGE)
def join(reference: str) -> ResponseReturnValue:
    """The same was sent twice: which other one, then both side by side, then one."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    given = (request.args.get("with") or "").strip().upper()
    if not given:
        return _which(inquiry)
    try:
        other = _other(given)
    except NotFound:
        return _which(inquiry, given)
    ways = {
        one.reference: joining.possible(away, one, by=actor())
        for one, away in ((other, inquiry), (inquiry, other))
    }
    if request.method == "GET" and all(way.why_not for way in ways.values()):
        not_possible(inquiry, str(ways[other.reference].why_not))
    form = JoinForm(version=inquiry.version, other_version=other.version)
    offered = [
        SelectChoice(one.reference, _("%(reference)s goes on", reference=one.reference))
        for one in sorted((inquiry, other), key=lambda one: one.id)
        if not ways[one.reference].why_not or request.method == "POST"
    ]
    form.stays.choices = offered
    if form.stays.data is None and offered:
        form.stays.data = offered[0].value
    if not ways[other.reference].other_address:
        del form.same_person
        del form.note

    def both() -> None:
        goes, stays = (inquiry, other) if form.stays.data == other.reference else (other, inquiry)
        joining.join(
            goes,
            into=stays,
            same_person="same_person" in form and bool(form.same_person.data),
            note=(form.note.data or "") if "note" in form else "",
            by=actor(),
            version=form.version.data if goes is inquiry else form.other_version.data,
        )

    status = 200
    if request.method == "POST":
        status = perform(form, inquiry, both)
        if status == DONE:
            flash(_("The two are joined. They can be taken apart again."), "success")
            return redirect(url_for("staff.inquiry", reference=form.stays.data), code=303)
        form.other_version.raw_data, form.other_version.data = None, other.version
    page = render_template(
        "staff/join.html",
        form=form,
        inquiry=inquiry,
        other=other,
        rows=_side_by_side(inquiry, other),
        **beside(inquiry, conflict=status == 409),
    )
    return page, status or 200


def _other(reference: str) -> Inquiry:
    """The other one of two, which stands beside the first with all it says: only where this person is coordinator.

    :raises NotFound: there is none, or it is not for this person.
    """
    found = by_reference(reference, seen_by=actor())
    if not may(actor(), Permission.TRIAGE, found.department_id):
        raise NotFound
    return found


def _with(reference: str) -> dict[str, Any]:
    return {"with": reference.upper()}


def _which(inquiry: Inquiry, given: str = "") -> ResponseReturnValue:
    """Ask for the other one; those that are alike are offered. A reference that is not to be seen is as none."""
    form = WhichForm(version=inquiry.version, original=given)
    sent = request.method == "POST"
    wrong = bool(given)
    if sent and form.validate_on_submit():
        given = (form.original.data or "").upper()
        try:
            _other(given)
        except NotFound:
            wrong = True
        else:
            return redirect(url_for("staff.join", reference=inquiry.reference, **_with(given)), code=303)
    if wrong:
        form.refuse(Invalid("original", _("Give the reference of another inquiry of this department.")))
    page = render_template(
        "staff/step.html",
        form=form,
        inquiry=inquiry,
        title=_("Join with another inquiry"),
        lede=_("The same was sent twice, or two belong together: letters, files and history become one."),
        button=_("Show both"),
        kind="primary",
        alike=likeness.hits(inquiry, seen_by=actor()),
        **beside(inquiry),
    )
    return page, 422 if sent or given else 200


@dataclass(frozen=True)
class Row:
    """One line of two inquiries side by side."""

    label: str
    one: str
    other: str

    @property
    def same(self) -> bool:
        return self.one.casefold() == self.other.casefold()


def _side_by_side(one: Inquiry, other: Inquiry) -> list[Row]:
    lang = hooks.language()

    def of(inquiry: Inquiry) -> dict[str, str]:
        zone = inquiry.department.timezone
        thread = queries.thread(inquiry)
        letters = sum(entry.message is not None for entry in thread.entries)
        attached = len(thread.files) + sum(len(entry.files) for entry in thread.entries)
        return {
            _("Status"): str(inquiry.status.label),
            _("Submitted"): format_moment(inquiry.submitted_at, lang, timezone=zone),
            _("Name"): inquiry.full_name,
            _("E-mail"): inquiry.email,
            _("Institution"): inquiry.institution_name,
            _("Track"): str(TRACKS[inquiry.track]),
            **{answer.label: answer.value for answer in questions.answers(inquiry, lang)},
            _("Letters"): str(letters),
            _("Files"): str(attached),
            _("Coordinator"): inquiry.coordinator.name if inquiry.coordinator else _("nobody"),
        }

    left, right = of(one), of(other)
    return [Row(label, left.get(label, ""), right.get(label, "")) for label in dict.fromkeys([*left, *right])]


@bp.route("/inquiries/<reference>/unjoin", methods=_BOTH)
@requires(Permission.TRIAGE)
def unjoin(reference: str) -> ResponseReturnValue:
    """Take two apart again."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    original = queries.original_of(inquiry)
    if original is None and request.method == "GET":
        not_possible(inquiry, _("This inquiry is not joined with another one."))
    possible_or_refuse(inquiry, Step.RESTORE)
    return press(
        inquiry,
        joining.part,
        title=_(
            "Take %(reference)s apart from %(original)s",
            reference=inquiry.reference,
            original=original or "–",
        ),
        lede=_(
            "Each has its own letters, notes and files back, and this one is in the queue again. What came since they "
            "were joined stays with %(original)s. The partner is told.",
            original=original or "–",
        ),
        button=_("Take apart"),
        done=_("Apart again; it is back in the queue."),
    )
