"""To another track or department: where to, the partner's consent, and then the move itself."""

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import InputRequired

from collab import departments
from collab.accounts.permissions import Permission
from collab.core import clock
from collab.core.wording import format_day
from collab.departments import Department
from collab.departments.tracks import Track
from collab.inquiries import Inquiry, clocks, moving, notices
from collab.inquiries.models import Transfer, TransferState
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.forms import DONE, Day
from collab.web.staff import bp
from collab.web.staff.acting import act, beside, inquiry_for, not_possible, perform
from collab.web.staff.forms import LETTER_LENGTH, StepForm, choices, words
from collab.web.staff.words import TRACKS

_BOTH = ["GET", "POST"]
ASK, GIVEN = "ask", "given"


class RecordForm(StepForm):
    """That the partner agreed."""

    consent_on = Day(_l("Agreed on"), description=_l("The day on which the partner agreed."))
    how = words(
        _l("How the partner agreed"),
        most=1000,
        rows=3,
        description=_l("For instance “in the letter of 3 March”. For staff only; it stays in the history."),
    )
    with_file = BooleanField(_l("The file may go along"))


class MoveForm(RecordForm):
    """Where to, and how the partner is asked."""

    area = SelectField(_l("Area there"), validators=[InputRequired(_l("Choose one."))])
    consent = RadioField(
        _l("The partner's consent"),
        choices=choices(
            ((ASK, _l("Ask the partner by the letter below")), (GIVEN, _l("The partner has agreed already")))
        ),
        validators=[InputRequired(_l("Choose one."))],
    )
    letter = words(_l("Letter that asks"), most=LETTER_LENGTH, rows=12)
    answer_by = Day(_l("Answer by"))


@bp.route("/inquiries/<reference>/move", methods=_BOTH)
@requires(Permission.TRIAGE)
def move(reference: str) -> ResponseReturnValue:
    """First where to, then how the partner agrees; once agreed, the move itself."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    transfer = moving.standing_of(inquiry)
    if transfer is not None:
        return _under_way(inquiry, transfer)
    target = _target(inquiry, request.args.get("to", ""))
    stays = moving.why_not_elsewhere(inquiry, actor())
    if stays and target is not None and request.method == "GET" and target[0].id != inquiry.department_id:
        not_possible(inquiry, stays)
    if target is None:
        if request.method == "GET" and not moving.can_begin(inquiry):
            not_possible(
                inquiry, _("An inquiry is moved before it is decided on, and while it waits for nobody else.")
            )
        here = departments.all_departments()
        places = [
            (to, track, f"{to.slug}.{track.value}")
            for to in here
            for track in Track
            if (to.id, track) != (inquiry.department_id, inquiry.track)
            and (not stays or to.id == inquiry.department_id)
        ]
        return render_template(
            "staff/move_where.html",
            inquiry=inquiry,
            places=places,
            stays=stays if len(here) > 1 else None,
            tracks=TRACKS,
            language=hooks.language(),
            **beside(inquiry),
        )
    return _begin(inquiry, *target)


def _begin(inquiry: Inquiry, to: Department, track: Track) -> ResponseReturnValue:
    elsewhere = to.id != inquiry.department_id
    lang = hooks.language()
    plan = moving.plan(inquiry, to, track)
    form = MoveForm(
        version=inquiry.version,
        area=moving.area_there(to, inquiry),
        consent=ASK,
        with_file=True,
        answer_by=clocks.suggested_answer_date(inquiry, clock.now()),
        letter=notices.draft_consent(
            inquiry,
            office={"en": to.name("en"), "zh": to.name("zh")} if elsewhere else "",
            to_track=track.value,
            with_file=elsewhere and bool(plan.files),
        ),
    )
    form.area.choices = [SelectChoice(area.code, area.name.get(lang)) for area in to.settings.areas]
    if not elsewhere or not plan.files:
        del form.with_file

    def begin() -> None:
        given: dict[str, Any] = {
            "to": to,
            "track": track,
            "area": form.area.data or "",
            "with_file": "with_file" in form and bool(form.with_file.data),
            "by": actor(),
            "version": form.version.data,
        }
        if form.consent.data == GIVEN:
            moving.record_consent(
                inquiry, on=form.consent_on.data or date.min, how=form.how.data or "", **given
            )
        else:
            moving.ask_consent(
                inquiry, letter=form.letter.data or "", answer_by=form.answer_by.data or date.min, **given
            )

    status = 200
    if request.method == "POST":
        status = perform(form, inquiry, begin)
        if status == DONE and form.consent.data == GIVEN:
            flash(_("The consent is recorded. Now it can be moved."), "success")
            return redirect(url_for("staff.move", reference=inquiry.reference), code=303)
        if status == DONE:
            flash(_("The partner is asked. It is moved when the partner has agreed."), "success")
            return redirect(url_for("staff.inquiry", reference=inquiry.reference), code=303)
    page = render_template(
        "staff/move.html",
        form=form,
        inquiry=inquiry,
        to=to,
        track=TRACKS[track],
        plan=plan,
        elsewhere=elsewhere,
        language=lang,
        **beside(inquiry, conflict=status == 409),
    )
    return page, status or 200


def _under_way(inquiry: Inquiry, transfer: Transfer) -> ResponseReturnValue:
    to = transfer.to_department
    if "call_off" in request.form:
        form = StepForm()
        if (
            perform(form, inquiry, lambda: moving.call_off(inquiry, by=actor(), version=form.version.data))
            == DONE
        ):
            flash(_("It is not moved."), "success")
        return redirect(url_for("staff.inquiry", reference=inquiry.reference), code=303)
    name = to.name(hooks.language())
    where = (
        _("%(department)s, %(track)s", department=name, track=TRACKS[transfer.to_track])
        if to.id != inquiry.department_id
        else str(TRACKS[transfer.to_track])
    )
    if transfer.state is TransferState.AGREED:
        form = StepForm(version=inquiry.version)
        went: list[Inquiry] = []
        return act(
            form,
            inquiry,
            lambda: went.append(moving.carry_out(inquiry, by=actor(), version=form.version.data)),
            title=_("Move to %(where)s", where=where),
            lede=_("The partner agreed. The partner is told at once; this cannot be taken back."),
            button=_("Move it now"),
            done=_("Moved to %(where)s.", where=where),
            back_to=url_for("staff.inquiry", reference=inquiry.reference),
            call_off=True,
        )
    record = RecordForm(
        version=inquiry.version,
        consent_on=clock.today(inquiry.department.timezone),
        with_file=transfer.with_file,
    )
    if not transfer.with_file:
        del record.with_file
    return act(
        record,
        inquiry,
        lambda: moving.consent_came(
            inquiry,
            on=record.consent_on.data or date.min,
            how=record.how.data or "",
            with_file="with_file" in record and bool(record.with_file.data),
            by=actor(),
            version=record.version.data,
        ),
        title=_("Move to %(where)s", where=where),
        lede=_(
            "The partner was asked on %(day)s and has not pressed the button yet. If the partner agreed in another "
            "way, record it here.",
            day=format_day(transfer.asked_at, hooks.language(), timezone=inquiry.department.timezone),
        ),
        button=_("Record the consent"),
        done=_("The consent is recorded. Now it can be moved."),
        back_to=url_for("staff.move", reference=inquiry.reference),
        call_off=True,
    )


def _target(inquiry: Inquiry, given: str) -> tuple[Department, Track] | None:
    slug, _dot, track = given.rpartition(".")
    known = {to.slug: to for to in departments.all_departments()}
    if slug not in known or track not in set(Track):
        return None
    to = known[slug]
    return (to, Track(track)) if (to.id, track) != (inquiry.department_id, inquiry.track.value) else None
