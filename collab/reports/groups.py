"""Groups of countries for the fairness report: the department's own, or the world's regions."""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.departments.settings import DepartmentSettings

#: The macro regions of the United Nations' standard M49, by ISO 3166-1 code.
_REGIONS: dict[str, tuple[LazyString, str]] = {
    "africa": (
        _l("Africa"),
        (
            "DZ EG LY MA SD TN EH IO BI KM DJ ER ET TF KE MG MW MU YT MZ RE RW SC SO SS UG TZ ZM ZW AO CM CF TD CG CD "
            "GQ GA ST BW SZ LS NA ZA BJ BF CV CI GM GH GN GW LR ML MR NE NG SH SN SL TG"
        ),
    ),
    "americas": (
        _l("Americas"),
        (
            "AI AG AW BS BB BQ VG KY CU CW DM DO GD GP HT JM MQ MS PR BL KN LC MF VC SX TT TC VI BZ CR SV GT HN MX NI "
            "PA AR BO BV BR CL CO EC FK GF GY PY PE GS SR UY VE BM CA GL PM US"
        ),
    ),
    "asia": (
        _l("Asia"),
        (
            "KZ KG TJ TM UZ CN HK MO TW KP JP MN KR BN KH ID LA MY MM PH SG TH TL VN AF BD BT IN IR MV NP PK LK AM AZ "
            "BH CY GE IQ IL JO KW LB OM QA SA PS SY TR AE YE"
        ),
    ),
    "europe": (
        _l("Europe"),
        (
            "BY BG CZ HU PL MD RO RU SK UA AX GG JE DK EE FO FI IS IE IM LV LT NO SJ SE GB AL AD BA HR GI GR VA IT MT "
            "ME MK PT SM RS SI ES AT BE FR DE LI LU MC NL CH XK"
        ),
    ),
    "oceania": (
        _l("Oceania"),
        "AU CX CC HM NZ NF FJ NC PG SB VU GU KI MH FM NR MP PW UM AS CK PF NU PN WS TK TO TV WF",
    ),
}
_REGION_OF = {country: code for code, (_name, countries) in _REGIONS.items() for country in countries.split()}
#: Countries that no group holds.
ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Groups:
    """Names of groups in their order, and the group of each country."""

    names: dict[str, str]
    of: dict[str, str]

    def group(self, country: str) -> str:
        return self.of.get(country, ELSEWHERE)


def groups_of(settings: DepartmentSettings, lang: str) -> Groups:
    """The department's groups; the world's regions where it names none."""
    elsewhere = {ELSEWHERE: str(_l("Other countries and regions"))}
    if settings.country_groups:
        return Groups(
            {one.code: one.name.get(lang) for one in settings.country_groups} | elsewhere,
            {country: one.code for one in settings.country_groups for country in one.countries},
        )
    return Groups({code: str(name) for code, (name, _countries) in _REGIONS.items()} | elsewhere, _REGION_OF)
