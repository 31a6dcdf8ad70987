"""How a fact is written out: value, unit, period and note, in the reader's language."""

from typing import Literal

from babel import Locale
from babel.numbers import format_compact_decimal, format_decimal
from flask_babel import gettext as _

from collab.profile import Fact, PeriodState, Qualifier


def value(fact: Fact, lang: str, *, unit: bool = True) -> str:
    """The figure with how exact it is and what it counts; a text as it stands; empty without a value."""
    if fact.value is None:
        return ""
    if not isinstance(fact.value, int | float):
        return str(fact.value)
    text = number(fact.value, lang)
    if fact.qualifier is Qualifier.AROUND:
        text = _("≈ %(number)s", number=text)
    elif fact.qualifier is Qualifier.MORE_THAN:
        text = _("> %(number)s", number=text)
    if not (unit and fact.unit):
        return text
    gap = "" if text.endswith(("万", "亿")) else " "  # 5000万元
    return f"{text}{gap}{fact.unit.get(lang)}"


def number(figure: int | float, lang: str) -> str:
    """A number with the reader's grouping; from a million on in words (50 million, 5000万) where nothing is lost."""
    locale = Locale.parse("zh_Hans_CN" if lang == "zh" else "en_GB")
    if figure >= 1_000_000 and figure % 1_000_000 == 0:
        kind: Literal["short", "long"] = (
            "short" if lang == "zh" else "long"
        )  # in Chinese the short form is the one in words
        return str(format_compact_decimal(figure, format_type=kind, locale=locale))
    return str(format_decimal(figure, locale=locale))


def period(fact: Fact, lang: str) -> str:
    """The time a figure covers, or that the source leaves it out; empty where there is nothing to say."""
    match fact.period.state:
        case PeriodState.STATED:
            return fact.period.text.get(lang) if fact.period.text else ""
        case PeriodState.UNSTATED:
            return _("Period not stated in the source")
        case PeriodState.UNDATED:
            return _("Date not stated in the source")
        case PeriodState.NONE:
            return ""
