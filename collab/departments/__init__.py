"""Departments: who they are, their tracks, deadlines, working days and texts.

Content, never code, knows their subject: a second department is a second folder.
"""

from collab.departments.actions import folder_of, import_department, read_settings, shipped
from collab.departments.calendar import Coverage, coverage, working_calendar
from collab.departments.models import Department
from collab.departments.queries import all_departments, by_id, by_slug, only
from collab.departments.rules import EarliestStart, earliest_enrolment, earliest_visit, next_window
from collab.departments.settings import (
    Admission,
    Area,
    AreaKind,
    Bilingual,
    Criterion,
    DepartmentSettings,
    GateKind,
    GateOwner,
    GateStage,
    Office,
    Places,
    ReviewSettings,
    RubricSettings,
    ServiceLevels,
    VisitorType,
    Window,
)
from collab.departments.tracks import Track

__all__ = [
    "Admission",
    "Area",
    "AreaKind",
    "Bilingual",
    "Coverage",
    "Criterion",
    "Department",
    "DepartmentSettings",
    "EarliestStart",
    "GateKind",
    "GateOwner",
    "GateStage",
    "Office",
    "Places",
    "ReviewSettings",
    "RubricSettings",
    "ServiceLevels",
    "Track",
    "VisitorType",
    "Window",
    "all_departments",
    "by_id",
    "by_slug",
    "coverage",
    "earliest_enrolment",
    "earliest_visit",
    "folder_of",
    "import_department",
    "next_window",
    "only",
    "read_settings",
    "shipped",
    "working_calendar",
]
