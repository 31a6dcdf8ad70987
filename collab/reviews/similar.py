"""Earlier decisions on the same track and area, those most alike first: what was decided before, and why.

Bounded work: the newest decisions are looked through, however many there are. Alike is what has words and points in
common; nobody decides by it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import log, sqrt
from typing import Any

import sqlalchemy as sa

from collab.accounts.actor import Actor
from collab.core.db import db
from collab.inquiries.models import Assignment, AssignmentKind, Inquiry
from collab.inquiries.queries import visible
from collab.inquiries.questions import LONG
from collab.reviews.models import Decision, DecisionRecord, Verdict
from collab.search import vocabulary

#: The newest decisions looked at, and how many of the same track and area are compared word by word.
_LOOKED_AT, _COMPARED = 2000, 60
#: So much of a text is compared.
_CHARACTERS = 1500


@dataclass(frozen=True)
class Similar:
    """An earlier decision.

    :param points: the mean of its reviews; ``None`` when there were none, or they are deleted by now.
    """

    reference: str
    title: str
    verdict: Verdict
    because: str
    at: datetime
    points: float | None
    likeness: float


def similar_decisions(
    inquiry: Inquiry, points: Fraction | None, *, seen_by: Actor, most: int = 4
) -> list[Similar]:
    """Decisions that stand on inquiries like this one, as far as this person may see them. One query."""
    newest = sa.select(Decision.id).order_by(Decision.id.desc()).limit(_LOOKED_AT).subquery()
    rows = db.session.execute(
        sa.select(
            Inquiry.reference,
            Inquiry.title,
            Inquiry.answers,
            Decision.verdict,
            Decision.because,
            Decision.at,
            sa.case((_asked_of(seen_by), sa.null()), else_=DecisionRecord.points).label("points"),
        )
        .select_from(Decision)
        .join(newest, newest.c.id == Decision.id)
        .join(Inquiry, Inquiry.id == Decision.inquiry_id)
        .outerjoin(DecisionRecord, DecisionRecord.decision_id == Decision.id)
        .where(
            Decision.taken_back_at.is_(None),
            Decision.superseded_at.is_(None),
            Inquiry.id != inquiry.id,
            Inquiry.department_id == inquiry.department_id,
            Inquiry.track == inquiry.track,
            Inquiry.area == inquiry.area,
            Inquiry.anonymised_at.is_(None),
            Inquiry.texts_deleted_at.is_(None),
            visible(seen_by),
        )
        .order_by(Decision.id.desc())
        .limit(_COMPARED)
    ).all()
    texts = [words_of(row.title, row.answers) for row in rows]
    mine = words_of(inquiry.title, inquiry.answers)
    rare = rarity([mine, *texts])
    found = [
        Similar(
            reference=row.reference,
            title=row.title,
            verdict=row.verdict,
            because=row.because,
            at=row.at,
            points=row.points,
            likeness=alike(mine, words, rare) + closeness(points, row.points) / 4,
        )
        for row, words in zip(rows, texts, strict=True)
    ]
    return sorted(found, key=lambda one: -one.likeness)[:most]


def _asked_of(actor: Actor) -> sa.ColumnElement[bool]:
    """Whether a person still owes a review: what others gave is read when it is in (``queries.may_read_reviews``)."""
    return sa.exists(
        sa.select(sa.literal(1)).where(
            Assignment.inquiry_id == Inquiry.id,
            Assignment.user_id == actor.user_id,
            Assignment.kind == AssignmentKind.REVIEWER,
            Assignment.released_at.is_(None),
            Assignment.answered_at.is_(None),
        )
    )


def words_of(title: str, answers: Mapping[str, Any]) -> frozenset[str]:
    """What an inquiry is about, as words (pairs of characters in scripts without spaces); short ones say nothing."""
    text = "\n".join([title, *(str(answers.get(name) or "")[:_CHARACTERS] for name in sorted(LONG))])
    return frozenset(word for word in vocabulary.words(text).split() if len(word) > 3 or not word.isascii())


def rarity(texts: list[frozenset[str]]) -> dict[str, float]:
    """How much a word tells: what stands in every text tells nothing."""
    counted = Counter(word for words in texts for word in words)
    return {word: log((len(texts) + 1) / number) for word, number in counted.items()}


def alike(one: frozenset[str], other: frozenset[str], rare: Mapping[str, float]) -> float:
    """How much two texts have in common: from 0 to 1 for the same words."""
    together = sum(rare[word] ** 2 for word in one & other)
    lengths = sqrt(sum(rare[word] ** 2 for word in one) * sum(rare[word] ** 2 for word in other))
    return together / lengths if lengths else 0.0


def closeness(one: Fraction | None, other: float | None) -> float:
    """How near two means are, 0 to 1; 0 when one is not known."""
    return 0.0 if one is None or other is None else 1 - abs(float(one) - other) / 100
