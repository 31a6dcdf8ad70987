"""What an inquiry may be, by its words: a patient's request, patient data, a vendor's pitch, mass mail.

Found when it is sent and kept with it, together with the words that gave the reason. A signal points something out and
does nothing: a person judges, and can say "not so". The words are data (``signals.yaml``, and the department's own).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Self

import yaml
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, check
from collab.core.errors import Conflict
from collab.departments.settings import DepartmentSettings
from collab.inquiries.history import Kind, seen, take, tell
from collab.inquiries.keys import TEXTS
from collab.inquiries.models import Inquiry
from collab.search.vocabulary import fold

#: So many words are kept as the reason; more would not say more.
MOST_WORDS = 6


class Signal(StrEnum):
    """What is pointed out."""

    PATIENT_REQUEST = "patient_request"
    PATIENT_DATA = "patient_data"
    VENDOR_PITCH = "vendor_pitch"
    MASS_MAIL = "mass_mail"

    @property
    def label(self) -> LazyString:
        return {
            Signal.PATIENT_REQUEST: _l("May be a patient's request"),
            Signal.PATIENT_DATA: _l("May hold data of a patient"),
            Signal.VENDOR_PITCH: _l("May be an offer of goods or services"),
            Signal.MASS_MAIL: _l("May be mass mail"),
        }[self]

    @property
    def mark(self) -> LazyString:
        """One word for a row of the queue."""
        return {
            Signal.PATIENT_REQUEST: _l("Patient?"),
            Signal.PATIENT_DATA: _l("Patient data?"),
            Signal.VENDOR_PITCH: _l("Offer?"),
            Signal.MASS_MAIL: _l("Mass mail?"),
        }[self]


@dataclass(frozen=True)
class Shown:
    """A signal of one inquiry.

    :param words: what gave the reason; of numbers only the ends.
    :param judged_by: who said that it is not so, if somebody did.
    """

    signal: Signal
    words: tuple[str, ...]
    judged_by: str = ""


def of(inquiry: Inquiry) -> list[Shown]:
    """The signals of an inquiry, those that nobody judged first."""
    found = [
        Shown(signal, tuple(entry["words"]), entry.get("not_so") or "")
        for signal in Signal
        if (entry := (inquiry.signals or {}).get(signal))
    ]
    return sorted(found, key=lambda one: bool(one.judged_by))


def standing(kept: Mapping[str, Any] | None) -> list[Signal]:
    """Those that nobody judged to be none, from what is kept with the row."""
    if not kept:
        return []
    return [signal for signal in Signal if signal in kept and not kept[signal].get("not_so")]


def judge(inquiry: Inquiry, signal: Signal, *, stands: bool, by: Actor, version: int | None = None) -> None:
    """A person says that what is pointed out is not so, or is so after all; either stays in the history."""
    take(inquiry, version=version, by=by)
    check(by, Permission.TRIAGE, inquiry.department_id)
    kept = dict(inquiry.signals or {})
    if signal not in kept:
        raise Conflict
    if bool(kept[signal].get("not_so")) is not stands:
        return  # said already
    kept[signal] = {"words": kept[signal]["words"]} | ({} if stands else {"not_so": by.name})
    inquiry.signals = kept
    tell(inquiry, Kind.SIGNAL_JUDGED, by=by, data={"signal": signal.value, "stands": stands})
    seen(inquiry, by)


def find(settings: DepartmentSettings, fields: Mapping[str, Any]) -> dict[str, dict[str, Any]] | None:
    """What is kept with an inquiry: kind and words of each signal; nothing where there is none."""
    text = fold("\n".join(str(fields[name]) for name in TEXTS if fields.get(name)).replace("’", "'"))
    sentences = _sentences(text)
    found = {}
    for signal, rules in _compiled(settings.hints).items():
        without = rules.cut(text)
        words = rules.reason(sentences if without == text else _sentences(without), fields)
        if words:
            found[signal.value] = {"words": words[:MOST_WORDS]}
    return found or None


# -- the words -------------------------------------------------------------------------------------------------------

_SENTENCE = re.compile(r"[.!?;\n。！？；]+(?=\s|$)|[\n。！？；]")
_TOKEN = re.compile(r"\w+")
_SIGNS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")
#: What follows a label that names a value.
_VALUE = re.compile(r"\s*(?:[:：=#]\s*\S|(?:no|nr|is|为|是)?\W{0,3}\w{0,3}\d{3})")
_RESIDENT_ID = re.compile(r"(?<!\d)\d{17}[\dx](?!\w)")


@dataclass(frozen=True)
class _Sentence:
    """A sentence taken to pieces once for all lists.

    :param words: each with where it ends.
    :param has_signs: something of it is in a script without spaces.
    """

    text: str
    words: tuple[tuple[str, int], ...]
    has_signs: bool

    @classmethod
    def of(cls, text: str) -> Self:
        words = tuple((one.group(), one.end()) for one in _TOKEN.finditer(text))
        return cls(text, words, _SIGNS.search(text) is not None)


def _sentences(text: str) -> list[_Sentence]:
    return [_Sentence.of(one) for one in _SENTENCE.split(text) if one.strip()]


class _Phrases:
    """Phrases of one list: looked up by their first word; those of scripts without spaces anywhere in the text."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self.by_word: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        self.starts: tuple[str, ...] = ()
        self.ends: tuple[str, ...] = ()
        self.signs: list[str] = []
        for phrase in phrases:
            folded = fold(phrase)
            tokens = tuple(_TOKEN.findall(folded))
            if not tokens:
                continue  # no word at all: of settings that were taken in before these were refused
            if _SIGNS.search(folded):
                self.signs.append(folded)
            elif folded.startswith("*") or (folded.endswith("*") and len(folded.split()) == 1):
                stem = (folded.strip("*"),)
                self.starts += stem if folded.endswith("*") else ()
                self.ends += stem if folded.startswith("*") else ()
            else:
                end = "*" if folded.endswith("*") else ""
                self.by_word[tokens[0]].append((tokens[1:], end))

    def found(self, sentence: _Sentence) -> Iterable[tuple[str, int]]:
        """Each phrase in a sentence, and where it ends."""
        tokens = sentence.words
        for at, (token, end) in enumerate(tokens):
            for rest, star in self.by_word.get(token, ()):
                following = [word for word, _end in tokens[at + 1 : at + 1 + len(rest)]]
                if tuple(following) == rest or (
                    star
                    and following[:-1] == list(rest[:-1])
                    and following[-1:]
                    and following[-1].startswith(rest[-1])
                ):
                    yield " ".join([token, *following]), tokens[at + len(rest)][1]
            if token.startswith(self.starts) or token.endswith(self.ends):
                yield token, end
        if sentence.has_signs:
            for phrase in self.signs:
                place = sentence.text.find(phrase)
                if place >= 0:
                    yield phrase, place + len(phrase)


class _Rules:
    """The rules of one signal, with their phrases made ready."""

    def __init__(self, given: Mapping[str, Any], own: Mapping[str, tuple[str, ...]]) -> None:
        self.rules: list[dict[str, Any]] = given["rules"]
        self.without = [fold(one) for one in given.get("not", ())]
        self.lists = {
            name: _Phrases([*_every(languages), *own.get(name, ())])
            for name, languages in given.get("lists", {}).items()
        }
        self.values = {
            name: _Phrases([*_every(languages), *own.get(name, ())])
            for name, languages in given.get("values", {}).items()
        }
        self.numbers: dict[str, str] = given.get("numbers", {})

    def cut(self, text: str) -> str:
        """A folded text without what says nothing here."""
        for phrase in self.without:
            text = text.replace(phrase, " ")
        return text

    def reason(self, sentences: Iterable[_Sentence], fields: Mapping[str, Any]) -> list[str]:
        """The words that make one of the rules true; none where none is."""
        found = [self._hits(sentence) for sentence in sentences]
        everywhere: dict[str, dict[str, None]] = defaultdict(dict)
        for hits in found:
            for name, words in hits.items():
                everywhere[name].update(words)
        for rule in self.rules:
            if any(
                str(fields.get(name, "")) not in allowed for name, allowed in rule.get("when", {}).items()
            ):
                continue
            for hits in found if rule.get("near") else [everywhere]:
                if all(len(hits.get(name, ())) >= least for name, least in rule["needs"].items()):
                    return [word for name in rule["needs"] for word in hits[name]]
        return []

    def _hits(self, sentence: _Sentence) -> dict[str, dict[str, None]]:
        hits: dict[str, dict[str, None]] = defaultdict(dict)
        for name, phrases in self.lists.items():
            for phrase, _end in phrases.found(sentence):
                hits[name].setdefault(phrase)
        for name, phrases in self.values.items():
            for phrase, end in phrases.found(sentence):
                if _VALUE.match(sentence.text, end):
                    hits[name].setdefault(phrase)
        for name in self.numbers:
            for number in _RESIDENT_ID.findall(sentence.text):
                if _is_resident_id(number):
                    hits[name].setdefault(f"{number[:3]}…{number[-2:]}")
        return hits


def _every(languages: Mapping[str, Iterable[str]]) -> list[str]:
    return [phrase for phrases in languages.values() for phrase in phrases]


def _is_resident_id(number: str) -> bool:
    """Whether the check digit of a resident identity number is right (GB 11643)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, number, strict=False))
    return "10x98765432"[total % 11] == number[-1]


@cache
def general() -> dict[str, Any]:
    """The words every department begins with; they are data, next to this file."""
    text = (files("collab.inquiries") / "signals.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@lru_cache(maxsize=32)
def _of_words(own: tuple[tuple[str, str, tuple[str, ...]], ...]) -> dict[Signal, _Rules]:
    theirs: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for kind, name, phrases in own:
        theirs[kind][name] = phrases
    return {signal: _Rules(general()[signal.value], theirs[signal.value]) for signal in Signal}


def _compiled(hints: Any) -> dict[Signal, _Rules]:
    return _of_words(
        tuple(
            (kind, name, words)
            for kind, lists in sorted(hints.signals.items())
            for name, words in sorted(lists.items())
        )
    )
