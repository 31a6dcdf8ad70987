"""Reading reviews, decisions and conditions."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import joinedload

from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core.db import db
from collab.core.errors import NotFound
from collab.inquiries import gates, parts, rules
from collab.inquiries.models import Assignment, AssignmentKind, HostAnswer, Inquiry
from collab.reviews import panel, rubrics
from collab.reviews.models import Condition, Decision, Opinion, OpinionDraft, Rubric
from collab.reviews.panel import Panel, Sheet


def standing_decision(inquiry: Inquiry) -> Decision | None:
    """The decision that stands, if there is one."""
    return db.session.scalar(
        sa.select(Decision).where(
            Decision.inquiry_id == inquiry.id,
            Decision.taken_back_at.is_(None),
            Decision.superseded_at.is_(None),
        )
    )


def decisions_of(inquiry: Inquiry) -> list[Decision]:
    """All decisions, those taken back too, oldest first, with their conditions."""
    return list(
        db.session.scalars(
            sa.select(Decision)
            .where(Decision.inquiry_id == inquiry.id)
            .options(joinedload(Decision.conditions))
            .order_by(Decision.id)
        ).unique()
    )


def opinions_of(inquiry: Inquiry) -> list[Opinion]:
    """The reviewers' opinions, oldest first."""
    return list(
        db.session.scalars(sa.select(Opinion).where(Opinion.inquiry_id == inquiry.id).order_by(Opinion.id))
    )


def opinions_for(inquiry: Inquiry, *, seen_by: Actor) -> list[Opinion]:
    """The reviews that somebody may read now, oldest first: reviewers none but their own before it is handed in."""
    if not any(one.kind is AssignmentKind.REVIEWER for one in inquiry.assignments):
        return []
    every = opinions_of(inquiry)
    return (
        every
        if may_read_reviews(inquiry, seen_by)
        else [one for one in every if one.user_id == seen_by.user_id]
    )


def may_read_reviews(inquiry: Inquiry, actor: Actor) -> bool:
    """Whether somebody may read what others wrote in review.

    A reviewer may when the own review is in, whatever other roles this person holds; else those who see all.
    """
    mine = review_asked_of(inquiry, actor)
    if mine is not None:
        return mine.answered_at is not None
    return may(actor, Permission.SEE_ALL_INQUIRIES, inquiry.department_id)


def review_asked_of(inquiry: Inquiry, actor: Actor) -> Assignment | None:
    """The review that was asked of a person on this inquiry, given or not; ``None`` when it was not, or taken off."""
    return next(
        (
            one
            for one in rules.active_assignments(inquiry)
            if one.user_id == actor.user_id and one.kind is AssignmentKind.REVIEWER
        ),
        None,
    )


def asked(inquiry: Inquiry) -> list[Assignment]:
    """The reviews that were asked for and are not in."""
    return [
        one
        for one in rules.active_assignments(inquiry)
        if one.kind is AssignmentKind.REVIEWER and one.answered_at is None
    ]


def rubric_of(
    inquiry: Inquiry, *, opinions: Iterable[Opinion] | None = None, keep: bool = False
) -> Rubric | None:
    """What an inquiry is judged by: the version of its first review, so that all are by one; else what is in force.

    :param opinions: its reviews, where they are read already.
    :param keep: write down the version that the department began with; only inside a unit of work.
    :returns: ``None`` for the version the department began with, when nobody has used it yet.
    """
    for opinion in opinions_of(inquiry) if opinions is None else opinions:
        if opinion.rubric is not None:
            return opinion.rubric
    if keep:
        return rubrics.kept(inquiry.department, inquiry.track)
    return rubrics.in_force(inquiry.department, inquiry.track)


def panel_of(inquiry: Inquiry, *, opinions: Sequence[Opinion] | None = None) -> Panel:
    """The reviews of an inquiry side by side, and what they come to. Ask ``opinions_for`` first what a person may read.

    :param opinions: all its reviews, where they are read already; then nothing is read here.
    """
    answered = {
        one.user_id
        for one in rules.active_assignments(inquiry)
        if one.kind is AssignmentKind.REVIEWER and one.answered_at is not None
    }
    sheets = [
        Sheet(
            user_id=one.user_id,
            reviewer=one.user.name,
            at=one.at,
            recommendation=one.recommendation,
            because=one.because,
            rubric=one.rubric.number if one.rubric else None,
            lines=panel.lines_of(one.rubric.content.criteria, one.scores or {}) if one.rubric else (),
            counts=one.user_id in answered,
            changed=len(one.earlier or []),
        )
        for one in (opinions_of(inquiry) if opinions is None else opinions)
    ]
    return panel.panel(sheets, inquiry.department.settings.review, light=inquiry.light is not None)


def waits_for(inquiry: Inquiry, *, panel: Panel | None = None) -> list[str]:
    """What is missing before the head can decide, in sentences; empty when all is in (domain.md B.2)."""
    found: list[str] = []
    hosts = [one for one in rules.active_assignments(inquiry) if one.kind is AssignmentKind.HOST]
    answers = {one.answer for one in hosts if one.answered_at is not None}
    if not answers:
        found.append(_("The host has not answered yet."))
    elif not answers & {HostAnswer.YES, HostAnswer.LATER}:
        found.append(_("The host said no."))
    if inquiry.light is None:
        reviews = panel if panel is not None else panel_of(inquiry)
        found += [
            _("A reviewer has not answered yet: %(name)s.", name=one.user.name) for one in asked(inquiry)
        ]
        if reviews.wants_another and len(reviews.counted) >= reviews.needed - 1:
            found.append(_("The reviews are far apart: a third reader is needed."))
        elif reviews.missing:
            found.append(
                ngettext("One more review is needed.", "%(num)s more reviews are needed.", reviews.missing)
            )
    open_gates = gates.why_unanswered(inquiry, gates.unanswered(inquiry))
    return [*found, open_gates] if open_gates else found


def draft_of(inquiry: Inquiry, actor: Actor) -> OpinionDraft | None:
    """A person's own draft; nobody can ask for another's."""
    return db.session.get(OpinionDraft, (inquiry.id, actor.user_id))


def conditions_of(inquiry: Inquiry) -> list[Condition]:
    """The conditions of the decision that stands."""
    decision = standing_decision(inquiry)
    return list(decision.conditions) if decision else []


def condition(condition_id: int, inquiry: Inquiry) -> Condition:
    """:raises NotFound: no such condition of this inquiry."""
    found = db.session.get(Condition, condition_id)
    if found is None or found.decision.inquiry_id != inquiry.id:
        raise NotFound
    return found


def why_not_decide(inquiry: Inquiry, actor: Actor) -> str | None:
    """Why somebody may not decide on this inquiry, whatever his role is now; ``None`` when he may."""
    return rules.interested(inquiry, actor) or parts.why_not_decide(parts.taken_by(inquiry, actor.user_id))
