"""How a fact is written out: value, unit, period and note, in the reader's language."""

from babel import Locale
from babel.numbers import format_decimal
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
        text = f"约 {text}" if lang == "zh" else f"≈ {text}"
    elif fact.qualifier is Qualifier.MORE_THAN:
        text = f"超过 {text}" if lang == "zh" else f"> {text}"
    if not unit or fact.unit is None:
        return text
    return text + ("" if text.endswith("万") else " ") + fact.unit.get(lang)


def number(figure: int | float, lang: str) -> str:
    """A number as people say it: from a million on in millions, in Chinese in 万 where that is even."""
    if figure >= 1_000_000 and figure % 10_000 == 0:
        return f"{figure / 10_000:.0f} 万" if lang == "zh" else f"{figure / 1_000_000:g} million"
    return str(format_decimal(figure, locale=Locale.parse("zh_Hans_CN" if lang == "zh" else "en_GB")))


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
