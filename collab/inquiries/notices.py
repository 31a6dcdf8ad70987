"""The mails of an inquiry (domain.md B.5): each is written into the outbox in the transaction of what it tells.

Subjects are neutral: never a name, a topic or an outcome beyond the fixed words. A partner's mail is in the language
of the inquiry with the other one below. Until the e-mail is confirmed nothing that was typed is repeated in a mail.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import mail
from collab.accounts import Absence, Role, User, absences
from collab.accounts.actor import Actor
from collab.core import clock, site
from collab.core.db import db
from collab.core.errors import Conflict
from collab.inquiries import clocks, links, staff_mail
from collab.inquiries.deadlines import DueDate, Who
from collab.inquiries.models import (
    Assignment,
    AssignmentKind,
    Draft,
    Gate,
    Inquiry,
    InquiryCount,
    LinkKind,
    Note,
)
from collab.inquiries.models import Conflict as ConflictOfInterest
from collab.inquiries.staff_mail import Notice, holders
from collab.inquiries.statuses import Status, Step
from collab.mail import OutboxMail
from collab.mail.rules import UnsafeHeader, safe_header

#: The mail that tells of each held step: its id in domain.md B.5 and its template.
LETTERS: dict[Step, tuple[str, str]] = {
    Step.ACCEPT: ("M5", "accepted"),
    Step.FULFIL: ("M5", "accepted"),
    Step.CONDITIONS: ("M6", "conditional"),
    Step.WAITLIST: ("M7", "waitlisted"),
    Step.REFER: ("M8", "referred"),
    Step.DECLINE: ("M9", "declined"),
}


# -- to the partner ----------------------------------------------------------------------------------------------


def confirm_email(inquiry: Inquiry, token: str) -> None:
    """M1: the link that confirms."""
    _to_partner(inquiry, "M1", "confirm", secrets=[token], address=_addresses(f"confirm/{token}"))


def received(inquiry: Inquiry) -> None:
    """M2: confirmed; by when a person answers, and the private link."""
    _to_partner(inquiry, "M2", "received", private_link=True, answer_by=clocks.promised_answer(inquiry))


def continued(inquiry: Inquiry) -> None:
    """M2b: the answer arrived, or the inquiry is open again."""
    _to_partner(inquiry, "M2b", "continued", private_link=True)


def question(inquiry: Inquiry, text: str, answer_by: date) -> None:
    """M3: a question with a date."""
    _to_partner(inquiry, "M3", "question", private_link=True, question=text, answer_by=answer_by)


def question_reminder(inquiry: Inquiry, number: int, answer_by: date) -> None:
    """M3r1–r3: the question still waits."""
    _to_partner(inquiry, f"M3r{number}", "reminder", private_link=True, answer_by=answer_by)


def routed(inquiry: Inquiry) -> None:
    """M4: which group has it, and when a decision is expected."""
    area = inquiry.department.settings.area(inquiry.area)
    name = {"en": area.name.en, "zh": area.name.zh} if area else {"en": inquiry.area, "zh": inquiry.area}
    known = area is not None and area.kind != "open"
    _to_partner(
        inquiry,
        "M4",
        "routed",
        private_link=True,
        area=name,
        area_known=known,
        decision_by=inquiry.decision_due,
    )


def late(inquiry: Inquiry, new_date: date) -> None:
    """M4d: we are late, and until when now."""
    _to_partner(inquiry, "M4d", "late", private_link=True, new_date=new_date)


def merged(inquiry: Inquiry, into: Inquiry, *, other_address: bool = False) -> None:
    """M10: two messages were joined.

    :param other_address: they came from two addresses. The one gets its own link, which dies with the joining, and the
        other, to which we write from now on, is told of it: whoever is not that person can object.
    """
    if not other_address:
        _to_partner(inquiry, "M10", "merged", link_of=into, original=into.reference, other_address=False)
        return
    _to_partner(inquiry, "M10", "merged", private_link=True, original=into.reference, other_address=True)
    _to_partner(into, "M10", "merged_here", private_link=True, other=inquiry.reference)


def parted(inquiry: Inquiry) -> None:
    """M2b: two that were joined are taken apart again."""
    _to_partner(inquiry, "M2b", "parted", private_link=True, answer_by=clocks.promised_answer(inquiry))


def moved_track(inquiry: Inquiry) -> None:
    """M4: it goes on as another kind of inquiry; when a decision is expected."""
    _to_partner(inquiry, "M4", "moved_track", private_link=True, decision_by=inquiry.decision_due)


def moved_department(inquiry: Inquiry, moved: Inquiry) -> None:
    """M8: another department has it, under a number of its own."""
    _to_partner(
        inquiry,
        "M8",
        "moved_department",
        link_of=moved,
        office=_both(moved.department),
        number=moved.reference,
        answer_by=clocks.promised_answer(moved),
    )


def draft_consent(inquiry: Inquiry, **facts: Any) -> str:
    """What asks for consent to a move, as staff get it for editing: it stands within the mail of a question, which has
    the greeting, the signature and the link, and quotes it in the partner's language alone.

    :param facts: ``office`` in both languages, empty on another track; ``to_track``; ``with_file``.
    """
    return mail.compose("consent", inquiry.locale, bilingual=False, **_context(inquiry), **facts).text.strip()


def lapsed(inquiry: Inquiry) -> None:
    """M11: closed without reply; a reply opens it again."""
    _to_partner(inquiry, "M11", "lapsed", private_link=True)


def place_free(inquiry: Inquiry, answer_by: date) -> None:
    """M12: a place is free."""
    _to_partner(inquiry, "M12", "place_free", private_link=True, answer_by=answer_by)


def still_interested(inquiry: Inquiry, answer_by: date) -> None:
    """M12 at the waiting list's refresh: does the wish still stand?"""
    _to_partner(inquiry, "M12", "waitlist_refresh", private_link=True, answer_by=answer_by)


def interest_reminder(inquiry: Inquiry, number: int, answer_by: date) -> None:
    """M12r1–r2: whether the wish still stands is not answered yet."""
    _to_partner(
        inquiry,
        f"M12r{number}",
        "interest_reminder",
        private_link=True,
        answer_by=answer_by,
        offered=inquiry.status is Status.DECISION_READY,
    )


def more_time(inquiry: Inquiry, answer_by: date) -> None:
    """M12: a coordinator gave the partner more time for the answer."""
    _to_partner(inquiry, "M12", "more_time", private_link=True, answer_by=answer_by)


def withdrawn(inquiry: Inquiry) -> None:
    """M13: withdrawn; can be taken back."""
    _to_partner(inquiry, "M13", "withdrawn", private_link=True)


def erased(inquiry: Inquiry) -> None:
    """M14: the data are deleted. Called before the address is erased; the mail keeps it until it is sent."""
    _to_partner(inquiry, "M14", "erased")


def new_link(inquiry: Inquiry) -> None:
    """The private link, as asked for."""
    _to_partner(inquiry, "link", "new_link", private_link=True)


def free_letter(inquiry: Inquiry, body: str) -> None:
    """A letter that changes no status."""
    _to_partner(inquiry, "letter", "free_letter", private_link=True, body=body)


def draft_letter(inquiry: Inquiry, step: Step, **facts: Any) -> str:
    """The letter of a held step as staff get it for editing, in the partner's language with the other below.

    :param facts: what the step needs: ``reason``; ``office``, ``contact``; ``period``; ``conditions`` (pairs of text
        and due date).
    """
    _topic, name = LETTERS[step]
    return mail.compose(name, inquiry.locale, **_context(inquiry), **{**_NO_FACTS, **facts}).text.strip()


def letter_subject(inquiry: Inquiry, step: Step, **facts: Any) -> str:
    """The subject under which the letter of a held step goes out; facts as for ``draft_letter``."""
    name = LETTERS[step][1]
    return mail.compose(name, inquiry.locale, **_context(inquiry), **{**_NO_FACTS, **facts}).subject


def letter(inquiry: Inquiry, step: Step, body: str, *, hold_until: datetime) -> OutboxMail:
    """M5–M9: the letter as staff released it, with the private link below, held for a while."""
    topic = LETTERS[step][0]
    subject = letter_subject(inquiry, step, **(inquiry.outcome or {}))
    return _to_partner(
        inquiry,
        topic,
        "letter",
        private_link=True,
        bilingual=False,
        hold_until=hold_until,
        subject=subject,
        body=body,
    )


def cancel_held(mail_id: int) -> None:
    """Take a held letter back.

    :raises Conflict: it left already.
    """
    held = db.session.get(OutboxMail, mail_id, with_for_update=True, populate_existing=True)
    if held is None or held.state is not mail.MailState.HELD:
        raise Conflict(_("The letter is on its way; the step cannot be taken back any more."))
    mail.cancel(held)


def draft_saved(draft: Draft, token: str) -> None:
    """The private link to an unfinished form."""
    composed = mail.compose(
        "draft",
        draft.locale,
        department=_both(draft.department),
        address=_addresses(f"draft/{token}"),
        until=draft.expires_at,
        timezone=draft.department.timezone,
    )
    mail.enqueue(
        "draft",
        to=draft.email,
        locale=draft.locale,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        reader="partner",
        department_id=draft.department_id,
        about=("draft", draft.id),
        secrets=[token],
    )


def forget_draft(draft: Draft) -> None:
    """The draft is gone: so are the mails with its link, and with them the address."""
    db.session.execute(
        sa.delete(OutboxMail).where(OutboxMail.about_kind == "draft", OutboxMail.about_id == draft.id)
    )


def forget(inquiry: Inquiry) -> None:
    """The inquiry is deleted: its mails too, whether they left or not."""
    db.session.execute(
        sa.delete(OutboxMail).where(OutboxMail.about_kind == "inquiry", OutboxMail.about_id == inquiry.id)
    )


# -- to staff ----------------------------------------------------------------------------------------------------


def assigned(inquiry: Inquiry, person: User, kind: AssignmentKind, due_on: date, note: str) -> None:
    """S1: you are asked for an answer."""
    waiting = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Assignment)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            Assignment.user_id == person.id,
            Assignment.released_at.is_(None),
            Assignment.answered_at.is_(None),
            Inquiry.status.in_((Status.IN_REVIEW, Status.NEEDS_INFO)),
        )
    )
    _to_staff(
        inquiry,
        [person],
        "S1",
        "staff_assigned",
        asked_as=Role(kind.value),
        count=waiting or 1,
        kind=str(kind),
        due_on=due_on,
        note=note,
    )


def assignment_due(inquiry: Inquiry, assignment: Assignment) -> None:
    """S2: your answer is due soon, or overdue."""
    overdue = assignment.due_on < clock.today(inquiry.department.timezone)
    _to_staff(
        inquiry,
        [assignment.user],
        "S2",
        "staff_due",
        asked_as=Role(assignment.kind.value),
        count=1,
        due_on=assignment.due_on,
        overdue=overdue,
    )


def new_in_queue(inquiry: Inquiry) -> None:
    """New inquiries wait in the queue: each coordinator is told once a day."""
    day = clock.today(inquiry.department.timezone)
    people = holders(inquiry.department_id, Role.COORDINATOR)
    _to_staff(
        inquiry,
        people,
        "S1",
        "staff_new",
        asked_as=Role.COORDINATOR,
        count=_counts(inquiry.department_id, Status.RECEIVED, people),
        dedupe_key=f"new:{inquiry.department_id}:{{}}:{day}",
    )


def host_answered(inquiry: Inquiry, assignment: Assignment) -> None:
    """The host has answered: the coordinator goes on."""
    _to_staff(
        inquiry,
        _coordinators(inquiry),
        "S1",
        "staff_host_answered",
        asked_as=Role.COORDINATOR,
        count=1,
        host=assignment.user.name,
    )


def third_reader(inquiry: Inquiry) -> None:
    """The reviews are far apart: the coordinator asks a third person."""
    _to_staff(inquiry, _coordinators(inquiry), "S1", "staff_third_reader", asked_as=Role.COORDINATOR, count=1)


def partner_wrote(inquiry: Inquiry) -> None:
    """The partner wrote."""
    _to_staff(
        inquiry, _coordinators(inquiry), "S1", "staff_partner_wrote", asked_as=Role.COORDINATOR, count=1
    )


def decision_waits(inquiry: Inquiry) -> None:
    """S4: a decision waits for the head."""
    people = holders(inquiry.department_id, Role.HEAD)
    counts = _counts(inquiry.department_id, Status.DECISION_READY, people)
    _to_staff(inquiry, people, "S4", "staff_decision", asked_as=Role.HEAD, count=counts)


def released(inquiry: Inquiry, person: User) -> None:
    """S1: you need not answer any more."""
    _to_staff(inquiry, [person], "S1", "staff_released", asked_as=None, count=1)


def due_soon(inquiry: Inquiry, due: DueDate) -> None:
    """S2: a step of those who hold a role is due soon; S4 when it is the head's."""
    topic = "S4" if due.who is Who.HEAD else "S2"
    _to_staff(
        inquiry,
        _people(inquiry, due),
        topic,
        "staff_due_soon",
        asked_as=_role(due),
        count=1,
        what=due.what,
        due_at=due.due,
    )


def overdue(inquiry: Inquiry, due: DueDate) -> None:
    """S3: it is late: the head is told, and who owes it."""
    heads, owners = holders(inquiry.department_id, Role.HEAD), _people(inquiry, due)
    roles = {head.id: Role.HEAD for head in heads} | {owner.id: _role(due) for owner in owners}
    people = {person.id: person for person in [*owners, *heads]}
    _to_staff(
        inquiry,
        list(people.values()),
        "S3",
        "staff_overdue",
        asked_as=roles,
        count=1,
        what=due.what,
        due_at=due.due,
    )


def replacement_needed(inquiry: Inquiry, assignment: Assignment) -> None:
    """S3: a host or reviewer did not answer; the coordinators are asked to find another."""
    _to_staff(
        inquiry,
        _coordinators(inquiry),
        "S3",
        "staff_replacement",
        asked_as=Role.COORDINATOR,
        count=1,
        kind=assignment.kind,
        person=assignment.user.name,
        due_on=assignment.due_on,
        away_until=absences.roster(inquiry.department).until(assignment.user_id),
    )


def nobody_stands_in(inquiry: Inquiry, assignment: Assignment, absence: Absence) -> None:
    """S3: who is asked is away when the answer is due, and nobody can answer instead: the coordinators are told."""
    _to_staff(
        inquiry,
        _coordinators(inquiry),
        "S3",
        "staff_away",
        asked_as=Role.COORDINATOR,
        count=1,
        kind=assignment.kind,
        person=assignment.user.name,
        due_on=assignment.due_on,
        first_day=absence.first_day,
        last_day=absence.last_day,
    )


def conflict_declared(inquiry: Inquiry, by: Actor) -> None:
    """Somebody may not work on it any more: the coordinators find another."""
    people = [person for person in _coordinators(inquiry) if person.id != by.user_id]
    _to_staff(inquiry, people, "S1", "staff_conflict", asked_as=Role.COORDINATOR, count=1, person=by.name)


def gates_opened(inquiry: Inquiry, role: Role, person_id: int | None, gates: Sequence[Gate]) -> None:
    """S1: gates wait for those who answer them; the mail names the inquiry by its reference, and opens no dossier."""
    _about_gates(inquiry, "S1", "staff_gates", role, person_id, gates)


def gates_due(inquiry: Inquiry, role: Role, person_id: int | None, gates: Sequence[Gate]) -> None:
    """S2: gates that wait for an answer are due, or overdue."""
    _about_gates(inquiry, "S2", "staff_gates_due", role, person_id, gates)


def _about_gates(
    inquiry: Inquiry, topic: str, name: str, role: Role, person_id: int | None, gates: Sequence[Gate]
) -> None:
    kinds = [inquiry.department.settings.gate(gate.kind) for gate in gates]
    _to_staff(
        inquiry,
        _owners(inquiry, role, person_id),
        topic,
        name,
        asked_as=role,
        count=len(gates),
        path="/staff/gates",
        names=[{"en": kind.name.en, "zh": kind.name.zh} for kind in kinds if kind is not None],
        due_on=min((gate.due_on for gate in gates if gate.due_on is not None), default=None),
    )


def _owners(inquiry: Inquiry, role: Role, person_id: int | None) -> list[User]:
    """Who answers a gate: the person named for it, the holders of its role, or the coordinators where nobody does."""
    person = db.session.get(User, person_id) if person_id is not None else None
    if person is not None and person.disabled_at is None:
        return [person]
    if role is Role.COORDINATOR:
        return _coordinators(inquiry)
    return holders(inquiry.department_id, role) or _coordinators(inquiry)


def gate_blocked(inquiry: Inquiry, gate: str, by: Actor) -> None:
    """A gate is blocked: the coordinators go on from there."""
    kind = inquiry.department.settings.gate(gate)
    people = [person for person in _coordinators(inquiry) if person.id != by.user_id]
    name = {"en": kind.name.en, "zh": kind.name.zh} if kind else {"en": gate, "zh": gate}
    _to_staff(inquiry, people, "S1", "staff_gate_blocked", asked_as=Role.COORDINATOR, count=1, gate=name)


def mentioned(inquiry: Inquiry, note: Note, people: list[User]) -> None:
    """S-mention: somebody names you in a note; who and where, and not what."""
    path = f"/staff/inquiries/{inquiry.reference}#note-{note.id}"
    _to_staff(
        inquiry, people, "S-mention", "staff_mention", asked_as=None, count=1, path=path, who=note.author_name
    )


def erasure_requested(inquiry: Inquiry) -> None:
    """The partner asks for erasure."""
    _to_staff(inquiry, _coordinators(inquiry), "S1", "staff_erasure", asked_as=Role.COORDINATOR, count=1)


# -- how they are made -------------------------------------------------------------------------------------------

_NO_FACTS: dict[str, Any] = {"reason": None, "office": "", "contact": "", "period": "", "conditions": []}


def _to_partner(
    inquiry: Inquiry,
    topic: str,
    name: str,
    *,
    private_link: bool = False,
    link_of: Inquiry | None = None,
    bilingual: bool = True,
    hold_until: datetime | None = None,
    secrets: list[str] | None = None,
    subject: str | None = None,
    **context: Any,
) -> OutboxMail:
    secrets = list(secrets or [])
    if private_link or link_of:
        token = links.issue(link_of or inquiry, LinkKind.PRIVATE)
        secrets.append(token)
        context["address"] = _addresses(f"i/{token}")
    composed = mail.compose(name, inquiry.locale, bilingual=bilingual, **_context(inquiry), **context)
    first = None if inquiry.confirmed_at is None else _first_message_id(inquiry)
    named = inquiry.confirmed_at is not None and topic not in {"M1", "M2", "M14"}
    return mail.enqueue(
        topic,
        to=(inquiry.full_name, inquiry.email)
        if named and _can_be_written(inquiry.full_name)
        else inquiry.email,
        locale=inquiry.locale,
        subject=subject or composed.subject,
        text=composed.text,
        html=composed.html,
        reader="partner",
        department_id=inquiry.department_id,
        about=("inquiry", inquiry.id),
        hold_until=hold_until,
        in_reply_to=first,
        references=[first] if first else [],
        secrets=secrets,
    )


def _first_message_id(inquiry: Inquiry) -> str | None:
    """The Message-ID of the first mail to the partner: all later ones answer it and stand in one thread."""
    return db.session.scalar(
        sa.select(OutboxMail.message_id)
        .where(
            OutboxMail.about_kind == "inquiry",
            OutboxMail.about_id == inquiry.id,
            OutboxMail.to_address == inquiry.email,
        )
        .order_by(OutboxMail.id)
        .limit(1)
    )


def _to_staff(
    inquiry: Inquiry,
    people: Sequence[User],
    topic: str,
    name: str,
    *,
    asked_as: Role | Mapping[int, Role] | None,
    count: int | Mapping[int, int],
    dedupe_key: str | None = None,
    path: str = "",
    **context: Any,
) -> None:
    """Tell members of staff, each as wanted; who stands in for somebody away is told as well.

    :param asked_as: the role in which they (or each of them) have to act; ``None`` where it only informs.
    :param count: how many things wait for them, or for each of them.
    :param dedupe_key: with ``{}`` in the place of the reader.
    """
    role_of = (
        asked_as if isinstance(asked_as, Mapping) else dict.fromkeys((one.id for one in people), asked_as)
    )
    staff_mail.tell(
        inquiry,
        Notice(topic, name, count=count, dedupe_key=dedupe_key, path=path, context=context),
        [(person, role_of.get(person.id)) for person in people],
        _context(inquiry),
    )


def _can_be_written(name: str) -> bool:
    """Whether a name can stand beside the address; a name that cannot must not keep anybody's answer back."""
    try:
        safe_header(name)
    except UnsafeHeader:
        return False
    return True


def _context(inquiry: Inquiry) -> dict[str, Any]:
    return {
        "reference": inquiry.reference,
        "written_in": inquiry.locale,
        "track": inquiry.track.value,
        "full_name": inquiry.full_name,
        "department": _both(inquiry.department),
        "timezone": inquiry.department.timezone,
        "levels": inquiry.department.settings.service_levels,
    }


def _addresses(path: str) -> dict[str, str]:
    """The address of a page in each language: each half of a mail opens it in its own."""
    return {lang: site.address(f"/{lang}/{path}") for lang in mail.LANGUAGES}


def _both(department: Any) -> dict[str, str]:
    return {"en": department.name("en"), "zh": department.name("zh")}


def _role(due: DueDate) -> Role:
    """The role that owes a step which is asked of a role."""
    return Role.HEAD if due.who is Who.HEAD else Role.COORDINATOR


def _people(inquiry: Inquiry, due: DueDate) -> list[User]:
    """Who owes a step that is asked of a role."""
    if due.who is Who.HEAD:
        return holders(inquiry.department_id, Role.HEAD)
    return _coordinators(inquiry)


def _coordinators(inquiry: Inquiry) -> list[User]:
    if inquiry.coordinator_id is not None:
        person = db.session.get(User, inquiry.coordinator_id)
        if person is not None and person.disabled_at is None:
            return [person]
    return holders(inquiry.department_id, Role.COORDINATOR)


def _counts(department_id: int, status: Status, people: Sequence[User]) -> dict[int, int]:
    """How many wait at a status for each of some people: what is closed to one by a conflict does not count."""
    row = db.session.get(InquiryCount, (department_id, status), populate_existing=True)
    closed = db.session.execute(
        sa.select(ConflictOfInterest.user_id, sa.func.count())
        .join(Inquiry, Inquiry.id == ConflictOfInterest.inquiry_id)
        .where(
            Inquiry.department_id == department_id,
            Inquiry.status == status,
            ConflictOfInterest.user_id.in_([person.id for person in people]),
        )
        .group_by(ConflictOfInterest.user_id)
    )
    hidden = {user_id: number for user_id, number in closed}  # noqa: C416
    return {person.id: max((row.count if row else 0) - hidden.get(person.id, 0), 1) for person in people}
