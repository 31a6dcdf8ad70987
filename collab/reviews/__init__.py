"""Reviews and decisions: scores by a rubric, what they come to, and a decision that is the head's, two-sided and clean.

``rubrics`` are versioned data, ``scores`` hands reviews in, ``panel`` (pure) says what several of them come to.
Reviewers read each other's only when their own is in. Whatever completes the answers ends with ``go_on``.
Nobody decides on what he hosts or has reviewed. The letter that tells of a decision is held for a while, in which the
decision can be taken back without the partner having seen anything.
"""

from collab.inquiries.models import Gate, GateState
from collab.reviews import gates, panel, record, rubrics, scores
from collab.reviews.actions import (
    STEPS,
    Facts,
    check_facts,
    conditions_overdue,
    decide,
    fulfil,
    lapse_conditional,
    place_free,
    settle,
    take_back,
    why_deviation,
)
from collab.reviews.capacity import Capacity, capacity_for
from collab.reviews.due import Due, all_due_dates, due_dates, owed_by
from collab.reviews.gates import gates_of
from collab.reviews.models import (
    Condition,
    ConditionOwner,
    ConditionState,
    Decision,
    DecisionRecord,
    Opinion,
    OpinionDraft,
    Recommendation,
    Rubric,
    Verdict,
)
from collab.reviews.panel import Guide, Panel, Sheet
from collab.reviews.queries import (
    condition,
    conditions_of,
    decisions_of,
    draft_of,
    may_read_reviews,
    opinions_for,
    opinions_of,
    panel_of,
    review_asked_of,
    rubric_of,
    standing_decision,
    waits_for,
    why_not_decide,
)
from collab.reviews.record import Record, record_of
from collab.reviews.scores import (
    Content,
    Mark,
    give_opinion,
    go_on,
    host_answers,
    mark_ready,
    release,
    save_draft,
    take_path,
)
from collab.reviews.similar import Similar, similar_decisions
from collab.reviews.waiting import Ready, ready, still_ready

__all__ = [
    "STEPS",
    "Capacity",
    "Condition",
    "ConditionOwner",
    "ConditionState",
    "Content",
    "Decision",
    "DecisionRecord",
    "Due",
    "Facts",
    "Gate",
    "GateState",
    "Guide",
    "Mark",
    "Opinion",
    "OpinionDraft",
    "Panel",
    "Ready",
    "Recommendation",
    "Record",
    "Rubric",
    "Sheet",
    "Similar",
    "Verdict",
    "all_due_dates",
    "capacity_for",
    "check_facts",
    "condition",
    "conditions_of",
    "conditions_overdue",
    "decide",
    "decisions_of",
    "draft_of",
    "due_dates",
    "fulfil",
    "gates",
    "gates_of",
    "give_opinion",
    "go_on",
    "host_answers",
    "lapse_conditional",
    "mark_ready",
    "may_read_reviews",
    "opinions_for",
    "opinions_of",
    "owed_by",
    "panel",
    "panel_of",
    "place_free",
    "ready",
    "record",
    "record_of",
    "release",
    "review_asked_of",
    "rubric_of",
    "rubrics",
    "save_draft",
    "scores",
    "settle",
    "similar_decisions",
    "standing_decision",
    "still_ready",
    "take_back",
    "take_path",
    "waits_for",
    "why_deviation",
    "why_not_decide",
]
