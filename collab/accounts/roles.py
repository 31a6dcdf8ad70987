"""Roles of people in a department (domain.md B.3)."""

from enum import StrEnum

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l


class Role(StrEnum):
    """What a person may do in one department; one person may hold several."""

    COORDINATOR = "coordinator"
    HOST = "host"
    REVIEWER = "reviewer"
    HEAD = "head"
    COMPLIANCE = "compliance"
    RADIATION_SAFETY_OFFICER = "radiation_safety_officer"
    ADMIN = "admin"
    VIEWER = "viewer"

    @property
    def label(self) -> LazyString:
        return ROLE_LABELS[self]


ROLE_LABELS: dict[Role, LazyString] = {
    Role.COORDINATOR: _l("Coordinator"),
    Role.HOST: _l("Host"),
    Role.REVIEWER: _l("Reviewer"),
    Role.HEAD: _l("Head"),
    Role.COMPLIANCE: _l("Compliance"),
    Role.RADIATION_SAFETY_OFFICER: _l("Radiation safety officer"),
    Role.ADMIN: _l("Administrator"),
    Role.VIEWER: _l("Viewer of figures"),
}
