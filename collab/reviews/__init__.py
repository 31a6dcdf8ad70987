"""Opinions and decisions: a decision is the head's, two-sided and clean.

Nobody decides on what he hosts or has reviewed. The letter that tells of a decision is held for a while, in which the
decision can be taken back without the partner having seen anything.
"""

from collab.reviews.actions import (
    STEPS,
    Facts,
    check_facts,
    conditions_overdue,
    decide,
    fulfil,
    give_opinion,
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
    Verdict,
)
from collab.reviews.queries import (
    condition,
    conditions_of,
    decisions_of,
    opinions_of,
    standing_decision,
    why_not_decide,
)

__all__ = [
    "STEPS",
    "Condition",
    "ConditionOwner",
    "ConditionState",
    "Decision",
    "Facts",
    "Opinion",
    "Recommendation",
    "Verdict",
    "check_facts",
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
    "take_back",
    "why_not_decide",
]
