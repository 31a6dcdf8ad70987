"""Which areas and which hosts an inquiry may suit, with the words in common as the reason: suggestions, never more.

An area is known by its name and by what the published profile says in the same words, in both languages; a host by the
areas he or she works in and by what was taken before.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import ngettext as _n

from collab import profile
from collab.accounts import Role, User
from collab.accounts.actor import Actor
from collab.accounts.models import Membership, WorkArea
from collab.core.db import db
from collab.core.errors import NotFound
from collab.departments import AreaKind, Department
from collab.inquiries.keys import TEXTS
from collab.inquiries.models import Assignment, AssignmentKind, Conflict, HostAnswer, Inquiry
from collab.inquiries.queries import visible
from collab.search import words

#: So many are suggested at most.
MOST = 3
#: So many earlier assignments are looked at, the newest.
TAKEN = 300
#: An area has to have so much in common with a text.
ENOUGH = 1.5
#: Words that hold a sentence together and say nothing of its subject; plurals as ``_stem`` leaves them.
_ENGLISH = """
    about after again all also although always among any because been before being between both bring but can come could
    did does doing during each every few get give had has have having hence her here his how however its just like make
    many may might more most much must need not now off once only ought out over own please rather same shall she should
    since some still take than thank their them then there these they those through thu too toward under until upon very
    want well were what when where whether which while who whom whose why will wish within without would yet
"""
_CHINESE = """
    但是 你们 他们 其他 其中 因为 如何 如果 对于 并且 您好 或者 所以 是否 目前 相关 能够 请问 谢谢 贵科 贵院 通过 那个
    这个 这些 进行 需要 非常 以上 以下 可以 一个 一些 什么 关于 由于 已经
"""
_GRAMMAR = frozenset(_ENGLISH.split())
#: Taken out of the text: the pairs across their ends are no words either.
_BETWEEN = re.compile("|".join([*_CHINESE.split(), "希望", "我们"]))
#: Chinese particles and pronouns: a pair with one of them lies across two words or is none.
_PARTICLES = frozenset("的了们吗呢吧我您你他她它")
_SMALL = frozenset(
    {
        "and",
        "the",
        "for",
        "with",
        "from",
        "our",
        "your",
        "you",
        "are",
        "was",
        "that",
        "this",
        "one",
        "two",
        "into",
    }
    | {
        "other",
        "such",
        "medicine",
        "medical",
        "department",
        "research",
        "study",
        "studies",
        "using",
        "based",
        "new",
    }
    | {"研究", "医学", "科室", "方向", "项目", "以及", "我们", "希望"}
)


@dataclass(frozen=True)
class AreaHint:
    """An area, and the words that the text has in common with it."""

    code: str
    name: str
    words: tuple[str, ...]
    score: float

    @property
    def why(self) -> str:
        return _("in common: %(words)s", words=_(", ").join(self.words))


@dataclass(frozen=True)
class HostHint:
    """Somebody who could host it, and why."""

    user_id: int
    name: str
    why: str
    score: float


def areas(inquiry: Inquiry) -> list[AreaHint]:
    """The areas that the text speaks of, best first. Asks the database only after the profile has changed."""
    said = _said(inquiry)
    found = []
    for code, weights in _vocabulary(inquiry.department).items():
        common = [(weights[word], word) for word in said if word in weights]
        score = sum(weight for weight, _word in common)
        if score >= ENOUGH:
            best = [word for _weight, word in sorted(common, key=lambda one: -one[0])[:6]]
            name = inquiry.department.settings.area_name(code, str(get_locale() or "en"))
            found.append(AreaHint(code, name, _shown(best, said), score))
    return sorted(found, key=lambda one: -one.score)[:MOST]


def hosts(inquiry: Inquiry, *, seen_by: Actor, near: Iterable[AreaHint] | None = None) -> list[HostHint]:
    """Who could host it, best first; nobody with a declared conflict of interest. One query.

    :param near: what ``areas`` found.
    """
    wanted = {inquiry.area: 3.0}
    for place, one in enumerate(areas(inquiry) if near is None else near):
        wanted.setdefault(one.code, 2.0 - place * 0.5)
    settings = inquiry.department.settings
    open_ones = {area.code for area in settings.areas if area.kind is AreaKind.OPEN}
    wanted = {code: weight for code, weight in wanted.items() if code not in open_ones}
    said = _said(inquiry)
    words_said = set(said)
    names: dict[int, str] = {}
    works: dict[int, list[str]] = defaultdict(list)
    took: dict[int, Counter[str]] = defaultdict(Counter)
    common: dict[int, Counter[str]] = defaultdict(Counter)
    for user_id, name, is_area, area, title in db.session.execute(_known(inquiry, seen_by)):
        names[user_id] = name
        if is_area:
            works[user_id].append(area)
            continue
        took[user_id][area] += 1
        common[user_id].update(words_said & _content(title))
    lang = str(get_locale() or "en")
    found = []
    for user_id, name in names.items():
        why, score = [], 0.0
        for code in sorted(set(works[user_id]) & set(wanted), key=lambda code: -wanted[code]):
            why.append(_("works in %(area)s", area=settings.area_name(code, lang)))
            score += wanted[code]
        for code, number in took[user_id].items():
            if code in wanted:
                why.append(
                    _n(
                        "took %(num)s inquiry on %(area)s",
                        "took %(num)s inquiries on %(area)s",
                        number,
                        area=settings.area_name(code, lang),
                    )
                )
                score += wanted[code] * min(number, 3) / 3
        shared = [word for word, _times in common[user_id].most_common(4)]
        if len(shared) > 1 or (shared and score):
            why.append(_("in common: %(words)s", words=_(", ").join(_shown(shared, said))))
            score += 0.5 * len(shared)
        if why:
            found.append(HostHint(user_id, name, _("; ").join(why), score))
    return sorted(found, key=lambda one: (-one.score, one.name, one.user_id))[:MOST]


def _known(inquiry: Inquiry, seen_by: Actor) -> sa.CompoundSelect[Any]:
    """The areas of all hosts, and what they took before, as far as this person may see it."""
    host = sa.and_(
        Membership.user_id == User.id,
        Membership.department_id == inquiry.department_id,
        Membership.role == Role.HOST,
    )
    free = sa.and_(
        User.disabled_at.is_(None),
        User.id.not_in(sa.select(Conflict.user_id).where(Conflict.inquiry_id == inquiry.id)),
    )
    works = (
        sa.select(
            User.id,
            User.name,
            sa.true().label("is_area"),
            WorkArea.area.label("area"),
            sa.literal("").label("title"),
        )
        .join(Membership, host)
        .join(WorkArea, WorkArea.user_id == User.id)
        .where(free, WorkArea.department_id == inquiry.department_id)
    )
    newest = (
        sa.select(User.id, User.name, sa.false().label("is_area"), Inquiry.area, Inquiry.title)
        .join(Membership, host)
        .join(Assignment, Assignment.user_id == User.id)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            free,
            Assignment.kind == AssignmentKind.HOST,
            Assignment.answer.in_((HostAnswer.YES, HostAnswer.LATER)),
            Inquiry.department_id == inquiry.department_id,
            Inquiry.id != inquiry.id,
            visible(seen_by),
        )
        .order_by(Assignment.id.desc())
        .limit(TAKEN)
        .subquery()
    )
    return sa.union_all(works, sa.select(newest))


# -- words -----------------------------------------------------------------------------------------------------------

_vocabularies: dict[tuple[int, int], dict[str, dict[str, float]]] = {}


def _vocabulary(department: Department) -> Mapping[str, Mapping[str, float]]:
    """What each area's words weigh: more the fewer areas have them, and more in its name than elsewhere."""
    key = (department.id, department.content_version)
    found = _vocabularies.get(key)
    if found is None:
        if len(_vocabularies) > 32:
            _vocabularies.clear()
        found = _vocabularies[key] = _read(department)
    return found


def _read(department: Department) -> dict[str, dict[str, float]]:
    named = {
        area.code: _content(f"{area.name.en}\n{area.name.zh}")
        for area in department.settings.areas
        if area.kind is not AreaKind.OPEN
    }
    try:
        facts = profile.current(department).facts
    except NotFound:
        facts = ()
    told: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        text = _content(f"{fact.en}\n{fact.zh}\n{fact.source_text}")
        for code, name in named.items():
            if len(text & name) > 1:
                told[code] |= text
    in_names = Counter(word for code in named for word in named[code])
    often = Counter(word for code in named for word in named[code] | told[code])

    def weight(word: str, code: str) -> float:
        if word in named[code]:
            return math.log((len(named) + 1) / in_names[word])
        return 0.3 * math.log((len(named) + 1) / often[word])

    return {code: {word: weight(word, code) for word in named[code] | told[code]} for code in named}


def _said(inquiry: Inquiry) -> list[str]:
    """The words of an inquiry's text, each once, in their order."""
    text = "\n".join(str(inquiry.answers[name]) for name in TEXTS if inquiry.answers.get(name))
    return [one for one in dict.fromkeys(_stemmed(text)) if _means(one)]


def _content(text: str) -> set[str]:
    return {one for one in _stemmed(text) if _means(one)}


def _stemmed(text: str) -> Iterable[str]:
    return map(_stem, words(_BETWEEN.sub(" ", text)).split())


def _means(word: str) -> bool:
    if word in _SMALL or word in _GRAMMAR:
        return False
    return len(word) > 2 if word.isascii() else len(word) > 1 and _PARTICLES.isdisjoint(word)


def _stem(word: str) -> str:
    """English plurals are the same word."""
    if word.isascii() and len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "is", "us")):
        return word[:-3] + "y" if word.endswith("ies") else word[:-1]
    return word


def _shown(common: list[str], said: list[str]) -> tuple[str, ...]:
    """Words as people read them: pairs of signs that follow one another in the text are one word."""
    place = {word: at for at, word in enumerate(said)}
    shown: list[str] = []
    last = -2
    for word in sorted(common, key=lambda word: place.get(word, 0)):
        at = place.get(word, 0)
        if shown and at == last + 1 and not word.isascii() and shown[-1].endswith(word[0]):
            shown[-1] += word[1:]
        else:
            shown.append(word)
        last = at
    return tuple(shown)
