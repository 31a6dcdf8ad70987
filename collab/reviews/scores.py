"""A review on its way: the draft that only its author reads, handing it in, and what follows from that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql, sqlite

from collab.accounts import SYSTEM, Role
from collab.accounts.actor import Actor
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden, Invalid
from collab.departments import Criterion
from collab.inquiries import clocks, gates, interests, notices, triage
from collab.inquiries.history import Kind, move, seen, take, tell
from collab.inquiries.models import Assignment, HostAnswer, Inquiry, InquiryEvent, LightPath
from collab.inquiries.statuses import Status, Step
from collab.reviews import panel, queries
from collab.reviews.models import Opinion, OpinionDraft, Recommendation

#: While these last, a review can be written and changed.
REVIEWED = frozenset({Status.IN_REVIEW, Status.NEEDS_INFO})
#: In a draft and on the wire: what stands for "cannot judge".
CANNOT_JUDGE = "unknown"
COMMENT_LENGTH = 2000
BECAUSE_LENGTH = 4000


@dataclass(frozen=True)
class Mark:
    """What a reviewer says on one criterion.

    :param value: 1 to 5; ``None`` for "cannot judge".
    """

    value: int | None
    comment: str = ""


@dataclass(frozen=True)
class Content:
    """A review as its author has it before the eyes, complete or not.

    :param marks: by criterion: "1" to "5", ``CANNOT_JUDGE``, or nothing yet.
    """

    recommendation: str = ""
    because: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, opinion: Opinion) -> Self:
        """What was handed in, to be changed."""
        scores = opinion.scores or {}
        return cls(
            recommendation=opinion.recommendation.value,
            because=opinion.because,
            marks={code: str(said["value"] or CANNOT_JUDGE) for code, said in scores.items()},
            comments={code: said["comment"] for code, said in scores.items() if said["comment"]},
        )

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Self:
        """What a draft keeps."""
        return cls(
            recommendation=kept.get("recommendation", ""),
            because=kept.get("because", ""),
            marks=dict(kept.get("marks", {})),
            comments=dict(kept.get("comments", {})),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "recommendation": self.recommendation,
            "because": self.because,
            "marks": {code: mark for code, mark in self.marks.items() if mark},
            "comments": {code: text for code, text in self.comments.items() if text},
        }

    def whole(self, criteria: Sequence[Criterion]) -> dict[str, Mark]:
        """The scores, all there.

        :raises Invalid: at the first criterion that has none.
        """
        found: dict[str, Mark] = {}
        for criterion in criteria:
            mark = self.marks.get(criterion.code, "")
            if mark not in {"1", "2", "3", "4", "5", CANNOT_JUDGE}:
                raise Invalid(f"mark_{criterion.code}", _("Choose a number, or “Cannot judge”."))
            value = None if mark == CANNOT_JUDGE else int(mark)
            found[criterion.code] = Mark(value, self.comments.get(criterion.code, ""))
        return found


def save_draft(inquiry: Inquiry, content: Content, *, by: Actor, revision: int) -> OpinionDraft:
    """Keep what a reviewer has typed so far. The inquiry does not change, and nobody is told.

    :param revision: the one the page was opened or saved with; 0 when there was nothing.
    :raises Conflict: the same person saved something else from another page in the meantime.
    """
    _mine(inquiry, by)
    told = content.as_json()
    draft = _row(inquiry, by)
    if draft.revision != revision:
        if draft.is_open and draft.content == told:
            return draft  # sent twice: the answer to the first was lost on the way
        raise Conflict(_saved_elsewhere())
    if draft.is_open and draft.content == told:
        return draft
    draft.content, draft.at, draft.is_open = told, clock.now(), True
    draft.revision += 1
    db.session.flush()
    return draft


def give_opinion(
    inquiry: Inquiry,
    recommendation: Recommendation,
    *,
    because: str,
    scores: Mapping[str, Mark] | None = None,
    rubric: int | None = None,
    revision: int | None = None,
    by: Actor,
    version: int | None = None,
) -> Opinion:
    """Hand a review in; once, then changed as long as the inquiry is in review. What stood before is kept with it.

    :param scores: by criterion, every one of the rubric; not asked for on the light path.
    :param rubric: the number of the rubric's version the page showed; ``None`` when there was no page.
    :param revision: of the draft the page showed, as for ``save_draft``; ``None`` when there was no page.
    :raises Conflict: the inquiry is not in review any more, its rubric is another one by now, or the same person
        saved or handed in something else from another page.
    :raises Invalid: a score or the sentence is missing.
    """
    now = take(inquiry, version=version, by=by)
    assignment = _mine(inquiry, by)
    if not because:
        raise Invalid("because", _("Say why in a sentence or two."))
    version_of_rubric = None if inquiry.light else queries.rubric_of(inquiry, keep=True)
    told: dict[str, dict[str, Any]] | None = None
    if version_of_rubric is not None:
        if rubric is not None and rubric != version_of_rubric.number:
            raise Conflict(
                _("The criteria changed while you had the form open. What you typed is kept: look again.")
            )
        told = _checked(version_of_rubric.content.criteria, scores or {})
    opinion = db.session.scalar(sa.select(Opinion).filter_by(inquiry_id=inquiry.id, user_id=by.user_id))
    changed = opinion is not None
    if (
        opinion is not None
        and assignment.answered_at is not None
        and (opinion.recommendation, opinion.because, opinion.scores) == (recommendation, because, told)
    ):
        _close_draft(inquiry, by)
        return opinion  # the same again
    draft = queries.draft_of(inquiry, by)
    if revision is not None and (draft.revision if draft else 0) != revision:
        raise Conflict(_saved_elsewhere())
    if opinion is None:
        opinion = Opinion(inquiry_id=inquiry.id, user_id=by.user_id)
        db.session.add(opinion)
    else:
        opinion.earlier = [*(opinion.earlier or []), _snapshot(opinion)]
    opinion.at, opinion.recommendation, opinion.because = now, recommendation, because
    opinion.rubric_id = version_of_rubric.id if version_of_rubric else None
    opinion.scores = told
    assignment.answered_at = now
    # Nothing of what it says: other reviewers read the history, and give theirs unaided.
    tell(inquiry, Kind.OPINION_CHANGED if changed else Kind.OPINION, by=by)
    _close_draft(inquiry, by)
    clocks.set_due(inquiry, now)
    db.session.flush()
    db.session.expire(opinion, ["rubric"])
    go_on(inquiry, by=by)
    return opinion


def host_answers(
    inquiry: Inquiry,
    answer: HostAnswer,
    *,
    period: str = "",
    note: str = "",
    by: Actor,
    version: int | None = None,
) -> Assignment:
    """The host says yes, later or no; with the last answer that was missing, the decision is ready."""
    assignment = triage.host_answers(inquiry, answer, period=period, note=note, by=by, version=version)
    go_on(inquiry, by=by)
    return assignment


def release(inquiry: Inquiry, assignment: Assignment, *, by: Actor, version: int | None = None) -> None:
    """A coordinator takes a host or reviewer off; it may have been the last answer that was waited for."""
    triage.release(inquiry, assignment, by=by, version=version)
    go_on(inquiry, by=by)


def take_path(inquiry: Inquiry, light: LightPath | None, *, by: Actor, version: int | None = None) -> None:
    """A coordinator marks an inquiry for the light path (one host's answer, no scores), or takes the mark off."""
    take(inquiry, version=version, by=by)
    if Role.COORDINATOR not in by.roles_in(inquiry.department_id):
        raise Forbidden(_("Only this role may do it: %(roles)s.", roles=Role.COORDINATOR.label))
    if inquiry.status not in REVIEWED | {Status.RECEIVED}:
        raise Conflict(_("The inquiry is not in review any more."))
    if inquiry.light is light:
        return
    inquiry.light = light
    tell(inquiry, Kind.LIGHT, by=by, data={"light": light})
    if light is None and gates.may_be_checked(inquiry):  # what no office was asked on the light path
        gates.open_for_review(inquiry, by=by)
    seen(inquiry, by)
    go_on(inquiry, by=by)


def mark_ready(inquiry: Inquiry, *, because: str = "", by: Actor, version: int | None = None) -> None:
    """A coordinator hands an inquiry to the head by hand.

    :param because: why it goes on although something is missing; not needed when nothing is.
    :raises Invalid: something is missing, and no reason is given.
    """
    take(inquiry, version=version, by=by)
    if inquiry.status is Status.IN_REVIEW and not because and queries.waits_for(inquiry):
        raise Invalid(
            "note", _("Something is still missing. Say in one sentence why it goes to the head now.")
        )
    triage.mark_ready(inquiry, by=by, note=because)


def go_on(inquiry: Inquiry, *, by: Actor) -> bool:
    """What follows from an answer: everything is in, and the head decides; or a third reader is wanted.

    Call it in the same unit of work, after the inquiry was taken and the answer written.
    """
    if inquiry.status is not Status.IN_REVIEW:
        return False
    opinions = queries.panel_of(inquiry)
    if not queries.waits_for(inquiry, panel=opinions):
        move(inquiry, Step.READY, Status.DECISION_READY, by=SYSTEM)
        notices.decision_waits(inquiry)
        return True
    if opinions.wants_another and not queries.asked(inquiry) and not _was_wanted(inquiry):
        tell(inquiry, Kind.THIRD_READER, by=SYSTEM)
        notices.third_reader(inquiry)
    return False


def _was_wanted(inquiry: Inquiry) -> bool:
    told = sa.exists().where(InquiryEvent.inquiry_id == inquiry.id, InquiryEvent.kind == Kind.THIRD_READER)
    return bool(db.session.scalar(sa.select(told)))


def _mine(inquiry: Inquiry, by: Actor) -> Assignment:
    assignment = queries.review_asked_of(inquiry, by)
    if assignment is None:
        raise Forbidden(_("You are not a reviewer of this inquiry."))
    interests.require(inquiry, by)
    if inquiry.status not in REVIEWED:
        raise Conflict(_("The inquiry is not in review any more."))
    return assignment


def _checked(criteria: Sequence[Criterion], scores: Mapping[str, Mark]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for criterion in criteria:
        mark = scores.get(criterion.code)
        if mark is None:
            raise Invalid(f"mark_{criterion.code}", _("Choose a number, or “Cannot judge”."))
        if mark.value is not None and not panel.LOWEST <= mark.value <= panel.HIGHEST:
            raise Invalid(f"mark_{criterion.code}", _("Choose a number, or “Cannot judge”."))
        found[criterion.code] = {"value": mark.value, "comment": mark.comment}
    return found


def _snapshot(opinion: Opinion) -> dict[str, Any]:
    return {
        "at": opinion.at.isoformat(),
        "recommendation": opinion.recommendation,
        "because": opinion.because,
        "rubric_id": opinion.rubric_id,
        "scores": opinion.scores,
    }


def _saved_elsewhere() -> str:
    return _("You saved this review from another page in the meantime. Both texts are shown: choose.")


def _row(inquiry: Inquiry, by: Actor) -> OpinionDraft:
    """A person's draft, locked; made when there is none, also by two pages at the same moment."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    key = {"inquiry_id": inquiry.id, "user_id": by.user_id}
    db.session.execute(
        insert(OpinionDraft)
        .values(**key, revision=0, at=clock.now(), content={}, is_open=False)
        .on_conflict_do_nothing()
    )
    return db.session.get_one(
        OpinionDraft, (inquiry.id, by.user_id), with_for_update=True, populate_existing=True
    )


def _close_draft(inquiry: Inquiry, by: Actor) -> None:
    """It is handed in: nothing is open any more. The row stays, so that another open page notices."""
    draft = _row(inquiry, by)
    draft.content, draft.is_open, draft.at = {}, False, clock.now()
    draft.revision += 1


__all__ = [
    "BECAUSE_LENGTH",
    "CANNOT_JUDGE",
    "COMMENT_LENGTH",
    "REVIEWED",
    "Content",
    "Mark",
    "give_opinion",
    "go_on",
    "host_answers",
    "mark_ready",
    "release",
    "save_draft",
    "take_path",
]
