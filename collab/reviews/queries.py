"""Reading opinions, decisions and conditions."""

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from collab.accounts.actor import Actor
from collab.core.db import db
from collab.core.errors import NotFound
from collab.inquiries import rules
from collab.inquiries.models import Inquiry
from collab.reviews.models import Condition, Decision, Opinion


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
    if (
        db.session.scalar(sa.select(Opinion.id).filter_by(inquiry_id=inquiry.id, user_id=actor.user_id))
        is not None
    ):
        return _("You are a reviewer of this inquiry; somebody else has to decide.")
    return rules.interested(inquiry, actor)
