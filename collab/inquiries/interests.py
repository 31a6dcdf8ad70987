"""Interests (domain.md C): declared for each inquiry and person, before the file opens; and what the portal suspects.

Whoever is asked as host or reviewer answers ``QUESTIONS`` one by one, and reads the inquiry when all answers are no.
One yes closes the file to that person everywhere and for good: a ``Conflict``, which ``queries.visible`` and everything
that goes through it leave out. Who is asked about, and what is known of the two that could be an interest, is a
suggestion with its reason; a person judges it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import aliased

from collab.accounts import User
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core.db import db
from collab.core.errors import Forbidden, Invalid, NotFound
from collab.departments import Department, Track
from collab.inquiries import blind, clocks, gates, keys, notices, rules
from collab.inquiries.history import Kind, take, tell
from collab.inquiries.models import Assignment, AssignmentKind, Conflict, Declaration, Inquiry
from collab.inquiries.queries import given_or_visible, visible
from collab.inquiries.statuses import Status

#: What is asked before the file opens, one by one, each answered with yes or no.
QUESTIONS: dict[str, LazyString] = {
    "family": _l("Are you related to the person, or do you live in one household?"),
    "supervision": _l("Is or was the person your student or your supervisor?"),
    "work": _l("Did you publish together, or share a grant or a patent, in the last 36 months?"),
    "institution": _l("Did you work at the same institution in the last 12 months?"),
    "money": _l("Do you, or people close to you, stand to gain or lose money by it?"),
    "dispute": _l("Is there a dispute between you that is known?"),
    "doubt": _l("Would a reasonable outsider doubt that you judge without bias?"),
}
#: Earlier inquiries looked through for people who had to do with them.
_EARLIER = 50


# -- declaring -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody sees of an inquiry that is not open to him yet: enough to judge an interest, and nothing else.

    :param full_name: empty, like institution and country, for a blind first reading.
    :param suggested: what the portal knows of the two that could be an interest; nothing for a blind first reading.
    """

    reference: str
    department: Department
    track: Track
    area: str
    full_name: str = ""
    institution_name: str = ""
    country: str = ""
    suggested: tuple["Suggestion", ...] = ()
    blind: bool = False


def asked_of(reference: str, *, seen_by: Actor) -> Asked | None:
    """What to declare an interest on before an inquiry opens; ``None`` when it is open to this person.

    :raises NotFound: there is none, or it is neither given to this person nor to be seen.
    """
    inquiry = _given(reference, seen_by)
    if seen_by.user_id is None or declaration_of(inquiry, seen_by.user_id) is not None:
        return None
    blind = reads_blind(inquiry, seen_by)
    known = {} if blind else _known(inquiry, seen_by)
    return Asked(
        reference=inquiry.reference,
        department=inquiry.department,
        track=inquiry.track,
        area=inquiry.area,
        blind=blind,
        **known,
    )


def _known(inquiry: Inquiry, actor: Actor) -> dict[str, Any]:
    person = db.session.get_one(User, actor.user_id)
    return {
        "suggested": tuple(suggest(inquiry, [person], seen_by=actor)[person.id]),
        "full_name": inquiry.full_name,
        "institution_name": inquiry.institution_name,
        "country": inquiry.country,
    }


def reads_blind(inquiry: Inquiry, actor: Actor) -> bool:
    """Whether a person must not learn whose inquiry it is before reviewing it: a reviewer, and nothing else in it."""
    if not inquiry.department.settings.review.blind or inquiry.light is not None:
        return False
    if may(actor, Permission.SEE_ALL_INQUIRIES, inquiry.department_id):
        return False
    mine = [one for one in rules.active_assignments(inquiry) if one.user_id == actor.user_id]
    return bool(mine) and all(one.kind is AssignmentKind.REVIEWER and one.answered_at is None for one in mine)


def inquiry_to_declare(reference: str, *, by: Actor) -> Inquiry:
    """The inquiry behind ``asked_of``, for ``declare`` and for nothing that is shown.

    :raises NotFound: as there.
    """
    return _given(reference, by)


def _given(reference: str, actor: Actor) -> Inquiry:
    inquiry = db.session.scalars(
        sa.select(Inquiry).where(Inquiry.reference == reference, given_or_visible(actor))
    ).one_or_none()
    if inquiry is None:
        raise NotFound
    return inquiry


def declaration_of(inquiry: Inquiry, user_id: int) -> Declaration | None:
    """What a person declared on an inquiry."""
    return db.session.get(Declaration, (inquiry.id, user_id))


def has_to_declare(inquiry: Inquiry, actor: Actor) -> bool:
    """Whether a person who is asked about an inquiry has not declared yet; asks the database only of those who are."""
    mine = any(one.user_id == actor.user_id for one in rules.active_assignments(inquiry))
    return mine and actor.user_id is not None and declaration_of(inquiry, actor.user_id) is None


def require(inquiry: Inquiry, by: Actor) -> None:
    """Before somebody judges or decides: make sure that he declared to have no interest.

    :raises Forbidden: not declared yet, or declared to have one.
    """
    found = declaration_of(inquiry, by.user_id) if by.user_id is not None else None
    if found is None:
        raise Forbidden(_("First say whether you have a conflict of interest with this inquiry."))
    if not found.clean:
        raise Forbidden(_("You declared a conflict of interest for this inquiry; it is closed to you."))


def declare(inquiry: Inquiry, answers: Mapping[str, bool | None], *, by: Actor) -> bool:
    """Answer the questions: all no, and the file opens; one yes, and it closes to this person.

    What was declared stays; whoever learns of an interest later uses ``close``.

    :raises Invalid: a question is not answered.
    :returns: whether the file is open.
    """
    now = take(inquiry, by=by)
    if by.user_id is None or not _is_concerned(inquiry, by):
        raise Forbidden
    before = declaration_of(inquiry, by.user_id)
    if before is not None:
        return before.clean
    for question in QUESTIONS:
        if not isinstance(answers.get(question), bool):
            raise Invalid(question, _("Answer yes or no."))
    clean = not any(answers[question] for question in QUESTIONS)
    db.session.add(
        Declaration(
            inquiry_id=inquiry.id,
            user_id=by.user_id,
            declared_at=now,
            clean=clean,
            answers={question: answers[question] for question in QUESTIONS},
        )
    )
    db.session.flush()
    if clean:
        tell(inquiry, Kind.DECLARED, by=by)
    else:
        close(inquiry, by=by)
    return clean


def hosted(inquiry: Inquiry, user_id: int) -> bool:
    """Whether a person is the host of this very inquiry, or was and had answered: an interest by definition."""
    return any(
        one.user_id == user_id
        and one.kind is AssignmentKind.HOST
        and (one.released_at is None or one.answered_at is not None)
        for one in inquiry.assignments
    )


def _is_concerned(inquiry: Inquiry, actor: Actor) -> bool:
    return may(actor, Permission.SEE_ALL_INQUIRIES, inquiry.department_id) or any(
        one.user_id == actor.user_id for one in rules.active_assignments(inquiry)
    )


# -- closing ---------------------------------------------------------------------------------------------------------


def close(inquiry: Inquiry, *, by: Actor) -> None:
    """Somebody has an interest: the file, and all that was joined with it, closes to that person everywhere."""
    now = take(inquiry)
    if by.user_id is None:
        raise Forbidden
    if db.session.get(Conflict, (inquiry.id, by.user_id)) is not None:
        return
    tell(inquiry, Kind.CONFLICT, by=by)
    _close(inquiry, by.user_id, now, by=by)
    for other in _joined_with(inquiry):
        if db.session.get(Conflict, (other.id, by.user_id)) is None:
            _close(other, by.user_id, now, through=inquiry, by=by)
            clocks.set_due(other, now)
    clocks.set_due(inquiry, now)
    notices.conflict_declared(inquiry, by)


def _close(
    inquiry: Inquiry, user_id: int, now: datetime, *, through: Inquiry | None = None, by: Actor
) -> None:
    db.session.add(
        Conflict(
            inquiry_id=inquiry.id,
            user_id=user_id,
            declared_at=now,
            through_id=through.id if through else None,
        )
    )
    taken_off = [one for one in rules.active_assignments(inquiry) if one.user_id == user_id]
    for assignment in taken_off:
        assignment.released_at = now
    if inquiry.coordinator_id == user_id:
        inquiry.coordinator_id = None
    db.session.flush()
    if any(one.kind is AssignmentKind.HOST and one.answer is not None for one in taken_off):
        gates.host_has_answered(inquiry, by=by)  # what this host said counts no more


def _joined_with(inquiry: Inquiry) -> list[Inquiry]:
    """The other inquiries of one file: what was merged into it, what it was merged into, and what else was."""
    root = inquiry.merged_into_id or inquiry.id
    return list(
        db.session.scalars(
            sa.select(Inquiry)
            .where(sa.or_(Inquiry.id == root, Inquiry.merged_into_id == root), Inquiry.id != inquiry.id)
            .order_by(Inquiry.id)
            .with_for_update(of=Inquiry)
        )
    )


def join(inquiry: Inquiry, into: Inquiry, now: datetime, *, by: Actor) -> None:
    """Two inquiries become one file: whoever may not see the one sees neither."""
    for one, other in ((inquiry, into), (into, inquiry)):
        theirs = set(db.session.scalars(sa.select(Conflict.user_id).where(Conflict.inquiry_id == other.id)))
        for conflict in list(
            db.session.scalars(
                sa.select(Conflict).where(Conflict.inquiry_id == one.id, Conflict.through_id.is_(None))
            )
        ):
            if conflict.user_id not in theirs:
                _close(other, conflict.user_id, now, through=one, by=by)


def part(inquiry: Inquiry, into: Inquiry) -> None:
    """Joining was undone: what was declared for the one does not close the other any more."""
    for one, other in ((inquiry, into), (into, inquiry)):
        db.session.execute(
            sa.delete(Conflict).where(Conflict.inquiry_id == one.id, Conflict.through_id == other.id)
        )


# -- what the portal suspects ----------------------------------------------------------------------------------------


class Link(StrEnum):
    """What could be an interest."""

    NAME = "name"
    INSTITUTION = "institution"
    DOMAIN = "domain"
    EARLIER_PERSON = "earlier_person"
    EARLIER_INSTITUTION = "earlier_institution"

    @property
    def label(self) -> LazyString:
        return {
            Link.NAME: _l("the same name as the partner"),
            Link.INSTITUTION: _l("the same institution as the partner's"),
            Link.DOMAIN: _l("an e-mail address at the same place"),
            Link.EARLIER_PERSON: _l("had to do with an earlier inquiry of the same person"),
            Link.EARLIER_INSTITUTION: _l("had to do with an earlier inquiry of the same institution"),
        }[self]


@dataclass(frozen=True, order=True)
class Suggestion:
    """One possible interest of one person, with its reason, for somebody to judge.

    :param detail: what the two have in common: a domain, a reference.
    """

    link: Link
    detail: str = ""

    @property
    def words(self) -> str:
        """The reason as a reader takes it."""
        label = str(self.link.label)
        return _("%(what)s (%(detail)s)", what=label, detail=self.detail) if self.detail else label


def suggest(
    inquiry: Inquiry, people: Iterable[User], *, seen_by: Actor | None = None
) -> dict[int, list[Suggestion]]:
    """What could be an interest of each of some people; two queries, however many they are.

    :param seen_by: who reads it: references of inquiries this person may not see are left out.
    """
    people = list(people)
    found: dict[int, list[Suggestion]] = {person.id: [] for person in people}
    own = inquiry.department.settings.institution
    same_institution = any(
        same_institution_name(inquiry.institution_name, own.get(lang)) for lang in ("en", "zh")
    )
    domain = domain_of(inquiry.email)
    for person in people:
        if same_name(inquiry.full_name, person.name):
            found[person.id].append(Suggestion(Link.NAME))
        if same_institution:
            found[person.id].append(Suggestion(Link.INSTITUTION))
        if domain and same_place(domain, domain_of(person.email)):
            found[person.id].append(Suggestion(Link.DOMAIN, domain))
    for person_id, suggestion in _earlier(inquiry, list(found), seen_by):
        found[person_id].append(suggestion)
    return found


def _earlier(
    inquiry: Inquiry, user_ids: list[int], seen_by: Actor | None
) -> Iterable[tuple[int, Suggestion]]:
    """People who hosted or reviewed an earlier inquiry of the same person or institution."""
    if not user_ids:
        return
    other = aliased(Inquiry)
    heads = []
    same: list[sa.ColumnElement[bool]] = [
        other.email_key == inquiry.email_key,
        other.institution_name == inquiry.institution_name,
    ]
    if inquiry.institution_ror:
        same.append(other.institution_ror == inquiry.institution_ror)
    for condition in same:
        head = (
            sa.select(other.id)
            .where(
                condition,
                other.id != inquiry.id,
                other.department_id == inquiry.department_id,
                other.status.not_in([Status.UNCONFIRMED, Status.VOID]),
            )
            .order_by(other.id.desc())
            .limit(_EARLIER)
            .subquery()
        )
        heads.append(sa.select(head.c.id))
    together = sa.union(*heads).subquery()
    rows = db.session.execute(
        sa.select(
            Assignment.user_id,
            (Inquiry.email_key == inquiry.email_key).label("same_person"),
            Inquiry.reference,
            (visible(seen_by) if seen_by is not None else sa.true()).label("seen"),
        )
        .join(together, together.c.id == Assignment.inquiry_id)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            Assignment.user_id.in_(user_ids),
            sa.or_(Assignment.released_at.is_(None), Assignment.answered_at.is_not(None)),
            *([~blind.read_by(seen_by)] if seen_by is not None else []),
        )
        .order_by(Inquiry.id.desc())
    )
    told: set[tuple[int, Link]] = set()
    for user_id, same_person, reference, seen in rows:
        link = Link.EARLIER_PERSON if same_person else Link.EARLIER_INSTITUTION
        if (user_id, link) not in told:
            told.add((user_id, link))
            yield user_id, Suggestion(link, reference if seen else "")


def why_judge(person: User, suspected: Iterable[Suggestion]) -> str:
    """That somebody has to judge a possible interest before a person is asked, as a sentence."""
    return _(
        "%(name)s may have a conflict of interest: %(why)s. Tick that you judged it to be none, or ask another person.",
        name=person.name,
        why=_(", ").join(one.words for one in suspected),
    )


def domain_of(email: str) -> str:
    """The domain of an address as far as it says where somebody works; empty for providers open to anybody."""
    domain = email.rpartition("@")[2].casefold().rstrip(".")
    return "" if domain in _public_domains() or "." not in domain else domain


def same_place(one: str, other: str) -> bool:
    """Whether two domains belong together: equal, or one within the other."""
    if not one or not other:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


@lru_cache(maxsize=1)
def _public_domains() -> frozenset[str]:
    lines = (files("collab.inquiries") / "public_mail.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def same_name(one: str, other: str) -> bool:
    """Whether two spellings may name one person: the same in one script, or the same words in any order."""
    if set(keys.names_of(one)) & set(keys.names_of(other)):
        return True
    return bool(name_key(one)) and name_key(one) == name_key(other)


def name_key(name: str) -> str:
    """A name without what varies in writing it: case, accents, titles, the order of its parts."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    words = [word for word in re.findall(r"\w+", plain) if word not in keys.TITLES]
    return " ".join(sorted(words))


def same_institution_name(one: str, other: str) -> bool:
    """Whether two spellings name one institution: equal but for case and punctuation, or one within the other."""
    short, long = sorted((_institution_key(one), _institution_key(other)), key=len)
    if short == long:
        return bool(short)
    enough = len(short.split()) >= 2 or (not short.isascii() and len(short) >= 4)
    return enough and (f" {short} " in f" {long} " or (not short.isascii() and short in long))


def _institution_key(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name.casefold())
    return " ".join(word for word in re.findall(r"\w+", folded) if word not in {"the", "of"})
