"""Published profiles, one row each."""

from datetime import datetime
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from collab.core.clock import now
from collab.core.columns import Json, UtcDateTime
from collab.core.db import Model
from collab.profile.document import ProfileDocument

_parsed: dict[str, ProfileDocument] = {}
_parsing = Lock()


class ProfileRevision(Model):
    """What the department said of itself from one moment on. The one with the highest number is published.

    :param published_by: the account; none when it came from the command line.
    """

    __tablename__ = "profile_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    department_id: Mapped[int] = mapped_column(sa.ForeignKey("department.id", ondelete="CASCADE"))
    number: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    published_by: Mapped[int | None]

    __table_args__ = (
        sa.UniqueConstraint("department_id", "number"),
        sa.CheckConstraint("number > 0", name="number_positive"),
    )

    @property
    def content(self) -> ProfileDocument:
        """The document, checked and parsed once per content in this process."""
        found = _parsed.get(self.digest)
        if found is None:
            found = ProfileDocument.model_validate(self.document)
            with _parsing:
                if len(_parsed) > 64:
                    _parsed.clear()
                _parsed[self.digest] = found
        return found
