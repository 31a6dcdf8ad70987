"""Two inquiries of one person become one, and can be taken apart again.

The one that is joined is set aside and points to the original. Nothing is copied: letters, notes, files and history
stay where they were written and are read together, so that taking the two apart gives each back its own. What came
since then came to the original, and stays there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import audit
from collab.accounts.actor import Actor
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Invalid
from collab.inquiries import clocks, interests, notices, rules, submission, tags
from collab.inquiries.history import Kind, move, seen, take, tell
from collab.inquiries.models import STANDING_TRANSFER, Inquiry, Joining, Message, Transfer
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import Status, Step


@dataclass(frozen=True)
class Possible:
    """Whether one inquiry can be joined into another, before anybody presses a button.

    :param why_not: the reason against it.
    :param other_address: the two came from different addresses: a coordinator has to confirm that they are one
        person's.
    """

    why_not: str | None
    other_address: bool


def possible(inquiry: Inquiry, into: Inquiry, *, by: Actor) -> Possible:
    """What stands against joining one inquiry into another."""
    other_address = into.email_key != inquiry.email_key
    try:
        _refuse_pair(inquiry, into)
    except Invalid as refusal:
        return Possible(refusal.message, other_address)
    choices = rules.choices(inquiry, by, now=clock.now())
    choice = next((one for one in choices if one.step is Step.MERGE), None)
    if choice is None:
        return Possible(
            _(
                "“%(step)s” is not possible while the inquiry is “%(status)s”.",
                step=Step.MERGE.label,
                status=inquiry.status.label,
            ),
            other_address,
        )
    return Possible(choice.why_not, other_address)


def join(
    inquiry: Inquiry,
    *,
    into: Inquiry,
    same_person: bool = False,
    note: str = "",
    by: Actor,
    version: int | None = None,
) -> None:
    """The same was sent twice: this one is set aside, its texts, files and history are shown with the original (M10).

    Joined already with the same original it changes nothing.

    :param same_person: a coordinator confirms that two addresses are one person's; ``note`` says how that is known.
    """
    _take_both(inquiry, into, by=by, version=version)
    if inquiry.merged_into_id == into.id:
        return
    _refuse_pair(inquiry, into)
    other_address = into.email_key != inquiry.email_key
    if other_address and not same_person:
        raise Invalid(
            "same_person",
            _(
                "The two came from different e-mail addresses; joining them would show one person's text to another."
            ),
        )
    if other_address and not note:
        raise Invalid("note", _("Say how you know that both are one person's."))
    for one in (inquiry, into):
        if db.session.scalar(sa.select(Transfer.id).where(Transfer.inquiry_id == one.id, STANDING_TRANSFER)):
            raise Conflict(
                _("%(reference)s is about to be moved. Call that off first.", reference=one.reference)
            )
    now = clock.now()
    others = _joined_in(inquiry)
    data = {"into": into.reference} | ({"same_person": True} if other_address else {})
    move(inquiry, Step.MERGE, Status.VOID, by=by, reason=Reason.DUPLICATE, note=note or None, data=data)
    inquiry.reason = Reason.DUPLICATE
    for one in (inquiry, *others):
        one.merged_into_id = into.id
        interests.join(one, into, now, by=by)
    into.file_count += inquiry.file_count
    into.unread = False
    db.session.add(
        Joining(
            inquiry_id=inquiry.id,
            into_id=into.id,
            at=now,
            by_id=by.user_id,
            by_name=by.name,
            same_person=other_address,
            note=note or None,
            carried={
                "others": [one.id for one in others],
                "files": inquiry.file_count,
                "tags": tags.carry(inquiry, into, by=by),
            },
        )
    )
    seen(inquiry, by)
    tell(into, Kind.MERGED_HERE, by=by, data={"reference": inquiry.reference})
    if other_address:
        audit.record(
            "inquiry.same_person_confirmed",
            by=by,
            department_id=inquiry.department_id,
            on=("inquiry", inquiry.id),
            detail={"into": into.reference},
        )
    db.session.flush()
    submission.index(into, also=_joined_in(into))
    notices.merged(inquiry, into, other_address=other_address)


def part(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> None:
    """Take two apart again: each has its own back, this one is in the queue again (M2b).

    What came since they were joined stays with the original; its history says how much that is.

    :raises Conflict: they are not joined, or the original is closed and the time for it is over.
    """
    into = db.session.get(Inquiry, inquiry.merged_into_id) if inquiry.merged_into_id else None
    if into is None:
        raise Conflict(_("This inquiry is not joined with another one."))
    _take_both(inquiry, into, by=by, version=version)
    if inquiry.merged_into_id != into.id:
        raise Conflict(_("This inquiry is not joined with another one."))
    now = clock.now()
    joined = standing_of(inquiry)
    carried: dict[str, Any] = joined.carried if joined else {"others": [], "files": inquiry.file_count}
    move(inquiry, Step.RESTORE, Status.RECEIVED, by=by, data={"into": into.reference})
    inquiry.reason = None
    inquiry.merged_into_id = None
    interests.part(inquiry, into)
    for other in _joined_in(into):
        if other.id in carried["others"]:
            other.merged_into_id = inquiry.id
            interests.part(other, into)
            interests.join(other, inquiry, now, by=by)
    into.file_count = max(into.file_count - carried["files"], 0)
    tags.carry_back(into, carried.get("tags", []))
    clocks.start(inquiry, now)
    seen(inquiry, by)
    if joined is not None:
        joined.ended_at, joined.ended_by_id, joined.ended_by_name = now, by.user_id, by.name
    tell(
        into,
        Kind.PARTED_HERE,
        by=by,
        data={"reference": inquiry.reference, "stays": _came_since(into, joined.at) if joined else 0},
    )
    db.session.flush()
    for one in (inquiry, into):
        submission.index(one, also=_joined_in(one))
    notices.parted(inquiry)


def standing_of(inquiry: Inquiry) -> Joining | None:
    """How an inquiry was joined with its original, if it is."""
    return db.session.scalar(
        sa.select(Joining).where(Joining.inquiry_id == inquiry.id, Joining.ended_at.is_(None))
    )


def _take_both(inquiry: Inquiry, into: Inquiry, *, by: Actor, version: int | None) -> None:
    """Both rows, always the older one first, so that two who join the same two do not wait for each other."""
    for one in sorted({inquiry, into}, key=lambda one: one.id):
        take(one, version=version if one is inquiry else None, by=by)


def _refuse_pair(inquiry: Inquiry, into: Inquiry) -> None:
    if into.id == inquiry.id or into.department_id != inquiry.department_id:
        raise Invalid("original", _("Give the reference of another inquiry of this department."))
    if into.merged_into_id is not None or into.status in {Status.UNCONFIRMED, Status.VOID}:
        raise Invalid(
            "original", _("This one cannot be the original: it is not confirmed, set aside or merged itself.")
        )
    if into.anonymised_at is not None:
        raise Invalid("original", _("The personal data of this one are erased."))


def _joined_in(inquiry: Inquiry) -> list[Inquiry]:
    """What was joined into an inquiry, oldest first."""
    return list(
        db.session.scalars(
            sa.select(Inquiry)
            .where(Inquiry.merged_into_id == inquiry.id)
            .order_by(Inquiry.id)
            .with_for_update(of=Inquiry)
        )
    )


def _came_since(into: Inquiry, since: datetime) -> int:
    """How many letters of the partner came to an original since."""
    number = db.session.scalar(
        sa.select(sa.func.count()).where(
            Message.inquiry_id == into.id, Message.from_partner, Message.at >= since
        )
    )
    return number or 0
