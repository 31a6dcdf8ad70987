"""What the lists show of an inquiry beyond its row: the department's words, how late it is.

A list has many rows that say the same few things. What does not differ from row to row (languages, words, addresses) is
found once for the whole list, so that drawing a row is only putting it together.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flask import url_for
from markupsafe import Markup

from collab.core import clock
from collab.core.wording import format_day
from collab.departments import working_calendar
from collab.inquiries import Status, signals
from collab.inquiries.clocks import URGENT
from collab.inquiries.queries import QueueRow
from collab.web import hooks
from collab.web.staff.words import list_words
from collab.web.staff_chrome import departments_here

#: Stands for a reference while the address of a list's inquiries is built.
_REFERENCE = "~"


class ShownRow(NamedTuple):
    """A row of a list in the reader's words, and all that is drawn of it: the same values are the same row.

    :param url: the inquiry's page, which leads back into this list.
    :param pill: the status, drawn.
    :param due: the day; ``None`` while the clock stands still.
    :param late_days: working days overdue; 0 when it is not late.
    :param people: whom it is with.
    :param marks: what the portal points out, while the inquiry is still to be read.
    """

    reference: str
    version: int
    title: str
    url: str
    full_name: str
    institution_name: str
    country: str
    area: str
    track: str
    pill: Markup
    due: str | None
    late_days: int
    people: tuple[str, ...]
    tags: tuple[str, ...]
    marks: tuple[str, ...]
    file_count: int
    urgent: bool
    unread: bool
    is_demo: bool


def shown(rows: list[QueueRow], here: Mapping[str, Any] | None = None) -> list[ShownRow]:
    """Rows as the templates take them.

    :param here: the view they are a list of, as in its address.
    """
    now, lang, words = clock.now(), hooks.language(), list_words()
    departments = departments_here()
    areas = {
        one.id: {area.code: area.name.get(lang) for area in one.settings.areas}
        for one in departments.values()
    }
    address = _addresses(here or {})
    found = []
    for row in rows:
        department = departments[row.department_id]
        zone = department.timezone
        due_on = clock.local_day(row.due_at, zone) if row.due_at else None
        late_days = 0
        if due_on is not None and row.is_late(now):
            late_days = max(working_calendar(department).between(due_on, clock.local_day(now, zone)), 1)
        found.append(
            ShownRow(
                reference=row.reference,
                version=row.version,
                title=row.title,
                url=address(row.reference),
                full_name=row.full_name,
                institution_name=row.institution_name,
                country=row.country,
                area=areas[row.department_id].get(row.area, row.area),
                track=words.tracks[row.track],
                pill=words.pills[row.status],
                due=None if row.status == Status.NEEDS_INFO else format_day(due_on, lang, year=False),
                late_days=late_days,
                people=row.with_people or ((row.coordinator,) if row.coordinator else ()),
                tags=row.tags,
                marks=_marks(row),
                file_count=row.file_count,
                urgent=row.urgency == URGENT,
                unread=row.unread,
                is_demo=row.is_demo,
            )
        )
    return found


def _marks(row: QueueRow) -> tuple[str, ...]:
    if not row.signals or row.status not in {Status.UNCONFIRMED, Status.RECEIVED}:
        return ()
    return tuple(str(signal.mark) for signal in signals.standing(row.signals))


def _addresses(here: Mapping[str, Any]) -> Callable[[str], str]:
    # References need no quoting: they are made of a department's code and numbers.
    before, _, after = url_for("staff.inquiry", reference=_REFERENCE, **here).partition(_REFERENCE)
    return lambda reference: f"{before}{reference}{after}"
