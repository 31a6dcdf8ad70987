"""Finding facts by words, in both languages at once.

A profile has some dozens of facts, so it is looked through in memory: there is no index that could be stale.
"""

import re
from collections.abc import Iterable

from collab.core.text import fold

#: More than anybody types; the rest is not looked at.
MAX_CHARACTERS = 200
MAX_TERMS = 12

_CJK = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_NOT_WORD = re.compile(r"[\W_]+")


def haystack(texts: Iterable[str | None]) -> str:
    """Texts made ready to be looked through: folded; a word with a hyphen or a slash is there whole and in parts."""
    words = (word for text in texts if text for word in fold(text).split())
    return " " + " ".join(form for word in words for form in _whole_and_parts(word))


def terms(query: str) -> list[str]:
    """What somebody looks for: words, and runs of Chinese characters."""
    found: list[str] = []
    for word in fold(query[:MAX_CHARACTERS]).split():
        position = 0
        for run in _CJK.finditer(word):
            found += [_squeeze(word[position : run.start()]), run.group()]
            position = run.end()
        found.append(_squeeze(word[position:]))
    return list(dict.fromkeys(term for term in found if term))[:MAX_TERMS]


def share(term: str, hay: str) -> float:
    """How much of a term a text holds, 0 to 1: words by their beginning, Chinese by pairs of characters."""
    if _CJK.fullmatch(term):
        if term in hay:
            return 1.0
        pairs = [term[n : n + 2] for n in range(len(term) - 1)]
        return 0.9 * sum(pair in hay for pair in pairs) / len(pairs) if pairs else 0.0
    if any(f" {form}" in hay for form in _forms(term)):
        return 1.0
    return 0.8 if len(term) > 3 and term in hay else 0.0


def _forms(term: str) -> list[str]:
    forms = [term]
    if len(term) > 4 and term.endswith("ies"):
        forms.append(term[:-3] + "y")
    elif len(term) > 3 and term.endswith("s") and not term.endswith("ss"):
        forms.append(term[:-1])
    elif len(term) > 4 and term.endswith("y"):
        forms.append(term[:-1] + "ies")
    return forms


def _whole_and_parts(word: str) -> list[str]:
    parts = [part for part in _NOT_WORD.split(word) if part]
    return parts if len(parts) < 2 else ["".join(parts), *parts]


def _squeeze(word: str) -> str:
    return _NOT_WORD.sub("", word)
