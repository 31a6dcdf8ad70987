"""Every figure of a made-up department, worked out by hand beside it.

27 inquiries came from September to November (1–15, 20–31). The first answers took, in working days:
0: 3, 12, 27 · 1: 8, 15, 25, 26, 28 · 2: 6, 9, 13, 20, 29 · 3: 2, 30 · 4: 31 · 5: 4, 7, 21 · 6: 1, 5 · 10: 14
(22 of them); 10 and 11 withdrew unanswered after one and seven working days, 22, 23 and 24 wait, 23 too long.
The decisions took, in calendar days:
0: 3, 27 · 1: 26, 28 · 2: 29 · 3: 30 · 4: 31 · 6: 13 · 7: 15 · 10: 2 · 14: 14 · 22: 1, 8 · 30: 4 · 31: 5 · 42: 6 · 43: 7
(17 of them).
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from collab import reports
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.jobs.figures import keep_sums
from collab.reports import HIDDEN, Month, Scope
from tests.reports import known


@pytest.fixture(params=["kept", "live"])
def department(request: pytest.FixtureRequest, department: Department) -> Iterator[Department]:
    """Filled; once with all sums kept, once with every inquiry counted live."""
    with time_machine.travel(known.TODAY, tick=False):
        known.fill(department)
        if request.param == "kept":
            keep_sums()
        yield db.session.merge(department)


@pytest.fixture
def report(department: Department) -> Callable[..., reports.Report]:
    def report(protected: bool = False, **filters: Any) -> reports.Report:
        scope = Scope(department, Month(2026, 9), Month(2026, 11), **filters)
        return reports.report(scope, lang="en", protected=protected)

    return report


def rows(report: reports.Report, key: str) -> list[tuple[Any, ...]]:
    table = report.table(key)
    assert table is not None
    return list(table.all_rows)


def test_key_figures(report: Callable[..., reports.Report]) -> None:
    found = {str(one.figure.name): one.value for one in report().figures}
    assert found == {
        "Inquiries received": 27,
        "Open now": 10,  # 4, 8, 15, 20, 21, 22, 23, 24, 25, and 32 of August
        "Time to the first answer": 2,  # the 11th of 22
        "First answers in time": 79.2,  # 19 of the 22 answered, of 11 who gave up after the promise, and of 23
        "Time to the decision": 7,  # the 9th of 17
        "Acceptance rate": 43.8,  # 1, 4, 6, 13, 14, 27, 28: 7 of 16
        "Left without an answer": 7.4,  # 11 and 23 of 27
    }
    assert [one.note for one in report().figures if one.note][:2] == [
        "nine of ten within 6",  # the 20th of 22
        "promised: 5 working days",
    ]


def test_times_by_track(report: Callable[..., reports.Report]) -> None:
    assert rows(report(), "tracks") == [
        # 0 1 1 2 2 2 3 5 6 10: 8 of 10 within five; 0 1 6 10 14 22 22, all within 30
        ("Cooperation", 10, 10, 2, 6, 80.0, 7, 10, 22, 100.0),
        # 0 1 1 2 3 4 5 6: 7 of 8, and 11 and 23 missed; 0 1 2 3 4 7 30 31: 7 of 8 within 30
        ("Visit", 12, 8, 2, 6, 70.0, 8, 3, 31, 87.5),
        # 0 1 2 5, and 24 not due yet; 42 43: one of two within 42
        ("Training", 5, 4, 1, 5, 100.0, 2, 42, 43, 50.0),
    ]


def test_times_by_month(report: Callable[..., reports.Report]) -> None:
    assert rows(report(), "months") == [
        # 0 1 2 3 5 5 6 6; 0 10 22 22 30 31 42 43, of which 31 and 43 too late
        ("September 2026", 8, 8, 3, 6, 75.0, 8, 22, 43, 75.0),
        # 0 1 2 2 10 and 11 without an answer: 4 of 6; 6 7 14
        ("October 2026", 7, 5, 2, 10, 66.7, 3, 7, 14, 100.0),
        # 0 1 1 1 2 2 3 4 5 and 23 late: 9 of 10; 0 1 1 2 3 4
        ("November 2026", 12, 9, 2, 5, 90.0, 6, 1, 4, 100.0),
    ]


def test_where_they_stand(report: Callable[..., reports.Report]) -> None:
    assert rows(report(), "open") == [
        # days since they came: 0–7, 8–14, 15–30, 31–60, more
        ("Received", 2, 1, 0, 0, 0, 3),  # 22: 7, 24: 3, 23: 10
        ("Waits for partner", 0, 0, 1, 0, 0, 1),  # 25: 21
        ("With the department", 0, 0, 1, 1, 1, 3),  # 20: 21, 15: 35, 32: 105
        ("To decide", 0, 0, 1, 0, 0, 1),  # 21: 20
        ("Waiting list", 0, 0, 0, 0, 1, 1),  # 8: 74
        ("Accepted with conditions", 0, 0, 0, 0, 1, 1),  # 4: 77
        ("All", 2, 1, 3, 1, 3, 10),
    ]
    assert [row[:2] for row in rows(report(), "outcomes")] == [
        ("Agreed by the department", 6),
        ("Accepted with conditions", 1),
        ("Waiting list", 1),
        ("Passed on", 2),
        ("Declined", 6),
        ("Withdrawn", 3),
        ("Closed without reply", 1),
        ("Not decided yet", 7),
        ("All", 27),
    ]
    assert rows(report(), "reasons") == [
        ("Declined: Out of scope", 4, 50.0),
        ("Declined: Funding missing", 1, 12.5),
        ("Declined: No capacity in the period", 1, 12.5),
        ("Passed on: Press", 1, 12.5),
        ("Passed on: Procurement", 1, 12.5),
        ("All", 8, 100.0),
    ]


def test_where_they_come_from(report: Callable[..., reports.Report]) -> None:
    found = report()
    assert [row[:2] for row in rows(found, "countries")] == [
        ("India", 5),
        ("Germany", 4),
        ("Pakistan", 3),
        ("China", 2),
        ("France", 2),
        ("Japan", 2),
        ("Kenya", 2),
        ("South Korea", 2),
        ("United States", 2),
        ("Vietnam", 2),
        ("United Kingdom", 1),
        ("All", 27),
    ]
    assert [row[:2] for row in rows(found, "kinds")] == [
        ("not asked on this track", 17),
        ("University", 3),
        ("Company", 2),
        ("Hospital", 2),
        ("Research institute", 2),
        ("Other", 1),
        ("All", 27),
    ]
    assert [row[:2] for row in rows(found, "languages")] == [("English", 20), ("Chinese", 7), ("All", 27)]
    assert [row[:2] for row in rows(found, "sources")] == [
        ("not known", 15),
        ("/en/visit", 10),
        ("/zh/visit", 2),
        ("All", 27),
    ]
    assert [row[1] for row in rows(found, "areas")] == [9, 8, 5, 5, 27]


def test_filters(report: Callable[..., reports.Report]) -> None:
    from collab.departments import Track

    found = report(track=Track.VISIT, area=known.THYROID)
    values = [one.value for one in found.figures]
    # 27–31: answered after 0 1 2 3 4 working days, decided on the same days; two of five agreed to
    assert values == [5, 0, 2, 100.0, 2, 40.0, 0.0]
    assert [row[0] for row in rows(found, "tracks")] == ["Visit"]
    none = report(track=Track.TRAINING, area=known.THYROID)
    assert none.is_empty
    assert [one.value for one in none.figures] == [0, 0, None, None, None, None, None]


def test_demo_counts_only_in_a_demo_department(
    report: Callable[..., reports.Report], department: Department
) -> None:
    assert report(demo=True).figures[0].value == 28
    assert reports.answering(department).received == 29  # the year: 27, and 32 and 33 of August


def test_the_public_page_leaves_out_a_rate_with_a_small_side(department: Department) -> None:
    assert reports.answering(department).in_time == 80.8  # 21 of 26, and the other five are not small
    with unit_of_work():
        levels = department.settings.service_levels.model_dump(mode="json") | {
            "first_answer_days": 9,
            "first_answer_escalate_days": 9,
        }
        department.content = department.content | {"service_levels": levels}
        department.content_digest = "patient"
    found = reports.answering(department)
    assert (found.first_target, found.in_time) == (9, None)  # of 24 one answer took ten days


def test_a_viewer_reads_no_small_number(report: Callable[..., reports.Report]) -> None:
    found = report(protected=True)
    for table in found.tables:
        for row in table.all_rows:
            for head, cell in zip(table.heads, row, strict=True):
                if head.kind is reports.Kind.NUMBER and cell is not HIDDEN:
                    assert cell >= 5, (table.key, row)
    assert rows(found, "languages") == [("English", 20, 74.1), ("Chinese", 7, 25.9), ("All", 27, 100.0)]
    # Of the three areas' 9, 8, 5, 5 all can be shown.
    assert [row[1] for row in rows(found, "areas")] == [9, 8, 5, 5, 27]
    # India's 5 can be shown; the others follow by name, since their order would say how many they are.
    names = [row[0] for row in rows(found, "countries")]
    assert [row[1] for row in rows(found, "countries")][:2] == [5, HIDDEN]
    assert names[1:-1] == sorted(names[1:-1])
    standing = found.table("open")
    assert standing is not None
    assert (standing.all_rows, standing.empty) == ((), "10 in all, too few of each to be shown.")
    assert found.table("ages") is not None
    assert report().table("ages") is None


def test_fairness(department: Department) -> None:
    """Whole year: cooperation 8 decided, 4 agreed (1, 13, 14, 33); visits 7 and 3; training 2 and 1."""
    found = reports.fairness(department, 2026, lang="en")
    tables = {table.key: table for table in found.tables}
    assert tables["tracks"].all_rows == (
        # First answers: 0 1 1 1 1 2 2 2 3 5 6 10: 2 of 12 too late, and that is small.
        ("Cooperation", 8, HIDDEN, 2, HIDDEN),
        ("Training", HIDDEN, HIDDEN, HIDDEN, HIDDEN),
        ("Visit", HIDDEN, HIDDEN, HIDDEN, HIDDEN),
        ("All", 17, 47.1, 2, HIDDEN),  # 8 of 17; 3 of 24 not answered within five working days
    )
    groups = tables["country_groups"].all_rows
    # Europe 1 2 3 13 14 26 33: 7 decided. Asia 6 7 27–31: 7. Africa 2 and Americas 1 are small, and together as well.
    assert [row[:2] for row in groups] == [
        ("Africa", HIDDEN),
        ("Americas", HIDDEN),
        ("Asia", HIDDEN),
        ("Europe", 7),
        ("All", 17),
    ]
