"""Rubrics, scores, drafts of reviews, the light path.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_active = sa.text("retired_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "rubric",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column(
            "track",
            sa.Enum(
                "cooperation",
                "visit",
                "training",
                name="track",
                native_enum=False,
                create_constraint=True,
                length=19,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("criteria", _json, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_rubric_department_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_rubric_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rubric")),
        sa.UniqueConstraint(
            "department_id", "track", "number", name=op.f("uq_rubric_department_id_track_number")
        ),
    )
    op.create_index(
        "uq_rubric_active",
        "rubric",
        ["department_id", "track"],
        unique=True,
        sqlite_where=_active,
        postgresql_where=_active,
    )
    op.create_table(
        "opinion_draft",
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", _json, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_opinion_draft_inquiry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_opinion_draft_user_id")),
        sa.PrimaryKeyConstraint("inquiry_id", "user_id", name=op.f("pk_opinion_draft")),
    )
    with op.batch_alter_table("opinion") as batch:
        batch.add_column(sa.Column("rubric_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("scores", _json, nullable=True))
        batch.add_column(sa.Column("earlier", _json, nullable=True))
        batch.create_foreign_key(op.f("fk_opinion_rubric_id"), "rubric", ["rubric_id"], ["id"])
    # Written out: SQLite takes a check with a new column, and alembic would leave it away.
    op.execute(
        "ALTER TABLE inquiry ADD COLUMN light VARCHAR(17)"
        " CONSTRAINT ck_inquiry_light CHECK (light IN ('meeting', 'day_visit', 'question'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE inquiry DROP COLUMN light")
    with op.batch_alter_table("opinion") as batch:
        batch.drop_constraint(op.f("fk_opinion_rubric_id"), type_="foreignkey")
        batch.drop_column("earlier")
        batch.drop_column("scores")
        batch.drop_column("rubric_id")
    op.drop_table("opinion_draft")
    op.drop_index("uq_rubric_active", table_name="rubric")
    op.drop_table("rubric")
