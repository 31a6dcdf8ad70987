"""Reviews and decisions: scores by a rubric, what they come to, and a decision that is the head's, two-sided and clean.

``rubrics`` are versioned data, ``scores`` hands reviews in, ``panel`` (pure) says what several of them come to.
Reviewers read each other's only when their own is in. Whatever completes the answers ends with ``go_on``.
Nobody decides on what he hosts or has reviewed. The letter that tells of a decision is held for a while, in which the
decision can be taken back without the partner having seen anything.
"""

from collab.reviews import panel, rubrics, scores
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
)
from collab.reviews.models import (
    Condition,
    ConditionOwner,
    ConditionState,
    Decision,
    Opinion,
    Recommendation,
    OpinionDraft,
    Verdict,
    Rubric,
)
from collab.reviews.queries import (
from collab.reviews.panel import Guide, Panel, Sheet
    condition,
    conditions_of,
    decisions_of,
    opinions_of,
    draft_of,
    may_read_reviews,
    opinions_for,
    standing_decision,
    panel_of,
    review_asked_of,
    rubric_of,
    why_not_decide,
    waits_for,
)

from collab.reviews.scores import (
    Content,
    Mark,
    give_opinion,
    go_on,
    host_answers,
    mark_ready,
    save_draft,
    take_path,
)
__all__ = [
    "STEPS",
    "Condition",
    "ConditionOwner",
    "ConditionState",
    "Decision",
    "Content",
    "Facts",
    "Opinion",
    "Recommendation",
    "Guide",
    "Mark",
    "Verdict",
    "OpinionDraft",
    "Panel",
    "check_facts",
    "Rubric",
    "Sheet",
    "condition",
    "conditions_of",
    "conditions_overdue",
    "decide",
    "decisions_of",
    "fulfil",
    "give_opinion",
    "lapse_conditional",
    "opinions_of",
    "place_free",
    "settle",
    "standing_decision",
    "go_on",
    "host_answers",
    "take_back",
    "mark_ready",
    "may_read_reviews",
    "opinions_for",
    "why_not_decide",
]
    "review_asked_of",
    "rubric_of",
    "rubrics",
    "save_draft",
    "scores",
    "take_path",
    "waits_for",
