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
    text = format_decimal(fact.value, locale=Locale.parse("zh_Hans_CN" if lang == "zh" else "en_GB"))
    if fact.qualifier is Qualifier.AROUND:
        text = f"约 {text}" if lang == "zh" else f"≈ {text}"
    elif fact.qualifier is Qualifier.MORE_THAN:
        text = f"超过 {text}" if lang == "zh" else f"> {text}"
    return f"{text} {fact.unit.get(lang)}" if unit and fact.unit else text


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
