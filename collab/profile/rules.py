"""What must be true of a profile before it is published, and what is worth a second look."""

import re
from dataclasses import dataclass

from collab.core.text import is_cjk
from collab.profile.document import Fact, PeriodState, ProfileDocument

_SAME = str.maketrans({"\u00a0": " "})


@dataclass(frozen=True)
class Problem:
    """One finding.

    :param grave: it keeps the profile from being published; otherwise it is a note.
    """

    where: str
    text: str
    grave: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def check(document: ProfileDocument, *, source: str | None = None) -> list[Problem]:
    """Look through a profile.

    :param source: the whole text of the source page; without it the wording cannot be compared.
    """
    problems: list[Problem] = []
    text = _plain(source) if source is not None else None
    for fact in document.facts:
        problems += _of_fact(fact)
        if text is not None and _plain(fact.source_text) not in text:
            problems.append(Problem(fact.key, f"“{fact.source_text}” does not occur in the source"))
    return problems + _sums(document)


def _of_fact(fact: Fact) -> list[Problem]:
    found = []
    if not is_cjk(fact.zh) and fact.zh == fact.en:
        found.append(Problem(fact.key, "the Chinese wording is the English one"))
    if fact.is_number and fact.unit is None:
        found.append(Problem(fact.key, "a figure without a unit"))
    if fact.is_number and not _holds_value(fact):
        found.append(Problem(fact.key, f"the source's words do not hold {fact.value}"))
    if fact.period.state is PeriodState.UNSTATED and not fact.is_number:
        found.append(Problem(fact.key, "a period can be missing from a figure only"))
    return found


_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _holds_value(fact: Fact) -> bool:
    """Whether a figure stands in the source's words, in digits or spelled."""
    digits = re.sub(r"(?<=\d),(?=\d{3})", "", fact.source_text)
    if re.search(rf"(?<!\d){re.escape(str(fact.value))}(?!\d)", digits):
        return True
    if isinstance(fact.value, int) and fact.value < len(_WORDS):
        return re.search(rf"\b{_WORDS[fact.value]}\b", fact.source_text) is not None
    return False


def _sums(document: ProfileDocument) -> list[Problem]:
    """Parts that do not add up are the source's business, so this is only a note."""
    found = []
    for whole in document.facts:
        values = [part.value for part in document.parts(whole) if isinstance(part.value, int | float)]
        if values and isinstance(whole.value, int | float) and sum(values) != whole.value:
            found.append(
                Problem(
                    whole.key,
                    f"its parts add up to {sum(values)}, the source says {whole.value}",
                    grave=False,
                )
            )
    return found


def _plain(text: str) -> str:
    return text.translate(_SAME)
