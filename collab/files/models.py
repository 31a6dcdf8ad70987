"""Attachments: a record here, the bytes in a store."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from collab.core.columns import UtcDateTime, enum_of
from collab.core.db import Model


class FileState(StrEnum):
    """Whether a file belongs to something yet."""

    PENDING = "pending"
    ATTACHED = "attached"
    DELETED = "deleted"


class ScanState(StrEnum):
    """What the virus scanner says. ``not_checked`` is not ``clean``, and is shown so."""

    NOT_CHECKED = "not_checked"
    CLEAN = "clean"
    INFECTED = "infected"
    FAILED = "failed"

    @property
    def label(self) -> LazyString:
        return SCAN_LABELS[self]


SCAN_LABELS: dict[ScanState, LazyString] = {
    ScanState.NOT_CHECKED: _l("Not checked for viruses"),
    ScanState.CLEAN: _l("Checked, no virus found"),
    ScanState.INFECTED: _l("Virus found: locked"),
    ScanState.FAILED: _l("Virus check failed"),
}


class StoredFile(Model):
    """One attachment. ``claim_digest`` binds a pending one to the form that uploaded it and to nobody else."""

    __tablename__ = "stored_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    department_id: Mapped[int] = mapped_column(index=True)
    owner_kind: Mapped[str | None] = mapped_column(sa.String(40))
    owner_id: Mapped[int | None]
    purpose: Mapped[str] = mapped_column(sa.String(40))
    filename: Mapped[str] = mapped_column(sa.String(200))
    media_type: Mapped[str] = mapped_column(sa.String(100))
    size: Mapped[int]
    pages: Mapped[int | None]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    state: Mapped[FileState] = mapped_column(enum_of(FileState))
    claim_digest: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    scan: Mapped[ScanState] = mapped_column(enum_of(ScanState), default=ScanState.NOT_CHECKED)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        sa.Index("ix_stored_file_owner", "owner_kind", "owner_id"),
        sa.Index("ix_stored_file_state", "state", "created_at"),
        sa.CheckConstraint("size > 0", name="size"),
        sa.CheckConstraint(
            "state != 'attached' OR (owner_kind IS NOT NULL AND owner_id IS NOT NULL)", name="owned"
        ),
        sa.CheckConstraint("state != 'pending' OR claim_digest IS NOT NULL", name="claimable"),
    )
