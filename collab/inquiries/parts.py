"""Who took which part in judging an inquiry. One person takes one part, for good.

Nobody decides on what he hosts or has reviewed, and nobody who decided is asked to host or review it afterwards,
whatever roles anybody holds by then.

The rows are written and guarded by the database (``Part``); here they are read, so that people learn why before that.
"""

import sqlalchemy as sa
from flask_babel import gettext as _

from collab.core.db import db
from collab.inquiries.models import Assignment, AssignmentKind, Inquiry, Part, PartKind

#: The part that an assignment leads to.
LEADS_TO = {AssignmentKind.HOST: PartKind.HOST, AssignmentKind.REVIEWER: PartKind.REVIEWER}


def of(inquiry: Inquiry) -> dict[int, PartKind]:
    """What each person did on an inquiry."""
    rows = db.session.execute(sa.select(Part.user_id, Part.kind).where(Part.inquiry_id == inquiry.id))
    return {user_id: kind for user_id, kind in rows}  # noqa: C416


def taken_by(inquiry: Inquiry, user_id: int | None) -> PartKind | None:
    """What one person did on an inquiry."""
    return db.session.scalar(
        sa.select(Part.kind).where(Part.inquiry_id == inquiry.id, Part.user_id == user_id)
    )


def why_not_decide(part: PartKind | None) -> str | None:
    """Why somebody who took a part may not decide; ``None`` when it is no hindrance."""
    if part is PartKind.HOST:
        return _("You are the host of this inquiry; somebody else has to decide.")
    if part is PartKind.REVIEWER:
        return _("You are a reviewer of this inquiry; somebody else has to decide.")
    return None


def why_not_ask(part: PartKind | None, kind: AssignmentKind) -> str | None:
    """Why somebody who took a part is not asked as host or reviewer; ``None`` when it is no hindrance."""
    if part is None or part is LEADS_TO[kind]:
        return None
    if part is PartKind.HEAD:
        return _("This person has decided on this inquiry; nobody decides and judges the same one.")
    return _("The same person cannot be host and reviewer of one inquiry.")


def bars_from_deciding(user_id: int | sa.BindParameter[int]) -> sa.ColumnElement[bool]:
    """The same as a condition on ``Inquiry``: the person hosted or reviewed it, or is asked to."""
    asked = sa.exists(
        sa.select(sa.literal(1)).where(
            Assignment.inquiry_id == Inquiry.id,
            Assignment.user_id == user_id,
            sa.or_(
                Assignment.kind == AssignmentKind.HOST,
                Assignment.answered_at.is_not(None),
                Assignment.released_at.is_(None),
            ),
        )
    )
    took = sa.exists(
        sa.select(sa.literal(1)).where(
            Part.inquiry_id == Inquiry.id, Part.user_id == user_id, Part.kind != PartKind.HEAD
        )
    )
    return sa.or_(asked, took)
