"""Who wrote before: likely duplicates and earlier inquiries of one person or institution, each with the reason.

An inquiry's keys (``inquiries.keys``) are kept when its e-mail is confirmed. Looking for others walks each key from its
newest on and stops after a few: it costs the same at a thousand inquiries and at a million, however common a name is.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import gettext as _

from collab.accounts.actor import Actor
from collab.core.db import connection, db
from collab.inquiries import blind, keys
from collab.inquiries.models import Inquiry, LikenessKey
from collab.inquiries.queries import _ME, EXTRAORDINARY, _ask, _roles_of, _visible
from collab.inquiries.statuses import Status

#: So many newest inquiries of each key are looked at, and so many in all are compared word by word.
HEAD = 20
COMPARED = 24
_NO_KEY = -1
_KEY = sa.insert(cast(sa.Table, LikenessKey.__table__))


@dataclass(frozen=True)
class Hit:
    """Another inquiry, and why it is shown.

    :param percent: how much of the shorter text stands in the other.
    :param score: how strong the reasons are together; only for the order.
    """

    id: int
    reference: str
    title: str
    full_name: str
    institution_name: str
    status: Status
    submitted_at: datetime
    same_address: bool
    same_name: bool
    same_institution: bool
    same_title: bool
    percent: int
    score: int

    @property
    def same_person(self) -> bool:
        """Most likely the same person wrote both."""
        return self.same_address or (self.same_name and self.same_institution)

    @property
    def likely(self) -> bool:
        """Likely the same message, sent twice."""
        return (self.same_person and (self.same_title or self.percent > 0)) or self.percent >= 90

    @property
    def why(self) -> str:
        """The reasons as a reader takes them."""
        said = [_("same address")] if self.same_address else []
        if self.same_name and self.same_institution:
            said.append(_("same name and institution"))
        elif self.same_name:
            said.append(_("same name"))
        elif self.same_institution:
            said.append(_("same institution"))
        if self.same_title:
            said.append(_("same title"))
        if self.percent:
            said.append(_("text %(number)s %% alike", number=self.percent))
        return " · ".join(said)


def remember(inquiry: Inquiry) -> None:
    """Keep an inquiry's keys, instead of those it had."""
    forget(inquiry)
    found = keys.of(inquiry.department_id, keys.traits_of(inquiry)).values()
    connection().execute(_KEY, [{"key": key, "inquiry_id": inquiry.id} for key in sorted(set(found))])


def forget(inquiry: Inquiry) -> None:
    """Nothing of an inquiry is compared any more."""
    db.session.execute(sa.delete(LikenessKey).where(LikenessKey.inquiry_id == inquiry.id))


def hits(inquiry: Inquiry, *, seen_by: Actor) -> list[Hit]:
    """Others like it, as far as this person may see whose they are; the most likely first. One query for all."""
    if inquiry.anonymised_at is not None or inquiry.texts_deleted_at is not None:
        return []
    settings = inquiry.department.settings.hints
    mine = keys.traits_of(inquiry)
    asked = sorted(set(keys.of(inquiry.department_id, mine).values()))[: keys.MOST]
    bound = {f"key{number}": key for number, key in enumerate(asked)}
    rows = _ask(
        _alike(_roles_of(seen_by), blind.departments(seen_by)),
        seen_by,
        department=inquiry.department_id,
        self=inquiry.id,
        **{f"key{number}": _NO_KEY for number in range(keys.MOST)} | bound,
    )
    found = [_compared(row, mine, settings.text_percent) for row in rows]
    found = [one for one in found if one.score > 0]
    found.sort(key=lambda one: (-one.score, -one.id))
    return found[: settings.most]


def _compared(row: Any, mine: keys.Traits, least: int) -> Hit:
    theirs = keys.traits_of(row)
    percent = round(100 * keys.alike(mine.runs, theirs.runs))
    percent = percent if percent >= least else 0
    same_address = mine.address == theirs.address
    same_name = bool(set(mine.names) & set(theirs.names))
    same_institution = (bool(mine.ror) and mine.ror == theirs.ror) or bool(
        set(mine.institutions) & set(theirs.institutions)
    )
    same_title = bool(mine.title) and mine.title == theirs.title
    return Hit(
        id=row.id,
        reference=row.reference,
        title=row.title,
        full_name=row.full_name,
        institution_name=row.institution_name,
        status=row.status,
        submitted_at=row.submitted_at,
        same_address=same_address,
        same_name=same_name,
        same_institution=same_institution,
        same_title=same_title,
        percent=percent,
        score=100 * same_address
        + percent
        + 40 * same_title
        + (60 if same_name and same_institution else 20 * same_name + 10 * same_institution),
    )


@lru_cache(maxsize=64)
def _alike(actor: Actor, blindly: frozenset[int]) -> sa.Select[Any]:
    """Those that share keys, most shared first. The heads are of one department: a key is never another one's.

    :param blindly: in these departments the actor reads what is to be reviewed without learning whose it is.
    """
    heads = []
    for number in range(keys.MOST):
        head = (
            sa.select(LikenessKey.inquiry_id)
            .where(
                LikenessKey.key == sa.bindparam(f"key{number}", type_=sa.BigInteger),
                LikenessKey.inquiry_id != sa.bindparam("self", type_=sa.Integer),
            )
            .order_by(LikenessKey.inquiry_id.desc())
            .limit(HEAD)
            .subquery()
        )
        heads.append(sa.select(head.c.inquiry_id))
    together = sa.union_all(*heads).subquery()
    shared = (
        sa.select(together.c.inquiry_id, sa.func.count().label("shared"))
        .group_by(together.c.inquiry_id)
        .order_by(sa.desc("shared"), together.c.inquiry_id.desc())
        .limit(COMPARED)
        .subquery()
    )
    return (
        sa.select(
            Inquiry.id,
            Inquiry.reference,
            Inquiry.title,
            Inquiry.full_name,
            Inquiry.email,
            Inquiry.institution_name,
            Inquiry.institution_ror,
            Inquiry.status,
            Inquiry.submitted_at,
            Inquiry.answers,
        )
        .join(shared, shared.c.inquiry_id == Inquiry.id)
        .where(
            Inquiry.department_id == sa.bindparam("department", type_=sa.Integer),
            Inquiry.status.not_in(EXTRAORDINARY),
            _visible(actor, steer=True),
            ~blind.in_these(blindly, _ME),
        )
    )
