"""To another track, or to another department of this installation: with the partner's consent, and no more than needed.

First the consent: the partner is asked by a letter and agrees on the own page, or a coordinator records when and how it
was given. Then a coordinator moves the inquiry. On another track it stays where it is, and its answers keep their old
wording. In another department it becomes a new inquiry under a number of that department, made of what both forms ask;
the old one closes as referred. Each side sees of the other no more than where it stands.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import departments, files
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, check
from collab.core import clock, tokens
from collab.core.db import db
from collab.core.errors import Conflict, Invalid
from collab.departments import AreaKind, Department
from collab.departments.tracks import Track
from collab.files import StoredFile
from collab.inquiries import (
    blind,
    clocks,
    gates,
    interests,
    likeness,
    notices,
    questions,
    rules,
    signals,
    submission,
    triage,
)
from collab.inquiries.conversation import applicant
from collab.inquiries.history import Kind, answered_by_a_person, count, move, seen, take, tell
from collab.inquiries.models import STANDING_TRANSFER, AssignmentKind, Inquiry, Transfer, TransferState
from collab.inquiries.queries import visible
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import Status, Step, find

_SHARED_CORE = ("full_name", "email", "institution_name", "country")


@dataclass(frozen=True)
class Plan:
    """What a move takes along, in the reader's words.

    :param along: labels of what goes along.
    :param stays: labels of what does not.
    """

    along: list[str]
    stays: list[str]
    files: list[StoredFile]


def plan(inquiry: Inquiry, to: Department, track: Track) -> Plan:
    """What goes along and what stays, before anybody is asked."""
    own = [name for part in questions.PARTS[inquiry.track] for name in part]
    given = [name for name in own if name in inquiry.answers and name not in questions.DECLARATIONS]
    attached = files.of("inquiry", inquiry.id)
    if to.id == inquiry.department_id:
        return Plan([_label(name) for name in (*_SHARED_CORE, *given)], [], attached)
    # The title and the main text go along into whatever field the other form has for them.
    taken = {*_taken(inquiry, to, track), *_SHARED_CORE, "title", submission.MAIN_TEXT[inquiry.track]}
    return Plan(
        [_label(name) for name in (*_SHARED_CORE, *given) if name in taken],
        [_label(name) for name in given if name not in taken],
        attached,
    )


def area_there(to: Department, inquiry: Inquiry) -> str:
    """The area an inquiry has there: the same code where there is one, else the open one."""
    settings = to.settings
    if settings.area(inquiry.area) is not None:
        return inquiry.area
    codes = [area.code for area in settings.areas if area.kind is AreaKind.OPEN]
    return codes[-1] if codes else settings.areas[0].code


def ask_consent(
    inquiry: Inquiry,
    *,
    to: Department,
    track: Track,
    area: str,
    with_file: bool,
    letter: str,
    answer_by: date,
    by: Actor,
    version: int | None = None,
) -> Transfer:
    """Ask the partner to agree, by a letter with a link to the own page; our clock stands still until the answer."""
    take(inquiry, version=version, by=by)
    transfer = _begin(inquiry, to, track, area, with_file, by)
    transfer.state = TransferState.ASKED
    triage.ask(inquiry, letter, answer_by=answer_by, by=by)
    db.session.add(transfer)
    tell(inquiry, Kind.CONSENT_ASKED, by=by, data=_where(transfer))
    db.session.flush()
    return transfer


def record_consent(
    inquiry: Inquiry,
    *,
    to: Department,
    track: Track,
    area: str,
    with_file: bool,
    on: date,
    how: str,
    by: Actor,
    version: int | None = None,
) -> Transfer:
    """A coordinator records that the partner agreed: on which day, and how that is known."""
    take(inquiry, version=version, by=by)
    transfer = _begin(inquiry, to, track, area, with_file, by)
    _record(inquiry, transfer, on, how, by)
    db.session.add(transfer)
    db.session.flush()
    return transfer


def consent_came(
    inquiry: Inquiry, *, on: date, how: str, with_file: bool, by: Actor, version: int | None = None
) -> None:
    """The partner was asked and agreed in another way than by the button; a coordinator records it."""
    take(inquiry, version=version, by=by)
    check(by, Permission.TRIAGE, inquiry.department_id)
    transfer = standing_of(inquiry)
    if transfer is None or transfer.state is not TransferState.ASKED:
        raise Conflict(_("The partner is not asked for anything."))
    transfer.with_file = transfer.with_file and with_file
    _record(inquiry, transfer, on, how, by)
    if inquiry.status is Status.NEEDS_INFO:  # the question is answered, though not here
        move(inquiry, Step.ANSWER, inquiry.asked_from or Status.RECEIVED, by=applicant(inquiry, by))
        notices.continued(inquiry)


def agree(inquiry: Inquiry, *, with_file: bool, by: Actor) -> None:
    """The partner agrees on the own page. Agreeing twice is agreeing once.

    :param with_file: whether the file may go along, too.
    """
    by = applicant(inquiry, by)
    now = take(inquiry)
    transfer = standing_of(inquiry)
    if transfer is None:
        raise Conflict(_("Nothing is asked of you any more."))
    if transfer.state is TransferState.AGREED:
        return
    transfer.state = TransferState.AGREED
    transfer.with_file = transfer.with_file and with_file
    transfer.on_page, transfer.answered_at = True, now
    transfer.consent_on = clock.local_day(now, inquiry.department.timezone)
    tell(
        inquiry,
        Kind.CONSENT_GIVEN,
        by=by,
        data=_where(transfer) | {"on": transfer.consent_on.isoformat()},
    )
    _answered(inquiry, by)


def refuse(inquiry: Inquiry, *, by: Actor) -> None:
    """The partner does not agree: the inquiry stays where it is."""
    by = applicant(inquiry, by)
    now = take(inquiry)
    transfer = standing_of(inquiry)
    if transfer is None or transfer.state is not TransferState.ASKED:
        raise Conflict(_("Nothing is asked of you any more."))
    transfer.state, transfer.answered_at = TransferState.REFUSED, now
    tell(inquiry, Kind.CONSENT_REFUSED, by=by, data=_where(transfer))
    _answered(inquiry, by)


def call_off(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> None:
    """It is not moved after all. A question that waits for the partner goes on waiting."""
    take(inquiry, version=version, by=by)
    check(by, Permission.TRIAGE, inquiry.department_id)
    transfer = standing_of(inquiry)
    if transfer is None:
        raise Conflict(_("Nothing is being moved."))
    transfer.state = TransferState.CALLED_OFF
    tell(inquiry, Kind.MOVE_CALLED_OFF, by=by, data=_where(transfer))
    seen(inquiry, by)


def carry_out(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> Inquiry:
    """Move it, now that the partner agreed.

    :returns: the inquiry where it is now: the same on another track, a new one in another department.
    """
    take(inquiry, version=version, by=by)
    check(by, Permission.TRIAGE, inquiry.department_id)
    transfer = standing_of(inquiry)
    if transfer is None or transfer.state is not TransferState.AGREED:
        raise Conflict(_("The partner has not agreed to a move."))
    to = transfer.to_department
    if to.id == inquiry.department_id:
        moved = _to_track(inquiry, transfer, by)
    else:
        moved = _to_department(inquiry, transfer, to, by)
        transfer.new_inquiry_id = moved.id
    transfer.state, transfer.done_at = TransferState.DONE, clock.now()
    seen(inquiry, by)
    return moved


def can_begin(inquiry: Inquiry) -> bool:
    """Whether the inquiry stands where it can be moved from."""
    return inquiry.status in {Status.RECEIVED, Status.IN_REVIEW}


def why_not_elsewhere(inquiry: Inquiry, by: Actor) -> str | None:
    """Why an inquiry cannot go to another department from where it stands; ``None`` when it can.

    Here it closes as referred then. Asked before the partner is: nobody agrees to what is refused afterwards.
    """
    closing = find(Step.REFER, inquiry.status, Status.REFERRED)
    return rules.why_not(inquiry, closing, by, now=clock.now()) if closing is not None else None


def standing_of(inquiry: Inquiry) -> Transfer | None:
    """The move that is under way, if one is."""
    return db.session.scalar(sa.select(Transfer).where(Transfer.inquiry_id == inquiry.id, STANDING_TRANSFER))


@dataclass(frozen=True)
class Elsewhere:
    """The other side of a move between departments, as far as this person may know of it.

    :param reference: only for whoever may see that inquiry, too.
    """

    department: Department
    status: Status
    number: str
    reference: str | None
    came_from: bool


def elsewhere(inquiry: Inquiry, *, seen_by: Actor) -> list[Elsewhere]:
    """Where an inquiry went, or where it came from: department, number and status, and nothing else."""
    rows = db.session.execute(
        sa.select(
            Inquiry.department_id,
            Inquiry.reference,
            Inquiry.status,
            visible(seen_by).label("seen"),
            (Transfer.new_inquiry_id == inquiry.id).label("came_from"),
        )
        .join(
            Transfer,
            sa.or_(
                sa.and_(Transfer.inquiry_id == inquiry.id, Transfer.new_inquiry_id == Inquiry.id),
                sa.and_(Transfer.new_inquiry_id == inquiry.id, Transfer.inquiry_id == Inquiry.id),
            ),
        )
        .where(~blind.read_by(seen_by))  # that it came from there would say whose it is
        .order_by(Transfer.id)
    )
    return [
        Elsewhere(
            departments.by_id(row.department_id),
            row.status,
            row.reference,
            row.reference if row.seen else None,
            bool(row.came_from),
        )
        for row in rows
    ]


# -- how -------------------------------------------------------------------------------------------------------------


def _begin(inquiry: Inquiry, to: Department, track: Track, area: str, with_file: bool, by: Actor) -> Transfer:
    check(by, Permission.TRIAGE, inquiry.department_id)
    if to.id == inquiry.department_id and track is inquiry.track:
        raise Invalid("track", _("It is there already: choose another track or another department."))
    if to.settings.area(area) is None:
        raise Invalid("area", _("Choose one of the areas offered."))
    if not can_begin(inquiry):
        raise Conflict(_("An inquiry is moved before it is decided on, and while it waits for nobody else."))
    if standing_of(inquiry) is not None:
        raise Conflict(
            _("%(reference)s is about to be moved. Call that off first.", reference=inquiry.reference)
        )
    elsewhere = to.id != inquiry.department_id
    refusal = why_not_elsewhere(inquiry, by) if elsewhere else None
    if refusal:
        raise Conflict(refusal)
    return Transfer(
        inquiry_id=inquiry.id,
        to_department=to,
        from_track=inquiry.track,
        to_track=track,
        to_area=area,
        with_file=with_file and elsewhere and bool(files.of("inquiry", inquiry.id)),
        asked_at=clock.now(),
        asked_by_id=by.user_id,
        asked_by_name=by.name,
    )


def _record(inquiry: Inquiry, transfer: Transfer, on: date, how: str, by: Actor) -> None:
    now, zone = clock.now(), inquiry.department.timezone
    if not clock.local_day(inquiry.submitted_at, zone) <= on <= clock.local_day(now, zone):
        raise Invalid("consent_on", _("Choose a day between the inquiry and today."))
    if not how:
        raise Invalid("how", _("Say how the partner agreed."))
    transfer.state = TransferState.AGREED
    transfer.on_page, transfer.consent_on, transfer.consent_note = False, on, how
    transfer.answered_at = now
    tell(inquiry, Kind.CONSENT_GIVEN, by=by, note=how, data=_where(transfer) | {"on": on.isoformat()})
    seen(inquiry, by)


def _answered(inquiry: Inquiry, by: Actor) -> None:
    """The partner said yes or no: if that was asked, the clock goes on."""
    if inquiry.status is Status.NEEDS_INFO:
        move(inquiry, Step.ANSWER, inquiry.asked_from or Status.RECEIVED, by=by)
        notices.continued(inquiry)
    inquiry.unread = True
    notices.partner_wrote(inquiry)


def _to_track(inquiry: Inquiry, transfer: Transfer, by: Actor) -> Inquiry:
    if not can_begin(inquiry):
        raise Conflict(_("An inquiry is moved before it is decided on, and while it waits for nobody else."))
    if any(one.kind is AssignmentKind.REVIEWER for one in rules.active_assignments(inquiry)):
        raise Conflict(_("Reviewers have it, and each track is judged in another way. Take them off first."))
    now = clock.now()
    levels = inquiry.department.settings.service_levels
    if (
        inquiry.decision_due is not None
    ):  # what was promised for one track is promised for the other from then on
        longer = levels.total_days.of(transfer.to_track) - levels.total_days.of(inquiry.track)
        inquiry.decision_due += timedelta(days=longer)
    old, inquiry.track, inquiry.area = inquiry.track, transfer.to_track, transfer.to_area
    tell(inquiry, Kind.MOVED_TRACK, by=by, data={"from_track": old.value, "to_track": inquiry.track.value})
    if inquiry.status is Status.IN_REVIEW:
        gates.open_for_review(inquiry, by=by)
    clocks.set_due(inquiry, now)
    submission.index(inquiry)
    notices.moved_track(inquiry)
    return inquiry


def _to_department(inquiry: Inquiry, transfer: Transfer, to: Department, by: Actor) -> Inquiry:
    now = clock.now()
    taken = _taken(inquiry, to, transfer.to_track)
    moved = Inquiry(
        department=to,
        reference=submission.next_reference(to),
        track=transfer.to_track,
        status=Status.RECEIVED,
        locale=inquiry.locale,
        submission_key=tokens.digest("submission", f"transfer-{transfer.id}"),
        full_name=inquiry.full_name,
        email=inquiry.email,
        email_key=inquiry.email_key,
        institution_name=inquiry.institution_name,
        institution_ror=inquiry.institution_ror,
        country=inquiry.country,
        area=transfer.to_area,
        title=inquiry.title,
        answers={name: value for name, value in taken.items() if name not in _SHARED_CORE},
        privacy_version=inquiry.privacy_version,
        privacy_acknowledged_at=inquiry.privacy_acknowledged_at,
        submitted_at=now,
        confirmed_at=now,
        status_since=now,
        is_demo=inquiry.is_demo,
    )
    moved.signals = signals.find(to.settings, moved.answers)
    db.session.add(moved)
    db.session.flush()
    if transfer.with_file:
        for file in files.of("inquiry", inquiry.id):
            files.copy(file, department_id=to.id, owner=("inquiry", moved.id))
            moved.file_count += 1
    count(to.id, {Status.RECEIVED: +1})
    clocks.start(moved, now)
    interests.join(inquiry, moved, now, by=by)
    submission.index(moved)
    likeness.remember(moved)
    tell(
        moved,
        Kind.CAME_FROM,
        by=Actor(kind="system"),
        to_status=Status.RECEIVED,
        data={"department": inquiry.department.slug, "number": inquiry.reference},
    )
    office = to.name(inquiry.locale)
    move(
        inquiry,
        Step.REFER,
        Status.REFERRED,
        by=by,
        reason=Reason.OTHER_DEPARTMENT,
        data={"department": to.slug, "number": moved.reference},
    )
    inquiry.outcome = {"office": office, "contact": moved.reference}
    answered_by_a_person(inquiry, now)
    notices.moved_department(inquiry, moved)
    notices.new_in_queue(moved)
    return moved


def _taken(inquiry: Inquiry, to: Department, track: Track) -> dict[str, Any]:
    """The answers another department gets: what its form asks as well. The main text is the same in every form."""
    wanted = {name for part in questions.PARTS[track] for name in part}
    given = dict(inquiry.answers)
    if track is not inquiry.track:
        main = given.pop(submission.MAIN_TEXT[inquiry.track], None)
        given |= {submission.MAIN_TEXT[track]: main} if main else {}
    found = {}
    for name, value in given.items():
        offered = questions.choices(name, to.settings, "en")
        if name in wanted and (not offered or str(value) in offered):
            found[name] = value
    return found


def _label(name: str) -> str:
    return str(questions.LABELS[name])


def _where(transfer: Transfer) -> dict[str, Any]:
    return {"department": transfer.to_department.slug, "to_track": transfer.to_track.value}
