"""Gates and declared interests.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATES = ("not_needed", "open", "cleared", "cleared_with_conditions", "blocked")
ROLES = (
    "coordinator", "host", "reviewer", "head", "compliance", "radiation_safety_officer", "admin", "viewer",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "gate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="gate_state", native_enum=False, create_constraint=True, length=31),
            nullable=False,
        ),
        sa.Column(
            "owner_role",
            sa.Enum(*ROLES, name="owner_role", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.Integer(), nullable=True),
        sa.Column("settled_by_name", sa.String(120), nullable=False),
        sa.CheckConstraint("(state = 'open') = (settled_at IS NULL)", name=op.f("ck_gate_settled")),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_gate_inquiry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_gate_owner_id")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["user.id"], name=op.f("fk_gate_settled_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate")),
        sa.UniqueConstraint("inquiry_id", "kind", name=op.f("uq_gate_inquiry_id_kind")),
    )
    op.create_index(
        "ix_gate_open",
        "gate",
        ["owner_role", "due_on", "id"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "declaration",
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clean", sa.Boolean(), nullable=False),
        sa.Column("answers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_declaration_inquiry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_declaration_user_id")),
        sa.PrimaryKeyConstraint("inquiry_id", "user_id", name=op.f("pk_declaration")),
    )
    op.create_index("ix_declaration_person", "declaration", ["user_id"])
    op.create_table(
        "work_area",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_work_area_department_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_work_area_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "department_id", "area", name=op.f("pk_work_area")),
    )
    with op.batch_alter_table("conflict") as batch:
        batch.add_column(sa.Column("through_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_conflict_through_id"), "inquiry", ["through_id"], ["id"], ondelete="CASCADE"
        )
        batch.create_index("ix_conflict_person", ["user_id"])
    op.create_index(
        "ix_inquiry_ror",
        "inquiry",
        ["institution_ror"],
        sqlite_where=sa.text("institution_ror IS NOT NULL"),
        postgresql_where=sa.text("institution_ror IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_inquiry_ror", table_name="inquiry")
    with op.batch_alter_table("conflict") as batch:
        batch.drop_index("ix_conflict_person")
        batch.drop_constraint(op.f("fk_conflict_through_id"), type_="foreignkey")
        batch.drop_column("through_id")
    op.drop_table("work_area")
    op.drop_index("ix_declaration_person", table_name="declaration")
    op.drop_table("declaration")
    op.drop_index("ix_gate_open", table_name="gate")
    op.drop_table("gate")
