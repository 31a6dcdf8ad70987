"""What stands in the margin of an inquiry's page: its tags, who can be told of a note, who was told. One query."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from collab.accounts import User
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core.db import db
from collab.core.text import fold
from collab.inquiries import mentions
from collab.inquiries.models import Inquiry, InquiryTag, Mention, Note, Tag


@dataclass
class Margin:
    """The margin of one inquiry.

    :ivar tags: what is on it: id and name.
    :ivar offered: the names of the department's other tags, for those who may put one on.
    :ivar people: who can be told of a note: id and name.
    :ivar told: who was told of each note.
    :ivar unread: the notes that name the reader and that he has not read.
    """

    tags: list[tuple[int, str]] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    people: list[tuple[int, str]] = field(default_factory=list)
    told: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    unread: set[int] = field(default_factory=set)


def margin(inquiry: Inquiry, *, seen_by: Actor, merged: Sequence[Inquiry] = ()) -> Margin:
    """The margin as this person sees it.

    :param merged: inquiries whose notes stand on the page as well.
    """
    on = sa.and_(InquiryTag.tag_id == Tag.id, InquiryTag.inquiry_id == inquiry.id)
    tags = sa.select(
        sa.literal("tag").label("what"),
        Tag.id.label("id"),
        Tag.name.label("name"),
        sa.case((InquiryTag.inquiry_id.is_(None), 0), else_=1).label("more"),
    )
    if may(seen_by, Permission.SEE_ALL_INQUIRIES, inquiry.department_id):
        tags = tags.outerjoin(InquiryTag, on).where(
            Tag.department_id == inquiry.department_id,
            Tag.merged_into_id.is_(None),
            sa.or_(Tag.retired_at.is_(None), InquiryTag.inquiry_id.is_not(None)),
        )
    else:
        tags = tags.join(InquiryTag, on)
    mine = sa.and_(Mention.user_id == seen_by.user_id, Mention.read_at.is_(None))
    told = (
        sa.select(sa.literal("told"), Mention.note_id, User.name, sa.case((mine, 1), else_=0))
        .select_from(Mention)
        .join(Note, Note.id == Mention.note_id)
        .join(User, User.id == Mention.user_id)
        .where(Note.inquiry_id.in_([inquiry.id, *(one.id for one in merged)]))
    )
    who = mentions.may_read(inquiry).subquery()
    people = sa.select(sa.literal("person"), who.c.id, who.c.name, sa.literal(0))
    found = Margin()
    rows = db.session.execute(sa.union_all(tags, told, people)).all()
    for what, id, name, more in sorted(rows, key=lambda row: (fold(row.name), row.id)):
        if what == "tag" and more:
            found.tags.append((id, name))
        elif what == "tag":
            found.offered.append(name)
        elif what == "person":
            if id != seen_by.user_id:
                found.people.append((id, name))
        else:
            found.told[id].append(name)
            if more:
                found.unread.add(id)
    return found
