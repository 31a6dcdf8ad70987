"""One inquiry: left what to read, right what to do."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from flask import g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from collab import mail, reviews
from collab.accounts.permissions import Permission, may
from collab.core import clock
from collab.inquiries import AssignmentKind, Inquiry, interests, queries, questions, rules
from collab.inquiries.history import KIND_LABELS
from collab.inquiries.margin import margin
from collab.inquiries.models import InquiryEvent
from collab.inquiries.queries import Thread
from collab.inquiries.signals import Signal
from collab.mail import OutboxMail
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.staff import bp, walking
from collab.web.staff.acting import opened
from collab.web.staff.choices import doable
from collab.web.staff.forms import LetterForm, NoteForm
from collab.web.staff.gates import gates_shown
from collab.web.staff.joining import hints
from collab.web.staff.queue import asked_view, pile_of
from collab.web.staff.words import TRACKS


@dataclass(frozen=True)
class Held:
    """A letter that waits for its hold to end."""

    until: datetime
    by: str
    mine: bool
    label: str
    letter: OutboxMail | None


@bp.get("/inquiries/<reference>")
@requires(Permission.SEE_INQUIRIES)
def inquiry(reference: str) -> ResponseReturnValue:
    """Everything about one inquiry, and what can be done now."""
    view = asked_view()
    who = actor()
    found = opened(reference)
    g.department, g.pile = found.department, pile_of(view)
    if interests.reads_blind(found, who):  # on the page of the review, and nowhere else
        return redirect(url_for(".review", reference=found.reference), code=303)
    thread = queries.thread(found)
    mails = mail.of(("inquiry", found.id))
    sees_all = may(who, Permission.SEE_ALL_INQUIRIES, found.department_id)
    gates = reviews.gates_of(found) if sees_all else []
    blocked = reviews.gates.why_blocked(found, reviews.gates.blocked(found, gates))
    thread = replace(thread, entries=queries.readable(thread.entries, found, seen_by=who))
    decisions = reviews.decisions_of(found) if _was_decided(thread) else []
    standing = next((one for one in decisions if not one.taken_back_at and not one.superseded_at), None)
    conditions = list(standing.conditions) if standing else []
    opinions = reviews.opinions_of(found) if _has_reviewers(found) else []
    # A reviewer gives a review without having read the others'.
    whole = reviews.panel_of(found, opinions=opinions)
    reads = reviews.may_read_reviews(found, who)
    readable = opinions if reads else [one for one in opinions if one.user_id == who.user_id]
    may_not_decide = rules.interested(found, who)
    if any(one.user_id == who.user_id for one in opinions):
        may_not_decide = may_not_decide or _(
            "You are a reviewer of this inquiry; somebody else has to decide."
        )
    now = clock.now()
    beside = margin(found, seen_by=who, merged=thread.merged)
    note_form = NoteForm(version=found.version)
    note_form.offer(beside.people)
    return render_template(
        "staff/inquiry.html",
        inquiry=found,
        view=view,
        around=queries.neighbours(view, found, seen_by=who),
        here=view.to_args(),
        track=TRACKS[found.track],
        answers=questions.answers(found, hooks.language()),
        merged=[(one, questions.answers(one, hooks.language())) for one in thread.merged],
        thread=thread,
        kinds=KIND_LABELS,
        doable=doable(
            found, who, conditions, may_not_decide, blocked, unread=whole.missing, view=walking.written(view)
        ),
        gates=gates_shown(found, gates),
        blocked=blocked,
        gate_name=partial(reviews.gates.name_of, department=found.department),
        gate_states=reviews.GateState,
        sees_all=sees_all,
        due_dates=reviews.due_dates(found, conditions=conditions, now=now),
        held=_held(found, thread, mails, now),
        now=now,
        panel=(whole if reads else reviews.panel_of(found, opinions=readable)) if readable else None,
        whole_panel=len(readable) == len(opinions),
        figure=reviews.panel.shown,
        decisions=decisions if sees_all or standing is None else [standing],
        standing=standing,
        conditions=conditions,
        triages=may(who, Permission.TRIAGE, found.department_id),
        decides=may(who, Permission.DECIDE, found.department_id),
        writes=may(who, Permission.WRITE_NOTES, found.department_id),
        mails=mails if may(who, Permission.SEE_OUTBOX, found.department_id) else [],
        original=queries.original_of(found),
        hints=hints(found, thread, seen_by=who),
        track_names={track.value: label for track, label in TRACKS.items()},
        pointed={signal.value: signal.label for signal in Signal},
        margin=beside,
        note_form=note_form,
        letter_form=LetterForm(version=found.version),
        kinds_of_assignment={
            AssignmentKind.HOST: _("Host"),
            AssignmentKind.REVIEWER: _("Reviewer"),
        },
    )


def _has_reviewers(found: Inquiry) -> bool:
    return any(one.kind is AssignmentKind.REVIEWER for one in found.assignments)


def _was_decided(thread: Thread) -> bool:
    steps = {str(step) for step in rules.HELD_STEPS}
    return any(
        entry.event is not None and entry.event.kind in steps and not entry.joined for entry in thread.entries
    )


def _held(found: Inquiry, thread: Thread, mails: list[OutboxMail], now: datetime) -> Held | None:
    if found.held_until is None or found.held_until <= now:
        return None
    event = _last_held(thread)
    if event is None or not event.data:
        return None
    return Held(
        until=found.held_until,
        by=event.actor_name,
        mine=event.actor_id == actor().user_id,
        label=str(KIND_LABELS.get(event.kind, event.kind)),
        letter=next((one for one in mails if one.id == event.data["mail"]), None),
    )


def _last_held(thread: Thread) -> InquiryEvent | None:
    events = [entry.event for entry in thread.entries if entry.event is not None and not entry.joined]
    return next((event for event in reversed(events) if event.data and "mail" in event.data), None)
