"""What the lists show of an inquiry beyond its row: the department's words, how late it is."""

from dataclasses import dataclass
from datetime import date, datetime

from collab.core import clock
from collab.departments import working_calendar
from collab.inquiries.queries import QueueRow
from collab.web import hooks
from collab.web.staff.words import TRACKS
from collab.web.staff_chrome import departments_here


@dataclass(frozen=True)
class ShownRow:
    """A row of the queue in the reader's words.

    :param late_days: working days overdue; 0 when it is not late.
    """

    row: QueueRow
    area: str
    track: str
    timezone: str
    due_on: date | None
    late_days: int


def shown(rows: list[QueueRow]) -> list[ShownRow]:
    """Rows as the templates take them."""
    now = clock.now()
    return [_shown(row, now) for row in rows]


def _shown(row: QueueRow, now: datetime) -> ShownRow:
    department = departments_here()[row.department_id]
    zone = department.timezone
    due_on = clock.local_day(row.due_at, zone) if row.due_at else None
    late = 0
    if due_on is not None and row.is_late(now):
        late = max(working_calendar(department).between(due_on, clock.local_day(now, zone)), 1)
    return ShownRow(
        row=row,
        area=department.settings.area_name(row.area, hooks.language()),
        track=str(TRACKS[row.track]),
        timezone=zone,
        due_on=due_on,
        late_days=late,
    )
