"""The row of a department."""

from datetime import datetime
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from collab.core.clock import now
from collab.core.columns import Json, UtcDateTime
from collab.core.db import Model
from collab.departments.settings import KEPT, DepartmentSettings

_parsed: dict[str, DepartmentSettings] = {}
_parsing = Lock()


class Department(Model):
    """A department of the institution: the wall around profile, staff and inquiries.

    :param content: ``DepartmentSettings`` as JSON; read it through ``settings``.
    :param is_demo: holds invented sample data; every page says so.
    :param content_version: rises with every change of what the public pages show; the page cache's key.
    """

    __tablename__ = "department"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    code: Mapped[str] = mapped_column(sa.String(8), unique=True)
    timezone: Mapped[str] = mapped_column(sa.String(60))
    content: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    content_digest: Mapped[str] = mapped_column(sa.String(64))
    content_version: Mapped[int] = mapped_column(default=1)
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    @property
    def settings(self) -> DepartmentSettings:
        """The settings, checked and parsed once per content in this process."""
        found = _parsed.get(self.content_digest)
        if found is None:
            found = DepartmentSettings.model_validate(self.content, context=KEPT)
            with _parsing:
                if len(_parsed) > 64:
                    _parsed.clear()
                _parsed[self.content_digest] = found
        return found

    def name(self, lang: str) -> str:
        return self.settings.name.get(lang)

    def institution(self, lang: str) -> str:
        return self.settings.institution.get(lang)

    def __repr__(self) -> str:
        return f"<Department {self.slug}>"
