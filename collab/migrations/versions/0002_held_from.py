"""Keep where an inquiry stood before a step whose letter is held: that is what the partner sees until then.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATUSES = (
    "unconfirmed",
    "received",
    "needs_info",
    "in_review",
    "decision_ready",
    "waitlisted",
    "conditional",
    "accepted",
    "referred",
    "declined",
    "withdrawn",
    "lapsed",
    "void",
)
_CHECK = "held_from IN (" + ", ".join(f"'{status}'" for status in _STATUSES) + ")"


def upgrade() -> None:
    # No table is rebuilt for it: SQLite takes a CHECK with the new column, PostgreSQL adds both.
    op.execute(
        f"ALTER TABLE inquiry ADD COLUMN held_from VARCHAR(22) CONSTRAINT ck_inquiry_held_from CHECK ({_CHECK})"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE inquiry DROP COLUMN held_from")  # its CHECK goes with it
