"""Indexes that alone answer how much is late and how much is unread.

Revision: 0012
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UNREAD = {"sqlite_where": sa.text("unread = 1"), "postgresql_where": sa.text("unread")}


def upgrade() -> None:
    _replace("ix_inquiry_due", ["status", "due_at", "department_id", "id"])
    _replace(
        "ix_inquiry_unread",
        ["department_id", "urgency", "id", "unread", "status", "coordinator_id"],
        **_UNREAD,
    )


def downgrade() -> None:
    _replace("ix_inquiry_due", ["status", "due_at"])
    _replace("ix_inquiry_unread", ["department_id", "urgency", "id"], **_UNREAD)


def _replace(name: str, columns: list[str], **where: Any) -> None:
    op.drop_index(name, table_name="inquiry")
    op.create_index(name, "inquiry", columns, **where)
