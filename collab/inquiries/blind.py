"""Blind first reading: whose inquiry it is stays hidden from a reviewer until the own review is in.

Whether somebody reads blind says ``interests.reads_blind`` of one inquiry, ``among`` of the rows of a list, and
``read_by`` as a condition of a statement; what cannot cover its rows leaves them out
(``queries.visible_by_name``). What stands in columns is left out; here it is covered where the partner wrote it into a
text. Files cannot be covered: only their names are hidden.
"""

import re
from collections.abc import Collection
from typing import Any, Protocol

import sqlalchemy as sa
from babel import Locale

from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, departments_where
from collab.core.db import db
from collab.departments import Department
from collab.inquiries.models import Assignment, AssignmentKind, Inquiry

#: What stands where something is covered.
COVER = "▒▒▒"
#: Parts of names shorter than this are words of their own too often.
SHORTEST = 3
#: Where the name of an institution is taken apart: at signs, and behind what a Chinese name ends with.
_IN_INSTITUTION = re.compile(r"[\s,.·/()（）&-]+|(?<=大学)|(?<=医院)|(?<=学院)|(?<=研究所)|(?<=研究院)")
#: Words of institutions' names that tell nothing.
_COMMON = frozenset(
    {
        "academy", "and", "center", "centre", "central", "city", "clinic", "clinical", "college", "department", "for",
        "foundation", "general", "health", "hospital", "institut", "institute", "international", "klinikum",
        "laboratory", "medical", "medicine", "national", "public", "research", "royal", "school", "science", "sciences",
        "state", "technical", "technology", "the", "und", "universidad", "universita", "universität",
        "universitätsklinikum", "université", "university", "研究所", "研究院", "附属医院",
    }
)  # fmt: skip


class Written(Protocol):
    """What tells whose it is; an inquiry, or a row of a list."""

    @property
    def full_name(self) -> str: ...

    @property
    def institution_name(self) -> str: ...

    @property
    def country(self) -> str: ...


def veiled(text: str, about: Written) -> str:
    """A text with the partner's name, address, institution and country covered."""
    for word in _telling(about):
        pattern = re.escape(word)
        if word[0].isascii() and word[-1].isascii():
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, COVER, text, flags=re.IGNORECASE)
    return text


def file_name(number: int, filename: str) -> str:
    """What a file is called for somebody who must not learn whose it is: its number and its kind."""
    _stem, dot, ending = filename.rpartition(".")
    known = dot and ending.isascii() and ending.isalnum() and len(ending) <= 5
    return f"file-{number}.{ending.lower()}" if known else f"file-{number}"


def departments(actor: Actor) -> frozenset[int]:
    """The departments that read blind in which a person sees only what was given to this person."""
    given = departments_where(actor, Permission.SEE_INQUIRIES)
    given -= departments_where(actor, Permission.SEE_ALL_INQUIRIES)
    return frozenset(id for id in given if db.session.get_one(Department, id).settings.review.blind)


def among(ids: Collection[int], actor: Actor) -> set[int]:
    """Which of some inquiries a person reads blind. Nothing is asked where no department does."""
    where = departments(actor) if ids else frozenset()
    if not where:
        return set()
    return set(
        db.session.scalars(sa.select(Inquiry.id).where(Inquiry.id.in_(ids), in_these(where, actor.user_id)))
    )


def all_of(actor: Actor) -> set[int]:
    """Every inquiry a person reads blind; few at any time."""
    where = departments(actor)
    return (
        set(db.session.scalars(sa.select(Inquiry.id).where(in_these(where, actor.user_id))))
        if where
        else set()
    )


def read_by(actor: Actor) -> sa.ColumnElement[bool]:
    """The same as a condition on ``Inquiry``; nobody's where no department reads blind."""
    return in_these(departments(actor), actor.user_id)


def in_these(where: Collection[int], user_id: Any) -> sa.ColumnElement[bool]:
    """The condition itself, of some departments that read blind: for statements that are built before anybody asks.

    On the light path nothing is read blind.
    """
    if not where:
        return sa.false()
    to_be_reviewed = sa.select(Assignment.inquiry_id).where(
        Assignment.user_id == user_id,
        Assignment.kind == AssignmentKind.REVIEWER,
        Assignment.released_at.is_(None),
        Assignment.answered_at.is_(None),
    )
    return sa.and_(
        Inquiry.light.is_(None),
        (Inquiry.department_id + 0).in_(sorted(where)),
        Inquiry.id.in_(to_be_reviewed),
    )


def _telling(about: Written) -> list[str]:
    """The words that tell who it is, the longest first, so that a whole name is covered as one."""
    parts = [part for part in re.split(r"[\s,.·]+", about.full_name) if len(part) >= SHORTEST]
    countries = [
        str(Locale.parse(locale).territories.get(about.country, "")) for locale in ("en_GB", "zh_Hans_CN")
    ]
    address = str(getattr(about, "email", ""))
    places = [
        part
        for part in _IN_INSTITUTION.split(about.institution_name)
        if len(part) >= SHORTEST and part.casefold() not in _COMMON
    ]
    words = {
        about.full_name,
        about.institution_name,
        address,
        address.rpartition("@")[2],
        *parts,
        *places,
        *countries,
    }
    return sorted((word for word in words if word and word != "–"), key=len, reverse=True)
