"""The language of the search box: a line of text is a view of the queue, and a view is a line of text.

``status:in_review -country:DE due:<=7d "receptor imaging" ligand``. Keys and values are taken in English and Chinese,
by code or by name, with Chinese punctuation and in full width. What is not understood is said with its place, and the
rest still counts. No database: what areas, people and tags there are, and for whom, tells the ``Lexicon``.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.core.text import fold
from collab.departments.tracks import Track
from collab.inquiries.statuses import Status
from collab.inquiries.view import CHECKS, FLAGS, GROUPS, MOST_VALUES, QueueView, countries, part, values

#: A line is no longer than this.
LONGEST = 600


@dataclass(frozen=True)
class Key:
    """One word before a colon.

    :param name: as it is written, and as the address calls it.
    :param also: other words for it, folded.
    :param takes: what may stand behind it, for a person.
    :param example: one that works everywhere.
    :param several: may hold ``a,b``.
    :param excludes: may stand behind a minus.
    """

    name: str
    also: tuple[str, ...]
    label: LazyString
    takes: LazyString
    example: str
    several: bool = False
    excludes: bool = False

    @property
    def field(self) -> str:
        """The part of a view it says."""
        return "pile" if self.name == "status" else self.name


KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key(
            "status",
            ("状态",),
            _l("Status"),
            _l("open, closed, or one or more statuses"),
            "status:received,in_review",
            several=True,
            excludes=True,
        ),
        Key(
            "assigned",
            ("承办人", "负责人", "with"),
            _l("With"),
            _l("me, nobody, or the name of a person"),
            "assigned:me",
            excludes=True,
        ),
        Key("late", ("逾期", "已延迟", "延迟"), _l("Late only"), _l("only yes"), "late:yes"),
        Key("unread", ("未读",), _l("Unread only"), _l("only yes"), "unread:yes"),
        Key("erasure", ("删除", "已申请删除"), _l("Erasure asked for"), _l("only yes"), "erasure:yes"),
        Key(
            "track",
            ("类别", "类型"),
            _l("Track"),
            _l("cooperation, visit or training"),
            "track:visit",
            several=True,
            excludes=True,
        ),
        Key(
            "area",
            ("研究方向", "方向", "领域"),
            _l("Area"),
            _l("one or more of the department's areas"),
            "area:unsure",
            several=True,
            excludes=True,
        ),
        Key(
            "country",
            ("国家或地区", "国家", "地区"),
            _l("Country or region"),
            _l("names of countries or regions, or their two letters"),
            "-country:DE",
            several=True,
            excludes=True,
        ),
        Key(
            "institution",
            ("所在单位", "单位", "机构"),
            _l("Institution"),
            _l("words of its name, in quotes"),
            'institution:"general hospital"',
        ),
        Key("tag", ("标签",), _l("Tag"), _l("a tag of the department"), "tag:fellowship"),
        Key("lang", ("语言", "language"), _l("Written in"), _l("en or zh"), "lang:zh"),
        Key("has", ("有", "含"), _l("Has"), _l("file"), "has:file", excludes=True),
        Key("answered", ("答复", "已答复"), _l("First answer given"), _l("yes or no"), "answered:no"),
        Key(
            "urgency",
            ("紧急程度", "紧急"),
            _l("Urgency"),
            _l("0, 1 or 2; 2 is urgent"),
            "urgency:2",
            several=True,
            excludes=True,
        ),
        Key(
            "due",
            ("期限", "截止"),
            _l("Due"),
            _l("overdue, today, days from now (<=7d), a day, month or year, or first..last"),
            "due:<=7d",
        ),
        Key(
            "sent",
            ("提交", "来函日期", "日期"),
            _l("Sent on"),
            _l("today, days ago (<=7d, >20d), a day, month or year, >=2026-11-01, or first..last"),
            "sent:>20d",
        ),
        Key("sort", ("排序", "order"), _l("Order"), _l("urgent, due or new"), "sort:due"),
    )
}
_BY_WORD = {fold(word): key for key in KEYS.values() for word in (key.name, *key.also)}
_YES = ("yes", "y", "true", "1", "是", "有", "已")
_NO = ("no", "n", "false", "0", "否", "无", "没有", "未")
#: Names that values have in every installation; those of a department come with its lexicon.
_BUILT_IN: dict[str, dict[str, str]] = {
    "status": {"处理中": "open", "未结": "open", "进行中": "open", "已结": "closed", "已结束": "closed"},
    "assigned": {"我": "me", "无人": "nobody", "无": "nobody", "尚无": "nobody", "none": "nobody"},
    "lang": {"english": "en", "英文": "en", "英语": "en", "chinese": "zh", "中文": "zh", "汉语": "zh"},
    "has": {"files": "file", "文件": "file", "附件": "file"},
    "answered": dict.fromkeys(_YES, "yes") | dict.fromkeys(_NO, "no"),
    "urgency": {"normal": "0", "普通": "0", "urgent": "2", "紧急": "2"},
    "due": {"逾期": "overdue", "late": "overdue", "今天": "today", "今日": "today"},
    "sent": {"今天": "today", "今日": "today"},
    "sort": {"紧急": "urgent", "期限": "due", "最新": "new", "newest": "new"},
}
_CODES: dict[str, Callable[[], Sequence[str]]] = {
    "status": lambda: (*GROUPS, *map(str, Status)),
    "track": lambda: tuple(map(str, Track)),
    "country": lambda: sorted(countries()),
    "assigned": lambda: ("me", "nobody"),
    "lang": lambda: ("en", "zh"),
    "has": lambda: ("file",),
    "answered": lambda: ("yes", "no"),
    "urgency": lambda: ("0", "1", "2"),
    "due": lambda: ("overdue", "today", "<=7d", "<=30d"),
    "sent": lambda: ("today", "<=7d", "<=30d", ">20d"),
    "sort": lambda: ("urgent", "due", "new"),
}


@dataclass(frozen=True)
class Value:
    """Something that may stand behind a key, with what it is called."""

    code: str
    names: tuple[str, ...] = ()


@dataclass
class Lexicon:
    """What the values of a key are called, as far as the reader may know them.

    :param load: the values of one key; asked at most once for each.
    """

    load: Callable[[str], Sequence[Value]] = lambda _key: ()
    _known: dict[str, Sequence[Value]] = field(default_factory=dict)

    def values(self, key: str) -> Sequence[Value]:
        """Every value of a key, what it is called in any language behind it."""
        if key not in self._known:
            named = {value.code: value for value in self.load(key)}
            codes = _CODES[key]() if key in _CODES else ()
            plain = [named.pop(code, Value(code)) for code in codes]
            self._known[key] = [*plain, *named.values()]
        return self._known[key]

    def codes(self, key: str, text: str) -> list[str]:
        """Which values somebody can mean: by code, else by name."""
        wanted = _regular(text)
        built_in = _BUILT_IN.get(key, {}).get(wanted)
        return [built_in] if built_in else list(_index(tuple(self.values(key))).get(wanted, ()))

    def close(self, key: str, text: str) -> list[str]:
        """What somebody may have meant."""
        known = _index(tuple(self.values(key)))
        built_in = _BUILT_IN.get(key, {})
        near = get_close_matches(_regular(text), {**known, **built_in}, n=3, cutoff=0.6)
        codes = [code for name in near for code in ([built_in[name]] if name in built_in else known[name])]
        return list(dict.fromkeys(codes))

    def name(self, key: str, code: str) -> str | None:
        """What a value is called where its code says nothing, if that name is its own."""
        found = next((value for value in self.values(key) if value.code == code and value.names), None)
        return found.names[0] if found and self.codes(key, found.names[0]) == [code] else None


@lru_cache(maxsize=64)
def _index(known: tuple[Value, ...]) -> dict[str, tuple[str, ...]]:
    """Values by code and name; a code comes before a name."""
    found: dict[str, tuple[str, ...]] = {_regular(value.code): (value.code,) for value in known}
    codes = frozenset(found)
    for value in known:
        for name in dict.fromkeys(map(_regular, value.names)):
            if name not in codes:
                found[name] = (*found.get(name, ()), value.code)
    return found


@dataclass(frozen=True)
class Problem:
    """Something in a line that was not understood.

    :param start, end: its place in the line, in characters.
    :param instead: what could stand there.
    :param key: where ``instead`` are values of one key.
    """

    start: int
    end: int
    text: str
    lazily: LazyString
    instead: tuple[str, ...] = ()
    key: str = ""

    @property
    def message(self) -> str:
        """What was wrong. Plain text: a lazy one would go into a page as markup, with what was typed in it."""
        return str(self.lazily)

    def mended(self, line: str, by: str) -> str:
        """The line with something else in this place."""
        return f"{line[: self.start]}{by}{line[self.end :]}"


@dataclass(frozen=True)
class Understood:
    """What a line says, as far as it was understood."""

    text: str
    view: QueueView
    problems: tuple[Problem, ...] = ()


_QUOTES = "“”„‟«»「」『』"
_PLAIN: dict[int, str] = (
    {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, _QUOTES), '"')
    | {ord("、"): ",", ord("–"): "-", ord("−"): "-", ord("﹕"): ":"}
)
_KEY = re.compile(r"(-?)([^\W\d]\w*):(?!//)")
_BARE = re.compile(r'[^\s",]+')
_WORD = re.compile(r'[^\s"]+')
_SPACE = re.compile(r"\s*")
_LEFT_OUT = re.compile(r'-[\w"]')


@dataclass(frozen=True)
class _Term:
    """A piece of a line: ``key`` with its values, or words."""

    start: int
    end: int
    key: str = ""
    but: bool = False
    given: tuple[tuple[str, int, int], ...] = ()
    words: str = ""


def parse(text: str, lexicon: Lexicon | None = None, start: QueueView | None = None) -> Understood:
    """Read a line.

    :param start: what holds already; the line says the rest, and wins where it says the same.
    """
    lexicon = lexicon or Lexicon()
    reader = _Reader(text, lexicon)
    for term in _terms(text):
        reader.take(term)
    view = (start or QueueView()).but(q=" ".join(reader.words), **reader.parts)
    return Understood(text, view, tuple(sorted(reader.problems, key=lambda problem: problem.start)))


def _terms(text: str) -> Iterator[_Term]:
    plain, at = text.translate(_PLAIN), 0
    while True:
        at = _space(plain, at)
        if at >= len(plain):
            return
        found = _KEY.match(plain, at)
        if found:
            term = _values(text, plain, found)
        elif plain[at] == '"':
            close = plain.find('"', at + 1)
            end = len(plain) if close < 0 else close
            said = text[at + 1 : end].strip()
            term = _Term(at, min(end + 1, len(plain)), words=f'"{said}"' if said else " ")
        else:
            word = _WORD.match(plain, at)
            end = word.end() if word else at + 1
            if _LEFT_OUT.match(plain, at):
                if end < len(plain) and plain[end] == '"' and end == at + 1:
                    close = plain.find('"', end + 1)
                    end = len(plain) if close < 0 else close + 1
                term = _Term(at, end, but=True, words=text[at:end])
            else:
                term = _Term(at, end, words=text[at:end])
        yield term
        at = term.end


def _space(plain: str, at: int) -> int:
    found = _SPACE.match(plain, at)
    return found.end() if found else at


def _values(text: str, plain: str, found: re.Match[str]) -> _Term:
    at = found.end()
    if fold(found[2]) in _BY_WORD:
        behind = _space(plain, at)
        # "status: received" is what people write; but the next key is no value.
        if behind < len(plain) and not _KEY.match(plain, behind):
            at = behind
    given: list[tuple[str, int, int]] = []
    end = found.end()
    while at < len(plain):
        if plain[at] == '"':
            close = plain.find('"', at + 1)
            close = len(plain) if close < 0 else close
            given.append((text[at + 1 : close].strip(), at, min(close + 1, len(plain))))
        else:
            bare = _BARE.match(plain, at)
            if bare is None:
                break
            given.append((plain[at : bare.end()], at, bare.end()))
        at = end = given[-1][2]
        if plain[at : at + 1] != ",":
            break
        at = end = at + 1
    return _Term(found.start(), end, key=found[2], but=bool(found[1]), given=tuple(given))


class _Reader:
    """What was understood so far."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text, self.lexicon = text, lexicon
        self.parts: dict[str, Any] = {}
        self.words: list[str] = []
        self.problems: list[Problem] = []

    def take(self, term: _Term) -> None:
        if term.words:
            if term.but:
                self.wrong(
                    term.start,
                    term.end,
                    _l(
                        "Words cannot be left out, only filters can, as in -country:DE. To look for it, quote it."
                    ),
                    (f'"{term.words.strip("-")}"'.replace('""', '"'),),
                )
            elif term.words.strip():
                self.words.append(term.words)
            return
        key = _BY_WORD.get(fold(term.key))
        if key is None:
            self.unknown(term)
        elif not [one for one in term.given if one[0]]:
            self.wrong(
                term.start,
                term.end,
                _l("Nothing stands behind %(key)s: it takes %(takes)s.", key=f"{key.name}:", takes=key.takes),
                (("-" if term.but else "") + key.example.removeprefix("-"),),
            )
        elif term.but and not key.excludes:
            self.wrong(
                term.start,
                term.end,
                _l(
                    "%(key)s cannot be left out with a minus: it takes %(takes)s.",
                    key=f"{key.name}:",
                    takes=key.takes,
                ),
            )
        elif len(term.given) > 1 and not key.several and key.name != "institution":
            self.wrong(
                term.start,
                term.end,
                _l("%(key)s takes one value: %(takes)s.", key=f"{key.name}:", takes=key.takes),
                tuple(f"{key.name}:{_quoted(one)}" for one, _start, _end in term.given if one)[:3],
            )
        else:
            self.say(key, term)

    def unknown(self, term: _Term) -> None:
        near = get_close_matches(fold(term.key), _BY_WORD, n=2, cutoff=0.6)
        rest = self.text[term.start : term.end].translate(_PLAIN).partition(":")[2]
        minus = "-" if term.but else ""
        instead = [f"{minus}{_BY_WORD[name].name}:{rest}" for name in near]
        written = self.text[term.start : term.end].translate(_PLAIN).replace('"', "")
        self.wrong(
            term.start,
            term.end,
            _l(
                "There is no filter “%(key)s”. To look for these very words, put them in quotes.",
                key=term.key,
            ),
            tuple(dict.fromkeys([*instead, f'"{written}"'])),
        )

    def say(self, key: Key, term: _Term) -> None:
        if key.name == "institution":
            said = " ".join(one for one, _start, _end in term.given).replace('"', " ")
            self.parts["institution"] = f"{self.parts.get('institution', '')} {said}".strip()
            return
        codes = [self.code(key, *one) for one in term.given if one[0]]
        known = [code for code in codes if code]
        if not known:
            return
        if key.name in FLAGS:
            self.put(key, term, value=True)
        elif key.several:
            before = self.parts.get(key.field, "")
            named, but = values(before)
            if before and but is not term.but:
                self.wrong(
                    term.start,
                    term.end,
                    _l("%(key)s either names values or leaves some out, not both.", key=f"{key.name}:"),
                )
            elif len({*named, *known}) > MOST_VALUES:
                self.wrong(
                    term.start,
                    term.end,
                    _l("%(key)s takes at most %(count)s values.", key=f"{key.name}:", count=MOST_VALUES),
                )
            else:
                self.parts[key.field] = part([*named, *known], but=term.but)
        else:
            self.put(key, term, value=f"-{known[0]}" if term.but else known[0])

    def put(self, key: Key, term: _Term, *, value: str | bool) -> None:
        if self.parts.setdefault(key.field, value) != value:
            self.wrong(
                term.start,
                term.end,
                _l(
                    "%(key)s stands here twice with different values. The first one counts.",
                    key=f"{key.name}:",
                ),
            )

    def code(self, key: Key, text: str, start: int, end: int) -> str:
        """What a value is in a view; empty when it was not understood."""
        if key.name in FLAGS:
            found = ["yes"] if fold(text) in _YES else []
        elif key.name in {"due", "sent"}:
            found = self.days(key, text)
        elif key.name == "assigned" and text.isascii() and CHECKS["assigned"](text.lower()) == text.lower():
            found = [] if text.startswith("-") else [text.lower()]
        else:
            found = self.lexicon.codes(key.name, text)
        if len(found) == 1:
            return found[0]
        if found:
            message = _l("“%(text)s” can be several here. Choose one.", text=text)
            near = found[:5]
        else:
            message = _l(
                "“%(text)s” is not understood: %(key)s takes %(takes)s.",
                text=text,
                key=f"{key.name}:",
                takes=key.takes,
            )
            near = self.lexicon.close(key.name, text) if key.name not in FLAGS else ["yes"]
        self.wrong(start, end, message, tuple(_quoted(one) for one in near), key.name)
        return ""

    def days(self, key: Key, text: str) -> list[str]:
        regular = _BUILT_IN[key.name].get(fold(text)) or (
            fold(text).replace("≤", "<=").replace("≥", ">=").replace("=<", "<=").replace("天", "d")
        )
        regular = regular.replace("…", "..").replace("/", "-")
        if re.fullmatch(r"[0-9]+d", regular):
            regular = f"<={regular}"
        return [regular] if CHECKS[key.name](regular) else []

    def wrong(
        self, start: int, end: int, message: LazyString, instead: tuple[str, ...] = (), key: str = ""
    ) -> None:
        self.problems.append(Problem(start, end, self.text[start:end], message, instead, key))


def write(view: QueueView, lexicon: Lexicon | None = None) -> str:
    """The line that says a view; ``parse`` reads the same view from it.

    :param lexicon: to call people by their names; without one they are numbers, which stay the same.
    """
    found = []
    for key in KEYS.values():
        value = getattr(view, key.field)
        if not value or (key.name == "sort" and value == "urgent"):
            continue
        if key.name in FLAGS:
            found.append(f"{key.name}:yes")
        elif key.name == "institution":
            found.append(f'institution:"{value}"')
        elif key.several:
            named, but = values(value)
            found.append(f"{'-' if but else ''}{key.name}:{','.join(named)}")
        else:
            but, code = value.startswith("-"), value.removeprefix("-")
            if key.name == "assigned" and lexicon is not None and code.isdigit():
                code = _quoted(lexicon.name("assigned", code) or code)
            found.append(f"{'-' if but else ''}{key.name}:{code}")
    if view.q:
        found.append(_said(view.q))
    return " ".join(found)


def _said(words: str) -> str:
    """Words as the language takes them: what looks like a filter is put in quotes."""
    found = []
    for term in _terms(words):
        piece = words[term.start : term.end]
        if term.key or term.but:
            piece = '"' + piece.translate(_PLAIN).replace('"', "") + '"'
        else:
            piece = term.words
        if piece.strip():
            found.append(piece)
    return " ".join(found)


def _quoted(text: str) -> str:
    return text if _BARE.fullmatch(text) and not text.startswith("-") else f'"{text}"'


def _regular(text: str) -> str:
    return " ".join(re.sub(r"[\s_]+", " ", fold(text)).split())


# -- completion ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Completion:
    """Something that can stand at the end of a line.

    :param start: from here on it takes the place of what is typed.
    :param about: what it means, for a person.
    """

    start: int
    text: str
    about: str


#: So many are offered at once.
OFFERED = 8


def complete(
    text: str, lexicon: Lexicon, *, institutions: Callable[[str], Sequence[str]] = lambda _typed: ()
) -> list[Completion]:
    """How a line can go on where it ends now: keys, or what stands behind one.

    :param institutions: those whose name holds some words, as far as the reader may know them.
    """
    terms = list(_terms(text))
    last = terms[-1] if terms else None
    plain = text.translate(_PLAIN)
    if (
        last is None
        or (last.end < len(plain) and not last.key)
        or (plain[-1:].isspace() and not _is_open(last, plain))
    ):
        return _keys("", len(text))
    if not last.key:
        if last.words.startswith(('"', "“")):
            return []
        typed, at = last.words.strip().removeprefix("-"), last.start + (1 if last.but else 0)
        anywhere = [] if last.but else _anywhere(typed, last.start, lexicon)
        return [*_keys(typed, at, but=last.but), *anywhere][:OFFERED]
    key = _BY_WORD.get(fold(last.key))
    if key is None:
        return []
    typed, at, given = "", len(text), last.given
    if given and plain[last.end - 1] != ",":
        (typed, at, _end), given = given[-1], given[:-1]
    if key.name == "institution":
        names = institutions(typed) if len(typed) > 1 else ()
        return [Completion(at, _always_quoted(name), "") for name in names][:OFFERED]
    if key.name in FLAGS:
        return [Completion(at, "yes", str(key.label))] if "yes".startswith(typed) else []
    taken = {code for one, _start, _end in given for code in lexicon.codes(key.name, one)}
    found = [
        Completion(at, _value(key, value), " · ".join(value.names[:1]))
        for value in _beginning(lexicon.values(key.name), typed)
        if value.code not in taken
    ]
    return found[:OFFERED]


def _is_open(term: _Term, plain: str) -> bool:
    """Whether a value is still to come: behind the colon, or inside quotes."""
    return bool(term.key) and (not term.given or (plain[term.end :] == "" and plain.count('"') % 2 == 1))


def _keys(typed: str, at: int, *, but: bool = False) -> list[Completion]:
    wanted = fold(typed)
    return [
        Completion(at, f"{key.name}:", str(key.label))
        for key in KEYS.values()
        if (key.excludes or not but)
        and any(fold(word).startswith(wanted) for word in (key.name, *key.also, str(key.label)))
    ]


def _anywhere(typed: str, at: int, lexicon: Lexicon) -> list[Completion]:
    """Values whose name begins so, whatever they belong to."""
    if len(typed) < 2 and typed.isascii():
        return []
    return [
        Completion(at, f"{key.name}:{_value(key, value)}", " · ".join((str(key.label), *value.names[:1])))
        for key in KEYS.values()
        if key.name in {"status", "track", "area", "country", "tag", "assigned"}
        for value in _beginning(lexicon.values(key.name), typed)[:3]
    ]


def _beginning(known: Sequence[Value], typed: str) -> list[Value]:
    """Those whose code or name begins so, then those with a later word that does."""
    wanted = _regular(typed)
    first = [
        one for one in known if any(_regular(name).startswith(wanted) for name in (one.code, *one.names))
    ]
    more = [
        one
        for one in known
        if wanted and one not in first and any(f" {wanted}" in f" {_regular(name)}" for name in one.names)
    ]
    return [*first, *more]


def _value(key: Key, value: Value) -> str:
    """What is written for a value: people by their name, where it is their own."""
    if key.name == "assigned" and value.names and value.code.isdigit():
        return _quoted(value.names[0])
    return _quoted(value.code)


def _always_quoted(text: str) -> str:
    return '"' + text.replace('"', " ") + '"'
