"""Naming a colleague in a note: who may be named, who was, and what of it is still unread.

A note may name only people who may read it: those who see the inquiry now, with no conflict of interest declared, and
not those who are to review it without knowing whose it is. Everybody else is refused before anything is kept.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from collab.accounts import User
from collab.accounts.actor import Actor
from collab.accounts.models import Membership
from collab.accounts.permissions import ALLOWED, Permission
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Invalid
from collab.core.text import fold
from collab.inquiries.models import Assignment, AssignmentKind, Conflict, Declaration, Inquiry, Mention, Note
from collab.inquiries.queries import visible_by_name
from collab.inquiries.statuses import Status

#: So many can be told of one note; who wants to reach more calls a meeting.
MOST = 10


def may_read(inquiry: Inquiry) -> sa.Select[int, str]:
    """Id and name of everybody who may read this inquiry and its notes now; the same rules as ``queries.visible``."""
    holds = sa.select(sa.literal(1)).where(
        Membership.user_id == User.id, Membership.department_id == inquiry.department_id
    )
    given = (
        sa.select(sa.literal(1))
        .select_from(Assignment)
        .join(
            Declaration,
            sa.and_(
                Declaration.inquiry_id == Assignment.inquiry_id, Declaration.user_id == Assignment.user_id
            ),
        )
        .where(
            Assignment.inquiry_id == inquiry.id,
            Assignment.user_id == User.id,
            Assignment.released_at.is_(None),
            Declaration.clean,
        )
    )
    if inquiry.department.settings.review.blind and inquiry.light is None:
        given = given.where(
            sa.or_(Assignment.kind == AssignmentKind.HOST, Assignment.answered_at.is_not(None))
        )
    closed = sa.select(sa.literal(1)).where(Conflict.inquiry_id == inquiry.id, Conflict.user_id == User.id)
    everything = sa.exists(holds.where(Membership.role.in_(ALLOWED[Permission.SEE_ALL_INQUIRIES])))
    allowed: list[sa.ColumnElement[bool]] = [everything]
    if inquiry.status is not Status.UNCONFIRMED:
        part = sa.exists(holds.where(Membership.role.in_(ALLOWED[Permission.SEE_INQUIRIES])))
        allowed.append(sa.and_(part, sa.exists(given)))
    return sa.select(User.id, User.name).where(
        User.disabled_at.is_(None), sa.or_(*allowed), ~sa.exists(closed)
    )


def readers(inquiry: Inquiry) -> dict[int, str]:
    """Everybody who may be named in a note on an inquiry: id and name, by name."""
    rows = db.session.execute(may_read(inquiry).order_by(User.name, User.id))
    return {id: name for id, name in rows}  # noqa: C416


def colleagues(department_id: int) -> dict[int, str]:
    """Everybody who works in a department: whose names mean somebody when they stand behind an @."""
    rows = db.session.execute(
        sa.select(User.id, User.name).where(
            User.disabled_at.is_(None),
            User.id.in_(sa.select(Membership.user_id).where(Membership.department_id == department_id)),
        )
    )
    return {id: name for id, name in rows}  # noqa: C416


def named(body: str, names: Iterable[str]) -> list[str]:
    """Which of some names stand behind an @ in a text, each once, in the order of the text. The longest fits first.

    >>> named("@Li Na please ask @李娜", ["Li", "Li Na", "李娜"])
    ['Li Na', '李娜']
    """
    known = sorted(set(names), key=len, reverse=True)
    found: list[str] = []
    for at in re.finditer(r"(?<![A-Za-z0-9._%+-])[@＠]", body):
        rest = body[at.end() : at.end() + 400]
        for name in known:
            ahead = rest[: len(name)]
            if fold(ahead) == fold(name) and _ends(ahead, rest[len(name) : len(name) + 1]):
                if name not in found:
                    found.append(name)
                break
    return found


def _ends(name: str, after: str) -> bool:
    """Whether a name ends here; Chinese names are followed by text without a space."""
    return not (after.isalnum() and after.isascii() and name[-1:].isascii())


def told_by(inquiry: Inquiry, body: str, chosen: Iterable[int], *, by: Actor) -> list[int]:
    """Whom a note tells: who was chosen, and who is named in the text; never oneself.

    :raises Invalid: at ``tell`` or ``note``: somebody who may not read the inquiry, or a name that fits two people.
    """
    may = readers(inquiry)
    told = list(dict.fromkeys(chosen))
    for id in told:
        if id not in may:
            raise Invalid(
                "tell", _("One of those you chose may not see this inquiry any more. Choose again.")
            )
    known = colleagues(inquiry.department_id)
    for name in named(body, known.values()):
        fitting = [id for id, one in known.items() if one == name]
        able = [id for id in fitting if id in may]
        if not able:
            raise Invalid(
                "note",
                _(
                    "%(name)s may not see this inquiry: not asked about it, or kept away from it. Take the name out, "
                    "or write it without @.",
                    name=name,
                ),
            )
        if not set(able) & set(told):
            if len(able) > 1:
                raise Invalid(
                    "note",
                    _("More than one person is called %(name)s. Choose below who is meant.", name=name),
                )
            told.append(able[0])
    told = [id for id in told if id != by.user_id]
    if len(told) > MOST:
        raise Invalid("tell", _("At most %(most)s people can be told of one note.", most=MOST))
    return told


def keep(entry: Note, told: Sequence[int]) -> list[User]:
    """Write down who is told of a note."""
    for id in told:
        db.session.add(Mention(note_id=entry.id, user_id=id, at=entry.at))
    return [db.session.get_one(User, id) for id in told]


def read(inquiry: Inquiry, *, by: Actor) -> None:
    """Whoever acts has read every note on this inquiry that named him."""
    notes = sa.select(Note.id).where(Note.inquiry_id == inquiry.id)
    db.session.execute(
        sa.update(Mention)
        .where(Mention.user_id == by.user_id, Mention.read_at.is_(None), Mention.note_id.in_(notes))
        .values(read_at=clock.now())
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True)
class Unread:
    """A note that names the reader, not read yet."""

    reference: str
    note_id: int
    who: str
    at: datetime
    body: str


def unread(actor: Actor, note_ids: Sequence[int]) -> list[Unread]:
    """Of some notes those that name the reader, are unread and open to him, newest first."""
    if actor.user_id is None or not note_ids:
        return []
    rows = db.session.execute(
        sa.select(Inquiry.reference, Note.id, Note.author_name, Note.at, Note.body)
        .select_from(Mention)
        .join(Note, Note.id == Mention.note_id)
        .join(Inquiry, Inquiry.id == Note.inquiry_id)
        .where(
            Mention.note_id.in_(sorted(note_ids)),
            Mention.user_id == actor.user_id,
            Mention.read_at.is_(None),
            visible_by_name(actor),
        )
        .order_by(Note.id.desc())
    )
    return [Unread(*row) for row in rows]
