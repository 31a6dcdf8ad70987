"""What follows from a department's settings, purely."""

from dataclasses import dataclass
from datetime import date, timedelta

from collab.departments.settings import Admission, DepartmentSettings, Window
from collab.departments.tracks import Track


@dataclass(frozen=True)
class EarliestStart:
    """The earliest day on which something can realistically begin.

    :param window: the university's window that decides it, if one does, and that window's last day.
    """

    day: date
    window: Window | None = None
    apply_by: date | None = None


def earliest_visit(
    settings: DepartmentSettings, *, today: date, visitor_type: str | None = None, visa: bool = True
) -> EarliestStart:
    """The earliest start of a visit: today and the lead time of the capacity (domain.md A.3, B.6).

    :param visitor_type: a code; ``None`` takes the shortest lead time of all.
    :param visa: whether one is needed; nobody derives that from a country.
    """
    visit = settings.tracks.visit
    if visa:
        kind = visit.visitor_type(visitor_type) if visitor_type else None
        weeks = kind.lead_time_weeks if kind else min(k.lead_time_weeks for k in visit.visitor_types)
    else:
        weeks = visit.lead_time_weeks_without_visa
    return EarliestStart(today + timedelta(weeks=weeks))


def earliest_enrolment(
    settings: DepartmentSettings, *, today: date, admission: Admission, track: Track = Track.TRAINING
) -> EarliestStart:
    """The earliest start of a stay that the university must admit (domain.md 0.2).

    A window can still be met when it closes no earlier than the department takes to decide; the term that
    follows must leave time for visa and papers. Without windows in the settings, both times add up.
    """
    decided = today + timedelta(days=settings.service_levels.total_days.of(track))
    ready = decided + timedelta(weeks=settings.tracks.training.lead_time_weeks)
    found = [
        EarliestStart(window.term_after(year), window, window.closes_in(year))
        for window in settings.windows
        if admission in window.takes
        for year in range(today.year, today.year + 4)
        if window.closes_in(year) >= decided and window.term_after(year) >= ready
    ]
    return min(found, key=lambda start: start.day, default=EarliestStart(ready))


def next_window(
    settings: DepartmentSettings, *, today: date, admission: Admission
) -> tuple[Window, date, date] | None:
    """The window that is open or opens next: itself, its first and its last day."""
    found = [
        (window, window.opens_in(year), window.closes_in(year))
        for window in settings.windows
        if admission in window.takes
        for year in (today.year, today.year + 1)
        if window.closes_in(year) >= today
    ]
    return min(found, key=lambda each: each[2], default=None)
