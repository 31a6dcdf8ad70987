"""Every model of every room, so that the metadata is whole for migrations and for ``create_app``."""

from collab.accounts import models as accounts
from collab.audit import models as audit
from collab.core import limits
from collab.departments import models as departments
from collab.desk import models as desk
from collab.files import models as files
from collab.inquiries import models as inquiries
from collab.jobs import models as jobs
from collab.mail import models as mail
from collab.profile import models as profile
from collab.reports import models as reports
from collab.reviews import models as reviews
from collab.search import models as search

__all__ = [
    "accounts", "audit", "departments", "desk", "files", "inquiries", "jobs", "limits", "mail", "profile", "reports",
    "reviews", "search",
]  # fmt: skip
