"""The steps that need no letter of their own: each a page with its form, and one verb."""

from collections.abc import Mapping
from datetime import date

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind

from collab import accounts, privacy, reviews
from collab.accounts import Role, User
from collab.accounts.permissions import Permission
from collab.core import clock
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.desk.models import WordingStep
from collab.inquiries import (
    AssignmentKind,
    HostAnswer,
    Inquiry,
    Reason,
    Status,
    Step,
    by_reference,
    clocks,
    conversation,
    interests,
    mentions,
    queries,
    rules,
    submission,
    suggestions,
    triage,
)
from collab.inquiries.reasons import VOIDING
from collab.reviews import ConditionState
from collab.web.access import actor, requires
from collab.web.forms import DONE
from collab.web.staff import bp, worded
from collab.web.staff.acting import (
    act,
    beside,
    inquiry_for,
    not_possible,
    opened,
    perform,
    possible_or_refuse,
    press,
)
from collab.web.staff.forms import (
    AskForm,
    BecauseForm,
    HostForm,
    LetterForm,
    NoteForm,
    OwnForm,
    ReadyForm,
    ReplaceForm,
    RouteForm,
    SetAsideForm,
    SettleForm,
    StepForm,
    choices,
)
from collab.web.staff.who_is_here import marked, roster_of

_BOTH = ["GET", "POST"]


# -- coordinators ----------------------------------------------------------------------------------------------------


@bp.route("/inquiries/<reference>/ask", methods=_BOTH)
@requires(Permission.SEE_INQUIRIES)
def ask(reference: str) -> ResponseReturnValue:
    """A question to the partner."""
    inquiry = opened(reference)
    possible_or_refuse(inquiry, Step.ASK)
    form = AskForm(version=inquiry.version, answer_by=clocks.suggested_answer_date(inquiry, clock.now()))
    begun = worded.begin(form, inquiry, WordingStep.ASK, form.question)

    def send() -> None:
        worded.check_day(form, inquiry)
        triage.ask(
            inquiry,
            form.question.data or "",
            answer_by=form.answer_by.data or date.min,
            by=actor(),
            version=form.version.data,
        )

    return act(
        form,
        inquiry,
        send,
        **begun,
        title=_("Ask the partner"),
        lede=_("The question goes out by mail at once, with a link to the partner's own page."),
        button=_("Send the question"),
        done=_("The question is on its way. The clock stands still until the partner answers."),
    )


@bp.route("/inquiries/<reference>/route", methods=_BOTH)
@requires(Permission.TRIAGE)
def route(reference: str) -> ResponseReturnValue:
    """Give the inquiry to a host or reviewer; in review, to one more."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    if inquiry.status is not Status.IN_REVIEW:
        possible_or_refuse(inquiry, Step.ROUTE)
    form = RouteForm(
        version=inquiry.version,
        kind=AssignmentKind.HOST.value,
        due_on=clocks.suggested_due(inquiry, AssignmentKind.HOST, clock.now()),
    )
    candidates, users = _candidates(inquiry)
    people = marked(candidates, roster_of(inquiry))
    suggested = suggestions.hosts(inquiry, seen_by=actor())
    order = [str(one.user_id) for one in suggested]
    people.sort(key=lambda one: order.index(one.value) if one.value in order else len(order))
    form.person.choices = [SelectChoice("", _("Choose a person")), *people]
    suspected = _suspected(form, inquiry, users)

    def give() -> None:
        kind = AssignmentKind(form.kind.data)
        triage.route(
            inquiry,
            accounts.user_by_id(int(form.person.data)),
            kind=kind,
            due_on=form.due_on.data or date.min,
            note=form.note.data or "",
            despite=form.judged,
            by=actor(),
            version=form.version.data,
        )

    first = inquiry.status is Status.RECEIVED
    return act(
        form,
        inquiry,
        give,
        title=_("Route to a host") if first else _("Ask one more person"),
        lede=_("The person is told by mail. The partner is told which group has the inquiry, not who.")
        if first
        else _("The person is told by mail; the partner is told nothing."),
        button=_("Route") if first else _("Ask this person"),
        done=_("Given to %(name)s.", name=users[form.person.data].name if form.person.data in users else ""),
        nobody=not people,
        suspected=suspected,
        suggested=suggested,
    )


def _suspected(form: ReplaceForm, inquiry: Inquiry, users: Mapping[str, User]) -> list[tuple[str, str]]:
    """Who of those offered may have an interest, and why; where nobody has, there is nothing to tick."""
    found = interests.suggest(inquiry, list(users.values()), seen_by=actor())
    if not any(found.values()):
        del form.despite
    return [
        (user.name, _(", ").join(one.words for one in found[user.id]))
        for user in users.values()
        if found[user.id]
    ]


def _candidates(inquiry: Inquiry) -> tuple[list[SelectChoice], dict[str, User]]:
    """Hosts and reviewers, each once, those with the fewest open answers first; and who stands behind each choice."""
    found: dict[str, SelectChoice] = {}
    users: dict[str, User] = {}
    for role in (Role.HOST, Role.REVIEWER):
        for candidate in queries.people_for(inquiry, role):
            user = candidate.user
            roles = _(", ").join(
                str(one.label)
                for one in (Role.HOST, Role.REVIEWER)
                if one in user.roles_in(inquiry.department_id)
            )
            users[str(user.id)] = user
            found.setdefault(
                str(user.id),
                SelectChoice(
                    str(user.id),
                    _(
                        "%(name)s (%(number)s) · %(roles)s",
                        name=user.name,
                        number=candidate.waiting,
                        roles=roles,
                    ),
                ),
            )
    return list(found.values()), users


@bp.route("/inquiries/<reference>/release/<int:assignment_id>", methods=_BOTH)
@requires(Permission.TRIAGE)
def release(reference: str, assignment_id: int) -> ResponseReturnValue:
    """Take an assignment off a person."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    assignment = next((one for one in inquiry.assignments if one.id == assignment_id), None)
    if assignment is None:
        raise NotFound
    form = StepForm(version=inquiry.version)
    name = assignment.user.name
    return act(
        form,
        inquiry,
        lambda: reviews.release(inquiry, assignment, by=actor(), version=form.version.data),
        title=_("Take the assignment off %(name)s", name=name),
        lede=_("What this person answered stays in the history. The inquiry can be given to somebody else."),
        button=_("Take it off"),
        done=_("Taken off %(name)s.", name=name),
    )


@bp.route("/inquiries/<reference>/replace/<int:assignment_id>", methods=_BOTH)
@requires(Permission.TRIAGE)
def replace(reference: str, assignment_id: int) -> ResponseReturnValue:
    """Somebody else instead of a host or reviewer who does not answer."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    assignment = next((one for one in inquiry.assignments if one.id == assignment_id), None)
    if assignment is None:
        raise NotFound
    host = assignment.kind is AssignmentKind.HOST
    form = ReplaceForm(
        version=inquiry.version, due_on=clocks.suggested_due(inquiry, assignment.kind, clock.now())
    )
    asked = {one.user_id for one in rules.active_assignments(inquiry)}
    role = Role.HOST if host else Role.REVIEWER
    offered = [one for one in queries.people_for(inquiry, role) if one.user.id not in asked]
    users = {str(one.user.id): one.user for one in offered}
    people = [
        SelectChoice(str(one.user.id), _("%(name)s (%(number)s)", name=one.user.name, number=one.waiting))
        for one in offered
    ]
    people = marked(people, roster_of(inquiry), instead=assignment.user_id, role=role)
    form.person.choices = [SelectChoice("", _("Choose a person")), *people]
    suspected = _suspected(form, inquiry, users)
    name = assignment.user.name
    return act(
        form,
        inquiry,
        lambda: triage.replace(
            inquiry,
            assignment,
            accounts.user_by_id(int(form.person.data)),
            due_on=form.due_on.data or date.min,
            note=form.note.data or "",
            despite=form.judged,
            by=actor(),
            version=form.version.data,
        ),
        title=_("Another host instead of %(name)s", name=name)
        if host
        else _("Another reviewer instead of %(name)s", name=name),
        lede=_("Both are told by mail. The history keeps who was asked before."),
        button=_("Replace"),
        done=_("Given to %(name)s.", name=users[form.person.data].name if form.person.data in users else ""),
        nobody=not people,
        suspected=suspected,
    )


@bp.route("/inquiries/<reference>/set-aside", methods=_BOTH)
@requires(Permission.TRIAGE)
def set_aside(reference: str) -> ResponseReturnValue:
    """Spam or a test."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    possible_or_refuse(inquiry, Step.VOID)
    form = SetAsideForm(version=inquiry.version)
    form.reason.choices = choices((reason, reason.label) for reason in VOIDING)
    return act(
        form,
        inquiry,
        lambda: triage.set_aside(
            inquiry,
            reason=Reason(form.reason.data),
            note=form.note.data or "",
            by=actor(),
            version=form.version.data,
        ),
        title=_("Set aside as spam or test"),
        lede=_("No mail goes out, and it is left out of all figures. It can be brought back for 30 days."),
        button=_("Set it aside"),
        done=_("Set aside."),
    )


@bp.route("/inquiries/<reference>/restore", methods=_BOTH)
@requires(Permission.TRIAGE)
def restore(reference: str) -> ResponseReturnValue:
    """It was no spam, or no duplicate."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    possible_or_refuse(inquiry, Step.RESTORE)
    return press(
        inquiry,
        triage.restore,
        title=_("Bring back"),
        lede=_("It goes back to the queue, and the partner is told that it was received."),
        button=_("Bring back"),
        done=_("Back in the queue."),
    )


@bp.route("/inquiries/<reference>/ready", methods=_BOTH)
@requires(Permission.TRIAGE)
def ready(reference: str) -> ResponseReturnValue:
    """To the head: by hand, when it does not go by itself."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    possible_or_refuse(inquiry, Step.READY)
    waits = reviews.waits_for(inquiry) if inquiry.status is Status.IN_REVIEW else []
    form = ReadyForm(version=inquiry.version)
    if not waits:
        del form.note
    return act(
        form,
        inquiry,
        lambda: reviews.mark_ready(
            inquiry,
            because=(form.note.data or "") if waits else "",
            by=actor(),
            version=form.version.data,
        ),
        title=_("Mark ready to decide"),
        lede=_("The head is told that a decision waits. Nobody who hosts or reviewed it can decide."),
        button=_("Mark ready"),
        done=_("The head decides now."),
        waits=waits,
    )


@bp.route("/inquiries/<reference>/reopen", methods=_BOTH)
@requires(Permission.TRIAGE)
def reopen(reference: str) -> ResponseReturnValue:
    """New facts, or a late reply."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    possible_or_refuse(inquiry, Step.REOPEN)
    form = BecauseForm(version=inquiry.version)
    form.note.label.text = _("What is new?")
    return act(
        form,
        inquiry,
        lambda: triage.reopen(inquiry, because=form.note.data or "", by=actor(), version=form.version.data),
        title=_("Open again"),
        lede=_("It goes back to the queue, once, and the partner is told that we continue."),
        button=_("Open again"),
        done=_("Open again, and in the queue."),
    )


@bp.route("/inquiries/<reference>/withdraw", methods=_BOTH)
@requires(Permission.TRIAGE)
def withdraw(reference: str) -> ResponseReturnValue:
    """On the partner's written wish."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    possible_or_refuse(inquiry, Step.WITHDRAW)
    form = BecauseForm(version=inquiry.version)
    form.note.label.text = _("When and how did the partner ask for it?")
    return act(
        form,
        inquiry,
        lambda: triage.withdraw_on_wish(
            inquiry, note=form.note.data or "", by=actor(), version=form.version.data
        ),
        title=_("Withdraw on the partner's wish"),
        lede=_("The partner is told by mail, and can take it back for 30 days."),
        button=_("Withdraw"),
        kind="outline-danger",
        done=_("Withdrawn."),
    )


@bp.route("/inquiries/<reference>/confirm", methods=_BOTH)
@requires(Permission.TRIAGE)
def confirm(reference: str) -> ResponseReturnValue:
    """For a sender whose mail filter lost the link."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    possible_or_refuse(inquiry, Step.CONFIRM)
    return press(
        inquiry,
        submission.confirm_by_hand,
        title=_("Confirm the e-mail by hand"),
        lede=_("Do this only when you know that the address is the sender's own. The clocks start now."),
        button=_("Confirm"),
        done=_("Confirmed; it is in the queue."),
    )


@bp.route("/inquiries/<reference>/place-free", methods=_BOTH)
@requires(Permission.TRIAGE)
def place_free(reference: str) -> ResponseReturnValue:
    """A place for one on the waiting list."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    possible_or_refuse(inquiry, Step.PLACE_FREE)
    return press(
        inquiry,
        reviews.place_free,
        title=_("A place is free"),
        lede=_("The partner is asked whether the wish still stands, and the head decides."),
        button=_("Tell the partner"),
        done=_("The partner is asked, and the head is told."),
    )


@bp.route("/inquiries/<reference>/more-time", methods=_BOTH)
@requires(Permission.TRIAGE)
def more_time(reference: str) -> ResponseReturnValue:
    """More time for the partner's word whether the wish stands."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    return press(
        inquiry,
        conversation.more_time,
        title=_("Give the partner more time"),
        lede=_("The time for the answer becomes as long again, once. The partner is told the new date."),
        button=_("Give more time"),
        done=_("The partner has more time."),
    )


@bp.route("/inquiries/<reference>/own", methods=_BOTH)
@requires(Permission.TRIAGE)
def own(reference: str) -> ResponseReturnValue:
    """Which coordinator has it."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    form = OwnForm(version=inquiry.version, person=str(inquiry.coordinator_id or ""))
    people = [one.user for one in queries.people_for(inquiry, Role.COORDINATOR)]
    people.sort(key=lambda user: user.id != actor().user_id)
    form.person.choices = [
        *marked(choices((user.id, user.name) for user in people), roster_of(inquiry), role=Role.COORDINATOR),
        SelectChoice("", _("Nobody: it belongs to all coordinators")),
    ]

    def give() -> None:
        person: User | None = accounts.user_by_id(int(form.person.data)) if form.person.data else None
        triage.own(inquiry, person, by=actor(), version=form.version.data)

    return act(
        form,
        inquiry,
        give,
        title=_("Set the coordinator"),
        lede=_("News of the partner go to this person."),
        button=_("Set"),
        done=_("The coordinator is set."),
    )


@bp.route("/inquiries/<reference>/expedite", methods=_BOTH)
@requires(Permission.TRIAGE)
def expedite(reference: str) -> ResponseReturnValue:
    """To the top of the queue."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    return press(
        inquiry,
        triage.expedite,
        title=_("Mark as urgent"),
        lede=_(
            "For requests of patients and the like: it goes to the top, and an answer is due within a working day."
        ),
        button=_("Mark as urgent"),
        done=_("Marked as urgent."),
    )


@bp.post("/inquiries/<reference>/read")
@requires(Permission.TRIAGE)
def read(reference: str) -> ResponseReturnValue:
    """What the partner sent was read."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    form = StepForm(version=inquiry.version)
    status = perform(form, inquiry, lambda: triage.mark_read(inquiry, by=actor()))
    if status == 409:
        raise Conflict
    if status == DONE:
        flash(_("Marked as read."), "success")
    return redirect(url_for(".inquiry", reference=inquiry.reference), code=303)


@bp.route("/inquiries/<reference>/renew-link", methods=_BOTH)
@requires(Permission.TRIAGE)
def renew_link(reference: str) -> ResponseReturnValue:
    """A new private link for the partner."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    if inquiry.anonymised_at is not None or inquiry.status in {Status.UNCONFIRMED, Status.VOID}:
        not_possible(inquiry, _("There is nobody to write to: the inquiry is not confirmed, or set aside."))
    form = StepForm(version=inquiry.version)
    return act(
        form,
        inquiry,
        lambda: triage.renew_link(inquiry, by=actor()),
        title=_("Send a new private link"),
        lede=_("All earlier links stop working at once, and pages that are open close."),
        button=_("Send a new link"),
        done=_("A new link is on its way; the earlier ones are dead."),
    )


@bp.route("/inquiries/<reference>/erase", methods=_BOTH)
@requires(Permission.SEE_ALL_INQUIRIES)
def erase(reference: str) -> ResponseReturnValue:
    """Delete what tells of the person."""
    inquiry = inquiry_for(reference, Permission.SEE_ALL_INQUIRIES)
    return press(
        inquiry,
        privacy.erase,
        title=_("Erase the personal data"),
        lede=_(
            "Name, address, texts, files, letters and mails are deleted for good. What stays is figures: the "
            "reference, dates, track, area, country and outcome. The partner is told. This cannot be undone."
        ),
        button=_("Erase for good"),
        kind="outline-danger",
        done=_("The personal data are deleted."),
    )


@bp.route("/inquiries/<reference>/letter", methods=_BOTH)
@requires(Permission.TRIAGE)
def letter(reference: str) -> ResponseReturnValue:
    """A letter that changes no status."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    form = LetterForm(version=inquiry.version)
    begun = worded.begin(form, inquiry, WordingStep.LETTER, form.letter)
    return act(
        form,
        inquiry,
        **begun,
        verb=lambda: conversation.write(
            inquiry, form.letter.data or "", by=actor(), version=form.version.data
        ),
        title=_("Write to the partner"),
        lede=_("The letter goes out by mail at once, and stands on the partner's own page."),
        button=_("Send the letter"),
        done=_("The letter is on its way."),
    )


# -- hosts and reviewers ---------------------------------------------------------------------------------------------


@bp.route("/inquiries/<reference>/answer-as-host", methods=_BOTH)
@requires(Permission.ANSWER_AS_HOST)
def answer_as_host(reference: str) -> ResponseReturnValue:
    """Yes, later, or no."""
    inquiry = inquiry_for(reference, Permission.ANSWER_AS_HOST)
    mine = next(
        (
            one
            for one in rules.active_assignments(inquiry)
            if one.user_id == actor().user_id and one.kind is AssignmentKind.HOST
        ),
        None,
    )
    if mine is None:
        raise Forbidden(_("You are not the host of this inquiry."))
    form = HostForm(
        version=inquiry.version,
        answer=mine.answer.value if mine.answer else None,
        period=mine.answer_period,
        note=mine.answer_note,
    )
    return act(
        form,
        inquiry,
        lambda: reviews.host_answers(
            inquiry,
            HostAnswer(form.answer.data),
            period=form.period.data or "",
            note=form.note.data or "",
            by=actor(),
            version=form.version.data,
        ),
        title=_("Your answer as host"),
        lede=_(
            "A yes is no promise: the head decides. If you know the partner or have an interest, say so first."
        ),
        button=_("Give this answer"),
        done=_("Thank you. The coordinator goes on."),
        may_declare=True,
    )


@bp.route("/inquiries/<reference>/conflict", methods=_BOTH)
@requires(Permission.SEE_INQUIRIES)
def conflict(reference: str) -> ResponseReturnValue:
    """Declare a conflict of interest: the file closes to this person."""
    inquiry = by_reference(reference, seen_by=actor())
    form = StepForm(version=inquiry.version)
    return act(
        form,
        inquiry,
        lambda: triage.declare_conflict(inquiry, by=actor()),
        title=_("Declare a conflict of interest"),
        lede=_(
            "For instance: you are related to the partner, publish together, or have a share in what is proposed. "
            "The inquiry closes to you for good, everywhere, and the coordinators find somebody else. "
            "Nobody is asked why."
        ),
        button=_("Declare it, and close the inquiry to me"),
        kind="outline-danger",
        done=_("Thank you. The inquiry is closed to you, and the coordinators were told."),
        back_to=url_for(".home"),
    )


@bp.route("/inquiries/<reference>/note", methods=_BOTH)
@requires(Permission.WRITE_NOTES)
def note(reference: str) -> ResponseReturnValue:
    """A note between staff."""
    inquiry = inquiry_for(reference, Permission.WRITE_NOTES)
    form = NoteForm(version=inquiry.version)
    people = mentions.readers(inquiry)
    form.offer((id, name) for id, name in people.items() if id != actor().user_id)
    return act(
        form,
        inquiry,
        lambda: conversation.note(inquiry, form.note.data or "", tell_also=form.told, by=actor()),
        title=_("Note for staff"),
        lede=_("The partner never sees notes."),
        button=_("Keep the note"),
        done=_("The note is kept."),
    )


# -- after a decision ------------------------------------------------------------------------------------------------


@bp.route("/inquiries/<reference>/take-back", methods=_BOTH)
@requires(Permission.SEE_ALL_INQUIRIES)
def take_back(reference: str) -> ResponseReturnValue:
    """Undo a step while its letter is held."""
    inquiry = inquiry_for(reference, Permission.SEE_ALL_INQUIRIES)
    return press(
        inquiry,
        reviews.take_back,
        title=_("Take the step back"),
        lede=_("The letter does not go out, and the inquiry stands where it stood before."),
        button=_("Take back"),
        done=_("Taken back. No mail went out."),
    )


@bp.post("/inquiries/<reference>/conditions/<int:condition_id>")
@requires(Permission.SEE_ALL_INQUIRIES)
def settle(reference: str, condition_id: int) -> ResponseReturnValue:
    """A condition is met, waived, failed, or open again."""
    inquiry = inquiry_for(reference, Permission.SEE_ALL_INQUIRIES)
    condition = reviews.condition(condition_id, inquiry)
    form = SettleForm(version=inquiry.version)

    def settled() -> None:
        if form.state.data not in set(ConditionState):
            raise Invalid("state", _("Choose one of the states offered."))
        reviews.settle(
            condition, inquiry, ConditionState(form.state.data), by=actor(), version=form.version.data
        )

    status = perform(form, inquiry, settled)
    if status != DONE:
        page = render_template(
            "staff/step.html",
            form=form,
            inquiry=inquiry,
            title=_("Settle a condition"),
            lede=condition.text,
            button=_("Do it all the same") if status == 409 else _("Try again"),
            kind="primary",
            **beside(inquiry, conflict=status == 409),
        )
        return page, status
    flash(
        _("The condition is settled.") if condition.settled_at else _("The condition is open again."),
        "success",
    )
    return redirect(url_for(".inquiry", reference=inquiry.reference), code=303)
