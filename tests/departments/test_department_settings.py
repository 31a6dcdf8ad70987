"""A department is a folder: what it may say, what is refused, and what follows from it."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from collab import audit, departments
from collab.accounts import COMMAND
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Invalid, NotFound
from collab.departments import Admission, Department, Track

SHIPPED = departments.folder_of("")


def changed(folder: Path, **values: Any) -> Path:
    """A copy of the shipped department with some values changed; the path is joined by two underscores."""
    folder.mkdir(exist_ok=True)
    content = yaml.safe_load((SHIPPED / "department.yaml").read_text(encoding="utf-8"))
    for name, value in values.items():
        place = content
        *way, last = name.split("__")
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    (folder / "department.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder


def test_the_deadlines_are_those_of_the_service_levels() -> None:
    levels = departments.read_settings("").service_levels
    assert (levels.first_answer_warn_days, levels.first_answer_days, levels.first_answer_escalate_days) == (
        4,
        5,
        6,
    )
    assert (levels.triage_days, levels.host_answer_days, levels.review_days, levels.decision_days) == (
        3,
        10,
        10,
        5,
    )
    assert [levels.total_days.of(track) for track in Track] == [30, 30, 42]
    assert (levels.needs_info_days, levels.needs_info_reminders) == (30, (7, 14, 21))
    assert (levels.offer_reply_days, levels.waitlist_refresh_days, levels.patient_request_days) == (14, 60, 1)
    assert levels.hold_minutes == 15


def test_the_areas_are_what_is_offered_the_focuses_and_an_open_door() -> None:
    settings = departments.read_settings("")
    kinds = [area.kind.value for area in settings.areas]
    assert (kinds.count("offered"), kinds.count("focus")) == (4, 5)
    assert settings.area("unsure") is not None
    assert settings.area_name("no_longer_there", "en") == "no_longer_there"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"timezone": "Asia/Nowhere"}, "timezone"),
        ({"code": "nm"}, "code"),
        ({"slug": "Two Words"}, "slug"),
        ({"name": {"en": "Only English"}}, "name.zh"),
        ({"surprise": 1}, "surprise"),
        ({"windows__0__opens": "02-30"}, "windows.0.opens"),
        ({"windows__0__closes": "01-01"}, "closes before it opens"),
        ({"service_levels__first_answer_warn_days": 9}, "first answer"),
        ({"service_levels__needs_info_reminders": [7, 40]}, "needs_info_reminders"),
        ({"tracks__visit__visitor_types": []}, "tracks.visit.visitor_types"),
        (
            {"offices__press": {"name": {"en": "a", "zh": "b"}, "url": "javascript:alert(1)"}},
            "offices.press.url",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    with pytest.raises(Invalid) as refused:
        departments.read_settings(changed(tmp_path / "d", **change))
    assert named in refused.value.message


def test_two_areas_of_one_code_are_refused(tmp_path: Path) -> None:
    areas = yaml.safe_load((SHIPPED / "department.yaml").read_text(encoding="utf-8"))["areas"]
    with pytest.raises(Invalid, match="named twice: unsure"):
        departments.read_settings(changed(tmp_path / "d", areas=[*areas, areas[-1]]))


def test_what_is_no_folder_and_no_name_is_refused(tmp_path: Path) -> None:
    for given in ("../../etc", str(tmp_path), "no-such-department", ".."):
        with pytest.raises(Invalid):
            departments.read_settings(given)
    (tmp_path / "department.yaml").write_text("slug: [", encoding="utf-8")
    with pytest.raises(Invalid, match="no YAML"):
        departments.read_settings(tmp_path)


def test_importing_the_same_twice_changes_nothing(department: Department) -> None:
    version = department.content_version
    events = db.session.query(audit.AuditEvent).count()
    with unit_of_work():
        again = departments.import_department("", by=COMMAND)
    assert (again.id, again.content_version) == (department.id, version)
    assert db.session.query(audit.AuditEvent).count() == events


def test_a_changed_text_shows_and_raises_the_version(department: Department, tmp_path: Path) -> None:
    version = department.content_version
    assert department.settings.service_levels.first_answer_days == 5
    with unit_of_work():
        departments.import_department(
            changed(tmp_path / "d", service_levels__first_answer_days=6), by=COMMAND
        )
    found = departments.by_slug(department.slug)
    assert found.content_version == version + 1
    assert found.settings.service_levels.first_answer_days == 6


def test_two_departments_live_side_by_side_and_no_code_is_shared(
    department: Department, tmp_path: Path
) -> None:
    assert departments.only() is not None
    with pytest.raises(Conflict), unit_of_work():
        departments.import_department(changed(tmp_path / "a", slug="other"), by=COMMAND)
    with unit_of_work():
        departments.import_department(changed(tmp_path / "b", slug="other", code="OT"), by=COMMAND)
    assert [one.slug for one in departments.all_departments()] == [department.slug, "other"]
    assert departments.only() is None
    with pytest.raises(NotFound):
        departments.by_slug("third")


# -- working days ----------------------------------------------------------------------------------------------


def test_holidays_are_free_and_make_up_days_are_worked(department: Department) -> None:
    calendar = departments.working_calendar(department)
    free = {date(2026, 1, 2), date(2026, 2, 16), date(2026, 4, 6), date(2026, 5, 5), date(2026, 10, 7)}
    free |= {date(2027, 2, 5), date(2027, 9, 15)}
    worked = {date(2026, 1, 4), date(2026, 2, 14), date(2026, 5, 9), date(2026, 10, 10), date(2026, 11, 23)}
    assert {day for day in free | worked if calendar.is_working(day)} == worked


def test_five_working_days_run_around_the_national_day(department: Department) -> None:
    calendar = departments.working_calendar(department)
    # 1-7 October are free, Saturday the 10th makes up for one of them.
    assert calendar.add(date(2026, 9, 29), 5) == date(2026, 10, 11 + 1)
    assert calendar.between(date(2026, 9, 29), date(2026, 10, 12)) == 5


def test_the_year_without_its_order_says_so(department: Department) -> None:
    coverage = departments.coverage(department)
    assert [coverage.state_of(year) for year in (2025, 2026, 2027, 2028)] == [
        "missing",
        "known",
        "provisional",
        "missing",
    ]
    assert departments.working_calendar(department).is_working(date(2028, 10, 3))
    assert not departments.working_calendar(department).is_working(date(2028, 10, 1))  # a Sunday


def test_a_calendar_that_is_not_there_is_refused(department: Department, tmp_path: Path) -> None:
    with unit_of_work():
        departments.import_department(changed(tmp_path / "d", calendar="atlantis"), by=COMMAND)
    with pytest.raises(Exception, match="atlantis"):
        departments.working_calendar(departments.by_slug(department.slug))


# -- the earliest realistic start ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "admission", "day", "apply_by"),
    [
        # The spring window is open for another week, and a decision takes six: autumn it is.
        (date(2026, 11, 23), Admission.NON_DEGREE, date(2027, 9, 1), date(2027, 5, 30)),
        # Decided by 1 November, in time for 30 November.
        (date(2026, 9, 20), Admission.NON_DEGREE, date(2027, 3, 1), date(2026, 11, 30)),
        (date(2026, 9, 20), Admission.DEGREE, date(2027, 9, 1), date(2027, 5, 30)),
        # The last day on which a decision still comes before the autumn window closes, and the day after.
        (date(2026, 4, 18), Admission.DEGREE, date(2026, 9, 1), date(2026, 5, 30)),
        (date(2026, 4, 19), Admission.DEGREE, date(2027, 9, 1), date(2027, 5, 30)),
    ],
)
def test_enrolment_follows_the_universitys_windows(
    today: date, admission: Admission, day: date, apply_by: date
) -> None:
    found = departments.earliest_enrolment(departments.read_settings(""), today=today, admission=admission)
    assert (found.day, found.apply_by) == (day, apply_by)


def test_a_visit_follows_the_lead_time_of_the_capacity() -> None:
    settings, today = departments.read_settings(""), date(2026, 11, 23)
    assert departments.earliest_visit(settings, today=today, visa=False).day == date(2026, 12, 21)
    assert departments.earliest_visit(settings, today=today, visitor_type="observer").day == date(2027, 2, 15)
    assert departments.earliest_visit(settings, today=today, visitor_type="clinical_trainee").day == date(
        2027, 8, 23
    )


def test_the_next_window_is_the_open_one() -> None:
    settings = departments.read_settings("")
    found = departments.next_window(settings, today=date(2026, 11, 30), admission=Admission.NON_DEGREE)
    assert found is not None
    assert (found[0].code, found[1], found[2]) == ("spring", date(2026, 9, 15), date(2026, 11, 30))
    found = departments.next_window(settings, today=date(2026, 12, 1), admission=Admission.NON_DEGREE)
    assert found is not None
    assert (found[0].code, found[2]) == ("autumn", date(2027, 5, 30))


def test_the_folder_can_be_copied_and_imported_from_elsewhere(department: Department, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "copy")
    with unit_of_work():
        again = departments.import_department(tmp_path / "copy", by=COMMAND)
    assert again.id == department.id
