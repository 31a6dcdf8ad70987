"""A view of the queue: what it shows and in which order. No database: an address, a form, a line of text is the same.

Most parts hold several values, ``a,b``, or leave some out, ``-a,-b``; empty is everything. What a part may hold is
what the queue can answer at any size: along an index, or by looking at a bounded number of rows (decision 23).
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any, Self

from babel import Locale

from collab.core.errors import Invalid
from collab.core.text import HiddenCharacters, clean_line
from collab.departments.tracks import Track
from collab.inquiries.statuses import CLOSED, OPEN, OURS, Status

#: Piles of several statuses, by their word in the address.
GROUPS: dict[str, frozenset[Status]] = {"open": OPEN, "closed": CLOSED}
#: Without a status the queue shows everything but what nobody confirmed and what was set aside.
EXTRAORDINARY = (Status.UNCONFIRMED, Status.VOID)
ORDINARY = frozenset(Status) - frozenset(EXTRAORDINARY)
SORTS = ("urgent", "due", "new")
#: So many values one part holds at most: each is one more place to walk from.
MOST_VALUES = 13
MOST_WORDS = 200

_AREA = r"[a-z][a-z0-9_]{1,39}"
_SLUG = r"[^\W_](?:[\w-]{0,78}[^\W_])?"
_DAY = r"20[0-9]{2}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?"
_SPAN = re.compile(
    rf"(?:(?P<days_op><=|>=|<|>)(?P<days>0|[1-9][0-9]{{0,2}})d|(?P<op><=|>=|<|>)?(?P<one>{_DAY})"
    rf"|(?P<first>{_DAY})\.\.(?P<last>{_DAY})|(?P<today>today))"
)


@cache
def countries() -> frozenset[str]:
    """Every code a country or region may have; put together where somebody asks, not at the start."""
    return frozenset(
        str(code) for code in Locale.parse("en").territories if re.fullmatch("[A-Z]{2}", str(code))
    )


def values(part: str) -> tuple[tuple[str, ...], bool]:
    """What a part names, and whether that is what it leaves out."""
    if not part:
        return (), False
    return tuple(value.removeprefix("-") for value in part.split(",")), part.startswith("-")


def part(named: Iterable[str], *, but: bool = False) -> str:
    """A part that holds some values, or all but these: each once, in their order."""
    return ",".join(f"-{value}" if but else value for value in sorted(set(named)))


def span(text: str, *, today: date, back: bool) -> tuple[date | None, date | None]:
    """The first and the last day that ``<=7d``, ``2026-12``, ``>=2026-11-01``, ``2026-11-01..2026-12-31`` mean.

    :param back: days are counted into the past: ``<=7d`` is at most seven days ago.
    :raises ValueError: it is no such text, or there is no such day.
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    if found["today"]:
        return today, today
    if found["days"]:
        number = int(found["days"])
        strict = 1 if found["days_op"] in {"<", ">"} else 0
        if back:
            far = today - timedelta(days=number - strict if "<" in found["days_op"] else number + strict)
            return (far, None) if "<" in found["days_op"] else (None, far)
        far = today + timedelta(days=number - strict if "<" in found["days_op"] else number + strict)
        return (None, far) if "<" in found["days_op"] else (far, None)
    if found["first"]:
        first, last = _begin(found["first"]), _end(found["last"])
        if last < first:
            raise ValueError(text)
        return first, last
    begin, end = _begin(found["one"]), _end(found["one"])
    return {
        "<": (None, begin - timedelta(days=1)),
        "<=": (None, end),
        ">": (end + timedelta(days=1), None),
        ">=": (begin, None),
    }.get(found["op"] or "", (begin, end))


def _begin(day: str) -> date:
    year, month, number = (*(int(one) for one in day.split("-")), 1, 1)[:3]
    return date(year, month, number)


def _end(day: str) -> date:
    given = [int(one) for one in day.split("-")]
    if len(given) == 3:
        return date(*given)
    year, month = (*given, 12)[:2]
    return (date(year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class QueueView:
    """What the queue shows, and in which order; the address holds all of it.

    :param pile: ``open``, ``closed``, statuses, or empty for all.
    :param assigned: ``me``, ``nobody`` or a user id; ``-`` before it for all others.
    :param lang: the language it was written in.
    :param has: ``file`` or ``-file``.
    :param answered: ``yes`` or ``no``: whether the partner had a first answer.
    :param due: ``overdue``, or days as ``span`` reads them.
    :param sent: days as ``span`` reads them.
    :param institution: words of its name.
    :param q: words of the inquiry; what stands in quotes is a phrase.
    :param sort: ``urgent``: most urgent first, then newest; ``due``: what is due first; ``new``: what was sent last
        first. A search is newest first.
    """

    pile: str = ""
    track: str = ""
    area: str = ""
    country: str = ""
    assigned: str = ""
    late: bool = False
    unread: bool = False
    erasure: bool = False
    tag: str = ""
    has: str = ""
    answered: str = ""
    urgency: str = ""
    due: str = ""
    sent: str = ""
    lang: str = ""
    institution: str = ""
    q: str = ""
    sort: str = "urgent"
    #: Departments whose inquiries this person must not look for by what tells whose they are. Never in an address.
    blind: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, args: Mapping[str, Sequence[str]]) -> Self:
        """Read a view from an address; empty values count as not given.

        :raises Invalid: a value that no view has; the field is its name.
        """
        given = {name: values[-1].strip() for name, values in args.items() if values and values[-1].strip()}
        read: dict[str, Any] = {}
        for field, name in _NAMES.items():
            text = given.get(name)
            if text is None:
                continue
            if name in FLAGS:
                value: str | bool = text == "1"
            elif name in WORDS:
                value = _words(name, text)
            else:
                value = CHECKS[name](text)
            if not value and name not in WORDS:
                raise Invalid(name, "")
            read[field] = value
        return cls(**read)

    def to_args(self) -> dict[str, str]:
        """The same for an address; what is at its default is left out."""
        args = {name: getattr(self, field) for field, name in _NAMES.items()}
        for name in FLAGS:
            args[name] = "1" if args[name] else ""
        if self.sort == "urgent":
            del args["sort"]
        return {name: str(value) for name, value in args.items() if value}

    def but(self, **changes: Any) -> Self:
        """The same view with some things changed."""
        return replace(self, **changes)

    @property
    def order(self) -> str:
        """Which order it is shown in: what asks for days is shown in the order of these days."""
        if self.sort != "urgent":
            return self.sort
        return "due" if self.due else "new" if self.sent else "urgent"

    @property
    def statuses(self) -> frozenset[Status] | None:
        """The statuses shown; ``None`` for all ordinary ones."""
        named, but = values(self.pile)
        overdue = self.late or self.due == "overdue"
        if named:
            chosen: frozenset[Status] = frozenset().union(
                *(GROUPS.get(one) or frozenset({Status(one)}) for one in named)
            )
            if but:
                chosen = ORDINARY - chosen
        elif self.assigned == "nobody" or self.order == "due":
            chosen = OPEN
        elif overdue:
            chosen = OURS
        else:
            return None
        return chosen & OURS if overdue else chosen

    @property
    def is_filtered(self) -> bool:
        """Whether something narrows the view besides its pile."""
        return bool(self.to_args().keys() - {"status", "sort"})


#: The fields by their names in an address.
_NAMES = {
    "pile": "status",
    **{
        name: name
        for name in (
            "track",
            "area",
            "country",
            "assigned",
            "late",
            "unread",
            "erasure",
            "tag",
            "has",
            "answered",
            "urgency",
            "due",
            "sent",
            "lang",
            "institution",
            "q",
            "sort",
        )
    },
}


#: What is asked for or not, and what is words.
FLAGS = ("late", "unread", "erasure")
WORDS = ("q", "institution")


def _words(name: str, text: str) -> str:
    try:
        found = clean_line(text.replace('"', " ") if name == "institution" else text)
    except HiddenCharacters:
        raise Invalid(name, "") from None
    if len(found) > MOST_WORDS:
        raise Invalid(name, "")
    return found


def _several(one: Callable[[str], bool]) -> Callable[[str], str]:
    def check(given: str) -> str:
        named, but = values(given)
        if len(named) > MOST_VALUES or any(text.startswith("-") is not but for text in given.split(",")):
            return ""
        return part(named, but=but) if all(map(one, named)) else ""

    return check


def _among(allowed: Callable[[], Collection[str]]) -> Callable[[str], str]:
    return _several(lambda value: value in allowed())


def _like(pattern: str) -> Callable[[str], str]:
    matches = re.compile(pattern).fullmatch
    return lambda given: given if matches(given) else ""


def _days(*, back: bool) -> Callable[[str], str]:
    def check(given: str) -> str:
        if given == "overdue" and not back:
            return given
        try:
            span(given, today=date(2026, 1, 1), back=back)
        except ValueError:
            return ""
        return given

    return check


_STATUSES = (*GROUPS, *map(str, Status))
#: What each name of an address may hold; the canonical form of a value, or nothing when no view has it.
CHECKS: dict[str, Callable[[str], str]] = {
    "status": _among(lambda: _STATUSES),
    "track": _among(lambda: tuple(map(str, Track))),
    "area": _several(lambda value: bool(re.fullmatch(_AREA, value, re.ASCII))),
    "country": _among(countries),
    "assigned": _like(r"-?(?:me|nobody|[1-9][0-9]{0,8})"),
    "tag": _like(_SLUG),
    "has": _like(r"-?file"),
    "answered": _like(r"yes|no"),
    "urgency": _among(lambda: ("0", "1", "2")),
    "due": _days(back=False),
    "sent": _days(back=True),
    "lang": _like(r"en|zh"),
    "sort": _like("|".join(SORTS)),
}
