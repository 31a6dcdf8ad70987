"""What each figure means, in one place: the pages, the exported tables and the public page say it with these words."""

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l


class Unit(StrEnum):
    """What a figure is counted in."""

    INQUIRIES = "inquiries"
    WORKING_DAYS = "working_days"
    DAYS = "days"
    SHARE = "share"


@dataclass(frozen=True)
class Figure:
    """A figure's name, what it says, and its unit."""

    name: LazyString
    says: LazyString
    unit: Unit


RECEIVED = Figure(
    _l("Inquiries received"),
    _l(
        "Inquiries whose e-mail was confirmed in the period. Spam, tests and what nobody confirmed are left out; what "
        "was sent twice counts once."
    ),
    Unit.INQUIRIES,
)
OPEN = Figure(
    _l("Open now"),
    _l("Inquiries that are neither closed nor set aside at this moment, whenever they came."),
    Unit.INQUIRIES,
)
FIRST = Figure(
    _l("Time to the first answer"),
    _l(
        "From the confirmation to the first message that a person wrote or released, in working days of the "
        "department's calendar. Automatic acknowledgements do not count; the clock stands still while the partner is "
        "asked."
    ),
    Unit.WORKING_DAYS,
)
FIRST_IN_TIME = Figure(
    _l("First answers in time"),
    _l(
        "Share of first answers within the promised working days, of all inquiries that were answered, have waited "
        "longer than that, or ended without an answer."
    ),
    Unit.SHARE,
)
DECISION = Figure(
    _l("Time to the decision"),
    _l(
        "From the confirmation to the first decision that stood (agreed, agreed on conditions, waiting list, passed "
        "on, declined), in calendar days, without the time in which the partner was asked."
    ),
    Unit.DAYS,
)
OUTCOMES = Figure(
    _l("How inquiries ended"),
    _l("Where the inquiries of the period stand now, and their share of all that were received."),
    Unit.INQUIRIES,
)
ACCEPTANCE = Figure(
    _l("Acceptance rate"),
    _l(
        "Inquiries to which the department agreed, be it on conditions, as a share of those it agreed to, put on the "
        "waiting list, passed on or declined."
    ),
    Unit.SHARE,
)
REASONS = Figure(
    _l("Why inquiries were declined or passed on"),
    _l("The reasons given, for inquiries of the period that are declined or passed on now."),
    Unit.INQUIRIES,
)
NO_ANSWER = Figure(
    _l("Left without an answer"),
    _l(
        "Inquiries of the period that have waited longer than promised without a person's answer, or ended without "
        "one, as a share of all that were received."
    ),
    Unit.SHARE,
)
RANKS = _l(
    "Median: half of them took no longer than this. Nine of ten: nine of ten took no longer than this."
)


def target_note(first_days: int) -> str:
    """What "in time" means for the first answer."""
    return _("The promise is a first answer within %(days)s working days.", days=first_days)
