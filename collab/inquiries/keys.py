"""In what inquiries can be alike, made comparable: address, name, institution, title, text.

Each trait becomes a number, its key; what has the same key has the trait in common. Of a text the smallest hashes of
its runs of three words (of Chinese: of four characters) are kept: two texts that share a good part share some of these.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from collab.search.vocabulary import fold, words

#: The columns of an inquiry that ``traits_of`` reads, besides ``answers``.
COLUMNS = ("full_name", "email", "institution_name", "institution_ror", "title")
#: Answers that are texts.
TEXTS = ("title", "summary", "purpose", "interest_statement")
#: How many hashes of a text are kept.
SKETCH = 12
#: Words that follow one another and are compared as one.
RUN = 3
#: A text of fewer runs says too little to be like another.
LEAST = 6
#: An inquiry has so many keys at most: the sketch, two names, two institutions, title, address, ROR.
MOST = SKETCH + 7

#: Providers that deliver to the same mailbox with dots and without (the second name is the same provider).
_DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
#: What stands before or behind a name and is no part of it.
TITLES = frozenset(
    {
        "dr",
        "prof",
        "professor",
        "med",
        "phd",
        "md",
        "mr",
        "mrs",
        "ms",
        "msc",
        "bsc",
        "rer",
        "nat",
        "habil",
        "dipl",
    }
)
_FILLING = frozenset(
    {
        "the",
        "of",
        "at",
        "and",
        "for",
        "in",
        "de",
        "la",
        "le",
        "les",
        "du",
        "des",
        "der",
        "die",
        "das",
        "den",
        "von",
    }
    | {"fur", "und", "di", "del", "della", "el", "los", "y", "e", "inc", "ltd", "gmbh", "co", "llc", "corp"}
)
_NOWHERE = frozenset({"none", "none present", "na", "no", "nil", "无", "暂无", "没有", "freelance", "self"})
_PARTS = re.compile(r"[/|()（）【】\[\]]")
_RUN_OF_SIGNS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]+")
_CYRILLIC = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфцыэіґ", "abvgdeziiklmnoprstufcyeig", strict=True))
    | {
        "ё": "e",
        "ж": "zh",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "shch",
        "ю": "yu",
        "я": "ya",
        "ї": "yi",
    }
    | {"є": "ye", "ь": "", "ъ": ""}
)


@dataclass(frozen=True)
class Traits:
    """What of an inquiry is compared.

    :param runs: hashes of the runs of words of its text.
    """

    address: str
    names: tuple[str, ...]
    institutions: tuple[str, ...]
    ror: str
    title: str
    runs: frozenset[int]


def traits_of(row: Any) -> Traits:
    """The traits of an inquiry, or of any row with its columns."""
    return Traits(
        address=address_of(row.email),
        names=names_of(row.full_name),
        institutions=institutions_of(row.institution_name),
        ror=row.institution_ror or "",
        title=title_of(row.title),
        runs=runs_of("\n".join(str(row.answers[name]) for name in TEXTS if row.answers.get(name))),
    )


def of(department_id: int, traits: Traits) -> dict[str, int]:
    """The keys of an inquiry, by what each stands for."""
    given = {"address": traits.address, "ror": traits.ror, "title": traits.title}
    given |= {f"name{number}": one for number, one in enumerate(traits.names[:2])}
    given |= {f"institution{number}": one for number, one in enumerate(traits.institutions[:2])}
    given |= {f"text{number}": str(one) for number, one in enumerate(sorted(traits.runs)[:SKETCH])}
    return {
        what: _hashed(f"{department_id}\0{what.rstrip('0123456789')}\0{value}")
        for what, value in given.items()
        if value
    }


def address_of(email: str) -> str:
    """The mailbox an address reaches: no case, no +tag; no dots where the provider does not mind them."""
    local, _at, domain = email.strip().casefold().rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), _DOTLESS[domain]
    return f"{local}@{domain}"


def names_of(name: str) -> tuple[str, ...]:
    """A name in each of its scripts, without what varies: case, accents, titles, the order of its parts."""
    found: dict[str, None] = {}
    for part in [*_PARTS.split(name), name]:
        folded = fold(part)
        signs = "".join(_RUN_OF_SIGNS.findall(folded))
        if len(signs) > 1:
            found.setdefault(signs)
        tokens = [_plain(one) for one in re.findall(r"\w+", _RUN_OF_SIGNS.sub(" ", folded))]
        tokens = [one for one in tokens if one not in TITLES]
        if len(tokens) > 1:
            found.setdefault(" ".join(sorted(tokens)))
    return tuple(found)[:2]


def institutions_of(name: str) -> tuple[str, ...]:
    """An institution's name in each of its scripts, without case, accents, small words, and the order of words."""
    folded = fold(name)
    signs = "".join(_RUN_OF_SIGNS.findall(folded))
    tokens = [_plain(one) for one in re.findall(r"\w+", _RUN_OF_SIGNS.sub(" ", folded))]
    spelled = " ".join(sorted(set(tokens) - _FILLING))
    return tuple(one for one in (signs, spelled) if len(one) > 1 and one not in _NOWHERE)


def title_of(title: str) -> str:
    """A title without brackets, ``Re:`` and punctuation; empty where too little is left to mean anything."""
    found = words(re.sub(r"[(（\[].*?[)）\]]", " ", title)).split()
    while found and found[0] in {"re", "fwd", "fw", "aw", "wg", "回复", "转发"}:
        found = found[1:]
    return " ".join(found) if len(found) > 2 else ""


@lru_cache(maxsize=256)
def runs_of(text: str) -> frozenset[int]:
    """The runs of words of a text, each as a number."""
    found = words(text).split()
    return frozenset(_hashed(" ".join(found[at : at + RUN])) for at in range(len(found) - RUN + 1))


def alike(one: Iterable[int], other: Iterable[int]) -> float:
    """How much of the shorter text stands in the other, 0 to 1; texts that are too short are like nothing."""
    first, second = frozenset(one), frozenset(other)
    shorter = min(len(first), len(second))
    return len(first & second) / shorter if shorter >= LEAST else 0.0


def _plain(word: str) -> str:
    """One spelling of what is spelled in several: Cyrillic in Latin letters, ``ae`` for ``ä``."""
    word = word.translate(_CYRILLIC)
    return word.replace("ae", "a").replace("oe", "o").replace("ue", "u") if word.isascii() else word


def _hashed(value: str) -> int:
    """A number that fits a signed column of 64 bits."""
    return int.from_bytes(blake2b(value.encode(), digest_size=8).digest()) >> 1
