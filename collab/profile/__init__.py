"""The profile: what the department says of itself, fact by fact, each with its source; in revisions."""

from collab.profile.actions import check, export_profile, import_profile, publish
from collab.profile.document import (
    READING,
    Fact,
    Meaning,
    Page,
    PageKey,
    PeriodState,
    ProfileDocument,
    Qualifier,
    Section,
    SectionKind,
)
from collab.profile.models import ProfileRevision
from collab.profile.queries import Edition, Found, Hit, current, current_revision, edition, find
from collab.profile.rules import Problem

__all__ = [
    "READING",
    "Edition",
    "Fact",
    "Found",
    "Hit",
    "Meaning",
    "Page",
    "PageKey",
    "PeriodState",
    "Problem",
    "ProfileDocument",
    "ProfileRevision",
    "Qualifier",
    "Section",
    "SectionKind",
    "check",
    "current",
    "current_revision",
    "edition",
    "export_profile",
    "find",
    "import_profile",
    "publish",
]
