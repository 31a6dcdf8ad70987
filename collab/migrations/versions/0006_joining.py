"""Joining inquiries, moving them, and what points to either.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from collab.inquiries import keys

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TRACKS = ("cooperation", "visit", "training")
STATES = ("asked", "agreed", "refused", "called_off", "done")
#: How many inquiries get their keys at a time.
BATCH = 500


def enum(*values: str, name: str) -> sa.Enum:
    return sa.Enum(
        *values, name=name, native_enum=False, create_constraint=True, length=max(map(len, values)) + 8
    )


def upgrade() -> None:
    op.add_column("inquiry", sa.Column("signals", JSON, nullable=True))
    op.create_index(
        "ix_inquiry_merged",
        "inquiry",
        ["merged_into_id"],
        sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_table(
        "likeness_key",
        sa.Column("key", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_likeness_key_inquiry_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", "inquiry_id", name=op.f("pk_likeness_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_likeness_key_inquiry_id"), "likeness_key", ["inquiry_id"])
    op.create_table(
        "joining",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("into_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(120), nullable=False),
        sa.Column("same_person", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("carried", JSON, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_by_name", sa.String(120), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_joining_by_id")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["user.id"], name=op.f("fk_joining_ended_by_id")),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_joining_inquiry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["into_id"], ["inquiry.id"], name=op.f("fk_joining_into_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joining")),
    )
    op.create_index(op.f("ix_joining_inquiry_id"), "joining", ["inquiry_id"])
    op.create_index(op.f("ix_joining_into_id"), "joining", ["into_id"])
    op.create_index(
        "ix_joining_standing",
        "joining",
        ["inquiry_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "transfer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("to_department_id", sa.Integer(), nullable=False),
        sa.Column("from_track", enum(*TRACKS, name="from_track"), nullable=False),
        sa.Column("to_track", enum(*TRACKS, name="to_track"), nullable=False),
        sa.Column("to_area", sa.String(60), nullable=False),
        sa.Column("with_file", sa.Boolean(), nullable=False),
        sa.Column("state", enum(*STATES, name="transfer_state"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("asked_by_name", sa.String(120), nullable=False),
        sa.Column("on_page", sa.Boolean(), nullable=True),
        sa.Column("consent_on", sa.Date(), nullable=True),
        sa.Column("consent_note", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new_inquiry_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('agreed', 'done') OR consent_on IS NOT NULL", name=op.f("ck_transfer_consent")
        ),
        sa.ForeignKeyConstraint(["asked_by_id"], ["user.id"], name=op.f("fk_transfer_asked_by_id")),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_transfer_inquiry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["new_inquiry_id"], ["inquiry.id"], name=op.f("fk_transfer_new_inquiry_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["to_department_id"], ["department.id"], name=op.f("fk_transfer_to_department_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    op.create_index(op.f("ix_transfer_inquiry_id"), "transfer", ["inquiry_id"])
    op.create_index(op.f("ix_transfer_new_inquiry_id"), "transfer", ["new_inquiry_id"])
    op.create_index(
        "ix_transfer_standing",
        "transfer",
        ["inquiry_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('asked', 'agreed')"),
        postgresql_where=sa.text("state IN ('asked', 'agreed')"),
    )
    _remember_joinings()
    _give_keys()


def _remember_joinings() -> None:
    """What was joined before: by whom and when stands in the history."""
    op.execute(
        "INSERT INTO joining (inquiry_id, into_id, at, by_id, by_name, same_person, carried) "
        "SELECT inquiry.id, inquiry.merged_into_id, inquiry.status_since, event.actor_id, "
        "COALESCE(event.actor_name, ''), false, '{\"others\": [], \"files\": 0}' "
        "FROM inquiry LEFT JOIN inquiry_event AS event ON event.id = (SELECT max(last.id) FROM inquiry_event AS last "
        "WHERE last.inquiry_id = inquiry.id AND last.kind = 'merge') "
        "WHERE inquiry.merged_into_id IS NOT NULL"
    )


def _give_keys() -> None:
    """What was sent before is found like what is sent from now on."""
    database = op.get_bind()
    inquiry = sa.table(
        "inquiry",
        *(
            sa.column(name)
            for name in ("id", "department_id", "confirmed_at", "anonymised_at", *keys.COLUMNS)
        ),
        sa.column("answers", JSON),
    )
    likeness = sa.table("likeness_key", sa.column("key", sa.BigInteger), sa.column("inquiry_id"))
    last = 0
    while rows := database.execute(
        sa.select(inquiry)
        .where(inquiry.c.id > last, inquiry.c.confirmed_at.is_not(None), inquiry.c.anonymised_at.is_(None))
        .order_by(inquiry.c.id)
        .limit(BATCH)
    ).all():
        last = rows[-1].id
        found = [
            {"key": key, "inquiry_id": row.id}
            for row in rows
            for key in keys.of(row.department_id, keys.traits_of(row)).values()
        ]
        database.execute(sa.insert(likeness), found)


def downgrade() -> None:
    op.drop_index("ix_transfer_standing", table_name="transfer")
    op.drop_index(op.f("ix_transfer_new_inquiry_id"), table_name="transfer")
    op.drop_index(op.f("ix_transfer_inquiry_id"), table_name="transfer")
    op.drop_table("transfer")
    op.drop_index("ix_joining_standing", table_name="joining")
    op.drop_index(op.f("ix_joining_into_id"), table_name="joining")
    op.drop_index(op.f("ix_joining_inquiry_id"), table_name="joining")
    op.drop_table("joining")
    op.drop_index(op.f("ix_likeness_key_inquiry_id"), table_name="likeness_key")
    op.drop_table("likeness_key")
    op.drop_index("ix_inquiry_merged", table_name="inquiry")
    op.drop_column("inquiry", "signals")
