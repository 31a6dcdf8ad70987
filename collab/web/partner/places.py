"""Countries and regions by their assigned ISO 3166-1 codes, in the reader's language and the department's words."""

from functools import cache, lru_cache

from babel import Locale

from collab.core.text import fold
from collab.departments import DepartmentSettings

#: Two-letter codes that CLDR names although ISO 3166-1 assigns them to no country or region.
UNASSIGNED = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"]
)


@cache
def _names(lang: str) -> dict[str, str]:
    territories = Locale.parse("zh_Hans_CN" if lang == "zh" else "en_GB").territories
    return {
        code: str(name)
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in UNASSIGNED
    }


def assigned() -> frozenset[str]:
    """Every assigned code."""
    return frozenset(_names("en"))


def names(settings: DepartmentSettings, lang: str) -> dict[str, str]:
    """Code and name, in the order in which readers of the language look for them."""
    own = {code: name.get(lang) for code, name in settings.country_names.items() if code in assigned()}
    return dict(_ordered(lang, tuple(own.items())))


@lru_cache(32)
def _ordered(lang: str, own: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((_names(lang) | dict(own)).items(), key=lambda pair: _place_of(pair[1], lang)))


def _place_of(name: str, lang: str) -> tuple[bytes, str]:
    # Common characters stand in GB 18030 in the order of their pinyin, which is how Chinese lists are ordered.
    return (name.encode("gb18030") if lang == "zh" else b"", fold(name))
