"""The chain of audit events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from collab.core.columns import Json, UtcDateTime
from collab.core.db import Model


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who acts, as far as the log needs to know.

    :param kind: ``staff``, ``applicant``, ``visitor``, ``system`` or ``command``.
    :param user_id: the account, for staff.
    :param network: the address's network (IPv4 /24, IPv6 /56), never the whole address.
    """

    kind: str
    user_id: int | None = None
    network: str | None = None
    request_id: str | None = None


class AuditEvent(Model):
    """One thing that happened. Never changed; ``hash`` covers it and the one before."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    action: Mapped[str] = mapped_column(sa.String(80), index=True)
    actor_kind: Mapped[str] = mapped_column(sa.String(20))
    actor_id: Mapped[int | None]
    network: Mapped[str | None] = mapped_column(sa.String(64))
    request_id: Mapped[str | None] = mapped_column(sa.String(64))
    department_id: Mapped[int | None] = mapped_column(index=True)
    object_kind: Mapped[str | None] = mapped_column(sa.String(40))
    object_id: Mapped[int | None]
    refused: Mapped[bool] = mapped_column(default=False)
    detail: Mapped[dict[str, Any] | None] = mapped_column(Json)
    before: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64), unique=True)

    __table_args__ = (
        sa.UniqueConstraint("before", name="uq_audit_event_before"),
        sa.Index("ix_audit_event_object", "object_kind", "object_id"),
    )


class AuditHead(Model):
    """The chain's end: one row, locked by whoever appends, so that the chain cannot fork."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(sa.String(64))

    __table_args__ = (sa.CheckConstraint("id = 1", name="single"),)
